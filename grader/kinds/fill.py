"""`fill`: the learner fills blanks in a program. Right is whatever makes the completed program do what is asked."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from grader import claims, exercises
from grader.claims import Findings, Plan, Results
from grader.marking import grade
from grader.model import Fill, Item, Prompt, Proof, Response, Unreadable, Variant

if TYPE_CHECKING:
    from grader.fields import ItemFields

__all__ = ["check", "fields", "grade", "judge", "plan", "prompt", "read", "samples"]

LONGEST = 300
"""Characters that one blank may take."""


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from pydantic import Field

    from grader.fields import Code, CompletedFields, WrongAnswerFields

    class FilledMistake(WrongAnswerFields):
        """What somebody with the mistake fills in."""

        fills: list[Code] = Field(min_length=1, max_length=9, description="One text for each blank; it must fail.")

    class FillFields(CompletedFields):
        """The learner fills blanks, which the program marks `...1...`, `...2...`, ..."""

        kind: Literal["fill"]
        fills: list[Code] = Field(min_length=1, max_length=9, description="A right answer: one text for each blank.")
        mistakes: list[FilledMistake] = Field(
            default_factory=list, max_length=20, description="Wrong answers to recognise."
        )

    return FillFields


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    assert item.exercise is not None
    exercises.check_holds(item, findings)
    for number in range(1, 10):
        wanted = number <= len(item.exercise.reference)
        if wanted != (claims.blank(number) in item.program):
            where = "is not in" if wanted else "is in"
            message = f"`{claims.blank(number)}` {where} the program, and `fills` has {len(item.exercise.reference)}"
            findings.add("bad-field", message, item.program_at or item.at, "number the blanks from 1, one fill each")
    for part in (*item.exercise.reference, *(part for wrong in item.exercise.wrong for part in wrong.parts)):
        if not _closed(part):
            message = f"`{part}` is not Python by itself"
            findings.add("bad-field", message, item.exercise.at, "let each blank take an expression or arguments")
    for wrong in item.exercise.wrong:
        if len(wrong.parts) != len(item.exercise.reference):
            message = f"the mistake `{wrong.mistake}` fills {len(wrong.parts)} blanks"
            findings.add("bad-field", message, wrong.at, "give one text for each blank")


def plan(item: Item, variant: Variant) -> Plan:
    """See `Kind`."""
    return exercises.plan(item, variant)


def judge(item: Item, variant: Variant, results: Results) -> Proof:
    """See `Kind`."""
    return exercises.judge(item, variant, results)


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    assert item.exercise is not None
    return exercises.prompt(item, variant, proof, Fill(len(item.exercise.reference)))


def read(prompt: Prompt, raw: str) -> Response | Unreadable:
    """See `Kind`. One line, or text before a semicolon, for each blank."""
    assert isinstance(prompt.interaction, Fill)
    blanks = prompt.interaction.blanks
    text = raw.strip().strip(";")
    parts = (
        [text] if blanks == 1 and "\n" not in text else [part.strip() for part in text.replace("\n", ";").split(";")]
    )
    parts = [part for part in parts if part]
    if len(parts) != blanks:
        between = ", with `;` between them" if blanks > 1 else ""
        wanted = "one text for the blank" if blanks == 1 else f"{blanks} texts, one for each blank"
        return Unreadable(raw, f"answer with {wanted}{between}")
    if any(len(part) > LONGEST for part in parts):
        return Unreadable(raw, f"one of the texts is longer than {LONGEST} characters")
    if bad := next((part for part in parts if not _closed(part)), None):
        return Unreadable(raw, f"`{bad[:40]}` is not Python by itself; give a whole expression for each blank")
    return Response(raw, parts=tuple(parts))


def _closed(part: str) -> bool:
    """Whether a text is whole Python, as an argument would be: it closes what it opens, and hides nothing after it."""
    try:
        ast.parse(f"f({part}\n)", mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    assert item.exercise is not None
    reference = item.exercise.reference
    hostile = "__import__('os')._exit(0)"
    return {
        "right": "; ".join(reference),
        "wrong": "; ".join(["None"] * len(reference)),
        "unreadable": "\n".join([*reference, "1"]),
        "hostile": "; ".join([hostile] * len(reference)),
    }
