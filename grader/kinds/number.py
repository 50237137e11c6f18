"""`number`: the learner types a number. A wrong one that a listed mistake yields is recognised."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from grader import claims, judging, picking, template
from grader.claims import Findings, Results, plan
from grader.model import Item, Outcome, Prompt, Proof, Response, Score, Type, Unreadable, Variant

if TYPE_CHECKING:
    from grader.fields import ItemFields
    from grader.marking import Marker

__all__ = ["check", "fields", "grade", "judge", "plan", "prompt", "read", "samples"]


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from pydantic import Field

    from grader.fields import Expression, ItemFields, Short, WrongNumberFields

    class NumberFields(ItemFields):
        """The learner types a number."""

        kind: Literal["number"]
        answer: Expression = Field(description="What PyTorch says.")
        tolerance: float = Field(1e-6, gt=0, lt=1, description="Relative.")
        counts: Short = Field("step", description="What the optimizer's steps count, such as `epoch`.")
        unit: str = Field("", description="What the number counts, such as `epochs`.")
        mistakes: list[WrongNumberFields] = Field(
            default_factory=list, max_length=20, description="Wrong numbers to recognise."
        )

    return NumberFields


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    claims.check_yields(item, findings)


def judge(item: Item, variant: Variant, results: Results) -> Proof:
    """See `Kind`."""
    proof = judging.judge(item, variant, results)
    answer = proof.answer
    assert item.answer is not None
    if not proof.findings and (isinstance(answer, bool) or not isinstance(answer, int | float)):
        findings = Findings(item, variant)
        message = f"`{item.answer.text}` is {template.show(answer)}, which is no number"
        findings.add("step-fails", message, item.answer.at, "ask for one number")
        return replace(proof, findings=tuple(findings.found))
    return proof


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    if proof is None:
        values = claims.known(item.stem.expressions, variant)
        if values is None:
            return None
        stem = template.fill(item.stem, values)
    else:
        stem = proof.stem
    program = claims.shown_program(item, variant)
    interaction = Type(item.unit)
    return Prompt(item.id, item.kind, item.level, item.skill, variant, stem, program, interaction, len(item.hints))


def read(prompt: Prompt, raw: str) -> Response | Unreadable:
    """See `Kind`. Plain and scientific notation; a decimal comma is refused, since it may group thousands."""
    number = picking.read_number(raw)
    return number if isinstance(number, Unreadable) else Response(raw, number=number)


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    """See `Kind`."""
    if judging.equal(response.number, proof.answer, item.tolerance):
        return Score(Outcome.CORRECT, 1.0)
    said = f"PyTorch says {template.show(proof.answer)}."
    for option in proof.options:
        if judging.equal(response.number, option.value, item.tolerance):
            return Score(Outcome.INCORRECT, 0.0, option.mistake, details=(said,))
    used = proof.observation.lr_used
    places = [step for step, rate in enumerate(used, 1) if judging.equal(response.number, rate, item.tolerance)]
    if len(places) == 1:
        said += f" {template.show(response.number)} is the rate that {item.counts} {places[0]} trains with."
    return Score(Outcome.INCORRECT, 0.0, details=(said,))


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    assert isinstance(proof.answer, int | float)
    wrong = next((repr(option.value) for option in proof.options), repr(proof.answer * 2 + 1))
    return {"right": repr(proof.answer), "wrong": wrong, "unreadable": "abc"}
