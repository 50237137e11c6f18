"""Looking into items, for tests."""

from __future__ import annotations

from grader.judging.bodies import Written
from grader.model import Item


def exercise(item: Item) -> Written | None:
    """What is run of an item's answers; None where they are not run."""
    return item.body if isinstance(item.body, Written) else None
