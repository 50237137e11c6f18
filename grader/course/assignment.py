"""Items as an nbgrader assignment: one source notebook, and the manifest beside it.

An item has three cells: the question, the answer, and the one with the points. nbgrader cuts the right answers and the
hidden part of the last one out of what it releases. That part lets no answer pass: it is for an nbgrader that does not
know us, which would otherwise give points for what can merely be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from nbformat import NotebookNode, v4

from grader import digests, kinds, notebooks
from grader.course import answers, manifest
from grader.course.manifest import Entry, Manifest
from grader.errors import InputError
from grader.explaining import LETTERS
from grader.model import Arrange, Fill, Flip, Item, Mistake, Pick, Prompt, Proof, Table, Type, Write

KINDS = ("choice", "multi", "number", "sequence", "fill", "order", "code", "repair")
"""The kinds that a notebook can ask."""

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
class Asked:
    """An item of an assignment, with the proof of each of its variants."""

    item: Item
    proofs: Sequence[Proof]

    def prompt(self, variant: int) -> Prompt:
        """What is shown of a variant. Options stand in written order."""
        found = kinds.get(self.item.kind).prompt(self.item, self.item.variants[variant], self.proofs[variant])
        assert found is not None
        return found


def check(items: Sequence[Item], name: str) -> None:
    """Raise InputError for what nbgrader cannot have."""
    if not items:
        raise InputError("there are no items to ask", "choose some with --items, or another --mode")
    if not re.fullmatch(r"\w[\w -]*", name):
        raise InputError(f"nbgrader knows no assignment `{name}`", "give the folder a name of letters and digits")
    for item in items:
        if item.kind not in KINDS:
            raise InputError(f"`{item.id}` is a {item.kind}, which a notebook cannot ask", "choose other items")
    ids = [grade_id for item in items for grade_id in (item.id, f"question-{item.id}", f"answer-{item.id}")]
    if twice := {grade_id for grade_id in ids if ids.count(grade_id) > 1}:
        raise InputError(f"two cells would be called `{min(twice)}`", "choose each item once")


def given_away(asked: Sequence[Asked]) -> list[tuple[str, str]]:
    """Pairs of items: the question of the first shows a line of the answer to the second, as it is written."""
    shown = {one.item.id: question(one.prompt(0)) for one in asked}
    found = []
    for one in asked:
        exercise = one.item.exercise
        if exercise is None or one.item.kind == "order":
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


def build(asked: Sequence[Asked], about: Manifest) -> str:
    """The text of the source notebook."""
    first = f"# {about.assignment}\n\n{_how(about)}"
    cells = [v4.new_markdown_cell(first)]
    if about.per_student:
        cells.append(v4.new_code_cell(WHO))
    for number, (one, entry) in enumerate(zip(asked, about.items, strict=True), 1):
        cells += _cells(one, entry, number, about.per_student)
    return notebooks.dumps(cells, {"assignment": about.assignment, "topic": about.topic})


def describe(
    asked: Sequence[Asked],
    mistakes: Mapping[str, Mistake],
    *,
    name: str,
    topic: str,
    seed: int | None,
    per_student: bool,
    points: float,
) -> Manifest:
    """The manifest of an assignment; `mistakes` are those of the bank."""
    entries = tuple(
        Entry(
            one.item.id,
            digests.claims(one.item),
            points,
            0 if per_student else one.item.variant(seed).index,
            tuple(question(one.prompt(place)) for place in range(len(one.item.variants))) if per_student else (),
            digests.words(one.item, mistakes),
        )
        for one in asked
    )
    return Manifest(name, topic, seed, per_student, entries)


def _how(about: Manifest) -> str:
    own = " The numbers in the questions are your own: run the first cells, and the one above each answer."
    return (
        "Write each answer into the cell below its question, run it, and run the cell after it: that says whether the "
        "answer can be read, and not whether it is right. A cell with an answer is read by itself, so what it needs "
        f"must stand in it.{own if about.per_student else ''}"
    )


# ---------------------------------------------------------------- the cells of an item


def _cells(one: Asked, entry: Entry, number: int, per_student: bool) -> list[NotebookNode]:
    points = f"{entry.points:g} point{'' if entry.points == 1 else 's'}"
    title = f"## Question {number} ({points})"
    prompt = one.prompt(entry.variant)
    if per_student:
        call = f'from grader.course import ask\n\nask("{one.item.id}", globals())'
        asking = [v4.new_markdown_cell(title), v4.new_code_cell(call, metadata=_metadata(entry.question, locked=True))]
    else:
        text = f"{title}\n\n{question(prompt)}"
        asking = [v4.new_markdown_cell(text, metadata=_metadata(entry.question, locked=True))]
    right = kinds.get(one.item.kind).samples(one.item, one.proofs[entry.variant])["right"]
    name = answers.variable(one.item.id)
    lines = [answers.empty(prompt.interaction), answers.literal(prompt.interaction, right)]
    if not isinstance(prompt.interaction, Write):
        lines = [f"{name} = {line}" for line in lines]
    solution = f"{lines[0]}\n{answers.BEGIN}\n{lines[1]}\n{answers.END}"
    call = f'handed_in("{one.item.id}", "{one.item.kind}", {_count(one, prompt, per_student)}, globals())'
    test = f"from grader.course import handed_in\n\n{call}\n{HIDDEN}"
    graded = _metadata(entry.grade_id, locked=True)
    graded["nbgrader"] |= {"grade": True, "points": entry.points}
    answer = _metadata(entry.answer, locked=False)
    answer["nbgrader"]["solution"] = True
    return [*asking, v4.new_code_cell(solution, metadata=answer), v4.new_code_cell(test, metadata=graded)]


def _metadata(grade_id: str, *, locked: bool) -> dict[str, Any]:
    flags = {"grade": False, "solution": False, "locked": locked, "task": False}
    return {"nbgrader": {"schema_version": 3, "grade_id": grade_id, **flags}}


def _count(one: Asked, prompt: Prompt, per_student: bool) -> str:
    """How much an answer has, as the notebook says it; None where that is not the same for every student."""
    match prompt.interaction:
        case Write(starter=starter):
            return repr(answers.defined(starter)).replace("'", '"')
        case Table(labels=labels):
            places = range(len(one.item.variants)) if per_student else ()
            sizes = {len(other.labels) for place in places if isinstance(other := one.prompt(place).interaction, Table)}
            return "None" if len(sizes) > 1 else str(len(labels))
        case Pick(options=options):
            return str(len(options))
        case Arrange(lines=lines):
            return str(len(lines))
        case Fill(blanks=blanks):
            return str(blanks)
        case _:
            return "1"


# ---------------------------------------------------------------- a question as Markdown


def question(prompt: Prompt) -> str:
    """A question as plain Markdown: stem, program, what there is to answer with. It holds no key."""
    parts = [prompt.stem.strip("\n")]
    if prompt.program:
        parts.append(_fenced(prompt.program))
    return "\n\n".join([*parts, *_choices(prompt), f"*{_wanted(prompt)}*"])


def _choices(prompt: Prompt) -> list[str]:
    match prompt.interaction:
        case Pick(options=options, code=True):
            return [f"**{letter}**\n\n{_fenced(option)}" for letter, option in zip(LETTERS, options, strict=False)]
        case Pick(options=options):
            pairs = zip(LETTERS, options, strict=False)
            return ["\n".join(f"- **{letter}**: {' '.join(option.split())}" for letter, option in pairs)]
        case Arrange(lines=lines):
            return [_fenced("\n".join(f"{number}  {line}" for number, line in enumerate(lines, 1)), "text")]
        case _:
            return []


def _wanted(prompt: Prompt) -> str:
    match prompt.interaction:
        case Pick(letters=letters, many=True):
            return f'Answer with the letters of all that hold, such as `"{letters[0]}, {letters[-1]}"`.'
        case Pick(letters=letters):
            return f'Answer with a letter, `"{letters[0]}"` to `"{letters[-1]}"`.'
        case Type(unit=unit):
            return f"Answer with a number{f' of {unit}' if unit else ''}."
        case Table(labels=labels):
            return f"Answer with a list of {len(labels)} numbers, for {_span(labels)}."
        case Fill(blanks=blanks):
            marks = " and ".join(f"`__{number}__`" for number in range(1, blanks + 1))
            return f"Answer with a list of texts, of what stands for {marks} in the program."
        case Arrange(lines=lines):
            return f"Answer with a list of the numbers 1 to {len(lines)}, in the order of the lines."
        case Write(cases=cases):
            shown = (
                f" It is run with {'; '.join(f'`{case}`' for case in cases)}, and with other numbers." if cases else ""
            )
            return f"{'Mend the code' if prompt.kind == 'repair' else 'Write your code'} in the cell below.{shown}"
        case Flip():
            raise InputError("a card has no answer that can be graded", "choose other items")
        case _:
            assert_never(prompt.interaction)


def _span(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{labels[0]} to {labels[-1]}"


def _fenced(code: str, language: str = "python") -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{code.strip(chr(10))}\n{fence}"


def files(asked: Sequence[Asked], about: Manifest) -> dict[str, str]:
    """The texts of an assignment's files by their names."""
    return {f"{about.assignment}.ipynb": build(asked, about), manifest.NAME: manifest.dumps(about)}
