"""What practice asks: nothing twice while there is something new, what is due, and a misunderstanding again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from grader.learning import practice_plan
from grader.learning.practice_plan import History
from grader.model import Attempt, Bank, Item

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def attempt(item: Item, variant: int, number: int, mistake: str | None = None) -> Attempt:
    return Attempt(
        id=str(number), sitting="s", place=number, tries=0, at=NOW + timedelta(minutes=number), learner="me", item=item.id,
        digest="", topic=item.topic, skill=item.skill, level=item.level, kind=item.kind, variant=variant, params="{}", mode="practice",
        response="", outcome="incorrect" if mistake else "correct", points=0.0 if mistake else 1.0, mistake=mistake, hints=0,
        seconds=1, unit="", early=False, card=None, torch="", bank="",
    )  # fmt: skip


def practiced(bank: Bank, topic: str) -> list[Item]:
    return [item for item in bank.items if item.topic == topic and "practice" in item.modes]


class Learner:
    """Answers all that is asked; wrongly where a question can show the misconception."""

    def __init__(self, bank: Bank, topic: str, belief: str = "") -> None:
        self.bank, self.items, self.belief = bank, practiced(bank, topic), belief
        self.attempts: list[Attempt] = []
        self.due: list[str] = []

    def sitting(self, seed: int, count: int = 5) -> list[Item]:
        seen: dict[str, set[int]] = {}
        for one in self.attempts:
            seen.setdefault(one.item, set()).add(one.variant)
        history = History(seen, self.attempts[::-1], self.due)
        asked = practice_plan.plan(self.items, self.bank.mistakes, history, seed, count)
        for item, variant in asked:
            wrong = self.belief if any(name == self.belief for name, _ in item.body.recognized()) else None
            self.attempts.append(attempt(item, variant, len(self.attempts), wrong or None))
        return [item for item, _ in asked]


@pytest.mark.parametrize("topic", ["warmup", "schedulers"])
@pytest.mark.parametrize("due", [False, True])
def test_nine_sittings_ask_forty_five_different_questions(topic: str, due: bool, bank: Bank) -> None:
    for seed in range(5):
        learner = Learner(bank, topic)
        learner.due = sorted({item.skill for item in learner.items}) if due else []
        asked = [item.id for number in range(9) for item in learner.sitting(seed * 100 + number)]
        assert len(set(asked)) == len(asked) == min(45, len(learner.items))


def test_seeds_ask_different_questions(bank: Bank) -> None:
    first = {tuple(sorted(item.id for item in Learner(bank, "warmup").sitting(seed))) for seed in range(10)}
    assert len(first) > 5


def test_a_due_skill_is_asked_with_an_item_that_was_not_asked_yet(bank: Bank) -> None:
    learner = Learner(bank, "warmup")
    learner.sitting(1)
    asked = {one.item for one in learner.attempts}
    skill = next(item.skill for item in learner.items if item.id in asked and any(other.skill == item.skill and other.id not in asked for other in learner.items))  # fmt: skip
    learner.due = [skill]
    now = learner.sitting(2)
    assert any(item.skill == skill for item in now)
    assert not asked & {item.id for item in now}


@pytest.mark.parametrize("topic", ["warmup", "schedulers"])
def test_a_misunderstanding_comes_again_within_two_sittings_in_another_item(topic: str, bank: Bank) -> None:
    items = practiced(bank, topic)
    shown = [name for item in items for name, _ in item.body.recognized() if name]
    for belief in sorted(name for name in set(shown) if len([item for item in items if any(name == one for one, _ in item.body.recognized())]) > 1):  # fmt: skip
        learner = Learner(bank, topic, belief)
        sittings = [learner.sitting(number) for number in range(20)]
        met = [
            number
            for number, asked in enumerate(sittings)
            for item in asked
            if any(belief == name for name, _ in item.body.recognized())
        ]
        assert len(met) > 1, belief
        assert met[1] - met[0] <= 2, belief


def test_once_all_was_asked_the_weakest_skill_comes_first(bank: Bank) -> None:
    learner = Learner(bank, "warmup", "off-by-one")
    for number in range(len(learner.items) // 5 + 1):
        learner.sitting(number)
    weak = learner.items[0].skill
    learner.attempts = [one for one in learner.attempts if one.skill != weak] + [
        attempt(learner.items[0], 0, 999, "x"),
    ]
    for item in learner.items:
        learner.attempts.insert(0, attempt(item, 0, 0))
    assert any(item.skill == weak for item in learner.sitting(99))
