"""Programs in, observations out. Anything that implements `Runner` can stand behind the rest of the house."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Protocol

from grader.model import Observation, Program


class Runner(Protocol):
    """Runs programs, somewhere, several at a time.

    A future always ends with an observation: that a program could not be run is one too (`Status.NOT_RUN`).
    """

    def submit(self, program: Program, by: str | None = None) -> Future[Observation]:
        """Queue a program; safe to call from any thread.

        `by` names the learner whose answer it is: learners take turns, and have at most two programs on a core at a
        time. None is the owner of the machine, whose programs have no such bound and wait for those of learners.
        """
        ...

    def submit_all(self, programs: Sequence[Program]) -> list[Future[Observation]]:
        """Queue programs that one author answers for: several may share a process, as `together` says."""
        ...

    def close(self) -> None:
        """Stop at once; nothing is left behind. What had not ended becomes `Status.NOT_RUN`."""
        ...


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
