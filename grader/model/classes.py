"""A class on the page: who is in it, what they were given to do, and answers that were judged once more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Classroom:
    """A class on record. Every server of its database reads the same key, so links and cookies hold for all of them."""

    name: str
    key: str
    """What links, cookies and the owner's token are signed with."""
    code: str
    """Whoever has it may join."""
    made: datetime
    """With a time zone."""


@dataclass(frozen=True, slots=True)
class Member:
    """A learner of a class: an id by chance, under which all answers are on record, and a name for the owner."""

    learner: str
    classroom: str
    name: str
    joined: datetime
    """With a time zone."""
    clock: float = 1.0
    """How many times the usual limit this learner has against a clock, at least 1."""


@dataclass(frozen=True, slots=True)
class Task:
    """Questions that a class was given: items by their ids, or a topic in a mode."""

    id: str
    classroom: str
    title: str
    mode: str
    topic: str
    """Of which the questions are drawn; empty where `items` names them."""
    items: tuple[str, ...]
    made: datetime
    """With a time zone."""
    due: datetime | None = None
    """With a time zone; None is never."""


@dataclass(frozen=True, slots=True)
class Extension:
    """Another due date of a task for one learner."""

    task: str
    learner: str
    due: datetime
    """With a time zone."""


@dataclass(frozen=True, slots=True)
class Regrade:
    """What an answer on record is worth since its item was corrected; the answer itself stays as it is."""

    attempt: str
    at: datetime
    """With a time zone."""
    digest: str
    """Of the corrected item, as in an attempt."""
    outcome: str
    points: float | None
    mistake: str | None
