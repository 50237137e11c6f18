"""What an exported question claims, and what is claimed by one that was read again, in one form."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from grader.content.verify import PendingProof
from grader.exchange import code_in_text, exporting, formats, quiz_files
from grader.exchange.exported_questions import SAME, ExportedQuestion, ExportedQuiz
from grader.exchange.published_questions import PublishedKey, PublishedQuestion
from grader.judging.running_answers import Marker
from grader.render.markdown import as_plain_html
from tests.support.common import ROOT

SORTS = {"one": "one", "many": "many", "number": "typed", "text": "typed"}

Claims = tuple[str, str, str, tuple[tuple[str, bool | None, str], ...], tuple[object, ...]]
"""Its sort, its words, its program, its options with what is said of each, and its keys."""


def written(one: ExportedQuestion, *, text_figures: bool) -> Claims:
    """What a question claims that is written; its figures are text, or pictures, which say nothing here."""
    stem = one.markdown() if text_figures else one.markdown(lambda _: "")
    return _claims(SORTS[one.form], stem, "", [(o.text, o.right, o.feedback) for o in one.options], one.keys)


def read(one: PublishedQuestion) -> Claims:
    """What a question claims that was read."""
    options = [(o.text, o.right, o.feedback) for o in one.options]
    return _claims(one.sort, one.stem, one.program, options, one.keys)


def _claims(
    sort: str, stem: str, program: str, options: Iterable[tuple[str, bool | None, str]], keys: Iterable[PublishedKey]
) -> Claims:
    code = code_in_text.find(stem, program)
    said = tuple((words(text), right, words(feedback)) for text, right, feedback in options)
    return sort, words(code.stem), code.program, said, tuple(map(_interval, keys))


def words(text: str) -> str:
    """What is to be read in a text, without its markup; pictures aside."""
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", " ", text)
    shown = re.sub(r"</?(?:code|em|strong|s|a)\b[^<>]*>", "", as_plain_html(text))
    shown = re.sub(r"<[^<>]*>", " ", shown)
    return " ".join(html.unescape(shown).split())


def _interval(key: PublishedKey) -> object:
    """A number with its margin as its ends, at twelve digits; a text as it is."""
    if ends := re.fullmatch(r"(\S+) to (\S+)", key.text):
        return tuple(f"{float(end):.12g}" for end in ends.groups())
    if key.tolerance:
        return tuple(f"{float(key.text) + side * key.tolerance:.12g}" for side in (-1, 1))
    return key.text


# ---------------------------------------------------------------- what is exported

BANK = ROOT / "tests/data/exports"
"""A small bank of all kinds, with signs that mean something to some format."""

FILES = {
    "anki": "quiz.apkg", "gift": "quiz.gift", "html": "quiz.html", "jupyterquiz": "quiz.json", "markdown": "quiz.md",
    "moodle-xml": "quiz.xml", "pdf": "quiz.pdf", "qti": "quiz.zip",
}  # fmt: skip


def quiz_of(bank: Any, runner: Any) -> ExportedQuiz:
    """All questions of a bank in all variants."""
    pending = [(item, PendingProof.begin(item, one, runner)) for item in bank.items for one in item.variants]
    asked = [(item, one.proof()) for item, one in pending]
    made = exporting.export(bank, asked, Marker(lambda: runner, seed=1), "All of it")
    assert not made.unproven
    return made.quiz


def of_forms(name: str, quiz: ExportedQuiz, said: str | None = None) -> ExportedQuiz:
    """The questions that a format writes; those alone of which it says this."""
    writes = formats.writer(name).WRITES
    kept = (one for one in quiz.questions if one.form in writes and said in (None, writes[one.form]))
    return replace(quiz, questions=tuple(kept))


def differences(name: str, quiz: ExportedQuiz, folder: Path) -> list[object]:
    """The questions that a format calls the same, where what is read again is not; written, then read."""
    same = of_forms(name, quiz, SAME)
    path = folder / FILES[name]
    path.write_bytes(formats.writer(name).write(same))
    found = [known[1] for file in quiz_files.read_all([path]) if (known := formats.read(file))]
    again = [one for part in found for one in part.questions]
    questions = list(same.questions)
    if len(found) > 1:  # a file each, which are read by their names
        questions.sort(key=lambda one: f"{one.name}.xml")
    assert len(again) == len(questions)
    text_figures = name in ("gift", "markdown")
    pairs = (
        (written(one, text_figures=text_figures), read(other)) for one, other in zip(questions, again, strict=True)
    )
    return [pair for pair in pairs if pair[0] != pair[1]]


def table(quiz: ExportedQuiz) -> str:
    """What becomes of each kind in each format, as Markdown, by what the formats declare."""
    names = formats.writers()
    forms: dict[str, str] = {}
    for one in quiz.questions:
        forms.setdefault(one.kind, one.form)
    rows = [["kind", *(f"`{name}`" for name in names)], ["---"] * (len(names) + 1)]
    for kind, form in sorted(forms.items()):
        rows.append([f"`{kind}`", *(_said(formats.writer(name).WRITES.get(form)) for name in names)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _said(what: str | None) -> str:
    return "no" if what is None else what if what == SAME else f"as {what}"
