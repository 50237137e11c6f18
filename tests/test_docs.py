"""What the documents show is what happens."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Command
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
    assert sum(bool(output) for _, output in shown) >= 3
    script = "set -eu\n" + "\n".join(
        f"{{\n{commands}}} > {tmp_path}/{n}.out\n" for n, (commands, _) in enumerate(shown)
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env={**environment, "PATH": path, "PYTHONWARNINGS": "ignore"},
        capture_output=True, text=True, check=False, timeout=seconds(COMMAND),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for number, (_, output) in enumerate(shown):
        if output:
            assert (tmp_path / f"{number}.out").read_text() == output


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
