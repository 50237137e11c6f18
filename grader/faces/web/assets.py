"""The style sheet and the modules of the page; their addresses change with their content, so browsers keep them."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path

from grader.render import figure_svg

STATIC = Path(__file__).parent / "static"
TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


@cache
def content(name: str) -> bytes:
    """The bytes of a file that pages ask for. Raises KeyError for any other."""
    if name not in NAMES or not (STATIC / name).is_file():
        raise KeyError(name)
    text = (STATIC / name).read_text(encoding="utf-8")
    return (text + figure_svg.css() if name.endswith(".css") else text).encode()


@cache
def compressed(name: str) -> bytes:
    """The same, compressed. Pages themselves are not: what they hold of a visitor must not show in their length."""
    return gzip.compress(content(name), mtime=0)


EDITOR = "editor.js"
"""Made by `make page` of what lies in `editor/`; a clone without npm does without it."""

NAMES = ("page.css", "page.js", "question.js", EDITOR)


def _address(name: str) -> str:
    return f"/static/{name}?{hashlib.sha256(content(name)).hexdigest()[:12]}"


CSS, JS = _address("page.css"), _address("page.js")


@cache
def editor() -> str:
    """The address of the editor for code; empty where it has not been made, and code is written in a plain field."""
    return _address(EDITOR) if (STATIC / EDITOR).is_file() else ""
