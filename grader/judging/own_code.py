"""A question about a learner's own code: what a right answer does with inputs that it was not asked about."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from grader.judging import diagnosis
from grader.judging.bodies import written
from grader.judging.inputs import draw, seen
from grader.judging.running_answers import LIMITS, Marker, start_run
from grader.model import (
    Inputs,
    Item,
    Proof,
)
from grader.render import charts


@dataclass(frozen=True, slots=True)
class OwnCode:
    """What a learner's own, right program does with other inputs, and the place that is asked about."""

    inputs: Inputs
    values: tuple[float, ...]
    place: int
    shows: str
    """What the values are, in a word."""
    counts: str
    """What their places count, in a word."""


def own_code(item: Item, proof: Proof, parts: Sequence[str], marker: Marker) -> OwnCode | None:
    """Run a right answer with new inputs, for a question about it; None where it shows no curve to ask about."""
    exercise = written(item)
    seed = f"{marker.seed}\0{item.id}\0own"
    inputs = draw(exercise, seed, 1) if exercise.hidden else [exercise.given[-1]]
    run = start_run(marker.submit, item, proof.variant, parts, inputs, LIMITS).result()
    values = seen(run.cases[0]) if run.cases else None
    if not diagnosis.curve(values):
        return None
    telling = [k for k in range(1, len(values)) if charts.direction(values[k - 1], values[k])]
    place = random.Random(seed).choice(telling or [len(values) - 1])  # noqa: S311  (to be reproduced)
    return OwnCode(
        (*proof.variant.values, *inputs[0]), tuple(map(float, values)), place, exercise.shows, exercise.counts
    )
