"""What a topic has and lacks, as `grader coverage` says it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.support.common import Command

PROGRAM = "x = 3 * size"


def item(name: str, kind: str = "choice", **more: object) -> dict[str, object]:
    """A choice or a number about one program, with a stem of its own."""
    found: dict[str, object] = {
        "id": name, "kind": kind, "level": "easy", "skill": "multiply", "stem": f"What does {name} give in the end?",
        "params": {"size": [2, 3]}, "program": PROGRAM, "answer": "x", "solution": ["{x}"],
    }  # fmt: skip
    wrong = {"mistake": "adds", "instead": {"3 * size": "3 + size"}}
    found |= (
        {"options": [{"value": "x", "key": True}, {"value": "3 + size", **wrong}]}
        if kind == "choice"
        else {"mistakes": [wrong]}
    )
    return found | more


def bank(folder: Path, *items: dict[str, object]) -> Path:
    (folder / "quizzes").mkdir(exist_ok=True)
    quiz = {
        "format": 1, "topic": "t", "title": "T", "skills": {"multiply": "multiply two numbers"}, "items": list(items),
        "mistakes": {"adds": {"says": "It multiplies."}},
    }  # fmt: skip
    (folder / "quizzes/t.yaml").write_text(json.dumps(quiz))
    return folder


def test_a_topic_is_counted(tmp_path: Path, grader: Command) -> None:
    code = {
        "id": "write", "kind": "code", "level": "hard", "skill": "write-it", "stem": "Write it, with all of its parts.",
        "program": "...answer...\nx = twice(k)", "starter": "def twice(k):\n    return k\n", "observe": "x",
        "reference": "def twice(k):\n    return 2 * k\n", "cases": {"given": [{"k": 1}], "hidden": {"k": [2, 3]}},
        "solution": ["{x}"],
    }  # fmt: skip
    home = bank(
        tmp_path,
        item("one"),
        item("two", "number", params={}, program="size = 2\nx = 3 * size"),
        item("three", stem="Something else entirely, in many more words than the others have."),
        item("four", stem="And what about this question here?"),
        item("five", stem="What does one give in the very end?", program="x = 3 * size  # five"),
        item("six", stem="What does one give in the very last end?", program="x = 3 * size  # five"),
        item("seven", stem="Which of these is so?"),
        code,
    )
    (tmp_path / "readings").mkdir()
    shown = [
        hashlib.sha256(grader("show", name, "--bank", home).stdout.encode()).hexdigest() for name in ("one", "two")
    ]
    lines = [
        {"item": "one", "reader": "a", "digest": shown[0], "answer": "A"},
        {"item": "one", "reader": "b", "digest": shown[0], "answer": "B", "without": True},
        {"item": "two", "reader": "a", "digest": shown[1], "answer": "5"},
        {"item": "two", "reader": "b", "digest": shown[1], "answer": "6"},
        {"item": "three", "reader": "a", "digest": "of another text", "answer": "two of them"},
        {"item": "gone"},
        {"item": "write", "reader": "a", "digest": "", "answer": "def twice(k):\n    return k + k\n"},
    ]
    (tmp_path / "readings/t.jsonl").write_text("\n\n".join(map(json.dumps, lines)))
    (found,) = json.loads(grader("coverage", "t", "--bank", home, "--json").stdout)["topics"]
    assert (found["items"], found["variants"], found["levels"]) == (8, 14, {"easy": 7, "medium": 0, "hard": 1})
    assert found["kinds"] == {"choice": 6, "number": 1, "code": 1}
    assert [(skill["name"], skill["words"], skill["items"]) for skill in found["skills"]] == [
        ("multiply", "multiply two numbers", 7),
        ("write-it", "write-it", 1),
    ]
    (adds,) = found["misconceptions"]
    assert (adds["name"], adds["items"], adds["kinds"]) == ("adds", 7, {"choice": 6, "number": 1})
    assert (found["keys"], found["fixed"]) == ({"A": 6}, ["two"])
    read = found["readings"]
    assert read["unread"] == ["three", "four", "five", "six", "seven", "write"]
    assert (read["disputed"], read["not_judged"]) == (["one"], [])
    assert (read["first_round"], read["of_another_text"]) == ({"disagree": 3, "of": 6}, 1)
    assert read["by_kind"] == {
        "choice": {"disagree": 2, "of": 3}, "number": {"disagree": 1, "of": 2}, "code": {"disagree": 0, "of": 1},
    }  # fmt: skip
    assert read["without"] == {"disagree": 1, "of": 2}
    assert found["longest_stem"] == ["three", 11]
    assert found["near_duplicates"] == [["five", "six"]]
    assert found["without_code"] == ["multiply"]
    assert found["not_met"] == [
        "7 of 30 items (near-duplicates counted once)",
        "2 of 6 skills",
        "easy items are 88%, should be a third",
        "medium items are 0%, should be a third",
        "hard items are 12%, should be a third",
        "1 of 10 items in which code is written, ordered, filled or fixed",
        "the skill `write-it` is asked in one form alone",
        "1 of 5 misconceptions that can show in 3 items of 2 kinds",
        "7 of 15 items with numbers or inputs drawn at random",
        "0 of 8 cards",
        "4 items share one program, 3 may",
        "there is no page `learn`",
        "there is no page `why`",
        "there is no page `deep`",
    ]
    text = grader("coverage", "--bank", home).stdout
    for line in ("    multiply two numbers: 7 (easy 7; choice 6, number 1)", "  nearly the same: five and six",
                 "  keys: A 6; without other numbers or inputs: 1; readings: 2 of 8 items", "    0 of 8 cards",
                 "  not read as it is shown now: three", "  the last reader disagrees with the key: one",
                 "  first readings that disagree with the key: 3 of 6 (choice 2 of 3, number 1 of 2, code 0 of 1)"):  # fmt: skip
        assert line in text.splitlines()


def test_pages_count_and_what_is_met_is_not_told(tmp_path: Path, grader: Command) -> None:
    home = bank(tmp_path, item("one"))
    for mode in ("learn", "why"):
        assert grader("new", "lesson", "t", mode, "--bank", home).returncode == 0
    (found,) = json.loads(grader("coverage", "--bank", home, "--json").stdout)["topics"]
    assert [rule for rule in found["not_met"] if "page" in rule] == ["there is no page `deep`"]
    assert found["readings"] is None
    assert "readings: none kept" in grader("coverage", "--bank", home).stdout


@pytest.mark.parametrize("line", ["{}", "no JSON", "[1]", "3"])
def test_a_line_that_is_no_reading_is_bad_input(line: str, tmp_path: Path, grader: Command) -> None:
    home = bank(tmp_path, item("one"))
    (home / "readings").mkdir()
    (home / "readings/t.jsonl").write_text('{"item": "one"}\n' + line)
    done = grader("coverage", "--bank", home)
    assert (done.returncode, "readings/t.jsonl:2: this is not a reading" in done.stderr) == (2, True)
    assert grader("coverage", "nothing", "--bank", home).returncode == 2
