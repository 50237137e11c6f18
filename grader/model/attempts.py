"""What is on record: sittings, and the graded answers given in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Sitting:
    """Questions asked in one go. What was planned is written down before the first is asked."""

    id: str
    learner: str
    topic: str
    mode: str
    started: datetime
    """With a time zone."""
    plan: tuple[tuple[str, int], ...] = ()
    """The item and the variant of each question, in order; empty where they are drawn as it goes on."""
    shuffle: int | None = None
    """Seed for the order of options."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer that was judged (or skipped), never changed afterwards."""

    id: str
    learner: str
    sitting: str
    place: int
    """Of the question in its sitting, from 0."""
    tries: int
    """How often the question had been answered before, in this sitting."""
    mode: str
    at: datetime
    topic: str
    item: str
    kind: str
    level: str
    skill: str
    digest: str
    """Of the item as it was asked: see `digests.claims`, and `digests.same` for those without its prefix."""
    variant: int
    params: str
    """The values drawn, as a JSON object."""
    response: str | None
    """As typed; None where the question was skipped."""
    outcome: str
    points: float | None
    mistake: str | None
    hints: int
    seconds: float
    """From the question to the answer."""
    unit: str
    """What of spaced repetition it counts for: `skill/<topic>/<skill>` or `card/<item>`."""
    early: bool
    """Given before its unit was due."""
    card: str | None
    """The state of the unit's card after it, as JSON of fsrs."""
    torch: str
    bank: str
    """Digest of the topic's items together: see `digests.of_all`."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a learner is with a topic."""

    answered: int
    """Items that were asked at least once."""
    recent: float | None
    """The mean of the points of the last answers, in [0, 1]."""
    due: int
    """Skills and cards that are due now."""
    badge: bool
    """The topic's last challenge was all right."""
