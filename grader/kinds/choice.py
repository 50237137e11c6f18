"""`choice`: the learner picks the one option that holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader import claims, picking
from grader.claims import Findings, plan
from grader.judging import judge
from grader.model import Item, Outcome, Pick, Prompt, Proof, Response, Score, Unreadable, Variant

if TYPE_CHECKING:
    from grader.fields import ItemFields
    from grader.marking import Marker

__all__ = ["check", "fields", "grade", "judge", "plan", "prompt", "read", "samples"]


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from grader.fields import ClaimFields

    class ChoiceFields(ClaimFields):
        """One option holds; the learner picks it."""

        kind: Literal["choice"]

    return ChoiceFields


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    claims.check_form(item, findings)
    keys = [option for option in item.options if option.key]
    if len(keys) != 1:
        at = keys[1].at if keys else item.options[0].at
        hint = "mark it with `key: true`" if not keys else "use the kind `multi` where several hold"
        findings.add("bad-field", f"a choice has one key, this one has {len(keys)}", at, hint)


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    return picking.prompt(item, variant, proof, many=False)


def read(prompt: Prompt, raw: str) -> Response | Unreadable:
    """See `Kind`."""
    assert isinstance(prompt.interaction, Pick)
    return picking.read_one(prompt.interaction, raw)


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    """See `Kind`."""
    picked = proof.options[response.picked[0]]
    if picked.holds:
        return Score(Outcome.CORRECT, 1.0)
    return Score(Outcome.INCORRECT, 0.0, picked.mistake)


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    holds = [option.holds for option in proof.options]
    letters = "ABCDEFGH"
    return {"right": letters[holds.index(True)], "wrong": letters[holds.index(False)], "unreadable": "Z"}
