"""`grader autograde` beside `nbgrader autograde`, on nbgrader's own notebooks; and what must not stop a class."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest

from grader.errors import InputError
from grader.nbgrader.batch.journal import Journal, JournalEntry, digest_of
from tests.support.common import PATHS

spec = importlib.util.find_spec("nbgrader")
assert spec
assert spec.origin
NBGRADER = Path(spec.origin).parent
FILES = NBGRADER / "tests/apps/files"
MORE = NBGRADER / "tests/preprocessors/files"
ASSIGNMENTS = {
    "ps1": (
        FILES / "submitted-unchanged.ipynb",
        {
            "changed": FILES / "submitted-changed.ipynb",
            "unchanged": FILES / "submitted-unchanged.ipynb",
            "cheat": FILES / "submitted-cheat-attempt.ipynb",
            "cheat2": FILES / "submitted-cheat-attempt-alternative.ipynb",
            "grade-cell": FILES / "submitted-grade-cell-changed.ipynb",
            "locked-cell": FILES / "submitted-locked-cell-changed.ipynb",
            "answer-type": MORE / "submitted-answer-cell-type-changed.ipynb",
            "grade-type": MORE / "submitted-grade-cell-type-changed.ipynb",
            "another": FILES / "test.ipynb",
        },
    ),
    "effects": (FILES / "side-effects.ipynb", {"one": FILES / "side-effects.ipynb"}),
    "hidden": (
        FILES / "test-hidden-tests.ipynb",
        {"one": FILES / "test-hidden-tests.ipynb", "loop": FILES / "infinite-loop.ipynb"},
    ),
}
"""The source of each assignment, and what students hand in: of nbgrader's own tests."""

THEIRS = """
import json, sys
from nbgrader.apps import AutogradeApp

for assignment, student in json.loads(sys.argv[1]):
    AutogradeApp.clear_instance()
    app = AutogradeApp.instance()
    app.initialize([assignment, "--student", student])
    try:
        app.start()
    except SystemExit:
        pass
"""
"""`nbgrader autograde ASSIGNMENT --student STUDENT` for many, in one process, which has to import nbgrader once."""

EXCEPTIONS = {
    (
        "ps1",
        "another",
    ): "a notebook of another assignment: nbgrader fails, and we grade those of its cells that are known",
}
"""Where nbgrader gives up on a submission and we do not, with the reason. The scores are equal here too."""

Scores = dict[str, dict[str, float | None]]


@pytest.fixture(scope="module")
def variables(environment: dict[str, str]) -> dict[str, str]:
    here = str(Path(sys.executable).parent)
    return {
        **environment,
        "PATH": f"{here}{os.pathsep}{environment['PATH']}",
        "PYTHONPATH": PATHS,
        "GRADER_WARM_IDLE": "60",
    }


def run(*command: str | Path, cwd: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), cwd=cwd, env=dict(variables), capture_output=True, text=True, timeout=300, check=False
    )


def autograde(*options: str, cwd: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "grader", "autograde", *options, cwd=cwd, variables=variables)


def scores(course: Path, assignment: str) -> Scores:
    """What is in the gradebook: the automatic score of each cell of each student."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        return {
            submission.student.id: {
                f"{notebook.name}/{grade.name}": grade.auto_score
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in gradebook.assignment_submissions(assignment)
        }


def extend(assignment: str, student: str, course: Path) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        gradebook.grant_extension(assignment, student, days=2)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory, variables: dict[str, str]) -> Path:
    """A course with nbgrader's example and assignments made of its test notebooks; nothing is graded yet."""
    course = tmp_path_factory.mktemp("released")
    guide = NBGRADER / "docs/source/user_guide"
    shutil.copytree(guide / "source/ps1", course / "source/example")
    for student in (guide / "submitted").iterdir():
        shutil.copytree(student / "ps1", course / "submitted" / student.name / "example")
    for name, (source, handed_in) in ASSIGNMENTS.items():
        (course / "source" / name).mkdir()
        shutil.copy(source, course / "source" / name / "p1.ipynb")
        for student, path in handed_in.items():
            folder = course / "submitted" / student / name
            folder.mkdir(parents=True)
            shutil.copy(path, folder / "p1.ipynb")
    (course / "nbgrader_config.py").write_text(
        "c = get_config()\nc.ExecutePreprocessor.timeout = 4\nc.Execute.timeout = 4\n"
    )
    for name in (*ASSIGNMENTS, "example"):
        done = run("nbgrader", "generate_assignment", name, cwd=course, variables=variables)
        assert done.returncode == 0, done.stderr
    return course


@pytest.fixture
def course(released: Path, tmp_path: Path) -> Path:
    shutil.copytree(released, tmp_path / "course")
    return tmp_path / "course"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_scores_are_those_of_nbgrader(released: Path, tmp_path: Path, variables: dict[str, str]) -> None:
    """Cell by cell, on nbgrader's example course and on the notebooks of its own tests."""
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    shutil.copytree(released, theirs)
    shutil.copytree(released, ours)
    # With one student at a time nothing that goes wrong for one can be in the way of another.
    handed_in = [(path.name, path.parent.name) for path in sorted(theirs.glob("submitted/*/*"))]
    done = run(sys.executable, "-c", THEIRS, json.dumps(handed_in), cwd=theirs, variables=variables)
    assert done.returncode == 0, done.stderr
    for name in (*ASSIGNMENTS, "example"):
        done = autograde(name, "--json", cwd=ours, variables=variables)
        assert done.returncode in (0, 1), done.stderr
        reports = json.loads(done.stdout)["graded"]
        expected = scores(theirs, name)
        assert scores(ours, name) == expected
        failed = {student for student, report in reports.items() if report["state"] == "failed"}
        for student, report in reports.items():
            autograded = ours / "autograded" / student / name
            also = (name, student) in EXCEPTIONS
            assert autograded.exists() == ((theirs / "autograded" / student / name).exists() or also), student
            assert autograded.exists() != (student in failed), student
            if student not in failed:
                assert {cell: score for cell, (score, _) in report["cells"].items()} == expected[student]
    assert scores(ours, "ps1")["changed"] != scores(ours, "ps1")["unchanged"]


ANSWERS = {
    "right": {"third-epoch-rate": 'answer_third_epoch_rate = "A"', "write-the-factor": "def factor(epoch):\n    return min((epoch + 1) / warmup_epochs, 1)"},
    "late": {"third-epoch-rate": 'answer_third_epoch_rate = "B"', "write-the-factor": "def factor(epoch):\n    return min(epoch / warmup_epochs, 1)"},
    "no-cap": {"third-epoch-rate": "answer_third_epoch_rate = 0.06", "write-the-factor": "def factor(epoch):\n    return (epoch + 1) / warmup_epochs"},
    "hostile": {"third-epoch-rate": "import os\nos._exit(0)", "write-the-factor": "import os\nos._exit(0)"},
    "forged": {"third-epoch-rate": "1.0", "write-the-factor": "class Always:\n    __eq__ = lambda *_: True\nfactor = Always()"},
    "empty": {},
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_our_items_are_judged_as_by_nbgrader_with_our_steps(tmp_path: Path, variables: dict[str, str]) -> None:
    """An assignment of items: right, each mistake, hostile, forged, empty; twice the same grades."""
    first = tmp_path / "theirs"
    first.mkdir()
    (first / "nbgrader_config.py").write_text("c = get_config()\nfrom grader.course import configure\nconfigure(c)\n")
    items = ",".join(ANSWERS["right"])
    made = run(sys.executable, "-m", "grader", "notebook", "warmup", "--assignment", "--items", items, "-o", "source/ps1",
               cwd=first, variables=variables)  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert run("nbgrader", "generate_assignment", "ps1", cwd=first, variables=variables).returncode == 0
    (release,) = (first / "release/ps1").glob("*.ipynb")
    for student, given in ANSWERS.items():
        notebook = nbformat.read(release, 4)
        for item, source in given.items():
            solutions = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")]
            (cell,) = [one for one in solutions if item in one.metadata.nbgrader.grade_id]
            cell.source = source
        folder = first / "submitted" / student / "ps1"
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / release.name)
    second = tmp_path / "ours"
    shutil.copytree(first, second)
    handed_in = [("ps1", student) for student in ANSWERS]
    done = run(sys.executable, "-c", THEIRS, json.dumps(handed_in), cwd=first, variables=variables)
    assert done.returncode == 0, done.stderr
    (second / "nbgrader_config.py").unlink()  # our steps are taken without it as well
    done = autograde("ps1", "--json", cwd=second, variables=variables)
    assert done.returncode == 0, done.stderr + done.stdout
    found = scores(second, "ps1")
    assert found == scores(first, "ps1")
    points = {student: [cells[name] for name in sorted(cells)] for student, cells in found.items()}
    assert points["right"] == [1.0, 1.0]
    assert points["late"][0] == 0.0
    assert points["no-cap"][0] == 1.0
    assert not any(points["hostile"] + points["forged"])
    assert points["empty"] == [0.0, 0.0]
    (page,) = (second / "autograded/late/ps1").glob("*.ipynb")
    said = " ".join(
        "".join(output.get("data", {}).get("text/plain", ""))
        for cell in nbformat.read(page, 4).cells
        for output in cell.get("outputs", [])
    )
    assert "epoch + 1" in said


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_one_bad_submission_does_not_stop_the_rest(course: Path, variables: dict[str, str]) -> None:
    """Broken JSON, a duplicated cell, a folder in place of a notebook, a name with odd characters; each is told."""
    good = (FILES / "submitted-changed.ipynb").read_text()
    shutil.rmtree(course / "submitted")
    notebook = nbformat.reads(good, 4)
    graded = next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade"))
    notebook.cells.append(nbformat.from_dict({**graded, "metadata": {"nbgrader": {**graded.metadata.nbgrader}}}))
    students = {
        "aa-broken": good[: len(good) // 2],
        "ab-twice": nbformat.writes(notebook),
        "ac-old": (FILES / "test-v0.ipynb").read_text(),
        "b [odd] name": good,
        "zz-good": good,
    }
    for name, text in students.items():
        (course / "submitted" / name / "ps1").mkdir(parents=True)
        (course / "submitted" / name / "ps1/p1.ipynb").write_text(text)
    done = autograde("ps1", cwd=course, variables=variables)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    lines = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line and not line.startswith(" "))
    assert lines["aa-broken"].startswith("failed: p1.ipynb is not a notebook")
    assert "of" in lines["zz-good"]
    assert lines["b [odd] name"] == lines["zz-good"]
    found = scores(course, "ps1")
    assert any(found["zz-good"].values())
    assert found["b [odd] name"] == found["zz-good"]
    assert found["ab-twice"] == found["zz-good"] or lines["ab-twice"].startswith("failed: ")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_only_what_changed_is_graded_again(course: Path, variables: dict[str, str]) -> None:
    before = autograde("ps1", "--dry-run", cwd=course, variables=variables).stdout
    assert before.splitlines()[-1] == "9 of 9 submissions would be graded."
    assert not (course / "autograded").exists()
    options = ("ps1", "--student", "changed", "--student", "unchanged")
    assert autograde(*options, cwd=course, variables=variables).returncode == 0
    assert "0 graded, 2 unchanged" in autograde(*options, cwd=course, variables=variables).stdout
    path = course / "submitted/changed/ps1/p1.ipynb"
    path.write_text((FILES / "submitted-unchanged.ipynb").read_text())
    planned = autograde(*options, "--dry-run", cwd=course, variables=variables).stdout
    assert planned.splitlines()[0] == "changed: it has changed, or what it is graded with"
    assert "1 graded, 1 unchanged" in autograde(*options, cwd=course, variables=variables).stdout
    assert scores(course, "ps1")["changed"] == scores(course, "ps1")["unchanged"]
    extend("ps1", "changed", course)
    shutil.rmtree(course / "autograded/unchanged")
    planned = autograde(*options, "--dry-run", cwd=course, variables=variables).stdout
    assert planned.splitlines()[:2] == [
        "changed: it has changed, or what it is graded with",
        "unchanged: its result is gone",
    ]


@pytest.mark.slow
def test_a_class_is_graded_again_with_another_configuration_or_due_date(
    course: Path, variables: dict[str, str]
) -> None:
    look = (
        "from pathlib import Path; from grader.nbgrader.batch.course_folder import Course;"
        "course = Course(Path(), 'ps1'); print(course.digest(course.setup()));"
        "from datetime import datetime; from nbgrader.api import Gradebook; book = Gradebook('sqlite:///gradebook.db');"
        "book.find_assignment('ps1').duedate = datetime(2026, 1, 1); book.db.commit(); print(course.digest(course.setup()))"
    )
    first, due = run(sys.executable, "-c", look, cwd=course, variables=variables).stdout.split()
    again, _ = run(sys.executable, "-c", look, cwd=course, variables=variables).stdout.split()
    with (course / "nbgrader_config.py").open("a") as file:
        file.write("c.Execute.timeout = 29\n")
    other, _ = run(sys.executable, "-c", look, cwd=course, variables=variables).stdout.split()
    assert due == again
    assert len({first, due, other}) == 3


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_after_a_third_and_started_again(released: Path, tmp_path: Path, variables: dict[str, str]) -> None:
    """Each is graded once, by the journal of both runs, and the gradebook is that of a run without a kill."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    shutil.copytree(released, whole)
    shutil.copytree(released, cut)
    reports = json.loads(autograde("ps1", "--json", cwd=whole, variables=variables).stdout)["graded"]
    third = len(reports) // 3
    process = subprocess.Popen(
        [sys.executable, "-m", "grader", "autograde", "ps1"],
        cwd=cut,
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    journal = cut / ".grader/ps1.jsonl"  # a line has the word twice
    deadline = time.monotonic() + 250
    while not (journal.exists() and journal.read_text().count('"graded"') >= 2 * third):
        assert time.monotonic() < deadline
        assert process.poll() is None, "it was done before it could be killed"
        time.sleep(0.02)
    process.kill()
    process.wait()
    done_before = [line for line in map(json.loads, journal.read_text().splitlines()) if line["state"] == "graded"]
    again = autograde("ps1", "--json", cwd=cut, variables=variables)
    assert again.returncode in (0, 1), again.stderr
    graded = json.loads(again.stdout)["graded"]
    assert len(done_before) >= third
    assert not {entry["student"] for entry in done_before} & set(graded)
    lines = map(json.loads, filter(None, journal.read_text().splitlines()))
    ended = Counter(line["student"] for line in lines if line["state"] == "graded")
    assert ended == {student: 1 for student, report in reports.items() if report["state"] == "graded"}
    assert list((cut / ".grader").glob("unfinished")) == []
    assert scores(cut, "ps1") == scores(whole, "ps1")


def children(pid: int) -> list[int]:
    """The processes that a process has forked and that are the same program: not those of the sandbox."""
    name = Path(f"/proc/{pid}/cmdline").read_bytes()
    found = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return [child for child in found if Path(f"/proc/{child}/cmdline").read_bytes() == name]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_worker_that_is_killed_costs_a_retry(course: Path, variables: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "grader", "autograde", "ps1", "--json", "--jobs", "1"],
        cwd=course, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    journal = course / ".grader/ps1.jsonl"
    deadline = time.monotonic() + 120
    while not (journal.exists() and '"begun"' in journal.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    while not (converters := [pid for nursery in children(process.pid) for pid in children(nursery)]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(converters[0], signal.SIGKILL)
    out, _ = process.communicate(timeout=200)
    reports = json.loads(out)["graded"]
    assert len(reports) == 9
    assert not [name for name, report in reports.items() if "ended twice" in report.get("failure", "")]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ctrl_c_leaves_nothing_behind_and_what_a_person_gave_stays(course: Path, variables: dict[str, str]) -> None:
    from nbgrader.api import Gradebook

    process = subprocess.Popen(
        [sys.executable, "-m", "grader", "autograde", "ps1"],
        cwd=course, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (converters := [pid for nursery in children(process.pid) for pid in children(nursery)]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    while any(Path(f"/proc/{pid}").exists() for pid in converters):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert not (course / ".grader/unfinished").exists()
    assert autograde("ps1", "--student", "changed", cwd=course, variables=variables).returncode == 0

    url = f"sqlite:///{course / 'gradebook.db'}"
    with Gradebook(url) as gradebook:
        notebook = gradebook.find_submission_notebook("p1", "ps1", "changed")
        given = {grade.name: grade.auto_score for grade in notebook.grades}
        grade = next(grade for grade in notebook.grades if grade.auto_score is not None)
        name, grade.manual_score, grade.extra_credit = grade.name, 0.25, 0.5
        comment = next(iter(notebook.comments))
        comment.manual_comment = "well done"
        gradebook.db.commit()
    assert autograde("ps1", "--student", "changed", "--force", cwd=course, variables=variables).returncode == 0
    with Gradebook(url) as gradebook:
        notebook = gradebook.find_submission_notebook("p1", "ps1", "changed")
        assert {grade.name: grade.auto_score for grade in notebook.grades} == given
        grade = next(grade for grade in notebook.grades if grade.name == name)
        assert (grade.manual_score, grade.extra_credit, grade.needs_manual_grade) == (0.25, 0.5, True)
        assert "well done" in {comment.manual_comment for comment in notebook.comments}


def test_a_folder_that_is_no_course_stays_as_it_is(tmp_path: Path, variables: dict[str, str]) -> None:
    done = autograde("ps1", cwd=tmp_path, variables=variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("grader: there is no gradebook here")
    assert list(tmp_path.iterdir()) == []


def test_two_at_once_and_what_is_not_there(course: Path, variables: dict[str, str]) -> None:
    with Journal(course, "ps1").held():
        done = autograde("ps1", cwd=course, variables=variables)
    assert done.returncode == 2
    assert f"another `grader autograde` is at work in this course (process {os.getpid()})" in done.stderr
    for options, said in (
        (("nothing",), "no assignment `nothing`"),
        (("ps1", "--course", "elsewhere"), "no such folder"),
        (("ps1", "--student", "nobody"), "no submission of `nobody`"),
        (("a/b",), "not the name of an assignment"),
    ):
        done = autograde(*options, cwd=course, variables=variables)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        assert said in done.stderr
    (course / "nbgrader_config.py").write_text("this is no Python")
    done = autograde("ps1", cwd=course, variables=variables)
    assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stderr


def test_a_journal_outlives_a_line_that_was_cut_off(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "ps1")
    with journal.held():
        journal.write("a", JournalEntry("begun", "1", {}))
        journal.write("a", JournalEntry("graded", "1", {"score": 2.0}))
        with journal.path.open("a") as file:
            file.write('{"student": "b", "state": "gra')
        again = Journal(tmp_path, "ps1")
        assert set(again.entries) == {"a"}
        again.write("b", JournalEntry("begun", "2", {}))
    last = Journal(tmp_path, "ps1").entries
    assert (last["a"].state, last["b"].state) == ("graded", "begun")
    with Journal(tmp_path, "ps1").held(), pytest.raises(InputError), Journal(tmp_path, "ps1").held():
        pass


def test_a_digest_is_of_names_and_bytes(tmp_path: Path) -> None:
    def made(**files: str) -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
        return digest_of(folder)

    assert made(a="1", b="2") == made(b="2", a="1")
    assert len({made(a="1"), made(b="1"), made(a="2"), made(), made(a="1", b="")}) == 5
