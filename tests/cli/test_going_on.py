"""Each command ends with the next one, with its own options; it works as it is pasted. Progress; the greeting."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.support.common import ROOT, Command

NAMED = re.compile(r"^  (grader .*?)(?: {3}|$)", re.MULTILINE)


def named(text: str) -> list[str]:
    """The commands that a text ends with."""
    return NAMED.findall(text.rpartition("\nNext\n")[2])


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        (["quiz", "warmup", "--count", "2"], "A\nB\n"),
        (["quiz", "warmup", "--count", "2"], "A\n"),
        (["test", "warmup", "--seed", "4"], "s\n" * 10),
        (["test", "warmup", "--seed", "4"], "s\n" * 3),
        (["review", "warmup"], "s\n" * 20),
        (["review"], "s\n" * 2),
    ],
    ids=["quiz", "quiz-that-was-left", "test", "test-that-was-left", "review", "review-that-was-left"],
)
def test_every_end_names_commands_that_work(
    arguments: list[str], typed: str, grader: Command, tmp_path: Path, proven: object
) -> None:
    own = ["--bank", str(ROOT), "--db", str(tmp_path / "my records.sqlite"), "--learner", "ada"]
    done = grader(*arguments, *own, stdin=typed)
    assert done.returncode == 0, done.stderr
    commands = named(done.stdout)
    assert commands
    assert commands[-1].startswith("grader progress")
    for line in commands:
        name, *words = shlex.split(line)
        assert name == "grader"
        assert ("--db" in words) == (words[0] != "learn")
        assert "--bank" in words
        again = grader(*words, stdin="")
        assert again.returncode == 0, (line, again.stderr)
    assert "ada" in json.loads(grader("progress", *own, "--json").stdout)["learner"]


def test_a_lesson_names_its_practice(grader: Command) -> None:
    assert named(grader("learn", "warmup", "--plain", "--bank", ROOT).stdout) == [
        f"grader quiz warmup --bank {ROOT} --plain"
    ]


def test_progress_and_the_greeting(
    grader: Command, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proven: object
) -> None:
    db = str(tmp_path / "records.sqlite")
    monkeypatch.setitem(environment, "GRADER_DB", db)
    hello = grader().stdout
    assert "Nothing is answered yet." in hello
    assert named(hello) == ["grader learn tensors", "grader place", "grader topics", "grader --help"]
    assert len(hello.splitlines()) <= 24
    empty = json.loads(grader("progress", "--json").stdout)
    assert {one["answered"] for one in empty["topics"]} == {0}
    assert len(empty["topics"]) > 2
    assert empty["next"][0]["command"] == "grader learn tensors"
    grader("quiz", "warmup", "--count", "3", stdin="C\nA\nB\n")
    hello = grader().stdout
    assert "Warmup strategies" in hello
    assert named(hello)[0] == "grader quiz warmup"
    shown = grader("progress").stdout
    assert re.search(r"^  read a factor function +[█░#.]{10}  \w+", shown, re.MULTILINE)
    assert "Misconceptions met" in shown
    assert re.search(r"^Not begun: Tensors, ", shown, re.MULTILINE)
    assert "░" not in grader("progress", "--plain").stdout
    document = json.loads(grader("progress", "warmup", "--json").stdout)
    (topic,) = document["topics"]
    assert (topic["topic"], topic["answered"]) == ("warmup", 3)
    assert {skill["standing"] for skill in topic["skills"]} > {"new"}
    assert topic["mistakes"]
    assert all(0 < skill["chance"] < 1 for skill in topic["skills"])
    wrong = grader("progress", "warmpu")
    assert wrong.returncode == 2
    assert "there is no topic `warmpu`" in wrong.stderr
