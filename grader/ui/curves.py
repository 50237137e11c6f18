"""Curves in characters: a table of a run's rates, and a chart drawn with plotext, from the numbers of `charts`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from grader.charts import direction
from grader.model import Chart, Observation
from grader.template import show

MOST_ROWS = 14
MARKERS, PLAIN_MARKERS = ("hd", "•"), ("*", "o")
"""Of a line, and of the dots over it: they must be told apart without color."""


def rows(run: Observation) -> list[tuple[str, str, str]]:
    """The rates of a run, a row a step: step, rate used, rate after `scheduler.step()`. A long run loses its middle.

    Where the two are not stepped equally often, no row can hold both, and only the rates used are shown.
    """
    used, after = run.lr_used, run.lr_after_step
    if used and abs(len(used) - len(after)) > 1:
        after = ()
    shown, result = _telling(used or after, max(len(used), len(after))), []
    for before, place in zip([-1, *shown], shown, strict=False):
        if place > before + 1:
            result.append(("...", "...", "..."))
        result.append((str(place + 1), _at(used, place), _at(after, place)))
    return result


def _telling(values: Sequence[float], count: int) -> list[int]:
    """The places worth a row: all of a short curve, of a longer one those where it changes, at most `MOST_ROWS`."""
    if count <= MOST_ROWS:
        return list(range(count))
    changes = [place for place in range(1, len(values)) if direction(values[place - 1], values[place])]
    places = sorted({0, count - 1, *changes, *(place - 1 for place in changes)})
    return places if len(places) <= MOST_ROWS else [*range(MOST_ROWS - 4), *range(count - 3, count)]


def _at(values: Sequence[float], place: int) -> str:
    return show(values[place]) if place < len(values) else "-"


def plot(chart: Chart, width: int, ascii_only: bool = False) -> str:
    """The chart as lines of text at most `width` wide; empty where there is too little to see."""
    finite = [value for curve in chart.curves for value in curve.values if math.isfinite(value)]
    count = max(len(curve.values) for curve in chart.curves)
    if count < 3 or max(finite, default=0.0) == min(finite, default=0.0):
        return ""
    import plotext

    low, high = min(finite), max(finite)
    figure = plotext.figure
    figure.clear()
    figure.plot_size(min(width, 60), 8 if len(chart.curves) == 1 else 11)
    line, dot = PLAIN_MARKERS if ascii_only else MARKERS
    for place, curve in reversed(list(enumerate(chart.curves))):  # the first is drawn last, over the others
        drawn_as_line = place == len(chart.curves) - 1
        points = [(step, value) for step, value in enumerate(curve.values, 1) if math.isfinite(value)]
        steps, values = [step for step, _ in points], [value for _, value in points]
        signal = figure.signal(steps, values, marker=line if drawn_as_line else dot)
        if drawn_as_line:
            signal.lines()
        figure.draw(signal)
    figure.axes(False, axis=[0, 1], side=[1])
    heights = [low, (low + high) / 2, high]
    figure.ruler("y").ticks(heights, [show(float(f"{height:.3g}")) for height in heights])
    marks = sorted({1, (count + 1) // 2, count})
    figure.ruler("x").ticks(marks, [str(mark) for mark in marks])
    drawn = str(plotext.uncolorize(str(figure.build())))
    if ascii_only:
        drawn = drawn.translate(str.maketrans("┤│└┬─┴┼", "|||+-++"))
    lines = [line.rstrip() for line in drawn.splitlines() if line.strip()]
    if len(chart.curves) > 1:
        lines.append(f"{dot} {chart.curves[0].name}   {'*' if ascii_only else '▀'} {chart.curves[1].name}")
    return "\n".join(lines)
