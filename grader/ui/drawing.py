"""Pieces of text that the terminal shows: code, wrapped lines, rates, charts, what a run did."""

from __future__ import annotations

import sys
from typing import IO

from rich.console import Console
from rich.text import Text

from grader import charts
from grader.model import Chart, Observation, Status
from grader.template import printable
from grader.ui import curves


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
    text = Text(source)
    if colored and console.is_terminal and not console.no_color:
        from rich.syntax import Syntax

        text = Syntax(source, "python", theme="ansi_dark").highlight(source)
        text.rstrip()
    for line in text.split("\n", allow_blank=True):
        console.print(Text.assemble("    ", line) if line else line, soft_wrap=True)


def rates(console: Console, run: Observation, plain: bool, counts: str = "step") -> None:
    """The rates as PyTorch gave them: in words, as a table, as a plot."""
    drawn = charts.rate_chart(run, counts)
    if drawn is None:
        return
    heading(console, "The rates, as PyTorch gave them")
    console.print(charts.describe(drawn))
    rows = [(counts, "rate used", "after scheduler.step()"), *curves.rows(run)]
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


def plot(console: Console, drawn: Chart, plain: bool) -> None:
    ascii_only = "utf" not in (console.encoding or "").lower()
    picture = "" if plain else curves.plot(drawn, console.width - 2, ascii_only)
    if picture:
        console.print()
        indented(console, picture)


def indented(console: Console, text: str) -> None:
    for line in text.split("\n"):
        console.print(Text(f"  {printable(line)}"), soft_wrap=True)


def flowing(text: str) -> str:
    """A text as one line; lines of a block in YAML are no lines of a screen."""
    return " ".join(text.split())


def inline(console: Console, text: str) -> Text:
    """A line of Markdown: what stands in backticks is marked as code, by color where there is any."""
    text = printable(text)
    if not console.is_terminal or console.no_color or text.count("`") % 2:
        return Text(text)
    result = Text()
    for number, part in enumerate(text.split("`")):
        result.append(part, style="cyan" if number % 2 else "")
    return result


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
