"""YAML 1.2 text into plain data, with the place of every key and value. Nothing in the text can run code.

Anchors, aliases, merge keys and tags are refused: a quiz needs none, and without them what one reads is what there is.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from grader import template
from grader.content.places import Source, control_character
from grader.model import Finding, Span

MOST_BYTES = 512 * 1024
MOST_LINES = 20_000
LARGEST_FILE = 4 * MOST_BYTES
"""Bytes; a character has up to four."""


def read_text(path: Path, code: str) -> str | Finding:
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


def _read(path: Path) -> bytes:
    """What is in a file, up to a byte too much. Raises OSError, at once where it is a pipe or a device."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is not an ordinary file")
        return file.read(LARGEST_FILE + 1)


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
    from grader.content import yaml_nodes  # ruamel.yaml, which a file that was read before does not need

    yaml_nodes.read(text, source)
    return source
