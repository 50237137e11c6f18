"""What an author writes, and what is wrong with it: places, findings, items, topics, banks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from grader.model.programs import Value

LEVELS = ("easy", "medium", "hard")
Level = Literal["easy", "medium", "hard"]


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a file; line and column count from 1."""

    path: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


class Severity(StrEnum):
    """An error keeps content from being used; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with content: what, where, and what to do next."""

    code: str
    message: str
    at: Span
    hint: str = ""
    severity: Severity = Severity.ERROR
    item: str | None = None
    variant: tuple[tuple[str, Value], ...] = ()

    def __str__(self) -> str:
        return f"{self.at}: {self.code}: {self.message}"


# ---------------------------------------------------------------- items


@dataclass(frozen=True, slots=True)
class Expr:
    """A Python expression of an author, and where it stands."""

    text: str
    at: Span


@dataclass(frozen=True, slots=True)
class Text:
    """Markdown of an author with `{expressions}` in it."""

    pieces: tuple[str | Expr, ...]
    at: Span

    @property
    def expressions(self) -> tuple[Expr, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, Expr))


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a solution; `holds` is what must be true for it to be right."""

    text: Text
    holds: Expr | None = None


@dataclass(frozen=True, slots=True)
class Mistake:
    """A misconception: what it says to whoever has it, and where to read on."""

    id: str
    says: str
    at: Span
    see: str = ""
    family: str = ""
    """Misconceptions that come from one misunderstanding share a family."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to pick, or (in a `number` item) one wrong number to recognise.

    Exactly one of `value`, `code`, `holds` makes the claim. `instead`, `yields` and `because` are the evidence that
    a wrong option comes from its mistake: the mistaken program, what the mistake computes, what is true of it.
    """

    at: Span
    key: bool = False
    text: Text | None = None
    value: Expr | None = None
    code: str | None = None
    holds: Expr | None = None
    program: str | None = None
    mistake: str | None = None
    instead: tuple[tuple[str, str], ...] = ()
    yields: Expr | None = None
    because: Expr | None = None


Inputs = tuple[tuple[str, Value], ...]
"""Names and the values that a program starts with."""


def assignments(inputs: Inputs) -> str:
    """Inputs as plain assignments, one line such as `base_lr, k = 0.1, 3`, or the empty string."""
    if not inputs:
        return ""
    names = ", ".join(name for name, _ in inputs)
    return f"{names} = {', '.join(repr(value) for _, value in inputs)}\n"


@dataclass(frozen=True, slots=True)
class Draw:
    """Where a hidden input comes from: one of `values`, or a number from `low` to `high` (whole where both are)."""

    name: str
    values: tuple[Value, ...] = ()
    low: float = 0
    high: float = 0


@dataclass(frozen=True, slots=True)
class Wrong:
    """An answer that somebody with a misconception gives, in the parts of `Exercise.reference`."""

    mistake: str
    parts: tuple[str, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class Exercise:
    """What the learner completes or writes, in the kinds whose answers are run."""

    reference: tuple[str, ...]
    """A right answer: what goes into each blank, the lines in order, or the code."""
    observe: Expr
    """What of a run is compared and shown; evaluated in the run."""
    at: Span
    starter: str = ""
    wrong: tuple[Wrong, ...] = ()
    given: tuple[Inputs, ...] = ((),)
    hidden: tuple[Draw, ...] = ()
    draws: int = 0
    """How many cases are drawn from `hidden` for each answer."""


@dataclass(frozen=True, slots=True)
class Variant:
    """An item's parameters, drawn; variant 0 has the first value of each."""

    index: int = 0
    values: Inputs = ()

    @property
    def prelude(self) -> str:
        """The parameters as plain assignments, one line, or the empty string."""
        return assignments(self.values)


@dataclass(frozen=True, slots=True)
class Item:
    """One question of the bank, as its author wrote it."""

    id: str
    topic: str
    kind: str
    level: Level
    skill: str
    stem: Text
    at: Span
    modes: tuple[str, ...] = ("practice", "test")
    variants: tuple[Variant, ...] = (Variant(),)
    program: str = ""
    program_at: Span | None = None
    answer: Expr | None = None
    holds: Expr | None = None
    options: tuple[Option, ...] = ()
    tolerance: float = 1e-6
    unit: str = ""
    shows: str = "rate"
    """What a list of numbers holds, in a word."""
    counts: str = "step"
    """What the entries of a list of numbers count, such as `epoch`."""
    cells: Expr | None = None
    """How many numbers a table has."""
    exercise: Exercise | None = None
    raises: Expr | None = None
    """The name of the exception that the program is meant to end with."""
    warns: Expr | None = None
    """A regular expression that each of the program's warnings matches."""
    hints: tuple[Text, ...] = ()
    solution: tuple[Step, ...] = ()
    see: str = ""

    def variant(self, seed: int | None) -> Variant:
        """The variant that a seed draws: the same seed gives the same variant everywhere, None gives the first."""
        if seed is None:
            return self.variants[0]
        digest = hashlib.sha256(f"{seed}\0{self.id}".encode()).digest()
        return self.variants[int.from_bytes(digest[:8]) % len(self.variants)]


@dataclass(frozen=True, slots=True)
class Topic:
    """One quiz file: its items in written order."""

    name: str
    title: str
    at: Span
    items: tuple[Item, ...]
    mistakes: tuple[Mistake, ...] = ()


@dataclass(frozen=True, slots=True)
class Bank:
    """All topics that were read, and what was found wrong while reading."""

    topics: tuple[Topic, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(item for topic in self.topics for item in topic.items)

    @property
    def malformed(self) -> bool:
        """Whether something is wrong with the files; an item that claims nothing is only not proven."""
        return any(finding.code != "unproven" for finding in self.findings)

    @property
    def mistakes(self) -> dict[str, Mistake]:
        """Mistakes are shared by all topics of a bank."""
        return {mistake.id: mistake for topic in self.topics for mistake in topic.mistakes}
