"""The kinds of item, one file each. A kind is a module with the functions of `Kind`; adding a file adds a kind.

Other packages add kinds through the entry-point group `grader.kinds`, whose names are the kinds' names.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from grader.errors import InputError
from grader.model import Item, Prompt, Proof, Response, Score, Unreadable, Variant

if TYPE_CHECKING:
    from grader.claims import Findings, Plan, Results
    from grader.fields import ItemFields
    from grader.marking import Marker


class Kind(Protocol):
    """What one kind knows. `plan` says what to run, `judge` what the runs prove; the rest is about the learner."""

    def fields(self) -> type[ItemFields]:
        """The YAML fields of this kind, as a pydantic model."""
        ...

    def check(self, item: Item, findings: Findings) -> None:
        """Report what is wrong with the item as written, before anything is run."""
        ...

    def plan(self, item: Item, variant: Variant) -> Plan:
        """The programs that prove this variant, with the expressions to evaluate in each."""
        ...

    def judge(self, item: Item, variant: Variant, results: Results) -> Proof:
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

    def samples(self, item: Item, proof: Proof) -> dict[str, str]:
        """A `right`, a `wrong` and an `unreadable` raw answer, for the conformance tests; a `hostile` one if run."""
        ...


@cache
def built_in() -> tuple[str, ...]:
    """The kinds of this package, without importing them."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


@cache
def names() -> tuple[str, ...]:
    """All kinds, those of other packages included."""
    return tuple(sorted({*built_in(), *_plugins()}))


@cache
def get(name: str) -> Kind:
    """The kind of this name. Raises InputError for a name that is not listed."""
    if name in built_in():
        return cast("Kind", importlib.import_module(f"{__name__}.{name}"))
    if name in _plugins():
        return cast("Kind", importlib.import_module(_plugins()[name]))
    raise InputError(f"there is no kind `{name}`", f"the kinds are {', '.join(names())}")


@cache
def _plugins() -> dict[str, str]:
    from importlib.metadata import entry_points

    return {point.name: point.value for point in entry_points(group="grader.kinds")}
