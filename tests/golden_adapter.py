"""What the goldens ask of the package, and the only file of theirs that knows its modules: when these move, this file changes alone.

Each view is plain JSON data or a text. Names of our classes are in none of them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from grader import bank as banks
from grader import digests, kinds
from grader.course import assignment
from grader.desk import documents
from grader.desk.documents import Around
from grader.desk.sheet import Asked, Sheet
from grader.jupyter import static
from grader.marking import Marker
from grader.model import Bank, Item, Outcome, Program, Proof, Sitting, Status
from grader.run import Runner
from grader.run.remembered import Store, installed_torch
from grader.session import Question
from grader.ui import drawing, pages
from grader.ui.documents import grade_document, show_variant
from grader.ui.telling import Teller
from grader.verify import prove_all

SEED = 7
"""Of the hidden inputs of answers that are run, and of the order of options where that is mixed."""

OUTCOMES = {
    "right": (Outcome.CORRECT,),
    "wrong": (Outcome.INCORRECT, Outcome.PARTLY),
    "unreadable": (Outcome.UNREADABLE,),
}

SAMPLES = tuple(OUTCOMES)
"""The answers that each kind has an example of."""


def torch_version() -> str:
    """The version of torch that programs run with, without what says how it was built."""
    return installed_torch().partition("+")[0]


def read(folder: Path, cache: Path) -> Bank:
    """A bank, which must be without findings; `cache` remembers what its files say."""
    store = Store(cache)
    found = banks.read(banks.files([folder]), store)
    store.close()
    assert not found.findings, found.findings[0]
    return found


def proofs(items: Iterable[Item], runner: Runner) -> Iterator[tuple[Item, list[Proof]]]:
    """Items with the proof of each variant, all of which must hold."""
    for item, proven in prove_all(items, runner):
        assert not [str(finding) for proof in proven for finding in proof.findings]
        yield item, proven


def printed(source: str, runner: Runner) -> str:
    """What a program prints."""
    observed = runner.submit(Program(source, (), 0)).result()
    assert observed.status is Status.OK, observed
    return observed.stdout


def kept_of(item: Item, bank: Bank) -> str:
    """What records and assignments keep of an item, to see later whether it is still the same."""
    return f"{digests.claims(item)} {digests.words(item, bank.mistakes)}"


def in_words(proof: Proof) -> str:
    """The variant of a proof: `base_lr = 0.1, k = 3`."""
    return show_variant(proof.variant)


class Views:
    """One variant of an item, as every face has it: before an answer, and after one. `runner` runs answers.

    Unless `drawn`, a drawing is what is to be drawn: Vega takes longer for one than all else does.
    """

    def __init__(self, bank: Bank, item: Item, proof: Proof, runner: Runner, *, drawn: bool) -> None:
        self._item, self._proof, self._runner = item, proof, runner
        self._mistakes = bank.mistakes
        self._around = Around(bank.mistakes, "", lambda result: "")
        self._samples = kinds.get(item.kind).samples(item, proof)
        self._drawn = drawn
        self._page = documents.of_question(*self._sheet(self._question()), self._around)

    def question(self) -> dict[str, Any]:
        """What a learner sees before an answer: data, on a terminal, as a page, without JavaScript, in an assignment."""
        prompt = self._question().prompt()
        teller, out = _terminal(plain=True)
        teller.show(prompt, "Question 1 of 1")
        views = {
            "prompt": dataclasses.asdict(prompt),
            "places of the options where they are mixed": list(self._question(mix=SEED).order),
            "terminal": out.getvalue(),
            "page": self._page,
            "page without JavaScript": static.page("sheet", [self._page], ""),
        }
        if self._item.kind in assignment.KINDS:
            views["assignment"] = assignment.question(prompt)
        return views

    def answered(self, sample: str) -> dict[str, Any]:
        """What is said of an answer: as JSON, on a terminal, on a page. `sample` is one of `SAMPLES`.

        Before the right one all hints are asked for, and it is told in plain lines, without plots. Of the page it is what the
        question alone does not have.
        """
        raw, right = self._samples[sample], sample == "right"
        question = self._question()
        sheet, entry = self._sheet(question)
        while right and (hint := question.hint()):
            entry.hints.append(hint)
        result = question.answer(raw, self._mistakes)
        assert result.score.outcome in OUTCOMES[sample], (self._item.id, sample, result.score.outcome)
        entry.result, entry.final, entry.tries = result, sample != "unreadable", 1
        entry.follow_up = question.follow_up()
        entry.followed = entry.follow_up.answer("-1") if entry.follow_up else None
        teller, out = _terminal(plain=right)
        if self._item.kind == "card":
            teller.back(question)
        teller.tell(question, result, self._mistakes)
        with contextlib.nullcontext() if self._drawn else _undrawn():
            page = documents.of_question(sheet, entry, self._around)
        return {
            "answer": raw,
            "document": _without_times(grade_document(result)),
            "terminal": out.getvalue(),
            "page": beyond(self._page, page),
        }

    def _question(self, mix: int | None = None) -> Question:
        marker = Marker(lambda: self._runner, SEED)
        return Question(self._item, self._proof.variant, _Proven(self._proof), marker, mix)

    def _sheet(self, question: Question) -> tuple[Sheet, Asked]:
        topic = self._item.topic
        sitting = Sitting("sitting", "me", topic, "practice", datetime(2026, 1, 1, tzinfo=UTC))
        entry = Asked(0, question, sitting)
        return Sheet("sheet", self._item.id, "practice", topic, [entry]), entry


@dataclasses.dataclass(frozen=True)
class _Proven:
    """Runs that have ended."""

    found: Proof

    def done(self) -> bool:
        return True

    def proof(self) -> Proof:
        return self.found


@contextlib.contextmanager
def _undrawn() -> Iterator[None]:
    """Have what is to be drawn stand where a drawing would. What remembers drawings must not mix the two."""
    pages.svg.cache_clear()
    with patch("vl_convert.vegalite_to_svg", lambda spec: f"<svg >{json.dumps(spec)}</svg>"):
        yield
    pages.svg.cache_clear()


def _terminal(*, plain: bool) -> tuple[Teller, io.StringIO]:
    """A terminal of 80 columns that is none: words without colors."""
    out = io.StringIO()
    with patch.dict(os.environ, {"TERM": "xterm", "COLUMNS": "80", "NO_COLOR": "1"}):
        console = drawing.screen(out, terminal=False)
        console.width = 80
        return Teller(console, plain=plain), out


def beyond(known: Any, found: Any) -> Any:
    """What of a document is not the same in another one; what that one has alone is named under `gone`."""
    if not (isinstance(known, dict) and isinstance(found, dict)):
        return found
    new = {
        name: beyond(known.get(name), value)
        for name, value in found.items()
        if name not in known or known[name] != value
    }
    gone = sorted(set(known) - set(found))
    return new | ({"gone": gone} if gone else {})


def _without_times(document: dict[str, Any]) -> dict[str, Any]:
    observed = document["observed"]
    if observed and "seconds" in observed:
        document["observed"] = observed | {"seconds": 0}
    return document
