"""tests/plugins, a member of each seam by the pages in docs/contributor: it is installed, and used by commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.test_pages import imported, listed
from tests.support.common import PATHS, ROOT
from tests.support.packages import installed
from tests.support.patience import COMMAND, seconds

PACKAGE = ROOT / "tests/plugins"
MEMBERS = {"kinds": "rank", "formats": "aiken", "observers": "draws", "runners": "plain", "faces": "lines"}
ITEM = """\
format: 1
topic: chance
title: Chance
items:
- id: count-draws
  kind: number
  level: easy
  skill: know-what-draws
  params:
    batches: [2, 3]
  stem: How often does this loop draw random numbers?
  program: |
    import torch

    torch.manual_seed(0)
    drop = torch.nn.Dropout(0.5)
    for batch in range(batches):
        drop(torch.rand(2, 3))
  watch: [draws]
  answer: len(run.draws)
  solution:
  - "{batches} batches and as many masks are drawn: {len(run.draws)} draws."
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(("page", "name"), MEMBERS.items())
def test_a_plug_in_imports_what_its_page_lists(page: str, name: str) -> None:
    found = imported((PACKAGE / f"grader_five/{name}.py").read_text())
    assert found
    for module, names in found.items():
        assert names <= listed(page).get(module, set()), (module, names)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bank")


@pytest.fixture(scope="module")
def run(bank: Path, tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Run:
    """Commands where the package is installed, in a bank with an item of its kind and one that its observer watches."""
    home = tmp_path_factory.mktemp("plugins")
    path = f"{installed(PACKAGE, home)}{os.pathsep}{PATHS}"
    variables = {
        **environment,
        "PYTHONPATH": path,
        "GRADER_CACHE": str(home / "cache"),
        "GRADER_DB": str(home / "records.sqlite"),
    }

    def run(*command: str, stdin: str = "", cwd: Path = bank) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *command], input=stdin, capture_output=True, text=True, check=False, cwd=cwd,
            env=variables, timeout=seconds(10 * COMMAND),
        )  # fmt: skip

    started = run("grader", "new", "item", "week-1", "rank-them", "--kind", "rank", "--bank", str(bank))
    assert started.returncode == 0, started.stderr
    (bank / "quizzes/chance.yaml").write_text(ITEM)
    return run


@pytest.mark.slow
@pytest.mark.waits
def test_its_members_keep_the_contracts(run: Run) -> None:
    """By the commands that the pages give."""
    said = contracts(run, " or ".join(MEMBERS.values()), "-m", "not slow")
    for name in MEMBERS.values():
        assert re.search(rf"^PASSED .*\[(.*-)?{name}[\]/-]", said, re.MULTILINE), name


@pytest.mark.long
@pytest.mark.waits
def test_its_observer_disturbs_no_program(run: Run) -> None:
    contracts(run, "notices_an_observer")


def contracts(run: Run, *wanted: str) -> str:
    """What pytest says of the contract tests that are wanted, which pass."""
    done = run("pytest", "tests/contracts", "-q", "-rA", "-p", "no:cacheprovider", "-k", *wanted, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.waits
@pytest.mark.parametrize("more", [(), ("--on", "plain", "--no-cache")], ids=["sandbox", "plain"])
def test_a_bank_with_its_kind_and_observer_is_proven(run: Run, more: tuple[str, ...]) -> None:
    done = run("grader", "verify", *more)
    assert "2 items proven, 0 not, no findings" in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.waits
def test_a_wrong_key_of_its_kind_is_found(run: Run, bank: Path, tmp_path: Path) -> None:
    text = (bank / "quizzes/week-1.yaml").read_text()
    for key, said, code in (("B A C", "key-fails: the order is B C A", 1), ("B B C", "bad-field: `key` is `B B C`", 2)):
        (tmp_path / "bad.yaml").write_text(text.replace("key: B C A", f"key: {key}"))
        done = run("grader", "verify", str(tmp_path / "bad.yaml"))
        assert said in done.stdout + done.stderr
        assert done.returncode == code


@pytest.mark.slow
@pytest.mark.waits
def test_its_kind_is_asked_and_judged_in_a_terminal(run: Run) -> None:
    done = run("grader", "quiz", "week-1", "--no-records", stdin="B; C; C\n")
    assert re.search(r"One letter for each:\n  first\n  place 2\n  last\n", done.stdout), done.stderr
    assert "Partly right. Each of them has one place." in done.stdout
    assert re.search(r"Final answer\n +1 +`corner`\n +2 +`row`\n +3 +`square`\n", done.stdout)


@pytest.mark.slow
@pytest.mark.waits
def test_its_observer_counts_for_an_answer(run: Run) -> None:
    assert run("grader", "grade", "count-draws", "--answer", "4").stdout.startswith("correct")


@pytest.mark.slow
@pytest.mark.waits
def test_its_format_is_imported(run: Run, tmp_path: Path) -> None:
    done = run("grader", "import", str(PACKAGE / "grader_five/samples/shapes.txt"), "-o", str(tmp_path / "quiz.yaml"))
    assert done.returncode == 0, done.stderr
    quiz = (tmp_path / "quiz.yaml").read_text()
    assert "What is `torch.zeros(2, 3).T.shape`?" in quiz
    assert quiz.count("key: true") == 2
    done = run("grader", "prove", str(PACKAGE / "grader_five/samples/sums.txt"))
    assert "the key is `10`, PyTorch gives `6`" in done.stdout, done.stderr
    assert done.returncode == 1


@pytest.mark.slow
@pytest.mark.waits
def test_its_face_asks_and_judges(run: Run) -> None:
    typed = "".join(
        f"{line}\n" for line in ("no JSON", '{"hint": 1}', '{"answer": "zzz"}', '{"answer": ["B", "C", "A"]}')
    )
    done = run("grader", "quiz", "week-1", "--face", "lines", "--no-records", stdin=typed)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    question = next(line["question"] for line in lines if "question" in line)
    assert [one["label"] for one in question["inputs"]] == ["first", "place 2", "last"], done.stderr
    assert question["inputs"][0]["letters"] == "ABC"
    assert len([line for line in lines if "error" in line]) == 2
    assert [line["told"]["outcome"] for line in lines if "told" in line] == ["unreadable", "correct"]
