"""Whether what the bank claims is so: every variant of every item, run in real PyTorch.

Programs of all items are queued at once, so that the runner is never idle; proofs come back in the bank's order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from grader import kinds, pins
from grader.claims import Results
from grader.model import Bank, Finding, Item, Lesson, Observation, Program, Proof, Severity, Variant
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

    def __init__(self, item: Item, variant: Variant, runner: Runner) -> None:
        self.item, self.variant = item, variant
        self._programs: list[Program] = kinds.get(item.kind).plan(item, variant).programs
        self._futures: list[Future[Observation]] = [runner.submit(program) for program in self._programs]

    def done(self) -> bool:
        return all(future.done() for future in self._futures)

    def proof(self) -> Proof:
        """Wait for the runs and judge them."""
        observations = [future.result() for future in self._futures]
        results = Results(self._programs, observations)
        return kinds.get(self.item.kind).judge(self.item, self.variant, results)


def prove_all(items: Iterable[Item], runner: Runner) -> Iterator[tuple[Item, list[Proof]]]:
    """The proofs of every variant of each item, in order."""
    under_way = [(item, [Proving(item, variant, runner) for variant in item.variants]) for item in items]
    for item, provings in under_way:
        yield item, [proving.proof() for proving in provings]


def verify(bank: Bank, runner: Runner, lessons: Sequence[Lesson] = ()) -> Report:
    """Prove a bank and lessons whose files are well formed. Items that were found to claim nothing are not run."""
    reading = [(lesson, [runner.submit(program) for program in pins.programs(lesson)]) for lesson in lessons]
    variants = claims = proven = 0
    findings = list(bank.findings)
    claimless = {finding.item for finding in findings}
    for _, proofs in prove_all((item for item in bank.items if item.id not in claimless), runner):
        variants += len(proofs)
        claims += sum(proof.claims for proof in proofs)
        found = [finding for proof in proofs for finding in proof.findings]
        proven += not any(finding.severity is Severity.ERROR for finding in found)
        findings += found
    for lesson, futures in reading:
        findings += pins.judge(lesson, [future.result() for future in futures])
        claims += len(lesson.steps)
    return Report(len(bank.items), variants, claims, proven, tuple(findings), len(lessons))
