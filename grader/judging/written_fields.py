"""The shapes of exercises, whose answers are run, as pydantic models: inputs, checks, wrong answers. See `fields`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    Discriminator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    Tag,
)

from grader.judging.fields import (
    COMPARE,
    DTYPES,
    WHERE,
    Code,
    CompareFields,
    Draw,
    Expression,
    Fields,
    Inputs,
    ItemFields,
    Name,
    Piece,
    Sentences,
    Short,
    Slug,
)


class PatternFields(Fields):
    """What source looks like, before or after something else."""

    pattern: Piece = Field(min_length=1, description="An ast-grep pattern: `$M.backward()`.")
    before: Piece = Field("", description="Another pattern, which it stands before.")
    after: Piece = Field("", description="Another pattern, which it stands after.")


def _looks_how(value: object) -> str:
    if isinstance(value, dict):
        return "Any" if "any" in value and "pattern" not in value else "Place"
    return "All" if isinstance(value, list) else "Text"


_Text = Annotated[StrictStr, Field(min_length=1, max_length=500), Tag("Text")]


_Place = Annotated[PatternFields, Tag("Place")]


class AnyPatternFields(Fields):
    """What source looks like in one of several ways."""

    any: list[Annotated[_Text | _Place, Discriminator(_looks_how)]] = Field(
        min_length=2, max_length=10, description="Patterns of which one will do."
    )


_Any = Annotated[AnyPatternFields, Tag("Any")]


OnePattern = Annotated[_Text | _Place | _Any, Discriminator(_looks_how)]


_All = Annotated[list[OnePattern], Field(max_length=10), Tag("All")]


Patterns = Annotated[_Text | _Place | _Any | _All, Discriminator(_looks_how)]


class WrongAnswerFields(Fields):
    """A wrong answer that is run, and recognized by what it does."""

    mistake: Slug = Field(description="The misconception that leads here: an id under `mistakes`.")
    looks: OnePattern | None = Field(None, description="What its source looks like, where what it does is not enough.")
    where: Expression | None = WHERE


class WrongCodeFields(WrongAnswerFields):
    """What somebody with the mistake writes."""

    code: Code = Field(description="It must fail, in another way than the other mistakes.")


Observed = Expression | Annotated[dict[Name, Expression], Field(min_length=1, max_length=20)]


class CheckFields(Fields):
    """One of several things that an answer is judged by: exactly one of `observe`, `holds`, `forbid`, `require`."""

    name: Short = Field(min_length=1, description="What it is called in the table of checks.")
    observe: Observed | None = Field(None, description="Compared with what the reference gives.")
    holds: Expression | None = Field(None, description="True of `run` and of `run.seen`, what other checks observe.")
    forbid: Patterns | None = Field(None, description="Patterns that the source must not have.")
    require: Patterns | None = Field(None, description="Patterns that the source must have.")
    says: Sentences | Literal[""] = Field("", description="What to tell whoever fails it.")
    points: float = Field(1, gt=0, le=100, description="Its weight among the checks.")


class ObservedFields(ItemFields):
    """What kinds add whose answers are run."""

    observe: Observed = Field("run.lr_used", description="What of a run is compared and shown; several by name.")
    holds: Expression | None = Field(None, description="True of a right run, by `run` and the parameters alone.")
    forbid: Patterns | None = Field(None, description="Patterns that the answer must not have.")
    require: Patterns | None = Field(None, description="Patterns that the answer must have.")
    checks: list[CheckFields] = Field(default_factory=list, max_length=12, description="Several checks, with points.")
    compare: CompareFields = COMPARE
    shows: Short | None = Field(None, description="What `observe` lists, in a word; by default a rate or a value.")
    counts: Short = Field("step", description="What its entries count, such as `epoch`.")
    tolerance: float = Field(1e-6, gt=0, lt=1, description="Relative, for numbers.")


class CompletedFields(ObservedFields):
    """What kinds add in which a program is completed."""

    program: Code = Field(description="Real Python with places for the answer.")


class RangeFields(Fields):
    """Numbers to draw from: whole ones where both ends are."""

    start: StrictInt | StrictFloat = Field(alias="from")
    to: StrictInt | StrictFloat


class SizeFields(Fields):
    """A size to draw."""

    start: Annotated[int, Field(ge=0, le=4096)] = Field(alias="from")
    to: Annotated[int, Field(ge=0, le=4096)]


class TensorDrawFields(Fields):
    """A tensor to draw."""

    shape: list[
        Annotated[int, Field(ge=0, le=4096)] | Name | list[Annotated[int, Field(ge=0, le=4096)]] | SizeFields
    ] = Field(max_length=6, description="A size each: a number, a drawn input's name, `[2, 3]` or `{from: 2, to: 5}`.")
    dtype: DTYPES = "float32"
    start: StrictInt | StrictFloat = Field(-1, alias="from")
    to: StrictInt | StrictFloat = 1
    also: list[Literal["zeros", "ones", "repeated", "nan", "inf", "smallest"]] = Field(
        default_factory=list, description="Special tensors, each the input of one more case."
    )
    grad: StrictBool = Field(False, description="Whether it requires a gradient.")


def _drawn_how(value: object) -> str:
    return (
        "Values" if isinstance(value, list) else "Tensor" if isinstance(value, dict) and "shape" in value else "Range"
    )


HiddenInput = Annotated[
    Annotated[list[Draw], Field(max_length=200), Tag("Values")]
    | Annotated[RangeFields, Tag("Range")]
    | Annotated[TensorDrawFields, Tag("Tensor")],
    Discriminator(_drawn_how),
]


class CasesFields(Fields):
    """The inputs that an answer is run with: assignments before the program."""

    given: list[Inputs] = Field(min_length=1, max_length=6, description="Inputs that the learner sees.")
    hidden: dict[Name, HiddenInput] = Field(
        default_factory=dict, max_length=30, description="Where hidden inputs are drawn from, for each name."
    )
    draws: int = Field(3, ge=1, le=10, description="How many hidden cases are drawn for each answer.")


class WrittenFields(ObservedFields):
    """What kinds add in which code is written."""

    starter: Code = Field(description="What the learner starts from; it must not pass.")
    reference: Code = Field(description="A right answer; others are compared with what it does.")
    cases: CasesFields | None = Field(None, description="Inputs; without them the program runs once, as it is.")
    mistakes: list[WrongCodeFields] = Field(
        default_factory=list, max_length=20, description="Wrong answers to recognize."
    )
