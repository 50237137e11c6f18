"""`card`: a fact to remember. The learner recalls what is on the back, turns it over, and says how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader import claims, judging, template
from grader.claims import Findings, Results, plan
from grader.model import Flip, Item, Outcome, Prompt, Proof, Response, Score, Unreadable, Variant

if TYPE_CHECKING:
    from grader.fields import ItemFields
    from grader.marking import Marker

__all__ = ["check", "fields", "grade", "judge", "plan", "prompt", "read", "samples"]

RATINGS = ("again", "hard", "good", "easy")


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from grader.fields import ItemFields

    class CardFields(ItemFields):
        """A fact to remember: the stem is the front, the solution is the back."""

        kind: Literal["card"]

    return CardFields


def check(item: Item, findings: Findings) -> None:
    """See `Kind`. The back claims something that can be run."""
    if not any(step.holds or step.text.expressions for step in item.solution):
        findings.add("unproven", "the back of this card claims nothing that is run", item.at, "add a `holds:`")


def judge(item: Item, variant: Variant, results: Results) -> Proof:
    """See `Kind`."""
    return judging.judge(item, variant, results)


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    values = claims.known(item.stem.expressions, variant)
    if proof is None and values is None:
        return None
    stem = proof.stem if proof else template.fill(item.stem, values or {})
    return Prompt(item.id, item.kind, item.level, item.skill, variant, stem, "", Flip(), 0)


def read(prompt: Prompt, raw: str) -> Response | Unreadable:
    """See `Kind`. A number from 1 (not known) to 4 (easy), or its word."""
    word = raw.strip().casefold()
    if word in RATINGS:
        return Response(raw, number=RATINGS.index(word) + 1)
    if word in ("1", "2", "3", "4"):
        return Response(raw, number=int(word))
    return Unreadable(raw, "Say how it went: 1 again, 2 hard, 3 good, 4 easy.")


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    """See `Kind`. What the learner says of it is what counts."""
    rating = int(response.number or 1)
    if rating == 1:
        return Score(Outcome.INCORRECT, 0.0, rating=rating)
    return Score(Outcome.CORRECT, 1.0, rating=rating)


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    return {"right": "3", "wrong": "again", "unreadable": "5"}
