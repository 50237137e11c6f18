"""Line charts as SVG for a page, made from the same chart data as every other drawing of them.

A page gives the colors and the size of the text, by classes; nothing is styled inline, and no library is loaded. Vega-
Lite (`charts.spec`) stays what notebooks and exports draw with.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from grader.model import Chart
from grader.render import charts
from grader.template import show

WIDTH, HEIGHT = 460, 250
LEFT, RIGHT, TOP, BOTTOM = 58, 446, 34, 200
"""Where the curves are drawn, in the units of the drawing."""

DOTS = 40
"""A curve with more steps has no dots: they would run into each other."""

LETTER = 9.6
"""The width of a letter of a name, as wide as fonts of browsers have it on a phone."""

Mark = tuple[int, float, str]
"""A point that is pointed out: a step, counted from 1, a value, and what is said of it."""


def svg(chart: Chart, mark: Mark | None = None) -> str:
    """A chart as an SVG element that is described in words; gaps stand for what is no number that can be drawn."""
    points = [[value if _drawn(value, chart.log) else None for value in curve.values] for curve in chart.curves]
    values = [value for curve in points for value in curve if value is not None]
    if mark and _drawn(mark[1], chart.log):
        values.append(mark[1])
    ticks = _ticks(values, log=chart.log)
    reached = [place for curve in chart.curves for place in curve.places] or [1]
    scale = _Scale(min(reached), max(reached), ticks[0], ticks[-1], log=chart.log)
    said = charts.describe(chart) + (f" {mark[2]}: {show(mark[1])} ({chart.x} {mark[0]})." if mark else "")
    parts = [
        *_axes(chart, scale, ticks),
        *(
            part
            for place in reversed(range(len(points)))
            for part in _curve(chart.curves[place].places, points[place], place, scale)
        ),
        *_legend([curve.name for curve in chart.curves]),
        *(_marked(mark, scale) if mark and _drawn(mark[1], chart.log) else ()),
    ]
    opened = f'<svg class="tg-chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" focusable="false"'
    return f'{opened} aria-label="{escape(said)}">{"".join(parts)}</svg>'


def _drawn(value: float, log: bool) -> bool:
    return math.isfinite(value) and (value > 0 or not log)


class _Scale:
    """From steps, or what else is on the x axis, and values to places in the drawing."""

    def __init__(self, first: float, last: float, low: float, high: float, *, log: bool) -> None:
        self.first, self.last, self._log = first, last, log
        self._low, self._high = self._level(low), self._level(high)

    def _level(self, value: float) -> float:
        return math.log10(value) if self._log else value

    def x(self, step: float) -> float:
        return (
            LEFT
            + 8
            + (RIGHT - LEFT - 16) * ((step - self.first) / (self.last - self.first) if self.last > self.first else 0.5)
        )

    def y(self, value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (self._level(value) - self._low) / (self._high - self._low)


def _ticks(values: Sequence[float], *, log: bool) -> list[float]:
    """Round values that hold all of these between the first and the last."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if log:
        low, high = (low, high) if values else (0.1, 1.0)
        first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
        last = max(last, first + 1)
        every = max(1, math.ceil((last - first) / 5))
        return [10.0**power for power in range(first, last + every, every)]
    if low == high:
        low, high = (0.0, high) if high > 0 else (low, 0.0) if low < 0 else (0.0, 1.0)
    if 0 < low < (high - low):
        low = 0.0  # near to zero, so that it can be seen how near
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return [step * count for count in range(math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9) + 1)]


def _axes(chart: Chart, scale: _Scale, ticks: Sequence[float]) -> Iterator[str]:
    for value in ticks:
        y = scale.y(value)
        yield f'<line class="tg-grid" x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(f"{value:.4g}")}</text>'
    for step in _marks(chart, scale):
        yield f'<text x="{scale.x(step):.1f}" y="{BOTTOM + 18}" text-anchor="middle">{step:.4g}</text>'
    yield f'<text x="{(LEFT + RIGHT) / 2:g}" y="{HEIGHT - 10}" text-anchor="middle">{escape(chart.x)}</text>'
    yield f'<text x="4" y="14">{escape(chart.y)}</text>'


def _marks(chart: Chart, scale: _Scale) -> Sequence[float]:
    """What is written along the x axis: steps, at most about ten of them, or round places."""
    if any(curve.at for curve in chart.curves):
        return [one for one in _ticks([scale.first, scale.last], log=False) if scale.first <= one <= scale.last]
    steps = int(scale.last)
    return range(1, steps + 1, max(1, math.ceil(steps / 10)))


def _curve(steps: Sequence[float], values: Sequence[float | None], place: int, scale: _Scale) -> Iterator[str]:
    """A curve in pieces: where a value is missing there is a gap."""
    points = [
        (step, None if value is None else (scale.x(step), scale.y(value)))
        for step, value in zip(steps, values, strict=True)
    ]
    look = f"tg-curve-{place + 1}"
    for there, group in groupby(points, key=lambda point: point[1] is not None):
        piece = [at for _, at in group if at is not None]
        if there and len(piece) > 1:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in piece)
            yield f'<polyline class="tg-line {look}" points="{path}"/>'
        if there and (len(points) <= DOTS or len(piece) == 1):
            yield from (_dot(x, y, place, look) for x, y in piece)


def _dot(x: float, y: float, place: int, look: str) -> str:
    """A dot of the first curve, a box of the second, a diamond of the third: they differ without color."""
    match place:
        case 0:
            return f'<circle class="tg-dot {look}" cx="{x:.1f}" cy="{y:.1f}" r="3.6"/>'
        case 1:
            return f'<rect class="tg-dot {look}" x="{x - 3.6:.1f}" y="{y - 3.6:.1f}" width="7.2" height="7.2"/>'
        case _:
            corners = f"M{x:.1f} {y - 4.6:.1f}l4.6 4.6l-4.6 4.6l-4.6 -4.6z"
            return f'<path class="tg-dot {look}" d="{corners}"/>'


def _legend(names: Sequence[str]) -> Iterator[str]:
    """The names of the curves above them, each with its line and dot; one curve needs none."""
    if len(names) < 2:
        return
    letters = sum(map(len, names))
    wide = max(6.5, min(LETTER, (RIGHT - LEFT - 34 * len(names)) / letters))
    x = RIGHT - 34 * len(names) - wide * letters
    for place, name in enumerate(names):
        look = f"tg-curve-{place + 1}"
        yield f'<polyline class="tg-line {look}" points="{x:.1f},10 {x + 22:.1f},10"/>{_dot(x + 11, 10, place, look)}'
        yield f'<text class="tg-name {look}" x="{x + 27:.1f}" y="14">{escape(name)}</text>'
        x += 34 + wide * len(name)


def _marked(mark: Mark, scale: _Scale) -> Iterator[str]:
    """The point that is pointed out, on a line at its step."""
    step, value, said = mark
    x, y = scale.x(step), scale.y(value)
    right = x < LEFT + 0.75 * (RIGHT - LEFT)
    yield f'<line class="tg-at" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{BOTTOM}"/>'
    yield _dot(x, y, 1, "tg-curve-2")
    anchor, beside = ("start", x + 9) if right else ("end", x - 9)
    text = escape(f"{said}: {show(value)}")
    yield f'<text class="tg-name tg-curve-2" x="{beside:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}">{text}</text>'
