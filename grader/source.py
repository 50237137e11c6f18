"""YAML 1.2 text into plain data, with the place of every key and value. Nothing in the text can run code.

Anchors, aliases, merge keys and tags are refused: a quiz needs none, and without them what one reads is what there is.
"""

from __future__ import annotations

import json
import os
import pathlib
import stat
from dataclasses import dataclass, field
from typing import Any

from grader import template
from grader.model import Finding, Span

MOST_BYTES = 512 * 1024
MOST_LINES = 20_000
LARGEST_FILE = 4 * MOST_BYTES
"""Bytes; a character has up to four."""

Path = tuple[str | int, ...]
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
    places: dict[Path, Place] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def at(self, path: Path, key: bool = False) -> Span:
        """The span of a value (or of its key); of its nearest parent, where the value is missing."""
        while path not in self.places:
            if not path:
                return Span(self.path)
            path, key = path[:-1], False
        place = self.places[path]
        return place.key if key and place.key else place.start


def read_text(path: pathlib.Path, code: str) -> str | Finding:
    """The text of a file with plain ends of lines, or a finding (with this code, where it is no text).

    A text with control characters is none: whatever shows it, on a terminal or a page, would be steered by it.
    """
    try:
        data = _read(path)
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
        return Finding("unreadable-file", message, Span(str(path)), "check its name and permissions")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        message = f"byte {error.start + 1} is not UTF-8 text"
        return Finding(code, message, Span(str(path), line), "save the file as UTF-8 text")
    if len(data) > LARGEST_FILE:
        message = f"the file has more than {LARGEST_FILE:,} bytes"
        return Finding("too-long", message, Span(str(path)), "split it into topics")
    if odd := template.CONTROL.search(text):
        line = text.count("\n", 0, odd.start()) + 1
        at = Span(str(path), line, odd.start() - text.rfind("\n", 0, odd.start()))
        return control_character(text.split("\n")[line - 1], at)
    return text


def _read(path: pathlib.Path) -> bytes:
    """What is in a file, up to a byte too much. Raises OSError, at once where it is a pipe or a device."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is no ordinary file")
        return file.read(LARGEST_FILE + 1)


def control_character(text: str, at: Span) -> Finding:
    """What is said of a text with a character in it that steers what shows it."""
    found = template.CONTROL.search(text)
    shown = template.brief(template.in_a_line(text))
    message = f"the control character U+{ord(found[0]) if found else 0:04X} stands in `{shown}`"
    return Finding("control-character", message, at, "remove it; in a program, write an escape such as '\\x1b'")


def parse(text: str, path: str) -> Source:
    """Read a YAML text; problems are findings of the result, and then `data` is None."""
    source = Source(path)
    if len(text) > MOST_BYTES or text.count("\n") > MOST_LINES:
        message = f"the file has {len(text):,} characters in {text.count(chr(10)) + 1:,} lines"
        limit = f"a quiz may have {MOST_BYTES:,} and {MOST_LINES:,}; split it into topics"
        source.findings.append(Finding("too-long", message, Span(path), limit))
        return source
    if text.startswith("%"):
        hint = "remove the line: quizzes are YAML 1.2"
        source.findings.append(Finding("bad-yaml", "found a directive", Span(path), hint))
        return source
    from grader import nodes  # ruamel.yaml, which a file that was read before does not need

    nodes.read(text, source)
    return source


def kept(source: Source) -> str:
    """A source without findings as JSON, to be read back by `restored`."""
    places = [
        [list(path), place.start.line, place.start.column, place.key and [place.key.line, place.key.column],
         place.indent, place.single]
        for path, place in source.places.items()
    ]  # fmt: skip
    return json.dumps([source.data, places])


def restored(text: str, path: str) -> Source | None:
    """What `kept` wrote, for a file at this path; None where it is something else."""
    try:
        data, places = json.loads(text)
        source = Source(path, data)
        for keys, line, column, key, indent, single in places:
            at = Span(path, *key) if key else None
            source.places[tuple(keys)] = Place(Span(path, line, column), at, indent, single)
    except (ValueError, TypeError):
        return None
    return source
