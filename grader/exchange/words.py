"""What notebooks and exported questions say to their readers, besides what the lessons and items say."""

from __future__ import annotations

from collections.abc import Sequence

from grader.model import Topic

START = """\
# torch-grader

Lessons on PyTorch as notebooks. Every output and every number in them was recorded from a run. Change a cell, run it,
and see what is different. `Shift-Enter` runs a cell and goes to the next one.

## Where you are"""

BEGIN = """\
*Your first question comes here in a few seconds, once Python has started. If nothing comes, click here and press
`Shift-Enter`.*"""

LESSONS = "## The lessons"

QUESTION = "*A question: click here and press `Shift-Enter` to be asked.*"

PREDICTION = "*What will the next cell print? Click here and press `Shift-Enter` to be asked.*"

PRACTICE = "*Questions: click here and press `Shift-Enter` to be asked.*"

# ---------------------------------------------------------------- exports

PICK_ALL = "Choose all that hold."

MATCH = "Say of each which value it has."

TABLE = "Give one number for each."

ORDER = "Put these lines in order:"

BLANK = "Fill in the blank `__1__`."
BLANKS = "Fill in the blanks `__1__`, `__2__`, and so on."

NOT_STATED = "not stated"

NO_TITLE = "a bank without a title"

NO_FORM = "it asks for several things at once, for which there is no form"


def not_the_banks(topic: Topic) -> str:
    """Whose a topic is that is not the bank's own.

    >>> from grader.model import Span
    >>> not_the_banks(Topic("t", "Shapes", Span("t.yaml"), (), license="CC-BY-4.0", source="quiz.csv"))
    'CC-BY-4.0 for Shapes, from quiz.csv'
    """
    source = f", from {topic.source}" if topic.source else ""
    return f"{topic.license or 'the same'} for {topic.title}{source}"


def number_in(unit: str) -> str:
    """What a number counts, where that is said."""
    return f"Answer with a number of {unit}." if unit else ""


def answer_with(wanted: str) -> str:
    """What is to be typed."""
    return f"Answer with {wanted}." if wanted else ""


def run_with(cases: Sequence[str], *, others: bool) -> str:
    """What code is run with."""
    if not cases:
        return ""
    return f"It is run with `{'`; `'.join(cases)}`{', and with others that are not shown' if others else ''}."
