"""A lesson on a terminal: its prose as rich draws Markdown, its cells as code, its pins as output."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.markdown import Markdown

from grader import figures
from grader import lesson as lessons
from grader.model import Cell, Lesson, Prose
from grader.ui import drawing

if TYPE_CHECKING:
    from rich.console import Console

_DIRECTIVE = re.compile(r"^(:::+)\s*\{([\w-]+)\}\s*(.*)$")


def show_lesson(console: Console, lesson: Lesson, plain: bool = False) -> None:
    """The whole page, in the console's width. A plain one has no plots: charts are words."""
    for block in lesson.blocks:
        if isinstance(block, Prose):
            console.print(Markdown(_plain(block.text), hyperlinks=console.is_terminal))
            console.print()
            continue
        _cell(console, block, plain)


def _cell(console: Console, cell: Cell, plain: bool) -> None:
    if "remove-input" not in cell.tags:
        drawing.code(console, cell.source)
        console.print()
    if cell.pin and "remove-output" not in cell.tags:
        for part in figures.BLOCK.split(cell.pin.text):
            if chart := figures.read(part):
                drawing.chart(console, chart, plain)
            elif part.strip():
                drawing.indented(console, part.rstrip())
        console.print()


def _plain(text: str) -> str:
    """Markdown that any reader knows: numbers for roles, quotes for blocks, no targets."""
    text = lessons.INLINE.sub(lambda match: match[3] or f"`{match[1]}`", text)
    lines, depth = [], 0
    for line in text.splitlines():
        if re.fullmatch(r"\([\w-]+\)=\s*", line) or line.startswith("+++"):
            continue
        if opened := _DIRECTIVE.match(line):
            depth += 1
            lines += [f"> **{opened[3] or opened[2].capitalize()}**", ">"]
        elif depth and re.fullmatch(r":::+\s*", line):
            depth -= 1
            lines.append("")
        elif depth and re.match(r":[\w-]+:", line):
            continue
        else:
            lines.append(f"> {line}" if depth else line)
    text = re.sub(r"\[([^\]]+)\]\(#[^)]*\)", r"\1", "\n".join(lines))  # a place on this page
    return re.sub(r"<!--.*?-->", "", text)
