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
from pathlib import Path
from typing import Any
from unittest.mock import patch

from grader import kinds
from grader.cli.json_documents import grade_document, show_variant
from grader.content import bank_files
from grader.content.verify import prove_all
from grader.faces.answer_text import AnswerText
from grader.faces.jupyter import static
from grader.faces.service import documents
from grader.faces.service.documents import ViewContext
from grader.judging.running_answers import Marker
from grader.learning import digests
from grader.learning.question import Question
from grader.learning.sitting_view import OpenSitting, SittingQuestion
from grader.model import Bank, Item, Outcome, Proof
from grader.nbgrader import assignment
from grader.render import html_fragments, terminal_text
from grader.runner import Runner
from grader.runner.cached import Store, installed_torch

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
    found = bank_files.read(bank_files.files([folder]), store)
    store.close()
    assert not found.findings, found.findings[0]
    return found


def proofs(items: Iterable[Item], runner: Runner) -> Iterator[tuple[Item, list[Proof]]]:
    """Items with the proof of each variant, all of which must hold."""
    for item, proven in prove_all(items, runner):
        assert not [str(finding) for proof in proven for finding in proof.findings]
        yield item, proven


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
        self._around = ViewContext(bank.mistakes, "", lambda result: "")
        self._samples = kinds.of(item).samples(item, proof)
        self._drawn = drawn
        self._page = documents.of_question(*self._sheet(self._question()), self._around)

    def question(self) -> dict[str, Any]:
        """What a learner sees before an answer: data, on a terminal, as a page, without JavaScript, in an assignment."""
        prompt = self._question().prompt()
        teller, out = _terminal(plain=True)
        teller.show(prompt, "Question 1 of 1")
        views = {
            "prompt": _without_defaults(dataclasses.asdict(prompt)),
            "places of the options where they are mixed": list(self._question(mix=SEED).order),
            "terminal": out.getvalue(),
            "page": self._page,
            "page without JavaScript": static.page("tg-static-sheet", [self._page], ""),
        }
        if kinds.of(self._item).TRAITS.cell:
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
        hints = []
        while right and (hint := question.hint()):
            hints.append(hint)
        result = question.answer(raw, self._mistakes)
        assert result.score.outcome in OUTCOMES[sample], (self._item.id, sample, result.score.outcome)
        about = question.follow_up()
        entry = dataclasses.replace(
            entry, hints=tuple(hints), result=result, final=sample != "unreadable", tries=1, follow_up=about,
            followed=about.answer("-1") if about else None,
        )  # fmt: skip
        sheet = dataclasses.replace(sheet, asked=[entry])
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

    def _sheet(self, question: Question) -> tuple[OpenSitting, SittingQuestion]:
        topic = self._item.topic
        entry = SittingQuestion(0, question)
        return OpenSitting("sheet", self._item.id, "practice", topic, [entry]), entry


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
    html_fragments.svg.cache_clear()
    with patch("vl_convert.vegalite_to_svg", lambda spec: f"<svg >{json.dumps(spec)}</svg>"):
        yield
    html_fragments.svg.cache_clear()


def _terminal(*, plain: bool) -> tuple[AnswerText, io.StringIO]:
    """A terminal of 80 columns that is none: words without colors."""
    out = io.StringIO()
    with patch.dict(os.environ, {"TERM": "xterm", "COLUMNS": "80", "NO_COLOR": "1"}):
        console = terminal_text.screen(out, terminal=False)
        console.width = 80
        return AnswerText(console, plain=plain), out


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


def _without_defaults(prompt: dict[str, Any]) -> dict[str, Any]:
    """A prompt without what was added to it and its inputs, where that is as by default."""
    added = {"last": (), "cell": None, "wanted": ""}
    inputs = [
        {name: part for name, part in one.items() if name not in added or added[name] != part}
        for one in prompt["inputs"]
    ]
    known = {name: value for name, value in prompt.items() if name not in ("figures", "given", "origin") or value}
    return known | {"inputs": inputs}


def _without_times(document: dict[str, Any]) -> dict[str, Any]:
    observed = document["observed"]
    if observed and "seconds" in observed:
        document["observed"] = observed | {"seconds": 0}
    return document
