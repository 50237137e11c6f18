"""`multi`: the learner picks all options that hold. Partial credit: right picks less wrong ones, of all that hold."""

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

    class MultiFields(ClaimFields):
        """One or more options hold; the learner picks all of them."""

        kind: Literal["multi"]

    return MultiFields


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    claims.check_form(item, findings)
    keys = sum(option.key for option in item.options)
    if keys in (0, len(item.options)):
        which = "no option" if keys == 0 else "every option"
        message = f"{which} is a key"
        findings.add("bad-field", message, item.options[0].at, "mark those that hold with `key: true`")
    if item.answer:
        message = "a `multi` has no one `answer`"
        findings.add("bad-field", message, item.answer.at, "give each option a `holds`, or the item a `holds`")


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    return picking.prompt(item, variant, proof, many=True)


def read(prompt: Prompt, raw: str) -> Response | Unreadable:
    """See `Kind`."""
    assert isinstance(prompt.interaction, Pick)
    return picking.read_many(prompt.interaction, raw)


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    """See `Kind`. The mistake is that of the first wrong pick; leaving one out names none."""
    right = {index for index, option in enumerate(proof.options) if option.holds}
    picked = set(response.picked)
    if picked == right:
        return Score(Outcome.CORRECT, 1.0)
    points = max(0, len(picked & right) - len(picked - right)) / len(right)
    mistake = next((proof.options[index].mistake for index in sorted(picked - right)), None)
    feedback = "One that holds is not among yours." if right - picked else ""
    return Score(Outcome.PARTLY if points else Outcome.INCORRECT, points, mistake, feedback)


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    letters = "ABCDEFGH"
    right = [letter for letter, option in zip(letters, proof.options, strict=False) if option.holds]
    wrong = next(letter for letter, option in zip(letters, proof.options, strict=False) if not option.holds)
    return {"right": ", ".join(right), "wrong": wrong, "unreadable": "A, Z"}
