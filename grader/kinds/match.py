"""`match`: the learner says of each of several things which of the same values it has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from grader import template
from grader.judging import prompts, proofs
from grader.judging.bodies import Claimed, Reader, some, source
from grader.judging.building import build_compare
from grader.judging.claims import Findings, Results, plan
from grader.judging.comparison import equal
from grader.judging.parameters import NotPlainError, calculated
from grader.judging.reading_answers import read
from grader.kinds import Traits
from grader.model import (
    LETTERS,
    Body,
    ChooseOne,
    Expr,
    Item,
    Labeled,
    Outcome,
    Prompt,
    Proof,
    Response,
    Score,
    Span,
    Value,
    Variant,
    values,
)

if TYPE_CHECKING:
    from grader.judging.fields import ItemFields
    from grader.judging.running_answers import Marker

__all__ = ["TRAITS", "answer", "build", "check", "fields", "grade", "plan", "prompt", "prove", "read", "samples"]

TRAITS = Traits(retries=True)


@dataclass(frozen=True, slots=True)
class Row:
    """One of the things, what PyTorch says of it, and what its author says."""

    text: str
    answer: Expr
    key: Expr
    mistakes: tuple[tuple[str, Expr], ...] = ()
    """Misconceptions, and the value that each leads to."""


@dataclass(frozen=True, slots=True)
class Matched(Claimed):
    """Things, and what there is to choose from; the answer lists what PyTorch says of each."""

    rows: tuple[Row, ...] = ()
    others: tuple[Expr, ...] = ()
    """Values that none of them has."""

    def run_and_asked(self) -> dict[str, Any]:
        """See `Body`."""
        rows = [[source(row.key), [source(value) for _, value in row.mistakes]] for row in self.rows]
        return Claimed.run_and_asked(self) | some(rows=rows, others=[source(value) for value in self.others])

    def said(self) -> dict[str, Any]:
        """See `Body`."""
        return Claimed.said(self) | {"rows": [row.text for row in self.rows]}

    def recognized(self) -> tuple[tuple[str | None, Span], ...]:
        """See `Body`."""
        return tuple((name, value.at) for row in self.rows for name, value in row.mistakes)


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from pydantic import Field

    from grader.judging.fields import COMPARE, CompareFields, Expression, Fields, ItemFields, Short, Slug

    class RowMistake(Fields):
        """Which value somebody with a misconception chooses for this row."""

        mistake: Slug = Field(description="The misconception that leads here: an id under `mistakes`.")
        value: Expression = Field(description="The value that it leads to: a key of another row, or one of `others`.")

    class RowFields(Fields):
        """One thing that has one of the values."""

        text: Short = Field(min_length=1, description="What is shown, as Markdown.")
        answer: Expression = Field(description="What PyTorch says of it.")
        key: Expression = Field(
            description="The same, typed: a number, a text, a tuple, or calculated from parameters. It must agree."
        )
        mistakes: list[RowMistake] = Field(
            default_factory=list, max_length=6, description="Wrong choices to recognize."
        )

    class MatchFields(ItemFields):
        """The learner matches things with values."""

        kind: Literal["match"]
        rows: list[RowFields] = Field(min_length=2, max_length=8, description="What the learner matches.")
        others: list[Expression] = Field(
            default_factory=list, max_length=4, description="Values to choose from that none has."
        )
        compare: CompareFields = COMPARE
        tolerance: float = Field(1e-6, gt=0, lt=1, description="Relative, for numbers.")

    return MatchFields


def build(reader: Reader) -> Body:
    """See `Kind`."""
    rows = tuple(_row(reader, number) for number in range(len(reader.get("rows"))))
    others = tuple(_typed(reader, "others", number) for number in range(len(reader.get("others", default=()))))
    answers = ", ".join(f"({row.answer.text})" for row in rows)
    asked = Expr(f"[{answers}]", reader.at("rows"))
    return Matched(answer=asked, compare=build_compare(reader), rows=rows, others=others)


def _row(reader: Reader, number: int) -> Row:
    mistakes = reader.get("rows", number, "mistakes", default=())
    wrong = tuple(
        (entry["mistake"], _typed(reader, "rows", number, "mistakes", place, "value"))
        for place, entry in enumerate(mistakes)
    )
    answer = reader.expression("rows", number, "answer")
    assert answer is not None
    return Row(reader.get("rows", number, "text"), answer, _typed(reader, "rows", number, "key"), wrong)


def _typed(reader: Reader, *path: str | int) -> Expr:
    """A typed value: a literal, an expression over the parameters; all else is a text, as `float32` is."""
    written = reader.get(*path, default=0)
    text = written if isinstance(written, str) else repr(written)
    if text.removeprefix("torch.") in values.KNOWN_DTYPES:
        text = text.removeprefix("torch.")
    calculated = not (template.names_in(text) or set()).isdisjoint(reader.get("params", default={}))
    return Expr(text if calculated or template.literal(text) else repr(text), reader.at(*path))


def _body(item: Item) -> Matched:
    assert isinstance(item.body, Matched)
    return item.body


def _options(item: Item, variant: Variant) -> list[Value]:
    """The values to choose from, by how they are shown, so that their order tells nothing."""
    typed = [*(row.key for row in _body(item).rows), *_body(item).others]
    found = {_shown(value): value for value in (_value(one, variant) for one in typed)}
    return [found[shown] for shown in sorted(found)]


def _value(typed: Expr, variant: Variant) -> Value:
    """A typed value; one over the parameters that cannot be calculated is its text (`check` says so)."""
    if literal := template.literal(typed.text):
        return literal.value
    try:
        return calculated(typed, variant)
    except NotPlainError:
        return typed.text


def _shown(value: Value) -> str:
    """A value to choose, as code: `True` and not yes, which its author may write as a text."""
    return str(value) if isinstance(value, bool) else template.show(value)


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    body = _body(item)
    texts = [row.text for row in body.rows]
    if len(set(texts)) < len(texts):
        findings.add("bad-field", "a text is in `rows` twice", item.at, "name each thing once")
    for variant in item.variants if _calculated(body) else item.variants[:1]:
        found = len(findings.found)
        _check_values(body, variant, _options(item, variant), findings)
        if len(findings.found) > found:
            return


def _calculated(body: Matched) -> list[Expr]:
    """The typed values that are expressions over the parameters."""
    wrong = [value for row in body.rows for _, value in row.mistakes]
    typed = [*(row.key for row in body.rows), *wrong, *body.others]
    return [one for one in typed if template.literal(one.text) is None]


def _check_values(body: Matched, variant: Variant, options: list[Value], findings: Findings) -> None:
    """Whether the values of a variant can be calculated and chosen, and each mistake leads to a wrong one."""
    for one in _calculated(body):
        try:
            calculated(one, variant)
        except NotPlainError as error:
            message = f"`{template.brief(one.text)}` cannot be calculated from the parameters: {error}"
            findings.add("bad-expression", message, one.at, "put a text that contains a parameter's name in quotes")
            return
    if not 2 <= len(options) <= len(LETTERS):
        message = f"there are {len(options)} values to choose from"
        findings.add("bad-field", message, findings.item.at, f"let the keys and `others` make 2 to {len(LETTERS)}")
    for row in body.rows:
        for name, value in row.mistakes:
            if _value(value, variant) not in options or _value(value, variant) == _value(row.key, variant):
                message = f"`{template.brief(value.text)}` of the mistake `{name}` is not a wrong value to choose"
                findings.add("bad-field", message, value.at, "take a key of another row, or add it to `others`")


def prove(item: Item, variant: Variant, results: Results) -> Proof:
    """See `Kind`. Each key is what PyTorch says, and no other value is."""
    proof = proofs.prove(item, variant, results)
    if not isinstance(proof.answer, list):
        return proof
    body, findings = _body(item), Findings(item, variant, list(proof.findings))
    findings.found = [finding for finding in findings.found if "the last step does not arrive" not in finding.message]
    options = _options(item, variant)
    for row, said in zip(body.rows, proof.answer, strict=True):
        key = _value(row.key, variant)
        if not proofs.says(row.key, key, _comparable(said), body.compare):
            message = f"the key of {row.text} is {_shown(key)}, but PyTorch says {_shown(said)}"
            findings.add("key-fails", message, row.key.at, "correct the key, or fix the program")
        elif any(equal(other, _comparable(said), body.compare) for other in options if other != key):
            message = f"another value than its key is right for {row.text} too"
            findings.add("distractor-holds", message, row.key.at, "leave one of them out")
    return replace(proof, findings=tuple(findings.found), claims=proof.claims + len(body.rows))


def _comparable(said: Value) -> Value:
    """A dtype as its name, all else as it is: what is typed is a literal."""
    return template.show(said).removeprefix("torch.") if isinstance(said, dict) and "$dtype" in said else said


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    options = tuple(f"`{_shown(option)}`" for option in _options(item, variant))
    return prompts.prompt(item, variant, proof, tuple(ChooseOne(options, row.text) for row in _body(item).rows))


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    """See `Kind`. Each row counts; the mistake is that of the first wrong one which has some."""
    body, variant = _body(item), proof.variant
    options = _options(item, variant)
    right = [options[place] == _value(row.key, variant) for place, row in zip(response.picked, body.rows, strict=True)]
    if all(right):
        return Score(Outcome.CORRECT, 1.0)
    chosen = [
        name
        for place, row in zip(response.picked, body.rows, strict=True)
        for name, value in row.mistakes
        if _value(value, variant) == options[place]
    ]
    points = sum(right) / len(right)
    wrong = [row.text for row, good in zip(body.rows, right, strict=True) if not good]
    details = (f"Not right: {', '.join(wrong)}.",)
    outcome = Outcome.PARTLY if points else Outcome.INCORRECT
    return Score(outcome, points, next(iter(chosen), None), details=details)


def answer(item: Item, proof: Proof) -> tuple[Labeled, ...]:
    """See `Kind`."""
    rows = _body(item).rows
    return tuple(Labeled("", f"{row.text}: `{_shown(_value(row.key, proof.variant))}`") for row in rows)


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    options = _options(item, proof.variant)
    right = [options.index(_value(row.key, proof.variant)) for row in _body(item).rows]
    wrong = [(place + 1) % len(options) for place in right]
    lettered = ["; ".join(LETTERS[place] for place in places) for places in (right, wrong)]
    return {"right": lettered[0], "wrong": lettered[1], "unreadable": "A; Z"}
