"""Pieces of text that the terminal shows: code, wrapped lines, rates, charts, what a run did."""

from __future__ import annotations

import sys
from typing import IO

from rich.console import Console
from rich.text import Text

from grader.model import Chart, Figure, Observation, Status
from grader.render import charts, figure_text, plots
from grader.template import printable

MARK, PLAIN_MARK = "\N{RIGHTWARDS ARROW WITH HOOK} ", "> "
"""Before what goes on from the line above."""


def screen(stream: IO[str] | None = None, *, terminal: bool | None = None) -> Console:
    """A console of at most 80 columns that prints text as it is; whether it is a terminal is found out by default."""
    stream = stream or sys.stdout
    console = Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=False, force_terminal=terminal)
    console.width = min(80, console.width)
    return console


def heading(console: Console, text: str) -> None:
    console.print()
    console.print(text, style="bold")


def hanging(console: Console, label: str, style: str, text: Text) -> None:
    """A text with a label before its first line and as much space before the others."""
    for number, line in enumerate(text.wrap(console, console.width - len(label))):
        start = (label, style) if number == 0 else " " * len(label)
        console.print(Text.assemble(start, line))


def code(console: Console, source: str, *, colored: bool = True) -> None:
    """Python, indented by four."""
    for line in code_lines(console, source, colored=colored):
        console.print(line, soft_wrap=True)


def wrapped(console: Console, line: Text, width: int | None = None) -> list[Text]:
    """A line of code or output as lines of a terminal: what goes on begins below the line's start, with a mark.

    Elsewhere it stays whole, to be copied.
    """
    width = width or console.width
    if not console.is_terminal or line.cell_len <= width:
        return [line]
    indent = min(len(line.plain) - len(line.plain.lstrip()), width // 3)
    mark = " " * indent + (MARK if "utf" in (console.encoding or "").lower() else PLAIN_MARK)
    found: list[Text] = []
    rest, room = line, width
    while rest.cell_len > room:
        space = rest.plain.rfind(" ", 0, room + 1)
        at = space + 1 if space > room // 2 else room
        head, rest = rest.divide([at])
        head.rstrip()
        found.append(Text.assemble(mark, head) if found else head)
        room = width - len(mark)
    return [*found, Text.assemble(mark, rest)]


def code_lines(console: Console, source: str, *, colored: bool = True, width: int | None = None) -> list[Text]:
    """The lines of a program, indented by four, in colors where there are any; long ones go on with a mark."""
    text = Text(source)
    if colored and console.is_terminal and not console.no_color:
        from rich.syntax import Syntax

        text = Syntax(source, "python", theme="ansi_dark").highlight(source)
        text.rstrip()
    lines = [Text.assemble("    ", line) if line else line for line in text.split("\n", allow_blank=True)]
    return [part for line in lines for part in wrapped(console, line, width)]


def rates(console: Console, run: Observation, plain: bool, counts: str = "step") -> None:
    """The rates as PyTorch gave them: in words, as a table, as a plot."""
    drawn = charts.rate_chart(run, counts)
    if drawn is None:
        return
    heading(console, "The rates, as PyTorch gave them")
    console.print(charts.describe(drawn))
    rows = [(counts, "rate used", "after scheduler.step()"), *plots.rows(run)]
    columns = [0] + [column for column in (1, 2) if any(row[column] not in ("-", "...") for row in rows[1:])]
    widths = {column: max(len(row[column]) for row in rows) for column in columns}
    console.print()
    for row in rows:
        console.print("  " + "   ".join(row[column].rjust(widths[column]) for column in columns))
    plot(console, drawn, plain)


def chart(console: Console, drawn: Chart, plain: bool) -> None:
    """A chart in words and as a plot."""
    heading(console, drawn.title)
    console.print(charts.describe(drawn))
    plot(console, drawn, plain)


def drawing(console: Console, drawn: Chart, plain: bool) -> None:
    """A chart as a plot alone; in words, where nothing can be drawn."""
    picture = _picture(console, drawn, plain)
    heading(console, drawn.title)
    if not picture:
        console.print(charts.describe(drawn))
        return
    console.print()
    indented(console, picture)


def height(text: str, width: int) -> int:
    """How many lines of a terminal a printed text takes."""
    if not text:
        return 0
    lines = Text.from_ansi(text.removesuffix("\n")).split("\n", allow_blank=True)
    return sum(max(1, -(-line.cell_len // width)) for line in lines)


def figure(console: Console, drawn: Figure, plain: bool) -> None:
    """A figure as lines of text below its title; a curve as a chart is."""
    if isinstance(drawn.content, Chart):
        chart(console, drawn.content, plain)
        return
    if drawn.title:
        heading(console, printable(drawn.title))
    console.print()
    indented(console, "\n".join(figure_text.lines(drawn.content)))


def _picture(console: Console, drawn: Chart, plain: bool) -> str:
    ascii_only = "utf" not in (console.encoding or "").lower()
    return "" if plain else plots.plot(drawn, console.width - 2, ascii_only)


def plot(console: Console, drawn: Chart, plain: bool) -> None:
    if picture := _picture(console, drawn, plain):
        console.print()
        indented(console, picture)


def indented(console: Console, text: str) -> None:
    for line in text.split("\n"):
        for part in wrapped(console, Text(f"  {printable(line)}")):
            console.print(part, soft_wrap=True)


def flowing(text: str) -> str:
    """A text as one line; lines of a block in YAML are no lines of a screen."""
    return " ".join(text.split())


def show_run(console: Console, run: Observation, plain: bool) -> None:
    """What `grader run` shows of a program: how it ended, its rates, what it printed, warned and raised."""
    style = "bold green" if run.status is Status.OK else "bold red"
    peak = run.peak_bytes / 2**20
    console.print(f"{run.status.value}: {run.seconds:.3f} s, {peak:.1f} MiB on top of the worker", style=style)
    if run.note:
        console.print(printable(run.note))
    if run.error:
        console.print(Text(printable(str(run.error)), style="red"))
        if run.error.line:
            console.print(Text(printable(f"  at line {run.error.line}: {run.error.code}")))
    for warning in run.warnings:
        place = f" (line {warning.line})" if warning.line else ""
        console.print(Text(printable(f"{warning.category}{place}: {warning.message}"), style="yellow"))
    rates(console, run, plain)
    if losses := charts.loss_chart(run):
        chart(console, losses, plain)
    for name, text in (("Output", run.stdout), ("Standard error", run.stderr)):
        if text:
            heading(console, name)
            indented(console, text.rstrip("\n"))
