"""`fill`: the learner fills blanks in a program. Right is whatever makes the completed program do what is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.judging import claims, exercise_form, exercises, prompts
from grader.judging.bodies import Reader, written
from grader.judging.building import build_written
from grader.judging.claims import Findings, Plan, Results
from grader.judging.reading_answers import is_closed, read
from grader.judging.running_answers import grade
from grader.kinds import Traits
from grader.model import Body, Item, Labeled, Prompt, Proof, TextInput, Variant

if TYPE_CHECKING:
    from grader.judging.fields import ItemFields

__all__ = ["TRAITS", "answer", "build", "check", "fields", "grade", "plan", "prompt", "prove", "read", "samples"]

TRAITS = Traits(runs_code=True, retries=True, gives_curve=True)


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from pydantic import Field

    from grader.judging.fields import Code
    from grader.judging.written_fields import CompletedFields, WrongAnswerFields

    class FilledMistake(WrongAnswerFields):
        """What somebody with the mistake fills in."""

        fills: list[Code] = Field(min_length=1, max_length=9, description="One text for each blank; it must fail.")

    class FillFields(CompletedFields):
        """The learner fills blanks, which the program marks `...1...`, `...2...`, ..."""

        kind: Literal["fill"]
        fills: list[Code] = Field(min_length=1, max_length=9, description="A right answer: one text for each blank.")
        mistakes: list[FilledMistake] = Field(
            default_factory=list, max_length=20, description="Wrong answers to recognize."
        )

    return FillFields


def build(reader: Reader) -> Body:
    """See `Kind`."""
    return build_written(reader, "fills", "fills")


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    exercise_form.check_holds(item, findings)
    for number in range(1, 10):
        wanted = number <= len(written(item).reference)
        if wanted != (claims.blank(number) in item.program):
            where = "is not in" if wanted else "is in"
            message = f"`{claims.blank(number)}` {where} the program, and `fills` has {len(written(item).reference)}"
            findings.add("bad-field", message, item.program_at or item.at, "number the blanks from 1, one fill each")
    for part in (*written(item).reference, *(part for wrong in written(item).wrong for part in wrong.parts)):
        if not is_closed(part):
            message = f"`{part}` is not Python by itself"
            hint = (
                "let each blank take an expression or arguments: what is typed must not change the program around it;"
                " of a statement the program keeps the left side (`self.mean = ...1...`), or ask it by `code`"
            )
            findings.add("bad-field", message, written(item).at, hint)
    for wrong in written(item).wrong:
        if len(wrong.parts) != len(written(item).reference):
            message = f"the mistake `{wrong.mistake}` fills {len(wrong.parts)} blanks"
            findings.add("bad-field", message, wrong.at, "give one text for each blank")


def plan(item: Item, variant: Variant, seen: Results | None = None) -> Plan:
    """See `Kind`."""
    return exercises.plan(item, variant, seen)


def prove(item: Item, variant: Variant, results: Results) -> Proof:
    """See `Kind`."""
    return exercises.prove(item, variant, results)


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    blanks = range(1, len(written(item).reference) + 1)
    return prompts.prompt(item, variant, proof, tuple(TextInput(f"__{number}__", python=True) for number in blanks))


def answer(item: Item, proof: Proof) -> tuple[Labeled, ...]:
    """See `Kind`."""
    return tuple(Labeled(f"__{number}__", part, code=True) for number, part in enumerate(written(item).reference, 1))


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    reference = written(item).reference
    hostile = "__import__('os')._exit(0)"
    return {
        "right": "; ".join(reference),
        "wrong": "; ".join(["None"] * len(reference)),
        "unreadable": "\n".join([*reference, "1"]),
        "hostile": "; ".join([hostile] * len(reference)),
    }
