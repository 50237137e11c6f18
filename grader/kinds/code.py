"""`code`: the learner writes a function or a program. Right is what does the same as the reference on every case."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from grader import exercises
from grader.claims import Findings, Plan, Results
from grader.marking import grade
from grader.model import Item, Prompt, Proof, Response, Unreadable, Variant, Write

if TYPE_CHECKING:
    from grader.fields import ItemFields

__all__ = ["check", "fields", "grade", "judge", "plan", "prompt", "read", "samples"]

LONGEST = 64 << 10
"""Bytes of code that an answer may have."""


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from grader.fields import WrittenFields

    class CodeFields(WrittenFields):
        """The learner writes code, which goes to the program's `...answer...`."""

        kind: Literal["code"]

    return CodeFields


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    exercises.check_cases(item, findings)


def plan(item: Item, variant: Variant) -> Plan:
    """See `Kind`."""
    return exercises.plan(item, variant, mutate=True)


def judge(item: Item, variant: Variant, results: Results) -> Proof:
    """See `Kind`."""
    return exercises.judge(item, variant, results, mutate=True)


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    assert item.exercise is not None
    cases = (", ".join(f"{name} = {value}" for name, value in inputs) for inputs in item.exercise.given)
    return exercises.prompt(item, variant, proof, Write(item.exercise.starter, tuple(case for case in cases if case)))


def read(prompt: Prompt, raw: str) -> Response | Unreadable:
    """See `Kind`. Whether it is Python is seen when it is run."""
    if not raw.strip():
        return Unreadable(raw, "there is no code")
    if len(raw.encode(errors="replace")) > LONGEST:
        return Unreadable(raw, f"the code is longer than {LONGEST:,} bytes")
    text = raw.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    # A program has its inputs before it, where these imports may not stand; Python 3 does not need them.
    text = re.sub(r"^from __future__ import .*$", "", text, flags=re.MULTILINE)
    return Response(raw, parts=(text + "\n",))


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    assert item.exercise is not None
    return {
        "right": item.exercise.reference[0],
        "wrong": item.exercise.starter,
        "unreadable": " \n",
        "hostile": "import os\nos._exit(0)\n",
    }
