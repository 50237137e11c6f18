"""`multi`: the learner picks all options that hold. Partial credit: right picks less wrong ones, of all that hold."""

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

    class MultiFields(ClaimFields):
        """One or more options hold; the learner picks all of them."""

        kind: Literal["multi"]

    return MultiFields


def build(reader: Reader) -> Body:
    """See `Kind`."""
    return build_claimed(reader)


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    claim_form.check_form(item, findings)
    body = claimed(item)
    for options in claims.options_by_variant(item):
        keys = sum(option.key for option in options)
        if keys in (0, len(options)) and not item.imported:
            which = "no option" if keys == 0 else "every option"
            message = f"{which} is a key"
            findings.add("bad-field", message, body.options[0].at, "mark those that hold with `key: true`")
            break
    if body.answer:
        message = "a `multi` has no one `answer`"
        findings.add("bad-field", message, body.answer.at, "give each option a `holds`, or the item a `holds`")


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    return prompts.options(item, variant, proof, many=True)


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    """See `Kind`. The mistake is that of the first wrong pick; leaving one out names none."""
    right = {index for index, option in enumerate(proof.options) if option.holds}
    picked = set(response.picked)
    if picked == right:
        return Score(Outcome.CORRECT, 1.0)
    points = max(0, len(picked & right) - len(picked - right)) / len(right)
    mistake = next((proof.options[index].mistake for index in sorted(picked - right)), None)
    feedback = "You missed an option that holds." if right - picked else ""
    return Score(Outcome.PARTLY if points else Outcome.INCORRECT, points, mistake, feedback)


def answer(item: Item, proof: Proof) -> tuple[Labeled, ...]:
    """See `Kind`."""
    return ()


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    right = [letter for letter, option in zip(LETTERS, proof.options, strict=False) if option.holds]
    wrong = next(letter for letter, option in zip(LETTERS, proof.options, strict=False) if not option.holds)
    return {"right": ", ".join(right), "wrong": wrong, "unreadable": "A, Z"}
