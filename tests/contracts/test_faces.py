"""Every face that is installed keeps what `Face` promises: it draws all sorts of inputs, and asks through a desk."""

from __future__ import annotations

import contextlib
import html
import io
import re
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from grader import faces
from grader.content import bank_files
from grader.faces.backend import backend
from grader.faces.desk import Desk
from grader.learning.sitting import Sittings
from grader.learning.sitting_log import MemoryLog
from grader.model import (
    ChooseMany,
    ChooseOne,
    CodeInput,
    Input,
    Labeled,
    NumberInput,
    OrderInput,
    Prompt,
    TextInput,
    Variant,
)
from grader.runner.cached import RememberingRunner, Store
from grader.runner.local import LocalRunner
from tests.support.common import EXERCISES, Command

INPUTS: dict[str, tuple[tuple[Input, ...], tuple[str, ...]]] = {
    "choose one": ((ChooseOne(("alpha one", "beta <two>")),), ("alpha one", "beta <two>", "A", "B")),
    "choose many": ((ChooseMany(("gamma", "delta")),), ("gamma", "delta")),
    "choose for each": ((ChooseOne(("1", "2"), "first row"), ChooseOne(("1", "2"), "next row")), ("first row", "next row")),
    "options in code": ((ChooseOne(("x.add_(1)", "x + 1"), code=True),), ("x.add_(1)", "x + 1")),
    "a number": ((NumberInput(unit="epochs"),), ()),
    "numbers": ((NumberInput("epoch 1"), NumberInput("epoch 2")), ("epoch 1", "epoch 2")),
    "a table": (
        tuple(NumberInput(f"{row}, {column}", cell=(row, column)) for row in ("up", "down") for column in ("left", "right")),
        ("up", "down", "left", "right"),
    ),
    "a text": ((TextInput(wanted="a name, without quotes"),), ("a name, without quotes",)),
    "blanks": ((TextInput("...1...", python=True), TextInput("...2...", python=True)), ("...1...", "...2...")),
    "code": ((CodeInput("def f(x):\n    return x", cases=("x = 3",)),), ("def f(x):", "return x", "x = 3")),
    "an order": ((OrderInput(("first()", "second()")),), ("first()", "second()")),
}  # fmt: skip


def prompt(inputs: tuple[Input, ...]) -> Prompt:
    return Prompt(
        "some-item", "some-kind", "easy", "some-skill", Variant(0, (("scale", 2),)), "What is **unusual** here?",
        "print(scale)\ny = ...1... + ...2...\n", inputs, hints=1, given=(Labeled("the setup", "scale = 2"),),
    )  # fmt: skip


def shown(text: str) -> str:
    """What a face has drawn, with tags and without, without escapes, and with blanks made one."""
    text = text.replace("\\n", " ").replace('\\"', '"')
    text = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
    both = f"{re.sub(r'<[a-z/!][^<>]*>', '', text)} {text}"
    return re.sub(r"\s+", " ", html.unescape(both))


@pytest.mark.parametrize("name", faces.names())
@pytest.mark.parametrize("sort", INPUTS)
def test_a_face_draws_all_that_a_learner_needs(name: str, sort: str) -> None:
    inputs, needed = INPUTS[sort]
    drawn = faces.named(name).draw(prompt(inputs))
    text = shown(drawn)
    for part in ("unusual", "print(scale)", "scale = 2", *needed):
        assert part in text, drawn


@pytest.mark.parametrize("name", faces.names())
def test_a_face_says_what_it_is_and_what_opens_it(name: str) -> None:
    face = faces.named(name)
    assert face.TITLE
    assert face.OPENED_BY or callable(face.ask)


ASKED = [name for name in faces.names() if not faces.named(name).OPENED_BY]


@pytest.fixture
def desk(tmp_path: Path, runner: LocalRunner) -> Desk:
    """Three questions: of a choice, of a number, and in code."""
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/t.yaml").write_text(EXERCISES.split("- id:")[0] + ITEMS)
    bank = bank_files.read(bank_files.files([tmp_path]))
    assert not bank.findings, bank.findings[0]
    remembering = RememberingRunner(Store(tmp_path / "cache"), lambda: runner)
    sittings = Sittings(bank, MemoryLog(), backend(remembering))
    name = sittings.begin("me", "t", "practice", [(item, 0) for item in bank.items], face="contract")
    return Desk(sittings, name, bank.mistakes)


ITEMS = """\
- id: pick
  kind: choice
  level: easy
  skill: s
  stem: What is `x`?
  program: |
    import torch
    x = torch.ones(2).sum().item()
  answer: x
  options:
  - {value: "2.0", key: true}
  - {value: "4.0", mistake: twice, yields: 2 * x}
  - {value: "1.0", mistake: half, yields: x / 2}
  hints: [Add the ones.]
  solution: ["It is {x}."]
- id: type
  kind: number
  level: easy
  skill: s
  stem: What is `x`?
  program: |
    import torch
    x = torch.ones(3).sum().item()
  answer: x
  solution: ["It is {x}."]
mistakes:
  twice: {says: Each was counted twice.}
  half: {says: Only half of them were counted.}
"""


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("typed", ["", "\n", "zzz\n" * 40, "q\n" * 40, "\ud800\n", "A\n2\n3\nA\n2\n3\n"])
def test_a_face_asks_until_its_input_ends(name: str, typed: str, desk: Desk) -> None:
    """Whatever is typed: it ends, it says something, and what was asked is still there to be answered, or is not."""
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="replace")
    given = io.TextIOWrapper(io.BytesIO(typed.encode(errors="replace")), "utf-8")
    with patch.multiple(sys, stdin=given, stdout=out), contextlib.suppress(SystemExit):
        faces.named(name).ask(desk)
    out.flush()
    assert out.detach().getvalue()
    for place in desk.open():
        assert desk.prompt(place).stem


def test_a_desk_judges_and_explains_and_keeps_the_first_answer(desk: Desk) -> None:
    assert desk.title == "t"
    assert desk.open() == [0, 1]
    assert isinstance(desk.prompt(0).inputs[0], ChooseOne)
    assert desk.hint(0) == "Add the ones."
    assert desk.hint(0) is None
    assert desk.answer(0, "zzz").outcome == "unreadable"
    told = desk.answer(1, "3", token="mine")
    assert (told.outcome, told.points, told.final) == ("correct", 1.0, True)
    assert told.solution == ("It is 3.",)
    assert [part.text for part in told.answer] == ["3"]
    assert desk.answer(1, "5", token="mine").outcome == "correct"
    wrong = desk.answer(0, "4.0")
    assert (wrong.outcome, wrong.mistake, wrong.feedback) == ("incorrect", "twice", "Each was counted twice.")
    assert desk.give_up(0).final
    assert desk.open() == []


@pytest.mark.parametrize("name", faces.names())
def test_the_command_shows_a_question_in_a_face_and_says_what_opens_it(name: str, grader: Command) -> None:
    shown_by = grader("show", "third-epoch-rate", "--face", name)
    assert shown_by.returncode == 0, shown_by.stderr
    assert "warmup_epochs" in shown_by.stdout
    assert grader("show", "third-epoch-rate", "--face", name, "--html").returncode == 2
    if opened_by := faces.named(name).OPENED_BY:
        refused = grader("quiz", "warmup", "--face", name)
        assert refused.returncode == 2
        assert opened_by in refused.stderr
    assert "did you mean" in grader("quiz", "warmup", "--face", f"{name}x").stderr
