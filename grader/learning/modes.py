"""The rules of the modes `try` and `challenge`: attempts left, time limits."""

from __future__ import annotations

from dataclasses import replace

from grader import kinds
from grader.model import Item, Outcome, Result

TRIES = 3
"""Of a task in the mode `try`."""

LIMITS = {"easy": 60, "medium": 120, "hard": 180}
"""Seconds for a problem of the mode `challenge`; code takes twice as long."""

JUDGED = (Outcome.CORRECT, Outcome.PARTLY, Outcome.INCORRECT)


def limit(item: Item, clock: float = 1.0) -> int:
    """Seconds for a problem of a challenge, for somebody who has `clock` times the usual limit."""
    return round(clock * LIMITS[item.level] * (2 if kinds.of(item).TRAITS.runs_code else 1))


def in_time(result: Result, seconds: float, clock: float = 1.0) -> Result:
    """A result of a challenge, or a miss where it came after the time was up."""
    most = limit(result.item, clock)
    if seconds <= most or result.score.outcome not in JUDGED:
        return result
    said = f"The time of {most} s was up after {seconds:.0f} s; the answer does not count."
    return replace(result, score=replace(result.score, outcome=Outcome.INCORRECT, points=0.0, feedback=said))


SAID_AT_END = {"test": "test", "place": "placement"}
"""Modes without hints, in which nothing is said of an answer before the end; and what such a sitting is called."""

ONE_TRY = (*SAID_AT_END, "challenge")
"""Modes in which a question is answered once."""

SAID_TWICE = ("practice", "try")
"""Modes in which the same wrong answer again does not count."""


def most_tries(mode: str) -> int | None:
    """How often a task may be tried; None is as often as one likes."""
    return 1 if mode in ONE_TRY else TRIES if mode == "try" else None


def is_final(mode: str, result: Result, tries: int) -> bool:
    """Whether a question takes no more answers after this one, the last of so many."""
    return mode in ONE_TRY or not may_try_again(result, tries, most_tries(mode))


def may_try_again(result: Result, tries: int, most: int | None) -> bool:
    """Whether a question is left for another try after so many: a table or a program that is not right."""
    wrong = result.score.outcome in (Outcome.INCORRECT, Outcome.PARTLY)
    return wrong and kinds.of(result.item).TRAITS.retries and tries != most
