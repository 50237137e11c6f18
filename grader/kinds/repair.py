"""`repair`: the learner mends a broken program. As `code`; the starter is the broken one, and names its fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.kinds.code import check, judge, plan, prompt, read, samples
from grader.marking import grade

if TYPE_CHECKING:
    from grader.fields import ItemFields

__all__ = ["check", "fields", "grade", "judge", "plan", "prompt", "read", "samples"]


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from grader.fields import WrittenFields

    class RepairFields(WrittenFields):
        """The learner mends the starter, which stands at the program's `...answer...`."""

        kind: Literal["repair"]

    return RepairFields
