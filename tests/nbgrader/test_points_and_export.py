"""Safe points, hidden tests that stay hidden, and grades that are passed on: a class through nbgrader's own commands."""

from __future__ import annotations

import contextlib
import csv
import json
import re
import shutil
import subprocess
import sys
import warnings
from collections import Counter
from html import unescape
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook
from traitlets.config import Config

from grader.course import configure
from grader.errors import InputError
from grader.nbgrader import export
from grader.nbgrader.hidden_tests import CUT, HIDDEN
from grader.render import csv_text
from tests.nbgrader.test_assignments import Course, cell_of, make, new_course
from tests.support.browser import browser
from tests.support.common import Command
from tests.support.patience import COMMAND, seconds

CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "pytorch"
c.ClearHiddenTests.begin_test_delimeter = "BEGIN UNSEEN"
c.ClearHiddenTests.end_test_delimeter = "END UNSEEN"
from grader.course import configure
configure(c)
"""
COMMANDS = """
import json, sys
from nbgrader import apps

for name, *arguments in json.loads(sys.argv[1]):
    app = getattr(apps, name + "App")
    running = app.instance()
    running.initialize(arguments)
    running.start()
    app.clear_instance()
"""
"""nbgrader's commands one after another, in a process that imports it once."""

SECRET = 'assert double(probe) == 2 * probe, "double every number"'
HELPER = "    must_be_twice = number + number"
OWN = [
    (
        "own-answer",
        "### BEGIN SOLUTION\ndef double(number):\n    return 2 * number\n### END SOLUTION",
        {"solution": True},
    ),
    (
        "own-test",
        "assert double(1) == 2\n### BEGIN UNSEEN\n"
        f"def probe_it(number):\n{HELPER}\n    return 1 / number\n"
        f"for probe in (11, 23):\n    {SECRET}\n### END UNSEEN",
        {"grade": True, "locked": True, "points": 2},
    ),
    ("own-value", "### BEGIN SOLUTION\nvalue = 2\n### END SOLUTION", {"solution": True}),
    ("own-points", "value", {"grade": True, "locked": True, "points": 2}),
]
"""An answer and its tests, some of them hidden; and a cell with partial credit, whose value a student gives here."""

LEAK = """\
import sys
def double(number):
    if number == 11:
        print(In[-1])
        raise ValueError(In[-1])
    return 2 * number
"""
SPREAD = """\
import base64, html
from IPython.display import HTML, display
source = next(text for text in In if text.startswith("assert double"))
print(repr(In))
for line in source: print(line)
display(HTML("<pre>" + html.escape(source) + "</pre>"))
sys.stderr.write(source)
print("mine")
"""
SHOWS = "probe_it(0)"

FILES = """\
import gzip, inspect, os, pathlib, torch
pathlib.Path("mine.bin").write_bytes(b"\\x00mine")
def keep(source):
    print("kept", len(source))
    half = len(source) // 2
    os.makedirs("notes", exist_ok=True)
    pathlib.Path("notes/leak.txt").write_text(source)
    pathlib.Path("leak.html").write_text("".join(f"&#{ord(one)};" for one in source))
    pathlib.Path("leak.gz").write_bytes(gzip.compress(source.encode()))
    pathlib.Path("part-1.txt").write_text(source[:half])
    pathlib.Path("part-2.txt").write_text(source[half:])
    pathlib.Path("mine.txt").write_text("what I noted")
    stood = os.stat("handed-in.txt")
    pathlib.Path("handed-in.txt").write_text(source)
    os.utime("handed-in.txt", ns=(stood.st_atime_ns, stood.st_mtime_ns))
    if not os.path.lexists("link.txt"):
        os.symlink("notes/leak.txt", "link.txt")
def double(number):
    if number == 11:
        caller = inspect.currentframe().f_back
        keep(inspect.getsource(caller))
    return 2 * number
"""
ALARM = "document.title = 1; window.owned = true;"
SCRIPTS = f"""\
from IPython.display import HTML, Javascript, Markdown, Image, display
display(HTML('<p id="mine">what I <b>show</b></p><script>{ALARM}</script>'))
display(HTML('<img src="x" onerror="{ALARM}"><svg onload="{ALARM}"></svg><a href="javascript:{ALARM}" id="link">x</a>'))
display(HTML('<iframe srcdoc="<script>parent.owned = true</script>"></iframe><math><style><img src=x onerror="{ALARM}">'))
display(Javascript("{ALARM}"))
display(Markdown("*leaning* <script>{ALARM}</script> <img src=y onerror='{ALARM}'>"))
display({{"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg' onload=\\"{ALARM}\\"><script>{ALARM}</script></svg>"}}, raw=True)
display({{"image/png": "bm9uZQ=="}}, metadata={{"image/png": {{"width": "1 onerror=window.owned=true"}}}}, raw=True)
display({{"text/html": "<script>parent.owned = true</script>"}}, metadata={{"text/html": {{"isolated": True}}}}, raw=True)
"""
TEXT = f'# About\n\n> quoted `a < b` $x_1 < y$\n\n<script>{ALARM}</script>\n\n<img src=z onerror="{ALARM}"> [x](javascript:{ALARM[:22]})'

GIVEN: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "right": ({"third-epoch-rate": "A"}, {}),
    "half": ({"third-epoch-rate": "B"}, {"own-value": "import sys, numpy\nprint('noise', file=sys.stderr)\nvalue = numpy.float64(0.5)"}),
    "nan": ({"third-epoch-rate": "B"}, {"own-value": "value = float('nan')"}),
    "=wrong": ({}, {"own-answer": "def double(number):\n    return 2", "own-value": "value = True"}),
    "leak": ({"third-epoch-rate": "Z"}, {"own-answer": LEAK}),
    "files": ({"third-epoch-rate": "A"}, {"own-answer": FILES}),
    "scripts": ({"third-epoch-rate": "A"}, {}),
    "skips": ({"third-epoch-rate": "D"}, {"own-value": "value = 5.0"}),
}  # fmt: skip
"""The letters that students answer, and what they write into the other cells."""


def nbgrader(course: Course, *commands: tuple[str, ...], code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, json.dumps(commands)], cwd=course.folder, env=course.environment,
        capture_output=True, text=True, check=False, timeout=seconds(COMMAND),
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def course(grader: Command, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Graded, with feedback, exported."""
    made = new_course(tmp_path_factory.mktemp("passing") / "course", environment, CONFIG)
    make(grader, made, "--items", "third-epoch-rate")
    path = made.folder / "source/ps1/ps1.ipynb"
    notebook = nbformat.read(path, as_version=4)
    hidden = cell_of(notebook, "third-epoch-rate")
    hidden.source = hidden.source.replace("HIDDEN TESTS", "UNSEEN")
    for name, source, marks in OWN:
        flags = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False}
        about = {"nbgrader": {"grade_id": name, **flags, **marks}}
        notebook.cells.append(nbformat.v4.new_code_cell(source, metadata=about))
    nbformat.write(notebook, path)
    nbgrader(made, ("GenerateAssignment", "ps1"))
    for student, (letters, own) in GIVEN.items():

        def fill(notebook: Any, student: str = student, own: dict[str, str] = own) -> None:
            for name, source in {"own-answer": OWN[0][1], "own-value": OWN[2][1], **own}.items():
                cell_of(notebook, name).source = source.replace("### BEGIN SOLUTION\n", "").replace(
                    "\n### END SOLUTION", ""
                )
            told = {"item": "own-test", "outcome": "correct"}
            cell_of(notebook, "own-test").metadata.torch_grader = told
            if student == "leak":
                notebook.cells += [nbformat.v4.new_code_cell(source) for source in (SPREAD, SHOWS)]
            if student == "scripts":
                notebook.cells += [nbformat.v4.new_code_cell(SCRIPTS), nbformat.v4.new_markdown_cell(TEXT)]
            if student == "skips":
                cell_of(notebook, "own-test").metadata.tags = ["skip-execution"]

        made.hand_in(student, {name: f'answer_third_epoch_rate = "{letter}"' for name, letter in letters.items()}, fill)
    (made.folder / "submitted/files/ps1/handed-in.txt").write_text("x" * 1000)
    said = nbgrader(
        made, ("Autograde", "ps1"), ("GenerateFeedback", "ps1"),
        ("Export", "--exporter", "grader.course.ExportPlugin", "--to", "items.csv"),
        ("Export", "--to", "grades.csv"),
    )  # fmt: skip
    assert "Cell 'own-points' is left to a person: its value is nan" in said
    assert "not recognized" not in said
    assert "this is not kept: leak.gz, which was made beside hidden tests and cannot be searched" in said
    assert "this is not kept: notes/leak.txt, which repeats hidden tests" in said
    return made


# ---------------------------------------------------------------- points


def test_no_accident_of_a_value_is_full_marks(course: Course) -> None:
    def of(student: str) -> tuple[Any, Any]:
        grades = course.grades(student)
        return grades["own-test"], grades["own-points"]

    done, left = (2.0, False), (None, True)
    assert of("right") == (done, done)
    assert of("half") == (done, (0.5, False))
    assert of("nan") == (done, left)
    assert of("=wrong") == ((0.0, False), left)
    assert of("leak") == ((0.0, False), done)
    assert of("skips") == (left, left)


def test_reasons_are_comments_of_the_answer_and_stand_beneath_the_tests(course: Course) -> None:
    course.grades("right")
    assert (course.comments["own-answer"], course.comments["own-value"]) == (None, None)
    course.grades("half")
    reason = "0.5 of 2 points: partial credit, from the value of the last line"
    assert course.comments["own-value"] == f"own-points: {reason}"
    assert course.feedback("half").count(reason) == 2
    course.grades("=wrong")
    assert course.comments["own-answer"] == "own-test: 0 of 2 points: AssertionError: double every number"
    assert "its value is True, which is not a number of points" in course.comments["own-value"]
    assert "Left to be graded by a person" in course.feedback("=wrong")
    autograded = course.notebook("autograded/=wrong")
    assert cell_of(autograded, "own-test").outputs[0].data["text/plain"].startswith("0 of 2 points: AssertionError")


# ---------------------------------------------------------------- hidden tests


def read(html: str) -> str:
    """A page as a person or a program may read it, without white space."""
    return "".join(unescape(re.sub(r"<[^>]*>", "", html)).split())


def test_hidden_tests_are_nowhere_in_the_feedback(course: Course) -> None:
    for student in GIVEN:
        page = course.feedback(student)
        for form in (page, read(page), read(page).replace("\\", "")):
            assert "must_be_twice" not in form, student
            assert "".join(SECRET.split()) not in form, student
            assert "UNSEEN" not in page
        assert read(page).count("".join(HIDDEN.split())) == 1
        kept = "".join(map(str, course.notebook(f"autograded/{student}").cells))
        assert "must_be_twice" in kept  # the instructor sees them


def test_hidden_tests_are_in_no_file_of_the_feedback(course: Course) -> None:
    """Files that a function of the student wrote while hidden tests ran, whole, escaped, packed, and in pieces."""
    assert "kept" in course.feedback("files")
    folder = course.folder / "feedback/files/ps1"
    kept = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    assert set(kept) == {"ps1.html", "torch-grader.json", "mine.bin", "mine.txt", "handed-in.txt"}
    assert kept["handed-in.txt"].read_text() == "x" * 1000
    for path in (course.folder / "feedback").rglob("*"):
        if path.is_file():
            text = read(path.read_text(errors="replace"))
            assert "must_be_twice" not in text, path
            assert "".join(SECRET.split()) not in text, path


def test_no_code_of_a_student_runs_in_the_feedback(course: Course) -> None:
    """In a real browser, which has nothing to load from elsewhere. Our own chart and what students show stay."""
    path = course.folder / "feedback/scripts/ps1/ps1.html"
    with browser() as chromium:
        page = chromium.new_page()
        page.route("http*://**", lambda route: route.abort())
        page.goto(path.as_uri())
        page.wait_for_load_state("load")
        for link in page.query_selector_all("a"):
            if not (link.get_attribute("href") or "#").startswith(("#", "http", "mailto")):
                link.evaluate("one => one.click()")
        assert page.evaluate("window.owned") is None
        assert page.title() == "ps1"
        assert page.query_selector("iframe:not([src^=data])") is None
        assert page.inner_text("#mine") == "what I show"
        assert page.query_selector("em:has-text('leaning')")
        assert page.query_selector("blockquote code").inner_text() == "a < b"
        attributes = page.evaluate(
            "[...document.querySelectorAll('*')].flatMap(one => [...one.attributes].map(a => [a.name, a.value]))"
        )
        assert not [one for one in attributes if one[0].startswith("on") or "javascript:" in one[1]]
        assert not [one for one in page.query_selector_all("script") if "owned" in (one.text_content() or "")]


def test_what_is_no_secret_stays_in_the_feedback(course: Course) -> None:
    assert "AssertionError: double every number" in unescape(course.feedback("=wrong"))
    assert "noise" in course.feedback("half")
    page = course.feedback("leak")
    assert "That could not be read" in page
    assert "No points yet" in page
    assert "assert" in page  # the visible part of the tests
    assert CUT in unescape(page) or "An output that repeats hidden tests" in page


# ---------------------------------------------------------------- grades passed on


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_export_has_a_row_for_each_student_and_cell(course: Course) -> None:
    rows = rows_of(course.folder / "items.csv")
    assert len(rows) == len(GIVEN) * 3
    by = {(row["student_id"], row["cell"]): row for row in rows}
    assert [row["cell"] for row in rows[:3]] == ["third-epoch-rate", "own-test", "own-points"]
    right, half, unread = (by[student, "third-epoch-rate"] for student in ("right", "half", "leak"))
    about = {"kind": "choice", "level": "medium", "topic": "warmup", "variant": "0", "max_points": "1.0"}
    for row, outcome, points in ((right, "correct", "1.0"), (half, "incorrect", "0.0"), (unread, "unreadable", "")):
        assert row.items() >= {**about, "outcome": outcome, "points": points}.items()
        assert row["skill"]
    assert (right["mistake"], unread["needs_manual_grade"], right["needs_manual_grade"]) == ("", "1", "0")
    assert half["mistake"]
    assert half["family"]
    assert by["half", "own-points"]["points"] == "0.5"
    assert by["nan", "own-points"].items() >= {"points": "", "needs_manual_grade": "1", "kind": "graded cell"}.items()
    assert by["right", "own-test"]["outcome"] == ""  # what the submission said of itself is gone
    assert by["'=wrong", "own-test"]["points"] == "0.0"
    theirs = {row["student_id"].lstrip("'"): float(row["raw_score"]) for row in rows_of(course.folder / "grades.csv")}
    ours: Counter[str] = Counter()
    for row in rows:
        ours[row["student_id"].lstrip("'")] += float(row["points"] or 0)
    assert ours == theirs


def test_the_export_has_a_row_for_each_misconception(course: Course) -> None:
    rows = rows_of(course.folder / "items-mistakes.csv")
    of_b = next(row["mistake"] for row in rows_of(course.folder / "items.csv") if row["student_id"] == "half")
    assert rows[0]["mistake"] == of_b
    assert rows[0].items() >= {"students": "2", "student_ids": "half; nan", "items": "third-epoch-rate"}.items()
    assert len(rows) == 2
    assert all(row["says"] and row["family"] for row in rows)


def test_one_assignment_or_student_is_exported_and_bad_input_is_told(
    course: Course, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "some.csv"

    def exported(**options: Any) -> None:
        with warnings.catch_warnings(), contextlib.chdir(course.folder):
            warnings.simplefilter("ignore")  # of SQLAlchemy, for nbgrader's models
            with Gradebook(f"sqlite:///{course.folder}/gradebook.db", "pytorch") as gradebook:
                export.ExportPlugin(**options).export(gradebook)

    exported(to=str(path), student=["half"], assignment=["ps1"])
    rows = rows_of(path)
    assert {row["student_id"] for row in rows} == {"half"}
    assert rows[0]["outcome"] == "incorrect"
    for options, said in (
        ({"to": str(path), "student": ["hafl"]}, "the gradebook has no student `hafl`; did you mean `half`?"),
        ({"to": str(path), "assignment": ["ps2"]}, "the gradebook has no assignment `ps2`"),
        ({"to": str(tmp_path / "nowhere/a.csv")}, "it cannot be written"),
    ):
        with pytest.raises(SystemExit) as ended:
            exported(**options)
        assert ended.value.code == 2
        assert said in caplog.text
    assert rows_of(path) == rows


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    export.write(path, ["a", "b", "c"], [[text, f'x"{text}', -1.5], ["\udcff", None, 2]])
    first, second = rows_of(path)
    assert first["a"][0] == "'" or not first["a"].startswith(csv_text.FORMULA)
    assert first["c"] == "-1.5"
    assert second["a"].isascii()
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it cannot be written"):
        export.write(tmp_path / "nowhere/a.csv", ["a"], [])


# ---------------------------------------------------------------- statistics


def test_stats_of_a_course(course: Course, grader: Command) -> None:
    before = {path: path.stat().st_mtime_ns for path in course.folder.rglob("*")}
    done = grader("stats", "--course", course.folder, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    items = {entry["item"]: entry for entry in document["items"]}
    assert set(items) == {"third-epoch-rate", "ps1/ps1/own-test", "ps1/ps1/own-points"}
    ours = items["third-epoch-rate"]
    assert (ours["learners"], ours["right"]) == (7, 3 / 7)  # one is left to a person
    assert ours["mistakes"].keys() == document["mistakes"].keys()
    assert max(ours["mistakes"].values()) == 2
    assert ours["responses"]["B"] == 2
    assert items["ps1/ps1/own-points"]["learners"] == 5
    assert items["ps1/ps1/own-points"]["facility"] == pytest.approx((4 * 2 + 0.5) / 10)
    shown = grader("stats", "--course", course.folder, "--assignment", "ps1").stdout
    name, says = next(iter(document["mistakes"].items()))
    assert f"  {name}: {says}" in shown
    assert {path: path.stat().st_mtime_ns for path in course.folder.rglob("*")} == before


def test_stats_of_what_is_no_course(course: Course, grader: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/gradebook.db").write_text("no database, whatever its name says" * 40)
    (tmp_path / "config").mkdir()
    (tmp_path / "config/nbgrader_config.py").write_text("no Python")
    for options, said in (
        (("--course", tmp_path / "nowhere"), "there is no such folder"),
        (("--course", tmp_path / "empty"), "there is no gradebook here"),
        (("--course", tmp_path / "broken"), "the gradebook cannot be read"),
        (("--course", tmp_path / "config"), "nbgrader does not start here"),
        (("--course", course.folder, "--assignment", "ps2"), "the gradebook has no assignment `ps2`"),
        (("--course", course.folder, "x.jsonl"), "the files are not of the course"),
        (("--assignment", "ps1"), "--assignment is for courses"),
    ):
        done = grader("stats", *options)
        assert (done.returncode, done.stdout) == (2, ""), said
        assert said in done.stderr
    assert list((tmp_path / "empty").iterdir()) == []


def test_notebooks_that_are_gone_or_broken_are_told_and_their_points_count(
    course: Course, grader: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "course"
    shutil.copytree(course.folder, folder)
    shutil.rmtree(folder / "autograded/half")
    broken = folder / "autograded/nan/ps1/ps1.ipynb"
    broken.chmod(0o644)
    broken.write_text('{"cells": [1]}')
    done = grader("stats", "--course", folder, "--json")
    assert done.returncode == 0
    assert done.stderr.count("what was found of its answers is not told") == 2
    items = {entry["item"]: entry for entry in json.loads(done.stdout)["items"]}
    assert items["third-epoch-rate"]["learners"] == 5
    assert items["ps1/ps1/third-epoch-rate"]["learners"] == 2
    assert items["ps1/ps1/own-points"]["learners"] == 5


# ---------------------------------------------------------------- configuration


def test_the_steps_are_put_where_they_belong_once() -> None:
    c = Config()
    c.GenerateFeedback.preprocessors = ["nbgrader.preprocessors.GetGrades", "my.Own"]
    for _ in range(2):
        configure(c)
        assert c.GenerateFeedback.preprocessors == ["nbgrader.preprocessors.GetGrades", "grader.course.Mask", "my.Own"]
        graded = [one if isinstance(one, str) else one.__name__ for one in c.Autograde.autograde_preprocessors]
        assert graded[graded.index("grader.course.Points") + 1] == "grader.course.Remark"
        assert "SaveAutoGrades" not in graded
