"""What several kinds have in their items: options that claim something, and answers that are run.

A kind builds its body with a `Reader` of the item's YAML. A body of another sort is a frozen dataclass of its own that
derives `Body`, or one of these where it adds a field to them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Protocol

from grader.judging.comparison import USUAL_COMPARE, Compare
from grader.model import Body, Expr, Inputs, Item, Span, Text, Value


class Reader(Protocol):
    """The YAML of one item. A field of the item that nobody asks for is a finding."""

    def get(self, *path: str | int, default: Any = None) -> Any:
        """Plain data at these keys and indices, or the default."""
        ...

    def at(self, *path: str | int, key: bool = False) -> Span:
        """Where that stands, or its key."""
        ...

    def expression(self, *path: str | int) -> Expr | None:
        """A Python expression; a number, a truth value or a list stands for itself."""
        ...

    def text(self, *path: str | int) -> Text | None:
        """Markdown with `{expressions}` in it."""
        ...

    def verbatim(self, *path: str | int) -> Expr | None:
        """A text that is taken as it stands."""
        ...


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to pick, or (in a `number` item) one wrong number to recognise.

    Exactly one of `value`, `code`, `holds`, `says` makes the claim. `instead`, `yields` and `because` are the evidence
    that a wrong option comes from its mistake: the mistaken program, what the mistake computes, what is true of it.
    """

    at: Span
    key: bool = False
    text: Text | None = None
    value: Expr | None = None
    code: str | None = None
    holds: Expr | None = None
    says: Expr | None = None
    """A value as somebody has published it, in the form in which people print values."""
    program: str | None = None
    mistake: str | None = None
    instead: tuple[tuple[str, str], ...] = ()
    yields: Expr | None = None
    because: Expr | None = None
    where: Expr | None = None
    """The variants that it is for, by the parameters alone; None for all."""
    last: bool = False
    """It stays at the end where options are mixed, since it is about the others: `none of these`."""


@dataclass(frozen=True, slots=True)
class Claimed(Body):
    """What PyTorch says, and the options or wrong values beside it."""

    answer: Expr | None = None
    holds: Expr | None = None
    options: tuple[Option, ...] = ()
    key: Expr | None = None
    """The answer as it is typed, where the author states it: a second source, which must agree."""
    compare: Compare = USUAL_COMPARE
    unit: str = ""
    shows: str = "rate"
    """What a list of numbers holds, in a word."""
    counts: str = "step"
    """What the entries of a list of numbers count, such as `epoch`."""
    cells: Expr | None = None
    """How many numbers a table has."""
    exists: tuple[Expr, ...] = ()
    """Dotted names that must be there: they can disprove a key, and never prove one."""
    runs: tuple[Expr, ...] = ()
    """Code that is shown as working, after the item's program."""

    def run_and_asked(self) -> dict[str, Any]:
        """See `Body`."""
        return some(
            answer=source(self.answer),
            holds=source(self.holds),
            options=[_claim(option) for option in self.options],
            key=source(self.key),
            cells=source(self.cells),
            exists=[source(one) for one in self.exists],
            runs=[source(one) for one in self.runs],
            **compared(self.compare),
        )

    def said(self) -> dict[str, Any]:
        """See `Body`."""
        options = [pieces(option.text) for option in self.options]
        return {"options": options, "unit": self.unit, "shows": self.shows, "counts": self.counts}

    def recognized(self) -> tuple[tuple[str | None, Span], ...]:
        """See `Body`."""
        return tuple((option.mistake, option.at) for option in self.options)

    @property
    def words(self) -> tuple[str, str]:
        """See `Body`."""
        return self.shows, self.counts

    @property
    def published(self) -> tuple[Expr, ...]:
        """Answers that are typed in the form in which people print values."""
        return ()


@dataclass(frozen=True, slots=True)
class TensorDraw:
    """How a hidden tensor is drawn: its entries between `low` and `high`, as a dtype has them."""

    shape: tuple[int | str | tuple[int, ...], ...]
    """For each dimension its size, the name of an input that is a whole number, or sizes of which one is drawn."""
    dtype: str = "float32"
    low: float = -1
    high: float = 1
    also: tuple[str, ...] = ()
    """Special tensors, each of which is the input of one more case."""
    grad: bool = False


@dataclass(frozen=True, slots=True)
class Draw:
    """Where a hidden input comes from: `values`, a number from `low` to `high` (whole where both are), or a tensor."""

    name: str
    values: tuple[Value, ...] = ()
    low: float = 0
    high: float = 0
    tensor: TensorDraw | None = None

    def canonical(self) -> list[Any]:
        """As JSON data, for digests."""
        plain = [self.name, self.values, self.low, self.high]
        one = self.tensor
        return [*plain, [list(one.shape), one.dtype, one.low, one.high, list(one.also), one.grad]] if one else plain


@dataclass(frozen=True, slots=True)
class Pattern:
    """What source looks like, as ast-grep writes it (`for $X in $Y: $$$`); where it stands before or after another."""

    text: str
    at: Span
    before: str = ""
    after: str = ""
    others: tuple[Pattern, ...] = ()
    """Patterns that will do in its place."""

    def canonical(self) -> Any:
        """As JSON data, for digests."""
        others = [other.canonical() for other in self.others]
        return some(pattern=self.text, before=self.before, after=self.after, any=others)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that an answer is judged by: a value as the reference gives it, a statement, or what its source is."""

    at: Span
    name: str = ""
    observe: Expr | None = None
    holds: Expr | None = None
    forbid: tuple[Pattern, ...] = ()
    require: tuple[Pattern, ...] = ()
    says: str = ""
    """What is said where it fails."""
    points: float = 1.0

    def canonical(self) -> Any:
        """As JSON data, for digests."""
        return some(
            name=self.name,
            observe=source(self.observe),
            holds=source(self.holds),
            forbid=[pattern.canonical() for pattern in self.forbid],
            require=[pattern.canonical() for pattern in self.require],
            points=None if self.points == 1 else self.points,
        )


@dataclass(frozen=True, slots=True)
class Wrong:
    """An answer that somebody with a misconception gives, in the parts of `Written.reference`."""

    mistake: str
    parts: tuple[str, ...]
    at: Span
    looks: Pattern | None = None
    """What the source of such an answer looks like, where what it does is not enough to tell."""
    where: Expr | None = None
    """The variants that it is for, by the parameters alone; None for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written(Body):
    """What the learner completes or writes, in the kinds whose answers are run."""

    reference: tuple[str, ...]
    """A right answer: what goes into each blank, the lines in order, or the code."""
    observe: Expr
    """What of a run is shown, and compared by a check that names nothing else; evaluated in the run."""
    at: Span
    checks: tuple[Check, ...]
    """At least one. A single one without a name is the item's own `observe`, `holds`, `forbid` and `require`."""
    starter: str = ""
    wrong: tuple[Wrong, ...] = ()
    given: tuple[Inputs, ...] = ((),)
    hidden: tuple[Draw, ...] = ()
    draws: int = 0
    """How many cases are drawn from `hidden` for each answer."""
    compare: Compare = USUAL_COMPARE
    shows: str = "value"
    """What `observe` lists, in a word."""
    counts: str = "step"
    """What its entries count, such as `epoch`."""

    @property
    def holds(self) -> Expr | None:
        """The item's own statement about a right run; None where checks have names."""
        return self.checks[0].holds if self.plain else None

    @property
    def plain(self) -> bool:
        """Whether all is judged by one check without a name."""
        return len(self.checks) == 1 and not self.checks[0].name

    def run_and_asked(self) -> dict[str, Any]:
        """See `Body`."""
        only = self.checks[0]
        usual = source(only.observe) in (None, source(self.observe)) and only.points == 1
        simple = self.plain and usual and not only.forbid and not only.require
        exercise = some(
            reference=list(self.reference),
            observe=source(self.observe),
            starter=self.starter,
            wrong=[list(wrong.parts) for wrong in self.wrong],
            looks=[wrong.looks.canonical() for wrong in self.wrong if wrong.looks],
            where=[source(wrong.where) for wrong in self.wrong if wrong.where],
            given=[list(inputs) for inputs in self.given],
            hidden=[one.canonical() for one in self.hidden],
            draws=self.draws,
            checks=[] if simple else [check.canonical() for check in self.checks],
        )
        return some(holds=source(self.holds), exercise=exercise, **compared(self.compare))

    def said(self) -> dict[str, Any]:
        """See `Body`."""
        says = [check.says for check in self.checks if check.says]
        return {"shows": self.shows, "counts": self.counts, **some(checks=says)}

    def recognized(self) -> tuple[tuple[str | None, Span], ...]:
        """See `Body`."""
        return tuple((wrong.mistake, wrong.at) for wrong in self.wrong)

    @property
    def words(self) -> tuple[str, str]:
        """See `Body`."""
        return self.shows, self.counts


NOTHING = Claimed()


def claimed(item: Item) -> Claimed:
    """What an item claims beside its program and its texts; nothing where its kind has no options and no answer."""
    return item.body if isinstance(item.body, Claimed) else NOTHING


def written(item: Item) -> Written:
    """The body of an item whose answers are run."""
    assert isinstance(item.body, Written)
    return item.body


# ---------------------------------------------------------------- as JSON data


def some(**parts: Any) -> dict[str, Any]:
    """The parts that are not empty, such as the one variant that has no numbers."""
    return {name: part for name, part in parts.items() if part not in (None, "", [], [[]], False)}


def source(expression: Expr | None) -> str | None:
    """The text of an expression."""
    return expression.text if expression else None


def pieces(text: Text | None) -> list[str | list[str]] | None:
    """A text, its expressions as lists of one."""
    return [piece if isinstance(piece, str) else [piece.text] for piece in text.pieces] if text else None


def compared(how: Compare) -> dict[str, Any]:
    """How values are compared, as far as it is not the usual way."""
    changed = {entry.name: getattr(how, entry.name) for entry in fields(Compare)}
    changed = {name: value for name, value in changed.items() if value != getattr(USUAL_COMPARE, name)}
    tolerance = changed.pop("tolerance", None)
    return {"tolerance": tolerance, "compare": changed or None}


def _claim(option: Option) -> dict[str, Any]:
    return some(
        key=option.key,
        value=source(option.value),
        code=option.code,
        holds=source(option.holds),
        says=source(option.says),
        program=option.program,
        instead=list(option.instead),
        yields=source(option.yields),
        because=source(option.because),
        where=source(option.where),
        last=option.last,
    )
