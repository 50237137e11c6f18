"""A lesson on a terminal: its prose as Markdown is drawn there, its cells as code, its pins as output; and it asks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, assert_never

from grader.model import Asks, Cell, Chart, Lesson, LessonQuestion, Prediction, Prose
from grader.render import figures, terminal_markdown, terminal_text

if TYPE_CHECKING:
    from rich.console import Console

Ask = Callable[[Asks], Sequence[str] | None]
"""Asks, and returns what was answered, a line each, to stand beside the output; None where the reader leaves."""


def show_lesson(
    console: Console,
    lesson: Lesson,
    plain: bool = False,
    ask: Ask | None = None,
    paged: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext,
) -> bool:
    """The page, in the console's width; False where its reader left. A plain one has no plots: charts are words.

    Where it asks, what stands before is drawn first, each stretch of it `paged`. Without `ask` it names its questions.
    """
    ask = ask or partial(_name, console, lesson.topic)
    drawn: list[Callable[[], None]] = []

    def asked(asks: Asks) -> Sequence[str] | None:
        with paged():
            for draw in drawn:
                draw()
        drawn.clear()
        return ask(asks)

    for part in lesson.parts:
        match part:
            case Prose():
                drawn.append(partial(_prose, console, part))
            case Cell():
                drawn += [partial(_source, console, part), partial(_output, console, part, plain)]
            case LessonQuestion():
                if asked(part.asks) is None:
                    return False
            case Prediction():
                drawn += [partial(_prose, console, block) for block in part.between]
                drawn.append(partial(_source, console, part.held))
                if (said := asked(part.asks)) is None:
                    return False
                drawn.append(partial(_compared, console, part.held, plain, said))
            case _:
                assert_never(part)
    with paged():
        for draw in drawn:
            draw()
    return True


def _name(console: Console, topic: str, asks: Asks) -> Sequence[str]:
    """Name questions where none can be asked."""
    for item in asks.items:
        console.print(f"Question: grader quiz {topic} --item {item}", style="dim", soft_wrap=True)
    console.print()
    return ()


def _prose(console: Console, block: Prose) -> None:
    terminal_markdown.draw(console, block.text, lesson=True)
    console.print()


def _source(console: Console, cell: Cell) -> None:
    if "remove-input" not in cell.tags:
        terminal_text.code(console, cell.source)
        console.print()


def _output(console: Console, cell: Cell, plain: bool) -> None:
    if cell.pin is None or "remove-output" in cell.tags:
        return
    for text, drawn in figures.parts(cell.pin.text):
        if isinstance(drawn, Chart):
            terminal_text.chart(console, drawn, plain)
        elif drawn:
            terminal_text.figure(console, drawn, plain)
        else:
            terminal_text.indented(console, text)
    console.print()


def _compared(console: Console, cell: Cell, plain: bool, said: Sequence[str]) -> None:
    """What was predicted, and right below it what the cell prints."""
    for line in said:
        console.print(line, style="bold", markup=False, highlight=False)
    if said:
        console.print("The cell prints:")
        console.print()
    _output(console, cell, plain)
