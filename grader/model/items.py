"""What an author writes, and what is wrong with it: places, findings, items."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from grader.model import values
from grader.model.figures import Draw
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
class FigureSource:
    """A figure as an author asks for it: its sort, and the expression whose value in the run is drawn."""

    draw: Draw
    data: Expr
    at: Span
    title: str = ""
    x: str = "step"
    """What a curve counts."""
    y: str = "value"
    """What a curve shows."""
    reveals: bool = False
    """It may show the answer."""

    @property
    def ask(self) -> Expr:
        """What is evaluated in the run: plain data of what is to be drawn."""
        return Expr(f"figure_of({self.draw!r}, ({self.data.text}\n))", self.data.at)


Inputs = tuple[tuple[str, Value], ...]
"""Names and the values that a program starts with."""


def assignments(inputs: Inputs) -> str:
    """Inputs as plain assignments, one line such as `base_lr, k = 0.1, 3`, or the empty string.

    Where a tensor is among them, a line with `import torch` comes first.
    """
    if not inputs:
        return ""
    names = ", ".join(name for name, _ in inputs)
    first = "import torch\n" if any(values.tensor(value) for _, value in inputs) else ""
    return f"{first}{names} = {', '.join(values.python(value) for _, value in inputs)}\n"


@dataclass(frozen=True, slots=True)
class Body:
    """What an item has of its kind alone. Each kind derives a frozen dataclass of its own, or takes a shared one.

    Digests, plans and reports ask it for what they need of any kind.
    """

    def run_and_asked(self) -> dict[str, Any]:
        """What of it is run and asked, as JSON data by names that stay: a change is another question."""
        return {}

    def said(self) -> dict[str, Any]:
        """What of it is only said, as JSON data."""
        return {}

    def recognized(self) -> tuple[tuple[str | None, Span], ...]:
        """The mistakes that it recognizes and where they stand, as written; None for a wrong option without one."""
        return ()

    @property
    def words(self) -> tuple[str, str]:
        """What a list of numbers of it holds and what its entries count, in a word each."""
        return "rate", "step"

    @property
    def is_curve(self) -> bool:
        """Whether a list of numbers that it asks for can be drawn over its places, counted from 1."""
        return True


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
class Given:
    """A setup that several items of a topic share."""

    name: str
    source: str
    at: Span


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
    """As it is run after the parameters' assignments: the setups that the item uses come first."""
    program_at: Span | None = None
    """Where the item's own part of it stands."""
    given: tuple[Given, ...] = ()
    """The setups that it uses."""
    modules: tuple[tuple[str, str], ...] = ()
    """Names and sources of the topic's modules that its programs import."""
    seconds: int | None = None
    """Of CPU time, for each of its programs and each answer; None for the usual limit."""
    memory: int | None = None
    """In MiB, likewise."""
    body: Body = field(default_factory=Body)
    """What its kind adds."""
    raises: Expr | None = None
    """The name of the exception that the program is meant to end with."""
    warns: Expr | None = None
    """A regular expression that each of the program's warnings matches."""
    watch: tuple[str, ...] = ()
    """Observers that are on while its programs run, by name."""
    hints: tuple[Text, ...] = ()
    solution: tuple[Step, ...] = ()
    see: str = ""
    figures: tuple[FigureSource, ...] = ()
    """What is drawn with the stem."""
    torch: str = ""
    """The versions of PyTorch in which it holds; empty for all."""
    wanted: Expr | None = None
    """What its author has to add before it can be decided."""
    imported: bool = False
    """It was read from somebody's file: what is not known of it may be missing."""
    aliases: tuple[str, ...] = ()
    """Ids that it had before, the oldest first: what is on record under them is its own."""
    retired: bool = False
    """It is asked no longer, and still graded and explained."""
    source: str = ""
    """Where it comes from."""
    license: str = ""
    """Its license, where that is not the bank's."""
    origin: str = ""
    """The title and the license of its bank, where that has a name of its own; see `About.prefix`."""

    @property
    def first_id(self) -> str:
        """The id that it was made with. Chance draws by it, so that a new id changes no numbers and no order."""
        return self.aliases[0] if self.aliases else self.id

    @property
    def credit(self) -> str:
        """Where it comes from and its license, as far as they are its own, in a line; else the empty string."""
        said = [f"Source: {self.source}." if self.source else "", f"License: {self.license}." if self.license else ""]
        return " ".join(filter(None, said))

    @property
    def setup(self) -> str:
        """The setups that its program begins with."""
        return "".join(one.source for one in self.given)

    @property
    def own_program(self) -> str:
        """Its program without the setups."""
        return self.program[len(self.setup) :]

    def variant(self, seed: int | None) -> Variant:
        """The variant that a seed draws: the same seed gives the same variant everywhere, None gives the first."""
        if seed is None:
            return self.variants[0]
        digest = hashlib.sha256(f"{seed}\0{self.first_id}".encode()).digest()
        return self.variants[int.from_bytes(digest[:8]) % len(self.variants)]
