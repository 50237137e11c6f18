"""What items lie in: topics, blocks, banks, and what a bank says of itself."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from grader.model.items import Finding, Item, Mistake, Span

if TYPE_CHECKING:
    from grader.model.experiments import Experiment

SHIPPED = "torch-grader"
"""The bank that comes with this package. Its ids have no prefix, and those of a bank without a name have none."""


def by_name(items: Iterable[Item]) -> dict[str, Item]:
    """Items by their ids, and by those that they had before."""
    known = tuple(items)
    return {alias: item for item in known for alias in item.aliases} | {item.id: item for item in known}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What something is wrong with, so that it is neither asked nor proven."""

    path: str
    name: str = ""
    """The item's id, or which one it is (`item 3`); empty for a whole file."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: the items of its files in written order."""

    name: str
    title: str
    at: Span
    items: tuple[Item, ...]
    mistakes: tuple[Mistake, ...] = ()
    experiment: Experiment | None = None
    left_out: tuple[LeftOut, ...] = ()
    elsewhere: tuple[str, ...] = ()
    """Items that hold in other versions of PyTorch only, by their ids: they are neither asked nor proven here."""
    text: str = field(default="", compare=False)
    """A digest of its files and of what reads them, where nothing is wrong with them and that is remembered."""
    order: float = math.inf
    """Topics of a block stand in this order; those without one come last."""
    needs: tuple[str, ...] = ()
    """Topics that should come first; the bank may not have them yet."""
    objectives: tuple[str, ...] = ()
    """What a learner can do afterwards."""
    minutes: int | None = None
    skills: tuple[tuple[str, str], ...] = ()
    """Skills in words, as far as their names do not say enough."""
    license: str = ""
    """Of its items, where it is not the bank's."""
    source: str = ""
    """Where its items come from, where that is not the bank."""

    @property
    def asked(self) -> tuple[Item, ...]:
        """Its items but for those that are retired."""
        return tuple(item for item in self.items if not item.retired)

    def skill(self, name: str) -> str:
        """A skill in words; by its name, where there are none."""
        return dict(self.skills).get(name, name)


@dataclass(frozen=True, slots=True)
class Block:
    """Topics that belong together, some of which the bank may not have yet."""

    name: str
    title: str
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class About:
    """What a bank says of itself."""

    name: str = ""
    title: str = ""
    license: str = ""
    authors: tuple[str, ...] = ()
    lang: str = "en"
    torch: str = ""
    """The versions of PyTorch that it is for, such as `>=2.9`."""
    blocks: tuple[Block, ...] = ()

    @property
    def prefix(self) -> str:
        """What the names of its items, topics, blocks and mistakes begin with: `name:`, or nothing."""
        return f"{self.name}:" if self.name not in ("", SHIPPED) else ""

    def origin(self, license: str = "") -> str:  # noqa: A002  (the word for it)
        """What learners are told where an item is asked: the bank's title, and the item's license or the bank's.

        Empty for the shipped bank, and for one without a name.
        """
        return ", ".join(filter(None, (self.title or self.name, license or self.license))) if self.prefix else ""


@dataclass(frozen=True)
class Bank:
    """All topics that were read, and what was found wrong while reading."""

    topics: tuple[Topic, ...]
    """Without what has findings."""
    findings: tuple[Finding, ...] = ()
    unread: tuple[LeftOut, ...] = ()
    """Files that something is wrong with as a whole."""
    shared: tuple[Mistake, ...] = ()
    """Mistakes that are no topic's own."""
    about: About = About()
    """What the first of its banks says of itself, with the blocks of all."""
    others: tuple[About, ...] = ()
    """The banks that were read together with the first."""

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """Those of all topics."""
        return tuple(item for topic in self.topics for item in topic.items)

    def trouble(self, item: str) -> Finding | None:
        """Why an item is left out; None for one that is not."""
        return next((finding for finding in self.findings if finding.item == item), None)

    @property
    def malformed(self) -> bool:
        """Whether something is wrong with the files; an item that claims nothing is only not proven."""
        return any(finding.code != "unproven" for finding in self.findings)

    @cached_property
    def mistakes(self) -> dict[str, Mistake]:
        """Mistakes are shared by all topics of a bank."""
        listed = (*self.shared, *(mistake for topic in self.topics for mistake in topic.mistakes))
        return {mistake.id: mistake for mistake in listed}

    def members(self, name: str) -> tuple[str, ...]:
        """The topics that a name stands for: a topic itself, or those of a block that are there."""
        block = next((block for block in self.about.blocks if block.name == name), None)
        wanted = block.topics if block else (name,)
        return tuple(topic.name for topic in self.topics if topic.name in wanted)
