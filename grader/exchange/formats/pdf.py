"""A worksheet as a PDF: the questions with room for answers, then the key on a page of its own. Typst sets it.

What stands on the pages goes to Typst as data, never as its markup: no text of a question can mean anything to it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from grader.errors import InputError
from grader.exchange import pictures
from grader.exchange.exported_questions import FORMS, ExportedQuestion, ExportedQuiz, Form
from grader.model import LETTERS
from grader.render import markdown

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

TITLE = "PDF"
WRITES: dict[Form, str] = dict.fromkeys(FORMS, "a worksheet question")
LINES: dict[Form, int] = {"written": 6, "card": 2}
"""Lines to write on; one for all other forms without options or tables."""


def write(quiz: ExportedQuiz) -> bytes:
    """See `Writes`. Raises InputError where typst is not installed."""
    return drawn(quiz, "pdf")[0]


def drawn(quiz: ExportedQuiz, form: Literal["pdf", "png"]) -> list[bytes]:
    """The PDF, or a picture of each page. Raises InputError where typst is not installed."""
    try:
        import typst
    except ImportError:
        raise InputError("typst is not installed here", 'run `pip install "torch-grader[print]"`') from None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = {
            "title": quiz.title,
            "origin": list(quiz.origin.lines),
            "questions": [_question(one, number, folder) for number, one in enumerate(quiz.questions, 1)],
        }
        (folder / "quiz.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        shutil.copy(Path(__file__).with_name("worksheet.typ"), folder)
        made: bytes | list[bytes] = typst.compile(
            folder / "worksheet.typ", root=folder, format=form, ignore_system_fonts=True
        )
    return [made] if isinstance(made, bytes) else made


def _question(one: ExportedQuestion, number: int, folder: Path) -> dict[str, Any]:
    """A question and its key as nodes."""
    shown: list[Any] = []
    images = iter(pictures.files(one))
    for part in one.blocks():
        if isinstance(part, str):
            shown += _blocks(part)
            continue
        name, svg = next(images)
        (folder / f"{number}-{name}").write_text(svg, encoding="utf-8")
        shown.append({"type": "image", "path": f"{number}-{name}", "width": _width(svg)})
    return {
        "name": one.name,
        "shown": shown,
        "options": [_blocks(option.text) for option in one.options],
        "values": [_blocks(text) for text in one.parts[0].options] if one.form == "match" else [],
        "cells": [_blocks(part.label) for part in one.parts],
        "starter": one.starter,
        "lines": 0 if one.options or one.parts else LINES.get(one.form, 1),
        "right": ", ".join(LETTERS[place] for place, option in enumerate(one.options) if option.right),
        "key": list(_key(one)),
        "solution": [_blocks(step) for step in one.solution],
    }


def _key(one: ExportedQuestion) -> Iterable[list[Any]]:
    """What is right, and what is wrong with the rest, a list of blocks each."""
    for part in one.parts:
        letter = f"{LETTERS[part.right]}, " if part.options else ""
        yield _blocks(f"{part.label}: {letter}{part.shown}")
    if not one.parts and (model := one.model()):
        yield _blocks(f"One right answer:\n\n{model}" if one.form == "written" else model)
    for letter, option in zip(LETTERS, one.options, strict=False):
        if option.feedback:
            yield _blocks(f"{letter}: {option.feedback}")
    for key, said in one.wrong:
        if said:
            yield _blocks(f"`{key.text}`: {said}")


def _width(svg: str) -> float:
    """The width of a drawing in points, as far as it says; it is scaled down where that is too wide."""
    import re

    found = re.search(r'<svg[^>]*?\swidth="([\d.]+)"', svg)
    return float(found[1]) * 0.75 if found else 300


# ---------------------------------------------------------------- Markdown as nodes


def _blocks(text: str) -> list[Any]:
    """The blocks of a text as plain data; a text of one line is one paragraph."""
    node = markdown.tree(text) if markdown.has_blocks(text) else markdown.phrase(text)
    return [made for child in node.children for made in _node(child)]


def _node(node: SyntaxTreeNode) -> list[Any]:
    """What the style sheet draws: a type, and text, or parts."""
    match node.type:
        case "text" | "softbreak" | "hardbreak" | "code_inline":
            return [{"type": node.type, "text": node.content}]
        case "fence" | "code_block":
            language = node.info.split()[0] if node.type == "fence" and node.info.split() else ""
            return [{"type": "fence", "text": node.content.rstrip("\n"), "language": language}]
        case "inline":
            return _inside(node)
        case "image":
            return [{"type": "text", "text": node.content}]
        case "hr":
            return [{"type": "hr"}]
    return [{"type": node.type, "parts": _inside(node)}]


def _inside(node: SyntaxTreeNode) -> list[Any]:
    return [made for child in node.children for made in _node(child)]
