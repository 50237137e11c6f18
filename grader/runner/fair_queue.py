"""Which program is next: submitters take turns, and the owner's own work comes after that of learners. Pure."""

from __future__ import annotations

from collections import Counter, deque

from grader.runner.processes import Job

ON_CORES = 2
"""Programs of one learner that may be on a core at a time."""

ALIVE = 6
"""Programs of one learner that may be there at a time, with those that are asleep."""


class FairQueue:
    """Programs that wait, by who submitted them: a name, or None for the owner of the machine.

    A learner's next program starts when that of each other learner has; so however many programs one of them has
    queued, another waits for one turn. The owner's work (proving a bank, grading a class) starts when no learner's may.
    """

    def __init__(self, places: int) -> None:
        """`places` is how many programs run at a time; where there are several, no learner has all of them."""
        self._on_cores = max(1, min(ON_CORES, places - 1))
        self._owner: deque[Job] = deque()
        self._learners: dict[str, deque[Job]] = {}
        """In the order in which their turns come."""

    def __len__(self) -> int:
        return len(self._owner) + sum(map(len, self._learners.values()))

    def add(self, job: Job) -> None:
        """Put a program behind the others of its submitter."""
        self._of(job).append(job)

    def add_first(self, job: Job) -> None:
        """Put a program back: it is the next of its submitter, whose turn is next."""
        self._of(job).appendleft(job)
        if job.by is not None:
            self._learners = {job.by: self._learners.pop(job.by)} | self._learners

    def _of(self, job: Job) -> deque[Job]:
        return self._owner if job.by is None else self._learners.setdefault(job.by, deque())

    def take(self, on_cores: Counter[str | None], alive: Counter[str | None]) -> Job | None:
        """The program that may start now, by how many programs of each submitter there are; None where none may."""
        for name, jobs in self._learners.items():
            if on_cores[name] < self._on_cores and alive[name] < ALIVE:
                job = jobs.popleft()
                del self._learners[name]
                if jobs:
                    self._learners[name] = jobs  # its next turn comes after those of all others
                return job
        return self._owner.popleft() if self._owner else None

    def before(self, by: str) -> int | None:
        """How many programs that wait start before the next one of a learner; None where none of theirs waits."""
        return list(self._learners).index(by) if by in self._learners else None

    def drain(self) -> list[Job]:
        """Take out all programs."""
        jobs = [*self._owner, *(job for jobs in self._learners.values() for job in jobs)]
        self._owner.clear()
        self._learners.clear()
        return jobs
