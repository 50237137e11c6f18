"""Items of a bank as questions for other programs. Each is proven first, and what is written as right was judged so."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grader import kinds
from grader.exchange import words
from grader.exchange.exported_questions import (
    ExportedQuestion,
    ExportedQuiz,
    Form,
    Origin,
    Part,
    decimal,
    fenced,
    inline,
)
from grader.exchange.published_questions import PublishedKey, PublishedOption
from grader.judging.bodies import Claimed
from grader.judging.comparison import USUAL_COMPARE, margin
from grader.judging.running_answers import Marker
from grader.model import (
    Bank,
    ChooseMany,
    ChooseOne,
    CodeInput,
    Item,
    Labeled,
    Mistake,
    NumberInput,
    OrderInput,
    Outcome,
    Prompt,
    Proof,
    Response,
    TextInput,
    Value,
    values,
)
from grader.template import printable, show

MOST_SPELLINGS = 12
"""Forms of one typed answer that are written."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What there is to write, and what is left out."""

    quiz: ExportedQuiz
    unproven: tuple[tuple[str, str], ...] = ()
    """Items that were not proven, and why."""


def form_of(prompt: Prompt) -> Form | None:
    """What a question asks for; None for a mixture that no kind of ours asks for."""
    if prompt.reveals:
        return "card"
    match prompt.inputs:
        case (ChooseMany(),):
            return "many"
        case (ChooseOne(label=""),):
            return "one"
        case (NumberInput(label=""),):
            return "number"
        case (TextInput(python=False, label=""),):
            return "text"
    for sort, form in _SEVERAL:
        if all(isinstance(one, sort) for one in prompt.inputs):
            return form
    return None


_SEVERAL: tuple[tuple[Any, Form], ...] = (
    (ChooseOne, "match"),
    (NumberInput, "table"),
    (TextInput | OrderInput | CodeInput, "written"),
)


def question(
    item: Item, proof: Proof, topic: str, mistakes: Mapping[str, Mistake], marker: Marker
) -> ExportedQuestion | None:
    """A variant of an item that was proven; None where no form fits it. `marker` runs nothing here."""
    kind = kinds.of(item)
    prompt = kind.prompt(item, proof.variant, proof)
    form = form_of(prompt) if prompt else None
    if prompt is None or form is None:
        return None
    own = (Labeled("", prompt.program, code=True),) if prompt.program else ()
    plain = ExportedQuestion(
        item=item.id, variant=proof.variant.index, topic=topic, kind=item.kind, level=prompt.level,
        skill=prompt.skill, form=form, stem=prompt.stem, code=(*prompt.given, *own), figures=prompt.figures,
        answer=kind.answer(item, proof), hints=proof.hints, solution=proof.solution,
    )  # fmt: skip
    made: ExportedQuestion = _printable(_Filler(item, proof, prompt, mistakes, marker).filled(plain))
    return made


class _Filler:
    """Adds what is to be answered, and what is right."""

    def __init__(
        self, item: Item, proof: Proof, prompt: Prompt, mistakes: Mapping[str, Mistake], marker: Marker
    ) -> None:
        self.item, self.proof, self.prompt = item, proof, prompt
        self.mistakes, self.marker = mistakes, marker
        self.kind = kinds.of(item)
        self.compare = item.body.compare if isinstance(item.body, Claimed) else USUAL_COMPARE

    def filled(self, made: ExportedQuestion) -> ExportedQuestion:
        match made.form:
            case "one" | "many":
                return self._options(made)
            case "number" if _finite(self.proof.answer):
                return self._number(made)
            case "number" | "text":
                return self._text(made)
            case "match":
                return self._rows(made)
            case "table" if all(map(_finite, values.flat(self.proof.answer))):
                return self._cells(made)
            case "table" | "written":
                return self._written(replace(made, form="written"))
        return made

    def _says(self, mistake: str | None) -> str:
        known = self.mistakes.get(mistake or "")
        return known.says if known else ""

    def _options(self, made: ExportedQuestion) -> ExportedQuestion:
        (pick,) = self.prompt.inputs
        assert isinstance(pick, ChooseOne | ChooseMany)
        options = tuple(
            PublishedOption(
                inline(shown) if pick.code else shown, one.holds, "" if one.holds else self._says(one.mistake)
            )
            for shown, one in zip(pick.options, self.proof.options, strict=True)
        )
        task = words.PICK_ALL if isinstance(pick, ChooseMany) else ""
        return replace(made, options=options, fixed=bool(pick.last), task=task)

    def _key(self, number: Value, whole: Value) -> PublishedKey:
        assert isinstance(number, int | float)
        near = margin(number, whole, self.compare)
        return PublishedKey(decimal(number), float(f"{near:.3g}") if near else None)

    def _number(self, made: ExportedQuestion) -> ExportedQuestion:
        (asked,) = self.prompt.inputs
        assert isinstance(asked, NumberInput)
        wrong = {
            self._key(one.value, one.value): self._says(one.mistake) for one in self.proof.options if _finite(one.value)
        }
        task = words.number_in(asked.unit)
        return replace(
            made, keys=(self._key(self.proof.answer, self.proof.answer),), wrong=tuple(wrong.items()), task=task
        )

    def _text(self, made: ExportedQuestion) -> ExportedQuestion:
        keys = self._spellings()
        if not keys:
            return self._written(replace(made, form="written"))
        wrong: dict[PublishedKey, str] = {}
        for one in self.proof.options:
            if self._judged(one.shown) is Outcome.INCORRECT and "\n" not in one.shown:
                wrong.setdefault(PublishedKey(one.shown), self._says(one.mistake))
        (asked,) = self.prompt.inputs
        task = words.answer_with(asked.wanted) if isinstance(asked, TextInput) else ""
        return replace(made, form="text", keys=tuple(map(PublishedKey, keys)), wrong=tuple(wrong.items()), task=task)

    def _judged(self, raw: str) -> Outcome:
        response = self.kind.read(self.prompt, raw)
        if not isinstance(response, Response):
            return Outcome.UNREADABLE
        return self.kind.grade(self.item, self.proof, response, self.marker).outcome

    def _spellings(self) -> list[str]:
        """The right answer in the forms in which it is typed, each of which was judged right; one line each."""
        usual = self.kind.samples(self.item, self.proof)["right"].strip()
        tried = list(dict.fromkeys(text for text in spellings(usual) if text.strip() and "\n" not in text))
        return [text for text in tried if self._judged(text) is Outcome.CORRECT][:MOST_SPELLINGS]

    def _rows(self, made: ExportedQuestion) -> ExportedQuestion:
        response = self.kind.read(self.prompt, self.kind.samples(self.item, self.proof)["right"])
        assert isinstance(response, Response)
        rows = [one for one in self.prompt.inputs if isinstance(one, ChooseOne)]
        parts = tuple(
            Part(row.label, row.options, right, shown=row.options[right])
            for row, right in zip(rows, response.picked, strict=True)
        )
        return replace(made, parts=parts, task=words.MATCH)

    def _cells(self, made: ExportedQuestion) -> ExportedQuestion:
        whole = values.flat(self.proof.answer)
        cells = [one for one in self.prompt.inputs if isinstance(one, NumberInput)]
        parts = tuple(
            Part(cell.label, key=self._key(number, whole), shown=show(number), cell=cell.cell)
            for cell, number in zip(cells, whole, strict=True)
        )
        return replace(made, parts=parts, task=words.TABLE)

    def _written(self, made: ExportedQuestion) -> ExportedQuestion:
        task, starter = [], ""
        for one in self.prompt.inputs:
            match one:
                case OrderInput(lines=lines):
                    task += [words.ORDER, *(fenced(line) for line in lines)]
                case CodeInput():
                    starter = one.starter.strip("\n")
                    task.append(words.run_with(one.cases, others=one.others))
                case NumberInput() | TextInput() if not task:
                    blanks = words.BLANKS if len(self.prompt.inputs) > 1 else words.BLANK
                    task.append(blanks if one.label else words.answer_with(getattr(one, "wanted", "")))
        return replace(made, task="\n\n".join(filter(None, task)), starter=starter)


def spellings(text: str) -> Iterator[str]:
    """Forms in which a value may be typed, the usual one first; not all of them say the same, so they are judged.

    >>> list(dict.fromkeys(spellings("(2, 3)")))[:5]
    ['(2, 3)', '(2,3)', '[2, 3]', '[2,3]', '2, 3']
    """
    lines = text.replace("\n", "; ")
    for shown in (text, lines):
        inside = shown[1:-1].rstrip(",") if re.fullmatch(r"\(.*\)|\[.*\]", shown, re.DOTALL) else None
        forms = [shown]
        if inside is not None:
            forms += [f"[{inside}]", inside, f"({inside})", f"torch.Size([{inside}])", inside.replace(", ", "x")]
        forms += [f"torch.{shown}", shown.removeprefix("torch."), shown.replace("'", '"'), shown.lower()]
        for form in forms:
            yield form
            yield re.sub(r",\s+", ",", form)


def _finite(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _printable(made: Any) -> Any:
    """The same with control characters spelled out in all its texts: XML has no way to write them."""
    from dataclasses import fields, is_dataclass

    if isinstance(made, str):
        return printable(made)
    if isinstance(made, tuple):
        return tuple(map(_printable, made))
    if is_dataclass(made) and isinstance(made, ExportedQuestion | PublishedOption | PublishedKey | Part | Labeled):
        return replace(made, **{one.name: _printable(getattr(made, one.name)) for one in fields(made)})
    return made


# ---------------------------------------------------------------- of a bank


def origin(bank: Bank, topics: Iterable[str]) -> Origin:
    """What a bank says of itself, and what these topics say that is not so of the bank."""
    about = bank.about
    own = [words.not_the_banks(topic) for topic in bank.topics if topic.name in topics and topic.license + topic.source]
    licenses = "; ".join(dict.fromkeys([about.license or words.NOT_STATED, *own]))
    return Origin(about.title or about.name or words.NO_TITLE, licenses, about.authors, about.name)


def export(bank: Bank, asked: Sequence[tuple[Item, Proof]], marker: Marker, title: str) -> Exported:
    """The questions of items that were run; those that are not proven are told apart."""
    topics = {topic.name: topic.title for topic in bank.topics}
    mistakes = bank.mistakes
    made, unproven = [], list[tuple[str, str]]()
    for item, proof in asked:
        if proof.errors:
            unproven.append((item.id, str(proof.errors[0])))
        elif one := question(item, proof, topics.get(item.topic, item.topic), mistakes, marker):
            made.append(one)
        else:
            unproven.append((item.id, words.NO_FORM))
    return Exported(
        ExportedQuiz(title, tuple(made), origin(bank, {item.topic for item, _ in asked})), tuple(dict(unproven).items())
    )
