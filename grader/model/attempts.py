"""What is on record: sittings, the graded answers given in them, and what else happened in them."""

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
    """The item and the variant of each question, in order; one that is asked again is appended. Version 0001 left it
    empty except for tests."""
    shuffle: int | None = None
    """Seed for the order of options, see `learning.mixing`; None keeps the written one."""
    seed: int | None = None
    """What the questions and their numbers were drawn by."""
    version: str | None = None
    """Of the program that began it."""
    ended: datetime | None = None
    """When its last question was answered; with a time zone."""
    face: str | None = None
    """Where it began: `terminal`, `pipe`, `jupyter`."""


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
    choice: str | None = None
    """The places of the options that were picked, as written, as a JSON list."""
    token: str | None = None
    """Of the request that brought it: the same request again brings nothing new."""


EVENTS = ("asked", "hint", "solution", "draft", "turned", "again", "added", "followed", "clock", "finished")
"""What can happen in a sitting besides an answer. A question that is skipped is an attempt with that outcome."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a sitting, never changed afterwards."""

    sitting: str
    seq: int
    """Its number in its sitting, from 0."""
    place: int | None
    """Of the question; None where it is about the sitting."""
    at: datetime
    """With a time zone."""
    kind: str
    """One of `EVENTS`."""
    data: str = "{}"
    """A JSON object: `asked` has the seed of hidden inputs, `draft` and `followed` a text, `again` and
    `added` the new place, `clock` how many times the usual limit there is."""


@dataclass(frozen=True, slots=True)
class QuestionReport:
    """What somebody says is wrong with a question."""

    learner: str
    at: datetime
    """With a time zone."""
    item: str
    variant: int
    digest: str
    """Of the item as it was shown, as in an attempt."""
    response: str | None
    """What was answered, where anything was."""
    text: str


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
