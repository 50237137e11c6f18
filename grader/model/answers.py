"""What runs prove, what a learner is asked, what they answer, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from grader.model.items import Finding, Inputs, Item, Level, Variant
from grader.model.programs import Observation, Value

# ---------------------------------------------------------------- what a run proves


@dataclass(frozen=True, slots=True)
class ProvenOption:
    """An option with what PyTorch said of it."""

    shown: str
    value: Value
    holds: bool
    key: bool
    mistake: str | None


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything that the runs of one variant established."""

    item: str
    variant: Variant
    observation: Observation
    stem: str
    hints: tuple[str, ...]
    solution: tuple[str, ...]
    options: tuple[ProvenOption, ...] = ()
    answer: Value = None
    claims: int = 0
    findings: tuple[Finding, ...] = ()


# ---------------------------------------------------------------- asking and answering


@dataclass(frozen=True, slots=True)
class Pick:
    """The learner picks one of `options`, or any number of them."""

    options: tuple[str, ...]
    many: bool = False
    code: bool = False
    """The options are Python."""

    @property
    def letters(self) -> str:
        return "ABCDEFGH"[: len(self.options)]


@dataclass(frozen=True, slots=True)
class Type:
    """The learner types a number."""

    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The learner fills a table: one number for each label."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fill:
    """The learner fills the blanks of the program, which are marked `__1__`, `__2__`, ..."""

    blanks: int


@dataclass(frozen=True, slots=True)
class Arrange:
    """The learner puts lines in order."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Write:
    """The learner writes code, from a starter; `cases` are the inputs that it is known to be run with."""

    starter: str
    cases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flip:
    """The learner turns a card over, and says how well they knew what is on its back."""


Interaction = Pick | Type | Table | Fill | Arrange | Write | Flip
"""The closed union of what a face must be able to draw."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a learner sees of an item before answering. It holds no key."""

    item: str
    kind: str
    level: Level
    skill: str
    variant: Variant
    stem: str
    program: str
    interaction: Interaction
    hints: int


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that could be read: places of options, numbers, or the parts of a program."""

    raw: str
    picked: tuple[int, ...] = ()
    number: float | None = None
    numbers: tuple[float, ...] = ()
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An answer that could not be read, and what would have been."""

    raw: str
    why: str


class Outcome(StrEnum):
    """What became of an answer. The last three are no judgement of it."""

    CORRECT = "correct"
    PARTLY = "partly"
    INCORRECT = "incorrect"
    UNREADABLE = "unreadable"
    NOT_RUN = "not-run"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Curve:
    """A list of numbers with a name."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves over the same steps, counted from 1. `grader.charts` describes it in words and as Vega-Lite."""

    title: str
    x: str
    y: str
    curves: tuple[Curve, ...]
    log: bool = False
    """Whether the numbers are drawn on a logarithmic axis."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What one case said of an answer that was run."""

    inputs: Inputs
    passed: bool
    yours: Value
    right: Value
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """A graded answer. `points` is in [0, 1], or None where nothing could be judged."""

    outcome: Outcome
    points: float | None
    mistake: str | None = None
    feedback: str = ""
    details: tuple[str, ...] = ()
    """More to say, a paragraph each."""
    chart: Chart | None = None
    checked: tuple[Checked, ...] = ()
    """What each case said, where the answer was run."""
    run: Observation | None = None
    """What was observed of the answer, where it was run."""
    rating: int = 0
    """How well a card was known, from 1 (not) to 4 (easily), as the learner says; 0 where that is not asked."""


@dataclass(frozen=True, slots=True)
class Result:
    """One question of a sitting, answered: the score and what it was about."""

    item: Item
    variant: Variant
    response: str | None
    score: Score
    proof: Proof | None = None
    hints_used: int = field(default=0)
    follow_up: Result | None = None
    """The question about the learner's own code that came after, answered."""
