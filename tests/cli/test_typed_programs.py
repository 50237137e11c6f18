"""Answers that are programs, through the doors that learners use: a terminal, a pipe, a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pexpect
import pytest

from tests.support.common import EXERCISES, ROOT, Command
from tests.support.patience import seconds

RIGHT = "def factor(epoch):\n\n    return min((epoch + 1) / ramp, 1)\n"
LATE = "def factor(epoch):\n    return min(epoch / ramp, 1)\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/t.yaml").write_text(EXERCISES)
    return tmp_path


def test_code_from_a_pipe_ends_with_a_dot(process: Command, home: Path) -> None:
    done = process("quiz", "t", "--bank", home, "--json", stdin=f"{LATE}.\n0; 1\n")
    document = json.loads(done.stdout)
    code, blanks = document["results"]
    assert (code["item"], code["outcome"], code["mistake"], code["response"]) == ("factor", "incorrect", "late", LATE)
    assert [case["hidden"] for case in code["observed"]["cases"]] == [False, True, True, True]
    assert code["observed"]["cases"][0]["yours"][:2] == pytest.approx([0.0, 0.02])
    assert "one epoch too late" in code["feedback"]
    assert [curve["curve"] for curve in code["chart"]["data"]["values"]][::12] == ["yours", "should be"]
    assert (blanks["outcome"], blanks["mistake"]) == ("incorrect", "late")
    assert document["ended"] == "complete"


def test_solved_code_is_asked_about_where_that_is_wanted(grader: Command, home: Path) -> None:
    stdin = f"{RIGHT}.\n0.5\n1; 1\n"
    results = json.loads(grader("quiz", "t", "--bank", home, "--json", "--follow-up", stdin=stdin).stdout)["results"]
    assert [result["outcome"] for result in results] == ["correct", "correct"]
    assert results[0]["follow_up"]["response"] == "0.5"
    assert results[0]["follow_up"]["outcome"] in ("correct", "incorrect")
    without = json.loads(grader("quiz", "t", "--bank", home, "--json", stdin=f"{RIGHT}.\n1; 1\n").stdout)["results"]
    assert [result["follow_up"] for result in without] == [None, None]


def test_the_end_of_the_input_ends_the_code_too(grader: Command, home: Path) -> None:
    results = json.loads(grader("quiz", "t", "--bank", home, "--json", "--count", "1", stdin=RIGHT).stdout)["results"]
    assert results[0]["outcome"] == "correct"


def test_code_from_a_file(grader: Command, home: Path) -> None:
    answer = home / "answer.py"
    answer.write_text(RIGHT)
    done = grader("grade", "factor", "--bank", home, "--answer-file", answer)
    assert (done.returncode, done.stdout) == (0, "correct\n")
    answer.write_text(LATE)
    done = grader("grade", "factor", "--bank", home, "--answer-file", answer, "--strict")
    assert (done.returncode, done.stdout.splitlines()) == (
        1,
        [
            "incorrect (late) It comes an epoch late.",
            "With base_lr = 0.1, ramp = 5: each rate comes one epoch too late: 0.02 belongs to epoch 1.",
        ],
    )
    answer.write_text("def factor(epoch)\n")
    assert grader("grade", "factor", "--bank", home, "--answer-file", answer).stdout.startswith(
        "unreadable this is not Py"
    )


@pytest.mark.slow
@pytest.mark.waits
def test_a_sitting_with_code_at_a_terminal(environment: dict[str, str], home: Path) -> None:
    (home / "mine.py").write_text(RIGHT)
    command = pexpect.spawn(
        sys.executable, ["-m", "grader", "quiz", "t", "--bank", str(home), "--db", str(home / "mine.sqlite")], env=environment, cwd=str(ROOT),
        encoding="utf-8", timeout=seconds(), dimensions=(60, 80),
    )  # fmt: skip
    command.expect("Start from")
    command.expect("It is run with base_lr = 0.1, ramp = 5, and with other numbers")
    command.expect("Answer: code, end with `.`; or @file.py")
    for line in [*LATE.splitlines(), "."]:
        command.sendline(line)
    command.expect("It comes an epoch late.")
    command.expect("each rate comes one epoch too late")
    command.expect("• yours")
    command.expect("Try again: code")
    command.sendline("@missing.py")
    command.expect("missing.py cannot be read")
    command.expect("> ")
    command.sendline(f"@{home}/mine.py")
    command.expect("Right.")
    command.expect("And now your own code")
    command.expect(r"base_lr = [0-9.]+, ramp = \d+")
    command.sendline("")
    command.expect("Enter for the next question")
    command.sendline("w")
    command.expect("One way to write it")
    command.expect("Enter for the next question")
    command.sendline("")
    command.expect("Question 2 of 2")
    command.expect("> ")
    command.sendline("1; 2")
    command.expect("Try again: 2 texts")
    command.sendline("s")
    command.expect("One way to write it")
    command.expect("Enter to finish")
    command.sendline("")
    command.expect("2 of 2 questions: 1 correct, 1 incorrect")
    command.expect(pexpect.EOF)


@pytest.mark.slow
@pytest.mark.waits
def test_leaving_after_a_wrong_try_keeps_it(environment: dict[str, str], home: Path) -> None:
    command = pexpect.spawn(
        sys.executable, ["-m", "grader", "quiz", "t", "--bank", str(home), "--db", str(home / "mine.sqlite")], env=environment, cwd=str(ROOT),
        encoding="utf-8", timeout=seconds(), dimensions=(60, 80),
    )  # fmt: skip
    command.expect("Answer: code")
    for line in ("factor = lambda epoch: 0", "."):
        command.sendline(line)
    command.expect("Try again: code")
    command.sendline("q")
    command.expect("1 of 2 questions: 1 incorrect")
    command.expect(pexpect.EOF)


def test_what_a_program_says_cannot_steer_the_terminal(grader: Command, home: Path) -> None:
    answer = home / "answer.py"
    answer.write_text("raise ValueError('\\x1b[31mred\\x1b]0;title\\x07')\n")
    shown = grader("grade", "factor", "--bank", home, "--answer-file", answer).stdout
    assert r"\x1b[31mred\x1b]0;title\x07" in shown
    answer.write_text("print('\\x1b[2J\\x9b2J')\n")
    shown += grader("run", answer, "--plain").stdout
    assert r"\x1b[2J\x9b2J" in shown
    assert shown.replace("\n", "").isprintable()
