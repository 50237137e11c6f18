"""Submissions handed out to whoever grades them, side by side, and what came of them taken in one by one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from grader.nbgrader.batch.jobs import GradedSubmission, GradingJob


class Grading(Protocol):
    """Grades a submission; called from several threads at a time."""

    def grade(self, job: GradingJob) -> GradedSubmission:
        """What came of a submission. Raises GraderError where nothing can be graded any more."""
        ...


def graded(
    grading: Grading, count: int, students: Iterable[str], begin: Callable[[str], GradingJob]
) -> Iterator[tuple[str, GradedSubmission]]:
    """Grade `count` submissions at a time, in the order in which they are done.

    `begin` makes the job of a student just before it is graded. It is called in this thread, as is all that happens
    between two outcomes: the gradebook and the journal have one user.
    """
    done: queue.SimpleQueue[tuple[str, GradedSubmission | BaseException]] = queue.SimpleQueue()
    waiting: queue.SimpleQueue[GradingJob | None] = queue.SimpleQueue()

    def work() -> None:
        while (job := waiting.get()) is not None:
            try:
                done.put((job.student, grading.grade(job)))
            except BaseException as error:  # noqa: BLE001  (raised again where outcomes are read)
                done.put((job.student, error))

    names = list(students)
    following = iter(names)
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(count, len(names)))]
    for thread in threads:
        thread.start()
    try:
        for name in [name for _, name in zip(range(2 * len(threads)), following, strict=False)]:
            waiting.put(begin(name))
        for _ in names:
            name, outcome = done.get()
            if isinstance(outcome, BaseException):
                raise outcome
            for one in following:  # one more, before what is known is written down
                waiting.put(begin(one))
                break
            yield name, outcome
    finally:
        for _ in threads:
            waiting.put(None)
