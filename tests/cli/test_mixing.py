"""Options in another order: who mixes them, and that an answer means the option that was shown, whoever asks later."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from grader.learning.records import Records
from tests.support.common import ROOT, Command
from tests.support.patience import seconds

OPTIONS = ["0.1", "0.3", "0.5", "0.7", "none of these"]

BANK = """\
format: 1
topic: t
title: T
mistakes: {far: {says: That is far off.}}
items:
- id: pick
  kind: choice
  level: easy
  skill: picking
  modes: [practice, test]
  stem: Which rate?
  program: |
    import torch
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    optimizer.step()
  answer: run.lr_used[0]
  options:
  - {value: 0.1, mistake: far, yields: "run.lr_used[0] - 0.4"}
  - {value: 0.3, mistake: far, yields: "run.lr_used[0] - 0.2"}
  - {value: 0.5, key: true}
  - {value: 0.7, mistake: far, yields: "run.lr_used[0] + 0.2"}
  - {text: none of these, holds: "run.lr_used[0] > 1", because: "run.lr_used[0] == 0.5", mistake: far, last: true}
  solution: ["{run.lr_used[0]}"]
- id: several
  kind: multi
  level: easy
  skill: picking
  modes: [practice, test]
  stem: What holds?
  program: |
    import torch
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    optimizer.step()
  options:
  - {text: It is a half., holds: "run.lr_used[0] == 0.5", key: true}
  - {text: It is one., holds: "run.lr_used[0] == 1", because: "run.lr_used[0] < 1", mistake: far}
  - {text: It is positive., holds: "run.lr_used[0] > 0", key: true}
  - {text: It is two., holds: "run.lr_used[0] == 2", because: "run.lr_used[0] < 1", mistake: far}
  solution: ["{run.lr_used[0]}"]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/t.yaml").write_text(BANK)
    return tmp_path


@pytest.fixture
def db(home: Path) -> Path:
    return home / "records.sqlite"


def quiz(grader: Command, home: Path, *more: str, stdin: str) -> list[dict[str, Any]]:
    done = grader("quiz", "t", "--bank", home, "--db", home / "records.sqlite", "--json", *more, stdin=stdin)
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)["results"]
    return results


def test_a_pipe_keeps_the_written_order_and_the_fixed_questions(grader: Command, home: Path) -> None:
    pick, several = quiz(grader, home, stdin="C\nA, C\n")
    assert (pick["options"], pick["choice"], pick["outcome"]) == (OPTIONS, [2], "correct")
    assert (several["choice"], several["outcome"]) == ([0, 2], "correct")
    pick, several = quiz(grader, home, "--seed", "3", stdin="e\nA\n")
    assert (pick["options"], pick["choice"], pick["mistake"]) == (OPTIONS, [4], "far")
    assert several["choice"] == [0]


def test_a_pipe_mixes_where_it_is_told_to_and_choices_are_places_as_written(grader: Command, home: Path) -> None:
    orders = []
    for seed in range(4):
        shown, several = quiz(grader, home, "--mix", str(seed), stdin="s\ns\n")
        assert (shown["choice"], several["choice"]) == (None, None)
        assert (sorted(shown["options"]), shown["options"][-1]) == (sorted(OPTIONS), "none of these")
        letters = dict(zip(shown["options"], "ABCDE", strict=True))
        both = [letters[text] for text in ("0.5", "none of these")]
        holds = [
            letter for letter, text in zip("ABCD", several["options"], strict=True) if "half" in text or "pos" in text
        ]
        pick, many = quiz(grader, home, "--mix", str(seed), stdin=f"{both[0]}\n{' '.join(holds)}\n")
        assert (pick["options"], pick["choice"], pick["outcome"]) == (shown["options"], [2], "correct")
        assert (many["choice"], many["outcome"]) == ([0, 2], "correct")
        assert quiz(grader, home, "--mix", str(seed), stdin=f"{both[1]}\n")[0]["choice"] == [4]
        orders.append(tuple(shown["options"]))
    assert len(set(orders)) > 1
    with Records(str(home / "records.sqlite")) as store:
        kept = {entry.choice for entry in store.attempts(item="pick") if entry.response is not None}
        assert kept == {"[2]", "[4]"}
        assert {entry.shuffle for entry in store.sittings()} == {0, 1, 2, 3}


@pytest.mark.parametrize("raw", ["0.5", "1/2", "50%", "0.25 * 2", " .5 "])
def test_an_answer_may_be_the_value_whatever_the_order(grader: Command, home: Path, raw: str) -> None:
    pick = quiz(grader, home, "--mix", "1", "--count", "1", stdin=f"{raw}\n")[0]
    assert (pick["response"], pick["choice"], pick["outcome"]) == (raw, [2], "correct")


def test_a_text_is_an_answer_whatever_the_order(grader: Command, home: Path) -> None:
    pick, several = quiz(grader, home, "--mix", "2", stdin="None of these\nIt is a half.; It is positive.\n")
    assert (pick["choice"], several["choice"], several["outcome"]) == ([4], [0, 2], "correct")


def test_shuffle_is_another_name_for_mix(grader: Command, home: Path) -> None:
    named, other = (quiz(grader, home, *how, "--seed", "3", stdin="s\ns\n") for how in (("--shuffle",), ("--mix", "3")))
    assert [entry["options"] for entry in named] == [entry["options"] for entry in other]


@pytest.mark.parametrize("how", [("--mix", "3"), ("--shuffle",)])
@pytest.mark.parametrize("command", [("quiz", "t"), ("test", "t"), ("review",)])
def test_mixed_and_in_order_at_once_is_refused(
    grader: Command, home: Path, how: tuple[str, ...], command: tuple[str, ...]
) -> None:
    done = grader(*command, "--bank", home, "--db", home / "records.sqlite", *how, "--in-order")
    assert done.returncode == 2
    assert "--mix and --in-order contradict each other" in done.stderr
    assert "give one of them" in done.stderr


@pytest.mark.parametrize("seed", ["-1", "x", "9223372036854775808"])
def test_a_seed_that_cannot_be_kept_is_refused(grader: Command, home: Path, seed: str) -> None:
    assert grader("quiz", "t", "--bank", home, "--mix", seed).returncode == 2


def test_one_graded_answer_is_of_the_written_order_or_of_the_one_asked_for(grader: Command, home: Path) -> None:
    def grade(answer: str, *more: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            grader("grade", "pick", "--bank", home, "--answer", answer, "--json", *more).stdout
        )
        return found

    assert (grade("C")["options"], grade("C")["choice"], grade("C")["outcome"]) == (OPTIONS, [2], "correct")
    mixed = grade("A", "--mix", "1")["options"]
    assert mixed != OPTIONS
    right = grade("ABCDE"[mixed.index("0.5")], "--mix", "1")
    assert (right["choice"], right["outcome"]) == ([2], "correct")
    assert (grade("what?")["choice"], grade("what?")["options"]) == (None, OPTIONS)


def test_tests_and_reviews_from_a_pipe_keep_the_written_order(grader: Command, home: Path) -> None:
    for command in (("test", "t"), ("review", "t")):
        done = grader(
            *command, "--bank", home, "--db", home / "records.sqlite", "--seed", "1", "--json", stdin="s\n" * 2
        )
        results = {entry["item"]: entry for entry in json.loads(done.stdout)["results"]}
        assert results.get("pick", {"options": OPTIONS})["options"] == OPTIONS


# ---------------------------------------------------------------- at a terminal


def spawn(environment: dict[str, str], home: Path, *arguments: str) -> Any:
    command = [*arguments, "--bank", str(home), "--db", str(home / "records.sqlite")]
    return pexpect.spawn(
        sys.executable, ["-m", "grader", *command], env=environment, cwd=str(ROOT), encoding="utf-8",
        timeout=seconds(), dimensions=(60, 80),
    )  # fmt: skip


def shown(command: Any) -> list[str]:
    """The options that stand above the prompt."""
    command.expect("Answer: A-E")
    return re.findall(r"^ +[A-E]  (.*?)\r?$", re.sub(r"\x1b\[[0-9;]*m", "", command.before), re.MULTILINE)


def first_shown(command: Any) -> list[str] | None:
    """The same of a test, where it begins with that question; what is typed before a prompt is there would be dropped."""
    if command.expect(["Which rate", "What holds"]) == 0:
        return shown(command)
    command.expect("Answer: ")
    return None


@pytest.mark.waits
def test_a_terminal_mixes_by_a_seed_that_is_on_record_and_goes_on_in_the_same_order(
    environment: dict[str, str], home: Path, db: Path, grader: Command
) -> None:
    orders = []
    for _ in range(2):
        command = spawn(environment, home, "quiz", "t", "--seed", "7")
        orders.append(shown(command))
        command.sendline("q")
        command.expect(pexpect.EOF)
    assert orders[0] == orders[1]
    assert orders[0] != OPTIONS
    assert orders[0][-1] == "none of these"
    command = spawn(environment, home, "test", "t")
    first = first_shown(command)
    command.sendline("q")
    command.expect(pexpect.EOF)
    command = spawn(environment, home, "test", "t")
    assert first_shown(command) == first
    command.sendline("q")
    command.expect(pexpect.EOF)
    with Records(str(db)) as store:
        (left,) = {entry.shuffle for entry in store.sittings(mode="test")}
        assert left is not None
    document = json.loads(grader("test", "t", "--bank", home, "--db", db, "--json", stdin="0.5\n0.5\n").stdout)
    if first:  # from a pipe it is the same sitting, and the same order
        assert next(entry["options"] for entry in document["results"] if entry["item"] == "pick") == first


@pytest.mark.waits
def test_a_terminal_keeps_the_order_where_it_is_told_to(environment: dict[str, str], home: Path, db: Path) -> None:
    command = spawn(environment, home, "quiz", "t", "--seed", "7", "--in-order")
    assert shown(command) == OPTIONS
    command.sendline("C")
    command.expect("Right.")
    command.expect("> ")
    command.sendline("q")
    command.expect(pexpect.EOF)
    with Records(str(db)) as store:
        assert [entry.choice for entry in store.attempts()] == ["[2]"]
        assert [entry.shuffle for entry in store.sittings()] == [None]


# ---------------------------------------------------------------- statistics, authors


def test_statistics_count_options_and_not_letters(grader: Command, home: Path, db: Path) -> None:
    for learner, seed in (("ada", "1"), ("bob", "2"), ("cyd", "3"), ("dee", "4")):
        options = quiz(grader, home, "--learner", "nobody", "--mix", seed, "--count", "1", stdin="s\n")[0]["options"]
        letter = "ABCDE"[options.index("0.1")]
        quiz(grader, home, "--learner", learner, "--mix", seed, "--count", "1", stdin=f"{letter}\n")
    items = json.loads(grader("stats", "--json", "--db", db).stdout)["items"]
    assert items[0]["responses"] == {"A": 4, "(skipped)": 1}


def test_an_option_that_stays_last_is_written_last(grader: Command, home: Path) -> None:
    path = home / "quizzes/t.yaml"
    path.write_text(BANK.replace("{value: 0.1, mistake: far,", "{value: 0.1, last: true, mistake: far,"))
    done = grader("verify", path)
    assert done.returncode == 2
    assert "this option has `last: true`, and others follow it" in done.stdout
    assert "write it at the end, where it stays" in done.stdout
