"""A sitting as faces see it: data, made anew for each request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from grader.learning import modes, placement
from grader.learning.placement import Placement
from grader.learning.question import FollowUp, Question
from grader.learning.sitting_state import SittingState
from grader.model import Attempt, Result


@dataclass(frozen=True, slots=True)
class SittingQuestion:
    """One question of a sitting, and what became of it so far."""

    place: int
    question: Question
    tries: int = 0
    hints: tuple[str, ...] = ()
    result: Result | None = None
    """Of the last answer; of questions that were not asked for just now only what is on record."""
    final: bool = False
    """It takes no more answers."""
    turned: bool = False
    """The back of the card has been shown."""
    earlier: Attempt | None = None
    """How it was answered in an earlier sitting."""
    follow_up: FollowUp | None = None
    followed: Result | None = None
    seconds_left: float | None = None
    """Of its time limit; None where there is none."""
    tries_left: int | None = None
    """How often a task may still be tried; None where that is not counted."""
    draft: str = ""
    elsewhere: bool = False
    """The answer that was just given does not count, since another one was given before: in another tab, say."""
    state: SittingState | None = field(default=None, repr=False, compare=False)
    """Of the whole sitting, at the same moment."""
    repeated: bool = False
    """The answer that was just given is a wrong one that was given before, and does not count again."""


@dataclass(frozen=True, slots=True)
class OpenSitting:
    """Questions that are asked together."""

    id: str
    title: str
    mode: str
    topic: str
    asked: Sequence[SittingQuestion]
    placed: Placement | None = None
    """Where to begin, once a sitting that places is over."""

    @property
    def exam(self) -> bool:
        """No hints, and nothing is said before the end."""
        return self.mode in modes.SAID_AT_END

    @property
    def most(self) -> int | None:
        """How many questions there will be at most, where each is drawn by the answers before it; else None."""
        return placement.QUESTIONS if self.mode == placement.MODE else None

    @property
    def over(self) -> bool:
        return all(entry.final for entry in self.asked)
