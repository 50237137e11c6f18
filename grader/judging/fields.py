"""The shapes that YAML may have, as pydantic models: what is checked, and what `grader schema` writes.

Loaded only to check a text that was not checked before, and for the schema. The models hold no logic: what fields mean
together is checked where items are built (`bank_files`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from grader.model import Draw as Draws
from grader.model import Level
from grader.runner.inside import observers
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
DTYPES = Literal["float16", "bfloat16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool"]
INPUT = "an input is a number, a text, true or false, a list of these, or a tensor: `{tensor: [[1, 2], [3, 4]]}`"


def _input(value: object) -> object:
    """Whether a value is an input, in one message. Rows of a tensor are equally long."""
    scalar = bool | int | float | str
    if isinstance(value, dict):
        if not set(value) <= {"tensor", "dtype", "grad"} or "tensor" not in value:
            raise PydanticCustomError("input", INPUT)
        if not _even(value["tensor"]):
            raise PydanticCustomError("input", "a tensor has numbers only, and its rows are equally long")
        if value.get("dtype", "int64") not in get_args(DTYPES) or not isinstance(value.get("grad", False), bool):
            raise PydanticCustomError("input", "`dtype` names a dtype, such as float32; `grad` is true or false")
        return value
    if isinstance(value, list):
        if len(value) <= 1000 and all(isinstance(entry, scalar) for entry in value):
            return value
    elif isinstance(value, scalar) and not (isinstance(value, str) and len(value) > LONGEST):
        return value
    raise PydanticCustomError("input", INPUT)


def _even(nested: object, depth: int = 0) -> bool:
    """Whether nested lists of numbers are all equally long at each depth, and not too many."""
    if not isinstance(nested, list):
        return isinstance(nested, bool | int | float)
    if depth > 5 or len(nested) > 1000:
        return False
    shapes = {_shape(entry) for entry in nested}
    return len(shapes) <= 1 and all(_even(entry, depth + 1) for entry in nested)


def _shape(nested: object) -> tuple[int, ...]:
    shape: list[int] = []
    while isinstance(nested, list) and nested:
        shape.append(len(nested))
        nested = nested[0]
    return tuple(shape)


TENSOR_SCHEMA = {
    "type": "object",
    "properties": {
        "tensor": {"description": "Nested lists of numbers."},
        "dtype": {"enum": list(get_args(DTYPES))},
        "grad": {"type": "boolean"},
    },
    "required": ["tensor"],
    "additionalProperties": False,
}
SCALARS = [{"type": "number"}, {"type": "boolean"}, {"type": "string"}]
Draw = Annotated[
    Any,
    PlainValidator(_input),
    WithJsonSchema({"anyOf": [*SCALARS, {"type": "array", "items": {"anyOf": SCALARS}}, TENSOR_SCHEMA]}),
]
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
Published = Annotated[StrictStr, Field(min_length=1, max_length=LONGEST)]
Names = Annotated[list[Name], Field(max_length=30)]
NO_NAMES: Any = Field(default_factory=list, description="Dotted names that must be there, such as `torch.nn.Linear`.")
NO_CODE: Any = Field(default_factory=list, max_length=20, description="Code that must run after the program.")
Inputs = Annotated[dict[Name, Draw], Field(max_length=30)]

Watched = Annotated[StrictStr, Field(max_length=100), WithJsonSchema({"enum": list(observers.names())})]


class Fields(BaseModel):
    """No unknown keys, no conversions: what is written is what is meant."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class MistakeFields(Fields):
    """A misconception, shared by items."""

    says: Sentences = Field(description="What to tell a learner who has it, in a sentence or two.")
    see: Short = Field("", description="Where to read on: a lesson and its anchor.")
    family: Slug | Literal[""] = Field("", description="The misunderstanding behind it, shared with other mistakes.")


Mistakes = Annotated[dict[Slug, MistakeFields], Field(max_length=1000)]
NO_MISTAKES: Any = Field(default_factory=dict)
Items = Annotated[list[dict[StrictStr, object]], Field(max_length=MOST_ITEMS)]


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


WHERE: Any = Field(None, description="The variants that it is for, by parameters alone: `p != 0.5`.")


class CompareFields(Fields):
    """How values are compared, where it is not the usual way."""

    rtol: float | None = Field(None, ge=0, lt=1, description="Relative tolerance; by default that of the dtype.")
    atol: float | None = Field(None, ge=0, description="What counts as 0; by default a fraction of the largest entry.")
    type: StrictBool = Field(True, description="Whether it must be a tensor where the reference's is one.")
    dtype: StrictBool = Field(True, description="Whether the dtype counts.")
    device: StrictBool = Field(False, description="Whether the device counts.")
    grad: StrictBool = Field(False, description="Whether `requires_grad` counts.")


COMPARE: Any = Field(default_factory=lambda: CompareFields.model_validate({}), description="How values are compared.")


class OptionFields(EvidenceFields):
    """One option. It makes its claim by `value`, `code`, `holds` or `says`."""

    text: Template | None = Field(None, description="What is shown; by default the value or the code.")
    key: StrictBool = Field(False, description="Whether this option is right.")
    value: Expression | None = Field(None, description="Right when it equals the item's `answer`.")
    code: Code | None = Field(None, description="Put in at `...option...`; right when the item's `holds` is true.")
    holds: Expression | None = Field(None, description="Right when it is true in the run.")
    says: Published | None = Field(None, description="A value as people print it; right when it says the `answer`.")
    program: Code | None = Field(None, description="A program of its own for `holds`.")
    because: Expression | None = Field(None, description="True in the run of this wrong option: how it fails.")
    where: Expression | None = WHERE
    last: StrictBool = Field(False, description="Stays last where options are mixed, as `none of these` must.")


class WrongNumberFields(EvidenceFields):
    """A wrong number that is recognised: `yields` or `instead` says how the mistake computes it."""

    mistake: Slug = Field(description="The misconception that leads here: an id under `mistakes`.")
    value: Expression | None = Field(None, description="The number, where it should be checked against `yields`.")


class FigureFields(Fields):
    """Something to look at, drawn from a run."""

    draw: Draws = Field(description="What it is: a grid, cells of memory, a graph, a tree, bars, a matrix, a curve.")
    data: Expression = Field(description="What is drawn: its value in the run.")
    title: Short = Field("", description="What it shows, in a line.")
    x: Short = Field("step", min_length=1, description="What a curve counts, or what its `x` is.")
    y: Short = Field("value", min_length=1, description="What a curve shows.")
    reveals: StrictBool = Field(False, description="Whether it may show the answer.")


class LimitsFields(Fields):
    """What an answer, and each of the author's programs, may use."""

    seconds: Annotated[int, Field(ge=1, le=60)] | None = Field(None, description="Of CPU time.")
    memory: Annotated[int, Field(ge=16, le=8192)] | None = Field(None, description="In MiB.")


class ItemFields(Fields):
    """What every kind of item has."""

    id: Slug = Field(description="Unique in the bank; a new meaning needs a new id.")
    level: Level
    skill: Slug = Field(description="What is practiced, such as `read-a-factor-function`.")
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
    figure: FigureFields | Annotated[list[FigureFields], Field(min_length=1, max_length=4)] | None = Field(
        None, description="Drawn with the stem, from the item's own run; one or several."
    )
    uses: list[Slug] = Field(
        default_factory=list, max_length=10, description="Setups of the topic that stand before the program; `digits`."
    )
    limits: LimitsFields = Field(
        default_factory=lambda: LimitsFields.model_validate({}), description="Where the usual ones do not do."
    )
    raises: Short | None = Field(None, description="The exception that the program is meant to end with.")
    warns: Short | None = Field(None, description="A regular expression for the program's warnings.")
    watch: list[Watched] = Field(
        default_factory=list, max_length=10, description="What to watch while the program runs: gives `run.<name>`."
    )
    hints: list[Template] = Field(default_factory=list, max_length=10, description="From a nudge to nearly all.")
    solution: list[Template | StepFields] = Field(
        min_length=1, max_length=30, description="Numbered steps to the answer."
    )
    see: Short = Field("", description="Where to read on: a lesson and its anchor.")
    torch: Short = Field("", description="The versions of PyTorch in which it holds, such as `>=2.9`.")
    aliases: list[Slug] = Field(
        default_factory=list,
        max_length=20,
        description="Ids that it had before, the oldest first: they keep its records.",
    )
    retired: StrictBool = Field(False, description="Never asked again, still graded and explained.")
    source: Short = Field("", description="Where it comes from.")
    license: Short = Field("", description="Its license, where that is not the bank's.")
    wanted: Short = Field("", description="What is missing, where it was imported and cannot be decided.")
    imported: Any = Field(
        None, description="What its file says beside; then `level`, `skill`, `solution` may be missing."
    )


Label = Annotated[StrictStr, Field(min_length=1, max_length=60)] | StrictInt


class TwoDimensions(Fields):
    """What the rows and the columns of a table are called."""

    rows: list[Label] = Field(min_length=1, max_length=20)
    columns: list[Label] = Field(min_length=1, max_length=20)


class ClaimFields(ItemFields):
    """What kinds with options add."""

    answer: Expression | None = Field(None, description="What PyTorch says; options have a `value`.")
    holds: Expression | None = Field(None, description="What the right option's code makes true.")
    tolerance: float = Field(1e-6, gt=0, lt=1, description="Relative, for numbers.")
    compare: CompareFields = COMPARE
    counts: Short = Field("step", description="What the optimizer's steps count, such as `epoch`.")
    options: list[OptionFields] = Field(min_length=2, max_length=7)
    exists: Names = NO_NAMES
    runs: list[Code] = NO_CODE
