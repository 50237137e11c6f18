"""`rank`: the learner puts things in order, by choosing one for each place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from grader.kinds.toolbox import (
    LETTERS,
    Body,
    ChooseOne,
    Claimed,
    Findings,
    Item,
    Labeled,
    Marker,
    Outcome,
    Prompt,
    Proof,
    Reader,
    Response,
    Results,
    Score,
    Traits,
    Variant,
    make_prompt,
    plan,
    prove_claims,
    read,
)

__all__ = ["TRAITS", "answer", "build", "check", "fields", "grade", "plan", "prompt", "prove", "read", "samples"]

TRAITS = Traits()


@dataclass(frozen=True, slots=True)
class Rank(Claimed):
    """`answer` gives a number for each of the things, and `letters` name them, the smallest number first."""

    things: tuple[str, ...] = ()
    letters: str = ""

    def run_and_asked(self) -> dict[str, Any]:
        return {"things": list(self.things), "letters": self.letters}


def fields():
    from typing import Annotated, Literal

    from pydantic import Field

    from grader.judging.fields import Expression, ItemFields, Short

    class RankFields(ItemFields):
        """The learner puts things in order."""

        kind: Literal["rank"]
        things: Annotated[list[Short], Field(min_length=2, max_length=8)]
        by: Expression = Field(description="A list with a number for each thing, in their order.")
        key: Short = Field(description="Letters of the things, the smallest number first: `B A C`.")

    return RankFields


def build(reader: Reader) -> Body:
    return Rank(answer=reader.expression("by"), things=tuple(reader.get("things")), letters=reader.get("key"))


def check(item: Item, findings: Findings) -> None:
    letters = list(LETTERS[: len(item.body.things)])
    if sorted(item.body.letters.split()) != letters:
        findings.add("bad-field", f"`key` is `{item.body.letters}`", item.at, f"write each of {' '.join(letters)} once")


def prove(item: Item, variant: Variant, results: Results) -> Proof:
    proof = prove_claims(item, variant, results)
    if proof.findings:
        return proof
    findings = Findings(item, variant)
    if not numbers(proof.answer, len(item.body.things)):
        findings.add("key-fails", f"`by` is {proof.answer}", item.at, "write a list with another number for each thing")
    elif picks(item.body.letters) != order(proof):
        says = " ".join(LETTERS[place] for place in order(proof))
        findings.add(
            "key-fails", f"the order is {says}, and `key` is {item.body.letters}", item.at, "correct one of them"
        )
    return replace(proof, findings=tuple(findings.found))


def numbers(values: Any, count: int) -> bool:
    """Whether there are so many numbers, all of them different."""
    if not isinstance(values, list | tuple) or len(set(map(repr, values))) != count or len(values) != count:
        return False
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def picks(letters: str) -> tuple[int, ...]:
    return tuple(LETTERS.index(letter) for letter in letters.split())


def order(proof: Proof) -> tuple[int, ...]:
    """The places of the things, the smallest number first."""
    return tuple(sorted(range(len(proof.answer)), key=lambda place: proof.answer[place]))


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    things = item.body.things
    labels = ("first", *(f"place {place}" for place in range(2, len(things))), "last")
    return make_prompt(item, variant, proof, tuple(ChooseOne(things, label) for label in labels))


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    right = sum(picked == place for picked, place in zip(response.picked, order(proof), strict=True))
    points = right / len(item.body.things)
    outcome = Outcome.CORRECT if points == 1 else Outcome.PARTLY if right else Outcome.INCORRECT
    twice = len(set(response.picked)) < len(response.picked)
    return Score(outcome, points, feedback="Each of them has one place." if twice else "")


def answer(item: Item, proof: Proof) -> tuple[Labeled, ...]:
    return tuple(Labeled(f"{number}", item.body.things[place]) for number, place in enumerate(order(proof), 1))


def samples(item: Item, proof: Proof) -> dict[str, str]:
    right = [LETTERS[place] for place in order(proof)]
    return {"right": "; ".join(right), "wrong": "; ".join(right[::-1]), "unreadable": "; ".join("?" for _ in right)}
