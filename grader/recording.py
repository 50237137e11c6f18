"""The answers of one sitting, put on record one by one, each before it is told whether it was right."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from grader import digests, records, reviewing
from grader.model import Attempt, Bank, Outcome, Result, Sitting
from grader.records import Records

ON_RECORD = (Outcome.CORRECT, Outcome.PARTLY, Outcome.INCORRECT, Outcome.SKIPPED)
"""What could not be read or run was no attempt."""


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Recorder:
    """Writes the attempts of one sitting. The sitting itself is written with the first, or by `begin`."""

    store: Records
    sitting: Sitting
    bank: Bank
    torch: str
    clock: Callable[[], datetime] = now
    _begun: bool = field(default=False)
    _banks: dict[str, str] = field(default_factory=dict)

    def begun(self) -> None:
        """Say that the sitting is on record already."""
        self._begun = True

    def begin(self) -> None:
        """Write the sitting down; a second time does nothing."""
        if not self._begun:
            self.store.begin(self.sitting)
            self._begun = True

    def __call__(self, result: Result, place: int, tries: int, seconds: float) -> bool:
        """Put an answer on record. False where that place was answered by another process in the meantime."""
        if result.score.outcome not in ON_RECORD:
            return True
        self.begin()
        item, at = result.item, self.clock()
        unit = reviewing.unit(item)

        def make(card: str | None) -> Attempt:
            return Attempt(
                id=records.new_id(),
                learner=self.sitting.learner,
                sitting=self.sitting.id,
                place=place,
                tries=tries,
                mode=self.sitting.mode,
                at=at,
                topic=item.topic,
                item=item.id,
                kind=item.kind,
                level=item.level,
                skill=item.skill,
                digest=digests.claims(item),
                variant=result.variant.index,
                params=json.dumps(dict(result.variant.values)),
                response=result.response,
                outcome=result.score.outcome.value,
                points=result.score.points,
                mistake=result.score.mistake,
                hints=result.hints_used,
                seconds=round(seconds, 3),
                unit=unit,
                early=card is not None and at < reviewing.due(card),
                card=reviewing.after(card, reviewing.rating(result, tries), at),
                torch=self.torch,
                bank=self._bank(item.topic),
            )

        return self.store.add(make, self.sitting.learner, unit) is not None

    def _bank(self, topic: str) -> str:
        if topic not in self._banks:
            items = tuple(item for item in self.bank.items if item.topic == topic)
            self._banks[topic] = digests.of_all(items)
        return self._banks[topic]
