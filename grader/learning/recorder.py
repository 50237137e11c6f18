"""The answers of one sitting, put on record one by one, each before it is told whether it was right."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from grader.learning import placement, spaced_repetition
from grader.learning.digests import BankDigests
from grader.learning.sitting_log import Log, new_id
from grader.model import Attempt, Bank, Event, Outcome, Result, Sitting

ON_RECORD = (Outcome.CORRECT, Outcome.PARTLY, Outcome.INCORRECT, Outcome.SKIPPED)
"""What could not be read or run was no attempt."""


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Recorder:
    """Writes the attempts of one sitting. The sitting itself is written with the first, or by `begin`."""

    store: Log
    sitting: Sitting
    bank: Bank
    torch: str
    clock: Callable[[], datetime] = now
    digests: BankDigests | None = None
    """Those of the bank, where other sittings have made some of them."""
    _begun: bool = field(default=False)

    def begun(self) -> None:
        """Say that the sitting is on record already."""
        self._begun = True

    def begin(self) -> None:
        """Write the sitting down; a second time does nothing."""
        if not self._begun:
            self.store.begin(self.sitting)
            self._begun = True

    def __call__(
        self,
        result: Result,
        place: int,
        tries: int,
        seconds: float,
        token: str | None = None,
        ends: Callable[[Attempt], Event | None] = lambda _: None,
    ) -> Attempt | None:
        """Put an answer on record; None where that place was answered by another process in the meantime.

        `ends` says what is put on record with it, where the sitting ends with this answer. Raises ValueError for an
        outcome that is not put on record.
        """
        if result.score.outcome not in ON_RECORD:
            raise ValueError(f"{result.score.outcome.value} is not put on record")
        self.begin()
        keeps = self.store.keeps  # waits for records that are being opened
        attempt = self._attempt(result, place, tries, seconds)
        if token is not None:
            attempt = dataclasses.replace(attempt, token=token)
        rating = spaced_repetition.rating(result, tries)

        def make(card: str | None) -> Attempt:
            if not keeps or self.sitting.mode == placement.MODE:  # it measures, and nothing is due by it
                return attempt
            early = card is not None and attempt.at < spaced_repetition.due(card)
            return dataclasses.replace(attempt, early=early, card=spaced_repetition.after(card, rating, attempt.at))

        return self.store.add(make, self.sitting.learner, attempt.unit, ends(attempt))

    def _attempt(self, result: Result, place: int, tries: int, seconds: float) -> Attempt:
        """All that is known of an attempt before its unit's card is looked up."""
        item = result.item
        self.digests = self.digests or BankDigests(self.bank)
        return Attempt(
            id=new_id(),
            learner=self.sitting.learner,
            sitting=self.sitting.id,
            place=place,
            tries=tries,
            mode=self.sitting.mode,
            at=self.clock(),
            topic=item.topic,
            item=item.id,
            kind=item.kind,
            level=item.level,
            skill=item.skill,
            digest=self.digests.item(item),
            variant=result.variant.index,
            params=json.dumps(dict(result.variant.values)),
            response=result.response,
            outcome=result.score.outcome.value,
            points=result.score.points,
            mistake=result.score.mistake,
            hints=result.hints_used,
            seconds=round(seconds, 3),
            unit=spaced_repetition.unit(item),
            early=False,
            card=None,
            torch=self.torch,
            bank=self.digests.topic(item.topic) if self.store.keeps else "",
            choice=None if result.choice is None else json.dumps(result.choice),
        )
