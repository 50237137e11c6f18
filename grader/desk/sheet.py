"""Questions that are asked together, and what has become of each so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from grader.model import Attempt, Result, Sitting
from grader.session import FollowUp, Question

Document = dict[str, Any]
"""Plain JSON data."""


@dataclass
class Asked:
    """One question of a sheet, and what became of it so far."""

    place: int
    question: Question
    sitting: Sitting
    tries: int = 0
    since: float | None = None
    """When it was first shown, on the monotonic clock."""
    hints: list[str] = field(default_factory=list)
    result: Result | None = None
    final: bool = False
    turned: bool = False
    """The back of the card has been shown."""
    earlier: Attempt | None = None
    """How it was answered in an earlier sitting."""
    follow_up: FollowUp | None = None
    followed: Result | None = None


@dataclass
class Sheet:
    """Questions that are asked together."""

    id: str
    title: str
    mode: str
    topic: str
    asked: list[Asked]

    @property
    def exam(self) -> bool:
        return self.mode == "test"

    @property
    def over(self) -> bool:
        return all(entry.final for entry in self.asked)
