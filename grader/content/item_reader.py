"""One item's YAML, as its kind reads it: what is asked for is noted, so that no field goes unread."""

from __future__ import annotations

from typing import Any

from grader import template
from grader.content.places import KeyPath, Source
from grader.model import Expr, Finding, Span, Text


class ItemReader:
    """Reads the parts of one item and collects what is wrong with them. See `grader.judging.bodies.Reader`."""

    def __init__(self, data: dict[str, Any], path: KeyPath, source: Source) -> None:
        self._data, self._path, self._source = data, path, source
        self.used: set[str] = set()
        """The fields of the item that were asked for."""
        self.findings: list[Finding] = []

    def report(self, code: str, message: str, at: Span, hint: str) -> None:
        """Note what is wrong."""
        self.findings.append(Finding(code, message, at, hint, item=self._data["id"]))

    def get(self, *path: str | int, default: Any = None) -> Any:
        """Plain data at these keys and indices, or the default."""
        self.used.add(str(path[0]))
        value: Any = self._data
        for key in path:
            if isinstance(value, dict) and key not in value:
                return default
            value = value[key]
        return default if value is None else value

    def at(self, *path: str | int, key: bool = False) -> Span:
        """Where that stands, or its key; its nearest parent, where it is missing."""
        return self._source.at((*self._path, *path), key)

    def expression(self, *path: str | int) -> Expr | None:
        """A Python expression; a number, a truth value or a list stands for itself."""
        value = self.get(*path)
        if value is None:
            return None
        at = self.at(*path)
        if not isinstance(value, str):
            return Expr(repr(value), at)
        if not template.is_expression(value):
            message = f"`{template.brief(value.strip())}` is not a Python expression"
            self.report("bad-expression", message, at, "write an expression, such as `run.lr_used[0]`")
        return Expr(value.strip(), at)

    def text(self, *path: str | int) -> Text | None:
        """Markdown with `{expressions}` in it; None where there is none."""
        return None if self.get(*path) is None else self.markdown(*path)

    def markdown(self, *path: str | int) -> Text:
        """Markdown that is there."""
        value = self.get(*path)
        place = self._source.places[*self._path, *path]
        try:
            return template.split(value, place.start, lambda offset: place.inside(offset, value))
        except template.BadTemplateError as error:
            self.report("bad-expression", str(error), place.inside(error.offset, value), "check the braces")
            return Text((value,), place.start)

    def verbatim(self, *path: str | int) -> Expr | None:
        """A text that is taken as it stands."""
        value = self.get(*path)
        return None if value is None else Expr(value, self.at(*path))
