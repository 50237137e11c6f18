"""What comes next, and how far a learner is: decided by what is on record, the same for every face."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from grader.faces.progress_words import next_step as words
from grader.learning import planning, progress
from grader.learning.next_steps import Why, next_steps
from grader.learning.progress import Standing
from grader.learning.recorder import Recorder
from grader.learning.records import Records, new_id
from grader.model import Bank, Outcome, Result, Score, Sitting
from tests.support.on_record import NOW, Learner

LESSONS = ("warmup", "schedulers")


@pytest.fixture(scope="module")
def bank(bank: Bank) -> Bank:
    """The two topics of a block."""
    kept = tuple(topic for topic in bank.topics if topic.name in LESSONS)
    blocks = tuple(block for block in bank.about.blocks if set(LESSONS) <= set(block.topics))
    return replace(bank, topics=kept, about=replace(bank.about, blocks=blocks))


@pytest.fixture
def learner(bank: Bank, tmp_path: Path) -> Iterator[Learner]:
    with Records(str(tmp_path / "records.sqlite")) as store:
        yield Learner(bank, store, LESSONS)


def test_a_newcomer_reads_first_and_practices_then(learner: Learner) -> None:
    first, second = learner.next()
    assert (first.do, first.why, first.topic) == ("learn", Why.NEW, "schedulers")
    assert (second.do, second.topic) == ("practice", "schedulers")
    assert next_steps(learner.bank, "me", None, NOW, lessons=LESSONS)[0] == first
    assert next_steps(learner.bank, "me", None, NOW)[0].do == "practice"  # where nothing can be read
    assert learner.next(at="warmup", begun=True)[0].do == "practice"


@pytest.mark.parametrize("topic", LESSONS)
@pytest.mark.parametrize("hours", [0, 30], ids=["at-once", "with-all-due"])
def test_nine_practices_ask_forty_five_different_questions(topic: str, hours: int, learner: Learner) -> None:
    asked = []
    for _ in range(9):
        asked += [item.id for item in learner.practices(topic, right=False)]
        learner.now += timedelta(hours=hours)
    assert len(set(asked)) == len(asked) == 45


@pytest.mark.parametrize("topic", LESSONS)
def test_a_misconception_is_met_again_within_two_sittings_in_another_item(topic: str, learner: Learner) -> None:
    shown = [name for item in learner.bank.items if item.topic == topic for name, _ in item.body.recognized() if name]
    belief = max(sorted(set(shown)), key=shown.count)
    met = []
    for number in range(6):
        asked = learner.practices(topic, belief)
        met += [(number, item.id) for item in asked if belief in {name for name, _ in item.body.recognized()}]
    assert len({item for _, item in met}) == len(met) > 1
    assert all(two[0] - one[0] <= 2 for one, two in itertools.pairwise(met))


def test_what_was_left_comes_first(learner: Learner) -> None:
    drawn = planning.practice(learner.bank, "warmup", "me", learner.store, 5, NOW)
    sitting = Sitting(new_id(), "me", "warmup", "practice", NOW, tuple((item.id, number) for item, number in drawn))
    learner.store.begin(sitting)
    assert learner.next()[0].why is Why.NEW  # nothing was answered yet
    writes = Recorder(learner.store, sitting, learner.bank, "2", lambda: learner.now)
    writes.begun()
    item, variant = drawn[0]
    writes(Result(item, item.variants[variant], "x", Score(Outcome.CORRECT, 1.0)), 0, 0, 5.0)
    left = learner.next()[0]
    assert (left.do, left.why, left.topic, left.count) == ("practice", Why.LEFT, "warmup", 4)
    learner.store.begin(planning.plan_test(learner.bank, "schedulers", "me", learner.store, 1, learner.now))
    left = learner.next()[0]
    assert (left.do, left.why, left.topic, left.count) == ("test", Why.LEFT, "schedulers", 10)
    assert "10 questions left" in words(left)
    learner.now += timedelta(days=2)
    assert learner.next()[0].why is Why.DUE


def test_practice_then_a_test_then_the_next_topic(learner: Learner) -> None:
    learner.practices("schedulers")
    assert [(step.do, step.why) for step in learner.next()] == [("practice", Why.WEAK), ("test", Why.BEGUN)]
    learner.practices("schedulers")
    assert learner.next(at="schedulers")[0].why is Why.READY
    learner.takes_a_test("schedulers", right=False)
    after = learner.next(at="schedulers")
    assert after[0].do == "practice"
    assert after[0].skill
    for _ in range(2):
        learner.practices("schedulers")
    learner.takes_a_test("schedulers", right=True)
    assert learner.standing("schedulers").verdict == "strong"
    after = learner.next(at="schedulers")
    assert (after[0].do, after[0].topic) == ("learn", "warmup")


def test_a_review_is_named_the_next_day_and_not_a_moment_later(learner: Learner) -> None:
    learner.practices("warmup")
    learner.now += timedelta(hours=1)
    assert learner.standing("warmup").due
    assert all(step.do != "review" for step in learner.next())
    later = learner.next(most=9)
    assert later[-1].do == "review"
    learner.now += timedelta(days=1)
    first = learner.next()[0]
    assert (first.do, first.why, first.topic) == ("review", Why.DUE, "")
    assert first.count == learner.standing("warmup").due


def test_skills_and_misconceptions_follow_the_answers(learner: Learner) -> None:
    shown = [
        name for item in learner.bank.items if item.topic == "warmup" for name, _ in item.body.recognized() if name
    ]
    belief = max(sorted(set(shown)), key=shown.count)
    before = learner.standing("warmup")
    assert {skill.standing for skill in before.skills} == {Standing.NEW}
    assert (before.answered, before.verdict, before.misconceptions) == (0, None, ())
    able = [item for item in learner.bank.items if item.topic == "warmup" and belief in {name for name, _ in item.body.recognized()}]  # fmt: skip
    learner.answers("warmup", [(able[0], 0)], belief=belief)
    (met,) = learner.standing("warmup").misconceptions
    assert (met.mistake, met.times, met.avoided, met.gone) == (belief, 1, 0, False)
    learner.answers("warmup", [(item, 0) for item in able[1:3]])
    (met,) = learner.standing("warmup").misconceptions
    assert (met.times, met.avoided, met.gone) == (1, 2, True)
    skill = able[1].skill
    learner.answers("warmup", [(able[1], 0)] * 2)
    (after,) = [one for one in learner.standing("warmup").skills if one.skill == skill]
    assert after.standing is not Standing.NEW
    assert after.due
    learner.answers("warmup", [(able[1], 0)] * 10, right=False)
    (after,) = [one for one in learner.standing("warmup").skills if one.skill == skill]
    assert after.standing is Standing.NOT_YET


def test_topics_come_in_the_order_of_their_block(bank: Bank) -> None:
    block = bank.about.blocks[0]
    turned = replace(bank, about=replace(bank.about, blocks=(replace(block, topics=("warmup", "schedulers")),)))
    assert [one.name for one in progress.in_order(turned)] == ["warmup", "schedulers"]
    assert next_steps(turned, "me", None, NOW)[0].topic == "warmup"


def test_the_test_of_a_block_comes_once_its_topics_hold(bank: Bank, learner: Learner) -> None:
    (block,) = bank.about.blocks
    learner.takes_a_test("schedulers", right=True)
    assert not any(step.topic == block.name for step in learner.next(most=9))
    learner.takes_a_test("warmup", right=True)
    first, *_ = learner.next()
    assert (first.do, first.why, first.topic, first.count) == ("test", Why.BLOCK, block.name, 15)
    assert words(first) == "15 questions on all of Learning, and a verdict"
    learner.takes_a_test(block.name, right=False)
    weak, again, *_ = learner.next()
    assert (weak.do, weak.why, weak.topic in block.topics) == ("practice", Why.WEAK, True)
    assert (again.do, again.topic) == ("test", block.name)
    learner.practices(weak.topic)
    assert (learner.next()[0].do, learner.next()[0].topic) == ("test", block.name)
    learner.takes_a_test(block.name, right=True)
    assert not any(step.topic == block.name for step in learner.next(most=9))


def test_a_test_of_a_block_asks_about_each_of_its_topics(bank: Bank, learner: Learner) -> None:
    topics = {item.id: item.topic for item in bank.items}
    for seed in range(10):
        plan = planning.plan_test(bank, bank.about.blocks[0].name, "me", learner.store, seed, NOW).plan
        asked = Counter(topics[name] for name, _ in plan)
        assert sorted(asked.values()) == [7, 8]
