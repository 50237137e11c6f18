"""A sitting, with runs that are made up: no torch is needed here."""

from __future__ import annotations

import dataclasses
import random
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.judging.bodies import Claimed, Option
from grader.judging.running_answers import Marker
from grader.learning.question import NotProvenError, Question, choose
from grader.learning.verdict import mean
from grader.model import (
    ChooseOne,
    Expr,
    Finding,
    Item,
    Mistake,
    Observation,
    Outcome,
    Proof,
    ProvenOption,
    Result,
    Span,
    Status,
    Text,
    Variant,
)

AT = Span("quiz.yaml")
OPTIONS = tuple(Option(AT, key=n == 1, value=Expr(f"{n}.5", AT), mistake=None if n == 1 else f"m{n}") for n in range(4))
ITEM = Item(
    "i",
    "t",
    "choice",
    "easy",
    "s",
    Text(("Which?",), AT),
    AT,
    body=Claimed(options=OPTIONS),
    hints=(Text(("Look.",), AT),),
)
PROOF = Proof(
    "i",
    Variant(),
    Observation(Status.OK),
    "Which?",
    ("Look.",),
    ("So.",),
    tuple(ProvenOption(f"{n}.5", n + 0.5, n == 1, n == 1, OPTIONS[n].mistake) for n in range(4)),
    1.5,
)


def _nobody() -> NoReturn:
    raise AssertionError("nothing is to be run here")


NOBODY = Marker(_nobody, seed=0)
MISTAKES = {"m0": Mistake("m0", "You forgot one.", AT)}


class Proven:
    def __init__(self, proof: Proof = PROOF) -> None:
        self.result, self.asked = proof, 0

    def done(self) -> bool:
        return True

    def proof(self) -> Proof:
        self.asked += 1
        return self.result


def test_a_question_is_shown_without_waiting_where_it_can_be() -> None:
    proving = Proven()
    question = Question(ITEM, Variant(), proving, NOBODY)
    assert question.prompt().stem == "Which?"
    assert not question.waits
    assert proving.asked == 0


def test_answers_are_judged_and_the_mistake_is_said() -> None:
    question = Question(ITEM, Variant(), Proven(), NOBODY)
    right, wrong = question.answer("B", MISTAKES), question.answer("0.5", MISTAKES)
    assert (right.score.outcome, right.score.points) == (Outcome.CORRECT, 1.0)
    assert (wrong.score.outcome, wrong.score.mistake, wrong.score.feedback) == (
        Outcome.INCORRECT,
        "m0",
        "You forgot one.",
    )
    unreadable = question.answer("what?", MISTAKES).score
    assert (unreadable.outcome, unreadable.points) == (Outcome.UNREADABLE, None)
    assert (question.skip().score.outcome, question.skip().score.points) == (Outcome.SKIPPED, 0.0)


@given(st.integers(0, 1000))
def test_shuffled_options_keep_their_meaning(seed: int) -> None:
    question = Question(ITEM, Variant(), Proven(), NOBODY, mix=seed)
    (pick,) = question.prompt().inputs
    assert isinstance(pick, ChooseOne)
    assert sorted(pick.options) == ["0.5", "1.5", "2.5", "3.5"]
    for letter, option in zip("ABCD", pick.options, strict=True):
        assert (question.answer(letter, MISTAKES).score.outcome is Outcome.CORRECT) == (option == "1.5")


def test_some_seed_changes_the_order_and_the_same_seed_does_not() -> None:
    orders = {Question(ITEM, Variant(), Proven(), NOBODY, mix=seed).order for seed in range(20)}
    assert len(orders) > 5
    assert (
        Question(ITEM, Variant(), Proven(), NOBODY, mix=3).order
        == Question(ITEM, Variant(), Proven(), NOBODY, mix=3).order
    )
    assert Question(ITEM, Variant(), Proven(), NOBODY).order == (0, 1, 2, 3)


@given(st.integers(0, 1000), st.integers(0, 3))
def test_a_choice_is_the_place_as_written_and_is_judged_again_in_any_order(seed: int, place: int) -> None:
    question = Question(ITEM, Variant(), Proven(), NOBODY, mix=seed)
    (pick,) = question.prompt().inputs
    assert isinstance(pick, ChooseOne)
    letter = "ABCD"[question.order.index(place)]
    for raw in (letter, f"{place}.5"):
        result = question.answer(raw, MISTAKES)
        assert (result.choice, result.options, result.response) == ((place,), pick.options, raw)
    assert question.letters((place,)) == (letter,)
    other = Question(ITEM, Variant(), Proven(), NOBODY, mix=seed + 1)
    again = other.answer(letter, MISTAKES, (place,))
    assert (again.choice, again.score) == ((place,), result.score)
    assert other.letters((7,)) == ()  # of an option that is not there
    assert other.answer("A", MISTAKES, (7,)).choice == (other.order[0],)
    assert (question.skip().choice, question.answer("what?", MISTAKES).choice) == (None, None)


@given(st.integers(0, 1000))
def test_what_stays_last_stays_last_and_the_first_version_mixed_by_the_item_alone(seed: int) -> None:
    options = (*OPTIONS[:2], *(dataclasses.replace(option, last=True) for option in OPTIONS[2:]))
    item = dataclasses.replace(ITEM, body=Claimed(options=options))
    assert Question(item, Variant(), Proven(), NOBODY, mix=seed).order[2:] == (2, 3)
    orders = {
        by: [Question(ITEM, Variant(index), Proven(), NOBODY, seed, by_variant=by).order for index in range(12)]
        for by in (True, False)
    }
    assert len(set(orders[False])) == 1 < len(set(orders[True]))
    old = list(range(4))
    random.Random(f"{seed}\0i").shuffle(old)
    assert orders[False][0] == tuple(old)


def test_hints_come_one_by_one_and_are_counted() -> None:
    question = Question(ITEM, Variant(), Proven(), NOBODY)
    assert [question.hint(), question.hint(), question.hint()] == ["Look.", None, None]
    assert question.answer("B", {}).hints_used == 1


def test_what_is_not_proven_is_not_judged() -> None:
    bad = dataclasses.replace(PROOF, findings=(Finding("not-run", "no torch", AT),))
    question = Question(ITEM, Variant(), Proven(bad), NOBODY)
    result = question.answer("A", MISTAKES)
    assert (result.score.outcome, result.score.points) == (Outcome.NOT_RUN, None)
    assert "no torch" in result.score.feedback
    with pytest.raises(NotProvenError):
        question.hint()


def test_the_mean_leaves_out_what_was_not_judged() -> None:
    question = Question(ITEM, Variant(), Proven(), NOBODY)
    results: list[Result] = [question.answer(raw, MISTAKES) for raw in ("B", "A", "what?")]
    assert mean(results) == 0.5
    assert mean([]) is None


def test_seeds_draw_variants_evenly_and_the_same_everywhere() -> None:
    item = dataclasses.replace(ITEM, variants=tuple(Variant(n, (("k", n),)) for n in range(8)))
    assert item.variant(None).index == 0
    drawn = [item.variant(seed).index for seed in range(400)]
    assert drawn == [item.variant(seed).index for seed in range(400)]
    assert {drawn.count(n) // 20 for n in range(8)} <= {1, 2, 3}
    assert [item.variant(seed).index for seed in (1, 2, 3)] == [5, 0, 0]


def test_questions_are_chosen_in_written_order() -> None:
    from grader.model import Bank, Topic

    items = tuple(dataclasses.replace(ITEM, id=f"i{n}", modes=("test",) if n == 1 else ("practice",)) for n in range(4))
    bank = Bank((Topic("t", "T", AT, items),))
    assert [item.id for item in choose(bank, "t", "practice", 2)] == ["i0", "i2"]
    assert choose(bank, "other", "practice", 5) == []
