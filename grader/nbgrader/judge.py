"""Where the answers of a class are judged: a bank, a runner, and the proofs of the variants that were asked for.

One process keeps one bench a bank, with its worker warm. Nothing is read from the cache on disk: where nbgrader runs
notebooks, programs of students could have written it.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from grader import kinds
from grader.content import bank_files, bank_homes
from grader.content.verify import PendingProof
from grader.errors import InputError, did_you_mean
from grader.judging.bodies import Written
from grader.judging.running_answers import LIMITS, Marker
from grader.learning import digests
from grader.learning.question import Question
from grader.model import Item, Mistake, Outcome, Program, Proof, Result, Score, Status, Value
from grader.nbgrader import cell_values, manifest
from grader.nbgrader.manifest import Manifest, ManifestItem
from grader.nbgrader.normal_form import normalized

REMEMBERED = 1024
"""How many judged programs are kept, in case that somebody else wrote the same."""


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """What became of an answer, and the misconception that it shows, if any."""

    result: Result
    mistake: Mistake | None


Verdicts = dict[str, JudgedAnswer]
"""By grade_id."""


class Judging(Protocol):
    """Where answers are judged: here, or in another process."""

    def judge(self, found: Manifest, student: str, sources: Mapping[str, str | None]) -> Verdicts:
        """Judge a student's answers: the sources of cells by grade_id, None for one that nobody has changed."""
        ...

    def must_be_contained(self) -> None:
        """Raise InputError where code would run without a sandbox."""
        ...

    def changes(self, found: Manifest) -> list[str]:
        """See `manifest.changes`; they are told once."""
        ...


_benches: dict[Path, BankJudge] = {}
_elsewhere: list[Judging] = []


class Known:
    """A proof that is there already."""

    def __init__(self, proof: Proof) -> None:
        self._proof = proof

    def done(self) -> bool:
        return True

    def proof(self) -> Proof:
        return self._proof


class BankJudge:
    """Judges answers from notebooks."""

    def __init__(self, files: list[Path]) -> None:
        from grader.runner.local import LocalRunner

        self.runner = LocalRunner()
        self.runner.start()  # it imports torch while the bank is read
        self._bank = bank_files.recall(files)
        if self._bank.findings and not self._bank.items:
            self.close()
            raise InputError(f"the bank has problems: {self._bank.findings[0]}", "`grader verify` shows all of them")
        self._items = manifest.by_grade_id(self._bank)
        self._proofs: dict[tuple[str, int], Proof] = {}
        self._results: dict[tuple[str, int, str, int | None], Future[Result]] = {}
        self._lock = threading.Lock()
        self._told: set[Manifest] = set()
        self.stamp = _stamp(files)

    def close(self) -> None:
        """End the runner."""
        self.runner.close()

    def must_be_contained(self) -> None:
        """Raise InputError where code would run without a sandbox."""
        if not self.runner.contained():
            raise InputError(
                "there is no sandbox here, and answers of students are code",
                "`grader doctor` says what is missing; `c.Judge.allow_unsandboxed = True` runs them with limits only",
            )

    def judge(self, found: Manifest, student: str, sources: Mapping[str, str | None]) -> Verdicts:
        """See `Judging`. Raises InputError where the bank has an item no longer, or has another one."""
        entries = [entry for entry in found.items if entry.grade_id in sources]
        items = [self.item(entry) for entry in entries]

        def one(entry: ManifestItem, item: Item) -> tuple[str, JudgedAnswer]:
            variant = found.variant(entry, student, len(item.variants))
            result = self.grade(item, variant, sources[entry.grade_id], found.mixed(student), entry.grade_id)
            return entry.grade_id, JudgedAnswer(result, self._bank.mistakes.get(result.score.mistake or ""))

        with ThreadPoolExecutor(4) as threads:  # they wait for the runner, which has more than one program at a time
            return dict(threads.map(one, entries, items))

    def changes(self, found: Manifest) -> list[str]:
        """See `Judging`."""
        if found in self._told:
            return []
        self._told.add(found)
        return manifest.changes(found, self._bank)

    def prove(self, found: Manifest) -> None:
        """Prove what all students are asked, before the first answer comes. Raises InputError, see `item`."""
        items = [(self.item(entry), entry.variant) for entry in found.items]
        if not found.per_student:
            wanted = [(item, place) for item, place in items if (item.id, place) not in self._proofs]
            begun = [PendingProof.begin(item, item.variants[place], self.runner) for item, place in wanted]
            for (item, place), proving in zip(wanted, begun, strict=True):
                self._know(item, place, proving.proof())

    def item(self, entry: ManifestItem) -> Item:
        """The item of an entry. Raises InputError where the bank has none, or another than was asked."""
        item = self._items.get(entry.grade_id)
        if item is None and (finding := self._bank.trouble(cell_values.item_of(entry.grade_id))):
            raise InputError(f"`{entry.grade_id}` cannot be asked: {finding}", finding.hint)
        if item is None:
            hint = did_you_mean(entry.grade_id, self._items) or "set `c.Judge.bank` to the bank that it is from"
            raise InputError(f"the bank has no item `{entry.grade_id}`", hint)
        if digests.same(item, entry.digest) is False:
            raise InputError(
                f"the item `{item.id}` has changed since the assignment was made",
                "grade with the bank that it was made from (`c.Judge.bank`), or make the assignment again with --force",
            )
        return item

    def question(self, item: Item, variant: int, answer: str, mix: int | None = None) -> Question:
        """A variant being asked, its options mixed by a seed.

        The answer draws its hidden inputs, with the reference, which students do not have. So they are equal for equal
        code, and nobody can foresee them, or change the code until they suit it.
        """
        drawn_by = repr((item.first_id, item.body.reference if isinstance(item.body, Written) else None, answer))
        seed = int.from_bytes(hashlib.sha256(drawn_by.encode(errors="replace")).digest()[:8])
        drawn = item.variants[variant]
        known = self._proofs.get((item.id, variant))
        if known is None:
            known = self._know(item, variant, PendingProof.begin(item, drawn, self.runner).proof())
        return Question(item, drawn, Known(known), Marker(lambda: self.runner, seed, by=None), mix)

    def _know(self, item: Item, variant: int, proof: Proof) -> Proof:
        if not any(finding.code == "not-run" for finding in proof.findings):
            self._proofs[item.id, variant] = proof
        return proof

    def grade(
        self, item: Item, variant: int, source: str | None, mix: int | None = None, name: str | None = None
    ) -> Result:
        """Judge the source of a cell; None is a cell that nobody wrote into. Letters are as `mix` shows them.

        `name` is what nbgrader called the item when the assignment was made, where that is not its id of today.
        """
        if source is None:
            return self.question(item, variant, "").skip()
        text = cell_values.region(source)
        if len(text.encode(errors="replace")) > cell_values.LONGEST:
            return self._unreadable(item, variant, f"the cell is longer than {cell_values.LONGEST:,} bytes")
        if kinds.of(item).TRAITS.cell == "code":
            return self._judged(item, variant, text)
        try:
            value = self._value(text, cell_values.variable(name or cell_values.grade_id(item.id)))
        except _NoValueError as error:
            return self._unreadable(item, variant, str(error), error.outcome)
        if cell_values.blank(value):
            return self.question(item, variant, "").skip()
        raw = cell_values.typed(self.question(item, variant, "").prompt().inputs, value)
        run = functools.partial(self.question(item, variant, raw, mix).answer, raw, self._bank.mistakes)
        return self._once((item.id, variant, raw, mix), run)

    def _judged(self, item: Item, variant: int, text: str) -> Result:
        """Judge a program. One that is equal to another but for names and layout is not run again.

        Unless the other raised: what is said of an error has names and lines in it.
        """
        form = normalized(text)

        def run() -> Result:
            return self.question(item, variant, form).answer(text, self._bank.mistakes)

        known = self._once((item.id, variant, form, None), run)
        if known.response == text or _ran_through(known):
            return replace(known, response=text)
        return self._once((item.id, variant, text, None), run)

    def _once(self, key: tuple[str, int, str, int | None], make: Callable[[], Result]) -> Result:
        with self._lock:
            future = self._results.get(key)
            if mine := future is None:
                future = self._results[key] = Future()
                if len(self._results) > REMEMBERED:
                    del self._results[next(iter(self._results))]
        assert future is not None
        if mine:
            try:
                future.set_result(result := make())
            except BaseException as error:
                self._results.pop(key, None)
                future.set_exception(error)
                raise
            if result.score.outcome is Outcome.NOT_RUN:
                self._results.pop(key, None)
        return future.result()

    def _unreadable(self, item: Item, variant: int, why: str, outcome: Outcome = Outcome.UNREADABLE) -> Result:
        return Result(item, item.variants[variant], None, Score(outcome, None, feedback=why))

    def _value(self, text: str, name: str) -> Value:
        """What a cell assigns to a name: as it stands there, or else by running the cell in the sandbox."""
        try:
            return cell_values.assigned(text, name)
        except SyntaxError as error:
            line = f" in line {error.lineno}" if error.lineno else ""
            raise _NoValueError(f"the cell is not Python{line}: {error.msg}") from None
        except cell_values.NotLiteral:
            run = self.runner.submit(Program(text, (name,), 0, LIMITS)).result()
        match run.status:
            case Status.OK if run.asked and run.asked[0].error is None:
                return run.asked[0].value
            case Status.OK:
                raise _NoValueError(f"the cell assigns nothing to `{name}`")
            case Status.ERROR:
                raise _NoValueError(f"the cell, run by itself, raised {str(run.error)[:200]}")
            case Status.NOT_RUN:
                raise _NoValueError(run.note or "the cell could not be run", Outcome.NOT_RUN)
            case _:
                raise _NoValueError(f"the cell did not come to an end: {run.note or run.status.value}")


class _NoValueError(Exception):
    """A cell from which no answer can be had."""

    def __init__(self, why: str, outcome: Outcome = Outcome.UNREADABLE) -> None:
        super().__init__(why)
        self.outcome = outcome


def _ran_through(result: Result) -> bool:
    """Whether an answer was run, and no error came of it."""
    run = result.score.run
    return run is not None and run.status is Status.OK and not any(one.error for one in (run, *run.cases))


def _stamp(files: list[Path]) -> list[tuple[str, int, int]]:
    modules = [one for path in files for one in bank_files.helpers_of(path) if one.is_file()]
    return [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in (*files, *modules)]


def elsewhere(judging: Judging) -> None:
    """Let all answers of this process be judged by this one from now on."""
    _elsewhere[:] = [judging]


def bench(folder: Path | None = None, items: Collection[str] = (), here: Path = Path()) -> Judging:
    """Where answers are judged: elsewhere, or else at the bench of the bank that has the items; see `bank_of`."""
    return _elsewhere[0] if _elsewhere else of_bank(bank_of(items, folder, here))


_known: dict[Path, tuple[list[tuple[str, int, int]], frozenset[str]]] = {}
"""Which items a bank has, with the stamp of its files."""


def bank_of(items: Collection[str], given: Path | None = None, here: Path = Path()) -> Path:
    """The folder of the bank that these items are from: of `bank_homes.homes`, the first that has any, else the last.

    So a course with a bank of its own may have assignments from the package's, too. A bank with problems is taken for
    the right one, so that its problems are what is told. Raises InputError where there is no bank.
    """
    found = bank_homes.homes(given, here)
    return next((folder for folder in found[:-1] if _has_any(folder, items)), found[-1])


def _has_any(folder: Path, items: Collection[str]) -> bool:
    files = bank_files.files([folder])
    stamp, ids = _known.get(folder.resolve(), (None, frozenset[str]()))
    if stamp != _stamp(files):
        read = bank_files.recall(files)
        known = {
            *manifest.by_grade_id(read),
            *(cell_values.grade_id(one.name) for topic in read.topics for one in topic.left_out),
        }
        ids = frozenset(items) if read.unread else frozenset(known)
        if not read.findings:
            _known[folder.resolve()] = _stamp(files), ids
    return not ids.isdisjoint(items)


def of_bank(folder: Path) -> BankJudge:
    """The bench of a bank, kept for the next call; made anew once the bank has changed."""
    home = folder.resolve()
    files = bank_files.files([home])
    found = _benches.get(home)
    if found is None or found.stamp != _stamp(files):
        if found:
            found.close()
        found = _benches[home] = BankJudge(files)
    return found


@atexit.register
def _close() -> None:
    for one in _benches.values():
        one.close()
