"""How long tests wait: for an event, and never so short that a busy machine decides.

A bound is there to end what hangs. It is many times what the event takes on a quiet machine, and grows with how slow this one is
at the moment. A test in which a bound, a pause or a clock occurs is marked `waits`; `make tests-under-load` runs those beside
four busy processes.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grader.runner.local import available_cores

EVENT = 120.0
"""Seconds for something that takes a few on a quiet machine: a kernel's start, a line in a terminal, a page in a browser."""

COMMAND = 600.0
"""Seconds for a command that takes up to a minute on a quiet machine."""

REFERENCE = 0.002
"""Seconds that the work of `slowness` takes on a quiet core of the machine on which these tests were written."""


def slowness() -> float:
    """How many times longer work takes now than on a quiet machine, at least 1; found out in some milliseconds.

    The larger of two: how long a little work takes by the clock, and how many processes want a core (those that run now, and those
    of the last minute).
    """
    started = time.perf_counter()
    sum(number * number for number in range(30_000))
    taken = time.perf_counter() - started
    return max(1.0, taken / REFERENCE, _wanting() / available_cores())


def seconds(quiet: float = EVENT) -> int:
    """A bound for something that would hang if it took `quiet` seconds on a quiet machine. Whole, as nbclient wants it."""
    return math.ceil(quiet * slowness())


def milliseconds(quiet: float = EVENT) -> int:
    """The same in the browser's unit."""
    return 1000 * seconds(quiet)


def until(holds: Callable[[], object], what: str | Callable[[], object] = "", quiet: float = EVENT) -> Any:
    """Wait until something holds, and return it; AssertionError, with `what`, where it does not come about.

    The time that counts is this machine's own: while all is three times slower, it goes by a third as fast.
    """
    left, slow, measured = quiet, slowness(), time.monotonic()
    before = measured
    while not (found := holds()):
        assert left > 0, (what() if callable(what) else what) or "it did not happen"
        time.sleep(0.02)
        now = time.monotonic()
        left -= (now - before) / slow
        before = now
        if now - measured > 1:
            slow, measured = slowness(), now
    return found


def _wanting() -> float:
    """How many processes of the machine want a core; 0 where it is not known."""
    try:
        now = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0])
    except (OSError, ValueError, IndexError):
        now = 0
    return max(float(now), os.getloadavg()[0])
