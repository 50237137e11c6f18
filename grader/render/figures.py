"""Charts and figures in a lesson: a notebook draws them, everything else reads their text, and a pin records just that.

The text of a figure is its data. Of a chart it is `Chart:`, the title and what the axes are, then a line of numbers a
curve; `figure_text` says what it is of others. Whoever draws one elsewhere (a terminal, a page) reads it back.

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
>>> print(figure("grid", {"x": [[1, 2], [3, 4]], "y": [5, 6]}, "Two rows, one row"))
Figure (grid): Two rows, one row
  x         y
  ------    ------
   1  2      5  6
   3  4
"""

from __future__ import annotations

import math
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.model import DRAWS, Chart, Curve, Figure
from grader.render import charts, figure_data, figure_svg, figure_text

WIDTH = 76
VEGA_LITE = "application/vnd.vegalite.v5+json"
SVG = "image/svg+xml"
BARS = "▁▂▃▄▅▆▇█"
BLOCK = re.compile(r"^(Chart: .*\n(?:(?:[^\n:]+:| ) [-+ \d.einaf]+(?:\n|\Z))+)", re.MULTILINE)
"""Finds charts in an output that has more in it."""
_HEADER = re.compile(r"Chart: (.*) \((.*), (.*)\)")


@dataclass(frozen=True)
class Shown:
    """Something to look at: `text` says the same as the drawing. `show()` draws it where that can be done."""

    text: str
    chart: Chart | None
    spec: dict[str, Any] | None = None
    figure: Figure | None = None

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        drawn: dict[str, Any] = {VEGA_LITE: self.spec} if self.spec else {}
        if self.figure:
            drawn = {SVG: figure_svg.image(self.figure)}
        return {**drawn, "text/plain": self.text}

    def show(self) -> None:
        """Draw it in a notebook, print its numbers elsewhere."""
        ipython = sys.modules.get("IPython")
        if ipython is None or ipython.get_ipython() is None:
            print(self.text)
        else:
            ipython.display.display(self)


def chart(title: str, x: str, y: str, curves: Mapping[str, Sequence[float]]) -> Shown:
    """Curves over the same steps, counted from 1: a name and its numbers each, shown to three significant digits.

    Raises ValueError where there is no curve, or a name holds a colon.
    """
    if not curves or any(":" in name for name in curves):
        raise ValueError("a chart has at least one curve, and no colon in a name")
    shown = {name: [f"{float(value):.3g}" for value in values] for name, values in curves.items()}
    drawn = Chart(title, x, y, tuple(Curve(name, tuple(map(float, values))) for name, values in shown.items()))
    return Shown(
        "\n".join([f"Chart: {title} ({x}, {y})", *map(_row, shown, shown.values())]), drawn, charts.spec(drawn)
    )


def _row(name: str, values: Sequence[str]) -> str:
    return textwrap.fill(f"{name}: {' '.join(values)}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def figure(draw: str, data: object, title: str = "") -> Shown:
    """A figure of data of this program: a grid, cells, a graph, a tree, bars, a matrix or a curve.

    Raises NotAFigureError, which says what the sort takes.
    """
    plain = figure_data.figure_of(draw, data)
    title = " ".join(title.split())
    if draw == "curve":
        if any(at for _, _, *at in plain):
            raise figure_data.NotAFigureError("in a lesson a curve is counted from 1, without an `x` of its own")
        return chart(title, "step", "value", dict(plain))
    made = figure_data.made(next(one for one in DRAWS if one == draw), title, plain)
    return Shown(figure_text.text(made), None, figure=made)


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


def parts(text: str) -> Iterator[tuple[str, Chart | Figure | None]]:
    """An output in parts: its charts and figures, and what was printed before, between and after them."""
    for piece in BLOCK.split(text):
        if drawn := read(piece):
            yield piece.rstrip(), drawn
            continue
        for part in figure_text.BLOCK.split(piece):
            if part.strip():
                yield part.rstrip(), figure_text.read(part)


def sheet(title: str, x: str, curves: Mapping[str, Sequence[float]]) -> Shown:
    """Many curves on one sheet, each with a scale of its own: a bar a step, and its first two numbers and its last."""
    width = max(map(len, curves))
    lines = [f"{title}, each {x}"]
    for name, values in curves.items():
        ends = ", ".join(f"{value:.3g}" for value in values[:2]) + f", ..., {values[-1]:.3g}"
        lines.append(f"{name:{width}}  {_bars(values)}  {ends}")
    return Shown("\n".join(lines), None, charts.sheet_spec(title, x, curves))


def _bars(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    if math.isclose(low, high):
        return BARS[0] * len(values)
    return "".join(BARS[int((value - low) / (high - low) * (len(BARS) - 1) + 0.5 - 1e-6)] for value in values)
