"""Whether what the bank claims is so: every variant of every item, run in real PyTorch.

Programs of many items are queued at once, so that the runner is never idle; proofs come back in the bank's order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from grader import kinds, pins
from grader.claims import Results
from grader.model import Bank, Finding, Item, Lesson, Observation, Program, Proof, Severity, Status, Variant
from grader.run import Runner


@dataclass(frozen=True, slots=True)
class Report:
    """What was proven of a bank, and what was not."""

    items: int
    variants: int
    claims: int
    proven: int
    """Items all of whose variants hold."""
    findings: tuple[Finding, ...]
    lessons: int = 0

    @property
    def errors(self) -> int:
        return sum(finding.severity is Severity.ERROR for finding in self.findings)


class Proving:
    """The runs of one variant, under way."""

    def __init__(
        self, item: Item, variant: Variant, programs: Sequence[Program], runs: Sequence[Future[Observation]]
    ) -> None:
        self.item, self.variant = item, variant
        self._programs, self._futures = programs, runs

    @classmethod
    def begin(cls, item: Item, variant: Variant, runner: Runner) -> Proving:
        """Queue what proves a variant, each program for a process of its own."""
        programs = kinds.get(item.kind).plan(item, variant).programs
        return cls(item, variant, programs, [runner.submit(program) for program in programs])

    @classmethod
    def begin_all(cls, item: Item, runner: Runner) -> list[Proving]:
        """Queue what proves all variants of an item; short programs may share a process."""
        planned = [kinds.get(item.kind).plan(item, variant).programs for variant in item.variants]
        runs = iter(runner.submit_all([program for programs in planned for program in programs]))
        return [
            cls(item, variant, programs, [next(runs) for _ in programs])
            for variant, programs in zip(item.variants, planned, strict=True)
        ]

    @property
    def size(self) -> int:
        """Characters of its programs."""
        return sum(len(program.source) for program in self._programs)

    def done(self) -> bool:
        return all(future.done() for future in self._futures)

    def proof(self) -> Proof:
        """Wait for the runs and judge them."""
        observations = [future.result() for future in self._futures]
        results = Results(self._programs, observations)
        return kinds.get(self.item.kind).judge(self.item, self.variant, results)


class Reading:
    """The run of one lesson, under way, with another seed than it was recorded with."""

    def __init__(self, lesson: Lesson, runner: Runner) -> None:
        self.lesson, self._runner = lesson, runner
        self._run = runner.submit(pins.program(lesson, pins.PROVING))

    def findings(self) -> list[Finding]:
        """Wait for the run and compare. Where it differs, a run with the recording's seed tells chance from change."""
        runs = [self._run.result()]
        if pins.judge(self.lesson, runs) and runs[0].status is not Status.NOT_RUN:
            runs.insert(0, self._runner.submit(pins.program(self.lesson, pins.RECORDING)).result())
        return pins.judge(self.lesson, runs)


MOST_WAITING = 32 << 20
"""Characters of programs that wait for their results, beside those of one item."""


def prove_all(items: Iterable[Item], runner: Runner) -> Iterator[tuple[Item, list[Proof]]]:
    """The proofs of every variant of each item, in order."""
    under_way: deque[tuple[Item, list[Proving]]] = deque()
    waiting = 0
    for item in items:
        under_way.append((item, Proving.begin_all(item, runner)))
        waiting += _size(under_way[-1][1])
        while waiting > MOST_WAITING and len(under_way) > 1:
            waiting -= _size(under_way[0][1])
            yield _proven(*under_way.popleft())
    while under_way:
        yield _proven(*under_way.popleft())


def _size(provings: list[Proving]) -> int:
    return sum(proving.size for proving in provings)


def _proven(item: Item, provings: list[Proving]) -> tuple[Item, list[Proof]]:
    return item, [proving.proof() for proving in provings]


def verify(bank: Bank, runner: Runner, lessons: Sequence[Lesson] = ()) -> Report:
    """Prove a bank and lessons whose files are well formed. Items that were found to claim nothing are not run."""
    readings = [Reading(lesson, runner) for lesson in lessons]
    variants = claims = proven = 0
    findings = list(bank.findings)
    claimless = {finding.item for finding in findings}
    for _, proofs in prove_all((item for item in bank.items if item.id not in claimless), runner):
        variants += len(proofs)
        claims += sum(proof.claims for proof in proofs)
        found = [finding for proof in proofs for finding in proof.findings]
        proven += not any(finding.severity is Severity.ERROR for finding in found)
        findings += found
    for reading in readings:
        findings += reading.findings()
        claims += len(reading.lesson.steps)
    return Report(len(bank.items), variants, claims, proven, tuple(findings), len(lessons))
