"""The inputs that an answer is run with, and what is compared of its runs."""

from __future__ import annotations

import random
from collections.abc import Sequence

from grader.model import Draw, Exercise, Inputs, Item, Observation, Value, Variant, assignments

PROBES = 6
"""Cases beside those of a check, on which a mutant must not differ that passes the check."""


def exercise_of(item: Item) -> Exercise:
    """The exercise of an item whose kind has one."""
    assert item.exercise is not None
    return item.exercise


def draw(exercise: Exercise, seed: str, count: int) -> list[Inputs]:
    """Hidden inputs: the same seed draws the same."""
    chance = random.Random(seed)  # noqa: S311  (to be reproduced, not to be secret)
    return [tuple((one.name, _drawn(one, chance)) for one in exercise.hidden) for _ in range(count)]


def _drawn(one: Draw, chance: random.Random) -> Value:
    if one.values:
        return chance.choice(one.values)
    if isinstance(one.low, int) and isinstance(one.high, int):
        return chance.randint(one.low, one.high)
    return float(f"{chance.uniform(one.low, one.high):.3g}")


def probes(exercise: Exercise, seed: str) -> list[Inputs]:
    """More inputs: drawn ones, or the neighbors of those given where none are drawn."""
    if exercise.hidden:
        return draw(exercise, f"{seed}\0probes", PROBES)
    found: list[Inputs] = []
    for inputs in exercise.given:
        for place, (name, value) in enumerate(inputs):
            found += [(*inputs[:place], (name, near), *inputs[place + 1 :]) for near in _near(value)]
    return found[: 2 * PROBES]


def _near(value: Value) -> list[Value]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return []
    return [value + 1, value - 1, value * 3, value // 3] if isinstance(value, int) else [value * 1.5]


def preludes(variant: Variant, cases: Sequence[Inputs]) -> tuple[str, ...]:
    """The assignments that each case puts before the program; an empty line where there are none."""
    return tuple(variant.prelude + assignments(inputs) or "\n" for inputs in cases)


def seen(run: Observation) -> Value:
    """What is compared of a run: what was observed, or what was raised."""
    if run.error:
        return {"raised": str(run.error)}
    if not run.asked:
        return {"ended": run.status.value}
    asked = run.asked[0]
    return asked.value if asked.error is None else {"raised": asked.error}
