"""Programs in, observations out. Anything that implements `Runner` can stand behind the rest of the house."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from grader.model import Observation, Program


class Runner(Protocol):
    """Runs programs, somewhere, several at a time.

    A future always ends with an observation: that a program could not be run is one too (`Status.NOT_RUN`).
    """

    @property
    def can(self) -> frozenset[str]:
        """What programs may do here that the sandbox keeps from them: any of `CAN`."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the next program runs at once; else it waits for something that takes seconds to start."""
        ...

    def start(self) -> None:
        """Begin now with what takes long before the first program, and do not wait for it."""
        ...

    def contained(self) -> bool:
        """Whether code of people whom one does not trust may run here; waits until that is known.

        True is a promise: such code cannot read what its machine's owner has, reach the network, or outlive its limits.
        """
        ...

    def submit(self, program: Program, by: str | None = None) -> Future[Observation]:
        """Queue a program; safe to call from any thread.

        `by` names the learner whose answer it is: learners take turns, and have at most two programs on a core at a
        time. None is the owner of the machine, whose programs have no such bound and wait for those of learners.
        """
        ...

    def submit_all(self, programs: Sequence[Program]) -> list[Future[Observation]]:
        """Queue programs that one author answers for: several may share a process, as `batches` says."""
        ...

    def before(self, by: str) -> int:
        """How many programs are before the next one of a learner; 0 where none waits, or that is not known."""
        ...

    def close(self) -> None:
        """Stop at once; nothing is left behind. What had not ended becomes `Status.NOT_RUN`."""
        ...


CAN = frozenset({"processes", "loopback", "compiler"})
"""What programs may need: to start processes, to talk to one another by the loopback, to call a compiler."""
