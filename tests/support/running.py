"""Many programs through a runner, of which only some are held at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future

from grader.model import Observation, Program
from grader.runner import Runner

AHEAD = 256
"""How many programs `run_all` queues ahead of the one it waits for: enough to keep every core busy."""


def run_all(runner: Runner, programs: Iterable[Program]) -> Iterator[Observation]:
    """Observations in the order of the programs, as they come; of thousands only some are held at a time."""
    waiting: deque[Future[Observation]] = deque()
    for program in programs:
        waiting.append(runner.submit(program))
        if len(waiting) >= AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
