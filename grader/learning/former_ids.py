"""What is on record of items, also under the ids that they had before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grader.learning.records import Records
from grader.model import Item, by_name


def seen(store: Records, learner: str, items: Iterable[Item]) -> dict[str, set[int]]:
    """The variants of each item that were asked before, by its id of today."""
    names = by_name(items)
    found: dict[str, set[int]] = {}
    for name, variants in store.seen(learner, list(names)).items():
        found.setdefault(names[name].id, set()).update(variants)
    return found


def standing(
    store: Records, learner: str, items: Iterable[Item], units: Sequence[str]
) -> tuple[set[str], dict[str, str]]:
    """Which of the items were answered, by their ids of today, and the state of each unit's card that was."""
    names = by_name(items)
    answered, cards = store.standing(learner, list(names), units)
    return {names[name].id for name in answered}, cards
