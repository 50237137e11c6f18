"""`choice`: the learner picks the one option that holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.judging import claim_form, claims, prompts
from grader.judging.bodies import Reader, claimed
from grader.judging.building import build_claimed
from grader.judging.claims import Findings, plan
from grader.judging.proofs import prove
from grader.judging.reading_answers import read
from grader.kinds import Traits
from grader.model import LETTERS, Body, Item, Labeled, Outcome, Prompt, Proof, Response, Score, Variant

if TYPE_CHECKING:
    from grader.judging.fields import ItemFields
    from grader.judging.running_answers import Marker

__all__ = ["TRAITS", "answer", "build", "check", "fields", "grade", "plan", "prompt", "prove", "read", "samples"]

TRAITS = Traits()


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from grader.judging.fields import ClaimFields

    class ChoiceFields(ClaimFields):
        """One option holds; the learner picks it."""

        kind: Literal["choice"]

    return ChoiceFields


def build(reader: Reader) -> Body:
    """See `Kind`."""
    return build_claimed(reader)


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    claim_form.check_form(item, findings)
    for options in claims.options_by_variant(item):
        keys = [option for option in options if option.key]
        if len(keys) == 1 or item.imported:  # any of several may count; of one without, it is told what is wanted
            continue
        at = keys[1].at if keys else claimed(item).options[0].at
        hint = "mark it with `key: true`" if not keys else "use the kind `multi` where several hold"
        findings.add("bad-field", f"a choice has one key, this one has {len(keys)}", at, hint)
        break


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    return prompts.options(item, variant, proof, many=False)


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    """See `Kind`."""
    picked = proof.options[response.picked[0]]
    if picked.holds:
        return Score(Outcome.CORRECT, 1.0)
    return Score(Outcome.INCORRECT, 0.0, picked.mistake)


def answer(item: Item, proof: Proof) -> tuple[Labeled, ...]:
    """See `Kind`."""
    return ()


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    holds = [option.holds for option in proof.options]
    return {"right": LETTERS[holds.index(True)], "wrong": LETTERS[holds.index(False)], "unreadable": "Z"}
