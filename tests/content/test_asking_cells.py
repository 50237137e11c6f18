"""Questions in lessons: what a cell asks, what is held back, and whether a prediction is about its cell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.content import asking_cells, lesson_files
from grader.exchange import ipynb
from grader.faces.book.sphinx_extension import with_questions
from grader.model import (
    Asks,
    Cell,
    Finding,
    Lesson,
    LessonQuestion,
    Observation,
    Prediction,
    Proof,
    Prose,
    Status,
    Variant,
)
from tests.content.test_lesson import TEXT
from tests.support.common import Command

ASKING = """
## Predicting

```{code-cell} python
:tags: [TAG, remove-input]
from grader.jupyter import TAG
CALL
```

It prints one number.

```{code-cell} python
print(base_lr * 3 / 5)
```

```output
0.06
```
"""
QUIZ = """\
format: 1
topic: warmup
title: Warmup
items:
- {id: third, kind: number, level: easy, skill: s, params: {n: [3, 4]}, stem: Which rate?, program: "rate = 0.1 * n / 5", answer: rate, solution: ["{rate}"]}
- {id: far, kind: number, level: easy, skill: s, stem: How much?, program: x = 41 + 1, answer: x, solution: ["{x}"]}
"""


def page(tag: str = "predict", call: str = 'predict(items=["third"])') -> str:
    return TEXT + ASKING.replace("TAG", tag).replace("CALL", call)


def parsed(text: str) -> tuple[Lesson | None, list[Finding]]:
    return lesson_files.parse(text, "page.md")


def test_a_page_is_a_sequence_of_parts() -> None:
    lesson, _ = parsed(page())
    assert lesson
    last = lesson.parts[-1]
    assert isinstance(last, Prediction)
    assert last.asks == Asks(("third",), 0, predicts=True)
    assert [block.text.strip() for block in last.between] == ["It prints one number."]
    assert last.held.pin
    assert last.held.pin.text == "0.06"
    assert last.cell not in lesson.steps
    assert last.held in lesson.steps
    asked, _ = parsed(page("quiz", 'quiz(items=["third"], variant=1)'))
    assert asked
    assert [type(part) for part in asked.parts[-3:]] == [LessonQuestion, Prose, Cell]
    plain, _ = parsed(page("quiz", 'quiz("warmup")'))
    assert plain
    assert not list(asking_cells.asked(plain))


@pytest.mark.parametrize(
    ("tag", "call", "said"),
    [
        ("predict", "predict(", "is not Python"),
        ("predict", 'quiz(items=["third"])', "does not call `predict`"),
        ("quiz", 'predict(items=["third"])', "does not call `quiz`"),
        ("predict", "predict()", "asks items by their ids"),
        ("predict", "predict(items=names)", "not a list of ids"),
        ("quiz", "quiz(items=[])", "not a list of ids"),
        ("quiz", 'quiz(items=["third"], variant=-1)', "not the number of a variant"),
    ],
)
def test_a_cell_that_asks_nothing_readable_is_a_finding(tag: str, call: str, said: str) -> None:
    lesson, (finding,) = parsed(page(tag, call))
    assert lesson is None
    assert (finding.code, finding.hint != "") == ("bad-lesson", True)
    assert said in finding.message


def test_a_prediction_needs_a_cell_to_hold_back() -> None:
    text = page()
    lesson, (finding,) = parsed(text[: text.index("It prints one number.")])
    assert lesson is None
    assert "no code cell follows" in finding.message


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/warmup.yaml").write_text(QUIZ)
    (tmp_path / "lessons/warmup").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("call", "codes"),
    [
        ('predict(items=["third"])', []),
        ('predict(items=["third"], variant=1)', ["not-in-cell"]),
        ('predict(items=["third", "far"])', ["not-in-cell"]),
        ('predict(items=["thirt"])', ["unknown-item"]),
        ('predict(items=["third"], variant=2)', ["unknown-item"]),
    ],
)
def test_verify_finds_what_is_not_about_its_cell(call: str, codes: list[str], home: Path, grader: Command) -> None:
    path = home / "lessons/warmup/learn.md"
    path.write_text(page(call=call))
    for asked in (("--bank", home), (path,)):  # the lesson alone finds the bank that it lies in
        report = json.loads(grader("verify", *asked, "--json").stdout)
        assert [finding["code"] for finding in report["findings"]] == codes
        assert all(finding["path"] == str(path) and finding["hint"] for finding in report["findings"])


def test_a_pipe_names_the_question_and_a_notebook_holds_the_output_back(home: Path, grader: Command) -> None:
    path = home / "lessons/warmup/learn.md"
    path.write_text(page())
    said = grader("learn", "warmup", "--bank", home).stdout
    assert "Question: grader quiz warmup --item third" in said
    assert said.index("--item third") < said.rindex("0.06")
    lesson, _ = parsed(path.read_text())
    assert lesson
    cells = json.loads(ipynb.convert(lesson, {}))["cells"]
    asking, prose, held = cells[-3:]
    assert asking["metadata"]["jupyter"] == {"source_hidden": True}
    assert "Shift-Enter" in str(asking["outputs"])
    assert (prose["cell_type"], held["outputs"]) == ("markdown", [])


def test_the_book_has_the_question_and_folds_the_output() -> None:
    lesson, _ = parsed(page())
    assert lesson
    made = with_questions(lesson, lambda asks: f"<p>asked: {asks.items[0]}</p>")
    assert "predict(" not in made
    asked, _, rest = made.partition("<p>asked: third</p>")
    assert "````{raw} html" in asked
    assert (
        rest.index("print(base_lr") < rest.index("<details") < rest.index("```output\n0.06") < rest.index("</details>")
    )
    assert made.count("{eval}") == "\n".join(lesson.lines).count("{eval}")


@pytest.mark.parametrize(
    ("number", "text", "there"),
    [
        ([0.06], "it is 0.06", True),
        ([0.0617], "0.06", True),
        ([0.07], "0.06", False),
        ([1.0, 2.0], "2 1 2", True),
        ([2.0, 1.0], "1 2", False),
        ([3.0], "x3", False),
        ([-0.5], "(-0.50)", True),
    ],
)
def test_numbers_occur_in_order_as_they_are_printed(number: list[float], text: str, there: bool) -> None:
    proof = Proof("i", Variant(), Observation(Status.OK), "", (), (), answer=list(number))
    assert asking_cells.answer_occurs(proof, text) is there


@pytest.mark.parametrize(
    ("answer", "text", "there"),
    [
        ("float32", "print(x.dtype)\ntorch.float32", True),
        ("float32", "print(x.dtype)\ntorch.float32, torch.float64", True),
        ("float32", "print(x.dtype)\ntorch.float64", False),
        ("weight", "print(name)\nlayer.weight", False),
    ],
)
def test_a_dtype_occurs_as_it_is_printed(answer: str, text: str, there: bool) -> None:
    assert (
        asking_cells.answer_occurs(Proof("i", Variant(), Observation(Status.OK), "", (), (), answer=answer), text)
        is there
    )
