"""The shapes that YAML may have, as pydantic models: what is checked, and what `grader schema` writes.

Loaded only to check a text that was not checked before, and for the schema. The models hold no logic: what fields mean
together is checked where items are built (`bank`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from grader.model import Level
from grader.template import LONGEST_EXPRESSION

Mode = Literal[
    "learn", "why", "deep", "trace", "metrics", "experiment", "try", "challenge", "review", "test", "practice"
]
MOST_ITEMS = 300
LONGEST = 20_000
"""Characters of a text or a program. With the other limits here it bounds what a stranger's file can cost."""

Slug = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=100,
        description="Lower-case letters, digits and single hyphens.",
    ),
]
Short = Annotated[StrictStr, Field(max_length=200)]
Sentences = Annotated[StrictStr, Field(min_length=1, max_length=2000)]
Name = Annotated[StrictStr, Field(max_length=100)]
Scalar = StrictInt | StrictFloat | StrictBool | Annotated[StrictStr, Field(max_length=LONGEST)]
Draw = Scalar | Annotated[list[Scalar], Field(max_length=1000)]
Expression = Annotated[
    Annotated[StrictStr, Field(max_length=LONGEST_EXPRESSION)]
    | StrictInt
    | StrictFloat
    | StrictBool
    | Annotated[list[Scalar], Field(max_length=1000)],
    Field(description="A Python expression over the program's names and `run`; a plain number stands for itself."),
]
Template = Annotated[
    StrictStr,
    Field(min_length=1, max_length=LONGEST, description="Markdown; {expressions} are evaluated in the run and shown."),
]
Code = Annotated[StrictStr, Field(min_length=1, max_length=LONGEST, description="Python, run as it stands.")]
Piece = Annotated[StrictStr, Field(max_length=LONGEST)]
Inputs = Annotated[dict[Name, Draw], Field(max_length=30)]


class Fields(BaseModel):
    """No unknown keys, no conversions: what is written is what is meant."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class MistakeFields(Fields):
    """A misconception, shared by items."""

    says: Sentences = Field(description="What to tell a learner who has it, in a sentence or two.")
    see: Short = Field("", description="Where to read on: a lesson and its anchor.")
    family: Slug | Literal[""] = Field("", description="The misunderstanding behind it, shared with other mistakes.")


class StepFields(Fields):
    """A solution step that claims something without showing a number."""

    say: Template
    holds: Expression = Field(description="Must be true in the run.")


class EvidenceFields(Fields):
    """What ties a wrong option to its mistake."""

    mistake: Slug = Field("", description="The misconception that leads here: an id under `mistakes`.")
    instead: dict[Piece, Piece] = Field(
        default_factory=dict,
        max_length=10,
        description="The mistaken program: each key, a piece of the program, is replaced by its value.",
    )
    yields: Expression | None = Field(None, description="What the mistake computes; must equal `value`.")


class OptionFields(EvidenceFields):
    """One option. It makes its claim by `value`, by `code`, or by `holds`."""

    text: Template | None = Field(None, description="What is shown; by default the value or the code.")
    key: StrictBool = Field(False, description="Whether this option is right.")
    value: Expression | None = Field(None, description="Right when it equals the item's `answer`.")
    code: Code | None = Field(None, description="Put in at `...option...`; right when the item's `holds` is true.")
    holds: Expression | None = Field(None, description="Right when it is true in the run.")
    program: Code | None = Field(None, description="A program of its own for `holds`.")
    because: Expression | None = Field(None, description="True in the run of this wrong option: how it fails.")


class WrongNumberFields(EvidenceFields):
    """A wrong number that is recognised: `yields` or `instead` says how the mistake computes it."""

    mistake: Slug = Field(description="The misconception that leads here: an id under `mistakes`.")
    value: Expression | None = Field(None, description="The number, where it is to be checked against `yields`.")


class ItemFields(Fields):
    """What every kind of item has."""

    id: Slug = Field(description="Unique in the bank; a new meaning needs a new id.")
    level: Level
    skill: Slug = Field(description="What is practised, such as `read-a-factor-function`.")
    modes: list[Mode] = Field(["practice", "test"], min_length=1, max_length=20, description="Where the item is asked.")
    params: Annotated[dict[Name, Annotated[list[Draw], Field(max_length=200)]], Field(max_length=30)] | list[Inputs] = (
        Field(
            default_factory=dict,
            description="Values for each name (all combinations are variants), or a list of variants.",
        )
    )
    stem: Template
    program: StrictStr = Field(
        "", max_length=LONGEST, description="Real Python; the parameters are prepended as assignments."
    )
    raises: Short | None = Field(None, description="The exception that the program is meant to end with.")
    warns: Short | None = Field(None, description="A regular expression for the program's warnings.")
    hints: list[Template] = Field(default_factory=list, max_length=10, description="From a nudge to nearly all.")
    solution: list[Template | StepFields] = Field(
        min_length=1, max_length=30, description="Numbered steps to the answer."
    )
    see: Short = Field("", description="Where to read on: a lesson and its anchor.")


class ClaimFields(ItemFields):
    """What kinds with options add."""

    answer: Expression | None = Field(None, description="What PyTorch says; options have a `value`.")
    holds: Expression | None = Field(None, description="What the right option's code makes true.")
    tolerance: float = Field(1e-6, gt=0, lt=1, description="Relative, for numbers.")
    counts: Short = Field("step", description="What the optimizer's steps count, such as `epoch`.")
    options: list[OptionFields] = Field(min_length=2, max_length=7)


class WrongAnswerFields(Fields):
    """A wrong answer that is run, and recognised by what it does."""

    mistake: Slug = Field(description="The misconception that leads here: an id under `mistakes`.")


class WrongCodeFields(WrongAnswerFields):
    """What somebody with the mistake writes."""

    code: Code = Field(description="It must fail, in another way than the other mistakes.")


class ObservedFields(ItemFields):
    """What kinds add whose answers are run."""

    observe: Expression = Field("run.lr_used", description="What of a run is compared and shown.")
    shows: Short = Field("rate", description="What `observe` lists, in a word.")
    counts: Short = Field("step", description="What its entries count, such as `epoch`.")
    tolerance: float = Field(1e-6, gt=0, lt=1, description="Relative, for numbers.")


class CompletedFields(ObservedFields):
    """What kinds add in which a program is completed."""

    program: Code = Field(description="Real Python with places for the answer.")
    holds: Expression = Field(description="True of the completed program, by `run` and the parameters alone.")


class RangeFields(Fields):
    """Numbers to draw from: whole ones where both ends are."""

    start: StrictInt | StrictFloat = Field(alias="from")
    to: StrictInt | StrictFloat


class CasesFields(Fields):
    """The inputs that an answer is run with: assignments before the program."""

    given: list[Inputs] = Field(min_length=1, max_length=6, description="Inputs that the learner sees.")
    hidden: dict[Name, Annotated[list[Draw], Field(max_length=200)] | RangeFields] = Field(
        default_factory=dict, max_length=30, description="Where hidden inputs are drawn from, for each name."
    )
    draws: int = Field(3, ge=1, le=10, description="How many hidden cases are drawn for each answer.")


class WrittenFields(ObservedFields):
    """What kinds add in which code is written."""

    starter: Code = Field(description="What the learner starts from; it must not pass.")
    reference: Code = Field(description="A right answer; others are compared with what it does.")
    cases: CasesFields | None = Field(None, description="Inputs; without them the program runs once, as it is.")
    mistakes: list[WrongCodeFields] = Field(
        default_factory=list, max_length=20, description="Wrong answers to recognise."
    )


class TopicFields(Fields):
    """A quiz file."""

    format: Literal[1]
    topic: Slug
    title: Short = Field(min_length=1)
    items: list[dict[StrictStr, object]] = Field(min_length=1, max_length=MOST_ITEMS)
    mistakes: dict[Slug, MistakeFields] = Field(default_factory=dict, max_length=1000)
