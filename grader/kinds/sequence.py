"""`sequence`: the learner fills a table of numbers. Each cell counts; feedback is about the first that differs."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from grader import charts, claims, diagnosis, exercises, judging, template
from grader.claims import Findings, Plan, Results
from grader.model import Item, Outcome, Prompt, Proof, Response, Score, Table, Unreadable, Variant
from grader.template import show

if TYPE_CHECKING:
    from grader.fields import ItemFields
    from grader.marking import Marker

MOST_CELLS = 40


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from pydantic import Field

    from grader.fields import Expression, ItemFields, Short, WrongNumberFields

    class SequenceFields(ItemFields):
        """The learner fills a table of numbers."""

        kind: Literal["sequence"]
        answer: Expression = Field(description="What PyTorch says: a list of numbers.")
        cells: Expression = Field(description="How many numbers, from parameters alone.")
        shows: Short = Field("rate", description="What the cells hold, in a word.")
        counts: Short = Field("step", description="What the cells count, such as `epoch`.")
        tolerance: float = Field(1e-6, gt=0, lt=1, description="Relative.")
        mistakes: list[WrongNumberFields] = Field(
            default_factory=list, max_length=20, description="Wrong tables to recognise."
        )

    return SequenceFields


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    claims.check_yields(item, findings)
    for variant in item.variants[:1]:
        if item.cells and _count(item, variant) is None:
            message = f"`{item.cells.text}` is no number of cells (1 to {MOST_CELLS})"
            findings.add("bad-field", message, item.cells.at, "write a number or the name of a parameter")


def _count(item: Item, variant: Variant) -> int | None:
    assert item.cells is not None
    values = claims.known([item.cells], variant)
    count = values[item.cells.text].value if values else None
    return count if type(count) is int and 1 <= count <= MOST_CELLS else None


def plan(item: Item, variant: Variant) -> Plan:
    """See `Kind`."""
    return claims.plan(item, variant)


def judge(item: Item, variant: Variant, results: Results) -> Proof:
    """See `Kind`."""
    proof = judging.judge(item, variant, results)
    answer, count = proof.answer, _count(item, variant)
    assert item.answer is not None
    if proof.findings:
        return proof
    numbers = isinstance(answer, list) and all(type(entry) in (int, float) for entry in answer)
    if not numbers or not isinstance(answer, list) or len(answer) != count:
        findings = Findings(item, variant)
        message = f"`{item.answer.text}` is {show(answer)}, which is no list of {count} numbers"
        findings.add("step-fails", message, item.answer.at, "let `cells` say how many numbers the answer has")
        return replace(proof, findings=tuple(findings.found))
    return proof


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    labels = tuple(f"{item.counts} {number}" for number in range(1, (_count(item, variant) or 0) + 1))
    return exercises.prompt(item, variant, proof, Table(labels))


def read(prompt: Prompt, raw: str) -> Response | Unreadable:
    """See `Kind`. Numbers with spaces, commas, semicolons or line ends between them."""
    assert isinstance(prompt.interaction, Table)
    wanted = len(prompt.interaction.labels)
    words = raw.replace(",", " ").replace(";", " ").strip().strip("[]()").split()
    bad = next((word for word in words if not re.fullmatch(template.NUMBER, word)), None)
    if bad is not None:
        return Unreadable(raw, f"`{bad[:20]}` is no number; answer with {wanted} numbers and spaces between them")
    numbers = tuple(map(float, words))
    if len(numbers) != wanted:
        return Unreadable(raw, f"{wanted} numbers are wanted, with spaces between them; there are {len(numbers)}")
    if not all(map(math.isfinite, numbers)):
        return Unreadable(raw, "one of the numbers is too large")
    return Response(raw, numbers=numbers)


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    """See `Kind`."""
    right, yours = proof.answer, list(response.numbers)
    assert isinstance(right, list)
    cells = [judging.equal(one, other, item.tolerance) for one, other in zip(yours, right, strict=True)]
    points = sum(cells) / len(cells)
    if all(cells):
        return Score(Outcome.CORRECT, 1.0)
    mistake = next((o.mistake for o in proof.options if judging.equal(list(yours), o.value, item.tolerance)), None)
    said = diagnosis.departure(list(yours), right, item.shows, item.counts, item.tolerance)
    chart = (
        charts.comparison(yours, right, item.shows, item.counts)
        if diagnosis.curve(right) and diagnosis.curve(list(yours))
        else None
    )
    outcome = Outcome.PARTLY if points else Outcome.INCORRECT
    return Score(outcome, points, mistake, "", (said,), chart)


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    assert isinstance(proof.answer, list)
    right = " ".join(map(repr, proof.answer))
    wrong = " ".join(repr(float(str(value)) * 2 + 1) for value in proof.answer)
    return {"right": right, "wrong": wrong, "unreadable": right + " 1"}
