"""`number`: the learner types a number. A wrong one that a listed mistake yields is recognised."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from grader import claims, judging, template
from grader.claims import Findings, Results, plan
from grader.model import Item, Outcome, Prompt, Proof, Response, Score, Type, Unreadable, Variant

if TYPE_CHECKING:
    from grader.fields import ItemFields

__all__ = ["check", "fields", "grade", "judge", "plan", "prompt", "read", "samples"]


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from pydantic import Field

    from grader.fields import Expression, ItemFields, WrongNumberFields

    class NumberFields(ItemFields):
        """The learner types a number."""

        kind: Literal["number"]
        answer: Expression = Field(description="What PyTorch says.")
        tolerance: float = Field(1e-6, gt=0, lt=1, description="Relative.")
        unit: str = Field("", description="What the number counts, such as `epochs`.")
        mistakes: list[WrongNumberFields] = Field(default_factory=list, description="Wrong numbers to recognise.")

    return NumberFields


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    for option in item.options:
        if not option.yields and not option.instead:
            message = f"nothing says how the mistake `{option.mistake}` gets its number"
            findings.add("unproven", message, option.at, "add `yields:` or `instead:`")
        claims.check_evidence(item, option, findings)


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
    text = raw.strip()
    if not re.fullmatch(template.NUMBER, text):
        comma = re.fullmatch(r"[-+]?\d*,\d+", text)
        why = "write the decimal point as `.`" if comma else "answer with a number, such as 0.05 or 5e-2"
        return Unreadable(raw, why)
    number = float(text)
    if not math.isfinite(number):
        return Unreadable(raw, "the number is too large")
    return Response(raw, number=number)


def grade(item: Item, proof: Proof, response: Response) -> Score:
    """See `Kind`."""
    if judging.equal(response.number, proof.answer, item.tolerance):
        return Score(Outcome.CORRECT, 1.0)
    for option in proof.options:
        if judging.equal(response.number, option.value, item.tolerance):
            return Score(Outcome.INCORRECT, 0.0, option.mistake)
    return Score(Outcome.INCORRECT, 0.0)


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    assert isinstance(proof.answer, int | float)
    wrong = next((repr(option.value) for option in proof.options), repr(proof.answer * 2 + 1))
    return {"right": repr(proof.answer), "wrong": wrong, "unreadable": "abc"}
