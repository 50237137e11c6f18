"""`order`: the learner puts lines in order (Parsons). Right is any order that makes the program do what is asked."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from grader import exercises, marking
from grader.claims import Findings, Plan, Results
from grader.model import Arrange, Item, Outcome, Prompt, Proof, Response, Score, Unreadable, Variant

if TYPE_CHECKING:
    from grader.fields import ItemFields
    from grader.marking import Marker


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from pydantic import Field

    from grader.fields import Code, CompletedFields, WrongAnswerFields

    class OrderedMistake(WrongAnswerFields):
        """The order in which somebody with the mistake puts the lines."""

        lines: list[Code] = Field(
            min_length=2, max_length=9, description="The same lines in another order; it must fail."
        )

    class OrderFields(CompletedFields):
        """The learner puts lines in order, which go to the program's `...answer...`."""

        kind: Literal["order"]
        lines: list[Code] = Field(min_length=3, max_length=9, description="The lines in a right order.")
        mistakes: list[OrderedMistake] = Field(
            default_factory=list, max_length=20, description="Wrong orders to recognise."
        )

    return OrderFields


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    assert item.exercise is not None
    exercises.check_holds(item, findings)
    lines = item.exercise.reference
    if len({line.strip() for line in lines}) != len(lines):
        findings.add("bad-field", "two of the lines are the same", item.exercise.at, "make each line its own")
    for wrong in item.exercise.wrong:
        if sorted(wrong.parts) != sorted(lines):
            message = f"the mistake `{wrong.mistake}` has other lines than `lines`"
            findings.add("bad-field", message, wrong.at, "use the same lines in another order")


def plan(item: Item, variant: Variant) -> Plan:
    """See `Kind`."""
    return exercises.plan(_as_shown(item, variant), variant)


def judge(item: Item, variant: Variant, results: Results) -> Proof:
    """See `Kind`."""
    return exercises.judge(_as_shown(item, variant), variant, results)


def _as_shown(item: Item, variant: Variant) -> Item:
    """The item with the lines as they are shown for its starter: they must not pass."""
    assert item.exercise is not None
    return replace(item, exercise=replace(item.exercise, starter="\n".join(_shuffled(item, variant))))


def _shuffled(item: Item, variant: Variant) -> tuple[str, ...]:
    """The lines as they are shown: mixed, never in the order of the reference."""
    assert item.exercise is not None
    lines = list(item.exercise.reference)
    chance = random.Random(f"{item.id}\0{variant.index}")  # noqa: S311  (to be reproduced, not to be secret)
    while tuple(lines) == item.exercise.reference:
        chance.shuffle(lines)
    return tuple(lines)


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    return exercises.prompt(item, variant, proof, Arrange(_shuffled(item, variant)))


def read(prompt: Prompt, raw: str) -> Response | Unreadable:
    """See `Kind`. The numbers of the lines in order, or the lines themselves."""
    assert isinstance(prompt.interaction, Arrange)
    lines = prompt.interaction.lines
    count = len(lines)
    wanted = f"answer with the numbers 1 to {count} in order, such as `{' '.join(map(str, range(count, 0, -1)))}`"
    typed = [line.strip() for line in raw.strip().splitlines() if line.strip()]
    if len(typed) == count and sorted(typed) == sorted(line.strip() for line in lines):
        by_text = {line.strip(): line for line in lines}
        return Response(raw, parts=tuple(by_text[line] for line in typed))
    if re.search(r"[^\d\s,;.>-]", raw):
        return Unreadable(raw, wanted)
    digits = [int(digit) for digit in re.findall(r"[1-9]", raw)]
    if sorted(digits) != list(range(1, count + 1)) or re.search(r"0", raw):
        return Unreadable(raw, wanted)
    return Response(raw, parts=tuple(lines[digit - 1] for digit in digits))


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    """See `Kind`. Lines that make no Python in this order are an answer all the same, and a wrong one."""
    score = marking.grade(item, proof, response, marker)
    if score.outcome is not Outcome.UNREADABLE:
        return score
    said = "In this order the lines are no Python: look at what is indented, and under which line it comes."
    return replace(score, outcome=Outcome.INCORRECT, points=0.0, feedback="", details=(said,))


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    assert item.exercise is not None
    shown = _shuffled(item, proof.variant)

    def numbers(lines: tuple[str, ...]) -> str:
        return " ".join(str(shown.index(line) + 1) for line in lines)

    wrong = item.exercise.wrong[0].parts if item.exercise.wrong else item.exercise.reference[::-1]
    return {"right": numbers(item.exercise.reference), "wrong": numbers(wrong), "unreadable": "1 1 2"}
