"""`rank`: the learner says of each of several things which place it has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from grader.judging import prompts, proofs
from grader.judging.bodies import Claimed, Reader
from grader.judging.claims import Findings, Results, plan
from grader.judging.reading_answers import read
from grader.kinds import Traits
from grader.model import LETTERS, Body, ChooseOne, Item, Labeled, Outcome, Prompt, Proof, Response, Score, Variant

if TYPE_CHECKING:
    from grader.judging.fields import ItemFields
    from grader.judging.running_answers import Marker

__all__ = ["TRAITS", "answer", "build", "check", "fields", "grade", "plan", "prompt", "prove", "read", "samples"]

TRAITS = Traits(retries=True)


@dataclass(frozen=True, slots=True)
class Ranked(Claimed):
    """The things that are ranked; the answer lists their places, from 1, in the order of `things`."""

    things: tuple[str, ...] = ()

    def run_and_asked(self) -> dict[str, Any]:
        """See `Body`."""
        return Claimed.run_and_asked(self) | {"things": list(self.things)}


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from pydantic import Field

    from grader.judging.fields import Expression, ItemFields, Short

    class RankFields(ItemFields):
        """The learner ranks things."""

        kind: Literal["rank"]
        things: list[Short] = Field(min_length=2, max_length=6, description="What is ranked.")
        answer: Expression = Field(description="The place of each thing, from 1.")
        aside: Short = Field("", description="A field that this kind forgets, for a test.")

    return RankFields


def build(reader: Reader) -> Body:
    """See `Kind`."""
    return Ranked(answer=reader.expression("answer"), things=tuple(reader.get("things")))


def _things(item: Item) -> tuple[str, ...]:
    assert isinstance(item.body, Ranked)
    return item.body.things


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    if len(set(_things(item))) < len(_things(item)):
        findings.add("bad-field", "a thing stands twice in `things`", item.at, "name each once")


def prove(item: Item, variant: Variant, results: Results) -> Proof:
    """See `Kind`."""
    proof = proofs.prove(item, variant, results)
    places = list(range(1, len(_things(item)) + 1))
    if proof.findings or (isinstance(proof.answer, list) and sorted(map(str, proof.answer)) == sorted(map(str, places))):
        return proof
    findings = Findings(item, variant)
    findings.add("step-fails", f"`answer` is {proof.answer}, not each of {places} once", item.at, "give the places")
    return replace(proof, findings=tuple(findings.found))


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    places = tuple(str(place) for place in range(1, len(_things(item)) + 1))
    return prompts.prompt(item, variant, proof, tuple(ChooseOne(places, thing) for thing in _things(item)))


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    """See `Kind`."""
    assert isinstance(proof.answer, list)
    right = [place + 1 == said for place, said in zip(response.picked, proof.answer, strict=True)]
    if all(right):
        return Score(Outcome.CORRECT, 1.0)
    points = sum(right) / len(right)
    wrong = _things(item)[right.index(False)]
    return Score(Outcome.PARTLY if points else Outcome.INCORRECT, points, details=(f"Look at {wrong} again.",))


def answer(item: Item, proof: Proof) -> tuple[Labeled, ...]:
    """See `Kind`."""
    assert isinstance(proof.answer, list)
    return tuple(Labeled(thing, str(place)) for thing, place in zip(_things(item), proof.answer, strict=True))


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    assert isinstance(proof.answer, list)
    right = [LETTERS[int(str(place)) - 1] for place in proof.answer]
    return {"right": "; ".join(right), "wrong": "; ".join(right[::-1]), "unreadable": "A; Z"}
