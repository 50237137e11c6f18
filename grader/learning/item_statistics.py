"""Item statistics for authors, from what a class answered: what is too easy, too hard, or keyed in doubt.

Only the first answer of each learner to each item counts. Facility is the mean of its points. Discrimination is the
correlation of an item's points with the mean of the same learner's points on all other items (the corrected point-
biserial, see Ebel and Frisbie, Essentials of Educational Measurement); it is above 0 where those who know more get
the item right more often.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from grader import kinds
from grader.learning.record_rows import places_of
from grader.model import LETTERS

ENOUGH_LEARNERS = 10
"""Fewer say nothing of an item, so it gets no flags."""

EASY, HARD, DOUBTFUL = 0.97, 0.1, -0.1
"""A facility from which on nobody misses it, or everybody does; a discrimination below which the key is in doubt."""


class Answered(Protocol):
    """An answer to an item, such as an attempt on record."""

    @property
    def item(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def learner(self) -> str: ...
    @property
    def points(self) -> float | None:
        """In [0, 1]; None where it was not judged."""

    @property
    def response(self) -> str | None: ...
    @property
    def choice(self) -> str | None:
        """The places of the options that were picked, as written, as a JSON list; None where that is not known."""

    @property
    def mistake(self) -> str | None: ...
    @property
    def seconds(self) -> float | None:
        """How long it took, where that is known."""


@dataclass(slots=True)
class ItemStats:
    """What is known of one item."""

    item: str
    learners: int
    facility: float
    right: float
    """The share of learners who have all points."""
    discrimination: float | None
    """None where all learners have the same points, here or elsewhere."""
    seconds: float | None
    """Median; None where it is not known."""
    responses: dict[str, int]
    """What was answered, most frequent first; at most ten. Options have the letters of the written order."""
    mistakes: dict[str, int]
    flags: list[str] = field(default_factory=list)


FULL = 1 - 1e-9
"""Points from which on an answer is right, whatever rounding did."""


@dataclass(slots=True)
class _First:
    points: float
    seconds: float | None
    response: str
    mistake: str | None


def compute(attempts: Iterable[Answered]) -> list[ItemStats]:
    """Statistics of every item, the hardest first. Skips count as missed; the order of attempts is that of time."""
    first: dict[str, dict[str, _First]] = {}
    for attempt in attempts:
        if kinds.traits(attempt.kind).is_card or attempt.points is None:
            continue
        of_item = first.setdefault(attempt.item, {})
        if attempt.learner not in of_item:
            of_item[attempt.learner] = _First(attempt.points, attempt.seconds, _answered(attempt), attempt.mistake)
    totals: dict[str, list[float]] = {}
    for answers in first.values():
        for learner, answer in answers.items():
            totals.setdefault(learner, []).append(answer.points)
    found = [_of_item(item, answers, totals) for item, answers in first.items()]
    return sorted(found, key=lambda entry: (entry.facility, entry.item))


def _answered(attempt: Answered) -> str:
    """What was answered, in a word: options by the letters that they have as written, however they were mixed."""
    if attempt.response is None:
        return "(skipped)"
    places = places_of(attempt.choice) if attempt.choice is not None else ()
    if places and max(places) < len(LETTERS):
        return ", ".join(LETTERS[place] for place in places)
    return " ".join(attempt.response.split())[:40]


def _of_item(item: str, answers: dict[str, _First], totals: dict[str, list[float]]) -> ItemStats:
    points, rest = [], []
    for learner, answer in answers.items():
        others = totals[learner]
        if len(others) > 1:
            points.append(answer.points)
            rest.append((sum(others) - answer.points) / (len(others) - 1))
    known = len(points) > 2 and len(set(points)) > 1 and len(set(rest)) > 1
    seconds = [answer.seconds for answer in answers.values() if answer.seconds is not None]
    stats = ItemStats(
        item=item,
        learners=len(answers),
        facility=statistics.fmean(answer.points for answer in answers.values()),
        right=statistics.fmean(answer.points >= FULL for answer in answers.values()),
        discrimination=statistics.correlation(points, rest) if known else None,
        seconds=statistics.median(seconds) if seconds else None,
        responses=dict(Counter(answer.response for answer in answers.values()).most_common(10)),
        mistakes=dict(Counter(answer.mistake for answer in answers.values() if answer.mistake).most_common()),
    )
    if stats.learners >= ENOUGH_LEARNERS:
        if stats.facility >= EASY:
            stats.flags.append("nobody misses it")
        if stats.facility <= HARD:
            stats.flags.append("everybody misses it")
        if stats.discrimination is not None and stats.discrimination < DOUBTFUL:
            stats.flags.append("the best miss it: look at its key")
    return stats
