"""A malformed item, or a malformed file, keeps nothing else from being proven and asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.common import Command

HEAD = "format: 1\ntopic: t\ntitle: T\nitems:\n"
ITEM = '- {id: NAME, kind: number, level: easy, skill: s, stem: How much?, program: x = 2 + 1, answer: x, solution: ["{x}"]}\n'
GOOD = ITEM.replace("NAME", "good")
BROKEN = {
    "an unknown kind": (ITEM.replace("number", "nmber"), "unknown-kind", "NAME"),
    "a field that is not there": (ITEM.replace("skill: s", "skill: s, stm: 1"), "bad-field", "NAME"),
    "no mapping": ("- 3\n", "bad-field", "item 2"),
    "no id": (ITEM.replace("id: NAME, ", ""), "bad-field", "item 2"),
    "a tag": (ITEM.replace("How much?", "!!x How"), "unsafe-yaml", "NAME"),
    "a key twice": (ITEM.replace("skill: s", "skill: s, skill: s"), "duplicate-key", "NAME"),
    "a control character": (ITEM.replace("How much?", '"How\\x1bmuch?"'), "control-character", "NAME"),
    "no expression": (ITEM.replace("answer: x", "answer: 'x['"), "bad-expression", "NAME"),
    "a claim that cannot fail": (ITEM.replace("answer: x", 'answer: "3"'), "unproven", "NAME"),
    "an unknown mistake": (ITEM.replace("answer: x", "answer: x, mistakes: [{mistake: m, yields: x - 1}]"), "unknown-mistake", "NAME"),
    "an id that is taken": (GOOD.replace("2 + 1", "5"), "duplicate-id", "good"),
}  # fmt: skip


def bank(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / "quizzes").mkdir(exist_ok=True)
        (folder / f"quizzes/{name}.yaml").write_text(text)
    return folder


@pytest.mark.parametrize("what", BROKEN)
def test_the_other_items_of_a_file_are_proven_and_asked(what: str, tmp_path: Path, grader: Command) -> None:
    item, code, name = BROKEN[what]
    name = name.replace("NAME", "odd")
    home = bank(tmp_path, t=HEAD + GOOD + item.replace("NAME", "odd") + ITEM.replace("NAME", "last"))
    done = grader("verify", "--bank", home, "--json")
    report = json.loads(done.stdout)
    (finding,) = report["findings"]
    assert (finding["code"], finding["line"], bool(finding["hint"])) == (code, 6, True)
    assert (report["items"], report["proven"]) == (3, 2)
    assert done.returncode == (1 if code == "unproven" else 2)
    assert "3 items, 2 variants" in grader("verify", "--bank", home).stdout
    asked = grader("quiz", "t", "--bank", home, "--json", stdin="3\n3\n")
    assert [(one["item"], one["score"]) for one in json.loads(asked.stdout)["results"]] == [
        ("good", 1.0),
        ("last", 1.0),
    ]
    (line,) = asked.stderr.splitlines()
    assert f"left out, since something is wrong: `{name}`; `grader verify {home}/quizzes/t.yaml` says what" in line
    db = ["--db", tmp_path / "records"]
    for command in (["topics", *db], ["test", "t", *db], ["review", *db], ["grade", "last", "--answer", "3"]):
        done = grader(*command, "--bank", home)
        assert (done.returncode, f"`{name}`" in done.stderr) == (0, True)
    if name == "odd":
        done = grader("grade", "odd", "--answer", "3", "--bank", home)
        assert (done.returncode, f"`odd` cannot be asked: {home}/quizzes/t.yaml:6" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "spoiled",
    [
        "format: 1\n topic: t",
        HEAD.replace("title: T", "titel: T") + GOOD,
        "",
        HEAD + GOOD + "mistakes: []\n",
        HEAD + GOOD + ITEM.replace("skill: s", "skill: s" + ", skill: s" * 60) + "topic: t\n",
    ],
    ids=["indented", "misspelled", "empty", "list-for-a-mapping", "after-many-faults-of-an-item"],
)
def test_a_file_that_is_wrong_as_a_whole_is_left_out_as_a_whole(spoiled: str, tmp_path: Path, grader: Command) -> None:
    home = bank(tmp_path, t=spoiled, other=(HEAD + GOOD).replace("topic: t", "topic: other"))
    done = grader("verify", "--bank", home)
    assert (done.returncode, "1 items proven, 0 not" in done.stdout) == (2, True)
    assert f"{home}/quizzes/t.yaml:" in done.stdout
    asked = grader("quiz", "other", "--bank", home, stdin="3\n")
    assert (asked.returncode, asked.stderr) == (0, "")  # nothing of this topic is left out
    for command in ("topics", "review"):
        done = grader(command, "--bank", home, "--db", tmp_path / "records")
        assert (done.returncode, f"{home}/quizzes/t.yaml; `grader verify" in done.stderr) == (0, True)
    done = grader("quiz", "t", "--bank", home)
    assert done.returncode == 2
    assert f"{home}/quizzes/t.yaml: something is wrong with this file" in done.stderr
    assert f"`grader verify {home}/quizzes/t.yaml` says what" in done.stderr


def test_where_nothing_is_left_to_ask_the_command_ends_with_2(tmp_path: Path, grader: Command) -> None:
    home = bank(tmp_path, t=HEAD + ITEM.replace("number", "nmber"))
    for command in (
        ["quiz", "t"],
        ["topics"],
        ["test", "t"],
        ["review"],
        ["notebook", "t", "--assignment", "-o", tmp_path / "n"],
    ):
        done = grader(*command, "--bank", home)
        assert (done.returncode, done.stderr.count("grader verify") > 0) == (2, True), done
    done = grader("verify", "--bank", home)
    assert (done.returncode, "1 problems in the files; nothing was run." in done.stdout) == (2, True)
    both = bank(tmp_path, other=(HEAD + GOOD).replace("topic: t", "topic: other"))
    done = grader("quiz", "t", "--bank", both)
    assert (done.returncode, "no question of `t` is left to ask" in done.stderr) == (2, True)


def test_lessons_that_can_be_read_are_proven_beside_one_that_cannot(tmp_path: Path, grader: Command) -> None:
    assert grader("new", "lesson", "t", "learn", "--bank", tmp_path).returncode == 0
    (tmp_path / "lessons/t/why.md").write_text("no front matter\n")
    done = grader("verify", tmp_path / "lessons")
    assert (done.returncode, "why.md" in done.stdout, "1 lessons" in done.stdout) == (2, True, True)
