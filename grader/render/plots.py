"""Curves in characters: a table of a run's rates, and a chart drawn with plotext, from the numbers of `charts`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle, islice

from grader.model import Chart, Observation
from grader.render.charts import direction
from grader.template import show

MOST_ROWS = 14
MARKERS, PLAIN_MARKERS = ("hd", "•", "+", "#", "o", "x"), ("*", "o", "x", "+", "#", "@")
"""Of the last curve, a line, and of the dots over it, a curve each: they must be told apart without color.

Where there are more curves, the dots begin again; the words above say each curve.
"""


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
    height = math.log10 if chart.log else float
    drawable = [
        [
            (step, height(value))
            for step, value in zip(curve.places, curve.values, strict=True)
            if _has_height(value, chart.log)
        ]
        for curve in chart.curves
    ]
    heights = [value for points in drawable for _, value in points]
    count = max(len(curve.values) for curve in chart.curves)
    low, high = min(heights, default=0.0), max(heights, default=0.0)
    if count < 3 or low == high:
        return ""
    import plotext

    figure = plotext.figure
    figure.clear()
    figure.plot_size(min(width, 60), 8 if len(chart.curves) == 1 else 11)
    line, *others = PLAIN_MARKERS if ascii_only else MARKERS
    dots = list(islice(cycle(others), len(chart.curves) - 1))
    for place, points in reversed(list(enumerate(drawable))):  # the first is drawn last, over the others
        drawn_as_line = place == len(chart.curves) - 1
        steps, values = [step for step, _ in points], [value for _, value in points]
        signal = figure.signal(steps, values, marker=line if drawn_as_line else dots[place])
        if drawn_as_line:
            signal.lines()
        figure.draw(signal)
    figure.axes(False, axis=[0, 1], side=[1])
    ticks = [low, (low + high) / 2, high]
    figure.ruler("y").ticks(ticks, [show(float(f"{10**tick if chart.log else tick:.3g}")) for tick in ticks])
    ends = [place for curve in chart.curves for place in (curve.places[0], curve.places[-1])]
    first, last = min(ends), max(ends)
    counted = not any(curve.at for curve in chart.curves)
    marks = sorted({first, (first + last) // 2 if counted else (first + last) / 2, last})
    figure.ruler("x").ticks(marks, [show(float(f"{mark:.3g}")) if not counted else str(mark) for mark in marks])
    drawn = str(plotext.uncolorize(str(figure.build())))
    if ascii_only:
        drawn = drawn.translate(str.maketrans("┤│└┬─┴┼", "|||+-++"))
    lines = [line.rstrip() for line in drawn.splitlines() if line.strip()]
    if len(chart.curves) > 1:
        shown = [*dots, "*" if ascii_only else "▀"]
        lines.append("   ".join(f"{mark} {curve.name}" for mark, curve in zip(shown, chart.curves, strict=True)))
    return "\n".join(lines)


def _has_height(value: float, log: bool) -> bool:
    return math.isfinite(value) and (value > 0 or not log)
