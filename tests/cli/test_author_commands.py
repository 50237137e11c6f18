"""What authors look at: an item as a learner sees it, one question of a quiz, many programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.content.verify import PendingProof
from tests.support.common import ROOT, STEP_FIRST, Command

RUN_FIRST = """\
format: 1
topic: t
title: T
items:
- id: counted
  kind: choice
  level: easy
  skill: s
  params: {k: [2, 5]}
  stem: "There are {len(made)} entries. <b>How</b> large is the last?"
  program: |
    made = list(range(k))
  options:
  - {text: One less., holds: "made[-1] == k - 1", key: true}
  - {text: As many., holds: "made[-1] == k"}
  solution: ["It is {made[-1]}."]
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/t.yaml").write_text(RUN_FIRST)
    return tmp_path


# ---------------------------------------------------------------- show


def test_a_value_is_asked_for_by_its_sort(grader: Command) -> None:
    shown = grader("show", "eng-broadcast-shape", "--bank", ROOT / "tests/banks/engine").stdout
    assert shown.endswith("\nAnswer: a shape\n")


def test_an_item_is_shown_as_it_is_asked(grader: Command) -> None:
    shown = grader("show", "third-epoch-rate")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "steps the scheduler. What" in shown.stdout
    assert "  A  0.06" in shown.stdout
    assert shown.stdout.rstrip().endswith("Answer: A-D")
    assert "third-epoch-rate" not in shown.stdout  # a reader is not to guess from its name
    other = grader("show", "third-epoch-rate", "--variant", "3")
    assert other.stdout != shown.stdout
    page = grader("show", "third-epoch-rate", "--html").stdout
    assert page.startswith("<!doctype html>")
    assert "Answer in a cell" not in page
    for option in ("0.06", "0.04", "0.1", "0.08"):
        assert f"</strong> {option}</p>" in page


def test_what_takes_no_run_is_not_run(grader: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PendingProof, "begin", lambda *_: pytest.fail("it was run"))
    for item in ("scheduler-purpose", "plateau-table", "fill-steplr", "step-factor", "order-the-epoch"):
        assert grader("show", item).returncode == 0
        assert grader("show", item, "--html").returncode == 0


def test_what_takes_a_run_is_run_for_it(grader: Command, own: Path) -> None:
    assert "There are 5 entries." in grader("show", "counted", "--variant", "1", "--bank", own).stdout
    page = grader("show", "counted", "--bank", own, "--html").stdout
    assert "There are 2 entries. &lt;b&gt;How&lt;/b&gt; large" in page
    (own / "quizzes/t.yaml").write_text(RUN_FIRST.replace("== k - 1", "== k - 2"))
    done = grader("show", "counted", "--bank", own)
    assert (done.returncode, "There are 2 entries." in done.stdout) == (1, True)
    assert "this question is not proven" in done.stderr
    assert "key-fails" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "third-epoch-rat"], "did you mean `third-epoch-rate`?"),
        (["show", "third-epoch-rate", "--variant", "999"], "variants, counted from 0"),
        (["quiz", "warmup", "--item", "third-epoch-rat"], "did you mean `third-epoch-rate`?"),
        (["quiz", "warmup", "--item", "steplr-third-step"], "there is no item `steplr-third-step` in warmup"),
        (["quiz", "warmup", "--item", "third-epoch-rate", "--resume"], "leave one of them out"),
        (["run"], "Missing argument 'FILE...'"),
        (["run", "quizzes", "README.md"], "quizzes: there is no program in this folder"),
    ],
)
def test_wrong_usage_is_told(grader: Command, arguments: list[str], said: str) -> None:
    done = grader(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


# ---------------------------------------------------------------- quiz --item


def test_one_question_is_asked_in_a_mode_that_it_has(grader: Command) -> None:
    done = grader("quiz", "warmup", "--item", "third-epoch-rate", "--json", stdin="A\n")
    document = json.loads(done.stdout)
    assert [(one["item"], one["score"]) for one in document["results"]] == [("third-epoch-rate", 1.0)]
    assert document["questions"] == 1
    assert "Card 1 of 1" in grader("quiz", "warmup", "--item", "lambdalr-base-rate-card", stdin="good\n").stdout


# ---------------------------------------------------------------- run


def test_several_programs_are_run_and_told_apart(grader: Command, tmp_path: Path) -> None:
    (tmp_path / "loop.py").write_text(STEP_FIRST)
    (tmp_path / "wrong.py").write_text("1 / 0\n")
    (tmp_path / "notes.txt").write_text("no program")
    (tmp_path / "more").mkdir()
    (tmp_path / "more/last.py").write_text("print('last')\n")
    given = (tmp_path, tmp_path / "more/last.py", tmp_path / "loop.py")
    done = grader("run", *given, "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    names = [Path(one["path"]).name for one in document["files"]]
    assert names == ["loop.py", "wrong.py", "last.py"]
    assert [one["status"] for one in document["files"]] == ["ok", "error", "ok"]
    alone = json.loads(grader("run", tmp_path / "loop.py", "--json").stdout)
    assert "files" not in alone
    timed = ("seconds", "peak_bytes")
    both = [
        {name: one[name] for name in alone if name not in (*timed, "format")} for one in (alone, document["files"][0])
    ]
    assert both[0] == both[1]
    text = grader("run", *given, "--plain").stdout
    assert text.index("loop.py:") < text.index("wrong.py:") < text.index("ZeroDivisionError") < text.index("last.py:")
    assert grader("run", tmp_path / "more", "--json").returncode == 0
