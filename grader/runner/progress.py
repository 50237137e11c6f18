"""Whether a program goes on: what it has used and waited for, looked at a few times a second. Pure.

A busy machine and a program that waits look alike on a clock. They differ in what the kernel counts: a program that is
kept from running waits *for a core*, and the kernel adds that up (`schedstat`); one in a sleep or at a lock waits for
nothing of ours, and neither its CPU time nor that figure grows.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass, field

from grader.model import Limits

LOOK_SECONDS = 0.25
"""How often a running program is looked at."""

NAP_SECONDS = 0.5
"""A program that has waited for so long gives its place on a core to another one."""

MOST_CPU = 0.05
"""Share of the time that a waiting program may use a core: one that wakes up 100 times a second uses about 0.01."""

MOST_RUNNABLE = 0.75
"""Share of the time in which it may run or wait for a core; on a busy machine each waking up waits a little."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the kernel says of a process at a moment: all in seconds, of all its threads together."""

    moment: float
    cpu: float
    waited: float | None
    """Time in which it could have run and had no core; None where the kernel does not count that."""


@dataclass(slots=True)
class Activity:
    """The looks at one program since it began."""

    looks: deque[Look] = field(default_factory=deque)
    first: Look | None = None

    def add(self, look: Look, keep_seconds: float) -> None:
        """Take in another look, and let go of those that are older than need be."""
        self.first = self.first or look
        self.looks.append(look)
        while len(self.looks) > 1 and look.moment - self.looks[1].moment >= keep_seconds:
            self.looks.popleft()

    def naps(self) -> bool:
        """Whether it has done nothing but wait for `NAP_SECONDS`."""
        return self._waited_for(NAP_SECONDS)

    def is_stuck(self, limits: Limits) -> bool:
        """Whether it has done nothing but wait for as long as it may."""
        return self._waited_for(limits.waiting_seconds)

    def _waited_for(self, seconds: float) -> bool:
        if not self.looks:
            return False
        last = self.looks[-1]
        since = next((look for look in reversed(self.looks) if last.moment - look.moment >= seconds), None)
        return since is not None and waits(since, last)

    def starved(self) -> bool:
        """Whether it waited for a core for at least half of the time since it began."""
        if self.first is None or not self.looks:
            return False
        first, last = self.first, self.looks[-1]
        if first.waited is None or last.waited is None:
            return busy_machine()
        return last.waited - first.waited >= (last.moment - first.moment) / 2


def waits(one: Look, other: Look) -> bool:
    """Whether a process did next to nothing between two looks, and was not kept from it either."""
    span, cpu = other.moment - one.moment, max(0.0, other.cpu - one.cpu)
    if cpu > MOST_CPU * span:
        return False
    if one.waited is None or other.waited is None:
        return not busy_machine()
    return cpu + max(0.0, other.waited - one.waited) < MOST_RUNNABLE * span


def busy_machine() -> bool:
    """Whether more processes want to run than there are cores: the last resort where the kernel counts no waiting."""
    return os.getloadavg()[0] > (os.cpu_count() or 1)
