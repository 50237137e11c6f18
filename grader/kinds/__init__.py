"""The kinds of item, one file each. A kind is a module with what `Kind` names; adding a file adds a kind.

Other packages add kinds through the entry-point group `grader.kinds`, whose names are the kinds' names. Nothing outside
of this folder knows a kind by its name: what others need to know of one is in its `TRAITS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, cast

from grader.errors import InputError
from grader.model import Body, Item, Labeled, Prompt, Proof, Response, Score, Unreadable, Variant
from grader.plugins import Seam

if TYPE_CHECKING:
    from grader.judging.bodies import Reader
    from grader.judging.claims import Findings, Plan, Results
    from grader.judging.fields import ItemFields
    from grader.judging.running_answers import Marker


@dataclass(frozen=True, slots=True)
class Traits:
    """What everybody may know of a kind."""

    runs_code: bool = False
    """Answers are parts of programs, which are run: they take longer, and right ones look different."""
    is_card: bool = False
    """A fact to remember, which is due by itself and counts for no test or statistics."""
    retries: bool = False
    """A wrong answer says enough for another try to make sense."""
    asks_back: bool = False
    """A right answer is followed by a question about the learner's own code."""
    gives_curve: bool = False
    """The answer is a list of numbers, which a chart can show."""
    cell: Literal["value", "code", ""] = "value"
    """What a cell of a notebook holds as the answer; empty where a notebook cannot ask it."""


class Kind(Protocol):
    """What one kind knows. `plan` says what to run, `prove` what the runs prove; the rest is about the learner."""

    TRAITS: Traits
    __file__: str | None

    def fields(self) -> type[ItemFields]:
        """The YAML fields of this kind, as a pydantic model."""
        ...

    def build(self, reader: Reader) -> Body:
        """The kind's own part of an item, from its YAML. A field of `fields` that is not read here is a finding."""
        ...

    def check(self, item: Item, findings: Findings) -> None:
        """Report what is wrong with the item as written, before anything is run."""
        ...

    def plan(self, item: Item, variant: Variant, seen: Results | None = None) -> Plan:
        """The programs that prove this variant, with the expressions to evaluate in each.

        With what was `seen` of them: what else is to be run for the author's sake, until there is nothing more.
        """
        ...

    def prove(self, item: Item, variant: Variant, results: Results) -> Proof:
        """What the runs established; its findings say what does not hold."""
        ...

    def prompt(self, item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
        """What the learner sees; None where that takes a proof and there is none yet."""
        ...

    def read(self, prompt: Prompt, raw: str) -> Response | Unreadable:
        """Understand a raw answer."""
        ...

    def grade(self, item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
        """Judge a response by what was proven, or by running it with the marker's runner."""
        ...

    def answer(self, item: Item, proof: Proof) -> tuple[Labeled, ...]:
        """The right answer as it is shown in an explanation; empty where that is the options that hold."""
        ...

    def samples(self, item: Item, proof: Proof) -> dict[str, str]:
        """A `right`, a `wrong` and an `unreadable` raw answer, for the conformance tests; a `hostile` one if run."""
        ...


SEAM = Seam(
    "kind", __name__, __path__,
    ("TRAITS", "answer", "build", "check", "fields", "grade", "plan", "prompt", "prove", "read", "samples"),
    besides=("toolbox",),
)  # fmt: skip
"""Where kinds are found."""


def names() -> tuple[str, ...]:
    """All kinds, those of other packages included."""
    return SEAM.names()


def built_in() -> tuple[str, ...]:
    """The kinds of this package, without importing them."""
    return SEAM.built_in()


def of(item: Item) -> Kind:
    """The kind of an item."""
    return named(item.kind)


def traits(name: str) -> Traits:
    """What is known of the kind of this name, as it stands on record; nothing of one that is not installed here."""
    return named(name).TRAITS if name in names() else Traits()


def named(name: str) -> Kind:
    """The kind of this name. Raises InputError for a name that is not listed."""
    return cast("Kind", SEAM.module(name))


def starter(name: str) -> str:
    """What `grader new item` writes of a kind: the YAML of an item that is proven, which lies beside the kind's module.

    `ITEM` stands for the item's id; the mistakes that it names follow a line `MISTAKES`. Raises InputError.
    """
    path = Path(named(name).__file__ or "").with_suffix(".yaml")
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        raise InputError(f"the kind `{name}` comes without a starter", f"its package should have {path.name}") from None


def plugin_files() -> tuple[Path, ...]:
    """The files of the kinds of other packages, found without importing them: of a kind that is a folder, all of it."""
    return tuple(path for files in SEAM.files().values() for path in files)


def modules() -> frozenset[str]:
    """The modules of the kinds of other packages."""
    return frozenset(SEAM.plugins().values())
