"""Whether what the bank claims is so: every variant of every item, run in real PyTorch.

Programs of many items are queued at once, so that the runner is never idle; proofs come back in the bank's order.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import astuple, dataclass

from grader import kinds
from grader.content import asking_cells, claim_records, recorded_outputs
from grader.content.bank_files import Memory
from grader.content.claim_records import ClaimRecord
from grader.judging import experiment_proofs, experiments
from grader.judging.claims import SEEDS, Results
from grader.model import (
    Bank,
    Experiment,
    Finding,
    Item,
    Lesson,
    Observation,
    Prediction,
    Program,
    Proof,
    Severity,
    Status,
    Topic,
    Variant,
)
from grader.runner import Runner
from grader.runner.cached import surroundings


@dataclass(frozen=True, slots=True)
class OptionCounts:
    """Options and listed wrong answers of all variants, by what was proven of them."""

    true: int = 0
    false: int = 0
    """Wrong, and what a run of its mistake gives."""
    untested: int = 0
    """Wrong, but nothing shows that its mistake leads there."""

    @classmethod
    def of(cls, proofs: Iterable[Proof]) -> OptionCounts:
        """Count them."""
        found = Counter(
            "true" if one.holds else "false" if one.tested else "untested" for proof in proofs for one in proof.options
        )
        return cls(**found)

    def __add__(self, other: OptionCounts) -> OptionCounts:
        return OptionCounts(self.true + other.true, self.false + other.false, self.untested + other.untested)


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
    options: OptionCounts = OptionCounts()
    experiments: int = 0
    listed: tuple[ClaimRecord, ...] = ()
    """Each claim, where that was asked for."""
    elsewhere: int = 0
    """Items that are for other versions of PyTorch."""

    @property
    def errors(self) -> int:
        return sum(finding.severity is Severity.ERROR for finding in self.findings)


class PendingProof:
    """The runs of one variant, under way."""

    def __init__(
        self,
        item: Item,
        variant: Variant,
        programs: Sequence[Program],
        runs: Sequence[Future[Observation]],
        runner: Runner | None = None,
    ) -> None:
        """With a `runner` also what only authors need is run, such as mutants."""
        self.item, self.variant = item, variant
        self._programs, self._futures = programs, runs
        self._runner = runner
        self._results: Results | None = None

    @classmethod
    def begin(cls, item: Item, variant: Variant, runner: Runner) -> PendingProof:
        """Queue what proves a variant, each program for a process of its own."""
        programs = kinds.of(item).plan(item, variant).programs
        return cls(item, variant, programs, [runner.submit(program) for program in programs])

    @classmethod
    def begin_all(cls, items: Sequence[Item], runner: Runner) -> list[tuple[Item, list[PendingProof]]]:
        """Queue what proves all variants of some items; short programs may share a process."""
        planned = [[kinds.of(item).plan(item, variant).programs for variant in item.variants] for item in items]
        runs = iter(runner.submit_all([one for variants in planned for programs in variants for one in programs]))
        return [
            (
                item,
                [
                    cls(item, variant, programs, [next(runs) for _ in programs], runner)
                    for variant, programs in zip(item.variants, variants, strict=True)
                ],
            )
            for item, variants in zip(items, planned, strict=True)
        ]

    @property
    def size(self) -> int:
        """Characters of its programs."""
        return sum(len(program.source) for program in self._programs)

    def done(self) -> bool:
        return all(future.done() for future in self._futures)

    def go_on(self) -> bool:
        """Queue what is to be run next, where all that was queued has ended; whether there was anything."""
        if self._runner is None or not self.done():
            return False
        self._collect()
        assert self._results is not None
        self._programs = kinds.of(self.item).plan(self.item, self.variant, self._results).programs
        self._futures = self._runner.submit_all(self._programs)
        if not self._programs:
            self._runner = None
        return bool(self._programs)

    def _collect(self) -> None:
        observations = [future.result() for future in self._futures]
        if self._results is None:
            self._results = Results(self._programs, observations)
        else:
            self._results.add(self._programs, observations)
        self._programs, self._futures = (), ()

    def proof(self) -> Proof:
        """Wait for the runs and say what they prove."""
        while self._runner is not None:
            wait(self._futures)
            self.go_on()
        if self._futures or self._results is None:
            self._collect()
        assert self._results is not None
        return kinds.of(self.item).prove(self.item, self.variant, self._results)


class Reading:
    """The run of one lesson, under way, with another seed than it was recorded with."""

    def __init__(self, lesson: Lesson, runner: Runner) -> None:
        self.lesson, self._runner = lesson, runner
        self._run = runner.submit(recorded_outputs.program(lesson, recorded_outputs.PROVING))

    def findings(self) -> list[Finding]:
        """Wait for the run and compare. Where it differs, a run with the recording's seed tells chance from change."""
        runs = [self._run.result()]
        if recorded_outputs.compare(self.lesson, runs) and runs[0].status is not Status.NOT_RUN:
            runs.insert(
                0, self._runner.submit(recorded_outputs.program(self.lesson, recorded_outputs.RECORDING)).result()
            )
        return recorded_outputs.compare(self.lesson, runs)


class Predicting:
    """The proofs of the items that a lesson asks about the output of a cell, under way."""

    def __init__(
        self, lesson: Lesson, items: Mapping[str, Item], runner: Runner, elsewhere: Collection[str] = ()
    ) -> None:
        self._lesson = lesson
        self._unknown = asking_cells.unknown(lesson, items, elsewhere)
        self._proofs = [
            (part, items[name], PendingProof.begin(items[name], items[name].variants[part.asks.variant], runner))
            for part in asking_cells.asked(lesson)
            if isinstance(part, Prediction)
            for name in part.asks.items
            if name in items and part.asks.variant < len(items[name].variants)
        ]

    def findings(self) -> list[Finding]:
        """Wait for the proofs; what is not about its cell, or not there. An item that is not proven says so itself."""
        found = list(self._unknown)
        for part, item, pending in self._proofs:
            proof = pending.proof()
            finding = None if proof.errors else asking_cells.not_about(self._lesson, part, item, proof)
            found += [finding] if finding else []
        return found


class Trying:
    """The runs of one experiment, under way: one for each seed at every point that is tried."""

    def __init__(self, experiment: Experiment, runner: Runner) -> None:
        self.experiment = experiment
        self.points = experiment_proofs.points(experiment)
        programs = [experiments.program(experiment, point, seed) for point in self.points for seed in SEEDS]
        self._runs = runner.submit_all(programs)

    def findings(self) -> list[Finding]:
        """Wait for the runs and judge them. Of what is wrong at several points, the first one is told."""
        runs = [future.result() for future in self._runs]
        judged = [
            experiment_proofs.judge(self.experiment, point, runs[place : place + len(SEEDS)])
            for place, point in zip(range(0, len(runs), len(SEEDS)), self.points, strict=True)
        ]
        found = {(finding.code, finding.at): finding for one in reversed(judged) for finding in reversed(one.findings)}
        told = list(reversed(found.values()))
        return told or experiment_proofs.never_said(self.experiment, self.points, judged)


MOST_WAITING = 32 << 20
"""Characters of programs that wait for their results, beside those of one item."""


AHEAD = 40
"""So many items are looked at for what is to be run next."""


def prove_all(items: Iterable[Item], runner: Runner) -> Iterator[tuple[Item, list[Proof]]]:
    """The proofs of every variant of each item, in order."""
    under_way: deque[tuple[Item, list[PendingProof]]] = deque()
    waiting = 0
    for some in _groups(items):
        begun = PendingProof.begin_all(some, runner)
        under_way += begun
        waiting += sum(_size(provings) for _, provings in begun)
        while waiting > MOST_WAITING and len(under_way) > 1:
            waiting -= _size(under_way[0][1])
            yield _proven(*under_way.popleft())
    while under_way:
        for _, provings in itertools.islice(under_way, AHEAD):
            for proving in provings:
                proving.go_on()
        yield _proven(*under_way.popleft())


TOGETHER = 20
"""Variants that are queued together, so that programs of several items share a process."""


def _groups(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Items in their order, so many at a time."""
    group: list[Item] = []
    for item in items:
        group.append(item)
        if sum(len(one.variants) for one in group) >= TOGETHER:
            yield group
            group = []
    if group:
        yield group


def _size(provings: list[PendingProof]) -> int:
    return sum(proving.size for proving in provings)


def _proven(item: Item, provings: list[PendingProof]) -> tuple[Item, list[Proof]]:
    return item, [proving.proof() for proving in provings]


@dataclass(slots=True)
class _Tally:
    """What was proven of a topic."""

    variants: int = 0
    claims: int = 0
    proven: int = 0
    options: OptionCounts = OptionCounts()

    def add(self, proofs: Sequence[Proof]) -> list[Finding]:
        """Count an item's proofs; what was found."""
        found = [finding for proof in proofs for finding in proof.findings]
        self.variants += len(proofs)
        self.claims += sum(proof.claims for proof in proofs)
        self.options += OptionCounts.of(proofs)
        self.proven += not any(finding.severity is Severity.ERROR for finding in found)
        return found

    def to_text(self) -> str:
        """As it is remembered."""
        return json.dumps([self.variants, self.claims, self.proven, *astuple(self.options)])

    @classmethod
    def from_text(cls, text: str) -> _Tally:
        """What was remembered."""
        variants, claims, proven, *options = json.loads(text)
        return cls(variants, claims, proven, OptionCounts(*options))


def _key(topic: Topic) -> str:
    return f"proven {topic.text} {surroundings()}"


def verify(
    bank: Bank,
    runner: Runner,
    lessons: Sequence[Lesson] = (),
    memory: Memory | None = None,
    asked: Sequence[Item] = (),
    *,
    listing: bool = False,
) -> Report:
    """Prove what could be read of a bank and of lessons; an item that was left out counts as not proven.

    A topic in whose files nothing has changed since all of it was proven is not proven again. `asked` are further
    items that the lessons may ask: they are known, and not proven here. With `listing`, each claim of an item is
    listed, and so all are proven.
    """
    readings = [Reading(lesson, runner) for lesson in lessons]
    there = {item.id: item for item in (*asked, *bank.items)}
    elsewhere = {name for topic in bank.topics for name in topic.elsewhere}
    predicting = [Predicting(lesson, there, runner, elsewhere) for lesson in lessons]
    tried = [Trying(topic.experiment, runner) for topic in bank.topics if topic.experiment]
    remembered = memory if not listing else None
    kept = {topic.name: remembered.get(_key(topic)) for topic in bank.topics if topic.text} if remembered else {}
    known = {name: _Tally.from_text(text) for name, text in kept.items() if text}
    tallies = {topic.name: known.get(topic.name) or _Tally() for topic in bank.topics}
    findings, spoiled = list(bank.findings), set[str]()
    listed: list[ClaimRecord] = []
    for item, proofs in prove_all((item for item in bank.items if item.topic not in known), runner):
        found = tallies[item.topic].add(proofs)
        findings += found
        listed += claim_records.of(item, proofs) if listing else ()
        spoiled |= {item.topic} if found else set()
    for topic in bank.topics:
        if memory and topic.text and topic.name not in known and topic.name not in spoiled:
            memory.put(_key(topic), tallies[topic.name].to_text())
    claims = sum(tally.claims for tally in tallies.values())
    for trying in tried:
        findings += trying.findings()
        claims += len(trying.points)
    for reading in readings:
        findings += reading.findings()
        claims += len(reading.lesson.steps)
    for one in predicting:
        findings += one.findings()
    options = sum((tally.options for tally in tallies.values()), OptionCounts())
    variants, proven = (sum(getattr(tally, name) for tally in tallies.values()) for name in ("variants", "proven"))
    items = len(bank.items) + sum(len(topic.left_out) for topic in bank.topics)
    return Report(
        items, variants, claims, proven, tuple(findings), len(lessons), options, len(tried), tuple(listed),
        len(elsewhere),
    )  # fmt: skip
