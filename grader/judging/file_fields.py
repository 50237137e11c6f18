"""The shapes of the files of a bank, as pydantic models: of a topic, its experiment, shared mistakes, `bank.yaml`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from grader.judging.fields import (
    NO_MISTAKES,
    Code,
    Expression,
    Fields,
    FigureFields,
    Items,
    Mistakes,
    Name,
    Scalar,
    Sentences,
    Short,
    Slug,
    Template,
)


class KnobFields(Fields):
    """Something to turn: `choices`, or numbers `from` one `to` another."""

    label: Short = Field("", description="What it is called; by default its name.")
    low: StrictInt | StrictFloat | None = Field(None, alias="from")
    to: StrictInt | StrictFloat | None = None
    step: StrictInt | StrictFloat | None = Field(None, description="Of a linear scale; by default 1, or a twentieth.")
    scale: Literal["linear", "log"] = "linear"
    choices: list[Scalar] | None = Field(None, min_length=2, max_length=20)
    start: Scalar | None = Field(None, description="Where it stands at first; by default at the first value.")
    unit: Short = Field("", description="What its numbers count, such as `epoch`.")
    where: Expression | None = Field(None, description="When it is there, by other knobs alone.")


class CurveFields(Fields):
    """Numbers that are drawn as a curve."""

    data: Expression
    scale: Literal["linear", "log"] = "linear"


class SayingFields(Fields):
    """A sentence about a run."""

    when: Expression = Field(description="Where it is true, the sentence is said.")
    say: Template


class SolvedFields(Fields):
    """A step of a task's solution."""

    set: dict[Name, Scalar] = Field(default_factory=dict, description="Knobs; the others stand where they start.")
    holds: Expression | None = Field(None, description="What must be true of the run with these values.")
    say: Template


class ExperimentFields(Fields):
    """Knobs, a program that uses their names, and what is drawn and said of each run."""

    title: Short = Field(min_length=1)
    about: Sentences = Field("", description="What is run, and what to try, in a sentence or two.")
    task: Sentences = Field("", description="What to find out with the knobs.")
    solution: list[SolvedFields] = Field(default_factory=list, max_length=10)
    uses: list[Slug] = Field(
        default_factory=list, max_length=10, description="Setups of the topic that stand before the program; `digits`."
    )
    knobs: dict[Name, KnobFields] = Field(min_length=1, max_length=12)
    program: Code
    curves: dict[Name, Expression | CurveFields] = Field(
        default_factory=dict, max_length=4, description="A chart each."
    )
    counts: Short = Field("step", min_length=1, description="What the curves count, such as `epoch`.")
    figure: FigureFields | Annotated[list[FigureFields], Field(min_length=1, max_length=4)] | None = None
    words: list[SayingFields] = Field(default_factory=list, max_length=20)
    compare: StrictBool = Field(False, description="Whether runs can be kept beside the one that is shown.")


class AboutTopicFields(Fields):
    """What a topic says of itself: at the top of its one file, or in the `topic.yaml` of its folder."""

    format: Literal[1]
    topic: Slug
    title: Short = Field(min_length=1)
    order: StrictInt | StrictFloat | None = Field(None, description="Its place among the topics of its block.")
    needs: list[Slug] = Field(default_factory=list, max_length=30, description="Topics that should come first.")
    objectives: list[Sentences] = Field(
        default_factory=list, max_length=20, description="What a learner can do after it."
    )
    minutes: Annotated[int, Field(gt=0, le=1000)] | None = Field(None, description="How long it takes.")
    skills: dict[Slug, Annotated[StrictStr, Field(min_length=1, max_length=200)]] = Field(
        default_factory=dict, max_length=100, description="Skills in words: `add-an-axis: add an axis`."
    )
    setup: dict[Slug, Code] = Field(
        default_factory=dict, max_length=50, description="Python that items name in `uses`, to stand before a program."
    )
    mistakes: Mistakes = NO_MISTAKES
    experiment: ExperimentFields | None = Field(None, description="Knobs to turn, and what a run with them shows.")
    source: Short = Field("", description="Where the items come from.")
    license: Short = Field("", description="Of the items, where it is not the bank's.")
    imported: Any = Field(None, description="What an imported file says beside its questions.")


class HeadFields(AboutTopicFields):
    """The `topic.yaml` of a topic whose items lie beside it."""

    items: Items = Field(default_factory=list)


class TopicFields(AboutTopicFields):
    """A quiz file: a topic in one."""

    items: Items = Field(min_length=1)


class PartFields(Fields):
    """One of several files of a topic, beside its `topic.yaml`."""

    format: Literal[1]
    topic: Slug
    items: Items = Field(default_factory=list)
    mistakes: Mistakes = NO_MISTAKES


class SharedFields(Fields):
    """`quizzes/mistakes.yaml`: mistakes that several topics name."""

    format: Literal[1]
    mistakes: Mistakes = Field(min_length=1)


class BlockFields(Fields):
    """Topics that belong together."""

    name: Slug
    title: Short = Field(min_length=1)
    topics: list[Slug] = Field(min_length=1, max_length=100, description="In order; some may not be there yet.")


class BankFields(Fields):
    """`bank.yaml`, at the root of a bank."""

    format: Literal[1]
    name: Slug
    title: Short = Field(min_length=1)
    license: Short = Field("", description="Of the questions and lessons: an SPDX name, such as `Apache-2.0`.")
    authors: list[Short] = Field(default_factory=list, max_length=100)
    lang: Short = Field("en", description="The language of its texts.")
    torch: Short = Field("", description="The versions of PyTorch that it is for, such as `>=2.9`.")
    blocks: list[BlockFields] = Field(default_factory=list, max_length=50)
