"""Copies of what version 0001 left on disk go on with the code of now: a test, a review, records, an assignment, a notebook, a cache.

What is expected was made by the code of then, see make_0001.py. Nothing here looks at the bank in quizzes/.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import nbformat
import pytest

from grader.faces.service.service import Service
from grader.learning import records
from grader.learning.records import Records, RecordsError
from grader.runner.cached import Store
from grader.runner.local import LocalRunner
from tests.support.common import EXERCISES, Command
from tests.support.make_0001 import BANK, DATA, aged, answered, half_done, scores, unpacked
from tests.support.patience import COMMAND, seconds

EXPORTED = 59
"""Attempts in the export."""

EXPECTED: dict[str, Any] = json.loads((DATA / "expected.json").read_text())


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A copy of the records, as old as on the day they were made."""
    return aged(unpacked("records.sqlite", tmp_path))


# ---------------------------------------------------------------- records


def test_a_half_done_test_goes_on_with_its_questions_numbers_and_answers(grader: Command, db: Path) -> None:
    left = half_done(db)
    assert answered(db, sitting=left) == EXPECTED["test before"]
    done = grader("test", "schedulers", "--db", db, "--bank", BANK, stdin="s\n" * 6)
    assert done.returncode == 0, done.stderr
    assert "goes on with question 5 of 10" in done.stdout
    assert answered(db, sitting=left) == EXPECTED["test after"]
    again = unpacked("records.sqlite", db.parent)
    document = json.loads(
        grader("test", "schedulers", "--json", "--db", aged(again), "--bank", BANK, stdin="s\n" * 6).stdout
    )
    assert (document["ended"], document["score"]) == ("complete", EXPECTED["test score"])
    fresh = grader("test", "schedulers", "--db", db, "--bank", BANK, stdin="")
    assert "A test on schedulers: 10 questions" in fresh.stdout  # the old one has ended


@pytest.mark.parametrize("learner", ["me", "ada"])
def test_earlier_answers_count_as_they_did(grader: Command, db: Path, learner: str) -> None:
    shown = json.loads(grader("topics", "--json", "--db", db, "--bank", BANK, "--learner", learner).stdout)
    assert {topic["topic"]: topic["progress"] for topic in shown["topics"]} == EXPECTED[f"topics of {learner}"]


def test_statistics_are_what_they_were(grader: Command, db: Path) -> None:
    assert json.loads(grader("stats", "--json", "--db", db).stdout)["items"] == EXPECTED["stats"]


def test_a_review_asks_what_it_would_have_asked(grader: Command, db: Path) -> None:
    before = len(answered(db, mode="review"))
    done = grader("review", "--seed", "2", "--db", db, "--bank", BANK, stdin="s\n" * 20)
    assert done.returncode == 0, done.stderr
    assert [entry[1:3] for entry in answered(db, mode="review")[before:]] == EXPECTED["review"]


def in_format_2(export: str) -> str:
    """The lines of an export of format 1 as format 2 has them: what was not known then is null."""
    header, *lines = export.splitlines()
    entries = [json.loads(header) | {"format": 2}]
    for line in lines:
        ((name, fields),) = json.loads(line).items()
        new = {"sitting": ("seed", "version", "ended", "face"), "attempt": ("choice", "token")}[name]
        entries.append({name: fields | dict.fromkeys(new)})
    return "".join(f"{json.dumps(entry, ensure_ascii=False)}\n" for entry in entries)


def test_an_export_has_the_same_lines_and_is_taken_in_again(grader: Command, tmp_path: Path) -> None:
    db = unpacked("records.sqlite", tmp_path)
    before = db.read_bytes()
    lines = in_format_2((DATA / "export.jsonl").read_text())
    assert grader("export-records", "-", "--db", db).stdout == lines
    assert db.read_bytes() == before  # what only reads does not migrate
    assert grader("topics", "--db", db, "--bank", BANK).returncode == 0
    assert db.read_bytes() == before
    other = tmp_path / "other.sqlite"
    count = lines.count('{"attempt"')
    assert count == EXPORTED
    assert grader("import-records", DATA / "export.jsonl", "--db", other).stdout.startswith(f"{count} attempts are new")
    assert grader("export-records", "-", "--db", other).stdout == lines


def test_records_are_migrated_with_all_that_is_in_them(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Records(str(db), write=False) as store:
        before = list(store.attempts()), list(store.sittings())
    with Records(str(db)) as store:
        assert (list(store.attempts()), list(store.sittings())) == before
        assert not list(store.events())
    with closing(sqlite3.connect(db)) as base:
        assert base.execute("SELECT version_num FROM alembic_version").fetchone() == ("0004",)
        names = {row[1] for row in base.execute("PRAGMA index_list(attempts)")}
        assert "attempts_by_token" in names
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    # What the program of then says of it: it knows one step only.
    monkeypatch.setattr(records, "_steps", lambda: frozenset({"0001"}))
    monkeypatch.setattr(records, "VERSION", "0001")
    kept = db.read_bytes()
    with pytest.raises(RecordsError, match="written by a newer torch-grader"):
        Records(str(db))
    assert db.read_bytes() == kept


def multiplied(db: Path, least: int) -> int:
    """Have each attempt several times, in sittings of their own; how many there are then."""
    with closing(sqlite3.connect(db)) as base, base:
        names = [row[1] for row in base.execute("PRAGMA table_info(attempts)") if row[1] != "number"]
        new = [f"lower(hex(randomblob(16))) AS {name}" if name in ("id", "sitting") else name for name in names]
        copy = f"INSERT INTO attempts ({', '.join(names)}) SELECT {', '.join(new)} FROM attempts"
        (count,) = base.execute("SELECT count(*) FROM attempts").fetchone()
        while count < least:
            base.execute(copy)
            count *= 2
    return int(count)


@pytest.mark.parametrize("least", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_many_records_are_migrated_by_whoever_comes_first(db: Path, least: int) -> None:
    """Two open them at once: one migrates, the other finds them migrated."""
    count = multiplied(db, least)
    with ThreadPoolExecutor(2) as pool:
        for store in pool.map(lambda _: Records(str(db)), range(2)):
            store.close()
    with closing(sqlite3.connect(db)) as base:
        assert base.execute("SELECT count(*), count(token) FROM attempts").fetchone() == (count, 0)
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def other_bank(folder: Path, change: Callable[[str], str]) -> Path:
    """A copy of the bank with another text."""
    bank = Path(shutil.copytree(BANK, folder / "bank"))
    for path in (bank / "quizzes").glob("*.yaml"):
        path.write_text(change(path.read_text()))
    return bank


def reworded(text: str) -> str:
    return text.replace("  stem: |\n    ", "  stem: |\n    Well now. ")


def changed(text: str) -> str:
    return text.replace("    import torch\n", "    import torch  # as ever\n")


def test_a_half_done_test_goes_on_when_it_was_reworded_and_not_when_it_asks_something_else(
    grader: Command, db: Path, tmp_path: Path
) -> None:
    said = grader("test", "schedulers", "--db", db, "--bank", other_bank(tmp_path / "1", reworded), stdin="s\n").stdout
    assert "goes on with question 5 of 10" in said
    assert "Well now." in said
    left = half_done(db)
    assert answered(db, sitting=left) == EXPECTED["test after"][:5]
    again = grader("test", "schedulers", "--db", db, "--bank", BANK, stdin="s\n").stdout
    assert "goes on with question 6 of 10" in again  # by digests of both versions
    said = grader("test", "schedulers", "--db", db, "--bank", other_bank(tmp_path / "2", changed), stdin="").stdout
    assert "A test on schedulers: 10 questions" in said
    assert answered(db, sitting=left) == EXPECTED["test after"][:6]


# ---------------------------------------------------------------- assignments


def autograde(
    *arguments: str, course: Path, environment: dict[str, str], bank: Path = BANK, module: str = "grader"
) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    variables = {**environment, "PATH": path, "PYTHONWARNINGS": "ignore"}
    return subprocess.run(
        [sys.executable, "-m", module, "autograde", *arguments], cwd=course, env={**variables, "GRADER_BANK": str(bank)},
        capture_output=True, text=True, check=False, timeout=seconds(COMMAND),
    )  # fmt: skip


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy of the course, with its gradebook."""
    made = Path(shutil.copytree(DATA / "course", tmp_path / "course"))
    unpacked("course/gradebook.db", made)
    return made


@pytest.mark.waits
@pytest.mark.parametrize("name", ["ps1", pytest.param("ps2", marks=pytest.mark.slow)])
def test_an_assignment_is_graded_as_it_was(course: Path, environment: dict[str, str], name: str) -> None:
    done = autograde(name, course=course, environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert scores(course)[name] == EXPECTED["scores"][name]
    assert len({points for cells in EXPECTED["scores"][name].values() for points in cells.values()}) > 1


@pytest.mark.slow
@pytest.mark.waits
@pytest.mark.parametrize("module", ["grader", "nbgrader"])
def test_what_was_reworded_or_nobody_knows_is_graded_and_told(
    course: Path, environment: dict[str, str], tmp_path: Path, module: str
) -> None:
    """The table cannot know an item of somebody's own bank, of which version 1 wrote the digest."""
    path = course / "source/ps2/torch-grader.json"
    made = json.loads(path.read_text())
    made["items"][1]["digest"] = "0123456789abcdef"
    path.write_text(json.dumps(made))
    bank = other_bank(tmp_path, lambda text: reworded(own(text)))
    done = autograde("ps2", "--student", "right", course=course, environment=environment, bank=bank, module=module)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert said.count("`third-epoch-rate` was reworded since the assignment was made") == 1
    assert said.count(f"`{made['items'][1]['grade_id']}`: an earlier version made this assignment") == 1
    assert scores(course)["ps2"]["right"] == EXPECTED["scores"]["ps2"]["right"]


def own(text: str) -> str:
    """The bank with another program in one item."""
    before, item, after = text.partition("- id: printed-third-line\n")
    return before + item + changed(after[:1500]) + after[1500:]


@pytest.mark.slow
@pytest.mark.waits
def test_what_is_asked_otherwise_is_not_graded(course: Path, environment: dict[str, str], tmp_path: Path) -> None:
    bank = other_bank(tmp_path, changed)
    done = autograde("ps2", course=course, environment=environment, bank=bank)
    assert done.returncode == 2
    assert "has changed since the assignment was made" in done.stderr
    assert not scores(course)


# ---------------------------------------------------------------- a notebook


@pytest.fixture
def service(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, runner: LocalRunner
) -> Iterator[Service]:
    """What answers a notebook, with a copy of the records."""
    monkeypatch.setenv("GRADER_CACHE", environment["GRADER_CACHE"])
    monkeypatch.setenv("GRADER_BANK", str(BANK))
    monkeypatch.setattr("grader.runner.runners.make", lambda: runner)
    made = Service(str(unpacked("records.sqlite", tmp_path)))
    monkeypatch.setattr(made.backing.runner, "close", lambda: None)
    yield made
    made.close()


def test_a_notebook_is_opened_and_what_was_answered_in_it_is_known(service: Service) -> None:
    notebook = nbformat.read(DATA / "answers.ipynb", as_version=4)
    nbformat.validate(notebook)
    states = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"].state.values()
    (sheet,) = {one.state.sheet for one in states if "sheet" in one.state}
    gone = service.handle({"do": "read", "sheet": sheet})
    assert gone["error"]["message"] == "these questions are no longer open"
    opened = service.handle({"do": "open", "name": "third-epoch-rate"})["ok"]
    shown = service.handle({"do": "show", "sheet": opened["sheet"], "place": 0})["ok"]
    assert shown["earlier"]["response"] == "B"
    (cell,) = [cell for cell in notebook.cells if cell.source == 'quiz("third-epoch-rate")']
    (text,) = [output.data["text/plain"] for output in cell.outputs if "text/html" in output.data]
    assert text.startswith(service.handle({"do": "read", "sheet": opened["sheet"]})["ok"]["text"])


# ---------------------------------------------------------------- a cache


def test_a_cache_is_opened_and_keeps_what_it_has(grader: Command, environment: dict[str, str], tmp_path: Path) -> None:
    """What is in it may be of no use to other code; it is no error, and nothing of it is lost before its time."""
    path = unpacked("cache/proven.sqlite", tmp_path)
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("UPDATE entries SET day = ?", [int(time.time() // 86400)])
        entries = dict(base.execute("SELECT key, value FROM entries").fetchall())
    assert len(entries) > 2
    with closing(Store(tmp_path)) as store:
        assert store.trouble == ""
        assert {key: store.get(key) for key in entries} == entries
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/t.yaml").write_text(EXERCISES)
    environment["GRADER_CACHE"], before = str(tmp_path), environment["GRADER_CACHE"]
    try:
        done = grader("quiz", "t", "--bank", tmp_path, "--count", "2", "--no-records", stdin="s\n" * 2)
    finally:
        environment["GRADER_CACHE"] = before
    assert (done.returncode, done.stderr) == (0, "")
    with closing(Store(tmp_path)) as store:
        assert {key: store.get(key) for key in entries} == entries
