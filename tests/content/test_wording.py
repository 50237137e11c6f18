"""No word to avoid is said, in what authors write or in what is made of it, and the list finds what it is for."""

from __future__ import annotations

import pytest

from grader.model import Bank
from grader.runner.cached import RememberingRunner
from tests.support import golden_adapter as adapter
from tests.support import wording


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("A warmup of 1 step is no warmup.", "is not a"),
        ("Epoch 3 is to train with\n0.06.", "should"),
        ("Mend the loop.", "fix"),
        ("Right until epoch 1.", "correct through"),
        ("The normalised inputs.", "-ize"),
    ],
)
def test_a_word_to_avoid_is_found_with_a_better_one(text: str, better: str) -> None:
    assert [found[2] for found in wording.found(text)] == [better]


@pytest.mark.parametrize(
    "text",
    [
        "There is no lesson, and the loss is no longer falling.",
        "The task is to find out. Run `mend()`, {bear}.",
        "The training loss of a training run; recommend it.",
    ],
)
def test_english_is_left_alone(text: str) -> None:
    assert wording.found(text) == []


def test_a_place_is_the_line_of_the_words() -> None:
    assert wording.found("One.\nTwo\nmend it.") == [(2, "mend", "fix")]


@pytest.mark.long
def test_nothing_that_a_learner_is_shown_says_one(bank: Bank, remembering: RememberingRunner) -> None:
    said = []
    for item, proofs in adapter.proofs(bank.items, remembering):
        views = adapter.Views(bank, item, proofs[0], remembering, drawn=False)
        text = "\n".join([views.question()["terminal"], views.answered("wrong")["terminal"]])
        said += [(item.id, hit) for hit in wording.found(text)]
    assert said == []
