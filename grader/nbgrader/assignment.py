"""Items as an nbgrader assignment: one source notebook, and the manifest beside it.

An item has three cells: the question, the answer, and the one with the points. nbgrader cuts the right answers and the
hidden part of the last one out of what it releases. That part lets no answer pass: it is for an nbgrader that does not
know us, which would otherwise give points for what can merely be read.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode, v4

from grader import kinds
from grader.errors import InputError
from grader.exchange import ipynb
from grader.faces.words import blank_table, from_bank, run_with, span
from grader.judging.bodies import Written
from grader.learning import digests, mixing
from grader.learning.question import in_order, mixed_input
from grader.model import (
    LETTERS,
    ChooseMany,
    ChooseOne,
    CodeInput,
    Figure,
    Item,
    Mistake,
    NumberInput,
    OrderInput,
    Prompt,
    Proof,
    Response,
    TextInput,
)
from grader.nbgrader import cell_values, manifest
from grader.nbgrader.manifest import Manifest, ManifestItem
from grader.render import figure_text, markdown

SHORT = 12
"""Characters of a line that says too little to give an answer away."""

HIDDEN = """\
### BEGIN HIDDEN TESTS
raise RuntimeError(
    "this cell is judged by torch-grader: add `from grader.course import configure; configure(c)` to nbgrader_config.py"
)
### END HIDDEN TESTS"""

WHO = """\
# Each student has numbers of their own. On JupyterHub you are known; elsewhere, write your name in the course here:
STUDENT = "\""""


@dataclass(frozen=True, slots=True)
class AssignedItem:
    """An item of an assignment, with the proof of each of its variants."""

    item: Item
    proofs: Sequence[Proof]

    def prompt(self, variant: int, mix: int | None = None) -> Prompt:
        """What is shown of a variant, its options mixed by a seed, or in written order."""
        found = kinds.of(self.item).prompt(self.item, self.item.variants[variant], self.proofs[variant])
        assert found is not None
        return in_order(found, self.order(found, mix)) if mix is not None and mixed_input(found) else found

    def order(self, written: Prompt, mix: int | None) -> tuple[int, ...]:
        """The places of the options of a prompt, as written, in the order in which they are shown."""
        pick = mixed_input(written)
        return (
            mixing.order(len(pick.options), mix, self.item.first_id, written.variant.index, pick.last) if pick else ()
        )

    def right(self, variant: int, mix: int | None) -> str:
        """A right answer as it would be typed, by the letters that options have when they are mixed."""
        raw = kinds.of(self.item).samples(self.item, self.proofs[variant])["right"]
        written = self.prompt(variant)
        response = kinds.of(self.item).read(written, raw)
        if mix is None or not isinstance(response, Response) or not (order := self.order(written, mix)):
            return raw
        return ", ".join(LETTERS[shown] for shown in sorted(map(order.index, response.picked)))


def check(items: Sequence[Item], name: str) -> None:
    """Raise InputError for what nbgrader cannot have."""
    if not items:
        raise InputError("there are no items to ask", "choose some with --items, or another --mode")
    if not re.fullmatch(r"\w[\w -]*", name):
        raise InputError(f"nbgrader knows no assignment `{name}`", "give the folder a name of letters and digits")
    for item in items:
        if not kinds.of(item).TRAITS.cell:
            raise InputError(f"`{item.id}` is a {item.kind}, which a notebook cannot ask", "choose other items")
    ids = [grade_id for item in items for grade_id in _cell_names(cell_values.grade_id(item.id))]
    if twice := {grade_id for grade_id in ids if ids.count(grade_id) > 1}:
        raise InputError(f"two cells would be called `{min(twice)}`", "choose each item once")


def _cell_names(grade_id: str) -> tuple[str, str, str]:
    return grade_id, f"question-{grade_id}", f"answer-{grade_id}"


def given_away(asked: Sequence[AssignedItem]) -> list[tuple[str, str]]:
    """Pairs of items: the question of the first shows a line of the answer to the second, as it is written."""
    shown = {one.item.id: question(one.prompt(0)) for one in asked}
    found = []
    for one in asked:
        exercise = one.item.body
        if not isinstance(exercise, Written) or isinstance(one.prompt(0).inputs[0], OrderInput):
            continue
        own = f"{shown[one.item.id]}\n{exercise.starter}"
        lines = {line.strip() for part in exercise.reference for line in part.splitlines()}
        telling = {line for line in lines if len(line) > SHORT and line not in own}
        found += [
            (other, one.item.id)
            for other, text in shown.items()
            if other != one.item.id and any(line in text for line in telling)
        ]
    return found


def build(asked: Sequence[AssignedItem], about: Manifest) -> str:
    """The text of the source notebook."""
    first = f"# {about.assignment}\n\n{_how(about)}"
    cells = [v4.new_markdown_cell(first)]
    if about.per_student:
        cells.append(v4.new_code_cell(WHO))
    for number, (one, entry) in enumerate(zip(asked, about.items, strict=True), 1):
        cells += _cells(one, entry, number, about)
    return ipynb.dumps(cells, {"assignment": about.assignment, "topic": about.topic})


def describe(
    asked: Sequence[AssignedItem],
    mistakes: Mapping[str, Mistake],
    *,
    name: str,
    topic: str,
    seed: int | None,
    per_student: bool,
    points: float,
    mix: int | None = None,
) -> Manifest:
    """The manifest of an assignment; `mistakes` are those of the bank, `mix` is what options are mixed by."""
    entries = tuple(_entry(one, mistakes, seed, per_student, points, mix) for one in asked)
    return Manifest(name, topic, seed, per_student, entries, mix)


def _entry(
    one: AssignedItem, mistakes: Mapping[str, Mistake], seed: int | None, per_student: bool, points: float,
    mix: int | None,
) -> ManifestItem:  # fmt: skip
    prompts = [one.prompt(place) for place in range(len(one.item.variants))] if per_student else []
    picks = [mixed_input(prompt) if mix is not None else None for prompt in prompts]
    own = any(picks)
    name = cell_values.grade_id(one.item.id)
    return ManifestItem(
        name,
        digests.claims(one.item),
        points,
        0 if per_student else one.item.variant(seed).index,
        tuple(question(prompt, manifest.OPTIONS if own else "") for prompt in prompts),
        tuple(tuple(_blocks(pick)) if pick else () for pick in picks) if own else (),
        tuple(pick.last if pick else () for pick in picks) if own else (),
        digests.words(one.item, mistakes),
        "" if one.item.first_id == name else one.item.first_id,
    )


def _how(about: Manifest) -> str:
    order = " and the order of options" if about.mix is not None else ""
    own = f" The numbers in the questions{order} are your own: run the first cells, and the one above each answer."
    return (
        "Write each answer into the cell below its question, run it, and run the cell after it: that says whether the "
        "answer can be read, and not whether it is right. A cell with an answer is read by itself, so what it needs "
        f"must stand in it.{own if about.per_student else ''}"
    )


# ---------------------------------------------------------------- the cells of an item


def _cells(one: AssignedItem, entry: ManifestItem, number: int, about: Manifest) -> list[NotebookNode]:
    per_student, mix = about.per_student, None if about.per_student else about.mix
    points = f"{entry.points:g} point{'' if entry.points == 1 else 's'}"
    title = f"## Question {number} ({points})"
    prompt = one.prompt(entry.variant, mix)
    if per_student:
        call = f'from grader.course import ask\n\nask("{entry.grade_id}", globals())'
        asking = [v4.new_markdown_cell(title), v4.new_code_cell(call, metadata=_metadata(entry.question, locked=True))]
    else:
        text = f"{title}\n\n{question(prompt)}"
        asking = [v4.new_markdown_cell(text, metadata=_metadata(entry.question, locked=True))]
    right = one.right(entry.variant, mix)
    name = cell_values.variable(entry.grade_id)
    lines = [cell_values.empty(prompt.inputs), cell_values.literal(prompt.inputs, right)]
    if kinds.of(one.item).TRAITS.cell != "code":
        lines = [f"{name} = {line}" for line in lines]
    solution = f"{lines[0]}\n{cell_values.BEGIN}\n{lines[1]}\n{cell_values.END}"
    form, count = _form(one, prompt, per_student)
    call = f'handed_in("{entry.grade_id}", "{form}", {count}, globals())'
    test = f"from grader.course import handed_in\n\n{call}\n{HIDDEN}"
    graded = _metadata(entry.grade_id, locked=True)
    graded["nbgrader"] |= {"grade": True, "points": entry.points}
    answer = _metadata(entry.answer, locked=False)
    answer["nbgrader"]["solution"] = True
    return [*asking, v4.new_code_cell(solution, metadata=answer), v4.new_code_cell(test, metadata=graded)]


def _metadata(grade_id: str, *, locked: bool) -> dict[str, Any]:
    flags = {"grade": False, "solution": False, "locked": locked, "task": False}
    return {"nbgrader": {"schema_version": 3, "grade_id": grade_id, **flags}}


def _form(one: AssignedItem, prompt: Prompt, per_student: bool) -> tuple[str, str]:
    """What an answer looks like, as the notebook says it; how much of it is None where students differ in that."""
    form, count = cell_values.form(prompt.inputs)
    variants = range(len(one.item.variants)) if per_student and form == "sequence" else ()
    if len({len(one.prompt(place).inputs) for place in variants}) > 1:
        count = None
    return form, repr(count).replace("'", '"')


# ---------------------------------------------------------------- a question as Markdown


def question(prompt: Prompt, options: str = "") -> str:
    """A question as plain Markdown: stem, program, what there is to answer with. It holds no key.

    `options` stands where its options would, where they go there later.
    """
    parts = [f"*{_escaped(from_bank(prompt.origin))}*"] if prompt.origin else []
    parts.append(markdown.without_html(prompt.stem.strip("\n")))
    for before in prompt.given:
        parts += [f"Given: {before.label}", _fenced(before.text)]
    if prompt.program:
        parts.append(_fenced(prompt.program))
    parts += map(_figure, prompt.figures)
    return "\n\n".join([*parts, *([options] if options else _choices(prompt)), f"*{_wanted(prompt)}*"])


def _escaped(text: str) -> str:
    """A line as Markdown that says no more than the line."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", text)


def _figure(figure: Figure) -> str:
    """A figure as text. Of a picture in the text itself JupyterLab with MyST shows the source, as do others."""
    shown = [figure.title] if figure.title else []
    return _fenced("\n".join([*shown, *figure_text.lines(figure.content)]), "text")


def _choices(prompt: Prompt) -> list[str]:
    """What there is to choose from or to put in order, options that several inputs share once."""
    shown: list[str] = []
    for one in prompt.inputs:
        match one:
            case ChooseOne() | ChooseMany():
                parts = [manifest.lettered(_blocks(one))]
            case OrderInput(lines=lines):
                parts = [_fenced("\n".join(f"{number}  {line}" for number, line in enumerate(lines, 1)), "text")]
            case _:
                parts = []
        shown += [part for part in parts if part not in shown]
    return [*shown, *filter(None, [blank_table(prompt.inputs)])]


def _blocks(pick: ChooseOne | ChooseMany) -> list[str]:
    """The options as Markdown, without their letters."""
    return [_fenced(option) if pick.code else _listed(option) for option in pick.options]


def _listed(option: str) -> str:
    """An option as the entry of a list: in a line, or as the blocks that it has."""
    text = markdown.without_html(option.strip("\n"))
    return f"\n\n{textwrap.indent(text, '  ')}" if markdown.has_blocks(text) else " ".join(text.split())


def _wanted(prompt: Prompt) -> str:
    labels = [one.label for one in prompt.inputs]
    match prompt.inputs:
        case (ChooseMany(letters=letters),):
            return f'Answer with the letters of all that hold, such as `"{letters[0]}, {letters[-1]}"`.'
        case (ChooseOne(letters=letters),):
            return f'Answer with a letter, `"{letters[0]}"` to `"{letters[-1]}"`.'
        case (NumberInput(label="", unit=unit),):
            return f"Answer with a number{f' of {unit}' if unit else ''}."
        case (OrderInput(lines=lines),):
            return f"Answer with a list of the numbers 1 to {len(lines)}, in the order of the lines."
        case (CodeInput(cases=cases, broken=broken, others=others),):
            said = run_with([f"`{case}`" for case in cases], others=others).removesuffix(" that are not shown.")
            shown = f" {said.removesuffix('.')}." if said else ""
            return f"{'Fix the code' if broken else 'Write your code'} in the cell below.{shown}"
        case (NumberInput(cell=(_, _)), *_) as cells:
            rows = len({one.cell[0] for one in cells if isinstance(one, NumberInput) and one.cell})
            return f"Answer with a list of {rows} rows, each a list of {len(labels) // rows} numbers."
        case (NumberInput(), *_) if all(isinstance(one, NumberInput) for one in prompt.inputs):
            between = labels[0] if len(labels) == 1 else span(labels).removeprefix("from ")
            return f"Answer with a list of {len(labels)} numbers, for {between}."
        case (TextInput(), *_) if all(isinstance(one, TextInput) for one in prompt.inputs):
            marks = " and ".join(f"`{label}`" for label in labels)
            return f"Answer with a list of texts, of what stands for {marks} in the program."
        case (ChooseOne(), *_) if all(isinstance(one, ChooseOne) for one in prompt.inputs):
            return f"Answer with a list of {len(labels)} letters, for {'; '.join(labels)}."
        case _:
            return f"Answer with a list of {len(labels)} texts, for {'; '.join(labels)}."


def _fenced(code: str, language: str = "python") -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{code.strip(chr(10))}\n{fence}"


def files(asked: Sequence[AssignedItem], about: Manifest) -> dict[str, str]:
    """The texts of an assignment's files by their names."""
    return {f"{about.assignment}.ipynb": build(asked, about), manifest.NAME: manifest.dumps(about)}
