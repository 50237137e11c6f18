"""`order`: the learner puts lines in order (Parsons). Right is any order that makes the program do what is asked."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from grader.judging import claims, exercise_form, exercises, prompts, running_answers
from grader.judging.bodies import Reader, written
from grader.judging.building import build_written
from grader.judging.claims import Findings, Plan, Results
from grader.judging.reading_answers import read
from grader.kinds import Traits
from grader.model import Body, Item, Labeled, OrderInput, Outcome, Prompt, Proof, Response, Score, Variant

if TYPE_CHECKING:
    from grader.judging.fields import ItemFields
    from grader.judging.running_answers import Marker

__all__ = ["TRAITS", "answer", "build", "check", "fields", "grade", "plan", "prompt", "prove", "read", "samples"]

TRAITS = Traits(runs_code=True, retries=True, gives_curve=True)


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from pydantic import Field

    from grader.judging.fields import Code
    from grader.judging.written_fields import CompletedFields, WrongAnswerFields

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
            default_factory=list, max_length=20, description="Wrong orders to recognize."
        )

    return OrderFields


def build(reader: Reader) -> Body:
    """See `Kind`."""
    return build_written(reader, "lines", "lines")


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    exercise_form.check_holds(item, findings)
    lines = written(item).reference
    if len({line.strip() for line in lines}) != len(lines):
        findings.add("bad-field", "two of the lines are the same", written(item).at, "make each line its own")
    for wrong in written(item).wrong:
        if sorted(wrong.parts) != sorted(lines):
            message = f"the mistake `{wrong.mistake}` has other lines than `lines`"
            findings.add("bad-field", message, wrong.at, "use the same lines in another order")


def plan(item: Item, variant: Variant, seen: Results | None = None) -> Plan:
    """See `Kind`. Where it is not certain that a mix is wrong, several are run: one that is wrong is shown."""
    if seen is not None:
        return Plan(item)
    result = exercises.plan(_with_starter(item, _shown(item, variant, None) or ()), variant)
    for lines in _candidates(item, variant):
        result.include(exercises.plan(_with_starter(item, lines), variant))
    return result


def prove(item: Item, variant: Variant, results: Results) -> Proof:
    """See `Kind`."""
    mended = "too many orders of these lines are right: leave fewer free"
    if (shown := _shown(item, variant, None)) is not None:
        return exercises.prove(_with_starter(item, shown), variant, results, mended=mended)
    for lines in _candidates(item, variant):
        proof = exercises.prove(_with_starter(item, lines), variant, results, mended=mended)
        if not any(finding.code == "starter-passes" for finding in proof.findings):
            break
    return replace(proof, mixed=lines)


def _with_starter(item: Item, lines: tuple[str, ...]) -> Item:
    """The item with these lines for its starter: what is shown must not pass."""
    return replace(item, body=replace(written(item), starter="\n".join(lines)))


MOST_MIXES = 4
"""Mixes that are run, where it is not certain that one is wrong."""


def _mixes(item: Item, variant: Variant) -> Iterator[tuple[str, ...]]:
    """The lines mixed, again and again, never in the order of the reference."""
    lines = list(written(item).reference)
    chance = random.Random(f"{item.id}\0{variant.index}")  # noqa: S311  (to be reproduced, not to be secret)
    while True:
        chance.shuffle(lines)
        if tuple(lines) != written(item).reference:
            yield tuple(lines)


def _candidates(item: Item, variant: Variant) -> tuple[tuple[str, ...], ...]:
    """The mixes of which one is shown by its run; none where one is known to be wrong."""
    if _shown(item, variant, None) is not None:
        return ()
    return tuple(dict.fromkeys(itertools.islice(_mixes(item, variant), MOST_MIXES)))


def _shown(item: Item, variant: Variant, proof: Proof | None) -> tuple[str, ...] | None:
    """The lines as they are shown; None where that takes a proof that is not there yet.

    The first mix is shown where it is known to be wrong, whatever the lines do.
    """
    if proof and proof.mixed:
        return proof.mixed
    first = next(_mixes(item, variant))
    return first if _breaks(item, first) else None


def _breaks(item: Item, lines: Sequence[str]) -> bool:
    """Whether lines are no Python in this order, or one uses a name before the only line that gives it a value."""
    code = "\n".join(lines)
    indents = [len(line) - len(line.lstrip()) for line in code.split("\n")]
    opens = [line.rstrip().endswith(":") for line in code.split("\n")]
    if indents[0] or any(
        (after > before) != opened for before, after, opened in zip(indents, indents[1:], opens, strict=False)
    ):
        return True
    given = [set(re.findall(r"\w+", found[1])) if (found := GIVES.match(line)) else set[str]() for line in lines]
    elsewhere = set(re.findall(r"\w+", claims.put(item.program, "", claims.ANSWER)))
    for place, names in enumerate(given):
        others = set().union(*(given[:place] + given[place + 1 :]))
        for name in names - others - elsewhere:
            if any(re.search(rf"(?<!\.)\b{name}\b(?!\s*=[^=])", line) for line in lines[:place]):
                return True
    return False


GIVES = re.compile(r"\s*(?:for |with .* as |def |class )?\s*([A-Za-z_][\w, ]*?)\s*(?:=(?!=)|\bin\b|:|\()")
"""The names that a line gives a value."""


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    shown = _shown(item, variant, proof)
    return None if shown is None else prompts.prompt(item, variant, proof, (OrderInput(shown),), "# the lines go here")


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    """See `Kind`. Lines that make no Python in this order are an answer all the same, and a wrong one."""
    score = running_answers.grade(item, proof, response, marker)
    if score.outcome is not Outcome.UNREADABLE:
        return score
    said = "In this order the lines are not Python: look at what is indented, and under which line it comes."
    return replace(score, outcome=Outcome.INCORRECT, points=0.0, feedback="", details=(said,))


def answer(item: Item, proof: Proof) -> tuple[Labeled, ...]:
    """See `Kind`."""
    return (Labeled("", "\n".join(written(item).reference).strip("\n"), code=True),)


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    shown = _shown(item, proof.variant, proof) or ()

    def numbers(lines: tuple[str, ...]) -> str:
        return " ".join(str(shown.index(line) + 1) for line in lines)

    wrong = written(item).wrong[0].parts if written(item).wrong else written(item).reference[::-1]
    return {"right": numbers(written(item).reference), "wrong": numbers(wrong), "unreadable": "1 1 2"}
