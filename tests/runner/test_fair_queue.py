"""Whose program is next, and whether one goes on: the pure halves of the runner's fairness."""

from __future__ import annotations

from collections import Counter

import pytest

from grader.model import Limits, Program
from grader.runner import progress
from grader.runner.fair_queue import ALIVE, ON_CORES, FairQueue
from grader.runner.processes import Job
from grader.runner.progress import Activity, Look, waits

NOBODY: Counter[str | None] = Counter()


def queue(*submitted: str) -> FairQueue:
    """Programs by their names: a letter for the learner, `-` for the owner, then anything."""
    jobs = FairQueue(3)
    for name in submitted:
        jobs.add(Job(Program(name), None if name[0] == "-" else name[0]))
    return jobs


def order(jobs: FairQueue, alive: Counter[str | None] = NOBODY) -> list[str]:
    found = []
    while job := jobs.take(alive, alive):
        found.append(job.program.source)
    return found


def test_learners_take_turns() -> None:
    assert order(queue("a1", "a2", "a3", "b1", "c1", "b2")) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_the_owner_s_programs_wait_for_learners_and_have_no_bound() -> None:
    assert order(queue("-1", "-2", "a1", "-3", "b1")) == ["a1", "b1", "-1", "-2", "-3"]
    assert order(queue("-1", "-2"), Counter({None: 100})) == ["-1", "-2"]


def test_a_learner_has_only_so_many_at_a_time() -> None:
    jobs = queue("a1", "b1", "-1")
    assert order(jobs, Counter({"a": ON_CORES})) == ["b1", "-1"]
    assert len(jobs) == 1
    assert jobs.take(NOBODY, Counter({"a": ALIVE})) is None
    assert order(jobs) == ["a1"]


def test_where_there_are_two_places_no_learner_has_both() -> None:
    jobs = FairQueue(2)
    jobs.add(Job(Program("a1"), "a"))
    assert jobs.take(Counter({"a": 1}), NOBODY) is None


def test_what_is_put_back_is_next() -> None:
    jobs = queue("a1", "b1", "c1", "c2", "-1")
    first = jobs.take(NOBODY, NOBODY)
    second = jobs.take(NOBODY, NOBODY)
    assert first
    assert second
    jobs.add_first(second)
    jobs.add_first(first)
    assert order(jobs) == ["a1", "b1", "c1", "c2", "-1"]
    assert {job.program.source for job in queue("a1", "-1").drain()} == {"a1", "-1"}


# ---------------------------------------------------------------- does it go on

ENDURING = Limits(waiting_seconds=6.0)


def looks(*, seconds: float, cpu: float, waited: float | None) -> Activity:
    """A program that uses that share of a core, and waits for one for that share of its time."""
    seen = Activity()
    for number in range(int(seconds / 0.25) + 1):
        moment = number * 0.25
        seen.add(Look(100 + moment, 0.3 + cpu * moment, None if waited is None else waited * moment), 6.0)
    return seen


@pytest.mark.parametrize(
    ("cpu", "waited", "naps"),
    [
        (0.0, 0.0, True),  # asleep
        (0.01, 0.0, True),  # wakes up a hundred times a second
        (0.01, 0.35, True),  # the same beside eight busy processes
        (0.98, 0.02, False),  # computes
        (0.01, 0.98, False),  # would compute, and gets no core
        (0.2, 0.2, False),  # computes between pauses
    ],
)
def test_a_program_that_waits_is_told_from_one_that_gets_no_core(cpu: float, waited: float, naps: bool) -> None:
    seen = looks(seconds=8, cpu=cpu, waited=waited)
    assert seen.naps() is naps
    assert seen.is_stuck(ENDURING) is naps
    assert not looks(seconds=5.5, cpu=cpu, waited=waited).is_stuck(ENDURING)


def test_one_that_goes_on_after_a_pause_is_not_stuck() -> None:
    seen = looks(seconds=5, cpu=0.0, waited=0.0)
    assert seen.naps()
    seen.add(Look(105.5, 0.8, 0.0), 6.0)
    seen.add(Look(106.5, 0.8, 0.0), 6.0)
    assert not seen.is_stuck(ENDURING)
    assert seen.naps()


def test_only_one_that_waited_for_a_core_for_half_its_time_is_starved() -> None:
    assert looks(seconds=60, cpu=0.05, waited=0.9).starved()
    assert not looks(seconds=60, cpu=0.6, waited=0.4).starved()
    assert not Activity().starved()


@pytest.mark.parametrize("busy", [True, False])
def test_where_the_kernel_does_not_count_waiting_the_load_is_asked(busy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "busy_machine", lambda: busy)
    seen = looks(seconds=8, cpu=0.01, waited=None)
    assert seen.is_stuck(ENDURING) is not busy
    assert seen.starved() is busy


def test_the_figures_of_a_thread_that_has_ended_may_fall() -> None:
    assert waits(Look(0, 5.0, 3.0), Look(1, 5.0, 2.0))


def test_how_many_of_others_are_before_a_learner() -> None:
    jobs = queue("a1", "a2", "b1", "c1", "-1")
    assert [jobs.before(name) for name in "abcd"] == [0, 1, 2, None]
    jobs.take(NOBODY, NOBODY)
    assert [jobs.before(name) for name in "abc"] == [2, 0, 1], "the next one of `a` comes after one of each other"
