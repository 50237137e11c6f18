"""Notebooks that need what nbgrader has beside them, print too much, or cannot be read: nbgrader's scores, cell by cell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook

from grader.cli import teachers
from grader.errors import InputError
from grader.nbgrader import kernel_differences
from grader.nbgrader.execution import must_be_python

DATA = "/var/lib"
"""A folder that is there, and not for a kernel that is shut in."""

CONFIG = f"""\
import os
c = get_config()
c.CourseDirectory.course_id = "pytorch"
os.environ["COURSE_DATA"] = "{DATA}"
os.environ["COURSE_TOKEN"] = "42-secret"
c.Execute.timeout, c.Execute.iopub_timeout = 300, 100
"""
OURS = "from grader.course import configure\nconfigure(c)\n"


def cell(name: str, source: str, points: float = 0.0) -> Any:
    marks = {"schema_version": 3, "grade_id": name, "solution": not points, "task": False}
    marks |= {"grade": True, "locked": True, "points": points} if points else {"grade": False, "locked": False}
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": marks})


def answer(name: str, source: str) -> Any:
    return cell(name, f"### BEGIN SOLUTION\n{source}\n### END SOLUTION")


NOTEBOOKS = {
    "around": {
        "a": [nbformat.v4.new_code_cell("def twice(x):\n    return 2 * x"),
              cell("hides", "### BEGIN HIDDEN TESTS\nassert twice(21) == 42, 'unseen'\n### END HIDDEN TESTS", 1)],
        "b": [
            answer("mine", "number = 1"),
            cell("sibling", "%run a.ipynb\nassert twice(2) == 4", 2),
            cell("itself", "import nbformat\nassert nbformat.read('b.ipynb', 4).cells", 2),
            cell("localhost", "import socket\nassert socket.gethostbyname('localhost') == '127.0.0.1'\n"
                 "assert socket.gethostbyname(socket.gethostname())", 2),
            cell("link", "import os\nos.symlink('data.txt', 'link')\nassert open('link').read() == 'data'\nos.unlink('link')", 2),
            cell("variable", f"import os\nassert os.environ['COURSE_DATA'] == '{DATA}'", 2),
            cell("folder", "import os\nassert os.getcwd().split(os.sep)[-2:] == ['ann', 'around']", 2),
            cell("keys", "import torch\nnet = torch.nn.Linear(1, 1)\nnet.load_state_dict(net.state_dict())", 2),
            cell("script", "import subprocess\nassert subprocess.run(['./run.sh'], capture_output=True).stdout == b'ran\\n'", 2),
        ],
    },
    "loud": {"loud": [answer("third", "def third(x):\n    return x / 3"),
                      cell("share", "float(sum(third(k) == k / 3 for k in range(1, 5)))", 4),
                      cell("whole", "assert third(3) == 1", 1), cell("again", "float(third(6) == 2)", 1)]},
}  # fmt: skip
FILES = {"around": {"data.txt": "data", "run.sh": "#!/bin/sh\necho ran\n"}}
LOUD = {
    "honest": "def third(x):\n    return 0",
    "prints": "def third(x):\n    if x == 1: print('x' * 11_000_000)\n    return 0",
    "right": "def third(x):\n    if x == 1: print('x' * 11_000_000)\n    return x / 3",
}

SCORES = Mapping[str, Mapping[str, float | None]]


def run(folder: Path, environment: Mapping[str, str], *command: str, code: int = 0) -> str:
    here = str(Path(sys.executable).parent)
    variables = {**environment, "PATH": f"{here}{os.pathsep}{environment['PATH']}"}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def scores(course: Path, assignment: str) -> SCORES:
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        return {
            one.student.id: {grade.name: grade.auto_score for notebook in one.notebooks for grade in notebook.grades}
            for one in book.assignment_submissions(assignment)
        }


def hand_in(course: Path, assignment: str, student: str, given: str = "") -> None:
    folder = course / "submitted" / student / assignment
    folder.mkdir(parents=True)
    for path in (course / "release" / assignment).iterdir():
        if path.suffix != ".ipynb":
            (folder / path.name).write_bytes(path.read_bytes())
            continue
        notebook = nbformat.read(path, 4)
        for one in notebook.cells:
            if given and one.metadata.get("nbgrader", {}).get("solution"):
                one.source = given
        nbformat.write(notebook, folder / path.name)


def new_course(folder: Path, environment: Mapping[str, str], notebooks: Mapping[str, Any], config: str) -> Path:
    """A course with these assignments released."""
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text(config)
    for assignment, books in notebooks.items():
        source = folder / "source" / assignment
        source.mkdir(parents=True)
        for name, cells in books.items():
            nbformat.write(nbformat.v4.new_notebook(cells=cells), source / f"{name}.ipynb")
        for name, text in FILES.get(assignment, {}).items():
            (source / name).write_text(text)
            (source / name).chmod(0o755)
        run(folder, environment, "nbgrader", "generate_assignment", assignment)
    return folder


@pytest.fixture(scope="module")
def courses(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> tuple[Path, Path, str]:
    """The same course graded by plain nbgrader and by `grader autograde`, and what the latter said."""
    folder = tmp_path_factory.mktemp("surroundings")
    theirs = new_course(folder / "theirs", environment, NOTEBOOKS, CONFIG)
    hand_in(theirs, "around", "ann")
    for student, given in LOUD.items():
        hand_in(theirs, "loud", student, given)
    run(folder, environment, "cp", "-r", "theirs", "ours")
    said = ""
    for assignment in NOTEBOOKS:
        run(theirs, environment, "nbgrader", "autograde", assignment)
        said += run(folder / "ours", environment, sys.executable, "-m", "grader", "autograde", assignment)
    return theirs, folder / "ours", said


@pytest.mark.slow
def test_what_nbgrader_has_around_a_notebook_is_there(courses: tuple[Path, Path, str]) -> None:
    theirs, ours, said = courses
    expected = scores(theirs, "around")
    assert all(points for points in expected["ann"].values()), expected
    assert scores(ours, "around") == expected
    assert f"the variable COURSE_DATA names {DATA}, which is not there" in said
    assert "Kernels do not get COURSE_TOKEN of the configuration, which may be secret" in said


@pytest.mark.slow
def test_no_amount_of_output_earns_points(courses: tuple[Path, Path, str]) -> None:
    theirs, ours, said = courses
    expected = scores(theirs, "loud")
    assert expected["prints"] == {"share": 0.0, "whole": 0.0, "again": 0.0}
    assert scores(ours, "loud") == expected
    assert "The notebook shows more than 10485760 characters" in said


FLOODS = {
    "values": "import sys\ndef third(x):\n    for k in range(50): sys.displayhook(1.0)\n    return 0",
    "displays": "from IPython.display import display\ndef third(x):\n    for k in range(200): display(k)\n    return 0",
}
LACKS = [
    answer("mine", "import os"),
    cell("names", "assert open('HERE/data.txt').readable()", 1),
    cell("network", "import socket\nsocket.create_connection(('192.0.2.1', 80), 5)", 1),
    cell("fine", "assert True", 1),
    cell("wrong", "assert False", 1),
]
WRONG_FIRST = [answer("mine", "import os"), cell("wrong", "assert False", 1), cell("none", "open('nowhere.txt')", 1)]


@pytest.mark.slow
def test_what_cannot_be_there_costs_no_point_and_is_told_before(tmp_path: Path, environment: dict[str, str]) -> None:
    """With nbgrader's own command. What was flooded with outputs is left to a person too."""
    one = [answer("third", "x = 1"), cell("share", "float(third(1) > 0)", 4), cell("show", "third(1)", 1)]
    (tmp_path / "data.txt").touch()
    for entry in LACKS:
        entry.source = entry.source.replace("HERE", str(tmp_path))
    books = {"lacks": {"lacks": LACKS}, "first": {"first": WRONG_FIRST}, "floods": {"floods": one}}
    course = new_course(tmp_path / "course", environment, books, CONFIG + OURS)
    hand_in(course, "lacks", "ann")
    hand_in(course, "first", "ann")
    for student, given in FLOODS.items():
        hand_in(course, "floods", student, given.replace("range(200)", "range(600)"))
    said = "".join(run(course, environment, "nbgrader", "autograde", assignment) for assignment in books)
    assert scores(course, "lacks")["ann"] == {"names": None, "network": None, "fine": 1.0, "wrong": None}
    assert scores(course, "first")["ann"] == {"wrong": 0.0, "none": 0.0}
    found = scores(course, "floods")
    assert found["displays"] == {"share": 0.0, "show": 0.0}
    assert found["values"] == {"share": None, "show": None}
    foreseen = said.index(f"cell `lacks/names` names {tmp_path}/data.txt, which is not there")
    assert foreseen < said.index("Cell 'names' is left to a person")
    assert "Cell 'network' is left to a person: in the kernel, which is shut in, there is no network" in said
    assert "Cell 'wrong' is left to a person: an earlier cell failed for this reason" in said


@pytest.mark.slow
def test_submissions_that_cannot_be_read_have_their_rows(tmp_path: Path, environment: dict[str, str]) -> None:
    """As with nbgrader, which makes one before it fails; one without any notebook has one, too."""
    books = {"ps": {"p1": [answer("mine", "x = 1"), cell("test", "assert x == 1", 1)]}}
    theirs = new_course(tmp_path / "theirs", environment, books, "c = get_config()\n")
    for student in ("bom", "broken", "good", "old", "renamed", "text", "wide"):
        hand_in(theirs, "ps", student, "x = 1")
    submitted = theirs / "submitted"

    def path(student: str) -> Path:
        return submitted / student / "ps/p1.ipynb"

    good = path("good").read_text()
    path("broken").write_text(good[: len(good) // 2])
    path("text").write_bytes(b"\xff\xfe\xfd")
    path("old").write_text(json.dumps({"worksheets": [], "metadata": {}, "nbformat": 2, "nbformat_minor": 0}))
    path("bom").write_text(good, encoding="utf-8-sig")
    path("wide").write_text(good, encoding="utf-16")
    path("renamed").rename(submitted / "renamed/ps/p1 (1).ipynb")
    (submitted / "empty/ps").mkdir(parents=True)
    (submitted / "empty/ps/timestamp.txt").write_text("2026-01-02 03:04:05 UTC")
    run(tmp_path, environment, "cp", "-r", "theirs", "ours")
    for student in ("broken", "text"):
        run(theirs, environment, "nbgrader", "autograde", "ps", "--student", student, code=1)
    ours = tmp_path / "ours"
    said = run(ours, environment, sys.executable, "-m", "grader", "autograde", "ps", code=1)

    def rows(course: Path) -> dict[str, tuple[float | None, bool, str]]:
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
            return {
                one.student.id: (grade.auto_score, grade.needs_manual_grade, str(one.timestamp))
                for one in book.assignment_submissions("ps")
                for notebook in one.notebooks
                for grade in notebook.grades
            }

    found, expected = rows(ours), rows(theirs)
    left, done = (None, True, "None"), (1.0, False, "None")
    assert expected == {"broken": left, "text": left}
    assert found == {
        "bom": done, "broken": left, "empty": (None, True, "2026-01-02 03:04:05"), "good": done, "old": left,
        "renamed": left, "text": left, "wide": done,
    }  # fmt: skip
    assert "renamed: failed: p1.ipynb is not there, but p1 (1).ipynb: rename it" in said
    # What was graded once and cannot be read now is not left with the points of what was handed in before.
    (ours / "submitted/good/ps/p1.ipynb").write_text("{")
    run(ours, environment, sys.executable, "-m", "grader", "autograde", "ps", "--student", "good", code=1)
    assert rows(ours)["good"] == left


# ---------------------------------------------------------------- in one process


def test_variables_of_a_configuration_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(os.environ)
    for name, value in {"COURSE": "1", "PATH": "/x", "JUPYTER_X": "1", "API_KEY": "1", "KEYBOARD": "us"}.items():
        monkeypatch.setenv(name, value)
    found = kernel_differences.set_since(before)
    assert found == {"COURSE": "1", "API_KEY": "1", "KEYBOARD": "us"}
    urls = {"DB": "postgresql://me:pw@host/db", "SITE": "https://host/x"}
    variables, secrets = kernel_differences.given({}, found | urls)
    assert (variables, secrets) == ({"COURSE": "1", "KEYBOARD": "us", "SITE": "https://host/x"}, ["API_KEY", "DB"])
    asked = {"Manager": {"variables": {"API_KEY": "for all"}}}
    assert kernel_differences.given(asked, found) == ({"COURSE": "1", "KEYBOARD": "us", "API_KEY": "for all"}, [])


@pytest.mark.parametrize(
    ("name", "said", "lacks"),
    [
        ("FileNotFoundError", f"[Errno 2] No such file or directory: '{DATA}'", f"{DATA} is not there"),
        ("FileNotFoundError", "[Errno 2] No such file or directory: '/nowhere/x'", ""),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'mine.txt'", ""),
        ("FileNotFoundError", "[Errno 2] No such file or directory: '../beside.txt'", "../beside.txt is not there"),
        ("PermissionError", "[Errno 13] Permission denied: 'mine.txt'", ""),
        ("PermissionError", "[Errno 13] Permission denied: '/usr/x'", "/usr/x is out of reach"),
        ("PermissionError", "[Errno 1] Operation not permitted", "what it does is not permitted"),
        ("gaierror", "[Errno -3] Temporary failure in name resolution", "there is no network"),
        ("OSError", "[Errno 101] Network is unreachable", "there is no network"),
        ("ConnectionRefusedError", "[Errno 111] Connection refused", ""),
        ("KeyError", "'ONLY_OURS'", "the variable ONLY_OURS is not set"),
        ("KeyError", "'COURSE'", ""),
        ("KeyError", "'x'", ""),
        ("ModuleNotFoundError", "No module named 'grader'", "the module grader is not there"),
        ("ModuleNotFoundError", "No module named 'nowhere_to_be_found'", ""),
        ("AssertionError", "it is wrong", ""),
    ],
)
def test_an_error_for_want_of_something_is_known(
    name: str, said: str, lacks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONLY_OURS", "1")
    home, place = tmp_path / "home/ann/ps", tmp_path / "place/ann/ps"
    home.mkdir(parents=True)
    (home.parent / "beside.txt").touch()
    output = {"ename": name, "evalue": said, "traceback": []}
    assert kernel_differences.lacking(output, {"COURSE": "1"}, place, home) == lacks


def test_what_teaching_says_of_other_kernels_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are here and are another program are refused; names that nobody knows are this Python's."""
    other = tmp_path / "env/bin/python3"
    other.parent.mkdir(parents=True)
    other.symlink_to(Path(sys.executable).resolve())  # the same interpreter, another environment
    for name, program, language in (
        ("env", str(other), "python"), ("irkernel", "/bin/sh", "R"), ("same", sys.executable, "python"), ("plain", "python3", "python"),
    ):  # fmt: skip
        folder = tmp_path / "jupyter/kernels" / name
        folder.mkdir(parents=True)
        spec = {
            "argv": [program, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": name,
            "language": language,
        }
        (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))

    def book(name: str, language: str = "python") -> Any:
        return nbformat.v4.new_notebook(
            metadata={"kernelspec": {"name": name, "display_name": name, "language": language}}
        )

    for name in ("python3", "same", "plain", "conda-of-a-student"):
        must_be_python(book(name))
    for name, language in (("env", "python"), ("irkernel", "R"), ("julia-1.9", "julia")):
        with pytest.raises(InputError, match=name):
            must_be_python(book(name, language))


def test_progress_is_seen_in_a_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(teachers, "SECONDS_BETWEEN", 0.0)
    for quiet in (False, True):
        with teachers._progress(3, quiet=quiet) as advance:
            for name in ("a", "b", "c"):
                advance(name, {"state": "graded", "score": 1.0, "max_score": 2.0, "needs_manual_grade": False})
        seen = capsys.readouterr()
        assert [line.partition(",")[0] for line in seen.err.splitlines()] == [
            "grader: 1 of 3 graded",
            "grader: 2 of 3 graded",
        ]
        assert seen.out == ("" if quiet else "a: 1 of 2\nb: 1 of 2\nc: 1 of 2\n")
