"""`card`: a fact to remember. The learner recalls what is on the back, turns it over, and says how it went."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from grader.judging import prompts
from grader.judging.bodies import Claimed, Reader
from grader.judging.claims import Findings, plan
from grader.judging.proofs import prove
from grader.kinds import Traits
from grader.model import Body, ChooseOne, Item, Labeled, Outcome, Prompt, Proof, Response, Score, Unreadable, Variant

if TYPE_CHECKING:
    from grader.judging.fields import ItemFields
    from grader.judging.running_answers import Marker

__all__ = ["TRAITS", "answer", "build", "check", "fields", "grade", "plan", "prompt", "prove", "read", "samples"]

TRAITS = Traits(is_card=True, cell="")
RATINGS = ("again", "hard", "good", "easy")


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from grader.judging.fields import ItemFields

    class CardFields(ItemFields):
        """A fact to remember: the stem is the front, the solution is the back."""

        kind: Literal["card"]

    return CardFields


def build(reader: Reader) -> Body:
    """See `Kind`. The front and the back are what every item has."""
    return Claimed()


def check(item: Item, findings: Findings) -> None:
    """See `Kind`. The back claims something that can be run."""
    if not any(step.holds or step.text.expressions for step in item.solution):
        findings.add("unproven", "the back of this card claims nothing that is run", item.at, "add a `holds:`")


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    asked = prompts.prompt(item, variant, proof, (ChooseOne(RATINGS),))
    return asked and replace(asked, program="", given=(), hints=0, reveals=True)


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


def answer(item: Item, proof: Proof) -> tuple[Labeled, ...]:
    """See `Kind`."""
    return ()


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    return {"right": "3", "wrong": "again", "unreadable": "5"}
