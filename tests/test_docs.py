"""What the documents show is what happens."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import sooner
from conftest import ROOT, Command
from lab import TOKEN, server
from patience import COMMAND, seconds

from grader import bank, kinds, lesson
from grader.run.local import LocalRunner
from grader.verify import Reading, verify

DOCUMENTS = (
    "README.md",
    "TEACHING.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "lessons/README.md",
)


def _blocks(name: str, language: str) -> list[str]:
    text = re.sub(r"^````.*?^````$", "", (ROOT / name).read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.usefixtures("proven")
def test_the_sessions_in_the_readme_are_true(grader: Command) -> None:
    shown = [block for block in _blocks("README.md", "console") if block.startswith("$ ")]
    assert shown
    for block in shown:
        for part in block.split("$ grader ")[1:]:
            command, _, output = part.partition("\n")
            assert grader(*shlex.split(command)).stdout == output


@pytest.mark.usefixtures("proven")
def test_the_question_in_the_readme_is_what_is_asked(grader: Command) -> None:
    asked = grader("quiz", "warmup", "--plain", stdin="s\ns\nB\nq\n").stdout
    for paragraph in _blocks("README.md", "text")[0].split("\n\n"):
        assert re.sub(r" +$", "", paragraph.strip("\n"), flags=re.MULTILINE) in re.sub(
            r" +$", "", asked, flags=re.MULTILINE
        )


@pytest.mark.waits
def test_the_course_in_teaching_goes_as_it_says(environment: dict[str, str], tmp_path: Path) -> None:
    """Every command, in one shell, word for word; what stands below a block is what it prints."""
    text = (ROOT / "TEACHING.md").read_text()
    shown = re.findall(r"^```console\n(.*?)^```$(?:\n```text\n(.*?)^```$)?", text, re.MULTILINE | re.DOTALL)
    assert sum(bool(output) for _, output in shown) >= 15
    script = "set -eu\n" + "\n".join(
        f"{{\n{commands}}} > {tmp_path}/{n}.out\n" for n, (commands, _) in enumerate(shown)
    )
    variables = {**environment, "PYTHONWARNINGS": "ignore", "JUPYTER_DATA_DIR": str(tmp_path / "jupyter")}
    with sooner.nbgrader(variables) as commands:
        path = os.pathsep.join([str(commands), str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env={**variables, "PATH": path},
            capture_output=True, text=True, check=False, timeout=seconds(COMMAND),
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for number, (_, output) in enumerate(shown):
        if output:
            assert (tmp_path / f"{number}.out").read_text() == output
    _formgrader_shows_what_teaching_says(tmp_path / "course", variables)


def _formgrader_shows_what_teaching_says(course: Path, variables: dict[str, str]) -> None:
    """The page of a submission, its comments, and points that are typed there, from the server that is asked for."""

    def asked(path: str, data: object = None) -> str:
        wanted = urllib.request.Request(
            f"{address}/formgrader/{path}",
            None if data is None else json.dumps(data).encode(),
            {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"},
            method="GET" if data is None else "PUT",
        )
        with urllib.request.urlopen(wanted, timeout=seconds(COMMAND)) as answer:
            return str(answer.read().decode())

    others = ("jupyterlab", "notebook", "notebook_shim", "jupyter_lsp", "jupyterlab_jupytext", "jupyterlab_myst")
    (course / "config").mkdir()
    (course / "config/jupyter_server_config.json").write_text(  # formgrader is pages of the server; starts sooner
        json.dumps({"ServerApp": {"jpserver_extensions": dict.fromkeys(others, False)}})
    )
    with server(course, course, variables, "jupyter_server") as address:
        submissions = json.loads(asked("api/submitted_notebooks/ps1/ps1"))
        ada = next(one for one in submissions if one["student"] == "ada")
        assert ada["score"] == pytest.approx(4 + 1 / 3)
        page = html.unescape(asked(f"submissions/{ada['id']}/?index=0"))
        assert "The rate after that step is the one of the next epoch" in page
        assert "Right until epoch 4. In epoch 5 the rate is 0.25; it should be 0.2" in page
        assert "<svg" in page
        comments = {one["name"]: one for one in json.loads(asked(f"api/comments?submission_id={ada['id']}"))}
        ours = comments["answer-third-epoch-rate"]
        assert "The rate after that step" in ours["auto_comment"]
        assert ours["manual_comment"] == "You explained it well."
        grades = {one["name"]: one for one in json.loads(asked(f"api/grades?submission_id={ada['id']}"))}
        typed = json.loads(
            asked(f"api/grade/{grades['ramp-rate-table']['id']}", {"manual_score": 2, "extra_credit": 0})
        )
        assert typed["manual_score"] == 2
        again = json.loads(asked("api/submitted_notebooks/ps1/ps1"))
        assert next(one for one in again if one["student"] == "ada")["score"] == pytest.approx(5)


def test_the_item_in_contributing_is_proven(tmp_path: Path, runner: LocalRunner) -> None:
    block = _blocks("CONTRIBUTING.md", "yaml")[0]
    path = tmp_path / "example.yaml"
    path.write_text(block)
    read = bank.read([path])
    assert not read.findings
    report = verify(read, runner)
    assert [str(finding) for finding in report.findings] == []
    assert report.variants == 4


def test_the_lesson_in_contributing_is_proven(runner: LocalRunner) -> None:
    text = re.findall(r"^````markdown\n(.*?)^````$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE | re.DOTALL)[
        0
    ]
    page, findings = lesson.parse(text, "page.md")
    assert not findings
    assert page
    assert Reading(page, runner).findings() == []
    assert len(page.steps) == 2


def test_contributing_lists_every_finding_and_architecture_every_room() -> None:
    code = "\n".join(path.read_text() for path in sorted((ROOT / "grader").rglob("*.py")))
    codes = set(re.findall(r'(?:Finding|add|report|_refuse)\(\s*(?:source, )?"([a-z]+(?:-[a-z]+)+)"', code))
    codes |= {"not-run", "over-limit"}
    listed = set(re.findall(r"`([a-z-]+)`", (ROOT / "CONTRIBUTING.md").read_text()))
    assert len(codes) > 20
    assert codes <= listed
    rooms = (ROOT / "ARCHITECTURE.md").read_text()
    for path in sorted((ROOT / "grader").glob("*.py")):
        assert path.name.startswith("__") or path.name in rooms, path.name
    assert set(kinds.names()) <= listed


def test_links_and_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for name in DOCUMENTS:
        text = (ROOT / name).read_text()
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (ROOT / name).parent.joinpath(target).exists(), (name, target)
        for target in re.findall(r"\bmake ([a-z]+)`", text):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), (name, target)


def test_each_promise_of_security_names_a_test_that_shows_it() -> None:
    """In every table of SECURITY.md, in the last column of every row: tests that are there."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "SECURITY.md").read_text().splitlines()
        if line.startswith("|") and not line.startswith("|--")
    ]
    promises = [row for row in rows if row[-1] != "shown by"]
    assert len(promises) >= 20
    assert len(rows) > len(promises)
    for row in promises:
        named = re.findall(r"`([\w/.:]+)`", row[-1])
        assert named, row[0]
        for name in named:
            path, _, test = name.partition("::")
            text = (ROOT / "tests" / path).read_text()
            assert not test or f"def {test}(" in text, name
