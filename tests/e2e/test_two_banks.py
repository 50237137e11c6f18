"""Two banks at once, one of them from an installed package, with ids, topics and mistakes of the same names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.support.common import PATHS, ROOT
from tests.support.patience import COMMAND, seconds

Run = Callable[..., subprocess.CompletedProcess[str]]

ITEM = """\
- {id: NAME, kind: number, level: easy, skill: read-a-value, stem: How much?, program: x = 6 + 1, answer: x,
   mistakes: [{mistake: off, yields: x + 1}], solution: ["{x}"]MORE}
"""
OTHER = "format: 1\ntopic: rates\ntitle: Rates\nitems:\n{}mistakes:\n  off: {{says: That is off by one.}}\n"


def local(*items: tuple[str, str]) -> str:
    """A bank's file with these items, each with fields of its own."""
    return OTHER.format("".join(ITEM.replace("NAME", name).replace("MORE", more) for name, more in items))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bank that has no name."""
    folder = tmp_path_factory.mktemp("banks")
    (folder / "quizzes").mkdir()
    (folder / "quizzes/rates.yaml").write_text(local(("first", ""), ("second", "")))
    return folder


@pytest.fixture(scope="module")
def variables(home: Path, environment: dict[str, str]) -> dict[str, str]:
    """An environment in which a package with a bank is installed, from its wheel."""
    source = shutil.copytree(ROOT / "tests/data/linear_bank", home / "source")
    code = f"from hatchling.build import build_wheel; build_wheel({str(home)!r})"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=source, capture_output=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed"]
    subprocess.run([*pip, "--prefix", home / "installed", next(home.glob("*.whl"))], check=True)
    packages = next((home / "installed").rglob("linear_bank")).parent
    return {
        **environment, "PYTHONPATH": f"{packages}:{PATHS}", "GRADER_DB": str(home / "records.sqlite"),
        "GRADER_CACHE": str(home / "cache"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}",  # nbgrader calls alembic by its name
    }  # fmt: skip


@pytest.fixture(scope="module")
def run(home: Path, variables: dict[str, str]) -> Run:
    def call(*words: str | Path, stdin: str = "", module: str = "grader", cwd: Path = home) -> Any:
        return subprocess.run(
            [sys.executable, "-m", module, *map(str, words)], cwd=cwd, env=variables, input=stdin, capture_output=True,
            text=True, check=False, timeout=seconds(COMMAND),
        )  # fmt: skip

    return call


def answered(done: subprocess.CompletedProcess[str]) -> list[tuple[str, str, str | None]]:
    assert done.returncode == 0, done.stderr
    return [(one["item"], one["outcome"], one["mistake"]) for one in json.loads(done.stdout)["results"]]


@pytest.mark.slow
def test_questions_are_asked_recorded_and_reviewed_each_by_its_own_name(run: Run, home: Path) -> None:
    listed = json.loads(run("topics", "--json").stdout)
    assert [topic["topic"] for topic in listed["topics"]] == ["rates", "linear:rates"]
    assert [block["block"] for block in listed["blocks"]] == ["linear:basics"]
    assert answered(run("quiz", "rates", "--json", stdin="8\n7\n")) == [
        ("first", "incorrect", "off"), ("second", "correct", None),
    ]  # fmt: skip
    assert answered(run("quiz", "linear:rates", "--json", stdin="B\n5\n")) == [
        ("linear:first", "incorrect", "linear:off"), ("linear:second", "correct", None),
    ]  # fmt: skip
    told = run("grade", "linear:first", "--answer", "B", "--json")
    assert json.loads(told.stdout)["feedback"] == "That is off by one in a linear model."
    shown = run("quiz", "linear:rates", "--item", "linear:first", "--no-records", stdin="A\n").stdout
    assert "From another bank: Linear models, CC0-1.0" in shown
    assert "Source: pytorch issue 12345. License: CC0-1.0." in " ".join(shown.split())
    assert "another bank" not in run("show", "first").stdout
    assert "From another bank: Linear models, CC0-1.0" in run("show", "linear:first", "--html").stdout
    kept = [json.loads(line) for line in run("export-records", "-").stdout.splitlines()]
    attempts = [one["attempt"] for one in kept if "attempt" in one]
    assert {(one["item"], one["topic"], one["unit"], one["mistake"]) for one in attempts} == {
        ("first", "rates", "skill/rates/read-a-value", "off"),
        ("second", "rates", "skill/rates/read-a-value", None),
        ("linear:first", "linear:rates", "skill/linear:rates/read-a-value", "linear:off"),
        ("linear:second", "linear:rates", "skill/linear:rates/read-a-value", None),
    }
    reviewed = run("review", "linear:rates", "--ahead", "--seed", "1", "--json", stdin="A\n5\n")
    assert all(name.startswith("linear:") for name, _, _ in answered(reviewed))
    progress = json.loads(run("progress", "--json").stdout)
    assert {one["topic"]: [each["says"] for each in one["mistakes"]] for one in progress["topics"]} == {
        "rates": ["That is off by one."],
        "linear:rates": ["That is off by one in a linear model."],
    }


@pytest.mark.slow
def test_nbgrader_grades_both_under_names_that_it_allows(run: Run, home: Path) -> None:
    course = home / "course"
    course.mkdir()
    (course / "nbgrader_config.py").write_text(
        "from grader.course import configure\nc = get_config()\nc.CourseDirectory.course_id = 'c'\nconfigure(c)\n"
    )
    shutil.copytree(home / "quizzes", course / "quizzes")
    right = {"ps1": {"first": "7", "second": "7"}, "ps2": {"linear--first": '"A"', "linear--second": "5"}}
    for name, topic in (("ps1", "rates"), ("ps2", "linear:rates")):
        done = run("notebook", topic, "--assignment", "-o", course / "source" / name, "--count", "2", cwd=course)
        assert done.returncode == 0, done.stderr
        done = run("generate_assignment", name, module="nbgrader", cwd=course)
        assert done.returncode == 0, done.stdout + done.stderr
        notebook = nbformat.read(course / f"release/{name}/{name}.ipynb", as_version=4)
        text = "\n".join(cell.source for cell in notebook.cells)
        assert ("From another bank: Linear models" in text) == (name == "ps2")
        for cell in notebook.cells:
            item = cell.metadata.get("nbgrader", {}).get("grade_id", "").removeprefix("answer-")
            if item in right[name] and cell.metadata.nbgrader["solution"]:
                variable = f"answer_{item.replace('-', '_')}"
                assert cell.source.startswith(variable)
                cell.source = f"{variable} = {right[name][item]}"
        handed_in = course / f"submitted/ada/{name}/{name}.ipynb"
        handed_in.parent.mkdir(parents=True)
        nbformat.write(notebook, handed_in)
        done = run("autograde", name, "--json", cwd=course)
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)["graded"]["ada"]
        assert (report["score"], report["max_score"]) == (2, 2), report
    stats = json.loads(run("stats", "--course", course, "--json").stdout)
    assert {one["item"] for one in stats["items"]} == {"first", "second", "linear:first", "linear:second"}


@pytest.mark.slow
def test_a_renamed_and_a_retired_item_keep_what_is_on_record(run: Run, home: Path) -> None:
    quiz = home / "quizzes/rates.yaml"
    given = ("--db", str(home / "renamed.sqlite"))
    assert answered(run("quiz", "rates", "--json", *given, stdin="8\n7\n"))[0] == ("first", "incorrect", "off")
    quiz.write_text(local(("begin", ", aliases: [first]"), ("second", ", retired: true"), ("third", "")))
    progress = json.loads(run("progress", "rates", "--json", *given).stdout)
    (topic,) = progress["topics"]
    assert (topic["answered"], topic["items"], len(topic["mistakes"])) == (1, 2, 1)
    asked = [name for name, _, _ in answered(run("quiz", "rates", "--json", "--no-records", stdin="7\n7\n7\n"))]
    assert asked == ["begin", "third"]
    assert json.loads(run("grade", "first", "--answer", "7", "--json").stdout)["item"] == "begin"
    assert json.loads(run("grade", "second", "--answer", "7", "--json").stdout)["outcome"] == "correct"
    refused = run("quiz", "rates", "--item", "second", stdin="7\n")
    assert (refused.returncode, "`second` is retired" in refused.stderr) == (2, True)
    stats = json.loads(run("stats", "--json", *given).stdout)
    assert {one["item"] for one in stats["items"]} == {"begin", "second"}
    assert run("verify", "quizzes").returncode == 0
    assert answered(run("review", "rates", "--ahead", "--json", *given, stdin="7\n"))[0][0] in ("begin", "third")
