"""A lesson on a terminal: its prose as rich draws Markdown, its cells as code, its pins as output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markdown import Markdown

from grader import figures, prose
from grader.model import Cell, Lesson, Prose
from grader.ui import drawing

if TYPE_CHECKING:
    from rich.console import Console

STYLE = prose.Style(
    target=lambda _name: [],
    block=lambda title, _folded, lines: prose.quote(title, lines),
    link=lambda text, to: text if to.startswith("#") else f"[{text}]({to})",
)
"""A terminal has no places to jump to, and folds nothing."""


def show_lesson(console: Console, lesson: Lesson, plain: bool = False) -> None:
    """The whole page, in the console's width. A plain one has no plots: charts are words."""
    for block in lesson.blocks:
        if isinstance(block, Prose):
            console.print(Markdown(prose.plain(block.text, STYLE), hyperlinks=console.is_terminal))
            console.print()
            continue
        _cell(console, block, plain)


def _cell(console: Console, cell: Cell, plain: bool) -> None:
    if "remove-input" not in cell.tags:
        drawing.code(console, cell.source)
        console.print()
    if cell.pin and "remove-output" not in cell.tags:
        for text, chart in figures.parts(cell.pin.text):
            if chart:
                drawing.chart(console, chart, plain)
            else:
                drawing.indented(console, text)
        console.print()
