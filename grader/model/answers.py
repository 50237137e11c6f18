"""What runs prove, what a learner is asked, what they answer, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from grader.model.figures import Chart, Figure, Grids
from grader.model.items import Finding, Inputs, Item, Level, Severity, Variant
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
    tested: bool = True
    """Whether a run shows that a wrong one comes from its mistake."""
    decided: bool = True
    """Whether a run could say if it holds; what only words say, it cannot."""


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
    mixed: tuple[str, ...] = ()
    """Lines as they are shown, where a run was needed to choose a mix that is wrong."""

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep it from being asked; a warning is for its author."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class Labeled:
    """A text with a letter, a number or a value before it; `code` says that it is Python."""

    label: str
    text: str
    code: bool = False


# ---------------------------------------------------------------- asking and answering


LETTERS = "ABCDEFGH"
"""What options are called, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class _Options:
    options: tuple[str, ...]
    label: str = ""
    code: bool = False
    """The options are Python."""
    last: tuple[int, ...] = ()
    """Places of options that stay at the end where the others are mixed, such as `none of these`."""

    @property
    def letters(self) -> str:
        """What the options are called."""
        return LETTERS[: len(self.options)]


class ChooseOne(_Options):
    """The learner picks one of `options`."""

    __slots__ = ()


class ChooseMany(_Options):
    """The learner picks any number of `options`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class NumberInput:
    """The learner types a number."""

    label: str = ""
    unit: str = ""
    cell: tuple[str, str] | None = None
    """Its row and its column, where it stands in a table of two dimensions; such inputs follow row by row."""


@dataclass(frozen=True, slots=True)
class TextInput:
    """The learner types a line."""

    label: str = ""
    python: bool = False
    """It is to be whole Python, as an argument would be, and stands in the program where its label does."""
    wanted: str = ""
    """What is to be typed, in words: `a name, without quotes`."""


@dataclass(frozen=True, slots=True)
class CodeInput:
    """The learner writes code, from a starter; `cases` are the inputs that it is known to be run with."""

    starter: str
    cases: tuple[str, ...] = ()
    label: str = ""
    broken: bool = False
    """The starter is broken, and is to be fixed."""
    others: bool = True
    """It is also run with inputs that are not shown."""


@dataclass(frozen=True, slots=True)
class OrderInput:
    """The learner puts lines in order."""

    lines: tuple[str, ...]
    label: str = ""


Input = ChooseOne | ChooseMany | NumberInput | TextInput | CodeInput | OrderInput
"""The closed union of what a face must be able to draw, and what an answer is read from."""


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
    inputs: tuple[Input, ...]
    hints: int
    given: tuple[Labeled, ...] = ()
    """What comes before the program, in the order in which it is run: setups and modules that several items share."""
    reveals: bool = False
    """The learner answers in their head and turns it over: what there is to choose from is how that went."""
    figures: tuple[Figure, ...] = ()
    """Shown with the stem."""
    origin: str = ""
    """Whose question it is, in a line; empty for one of the bank that comes with this package."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that could be read: places of options, numbers, or the parts of a program, input by input."""

    raw: str
    picked: tuple[int, ...] = ()
    number: float | None = None
    """Where a number is all that is asked for."""
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
class CheckScore:
    """What one check said of an answer, and its points of those that there are."""

    name: str
    passed: bool
    points: float
    of: float
    says: str = ""


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
    table: tuple[CheckScore, ...] = ()
    """What each check with a name said."""
    grids: Grids | None = None
    """The learner's values and the right ones, side by side."""


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
    options: tuple[str, ...] | None = None
    """What there was to choose from, as it was shown; None where that is not known, or there was nothing."""
    choice: tuple[int, ...] | None = None
    """The places of the options that were picked, as written; None where none was."""
