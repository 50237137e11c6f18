"""Charts as data, in words and as Vega-Lite specs: one source for terminal, page, notebook and report.

A chart holds numbers that were observed (`model.Chart`). The words are made from the same numbers as the drawing, so
that whoever cannot see the curves is told what they show. Nothing is drawn here.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grader.model import Chart, Curve, Observation
from grader.template import plural, show

VEGA_LITE = "https://vega.github.io/schema/vega-lite/v5.json"
STYLES = ([1, 0], [6, 3], [2, 2])
"""Dashes tell curves apart where colors do not."""


def rate_chart(run: Observation, counts: str = "step") -> Chart | None:
    """The rate of each step of a run; None where it used none."""
    values, name = (run.lr_used, "rate used") if run.lr_used else (run.lr_after_step, "rate after each step")
    return Chart(f"The {name}", counts, "rate", (Curve(name, values),)) if values else None


def loss_chart(run: Observation, counts: str = "step") -> Chart | None:
    """The losses that a program logged in a list `losses`; None where there are none."""
    return Chart("The loss", counts, "loss", (Curve("loss", run.losses),)) if run.losses else None


def comparison(yours: Sequence[float], right: Sequence[float], shows: str, counts: str) -> Chart:
    """A learner's curve beside the one that it should be."""
    title = f"Your {shows}, and what it should be"
    return Chart(title, counts, shows, (Curve("yours", tuple(yours)), Curve("should be", tuple(right))))


def spec(chart: Chart) -> dict[str, Any]:
    """The chart as a Vega-Lite 5 spec with its data in it, and its description for screen readers.

    What cannot be drawn is a gap: infinities and NaN, and on a logarithmic axis what is not above 0.
    """
    lowest = 0.0 if chart.log else -math.inf
    rows = [
        {"step": step, "value": value if lowest < value < math.inf else None, "curve": curve.name}
        for curve in chart.curves
        for step, value in zip(curve.places, curve.values, strict=True)
    ]
    names = [curve.name for curve in chart.curves]
    encoding: dict[str, Any] = {
        "x": {
            "field": "step",
            "type": "quantitative",
            "title": chart.x,
            "axis": _counting(len(curve.values) for curve in chart.curves),
        },
        "y": {"field": "value", "type": "quantitative", "title": chart.y},
    }
    if any(curve.at for curve in chart.curves):
        encoding["x"] |= {"axis": {}, "scale": {"zero": False}}
    if chart.log:
        encoding["y"] |= {"scale": {"type": "log"}, "axis": {"tickCount": 3}}  # a line a power, where there are many
    if len(names) > 1:
        encoding["color"] = {"field": "curve", "type": "nominal", "title": None, "scale": {"domain": names}}
        encoding["strokeDash"] = {
            "field": "curve", "type": "nominal", "title": None,
            "scale": {"domain": names, "range": STYLES[: len(names)]},
        }  # fmt: skip
    return {
        "$schema": VEGA_LITE,
        "title": chart.title,
        "description": describe(chart),
        "width": 420,
        "height": 220,
        "data": {"values": rows},
        "mark": {"type": "line", "point": len(names) == 1},  # points hide the dashes of a legend
        "encoding": encoding,
    }


def sheet_spec(title: str, x: str, curves: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Many curves as small drawings side by side, each with a scale of its own, as a Vega-Lite 5 spec."""
    rows = [
        {"step": step, "value": value, "curve": name}
        for name, values in curves.items()
        for step, value in enumerate(values, 1)
    ]
    return {
        "$schema": VEGA_LITE,
        "title": title,
        "description": " ".join(f"{name}: {describe_curve(values, counts=x)}" for name, values in curves.items()),
        "data": {"values": rows},
        "facet": {"field": "curve", "type": "nominal", "title": None, "sort": list(curves)},
        "columns": 3,
        "spec": {
            "width": 150,
            "height": 80,
            "mark": "line",
            "encoding": {
                "x": {
                    "field": "step",
                    "type": "quantitative",
                    "title": x,
                    "axis": _counting(map(len, curves.values())),
                },
                "y": {"field": "value", "type": "quantitative", "title": None, "axis": {"tickCount": 3}},
            },
        },
        "resolve": {"scale": {"y": "independent"}},
    }


def _counting(lengths: Iterable[int]) -> dict[str, Any]:
    """The axis of the steps, each once: of two or three Vega marks halves too, whatever `tickMinStep` says."""
    steps = max(lengths, default=0)
    axis: dict[str, Any] = {"tickMinStep": 1, "format": "d"}
    return axis | ({"values": list(range(1, steps + 1))} if steps in (2, 3) else {})


def describe(chart: Chart) -> str:
    """A chart in words: each curve, and where two of them part."""
    if len(chart.curves) == 1:
        return describe_curve(chart.curves[0].values, chart.curves[0].name, chart.x, chart.curves[0].at)
    said = [describe_curve(curve.values, chart.y, chart.x, curve.at) for curve in chart.curves]
    names = [f"{curve.name[0].upper()}{curve.name[1:]}" for curve in chart.curves]
    return " ".join(f"{name}: {text[0].lower()}{text[1:]}" for name, text in zip(names, said, strict=True))


def describe_curve(values: Sequence[float], name: str = "rate", counts: str = "step", at: Sequence[float] = ()) -> str:
    """A curve in words, over places or steps counted from 1; infinities and NaN are no part of its ups and downs.

    >>> describe_curve([0.02, 0.04, 0.04])
    'The rate rises from 0.02 (step 1) to 0.04 (step 2), then stays at 0.04 until step 3.'
    """
    if not values:
        return f"There is no {name} to show."
    if not all(map(math.isfinite, values)):
        return _describe_broken(values, name, counts, at)
    places = [show(place) for place in at or range(1, len(values) + 1)]
    if len(values) == 1:
        return f"The {name} is {show(values[0])} in its one {counts}."
    parts, start = [], 0
    directions = [direction(a, b) for a, b in itertools.pairwise(values)]
    for way, steps in itertools.groupby(directions):
        end = start + len(list(steps))
        verb = {1: "rises", -1: "falls", 0: "stays"}[way]
        if way == 0:
            parts.append(f"stays at {show(values[end])} until {counts} {places[end]}")
        elif parts:
            parts.append(f"{verb} to {show(values[end])} ({counts} {places[end]})")
        else:
            parts.append(
                f"{verb} from {show(values[0])} ({counts} {places[0]}) to {show(values[end])} ({counts} {places[end]})"
            )
        start = end
    if len(parts) > 5:
        ups, downs = directions.count(1), directions.count(-1)
        if not ups or not downs:
            verb, moves = ("falls", f"{downs} drops") if downs else ("rises", f"{ups} rises")
            last = f"{show(values[-1])} ({counts} {places[-1]})"
            return f"The {name} {verb} from {show(values[0])} ({counts} {places[0]}) to {last}, in {moves}."
        low, high = show(min(values)), show(max(values))
        moves = f"{ups} up and {downs} down"
        many = f"{len(values)} {'places' if at else plural(counts)}"
        ends = f"and ends at {show(values[-1])}"
        return f"The {name} moves between {low} and {high} over {many}, {moves}, {ends}."
    return f"The {name} {', then '.join(parts)}."


def _describe_broken(values: Sequence[float], name: str, counts: str, at: Sequence[float] = ()) -> str:
    """A curve with infinities or NaN in it: what comes before them, and where they are.

    >>> describe_curve([2.0, 3.0, math.inf, math.nan], "loss", "epoch")
    'The loss rises from 2 (epoch 1) to 3 (epoch 2). From epoch 3 on it is not a finite number (inf, nan).'
    """
    finite = [math.isfinite(value) for value in values]
    first = finite.index(False)
    places = [show(place) for place in at or range(1, len(values) + 1)]
    kinds = ", ".join(dict.fromkeys(show(value) for value in values if not math.isfinite(value)))
    if first == 1:
        before = f"The {name} is {show(values[0])} in {counts} {places[0]}. "
    else:
        before = f"{describe_curve(values[:first], name, counts, at[:first])} " if first else ""
    it = "it" if first else f"the {name}"
    if not any(finite[first:]):
        said = f"from {counts} {places[first]} on {it} is not a finite number ({kinds})."
    else:
        many = f"{finite.count(False)} of {len(values)} {'places' if at else plural(counts)}"
        said = f"in {many} {it} is not a finite number ({kinds}), first in {counts} {places[first]}."
        said += f" It ends at {show(values[-1])}." if finite[-1] else ""
    return f"{before}{said[0].upper()}{said[1:]}"


def direction(one: float, other: float) -> int:
    """1 where the second number is larger, -1 where it is smaller, 0 where they are the same (relative 1e-9)."""
    if math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-15):
        return 0
    return 1 if other > one else -1
