"""Curves for people: a description in words, a table, and a plot in characters, all from the same numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from grader.model import Observation
from grader.template import show

MOST_ROWS = 14


def describe(values: Sequence[float], name: str = "rate") -> str:
    """A curve in words, with steps counted from 1.

    >>> describe([0.02, 0.04, 0.04])
    'The rate rises from 0.02 (step 1) to 0.04 (step 2), then stays at 0.04 until step 3.'
    """
    if not values:
        return f"There is no {name} to show."
    if len(values) == 1:
        return f"The {name} is {show(values[0])} in its one step."
    parts, start = [], 0
    directions = [_direction(a, b) for a, b in itertools.pairwise(values)]
    for direction, steps in itertools.groupby(directions):
        end = start + len(list(steps))
        verb = {1: "rises", -1: "falls", 0: "stays"}[direction]
        if direction == 0:
            parts.append(f"stays at {show(values[end])} until step {end + 1}")
        elif parts:
            parts.append(f"{verb} to {show(values[end])} (step {end + 1})")
        else:
            parts.append(f"{verb} from {show(values[0])} (step 1) to {show(values[end])} (step {end + 1})")
        start = end
    if len(parts) > 5:
        ups, downs = directions.count(1), directions.count(-1)
        if not ups or not downs:
            verb, moves = ("falls", f"{downs} drops") if downs else ("rises", f"{ups} rises")
            last = f"{show(values[-1])} (step {len(values)})"
            return f"The {name} {verb} from {show(values[0])} (step 1) to {last}, in {moves}."
        low, high = show(min(values)), show(max(values))
        moves = f"{ups} up and {downs} down"
        return f"The {name} moves between {low} and {high} over {len(values)} steps, {moves}."
    return f"The {name} {', then '.join(parts)}."


def _direction(one: float, other: float) -> int:
    if math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-15):
        return 0
    return 1 if other > one else -1


def rows(run: Observation) -> list[tuple[str, str, str]]:
    """The rates of a run, a row a step: step, rate used, rate after `scheduler.step()`. A long run loses its middle."""
    used, after = run.lr_used, run.lr_after_step
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
    changes = [place for place in range(1, len(values)) if _direction(values[place - 1], values[place])]
    places = sorted({0, count - 1, *changes, *(place - 1 for place in changes)})
    return places if len(places) <= MOST_ROWS else [*range(MOST_ROWS - 4), *range(count - 3, count)]


def _at(values: Sequence[float], place: int) -> str:
    return show(values[place]) if place < len(values) else "-"


def plot(values: Sequence[float], width: int, ascii_only: bool = False) -> str:
    """The curve as lines of text at most `width` wide; empty where there is too little to see."""
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < 3 or max(finite) == min(finite):
        return ""
    import plotext

    low, high, count = min(finite), max(finite), len(finite)
    figure = plotext.figure
    figure.clear()
    figure.plot_size(min(width, 60), 8)
    signal = figure.signal(list(range(1, count + 1)), finite, marker="*" if ascii_only else "hd")
    signal.lines()
    figure.draw(signal)
    figure.axes(False, axis=[0, 1], side=[1])
    heights = [low, (low + high) / 2, high]
    figure.ruler("y").ticks(heights, [show(float(f"{height:.3g}")) for height in heights])
    steps = sorted({1, (count + 1) // 2, count})
    figure.ruler("x").ticks(steps, [str(step) for step in steps])
    drawn = str(plotext.uncolorize(str(figure.build())))
    if ascii_only:
        drawn = drawn.translate(str.maketrans("┤│└┬─┴┼", "|||+-++"))
    return "\n".join(line.rstrip() for line in drawn.splitlines() if line.strip())
