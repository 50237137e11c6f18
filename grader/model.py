"""The plain data of torch-grader: frozen dataclasses, standard library only.

Every module above speaks in these terms (see the words in ARCHITECTURE.md). Nothing here reads, runs or prints.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]
"""What a program may send out: plain JSON data (NaN and infinities allowed)."""

LEVELS = ("easy", "medium", "hard")
Level = Literal["easy", "medium", "hard"]


# ---------------------------------------------------------------- places and findings


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


# ---------------------------------------------------------------- programs and what they do


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use; beyond it the program is stopped and its status says why."""

    wall_seconds: float = 10.0
    cpu_seconds: int = 8
    memory_bytes: int = 1 << 30
    """Address space on top of what an idle worker has, in bytes."""
    output_bytes: int = 1 << 20
    """Standard output and standard error together, in bytes."""


@dataclass(frozen=True, slots=True)
class Program:
    """Python source to run, and expressions to evaluate in its names once it has ended."""

    source: str
    asks: tuple[str, ...] = ()
    seed: int | None = None
    """Seeds torch, numpy and random before the program; None leaves them to chance."""
    limits: Limits = Limits()


class Status(StrEnum):
    """How a program ended. Only `NOT_RUN` is our doing, never the program's."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT = "output"
    KILLED = "killed"
    NOT_RUN = "not-run"


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning as Python would have shown it; `line` is the program's own, or None."""

    category: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception that left the program; `line` and `code` are the program's own."""

    type: str
    message: str
    line: int | None = None
    code: str = ""

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


@dataclass(frozen=True, slots=True)
class Asked:
    """The value of an expression, or why it has none."""

    value: Value = None
    error: str | None = None


Rates = tuple[tuple[float, ...], ...]
"""One row a step, one rate a parameter group."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of one run of a program."""

    status: Status
    lr_at_start_by_group: tuple[float, ...] = ()
    """Rates right after the last scheduler was built; empty where no scheduler was."""
    lr_used_by_group: Rates = ()
    """Rates in effect at each `optimizer.step()`."""
    lr_after_step_by_group: Rates = ()
    """Rates after each `scheduler.step()` that the program itself called."""
    losses: tuple[float, ...] = ()
    stdout: str = ""
    stderr: str = ""
    warnings: tuple[Warned, ...] = ()
    error: Raised | None = None
    asked: tuple[Asked, ...] = ()
    seconds: float = 0.0
    peak_bytes: int = 0
    """Memory above that of an idle worker, in bytes, as the kernel counts it."""
    note: str = ""
    """What we have to say of the run: why it was stopped, or that it was run twice."""

    @property
    def lr_used(self) -> tuple[float, ...]:
        return tuple(row[0] for row in self.lr_used_by_group if row)

    @property
    def lr_after_step(self) -> tuple[float, ...]:
        return tuple(row[0] for row in self.lr_after_step_by_group if row)

    @property
    def lr_at_start(self) -> float | None:
        return self.lr_at_start_by_group[0] if self.lr_at_start_by_group else None


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


@dataclass(frozen=True, slots=True)
class Variant:
    """An item's parameters, drawn; variant 0 has the first value of each."""

    index: int = 0
    values: tuple[tuple[str, Value], ...] = ()

    @property
    def prelude(self) -> str:
        """The parameters as plain assignments, one line, or the empty string."""
        if not self.values:
            return ""
        names = ", ".join(name for name, _ in self.values)
        return f"{names} = {', '.join(repr(value) for _, value in self.values)}\n"


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


Interaction = Pick | Type
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
    """An answer that could be read: the places of the picked options, or a number."""

    raw: str
    picked: tuple[int, ...] = ()
    number: float | None = None


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
class Score:
    """A graded answer. `points` is in [0, 1], or None where nothing could be judged."""

    outcome: Outcome
    points: float | None
    mistake: str | None = None
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One question of a sitting, answered: the score and what it was about."""

    item: Item
    variant: Variant
    response: str | None
    score: Score
    proof: Proof | None = None
    hints_used: int = field(default=0)
