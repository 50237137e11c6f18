"""Lessons as data: prose and cells in order, each with its place in the file; and what of it a face shows and asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pin:
    """A recorded output. Its text stands in the lines `first` to `last` (counted from 1; `last` < `first`: no line)."""

    text: str
    first: int
    last: int


ASKING = ("quiz", "predict")
"""The tags of cells that ask. Such a cell calls the function of this name, and is not run when a lesson is proven."""


@dataclass(frozen=True, slots=True)
class Asks:
    """The items that a cell asks, all in one variant."""

    items: tuple[str, ...]
    variant: int = 0
    predicts: bool = False
    """They are about the output of the next cell, which is held back until they are answered."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Code that is run. `line` is the first line of its source, `end` that of the closing fence."""

    source: str
    line: int
    end: int
    tags: tuple[str, ...] = ()
    pin: Pin | None = None
    asks: Asks | None = None
    """None also for a cell that asks a topic's practice, or has an experiment."""

    @property
    def may_raise(self) -> bool:
        return "raises-exception" in self.tags

    @property
    def is_asking(self) -> bool:
        """Whether it is for a learner to answer or to turn, and not run when the lesson is proven."""
        return not set(ASKING).isdisjoint(self.tags)


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
class LessonQuestion:
    """Items that are asked where they stand."""

    cell: Cell
    asks: Asks


@dataclass(frozen=True, slots=True)
class Prediction:
    """Items about what a cell will print. Its output is shown once they are answered, the prediction beside it."""

    cell: Cell
    asks: Asks
    between: tuple[Prose, ...]
    """What stands between the question and the cell."""
    held: Cell


Part = Prose | Cell | LessonQuestion | Prediction
"""What a face shows of a lesson, one after another. The closed union that every face must be able to draw."""


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
            elif not block.is_asking:
                found.append(block)
        return tuple(found)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The page as it is read, with what is asked in it: what every face draws."""
        found: list[Part] = []
        rest = list(self.blocks)
        while rest:
            block = rest.pop(0)
            if isinstance(block, Prose) or block.asks is None:
                found.append(block)
                continue
            place = next((at for at, later in enumerate(rest) if isinstance(later, Cell)), None)
            held = rest[place] if block.asks.predicts and place is not None else None
            if isinstance(held, Cell) and not held.is_asking:
                between = tuple(one for one in rest[:place] if isinstance(one, Prose))
                found.append(Prediction(block, block.asks, between, held))
                del rest[: (place or 0) + 1]
            else:
                found.append(LessonQuestion(block, block.asks))
        return tuple(found)
