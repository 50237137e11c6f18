"""Lessons as pages, rendered once: prose, code with its recorded output, charts, and where questions stand in them."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from grader.content import lesson_files
from grader.content.lesson_files import MODES
from grader.faces.service.html_documents import figure
from grader.faces.web.visit import TEMPLATES
from grader.model import Cell, Chart, Figure, LessonQuestion, Prediction, Prose
from grader.render import chart_svg, charts, figures, lesson_html, templates
from grader.render.html_fragments import code, table

_ASKS = re.compile(r"^(?:quiz|predict)\(items=\[([^\]]*)\]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Front:
    """What a lesson says of itself at its top."""

    title: str
    minutes: int
    items: tuple[str, ...]
    """What it asks."""


@dataclass(frozen=True, slots=True)
class QuestionHere:
    """Where a lesson asks an item."""

    item: str
    variant: int


@dataclass(frozen=True, slots=True)
class PracticeHere:
    """Where a lesson asks questions of a topic in a mode."""

    topic: str
    mode: str


@dataclass(frozen=True, slots=True)
class Held:
    """A cell whose output is folded until the questions about it are answered."""

    cell: str
    output: str
    items: tuple[str, ...]


Piece = str | QuestionHere | PracticeHere | Held


@dataclass(frozen=True, slots=True)
class Page:
    """A lesson as its parts: HTML that never changes, and places where questions stand."""

    title: str
    minutes: int
    parts: tuple[Piece, ...]


def front_of(path: Path) -> Front | None:
    """What a lesson says of itself; None where there is no such lesson."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return _front(path, stat.st_mtime_ns)


@lru_cache(256)
def _front(path: Path, _: int) -> Front | None:
    text = path.read_text(encoding="utf-8", errors="replace")
    head = text[:2000]
    title, minutes = (
        re.search(r"^title: *(.+)$", head, re.MULTILINE),
        re.search(r"^minutes: *(\d+)", head, re.MULTILINE),
    )
    items = re.findall(r"[\w.:-]+", " ".join(_ASKS.findall(text)))
    return Front(title[1].strip().strip("\"'"), int(minutes[1]), tuple(items)) if title and minutes else None


def page_of(folder: Path, topic: str, mode: str) -> Page | None:
    """A lesson of a topic's folder as a page; None where there is none, or where something is wrong with its file."""
    path = folder / f"{mode}.md"
    try:
        stat = path.stat()
    except OSError:
        return None
    return _page(path, topic, stat.st_mtime_ns, stat.st_size)


@lru_cache(256)
def _page(path: Path, topic: str, *_: int) -> Page | None:
    read, _findings = lesson_files.read([path])
    if not read:
        return None
    (lesson,) = read
    link = link_of(topic)
    parts: list[Piece] = []
    for part in lesson.parts:
        match part:
            case Prose():
                parts.append(lesson_html.as_html(part.text, link))
            case Cell():
                parts.append(_practice(part.source) or "" if part.is_asking else _code(part) + _output_of(part))
            case LessonQuestion(asks=asks):
                parts += [QuestionHere(item, asks.variant) for item in asks.items]
            case Prediction(asks=asks):
                parts += [QuestionHere(item, asks.variant) for item in asks.items]
                parts += [lesson_html.as_html(prose.text, link) for prose in part.between]
                parts.append(Held(_code(part.held), _output_of(part.held), asks.items))
    return Page(lesson.title, lesson.minutes, tuple(_joined(parts)))


def _joined(parts: list[Piece]) -> list[Piece]:
    """HTML that stands together is one piece."""
    found: list[Piece] = []
    for part in parts:
        if found and isinstance(part, str) and isinstance(last := found[-1], str):
            found[-1] = last + part
        else:
            found.append(part)
    return found


def link_of(topic: str) -> Callable[[str], str | None]:
    """Where links of a topic's lessons lead: from file to page. What a page does not have is only its text."""

    def link(to: str) -> str | None:
        if to.startswith(("http://", "https://", "mailto:", "#")):
            return to
        path, _, anchor = to.partition("#")
        bank, colon, local = topic.rpartition(":")
        beside = address(posixpath.normpath(posixpath.join("lessons", local, path)), anchor)
        return beside and beside.replace("/t/", f"/t/{bank}{colon}", 1)

    return link


def address(path: str, anchor: str = "") -> str | None:
    """The page of a lesson by its file, such as `lessons/warmup/learn.md`, with an anchor; None for other files."""
    path, _, own = path.partition("#")
    found = re.fullmatch(r"lessons/([\w:-]+)/([a-z]+)\.md", path)
    if not found or found[2] not in MODES:
        return None
    anchor = anchor or own
    return f"/t/{found[1]}/{found[2]}{'#' if anchor else ''}{anchor}"


def _practice(source: str) -> PracticeHere | None:
    """The practice that a cell asks, as `quiz("warmup", mode="try")`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "quiz" and node.args:
            given = {word.arg: _plain(word.value) for word in node.keywords}
            return PracticeHere(str(_plain(node.args[0])), str(given.get("mode") or "practice"))
    return None


def _plain(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


# ---------------------------------------------------------------- cells


def _code(cell: Cell) -> str:
    """The code of a cell; folded where its author wants what it draws to be seen first."""
    if "remove-input" in cell.tags:
        return ""
    shown = f'<div class="cell">{_scrolled(code(cell.source))}</div>'
    if "hide-input" in cell.tags:
        return f"<details><summary>The program</summary>{shown}</details>"
    return shown


def _output_of(cell: Cell) -> str:
    """What a cell printed when it was recorded."""
    if cell.pin is None or "remove-output" in cell.tags:
        return ""
    return "".join(_output(text, drawn) for text, drawn in figures.parts(cell.pin.text))


def _scrolled(shown: str) -> str:
    return shown.replace("<pre ", '<pre tabindex="0" ', 1)


def _output(text: str, drawn: Chart | Figure | None) -> str:
    if isinstance(drawn, Chart):
        return templates.filled(
            TEMPLATES,
            "chart.html",
            title=drawn.title,
            svg=chart_svg.svg(drawn),
            words=charts.describe(drawn),
            table=table(drawn),
        )
    if drawn is not None:
        return templates.filled(TEMPLATES, "figure.html", figure=figure(drawn))
    return templates.filled(TEMPLATES, "output.html", text=text)


def neighbors(folder: Path, mode: str) -> tuple[str | None, str | None]:
    """The lessons before and after this one, by their modes."""
    there = [one for one in MODES if (folder / f"{one}.md").is_file()]
    if mode not in there:
        return None, None
    at = there.index(mode)
    return (there[at - 1] if at else None), (there[at + 1] if at + 1 < len(there) else None)
