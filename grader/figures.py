"""Charts in a lesson: a notebook draws them, everything else reads their numbers, and a pin records just those.

The text of a figure is its data: `Chart:`, the title and what the axes are, then a line of numbers a curve. Whoever
draws it elsewhere (a terminal, a page) reads it back with `read`.

>>> losses = chart("Loss of each epoch", "epoch", "loss", {"slow ramp": [2.31, 1.2, 0.5], "no ramp": [2.31, 4.0, 3.9]})
>>> print(losses)
Chart: Loss of each epoch (epoch, loss)
slow ramp: 2.31 1.2 0.5
no ramp: 2.31 4 3.9
>>> read(str(losses)) == losses.chart
True
>>> print(sheet("Two schedules", "epoch", {"constant": [1.0, 1.0, 1.0], "ramp": [0.25, 0.5, 1.0]}))
Two schedules, each epoch
constant  ▁▁▁  1, 1, ..., 1
ramp      ▁▃█  0.25, 0.5, ..., 1
"""

from __future__ import annotations

import math
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader import charts
from grader.model import Chart, Curve

WIDTH = 76
VEGA_LITE = "application/vnd.vegalite.v5+json"
BARS = "▁▂▃▄▅▆▇█"
BLOCK = re.compile(r"^(Chart: .*\n(?:(?:[^\n:]+:| ) [-+ \d.einaf]+(?:\n|\Z))+)", re.MULTILINE)
"""Finds charts in an output that has more in it."""
_HEADER = re.compile(r"Chart: (.*) \((.*), (.*)\)")


@dataclass(frozen=True)
class Figure:
    """Something to look at: `text` says the same as the drawing. `show()` draws it where that can be done."""

    text: str
    chart: Chart | None
    spec: dict[str, Any]

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {VEGA_LITE: self.spec, "text/plain": self.text}

    def show(self) -> None:
        """Draw it in a notebook, print its numbers elsewhere."""
        ipython = sys.modules.get("IPython")
        if ipython is None or ipython.get_ipython() is None:
            print(self.text)
        else:
            ipython.display.display(self)


def chart(title: str, x: str, y: str, curves: Mapping[str, Sequence[float]]) -> Figure:
    """Curves over the same steps, counted from 1: a name and its numbers each, shown to three significant digits.

    Raises ValueError where there is no curve, or a name holds a colon.
    """
    if not curves or any(":" in name for name in curves):
        raise ValueError("a chart has at least one curve, and no colon in a name")
    shown = {name: [f"{float(value):.3g}" for value in values] for name, values in curves.items()}
    drawn = Chart(title, x, y, tuple(Curve(name, tuple(map(float, values))) for name, values in shown.items()))
    return Figure(
        "\n".join([f"Chart: {title} ({x}, {y})", *map(_row, shown, shown.values())]), drawn, charts.spec(drawn)
    )


def _row(name: str, values: Sequence[str]) -> str:
    return textwrap.fill(f"{name}: {' '.join(values)}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def read(text: str) -> Chart | None:
    """The chart whose text this is; None where it is something else."""
    first, _, rest = text.strip().partition("\n")
    header = _HEADER.fullmatch(first)
    if not header:
        return None
    curves = []
    for line in re.sub(r"\n  ", " ", rest).splitlines():
        name, colon, values = line.rpartition(":")
        try:
            curves.append(Curve(name, tuple(map(float, values.split()))))
        except ValueError:
            return None
        if not colon:
            return None
    return Chart(header[1], header[2], header[3], tuple(curves)) if curves else None


def parts(text: str) -> Iterator[tuple[str, Chart | None]]:
    """An output in parts: its charts, and what was printed before, between and after them."""
    for part in BLOCK.split(text):
        if part.strip():
            yield part.rstrip(), read(part)


def sheet(title: str, x: str, curves: Mapping[str, Sequence[float]]) -> Figure:
    """Many curves on one sheet, each with a scale of its own: a bar a step, and its first two numbers and its last."""
    width = max(map(len, curves))
    lines = [f"{title}, each {x}"]
    for name, values in curves.items():
        ends = ", ".join(f"{value:.3g}" for value in values[:2]) + f", ..., {values[-1]:.3g}"
        lines.append(f"{name:{width}}  {_bars(values)}  {ends}")
    return Figure("\n".join(lines), None, charts.sheet_spec(title, x, curves))


def _bars(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    if math.isclose(low, high):
        return BARS[0] * len(values)
    return "".join(BARS[int((value - low) / (high - low) * (len(BARS) - 1) + 0.5 - 1e-6)] for value in values)
