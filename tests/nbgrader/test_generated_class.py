"""A generated class through `grader autograde`: each cell has what is due to it, and no attack has an effect.

With GRADER_CLASS=200 it is a class of 200; without, one of the more telling sorts each.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy
from distributed import Client
from nbgrader.api import Gradebook

from grader.model import Observation, Program
from grader.nbgrader import judge
from tests.support import classes
from tests.support.classes import LEFT, NAME, Class, Handed
from tests.support.common import EXERCISES, ROOT
from tests.support.patience import until

STUDENTS = int(os.environ.get("GRADER_CLASS", "24"))

JOBS = ("--jobs", "1") if STUDENTS < 100 else ()
"""Two classes are graded at a time; for a few students it does not pay to start more workers."""

pytestmark = [pytest.mark.long, pytest.mark.timeout(600 + 5 * STUDENTS)]


@dataclass(frozen=True)
class Graded:
    """A class, and what became of it."""

    made: Class
    reports: Mapping[str, Any]
    comments: Mapping[str, Mapping[str, str]]
    rows: Mapping[str, Mapping[str, tuple[float, float | None, float | None]]]
    """Of each student's cells in the gradebook: the automatic points, those by hand, and extra credit."""
    visitors: int
    """Connections to a port that the network of a submission must not reach."""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[Callable[[str], Graded]]:
    """Both classes, made and graded side by side."""
    folder = tmp_path_factory.mktemp("class")
    variables = {**environment, "GRADER_WARM_IDLE": "60"}
    with ThreadPoolExecutor(2) as threads:
        graded = {
            make.__name__: threads.submit(grade, make, folder / make.__name__, variables)
            for make in (classes.items, classes.ordinary)
        }
        yield lambda name: graded[name].result()


def grade(make: Callable[..., Class], folder: Path, variables: Mapping[str, str]) -> Graded:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        made = make(folder, STUDENTS, port=listener.getsockname()[1], environment=variables)
        done = subprocess.run(
            [sys.executable, "-m", "grader", "autograde", NAME, "--json", *JOBS],
            cwd=folder, env=dict(variables), capture_output=True, text=True, check=False, timeout=500 + 5 * STUDENTS,
        )  # fmt: skip
        assert done.returncode == 1, done.stderr  # for those that cannot be read
        visitors = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                listener.accept()[0].close()
                visitors += 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of SQLAlchemy, for nbgrader's models
        with Gradebook(f"sqlite:///{folder}/gradebook.db") as book:
            notebooks = {one.student.id: one for one in book.notebook_submissions(NAME, NAME)}
            comments = {
                student: {comment.name: comment.auto_comment or "" for comment in one.comments}
                for student, one in notebooks.items()
            }
            rows = {
                student: {
                    grade.name: (grade.auto_score or 0.0, grade.manual_score, grade.extra_credit)
                    for grade in one.grades
                }
                for student, one in notebooks.items()
            }
    return Graded(made, json.loads(done.stdout)["graded"], comments, rows, visitors)


def wrong(handed: Handed, graded: Graded) -> list[str]:
    """What is wrong with the result of one submission."""
    report = graded.reports[handed.student]
    if handed.failed or report["state"] == "failed":
        return [] if handed.failed == (report["state"] == "failed") else [str(report)]
    found = []
    cells = {name.partition("/")[2]: points for name, (points, _) in report["cells"].items()}
    if set(cells) != set(handed.cells):
        found.append(f"it has the cells {sorted(cells)}")
    for name, due in handed.cells.items():
        right = (
            (cells[name] is None and report["needs_manual_grade"])
            if due is LEFT
            else (cells[name] or 0.0) == pytest.approx(due)
        )
        if not right and not (name in handed.forged and cells[name] == handed.forged[name]):
            found.append(f"{name} has {cells[name]} points, due are {due}")
    if handed.loots and list(graded.made.loot.glob(f"{handed.sort}-{handed.student}")):
        found.append("it got out of its bounds")
    return found


def wrong_sorts(graded: Graded) -> dict[str, list[str]]:
    """What is wrong, by sort."""
    found: dict[str, list[str]] = {}
    for handed in graded.made.handed:
        if said := wrong(handed, graded):
            found.setdefault(handed.sort, []).extend(f"{handed.student}: {text}" for text in said)
    return found


# ---------------------------------------------------------------- items of the bank


def test_every_cell_of_items_has_what_it_is_due(both: Callable[[str], Graded]) -> None:
    graded = both("items")
    assert set(graded.reports) == {handed.student for handed in graded.made.handed}
    assert wrong_sorts(graded) == {}
    given = [points for handed in graded.made.handed for points in handed.cells.values()]
    assert {points == classes.POINTS for points in given} == {True, False}
    assert LEFT in given


def test_no_attack_on_items_has_an_effect(both: Callable[[str], Graded]) -> None:
    graded = both("items")
    attacks = [handed for handed in graded.made.handed if handed.sort.startswith("hostile")]
    assert {handed.sort for handed in attacks} == {f"hostile {name}" for name in classes.HOSTILE_CODE}
    assert list(graded.made.loot.iterdir()) == []
    assert graded.visitors == 0
    for handed in graded.made.handed:
        for name, (points, by_hand, extra) in graded.rows.get(handed.student, {}).items():
            assert (by_hand, extra) == (None, None)
            assert points == pytest.approx(handed.cells.get(name) or 0.0)


def test_attacks_and_broken_cells_are_reported_as_what_they_are(both: Callable[[str], Graded]) -> None:
    graded = both("items")
    seen = 0
    for handed in graded.made.handed:
        for item, pattern in handed.says.items():
            said = graded.comments[handed.student][f"answer-{item}"]
            assert re.search(pattern or r"the rate is .*it should be|ended its own process", said), (
                handed.sort,
                item,
                said,
            )
            seen += 1
        if handed.failed:
            assert graded.reports[handed.student]["failure"], handed.sort
    assert seen >= len(classes.HOSTILE_CODE)


# ---------------------------------------------------------------- ordinary notebooks


def test_every_cell_of_ordinary_notebooks_has_what_it_is_due(both: Callable[[str], Graded]) -> None:
    """What a sandbox can prevent is prevented; forged tests are counted as what any kernel gives for them."""
    graded = both("ordinary")
    assert set(graded.reports) == {handed.student for handed in graded.made.handed}
    assert wrong_sorts(graded) == {}


def test_no_attack_in_ordinary_notebooks_reaches_others(both: Callable[[str], Graded]) -> None:
    graded = both("ordinary")
    changed = {
        handed.student: cells
        for handed in graded.made.handed
        if (cells := [row for row in graded.rows.get(handed.student, {}).values() if row[1:] != (None, None)])
    }
    assert changed == {}
    assert graded.visitors == 0
    assert list(graded.made.loot.iterdir()) == []


def test_a_class_is_the_same_for_the_same_seed(tmp_path: Path, both: Callable[[str], Graded]) -> None:
    made = both("items").made
    sorts = classes._sorts_of_items(classes.Traps(made.folder, made.loot, 9))
    traps = [classes.Traps(tmp_path / str(turn), made.loot, 9) for turn in range(3)]
    for turn in traps:
        release = turn.course / "release" / NAME
        release.mkdir(parents=True)
        (release / f"{NAME}.ipynb").write_text((made.folder / "release" / NAME / f"{NAME}.ipynb").read_text())
    sorts = [sort for sort in sorts if sort.name not in classes.ONCE]
    first, again, other = (classes._hand_in(turn, sorts, 60, seed) for turn, seed in zip(traps, (1, 1, 2), strict=True))

    def texts(one: Class) -> dict[str, bytes]:
        submitted = one.folder / "submitted"
        return {
            str(path.relative_to(submitted)): path.read_bytes().replace(str(one.folder).encode(), b"")
            for path in submitted.rglob("*.ipynb")
        }

    assert len(texts(first)) == 60
    assert texts(first) == texts(again)
    assert texts(first) != texts(other)


# ---------------------------------------------------------------- programs that are alike

PECULIAR = """\
def factor(epoch):
    # walks up the ladder rung by rung, in a way that nobody needs
    rungs = [rung for rung in range(1, warmup_epochs + 1)]
    highest = 0
    for rung in rungs:
        if rung <= epoch + 1:
            highest = max(highest, rung)
    share = highest / len(rungs)
    return share if share < 1 else 1.0
"""


def test_equal_programs_are_run_once_and_errors_name_what_their_author_wrote() -> None:
    judging = judge.of_bank(ROOT)
    submitted = []
    submit = judging.runner.submit

    def counted(program: Program, by: str | None = None) -> Future[Observation]:
        submitted.append(program)
        return submit(program, by)

    item = judging._items["write-the-factor"]
    judging.grade(item, 0, "def factor(epoch):\n    return 1")  # the item is proven now
    with patch.object(judging.runner, "submit", counted):
        first = judging.grade(item, 0, PECULIAR)
        ran = len(submitted)
        assert ran >= 2
        again = [
            judging.grade(item, 0, PECULIAR.replace("rungs", name).replace("# walks", "# goes")) for name in ("a", "b")
        ]
        assert len(submitted) == ran
        assert [one.score for one in again] == [first.score] * 2
        assert [one.response for one in again] != [first.response] * 2
        raising = [
            judging.grade(item, 0, f"def factor(epoch):\n    {name} = 2\n    return {name}.rate")
            for name in ("x", "yy")
        ]
    assert [
        f"`return {name}.rate`" in " ".join(one.score.details) for name, one in zip(("x", "yy"), raising, strict=True)
    ] == [True, True]


def test_similar_answers_are_listed_as_a_hint(
    both: Callable[[str], Graded], tmp_path: Path, environment: dict[str, str]
) -> None:
    course = tmp_path / "course"
    shutil.copytree(both("items").made.folder, course)
    release = json.loads((course / f"release/{NAME}/{NAME}.ipynb").read_text())
    for student, name in (("twin-a", "rungs"), ("twin-b", "steps_up")):
        for cell in release["cells"]:
            if classes.grade_id(cell) == "answer-write-the-factor":
                cell["source"] = PECULIAR.replace("rungs", name)
        (course / f"submitted/{student}/{NAME}").mkdir(parents=True)
        (course / f"submitted/{student}/{NAME}/{NAME}.ipynb").write_text(json.dumps(release))
    done = subprocess.run(
        [sys.executable, "-m", "grader", "autograde", NAME, "--similar", "--json", "--student", "twin-a", "--student", "twin-b"],
        cwd=course, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {report["cells"][f"{NAME}/write-the-factor"][0] for report in found["graded"].values()} == {classes.POINTS}
    assert [one["students"] for one in found["similar"]] == [["twin-a", "twin-b"]]
    (item,) = found["similar"][0]["items"]
    assert (item["item"], item["equal"]) == ("answer-write-the-factor", True)


# ---------------------------------------------------------------- beyond one machine


@dataclass
class Cluster:
    """A scheduler and two workers, each a process of its own."""

    url: str
    workers: list[subprocess.Popen[bytes]]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    found = folder / "scheduler.json"
    variables = environment
    options = ("--scheduler-file", str(found), "--no-dashboard")

    def start(name: str, *more: str) -> subprocess.Popen[bytes]:
        with (folder / f"{name}.log").open("wb") as log:
            command = [sys.executable, "-m", f"distributed.cli.dask_{name}", *options, *more]
            return subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log)

    scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0")
    until(found.exists, (folder / "scheduler.log").read_text)
    workers = [start("worker", "--nthreads", "1", "--no-nanny", "--nworkers", "1") for _ in range(2)]
    address = json.loads(found.read_text())["address"].replace("tcp://", "dask://")
    with Client(address.replace("dask://", "tcp://"), set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
    yield Cluster(address, workers)
    for process in (*workers, scheduler):
        process.kill()
        process.wait()


def contents(url: str) -> dict[str, dict[str, tuple[object, ...]]]:
    """What grading has put into a gradebook: for each student the points of cells, and the comments."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of SQLAlchemy, for nbgrader's models
        with Gradebook(url, "pytorch") as book:
            return {
                one.student.id: {
                    **{grade.name: (grade.auto_score, grade.needs_manual_grade) for grade in one.grades},
                    **{f"on {comment.name}": (comment.auto_comment,) for comment in one.comments},
                }
                for one in book.notebook_submissions(NAME, NAME)
            }


def test_on_a_cluster_with_a_gradebook_in_postgresql_all_is_the_same_and_a_killed_worker_changes_nothing(
    both: Callable[[str], Graded], cluster: Cluster, server: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    here = both("items").made.folder
    there = tmp_path / "course"
    shutil.copytree(here / "source", there / "source")
    (there / "submitted").mkdir()
    for path in sorted((here / "submitted").iterdir())[::2]:
        shutil.copytree(path, there / "submitted" / path.name)
    engine = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("CREATE DATABASE course"))  # the tests of records have the other one
    engine.dispose()
    gradebook = server.replace("/postgres?", "/course?")
    (there / "nbgrader_config.py").write_text(
        f'c = get_config()\nc.CourseDirectory.course_id = "pytorch"\nc.CourseDirectory.db_url = "{gradebook}"\n'
        "from grader.course import configure\nconfigure(c)\n"
    )
    classes._run(classes._RELEASE, there, environment)
    variables = environment
    command = [sys.executable, "-m", "grader", "autograde", NAME, "--json", "--on", cluster.url]
    process = subprocess.Popen(
        command, cwd=there, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    journal = there / f".grader/{NAME}.jsonl"

    def three_are_graded() -> bool:
        assert process.poll() is None, process.communicate()
        return journal.exists() and journal.read_text().count('"graded"') >= 3

    until(three_are_graded, "three graded")
    cluster.workers[0].kill()
    out, err = process.communicate(timeout=300)
    reports = json.loads(out)["graded"]
    states = {student: report["state"] for student, report in reports.items()}
    handed_in = [path.name for path in (there / "submitted").iterdir()]
    failed = [report for report in reports.values() if report["state"] == "failed"]
    assert states == {student: both("items").reports[student]["state"] for student in handed_in}, (
        failed[:2],
        err[-2000:],
    )
    assert process.returncode == int("failed" in states.values()), err
    known = contents(f"sqlite:///{here}/gradebook.db")
    assert contents(gradebook) == {student: known[student] for student in reports if student in known}
    for student, report in reports.items():
        if report["state"] == "graded":
            path = Path("autograded", student, NAME, f"{NAME}.ipynb")
            assert (there / path).read_bytes() == (here / path).read_bytes(), path
    # What is proven there is what is proven here.
    (tmp_path / "quiz.yaml").write_text(EXERCISES)
    done = subprocess.run(
        [sys.executable, "-m", "grader", "verify", "--no-cache", "--json", "--on", cluster.url, "quiz.yaml"],
        cwd=tmp_path, env=variables, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["findings"] == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("dask://127.0.0.1:1", "the scheduler at dask://127.0.0.1:1 cannot be reached"),
        ("tcp://127.0.0.1:1", "there is no runner `tcp`"),
    ],
)
def test_a_scheduler_that_is_not_there_gives_one_message(
    url: str, said: str, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "quiz.yaml").write_text(EXERCISES)
    done = subprocess.run(
        [sys.executable, "-m", "grader", "verify", "--on", url, "quiz.yaml"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"grader: {said}")
    assert len(done.stderr.strip().splitlines()) == 2
