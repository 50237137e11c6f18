"""`sequence`: the learner fills a table of numbers. Each cell counts; feedback is about the first that differs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from typing import TYPE_CHECKING, Any

from grader.judging import claim_form, claims, comparison, diagnosis, prompts, proofs
from grader.judging.bodies import Claimed, Reader, claimed, some
from grader.judging.building import build_claimed, shows
from grader.judging.claims import Findings, Results, plan
from grader.judging.reading_answers import read
from grader.kinds import Traits
from grader.model import (
    Body,
    Item,
    Labeled,
    NumberInput,
    Outcome,
    Prompt,
    Proof,
    Response,
    Score,
    Value,
    Variant,
    values,
)
from grader.render import charts
from grader.template import show

if TYPE_CHECKING:
    from grader.judging.fields import ItemFields
    from grader.judging.running_answers import Marker

__all__ = ["TRAITS", "answer", "build", "check", "fields", "grade", "plan", "prompt", "prove", "read", "samples"]

TRAITS = Traits(retries=True, gives_curve=True)
MOST_CELLS = 40


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Annotated, Literal

    from pydantic import Field, StrictInt

    from grader.judging.fields import (
        COMPARE,
        CompareFields,
        Expression,
        ItemFields,
        Label,
        Short,
        TwoDimensions,
        WrongNumberFields,
    )

    class SequenceFields(ItemFields):
        """The learner fills a table of numbers."""

        kind: Literal["sequence"]
        key: Expression | None = Field(None, description="The answer as published or as you know it: it must agree.")
        compare: CompareFields = COMPARE
        answer: Expression = Field(description="What PyTorch says: a list of numbers.")
        cells: Expression | None = Field(None, description="How many numbers, from parameters alone.")
        starts: Annotated[StrictInt, Field(ge=-1000, le=1000)] = Field(1, description="What the first cell counts as.")
        labels: Annotated[list[Label], Field(min_length=1, max_length=MOST_CELLS)] | TwoDimensions | None = Field(
            None, description="What the cells are called, in place of `counts`: a list, or `rows` and `columns`."
        )
        shows: Short | None = Field(None, description="What the cells hold, in a word; by default a rate or a value.")
        counts: Short = Field("step", description="What the cells count, such as `epoch`.")
        tolerance: float = Field(1e-6, gt=0, lt=1, description="Relative.")
        mistakes: list[WrongNumberFields] = Field(
            default_factory=list, max_length=20, description="Wrong tables to recognize."
        )

    return SequenceFields


@dataclass(frozen=True, slots=True)
class Table(Claimed):
    """A table of numbers, and what its cells are called."""

    starts: int = 1
    """What the first cell counts as, where cells have no labels of their own."""
    labels: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    """The labels of a table of two dimensions."""

    def run_and_asked(self) -> dict[str, Any]:
        """See `Body`. Of labels it is how many there are: another name is another word for the same."""
        counts = [len(self.labels)] if self.labels else [len(self.rows), len(self.columns)] if self.rows else []
        return Claimed.run_and_asked(self) | some(table=counts)

    def said(self) -> dict[str, Any]:
        """See `Body`."""
        named = [*self.labels, *self.rows, *self.columns]
        return Claimed.said(self) | some(labels=named, starts="" if self.starts == 1 else str(self.starts))

    @property
    def is_curve(self) -> bool:
        """See `Body`."""
        return self.starts == 1 and not self.labels and not self.rows

    @property
    def named(self) -> int:
        """How many cells have a label; 0 where they are counted."""
        return len(self.labels) or len(self.rows) * len(self.columns)

    def inputs(self, count: int) -> tuple[NumberInput, ...]:
        """A cell for each number, with its label."""
        if self.rows:
            return tuple(
                NumberInput(f"{row}, {column}", cell=(row, column)) for row in self.rows for column in self.columns
            )
        labels = self.labels or [f"{self.counts} {number}" for number in range(self.starts, self.starts + count)]
        return tuple(map(NumberInput, labels))


def _table(item: Item) -> Table:
    assert isinstance(item.body, Table)
    return item.body


def build(reader: Reader) -> Body:
    """See `Kind`."""
    usual = build_claimed(reader, "mistakes")
    named, starts = reader.get("labels") or [], reader.get("starts", default=1)
    known = {field.name: getattr(usual, field.name) for field in dataclass_fields(usual)}
    table = Table(**known | {"shows": shows(reader, usual.answer)}, starts=starts)
    if isinstance(named, dict):
        rows, columns = (tuple(map(str, named[side])) for side in ("rows", "columns"))
        return replace(table, rows=rows, columns=columns)
    return replace(table, labels=tuple(map(str, named)))


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    claim_form.check_yields(item, findings)
    table = _table(item)
    for side in (table.labels, table.rows, table.columns):
        if twice := [label for place, label in enumerate(side) if label in side[:place]]:
            message = f"two of the `labels` are `{twice[0]}`"
            findings.add("bad-field", message, item.at, "give each cell a label of its own")
    if table.named and table.starts != 1:
        message = "`starts` counts cells, and these have `labels`"
        findings.add("bad-field", message, item.at, "keep one of the two")
    if table.named > MOST_CELLS:
        message = f"the table has {table.named} cells, and may have {MOST_CELLS}"
        findings.add("bad-field", message, item.at, "ask for fewer rows or columns")
    if table.cells is None:
        if not table.named:
            findings.add("bad-field", "nothing says how many cells there are", item.at, "add `cells:` or `labels:`")
        return
    for variant in item.variants if table.named else item.variants[:1]:
        count = _count(item, variant)
        if count is None:
            message = f"`{table.cells.text}` is not a number of cells (1 to {MOST_CELLS})"
            findings.add("bad-field", message, table.cells.at, "write a number or the name of a parameter")
            return
        if table.named not in (0, count):
            message = f"there are {table.named} labels, and `cells: {table.cells.text}` is {count}"
            findings.add("bad-field", message, table.cells.at, "leave `cells` out, since the labels say how many")
            return


def _count(item: Item, variant: Variant) -> int | None:
    """How many cells the table of a variant has; None where nothing says a number that can be."""
    table = _table(item)
    if table.cells is None:
        return table.named or None
    known = claims.known([table.cells], variant)
    count = known[table.cells.text].value if known else None
    return count if type(count) is int and 1 <= count <= MOST_CELLS else None


def prove(item: Item, variant: Variant, results: Results) -> Proof:
    """See `Kind`."""
    proof = proofs.numeric(proofs.prove(item, variant, results))
    count, asked, table = _count(item, variant), claimed(item).answer, _table(item)
    assert asked is not None
    if proof.errors:
        return proof
    answer = values.simple(proof.answer)
    rows = answer if table.rows and isinstance(answer, list) else [answer]
    widths = {len(row) if isinstance(row, list) else 0 for row in rows}
    fits = widths == {len(table.columns) if table.rows else count} and len(rows) == (len(table.rows) or 1)
    if not fits or not all(type(entry) in (int, float) for entry in values.flat(answer)):
        findings = Findings(item, variant)
        wanted = (
            f"not a table of {len(table.rows)} rows and {len(table.columns)} columns of"
            if table.rows
            else "not a list of"
        )
        message = f"`{asked.text}` is {show(proof.answer)}, which is {wanted} {count} numbers"
        hint = f"let `{'labels' if table.named else 'cells'}` say how many numbers the answer has"
        findings.add("step-fails", message, asked.at, hint)
        return replace(proof, findings=tuple(findings.found))
    options = tuple(replace(option, value=values.simple(option.value)) for option in proof.options)
    return replace(proof, answer=answer, options=options)


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    return prompts.prompt(item, variant, proof, _table(item).inputs(_count(item, variant) or 0))


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    """See `Kind`."""
    right, table = values.flat(proof.answer), _table(item)
    yours: list[Value] = list(response.numbers)
    cells = [comparison.equal(one, other, table.compare) for one, other in zip(yours, right, strict=True)]
    points = sum(cells) / len(cells)
    if all(cells):
        return Score(Outcome.CORRECT, 1.0)
    mistake = next(
        (o.mistake for o in proof.options if comparison.equal(yours, values.flat(o.value), table.compare)), None
    )
    outcome = Outcome.PARTLY if points else Outcome.INCORRECT
    if not table.is_curve:
        return Score(outcome, points, mistake, "", (_departure(table, yours, right, cells),))
    said = diagnosis.departure(yours, right, table.shows, table.counts, table.compare)
    chart = (
        charts.comparison(yours, right, table.shows, table.counts)
        if diagnosis.curve(right) and diagnosis.curve(yours)
        else None
    )
    return Score(outcome, points, mistake, "", (said,), chart)


def _departure(table: Table, yours: list[Value], right: list[Value], cells: list[bool]) -> str:
    """Which cell is the first that is wrong, by its label; or that a table was filled column by column."""
    width = len(table.columns)
    if width and comparison.equal(
        yours, [right[k] for first in range(width) for k in range(first, len(right), width)], table.compare
    ):
        return "These are the right numbers, column by column; they are wanted row by row."
    place = cells.index(False)
    label = table.inputs(len(right))[place].label
    said = f"In the cell `{label}` the {table.shows} is {show(right[place])}, not {show(yours[place])}."
    return f"{said} {sum(cells)} of {len(cells)} cells are right." if sum(cells) else said


def answer(item: Item, proof: Proof) -> tuple[Labeled, ...]:
    """See `Kind`."""
    assert isinstance(proof.answer, list)
    return (Labeled("", show(proof.answer) if _table(item).rows else " ".join(map(show, proof.answer))),)


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    numbers = values.flat(proof.answer)
    right = " ".join(map(repr, numbers))
    wrong = " ".join(repr(float(str(value)) * 2 + (1 if value != -1 else 8)) for value in numbers)
    return {"right": right, "wrong": wrong, "unreadable": right + " 1"}
