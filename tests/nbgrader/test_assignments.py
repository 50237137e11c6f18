"""Assignments for nbgrader: what is released, and what becomes of submissions in nbgrader's own commands."""

from __future__ import annotations

import copy
import csv
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook
from traitlets.config import Config

from grader import kinds
from grader.content.verify import PendingProof
from grader.course import configure, handed_in
from grader.errors import InputError
from grader.model import Bank, Item, Proof
from grader.nbgrader import cell_values, manifest
from grader.nbgrader.student import NotReadableError
from grader.runner.cached import RememberingRunner
from tests.support.common import EXERCISES, ROOT, Command, alone
from tests.support.items import exercise
from tests.support.patience import COMMAND, seconds

ITEMS = (
    "third-epoch-rate", "which-are-warmups", "printed-third-line", "ramp-rate-table", "fill-missing-cap",
    "order-warmup-epoch", "write-the-factor", "mend-doubling-warmup",
)  # fmt: skip
"""One of each kind."""

POINTS = 3.0
CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "pytorch"
"""
OURS = CONFIG + "from grader.course import configure\nconfigure(c)\n"

STDERR = "import sys, warnings\nwarnings.warn('careful')\nprint('noise', file=sys.stderr)\n"
TRANSFORMER = """\
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Raise(self, node): return ast.Pass()
get_ipython().ast_transformers.append(Drop())
"""
EQUAL = """\
class Any(float):
    def __eq__(self, other): return True
    __hash__ = None
    def __repr__(self): return "1.0"
"""
STEAL = """\
import os, sqlite3
for folder in (".", "..", "../..", "../../.."):
    path = os.path.join(folder, "gradebook.db")
    if os.path.exists(path):
        base = sqlite3.connect(path)
        base.execute("update grade set manual_score = 100, auto_score = 100, extra_credit = 50")
        base.commit()
open(MARKER, "w").write("was here")
"""
PATCH = """\
import grader.course, sys
grader.course.handed_in = lambda *rest: 1.0
for name in ("answers", "student", "bench", "preprocessors"):
    module = sys.modules.get("grader.course." + name)
    if module: module.__dict__.clear()
"""


# ---------------------------------------------------------------- a course


@dataclass
class Course:
    """A folder of a course, and nbgrader's commands in it."""

    folder: Path
    environment: dict[str, str]

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a command of nbgrader as an instructor does; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments], cwd=self.folder, env=self.environment,
            capture_output=True, text=True, check=False, timeout=seconds(COMMAND),
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        return said

    def notebook(self, place: str, name: str = "ps1") -> nbformat.NotebookNode:
        return nbformat.read(self.folder / place / name / f"{name}.ipynb", as_version=4)

    def hand_in(
        self, student: str, given: dict[str, str], change: Callable[[Any], None] | None = None, name: str = "ps1"
    ) -> None:
        """Put answers (the sources of cells) into a released notebook, and submit it."""
        notebook = copy.deepcopy(self.notebook("release", name))
        for cell in notebook.cells:
            if (item := grade_id(cell).removeprefix("answer-")) in given and grade_id(cell) != item:
                cell.source = given[item]
        if change:
            change(notebook)
        path = self.folder / "submitted" / student / name / f"{name}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook))

    def grades(self, student: str, name: str = "ps1") -> dict[str, tuple[float | None, bool]]:
        """The score of each cell of a submission, and whether it is left to a person."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of SQLAlchemy, for nbgrader's models
            with Gradebook(f"sqlite:///{self.folder}/gradebook.db") as book:
                found = book.find_submission_notebook(name, name, student)
                self.comments = {comment.name: comment.auto_comment for comment in found.comments}
                return {
                    grade.name: (
                        grade.auto_score if grade.manual_score is None else grade.manual_score,
                        grade.needs_manual_grade,
                    )
                    for grade in found.grades
                }

    def feedback(self, student: str, name: str = "ps1") -> str:
        return (self.folder / "feedback" / student / name / f"{name}.html").read_text()


def grade_id(cell: Any) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def cell_of(notebook: Any, name: str) -> Any:
    return next(cell for cell in notebook.cells if grade_id(cell) == name)


def new_course(folder: Path, environment: dict[str, str], config: str = OURS) -> Course:
    folder.mkdir(parents=True)
    bound = seconds()  # nbgrader gives a cell 30 s, and a kernel's start a minute
    patient = f"c.ExecutePreprocessor.timeout = {bound}\nc.ExecutePreprocessor.startup_timeout = {bound}\n"
    (folder / "nbgrader_config.py").write_text(config + patient)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic by its name
    quiet = {**environment, "PATH": path, "PYTHONWARNINGS": "ignore"}
    return Course(folder, quiet)


def make(grader: Command, course: Course, *arguments: str, name: str = "ps1") -> None:
    done = grader("notebook", "warmup", "--assignment", "-o", course.folder / "source" / name, *arguments)
    notices = done.stderr.splitlines()
    assert done.returncode == 0, done.stderr
    assert all("shows a line of the answer to `write-the-factor`" in notice for notice in notices)


@dataclass
class Known:
    """An item with its proof, and what to write into its cell."""

    item: Item
    proof: Proof

    def source(self, raw: str) -> str:
        """A cell with an answer as it would be typed."""
        prompt = kinds.named(self.item.kind).prompt(self.item, self.proof.variant, self.proof)
        assert prompt is not None
        text = cell_values.literal(prompt.inputs, raw)
        return text if self.item.kind in ("code", "repair") else f"{cell_values.variable(self.item.id)} = {text}"

    def right(self) -> str:
        return self.source(kinds.named(self.item.kind).samples(self.item, self.proof)["right"])

    def wrong(self) -> list[tuple[str, str]]:
        """Each listed mistake, and a cell with it."""
        if exercise(self.item):
            found = []
            for wrong in exercise(self.item).wrong:
                raw = "; ".join(wrong.parts)
                if self.item.kind == "order":
                    shown = kinds.named("order").prompt(self.item, self.proof.variant, self.proof).inputs[0].lines
                    raw = " ".join(str(shown.index(line) + 1) for line in wrong.parts)
                found.append(
                    (wrong.mistake, self.source(wrong.parts[0] if self.item.kind in ("code", "repair") else raw))
                )
            return found
        if self.item.kind in ("choice", "multi"):
            letters = zip("ABCDEFGH", self.proof.options, strict=False)
            return [(one.mistake, self.source(letter)) for letter, one in letters if one.mistake]
        values = [(one.mistake, one.value) for one in self.proof.options]
        return [
            (name, self.source(" ".join(map(repr, value if isinstance(value, list) else [value]))))
            for name, value in values
        ]


@pytest.fixture(scope="module")
def known(bank: Bank, remembering: RememberingRunner) -> dict[str, Known]:
    items = {item.id: item for item in bank.items}
    return {
        name: Known(items[name], PendingProof.begin(items[name], items[name].variants[0], remembering).proof())
        for name in ITEMS
    }


@pytest.fixture(scope="module")
def right(known: dict[str, Known]) -> dict[str, str]:
    return {name: one.right() for name, one in known.items()}


UNREADABLE = {
    "third-epoch-rate": 'answer_third_epoch_rate = "Z"',
    "which-are-warmups": "answer_which_are_warmups = object()",
    "printed-third-line": "answer_printed_third_line = float('nan')",
    "ramp-rate-table": "answer_ramp_rate_table = [True] * 6",
    "fill-missing-cap": 'answer_fill_missing_cap = ["min("]',
    "order-warmup-epoch": "answer_order_warmup_epoch = [1, 1, 1, 1, 1]",
    "write-the-factor": "def factor(epoch:",
    "mend-doubling-warmup": "```\nfactor = 1",
}
RUN = {
    "third-epoch-rate": STDERR + "answer_third_epoch_rate = 'ABCD'[0]",
    "which-are-warmups": "answer_which_are_warmups = [letter for letter in 'ACE']",
    "printed-third-line": STDERR + "import numpy\nanswer_printed_third_line = numpy.float64(0.08)",
    "ramp-rate-table": "import torch\nanswer_ramp_rate_table = torch.linspace(0.05, 0.2, 4, dtype=torch.float64).tolist() + [0.2] * 2",
    "fill-missing-cap": 'answer_fill_missing_cap = "min(fraction, 1)"\nraise NotImplementedError()',
    "write-the-factor": STDERR + "factor = lambda epoch: min((epoch + 1) / warmup_epochs, 1)",
}
"""Right answers that take a run to read, or warn."""

HOSTILE = {
    "third-epoch-rate": EQUAL + "answer_third_epoch_rate = Any()",
    "which-are-warmups": "import os\nos._exit(0)",
    "printed-third-line": EQUAL + "answer_printed_third_line = Any()",
    "ramp-rate-table": "answer_ramp_rate_table = [float('nan'), -1.0, 1e308 * 10, 0, 0, 0]",
    "fill-missing-cap": "answer_fill_missing_cap = [\"__import__('os')._exit(0)\"]",
    "order-warmup-epoch": "while True: pass",
    "write-the-factor": TRANSFORMER + STEAL + "1.0",
    "mend-doubling-warmup": "print('1.0')\n1.0\ndef factor(epoch):\n    return 7",
}


MARKUP = "<img src=x onerror=alert(1)>`</code><script>alert(1)</script>[a](javascript:alert(1))"
WITH_MARKUP = {
    "third-epoch-rate": "answer_third_epoch_rate = 'X'",
    "printed-third-line": "raise ValueError('X')",
    "ramp-rate-table": "answer_ramp_rate_table = ['X']",
    "fill-missing-cap": "answer_fill_missing_cap = ['(X']",
    "write-the-factor": "raise ValueError('X')",
}


def with_cell(source: str) -> Callable[[Any], None]:
    return lambda notebook: notebook.cells.insert(0, nbformat.v4.new_code_cell(source))


def doubled(notebook: Any) -> None:
    """The answer and the graded cell of the first item once more, the first ones with another answer."""
    at = notebook.cells.index(cell_of(notebook, "answer-third-epoch-rate"))
    notebook.cells[at:at] = copy.deepcopy(notebook.cells[at : at + 2])
    notebook.cells[at].source = 'answer_third_epoch_rate = "D"'


def deleted(notebook: Any) -> None:
    gone = {"third-epoch-rate", "answer-which-are-warmups", "printed-third-line", "answer-printed-third-line"}
    notebook.cells = [cell for cell in notebook.cells if grade_id(cell) not in gone]


def edited(notebook: Any) -> None:
    """Marks, points and sources of cells are changed, and there are some that nobody knows."""
    cell_of(notebook, "third-epoch-rate").source = "1.0"
    cell_of(notebook, "third-epoch-rate").metadata.nbgrader.points = 1000
    cell_of(notebook, "which-are-warmups").metadata.nbgrader |= {"solution": True, "locked": False}
    cell_of(notebook, "answer-printed-third-line").metadata.nbgrader |= {"grade": True, "points": 50}
    cell_of(notebook, "ramp-rate-table").metadata.nbgrader.grade = False
    mark = cell_of(notebook, "fill-missing-cap")
    mark.cell_type, mark.source = "markdown", "nothing"
    del mark["outputs"], mark["execution_count"]
    cell_of(notebook, "order-warmup-epoch").metadata.nbgrader.schema_version = 1
    known = copy.deepcopy(cell_of(notebook, "write-the-factor"))
    known.metadata.nbgrader.grade_id = "bonus"
    strange = nbformat.v4.new_code_cell("1.0", metadata={"nbgrader": {"grade": True}})
    notebook.cells += [known, strange, nbformat.v4.new_code_cell("1.0", metadata={"nbgrader": [1]})]


@pytest.fixture(scope="module")
def course(
    grader: Command, environment: dict[str, str], known: dict[str, Known], right: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Course:  # fmt: skip
    """A course with one assignment, and a class that handed it in; graded, with feedback, exported."""
    made = new_course(tmp_path_factory.mktemp("class") / "course", environment)
    make(grader, made, "--items", ",".join(ITEMS), "--points", str(POINTS))
    made.run("generate_assignment", "ps1")
    made.hand_in("right", right)
    made.hand_in("empty", {})
    made.hand_in("unreadable", UNREADABLE)
    made.hand_in("run", right | RUN)
    marker = f"MARKER = {str(made.folder / 'marker')!r}\n"
    attack = marker + TRANSFORMER + EQUAL + PATCH + STEAL
    made.hand_in("hostile", {name: marker + source for name, source in HOSTILE.items()}, with_cell(attack))
    made.hand_in("hostile-cell", {}, with_cell(attack))
    made.hand_in("markup", {name: source.replace("X", MARKUP) for name, source in WITH_MARKUP.items()})
    made.hand_in("doubled", right, doubled)
    made.hand_in("deleted", right, deleted)
    made.hand_in("edited", right, edited)
    for place in range(max(len(one.wrong()) for one in known.values())):
        given = {name: one.wrong()[place][1] for name, one in known.items() if place < len(one.wrong())}
        made.hand_in(f"mistake-{place}", right | given)
    made.hand_in("a-broken-one", {})
    broken = made.folder / "submitted/a-broken-one/ps1/ps1.ipynb"
    broken.write_text(broken.read_text()[:-50])
    (made.folder / "submitted/right/ps1" / manifest.NAME).write_text('{"format": 1, "items": []}')
    said = made.run("autograde", "ps1", code=1)  # for the broken one
    assert said.count("There was an error processing assignment '") == 1
    made.run("generate_feedback", "ps1")
    made.run("export", "--to", "grades.csv")
    return made


# ---------------------------------------------------------------- the files


def test_the_source_has_valid_metadata_and_the_right_answers(course: Course, right: dict[str, str]) -> None:
    notebook = course.notebook("source")
    nbformat.validate(notebook)
    marks = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
    assert [mark.grade_id for mark in marks] == [
        part for name in ITEMS for part in (f"question-{name}", f"answer-{name}", name)
    ]
    flags = [(False, False, True), (False, True, False), (True, False, True)] * len(ITEMS)
    assert [(mark.grade, mark.solution, mark.locked) for mark in marks] == flags
    assert {mark.points for mark in marks if mark.grade} == {POINTS}
    for name in ITEMS:
        assert cell_values.region(cell_of(notebook, f"answer-{name}").source).strip() == right[name].strip()


def test_the_release_has_empty_answers_and_starters(course: Course, known: dict[str, Known]) -> None:
    notebook = course.notebook("release")
    for name, one in known.items():
        source = cell_of(notebook, f"answer-{name}").source
        if one.item.kind in ("code", "repair"):
            assert source == exercise(one.item).starter.strip("\n")
        else:
            assert source in {f"{cell_values.variable(name)} = {empty}" for empty in ('""', "None", "[]", '[""]')}
        assert "HIDDEN" not in cell_of(notebook, name).source
        assert cell_of(notebook, f"question-{name}").cell_type == "markdown"


def test_no_key_hint_mistake_or_solution_is_released(
    course: Course, known: dict[str, Known], right: dict[str, str], bank: Bank
) -> None:
    files = [path for path in (course.folder / "release").rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"ps1.ipynb", manifest.NAME}
    released = "\n".join(path.read_text() for path in files)
    released += "\n".join(cell.source for cell in course.notebook("release").cells)  # without JSON's escapes
    secret = [mistake.says for mistake in bank.mistakes.values()]
    shown: set[str] = set()
    for name, one in known.items():
        sources = [right[name], *(source for _, source in one.wrong())]
        secret += [*one.proof.hints, *one.proof.solution, *(line for source in sources for line in source.splitlines())]
        shown |= set(one.item.program.splitlines())  # an item may show what another one asks for
        if exercise(one.item):
            secret += [draw.name + ": {" for draw in exercise(one.item).hidden]
            shown |= set(exercise(one.item).starter.splitlines())
    secret = [text for text in secret if text.strip() and text not in shown]
    assert len(secret) > 60
    assert [text for text in secret if text in released] == []
    assert "SOLUTION" not in released


def test_files_that_differ_are_kept_without_force(grader: Command, tmp_path: Path) -> None:
    made = ("notebook", "warmup", "--assignment", "-o", tmp_path / "ps1", "--items", "third-epoch-rate")
    assert grader(*made).returncode == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "ps1").iterdir()}
    assert set(before) == {"ps1.ipynb", manifest.NAME}
    again = grader(*made)
    assert again.stdout.count("it is there already") == 2
    other = grader(*made, "--points", "2")
    assert (other.returncode, "it is there already, and differs" in other.stderr) == (2, True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "ps1").iterdir()} == before
    document = json.loads(grader(*made, "--points", "2", "--force", "--json").stdout)
    assert document["items"] == [{"item": "third-epoch-rate", "points": 2.0}]
    assert [file["state"] for file in document["files"]] == ["written", "written"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--items", "third-epoch-rat"], "did you mean `third-epoch-rate`"),
        (["--items", "adam-first-step-card"], "is a card, which a notebook cannot ask"),
        (["--items", "third-epoch-rate,third-epoch-rate"], "choose each item once"),
        (["--mode", "nonsense"], "there are no items to ask"),
    ],
)
def test_what_cannot_be_asked_is_refused(grader: Command, tmp_path: Path, arguments: list[str], said: str) -> None:
    done = grader("notebook", "warmup", "--assignment", "-o", tmp_path / "ps1", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "ps1").exists()


def test_items_that_give_each_other_away_are_told(grader: Command, tmp_path: Path) -> None:
    made = ("notebook", "warmup", "--assignment", "-o", tmp_path / "ps1", "--force", "--items")
    said = grader(*made, "write-the-factor,third-epoch-rate").stderr
    assert said == "grader: notice: `third-epoch-rate` shows a line of the answer to `write-the-factor`\n"
    assert grader(*made, "mend-doubling-warmup,third-epoch-rate").stderr == ""


def test_options_of_assignments_are_refused_elsewhere(grader: Command, tmp_path: Path) -> None:
    done = grader("notebook", "warmup", "-o", tmp_path, "--points", "2")
    assert (done.returncode, "--points is for assignments" in done.stderr) == (2, True)


def test_items_that_are_not_proven_are_not_written(grader: Command, tmp_path: Path) -> None:
    (tmp_path / "bank/quizzes").mkdir(parents=True)
    text = EXERCISES.replace("min((epoch + 1) / ramp, 1)", "min((epoch + 2) / ramp, 2)", 1).replace(
        "return 1\n", "return min((epoch + 2) / ramp, 2)\n"
    )
    (tmp_path / "bank/quizzes/t.yaml").write_text(text)
    made = ("notebook", "t", "--assignment", "--bank", tmp_path / "bank", "-o", tmp_path / "ps1", "--items", "factor")
    done = grader(*made)
    assert done.returncode == 1
    assert "starter-passes" in done.stderr
    assert not (tmp_path / "ps1").exists()


def test_configuration_that_is_there_stays() -> None:
    c = Config()
    c.Autograde.autograde_preprocessors = ["nbgrader.preprocessors.Execute", "SaveAutoGrades", "my.Own"]
    c.ClearSolutions.code_stub = {"python": "pass"}
    for _ in range(2):
        configure(c)
        ours = ["grader.course.Judge", "grader.course.Points", "grader.course.Remark", "my.Own"]
        assert c.Autograde.autograde_preprocessors == ours
    assert c.Autograde.sanitize_preprocessors.count("grader.course.Mend") == 1
    assert c.GenerateAssignment.preprocessors.count("grader.course.Clear") == 1
    assert c.ClearSolutions.code_stub == {"python": "pass"}


# ---------------------------------------------------------------- in the student's notebook


def said_of(course: Course, names: dict[str, Any]) -> dict[str, str]:
    """What the released cell of each item says, given what the notebook defines: nothing where it can be read."""
    said = {}
    for name in ITEMS:
        try:
            exec(cell_of(course.notebook("release"), name).source, dict(names))
            said[name] = ""
        except NotReadableError as error:
            said[name] = f"{error.message} {error.hint}"
    return said


def test_a_student_is_told_what_cannot_be_read_and_not_what_is_right(
    course: Course, known: dict[str, Known], right: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert all("there is no" in text for text in said_of(course, {}).values())
    outputs = []
    for place in range(2):
        names: dict[str, Any] = {"warmup_epochs": 5}
        for name, one in known.items():
            exec(right[name] if place == 0 else one.wrong()[0][1], names)
        assert set(said_of(course, names).values()) == {""}
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    names = {"factor": None}
    for name, source in UNREADABLE.items():
        if known[name].item.kind not in ("code", "repair"):
            exec(source, names)
            assert "cannot be read" in said_of(course, names)[name]


@pytest.mark.parametrize("name", ITEMS[:6])  # the others are code, which is read when it runs
def test_what_a_student_is_told_can_be_read_is_read(known: dict[str, Known], name: str) -> None:
    one = known[name]
    samples = kinds.named(one.item.kind).samples(one.item, one.proof)
    prompt = kinds.named(one.item.kind).prompt(one.item, one.proof.variant, one.proof)
    for sample in ("right", "wrong"):
        scope: dict[str, Any] = {}
        exec(one.source(samples[sample]), scope)
        value = cell_values.plain(scope[cell_values.variable(name)])
        count = {"choice": 4, "multi": 6, "sequence": 6, "fill": 1, "order": 5}.get(one.item.kind, 1)
        handed_in(name, one.item.kind, count, scope)
        read = kinds.named(one.item.kind).read(prompt, cell_values.typed(prompt.inputs, value))
        assert type(read).__name__ == "Response"


@pytest.mark.long
def test_nbgrader_validates_the_release_and_the_source(course: Course, right: dict[str, str], tmp_path: Path) -> None:
    empty = course.run("validate", "release/ps1/ps1.ipynb")
    starters = ("write-the-factor", "mend-doubling-warmup")  # they can be read as they are
    assert f"VALIDATION FAILED ON {len(ITEMS) - len(starters)} CELL(S)" in empty
    assert "there is no answer yet" in empty
    readable = course.notebook("release")
    for name in ITEMS:
        cell_of(readable, f"answer-{name}").source = right[name]
    (tmp_path / "full.ipynb").write_text(json.dumps(readable))
    assert "Success! Your notebook passes all the tests." in course.run("validate", str(tmp_path / "full.ipynb"))
    source = course.run("validate", "source/ps1/ps1.ipynb")
    assert source.count("this cell is judged by torch-grader") >= len(ITEMS)


# ---------------------------------------------------------------- grading


def test_right_answers_have_all_points_and_empty_ones_none(course: Course) -> None:
    assert course.grades("right") == dict.fromkeys(ITEMS, (POINTS, False))
    assert set(course.comments.values()) == {"Right."}
    assert course.grades("empty") == dict.fromkeys(ITEMS, (0.0, False))
    assert set(course.comments.values()) == {"No response."}


def test_answers_may_be_computed_and_a_warning_costs_nothing(course: Course) -> None:
    assert course.grades("run") == dict.fromkeys(ITEMS, (POINTS, False)) | {"fill-missing-cap": (POINTS, False)}


def test_each_mistake_is_named_with_the_points_that_grade_gives(
    course: Course, known: dict[str, Known], bank: Bank, grader: Command
) -> None:
    seen = 0
    for place in range(max(len(one.wrong()) for one in known.values())):
        grades, html = course.grades(f"mistake-{place}"), course.feedback(f"mistake-{place}")
        for name, one in known.items():
            if place >= len(one.wrong()):
                continue
            mistake, source = one.wrong()[place]
            score, left = grades[name]
            assert not left
            assert score is not None
            assert score < POINTS
            if source.strip() == (exercise(one.item).starter if exercise(one.item) else "").strip():
                assert course.comments[f"answer-{name}"] == "No response."
                continue
            says = bank.mistakes[mistake].says
            assert says.split("`")[0].split("<")[0].strip() in course.comments[f"answer-{name}"], (name, mistake)
            plain = re.sub(r"<[^>]+>", "", html.replace("&#39;", "'").replace("&quot;", '"').replace("&gt;", ">"))
            assert " ".join(says.replace("`", "").split()) in " ".join(plain.replace("`", "").split()), (name, mistake)
            if one.item.kind in ("choice", "multi", "number", "sequence"):
                scope: dict[str, Any] = {}
                exec(source, scope)
                raw = cell_values.typed(one.item.kind, cell_values.plain(scope[cell_values.variable(name)]))
                told = json.loads(grader("grade", name, "--answer", raw, "--json").stdout)
                assert (told["mistake"], told["score"] * POINTS) == (mistake, score)
            seen += 1
    assert seen >= 15


def test_the_feedback_draws_the_curves_in_colors_of_its_own_and_masks_what_was_hidden(course: Course) -> None:
    html = course.feedback("mistake-0")
    drawings = re.findall(r"<svg aria-label=.*?</svg>", html, re.DOTALL)
    assert drawings
    assert all("var(" not in drawing and "#1f6fb4" in drawing for drawing in drawings)
    assert "HIDDEN TESTS" not in html
    assert "judged by torch-grader" not in html
    assert "BEGIN" not in html


def test_what_cannot_be_read_is_left_to_a_person(course: Course) -> None:
    assert course.grades("unreadable") == dict.fromkeys(ITEMS, (None, True))
    for name in ITEMS:
        assert course.comments[f"answer-{name}"].startswith("That could not be read: ")
        assert course.comments[f"answer-{name}"].endswith("It is left to be graded by a person.")


def test_no_attack_earns_points_and_none_is_run_outside_of_the_sandbox(course: Course) -> None:
    hostile = course.grades("hostile")
    assert {name: score or 0.0 for name, (score, _) in hostile.items()} == dict.fromkeys(ITEMS, 0.0)
    assert "did not come to an end" in course.comments["answer-order-warmup-epoch"]
    assert course.grades("hostile-cell") == dict.fromkeys(ITEMS, (0.0, False))
    assert not (course.folder / "marker").exists()
    assert sum(float(row["score"]) for row in exported(course) if row["student_id"].startswith("hostile")) == 0


def test_markup_of_an_answer_stays_text_in_feedback_and_comments(course: Course) -> None:
    html = course.feedback("markup")
    assert "onerror" in html
    assert "<img src=x" not in html
    assert "<script>alert" not in html
    assert 'href="javascript' not in html
    course.grades("markup")
    said = " ".join(map(str, course.comments.values()))
    assert "onerror" in said
    assert "<" not in said
    assert "](" not in said


def test_copied_deleted_and_edited_cells_cost_only_what_is_gone(course: Course) -> None:
    assert course.grades("doubled") == dict.fromkeys(ITEMS, (POINTS, False))
    assert "several times" in course.comments["answer-third-epoch-rate"]
    gone = {"which-are-warmups": (0.0, False), "printed-third-line": (0.0, False)}
    assert course.grades("deleted") == dict.fromkeys(ITEMS, (POINTS, False)) | gone
    assert course.comments["answer-printed-third-line"] == "No response. This cell was missing from what was handed in."
    assert course.grades("edited") == dict.fromkeys(ITEMS, (POINTS, False))


def exported(course: Course) -> list[dict[str, str]]:
    with (course.folder / "grades.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_broken_notebook_is_reported_and_all_others_are_exported(course: Course) -> None:
    rows = {row["student_id"]: row for row in exported(course)}
    assert set(rows) == {path.name for path in (course.folder / "submitted").iterdir()}
    assert float(rows["right"]["score"]) == POINTS * len(ITEMS)
    assert float(rows["right"]["max_score"]) == POINTS * len(ITEMS)
    assert not (course.folder / "autograded/a-broken-one/ps1").exists()


@pytest.mark.long
def test_the_same_answers_have_the_same_points_again(course: Course) -> None:
    before = course.grades("mistake-0")
    course.run("autograde", "ps1", "--student", "mistake-0", "--force")
    assert course.grades("mistake-0") == before


# ---------------------------------------------------------------- with cells of the instructor's own

OWN = [
    ("own-answer", "### BEGIN SOLUTION\nx = 3\n### END SOLUTION", {"solution": True}),
    ("own-test", "assert x == 3", {"grade": True, "locked": True, "points": 5}),
]


@pytest.fixture(scope="module")
def mixed(
    grader: Command, environment: dict[str, str], right: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Course:
    """A notebook with our items and a cell that nbgrader grades in a kernel."""
    made = new_course(tmp_path_factory.mktemp("mixed") / "course", environment, OURS + "c.Judge.confined = False\n")
    make(grader, made, "--items", "third-epoch-rate,write-the-factor")
    path = made.folder / "source/ps1/ps1.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for name, source, marks in OWN:
        flags = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False}
        notebook.cells.append(
            nbformat.v4.new_code_cell(source, metadata={"nbgrader": {"grade_id": name, **flags, **marks}})
        )
    nbformat.write(notebook, path)
    made.run("generate_assignment", "ps1")
    assert "NotImplementedError" in cell_of(made.notebook("release"), "own-answer").source  # nbgrader's stub stays
    ours = {name: right[name] for name in ("third-epoch-rate", "write-the-factor")}
    wrong = {
        "third-epoch-rate": 'answer_third_epoch_rate = "B"',
        "write-the-factor": "def factor(epoch):\n    return 2",
    }

    def solved(notebook: Any) -> None:
        cell_of(notebook, "own-answer").source = "x = 3"

    def attacked(notebook: Any) -> None:
        solved(notebook)
        with_cell(f"MARKER = {str(made.folder / 'marker')!r}\n" + TRANSFORMER + PATCH + EQUAL + STEAL)(notebook)

    made.hand_in("good", ours, solved)
    made.hand_in("a-hostile", wrong, attacked)
    said = made.run("autograde", "ps1")
    assert "While the notebook of a-hostile ran, grades of these students were changed" in said
    return made


@pytest.mark.long
def test_other_cells_are_run_as_nbgrader_does_and_ours_are_not(mixed: Course) -> None:
    assert mixed.grades("good") == {
        "third-epoch-rate": (1.0, False), "write-the-factor": (1.0, False), "own-test": (5.0, False)
    }  # fmt: skip


@pytest.mark.long
def test_what_a_kernel_writes_into_the_gradebook_does_not_count_for_ours(mixed: Course) -> None:
    assert (mixed.folder / "marker").exists()  # the attack was run
    grades = mixed.grades("a-hostile")
    assert {name: grades[name] for name in ("third-epoch-rate", "write-the-factor")} == {
        "third-epoch-rate": (0.0, False), "write-the-factor": (0.0, False)
    }  # fmt: skip
    said = mixed.run("autograde", "ps1", "--student", "a-hostile", "--force")
    assert "grades of these students were changed in the gradebook: a-hostile, good;" in said
    assert mixed.grades("a-hostile") == grades


@pytest.mark.long
def test_nbgrader_without_our_configuration_gives_no_points(
    grader: Command, environment: dict[str, str], right: dict[str, str], tmp_path: Path
) -> None:
    made = new_course(tmp_path / "course", environment, CONFIG)
    make(grader, made, "--items", "third-epoch-rate")
    made.run("generate_assignment", "ps1")
    made.hand_in("ada", right)
    made.run("autograde", "ps1")
    assert made.grades("ada") == {"third-epoch-rate": (0.0, False)}
    assert "this cell is judged by torch-grader" in json.dumps(made.notebook("autograded/ada"))


# ---------------------------------------------------------------- what stops grading, and what it leaves open


@pytest.fixture
def small(grader: Command, environment: dict[str, str], right: dict[str, str], tmp_path: Path) -> Course:
    """A course with one item from a bank of its own, handed in by one student."""
    (tmp_path / "bank/quizzes").mkdir(parents=True)
    (tmp_path / "bank/quizzes/warmup.yaml").write_text(alone("warmup"))
    made = new_course(tmp_path / "course", environment, OURS + "c.Judge.bank = '../bank'\n")
    make(grader, made, "--bank", str(tmp_path / "bank"), "--items", "write-the-factor")
    made.run("generate_assignment", "ps1")
    made.hand_in("ada", right)
    return made


def test_a_changed_item_and_a_missing_manifest_are_reported(small: Course) -> None:
    quiz = small.folder.parent / "bank/quizzes/warmup.yaml"
    text = quiz.read_text()
    quiz.write_text(
        changed := text.replace("  starter: |\n    def factor(epoch):\n", "  starter: |\n    def factor(epoch=0):\n")
    )
    assert changed != text
    said = small.run("autograde", "ps1", code=1)
    assert "the item `write-the-factor` has changed since the assignment was made" in said
    quiz.write_text(text)
    place = small.folder / "source/ps1" / manifest.NAME
    place.rename(place.with_suffix(".away"))
    (small.folder / "submitted/ada/ps1" / manifest.NAME).write_text(place.with_suffix(".away").read_text())
    assert f"the source of ps1 has no {manifest.NAME}" in small.run("autograde", "ps1", code=1)
    place.with_suffix(".away").rename(place)
    quiz.write_text(text.replace("Write `factor(epoch)`, a linear warmup", "Write `factor(epoch)`, a ramp"))
    assert "`write-the-factor` was reworded since the assignment was made" in small.run("autograde", "ps1")
    assert small.grades("ada") == {"write-the-factor": (1.0, False)}


def test_what_could_not_be_run_is_left_to_a_person(small: Course) -> None:
    """The runner is replaced by one whose worker died: what is handed in is not worth 0 points for that."""
    config = small.folder / "nbgrader_config.py"
    config.write_text(
        config.read_text()
        + "c.Judge.allow_unsandboxed = True\n"
        + "from grader.runner.local import LocalRunner\nfrom concurrent.futures import Future\n"
        + "from grader.model import Observation, Status\n"
        + "def fails(self, program):\n    future = Future()\n"
        + "    future.set_result(Observation(Status.NOT_RUN, note='the worker died'))\n    return future\n"
        + "LocalRunner.submit = fails\n"
    )
    small.run("autograde", "ps1")
    assert small.grades("ada") == {"write-the-factor": (None, True)}
    assert "could not be judged" in small.comments["answer-write-the-factor"]


# ---------------------------------------------------------------- numbers of their own


@pytest.fixture(scope="module")
def each(
    grader: Command, environment: dict[str, str], bank: Bank, remembering: RememberingRunner,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Course, manifest.Manifest, dict[tuple[str, str], str]]:  # fmt: skip
    """A course in which students have numbers of their own, and the right answer of each to each item."""
    made = new_course(tmp_path_factory.mktemp("each") / "course", environment)
    names = ("third-epoch-rate", "printed-third-line", "ramp-rate-table")
    make(grader, made, "--items", ",".join(names), "--per-student", "--seed", "4")
    found = manifest.read(made.folder / "source/ps1")
    assert found is not None
    items = {item.id: item for item in bank.items}
    sources = {}
    for student in ("ada", "bob", "cyd"):
        for entry in found.items:
            item = items[entry.grade_id]
            drawn = item.variants[found.variant(entry, student, len(item.variants))]
            one = Known(item, PendingProof.begin(item, drawn, remembering).proof())
            sources[student, item.id] = one.right()
    made.run("generate_assignment", "ps1")
    for student, answering in {"ada": "ada", "bob": "bob", "cyd": "ada"}.items():

        def claims(notebook: Any, name: str = answering) -> None:
            next(cell for cell in notebook.cells if "STUDENT" in cell.source).source = f'STUDENT = "{name}"'

        made.hand_in(student, {name: sources[answering, name] for name in names}, claims)
    made.run("autograde", "ps1")
    made.run("generate_feedback", "ps1")
    return made, found, sources


Each = tuple[Course, manifest.Manifest, dict[tuple[str, str], str]]


@pytest.mark.slow
def test_each_student_is_graded_with_their_own_numbers_whatever_the_notebook_says(each: Each) -> None:
    course, found, sources = each
    names = [entry.grade_id for entry in found.items]
    assert len({tuple(sources[student, name] for name in names) for student in ("ada", "bob", "cyd")}) == 3
    for student in ("ada", "bob"):
        assert course.grades(student) == dict.fromkeys(names, (1.0, False))
    graded = course.grades("cyd")  # has ada's answers, and says to be ada
    for name in names:
        assert (graded[name][0] == 1.0) == (sources["cyd", name] == sources["ada", name])


def test_a_question_is_shown_with_the_numbers_of_who_asks(
    each: Each, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    course, found, _ = each
    monkeypatch.chdir(course.folder / "release/ps1")
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    shown: list[str] = []
    monkeypatch.setattr("IPython.display.display", lambda thing: shown.append(thing.data))
    cell = cell_of(course.notebook("release"), "question-third-epoch-rate")
    with pytest.raises(InputError, match="who are you"):
        exec(cell.source, {"STUDENT": ""})
    entry = found.items[0]
    for student in ("ada", "bob"):
        own = entry.questions[found.variant(entry, student, len(entry.questions))]
        exec(cell.source, {"STUDENT": student})
        assert shown.pop() == f"*The numbers of {student}:*\n\n{own}"
        monkeypatch.setenv("JUPYTERHUB_USER", student)
        exec(cell.source, {"STUDENT": ""})
        assert shown.pop().endswith(own)
        monkeypatch.delenv("JUPYTERHUB_USER")
        program = own.split("```python\n")[1].splitlines()[0]
        assert program in re.sub(r"<[^>]+>", "", course.feedback(student))
    monkeypatch.chdir(course.folder)
    with pytest.raises(InputError, match="is not beside this notebook"):
        exec(cell.source, {"STUDENT": "ada"})


def test_numbers_are_drawn_from_seed_assignment_student_and_item() -> None:
    entries = tuple(manifest.ManifestItem(name, "", 1.0) for name in ("one", "two"))
    base = manifest.Manifest("ps1", "warmup", 4, True, entries)
    others = [
        (base, "bob", entries[0]), (base, "ada", entries[1]),
        (manifest.Manifest("ps2", "warmup", 4, True, entries), "ada", entries[0]),
        (manifest.Manifest("ps1", "warmup", 5, True, entries), "ada", entries[0]),
    ]  # fmt: skip
    first = base.variant(entries[0], "ada", 1 << 30)
    assert first == base.variant(entries[0], "ada", 1 << 30)
    assert len({first, *(one.variant(entry, student, 1 << 30) for one, student, entry in others)}) == 5


# ---------------------------------------------------------------- options in another order

MIXED = ("third-epoch-rate", "which-are-warmups", "pick-the-factor", "ramp-rate-table")
"""Options that are values, texts and code; and a table, which has none."""


def offered(question: str) -> list[str]:
    """The options of a question in Markdown, each as a text, in the order of their letters."""
    parts = re.split(r"^(?:- )?\*\*([A-H])\*\*:?", question.rpartition("\n\n*Answer with")[0], flags=re.MULTILINE)
    assert parts[1::2] == list("ABCDEFGH"[: len(parts) // 2])
    return [part.strip() for part in parts[2::2]]


def test_an_assignment_mixes_options_where_it_is_told_to(
    grader: Command, environment: dict[str, str], known: dict[str, Known], tmp_path: Path
) -> None:
    """One order for all: the question, the right letter beside it, the manifest and the judge agree."""
    from grader.nbgrader.judge import BankJudge

    sources = {}
    for name, more in (("plain", ()), ("mixed", ("--mix", "3"))):
        made = new_course(tmp_path / name, environment)
        make(grader, made, "--items", ",".join(MIXED), *more)
        data = json.loads((made.folder / "source/ps1" / manifest.NAME).read_text())
        assert (data["format"], data["mix"]) == (2, 3 if more else None)
        assert all(not {"options", "last"} & set(entry) for entry in data["items"])
        sources[name] = made.notebook("source"), manifest.read(made.folder / "source/ps1")
    (plain, _), (mixed, found) = sources["plain"], sources["mixed"]
    changed = 0
    for name in MIXED[:3]:
        before, after = (offered(cell_of(one, f"question-{name}").source) for one in (plain, mixed))
        assert sorted(before) == sorted(after)
        changed += before != after
    assert changed
    assert found is not None
    judge = BankJudge([ROOT / "quizzes/warmup.yaml"])
    try:
        right = {name: cell_values.region(cell_of(mixed, f"answer-{name}").source) for name in MIXED}
        verdicts = judge.judge(found, "ada", right)
        assert [verdicts[name].result.score.points for name in MIXED] == [1.0] * 4
        written = {name: cell_values.region(cell_of(plain, f"answer-{name}").source) for name in MIXED}
        choices = {name: verdict.result.choice for name, verdict in verdicts.items()}
        for name, verdict in judge.judge(found, "ada", written).items():
            assert (verdict.result.score.points == 1.0) == (written[name] == right[name])
        assert choices["third-epoch-rate"] == (0,)
        assert choices["ramp-rate-table"] is None
    finally:
        judge.close()


def test_a_manifest_of_before_has_the_written_order_and_one_of_later_is_refused(tmp_path: Path) -> None:
    entry = {"grade_id": "one", "digest": "", "points": 1, "variant": 0, "questions": []}
    data = {"format": 1, "assignment": "ps1", "topic": "t", "seed": None, "per_student": False, "items": [entry]}
    path = tmp_path / manifest.NAME
    path.write_text(json.dumps(data))
    found = manifest.read(tmp_path)
    assert found is not None
    assert (found.mix, found.mixed("ada")) == (None, None)
    for change, why in (({"format": 3}, "another version of torch-grader wrote it"), ({"mix": "x"}, "`mix`")):
        path.write_text(json.dumps(data | change))
        with pytest.raises(InputError, match=why):
            manifest.read(tmp_path)
    path.write_text(json.dumps(data | {"format": 2, "mix": 1, "items": [entry | {"options": [["a", "b"]]}]}))
    with pytest.raises(InputError, match="`options` of `one` are not those of its questions"):
        manifest.read(tmp_path)


@pytest.mark.long
def test_each_student_has_an_order_of_their_own_and_is_graded_by_it(
    grader: Command, environment: dict[str, str], bank: Bank, remembering: RememberingRunner, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Ada and Bob answer with the letters that they were shown; so does Cyd, who looks at Ada's."""
    made = new_course(tmp_path / "course", environment)
    make(grader, made, "--items", ",".join(MIXED[:3]), "--per-student", "--seed", "4", "--mix", "9")
    found = manifest.read(made.folder / "source/ps1")
    assert found is not None
    made.run("generate_assignment", "ps1")
    shown: list[str] = []
    monkeypatch.chdir(made.folder / "release/ps1")
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    monkeypatch.setattr("IPython.display.display", lambda thing: shown.append(thing.data))
    given: dict[str, dict[str, str]] = {}
    for student in ("ada", "bob"):
        for entry in found.items:
            exec(cell_of(made.notebook("release"), entry.question).source, {"STUDENT": student})
            options = offered(shown.pop())
            written = entry.options[found.variant(entry, student, len(entry.options))]
            assert sorted(options) == sorted(option.strip() for option in written)
            assert "<options>" not in "".join(options)
            item = next(item for item in bank.items if item.id == entry.grade_id)
            drawn = item.variants[found.variant(entry, student, len(item.variants))]
            one = Known(item, PendingProof.begin(item, drawn, remembering).proof())
            raw = kinds.named(item.kind).samples(item, one.proof)["right"]
            holds = [written["ABCDEFGH".index(letter)].strip() for letter in raw.split(", ")]
            letters = ", ".join(sorted("ABCDEFGH"[options.index(option)] for option in holds))
            given.setdefault(student, {})[entry.grade_id] = one.source(letters)
    monkeypatch.chdir(tmp_path)
    assert given["ada"] != given["bob"]
    for student, answering in {"ada": "ada", "bob": "bob", "cyd": "ada"}.items():

        def claims(notebook: Any, name: str = answering) -> None:
            next(cell for cell in notebook.cells if "STUDENT" in cell.source).source = f'STUDENT = "{name}"'

        made.hand_in(student, given[answering], claims)
    made.run("autograde", "ps1")
    names = [entry.grade_id for entry in found.items]
    for student in ("ada", "bob"):
        assert made.grades(student) == dict.fromkeys(names, (1.0, False))
    assert made.grades("cyd") != dict.fromkeys(names, (1.0, False))
    done = grader("stats", "--course", made.folder, "--json")
    (pick,) = [entry for entry in json.loads(done.stdout)["items"] if entry["item"] == "third-epoch-rate"]
    assert pick["responses"]["A"] >= 2  # the option, whatever its letter was
