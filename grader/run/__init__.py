"""Programs in, observations out. Anything that implements `Runner` can stand behind the rest of the house."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import Protocol

from grader.model import Observation, Program


class Runner(Protocol):
    """Runs programs, somewhere, several at a time.

    A future always ends with an observation: that a program could not be run is one too (`Status.NOT_RUN`).
    """

    def submit(self, program: Program) -> Future[Observation]:
        """Queue a program; safe to call from any thread."""
        ...

    def close(self) -> None:
        """Stop at once; nothing is left behind. What had not ended becomes `Status.NOT_RUN`."""
        ...


def run_all(runner: Runner, programs: Iterable[Program]) -> Iterator[Observation]:
    """Observations in the order of the programs; all are queued before the first is waited for."""
    futures = [runner.submit(program) for program in programs]
    for future in futures:
        yield future.result()
