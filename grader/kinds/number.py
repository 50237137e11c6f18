"""`number`: the learner types a number. A wrong one that a listed mistake yields is recognised."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from grader import template
from grader.judging import claim_form, comparison, prompts, proofs
from grader.judging.bodies import Reader, claimed
from grader.judging.building import build_claimed
from grader.judging.claims import Findings, Results, plan
from grader.judging.reading_answers import read
from grader.kinds import Traits
from grader.model import Body, Item, Labeled, NumberInput, Outcome, Prompt, Proof, Response, Score, Variant

if TYPE_CHECKING:
    from grader.judging.fields import ItemFields
    from grader.judging.running_answers import Marker

__all__ = ["TRAITS", "answer", "build", "check", "fields", "grade", "plan", "prompt", "prove", "read", "samples"]

TRAITS = Traits()


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from pydantic import Field

    from grader.judging.fields import COMPARE, CompareFields, Expression, ItemFields, Short, WrongNumberFields

    class NumberFields(ItemFields):
        """The learner types a number."""

        kind: Literal["number"]
        key: Expression | None = Field(None, description="The answer as published or as you know it: it must agree.")
        compare: CompareFields = COMPARE
        answer: Expression = Field(description="What PyTorch says.")
        tolerance: float = Field(1e-6, gt=0, lt=1, description="Relative.")
        counts: Short = Field("step", description="What the optimizer's steps count, such as `epoch`.")
        unit: str = Field("", description="What the number counts, such as `epochs`.")
        mistakes: list[WrongNumberFields] = Field(
            default_factory=list, max_length=20, description="Wrong numbers to recognize."
        )

    return NumberFields


def build(reader: Reader) -> Body:
    """See `Kind`."""
    return build_claimed(reader, "mistakes")


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    claim_form.check_yields(item, findings)


def prove(item: Item, variant: Variant, results: Results) -> Proof:
    """See `Kind`."""
    proof = proofs.numeric(proofs.prove(item, variant, results))
    answer, asked = proof.answer, claimed(item).answer
    assert asked is not None
    if not proof.errors and (isinstance(answer, bool) or not isinstance(answer, int | float)):
        findings = Findings(item, variant)
        message = f"`{asked.text}` is {template.show(answer)}, which is not a number"
        findings.add("step-fails", message, asked.at, "ask for one number")
        return replace(proof, findings=tuple(findings.found))
    return proof


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    return prompts.prompt(item, variant, proof, (NumberInput(unit=claimed(item).unit),))


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    """See `Kind`."""
    if comparison.equal(response.number, proof.answer, claimed(item).compare):
        return Score(Outcome.CORRECT, 1.0)
    said = f"PyTorch says {template.show(proof.answer)}."
    for option in proof.options:
        if comparison.equal(response.number, option.value, claimed(item).compare):
            return Score(Outcome.INCORRECT, 0.0, option.mistake, details=(said,))
    used = proof.observation.lr_used
    places = [
        step for step, rate in enumerate(used, 1) if comparison.equal(response.number, rate, claimed(item).compare)
    ]
    if len(places) == 1:
        said += f" {template.show(response.number)} is the rate that {claimed(item).counts} {places[0]} trains with."
    return Score(Outcome.INCORRECT, 0.0, details=(said,))


def answer(item: Item, proof: Proof) -> tuple[Labeled, ...]:
    """See `Kind`."""
    return (Labeled("", f"{template.show(proof.answer)} {claimed(item).unit}".rstrip()),)


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    assert isinstance(proof.answer, int | float)
    wrong = next((repr(option.value) for option in proof.options), repr(proof.answer * 2 + 1))
    return {"right": repr(proof.answer), "wrong": wrong, "unreadable": "abc"}
