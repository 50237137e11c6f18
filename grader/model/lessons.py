"""Lessons as data: prose and cells in order, each with its place in the file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pin:
    """A recorded output. Its text stands in the lines `first` to `last` (counted from 1; `last` < `first`: no line)."""

    text: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Cell:
    """Code that is run. `line` is the first line of its source, `end` that of the closing fence."""

    source: str
    line: int
    end: int
    tags: tuple[str, ...] = ()
    pin: Pin | None = None

    @property
    def may_raise(self) -> bool:
        return "raises-exception" in self.tags


@dataclass(frozen=True, slots=True)
class Inline:
    """A number in prose: an expression that is evaluated where it stands, and its recorded value.

    `start` and `end` are offsets in the line: of the role's end and of the end of the pin after it.
    """

    expression: str
    line: int
    start: int
    end: int
    pin: str | None = None


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown between cells, as it was written."""

    text: str
    line: int
    inlines: tuple[Inline, ...] = ()


@dataclass(frozen=True, slots=True)
class Lesson:
    """One page: a topic in one mode."""

    path: str
    topic: str
    mode: str
    title: str
    minutes: int
    blocks: tuple[Prose | Cell, ...]
    lines: tuple[str, ...]
    """The whole file."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple(block for block in self.blocks if isinstance(block, Cell))

    @property
    def steps(self) -> tuple[Cell | Inline, ...]:
        """What is run, in order: the cells but those that ask questions, and the expressions in the prose between."""
        found: list[Cell | Inline] = []
        for block in self.blocks:
            if isinstance(block, Prose):
                found += block.inlines
            elif "quiz" not in block.tags:
                found.append(block)
        return tuple(found)
