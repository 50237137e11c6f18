"""The rules of the modes `try` and `challenge`: attempts left, time limits."""

from __future__ import annotations

from dataclasses import replace

from grader.model import Item, Outcome, Result

TRIES = 3
"""Of a task in the mode `try`."""

LIMITS = {"easy": 60, "medium": 120, "hard": 180}
"""Seconds for a problem of the mode `challenge`; code takes twice as long."""

JUDGED = (Outcome.CORRECT, Outcome.PARTLY, Outcome.INCORRECT)


def limit(item: Item) -> int:
    """Seconds for a problem of a challenge."""
    return LIMITS[item.level] * (2 if item.exercise else 1)


def in_time(result: Result, seconds: float) -> Result:
    """A result of a challenge, or a miss where it came after the time was up."""
    most = limit(result.item)
    if seconds <= most or result.score.outcome not in JUDGED:
        return result
    said = f"The time of {most} s was up after {seconds:.0f} s; the answer does not count."
    return replace(result, score=replace(result.score, outcome=Outcome.INCORRECT, points=0.0, feedback=said))


def may_try_again(result: Result, tries: int, most: int | None) -> bool:
    """Whether a question is left for another try after so many: a table or a program that is not right."""
    wrong = result.score.outcome in (Outcome.INCORRECT, Outcome.PARTLY)
    return wrong and result.item.kind not in ("choice", "multi", "number", "card") and tries != most
