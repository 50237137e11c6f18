"""Where each key and value of a file stands: plain data with places."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from grader import template
from grader.model import About, Finding, Span

KeyPath = tuple[str | int, ...]
"""The keys and indices that lead to a value."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value starts, and how offsets into it map to the file."""

    start: Span
    key: Span | None = None
    indent: int | None = None
    """Columns before each line of a block text; None for text on one line."""
    single: bool = True

    def inside(self, offset: int, text: str) -> Span:
        """The place of a character of a text value."""
        if self.indent is not None:
            before = text[:offset]
            line = self.start.line + before.count("\n")
            column = offset - (before.rfind("\n") + 1) + self.indent + 1
            return Span(self.start.path, line, column)
        if self.single:
            return Span(self.start.path, self.start.line, self.start.column + offset)
        return self.start


@dataclass(slots=True)
class Source:
    """A YAML file as data: `data` is plain, `places` says where each part stands."""

    path: str
    data: Any = None
    places: dict[KeyPath, Place] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    spoiled: set[int] = field(default_factory=set)
    """The entries of `items` that have findings: the rest of the file can be used where all findings are of these."""
    bank: About = field(default_factory=About)
    """What the bank says of itself that the file is of; its prefix is on all ids, see `named`."""

    def at(self, path: KeyPath, key: bool = False) -> Span:
        """The span of a value (or of its key); of its nearest parent, where the value is missing."""
        while path not in self.places:
            if not path:
                return Span(self.path)
            path, key = path[:-1], False
        place = self.places[path]
        return place.key if key and place.key else place.start


_NO_IDS = ("params", "cases", "imported")
"""Parts of an item with names of its author's own choice."""


def named(source: Source, bank: About) -> Source:
    """A file of a bank, with the bank's prefix on the ids of its topic and items, and on the mistakes they name."""
    source.bank = bank
    if not bank.prefix or not isinstance(source.data, dict):
        return source
    data = dict(source.data)
    if isinstance(data.get("topic"), str):
        data["topic"] = bank.prefix + data["topic"]
    if isinstance(data.get("items"), list):
        data["items"] = [_named_item(one, bank.prefix) if isinstance(one, dict) else one for one in data["items"]]
    source.data = data
    return source


def _named_item(data: dict[str, Any], prefix: str) -> dict[str, Any]:
    found = {name: value if name in _NO_IDS else _named_mistakes(value, prefix) for name, value in data.items()}
    if isinstance(found.get("id"), str):
        found["id"] = prefix + found["id"]
    if isinstance(found.get("aliases"), list):
        found["aliases"] = [f"{prefix}{one}" for one in found["aliases"]]
    return found


def _named_mistakes(data: Any, prefix: str) -> Any:
    if isinstance(data, list):
        return [_named_mistakes(one, prefix) for one in data]
    if not isinstance(data, dict):
        return data
    return {
        name: prefix + value
        if name == "mistake" and isinstance(value, str) and value
        else _named_mistakes(value, prefix)
        for name, value in data.items()
    }


def item_name(data: Any, index: int) -> str:
    """What an entry of `items` is called where something is wrong with it: its id, or which one it is."""
    name = data.get("id") if isinstance(data, dict) else None
    return template.brief(name) if isinstance(name, str) and name else f"item {index + 1}"


def control_character(text: str, at: Span) -> Finding:
    """What is said of a text with a character in it that steers what shows it."""
    found = template.CONTROL.search(text)
    shown = template.brief(template.in_a_line(text))
    message = f"the control character U+{ord(found[0]) if found else 0:04X} stands in `{shown}`"
    return Finding("control-character", message, at, "remove it; in a program, write an escape such as '\\x1b'")


def to_json(source: Source) -> str:
    """A source without findings as JSON, to be read back by `from_json`."""
    places = [
        [list(path), place.start.line, place.start.column, place.key and [place.key.line, place.key.column],
         place.indent, place.single]
        for path, place in source.places.items()
    ]  # fmt: skip
    return json.dumps([source.data, places])


def from_json(text: str, path: str) -> Source | None:
    """What `to_json` wrote, for a file at this path; None where it is something else."""
    try:
        data, places = json.loads(text)
        source = Source(path, data)
        for keys, line, column, key, indent, single in places:
            at = Span(path, *key) if key else None
            source.places[tuple(keys)] = Place(Span(path, line, column), at, indent, single)
    except (ValueError, TypeError):
        return None
    return source
