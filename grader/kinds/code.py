"""`code`: the learner writes a function or a program. Right is what does the same as the reference on every case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.judging import exercise_form, exercises, prompts
from grader.judging.bodies import Reader, written
from grader.judging.building import build_written
from grader.judging.claims import Findings, Plan, Results
from grader.judging.reading_answers import read
from grader.judging.running_answers import grade
from grader.kinds import Traits
from grader.model import Body, CodeInput, Item, Labeled, Prompt, Proof, Value, Variant, values

if TYPE_CHECKING:
    from grader.judging.fields import ItemFields

__all__ = ["TRAITS", "answer", "build", "check", "fields", "grade", "plan", "prompt", "prove", "read", "samples"]

TRAITS = Traits(runs_code=True, retries=True, asks_back=True, gives_curve=True, cell="code")


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from grader.judging.written_fields import WrittenFields

    class CodeFields(WrittenFields):
        """The learner writes code, which goes to the program's `...answer...`."""

        kind: Literal["code"]

    return CodeFields


def build(reader: Reader) -> Body:
    """See `Kind`."""
    return build_written(reader, "reference", "code")


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    exercise_form.check_cases(item, findings)


def plan(item: Item, variant: Variant, seen: Results | None = None) -> Plan:
    """See `Kind`."""
    return exercises.plan(item, variant, seen, mutate=True)


def prove(item: Item, variant: Variant, results: Results) -> Proof:
    """See `Kind`."""
    return exercises.prove(item, variant, results, mutate=True)


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    return asked(item, variant, proof)


def asked(item: Item, variant: Variant, proof: Proof | None, *, broken: bool = False) -> Prompt | None:
    """The prompt, with the starter as what is to be written on or fixed."""
    body = written(item)
    cases = (", ".join(f"{name} = {_shown(value)}" for name, value in inputs) for inputs in body.given)
    shown = tuple(case for case in cases if case)
    start = CodeInput(body.starter, shown, broken=broken, others=bool(body.draws))
    return prompts.prompt(item, variant, proof, (start,))


def _shown(value: Value) -> str:
    return values.python(value) if values.tensor(value) else str(value)


def answer(item: Item, proof: Proof) -> tuple[Labeled, ...]:
    """See `Kind`."""
    return (Labeled("", "\n".join(written(item).reference).strip("\n"), code=True),)


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    return {
        "right": written(item).reference[0],
        "wrong": written(item).starter,
        "unreadable": " \n",
        "hostile": "import os\nos._exit(0)\n",
    }
