"""Somebody whose answers are put on record, without a face: how far one is, and what comes next."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from grader.learning import planning, progress
from grader.learning.next_steps import NextStep, next_steps
from grader.learning.progress import TopicProgress
from grader.learning.recorder import Recorder
from grader.learning.records import Records, new_id
from grader.model import Bank, Item, Outcome, Result, Score, Sitting

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Learner:
    """Somebody whose answers are put on record, at a time of its own."""

    def __init__(self, bank: Bank, store: Records, lessons: Collection[str]) -> None:
        self.bank, self.store, self.lessons, self.now = bank, store, lessons, NOW

    def answers(
        self, topic: str, drawn: list[tuple[Item, int]], mode: str = "practice", belief: str = "", *, right: bool = True
    ) -> None:
        """Answer these questions; wrongly where one can show the misconception `belief`, or where not `right`."""
        plan = tuple((item.id, variant) for item, variant in drawn)
        sitting = Sitting(new_id(), "me", topic, mode, self.now, plan)
        self.store.begin(sitting)
        writes = Recorder(self.store, sitting, self.bank, "2", lambda: self.now)
        writes.begun()
        for place, (item, variant) in enumerate(drawn):
            wrong = belief in {name for name, _ in item.body.recognized()} if belief else not right
            score = Score(Outcome.INCORRECT, 0.0, belief or None) if wrong else Score(Outcome.CORRECT, 1.0)
            assert writes(Result(item, item.variants[variant], "x", score), place, 0, 5.0)
            self.now += timedelta(seconds=20)

    def practices(self, topic: str, belief: str = "", *, right: bool = True) -> list[Item]:
        """A sitting of practice."""
        drawn = planning.practice(self.bank, topic, "me", self.store, 5, self.now)
        self.answers(topic, drawn, belief=belief, right=right)
        return [item for item, _ in drawn]

    def takes_a_test(self, topic: str, *, right: bool) -> None:
        """A test, to its end."""
        items = {item.id: item for item in self.bank.items}
        plan = planning.plan_test(self.bank, topic, "me", self.store, 1, self.now).plan
        self.answers(topic, [(items[name], variant) for name, variant in plan], "test", right=right)

    def next(self, **how: object) -> tuple[NextStep, ...]:
        return next_steps(self.bank, "me", self.store, self.now, lessons=self.lessons, **how)  # type: ignore[arg-type]

    def standing(self, topic: str) -> TopicProgress:
        found = progress.of_learner(self.bank, "me", self.store, self.now)
        return next(one for one in found if one.topic == topic)
