"""Where an answer departs from what it should be, in words. Pure: it looks at two values and at nothing else."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TypeGuard

from grader.charts import direction
from grader.judging import brief, equal
from grader.model import Value
from grader.template import plural, show


def curve(value: Value) -> TypeGuard[list[float]]:
    """Whether a value is a list of at least two finite numbers, which can be drawn."""
    return isinstance(value, list) and len(value) > 1 and all(_number(entry) for entry in value)


def _number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def departure(yours: Value, right: Value, shows: str, counts: str, tolerance: float) -> str:
    """How `yours` differs from `right`: a pattern in the whole, or the first place, in one or two sentences.

    >>> departure([0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.2, 0.2], "rate", "epoch", 1e-6)
    'Right until epoch 2. In epoch 3 the rate is 0.3; it should be 0.2, and stay there.'
    """
    if not isinstance(yours, list) or not isinstance(right, list):
        return f"It gives {_shown(yours)}; it should be {_shown(right)}."
    first = next((k for k, (a, b) in enumerate(zip(yours, right, strict=False)) if not equal(a, b, tolerance)), None)
    if len(yours) != len(right):
        more = "" if first is None else f" They differ from {counts} {first + 1} on."
        return f"It gives {_many(len(yours), shows)}, and {len(right)} are needed.{more}"
    if first is None:
        return ""
    if curve(yours) and curve(right) and (pattern := _pattern(yours, right, shows, counts, tolerance)):
        return pattern
    start = f"Right until {counts} {first}. In" if first else "Already in"
    place = f"{counts} {first + 1} the {shows} is {_shown(yours[first])}; it should be {_shown(right[first])}"
    return f"{start} {place}{_then(yours[first:], right[first:])}."


def _shown(value: Value) -> str:
    return brief(show(value), 120)


def _many(count: int, shows: str) -> str:
    return f"no {shows} at all" if count == 0 else f"{count} {shows if count == 1 else plural(shows)}"


def _pattern(yours: list[float], right: list[float], shows: str, counts: str, tolerance: float) -> str:
    """What is the matter with all of it: early or late by one, or too large or small by one factor."""
    if len(set(right)) > 1 and len(right) > 2:
        before, after = direction(right[0], right[1]), direction(right[-2], right[-1])
        if equal(list(yours[:-1]), list(right[1:]), tolerance) and direction(right[-1], yours[-1]) == after:
            place = next(k for k in range(1, len(right)) if not equal(right[k], right[k - 1], tolerance))
            return f"Each {shows} comes one {counts} too early: {show(right[place])} belongs to {counts} {place + 1}."
        if equal(list(yours[1:]), list(right[:-1]), tolerance) and direction(yours[0], right[0]) == before != 0:
            return f"Each {shows} comes one {counts} too late: {show(right[0])} belongs to {counts} 1."
    ratio = next((a / b for a, b in zip(yours, right, strict=True) if b), 0.0)
    if ratio and equal([ratio * value for value in right], list(yours), max(tolerance, 1e-9)):
        return f"The shape is right, but each {shows} is {show(ratio)} times what it should be."
    return ""


def _then(yours: Sequence[Value], right: Sequence[Value]) -> str:
    """How the two go on from where they part, where that differs and can be said in a word."""
    if not curve(list(yours)) or not curve(list(right)):
        return ""
    mine, its = _way(list(yours)), _way(list(right))
    if mine == its or not its:
        return ""
    goes_on = {"rises": "go on rising", "falls": "go on falling", "stays": "stay there"}[its]
    return f", and {goes_on}" + (f"; yours {mine}" if mine in ("rises", "falls") and its != "stays" else "")


def _way(values: list[Value]) -> str:
    numbers = [value for value in values if isinstance(value, int | float)]
    ways = {direction(a, b) for a, b in itertools.pairwise(numbers)}
    return {1: "rises", -1: "falls", 0: "stays"}[ways.pop()] if len(ways) == 1 else ""
