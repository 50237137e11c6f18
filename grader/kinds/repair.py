"""`repair`: the learner fixes a broken program. As `code`; the starter is the broken one, and names its fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.judging import exercises
from grader.judging.claims import Results
from grader.judging.running_answers import grade
from grader.kinds import Traits
from grader.kinds.code import answer, asked, build, check, plan, read, samples
from grader.model import Item, Prompt, Proof, Variant

if TYPE_CHECKING:
    from grader.judging.fields import ItemFields

__all__ = ["TRAITS", "answer", "build", "check", "fields", "grade", "plan", "prompt", "prove", "read", "samples"]

TRAITS = Traits(runs_code=True, retries=True, gives_curve=True, cell="code")


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from grader.judging.written_fields import WrittenFields

    class RepairFields(WrittenFields):
        """The learner fixes the starter, which stands at the program's `...answer...`."""

        kind: Literal["repair"]

    return RepairFields


def prove(item: Item, variant: Variant, results: Results) -> Proof:
    """See `Kind`. The starter is a mistake, too."""
    return exercises.prove(item, variant, results, mutate=True, faulty=True)


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    return asked(item, variant, proof, broken=True)
