"""In which order options are shown. Only a sitting mixes them, or an assignment; the seed of that is on record with it.

The order is made by the seed, the item and its variant alone: whoever takes a sitting up again sees what was seen
before. Answers are kept as places in the written order, so that no record depends on how a question was shown.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Collection

from grader.errors import InputError

LARGEST = (1 << 63) - 1
"""Of a seed: records keep it in eight bytes."""


def seed_of(mix: object, seed: int | None, *, mixes: bool, in_order: bool) -> int | None:
    """The seed that a new sitting mixes options by; None where they stand as written.

    `mix` is what was asked for by name, `seed` what the sitting is drawn by; `mixes` says whether such sittings mix
    unless they are told `in_order`. Raises InputError for what cannot be.
    """
    if mix is not None and in_order:
        raise InputError("options cannot be mixed and stand in order", "give one of the two")
    if mix is not None and (type(mix) is not int or not 0 <= mix <= LARGEST):
        raise InputError(f"options are mixed by a whole number, and {mix!r} is none from 0 to 2**63 - 1")
    if isinstance(mix, int):
        return mix
    if in_order or not mixes:
        return None
    return secrets.randbits(31) if seed is None else seed


def order(
    count: int, seed: int | str | None, item: str, variant: int | None, last: Collection[int] = ()
) -> tuple[int, ...]:
    """The places of `count` options, as written, in the order in which they are shown; those of `last` at the end.

    Without a seed it is the written order; version 0001 mixed by the item alone (`variant` is None).

    >>> order(4, None, "an-item", 0), sorted(order(4, 7, "an-item", 0)), order(4, 7, "an-item", 0, last=[1])[-1]
    ((0, 1, 2, 3), [0, 1, 2, 3], 1)
    """
    places = list(range(count))
    if seed is None:
        return tuple(places)
    by = f"{seed}\0{item}" if variant is None else f"{seed}\0{item}\0{variant}"
    random.Random(by).shuffle(places)  # noqa: S311  (reproducible, no secret)
    return (*(place for place in places if place not in last), *(place for place in range(count) if place in last))
