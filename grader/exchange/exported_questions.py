"""A proven question as it is written into files for other programs: one neutral form for all formats.

What is right stands in it, as `PublishedOption` and `PublishedKey`, which is what reading a file gives: a question that
is written and read again must have the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, get_args

from grader.exchange.published_questions import PublishedKey, PublishedOption
from grader.model import Figure, Labeled
from grader.render import figure_text

Form = Literal["one", "many", "number", "text", "match", "table", "written", "card"]
"""What is asked for: one option or several, a number, a text, a value for each of several things, a table of numbers,
something that is run, something to recall."""

FORMS: tuple[Form, ...] = get_args(Form)

SAME = "same"
"""What a format says of a form that `grader import` reads again with the same claims."""


NO_KEY = PublishedKey("")


@dataclass(frozen=True, slots=True)
class Part:
    """One thing of several: a row with the place of its right option, or a cell with its number."""

    label: str
    options: tuple[str, ...] = ()
    right: int = 0
    key: PublishedKey = NO_KEY
    shown: str = ""
    """The right option or number as a person reads it."""
    cell: tuple[str, str] | None = None
    """Its row and column, in a table of two dimensions."""


@dataclass(frozen=True, slots=True)
class ExportedQuestion:
    """One variant of an item. All texts are Markdown, but for keys, which are typed."""

    item: str
    variant: int
    topic: str
    kind: str
    level: str
    skill: str
    form: Form
    stem: str
    code: tuple[Labeled, ...] = ()
    """What is shown to be run, in order: what several items share, then its own program, without a label."""
    figures: tuple[Figure, ...] = ()
    task: str = ""
    """What is to be answered, and how; follows code and figures."""
    options: tuple[PublishedOption, ...] = ()
    fixed: bool = False
    """Options must stay in this order: one is about the others."""
    keys: tuple[PublishedKey, ...] = ()
    """What may be typed, the usual form first; all of it was judged right."""
    wrong: tuple[tuple[PublishedKey, str], ...] = ()
    """What is typed by mistake, and what is said of that."""
    parts: tuple[Part, ...] = ()
    starter: str = ""
    """Code to begin with."""
    answer: tuple[Labeled, ...] = ()
    """The right answer as it is shown; of what is run, one of them."""
    hints: tuple[str, ...] = ()
    solution: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called where names must differ: its item, and which variant it is."""
        return f"{self.item}-{self.variant}" if self.variant else self.item

    @property
    def explanation(self) -> str:
        """The solution as one text."""
        return "\n\n".join(self.solution)

    def blocks(self) -> Iterator[str | Figure]:
        """What is shown before the answer, in order: Markdown and figures; without options."""
        yield self.stem
        for one in self.code:
            yield (f"{_named(one.label)}:\n\n" if one.label else "") + fenced(one.text)
        yield from self.figures
        if self.task:
            yield self.task

    def markdown(self, draw: Callable[[Figure], str] | None = None) -> str:
        """The same as one Markdown text; figures are drawn as text unless something else is said."""
        drawn = draw or _drawn
        return "\n\n".join(one.strip("\n") if isinstance(one, str) else drawn(one) for one in self.blocks())

    def model(self) -> str:
        """The right answer of a question without options, as Markdown."""
        parts = []
        for one in self.answer:
            text = (fenced(one.text) if "\n" in one.text else f"`{one.text}`") if one.code else one.text
            parts.append(f"{_named(one.label)}: {text}" if one.label else text)
        return "\n\n".join(parts)


def fenced(source: str, language: str = "python") -> str:
    """Code as a block of Markdown, whatever stands in it."""
    fence = "````" if "```" in source else "```"
    return f"{fence}{language}\n{source.strip(chr(10))}\n{fence}"


def inline(source: str) -> str:
    """Code as Markdown: within its line where it has one, else as a block."""
    source = source.strip("\n")
    if "\n" in source:
        return fenced(source)
    return f"`` {source} ``" if "`" in source else f"`{source}`"


def _named(label: str) -> str:
    return f"`{label}`" if label.endswith(".py") else label


def _drawn(figure: Figure) -> str:
    title = f"{figure.title}:\n\n" if figure.title else ""
    return title + fenced("\n".join(figure_text.lines(figure.content)), "text")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where questions come from, as it is said in every file."""

    title: str
    license: str
    authors: tuple[str, ...] = ()
    name: str = ""
    """Of the bank, by which a question is known again."""

    @property
    def lines(self) -> tuple[str, ...]:
        """Source, license, and that the keys are in the file."""
        authors = f" by {', '.join(self.authors)}" if self.authors else ""
        return (
            f"Source: {self.title}{authors}, exported by torch-grader.",
            f"License: {self.license}.",
            "This file holds the keys of its questions.",
        )


@dataclass(frozen=True, slots=True)
class ExportedQuiz:
    """What goes into one file."""

    title: str
    questions: tuple[ExportedQuestion, ...]
    origin: Origin

    def by_topic(self) -> dict[str, list[ExportedQuestion]]:
        """The questions of each topic, in order."""
        found: dict[str, list[ExportedQuestion]] = {}
        for one in self.questions:
            found.setdefault(one.topic, []).append(one)
        return found


def decimal(number: float) -> str:
    """A number with all of its digits, and without an exponent unless it would be very long.

    >>> decimal(1e-05), decimal(0.30000000000000004), decimal(3), decimal(2.0), decimal(1e-30)
    ('0.00001', '0.30000000000000004', '3', '2.0', '1e-30')
    """
    written = repr(number)
    return format(Decimal(written), "f") if 1e-20 < abs(number) < 1e20 else written


def shares(count: int) -> float:
    """A part of 100 percent, with the five decimals that Moodle knows.

    >>> shares(3), shares(8)
    (33.33333, 12.5)
    """
    return round(100 / count, 5)


def single_cells(question: ExportedQuestion) -> Sequence[ExportedQuestion]:
    """A question for each part: for programs that ask for one thing at a time."""
    made = []
    for place, part in enumerate(question.parts, 1):
        own = f"**{part.label}**" if part.key.text else part.label
        common = replace(question, item=f"{question.name}-{place}", variant=0, parts=(), task=f"{own}: which one?")
        if part.key.text:
            made.append(replace(common, form="number", keys=(part.key,), task=f"The number for {own}:"))
        else:
            options = tuple(PublishedOption(text, at == part.right) for at, text in enumerate(part.options))
            made.append(replace(common, form="one", options=options))
    return made
