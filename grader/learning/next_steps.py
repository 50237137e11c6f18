"""What a learner should do next, decided here for every face; a face only words it.

What was begun comes first, then what is due, then the topic that the learner is at: read, practice, test, and on to the
next one when it holds. Once all topics of a block hold, the test of the block. A topic that the learner was placed
behind is not come back to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from grader.learning import planning, progress, test_plan, verdict
from grader.learning.progress import TopicProgress
from grader.learning.records import Records
from grader.learning.sitting_state import fold
from grader.model import Attempt, Bank, by_name

BEFORE_A_TEST = 10
"""Answers of a topic after which a test says something, and after which it is worth another one."""

REST = timedelta(hours=8)
"""What was asked less long ago is not named for review: practice asks it again in the same sitting of learning."""


class Why(StrEnum):
    """Why something is to be done."""

    LEFT = "left"
    """It was begun and not finished."""
    DUE = "due"
    NEW = "new"
    """Nothing of the topic was answered yet."""
    BEGUN = "begun"
    READY = "ready"
    """Enough was answered, and right."""
    BLOCK = "block"
    """All topics of a block hold."""
    WEAK = "weak"
    LATER = "later"
    """It is not due yet."""
    AHEAD = "ahead"
    """All holds and nothing is due."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do, and why."""

    do: Literal["learn", "practice", "test", "review"]
    why: Why
    topic: str = ""
    """Of a test also a block. Empty for all topics."""
    title: str = ""
    count: int = 0
    """Questions that are left of what was begun; skills and cards that are due; questions never asked yet."""
    skill: str = ""
    """The weakest, in words."""
    when: datetime | None = None
    """When it is due, where that is later."""


def next_steps(
    bank: Bank,
    learner: str,
    store: Records | None,
    now: datetime,
    *,
    at: str = "",
    begun: bool = False,
    lessons: Collection[str] = (),
    most: int = 2,
) -> tuple[NextStep, ...]:
    """The best thing to do next, then at most `most - 1` others; at least one where the bank has a topic.

    `at` is the topic that the learner comes from, which may be a block; with `begun` it has just been read or
    practiced, whatever is on record of it. `lessons` are the topics that can be read. Without a `store` nothing is on
    record.
    """
    topics = progress.of_learner(bank, learner, store, now)
    found: dict[tuple[str, str], NextStep] = {}
    for step in _steps(bank, learner, store, now, topics, at, begun):
        can = _readable(step, lessons)
        found.setdefault((can.do, can.topic), can)
    return tuple(found.values())[:most]


def _readable(step: NextStep, lessons: Collection[str]) -> NextStep:
    """A step that can be taken: a topic without a lesson is begun by its practice."""
    if step.do == "learn" and step.topic not in lessons:
        return NextStep("practice", step.why, step.topic, step.title, step.count)
    return step


def _steps(
    bank: Bank,
    learner: str,
    store: Records | None,
    now: datetime,
    topics: Sequence[TopicProgress],
    at: str,
    begun: bool,
) -> Iterator[NextStep]:
    """All that could be done, the best first; the same thing may come twice."""
    if not topics:
        return
    by_name = {one.topic: one for one in topics}
    own = [by_name[name] for name in bank.members(at)]
    first = next((one for one in topics if not one.holds), topics[0])
    last = max((one for one in topics if one.last), key=lambda one: one.last or now, default=first)
    here = next((one for one in own if not one.holds), own[0]) if own else last
    if store:
        yield from _left_tests(bank, learner, store, now, {one.topic: one.placed for one in topics if one.placed})
        yield from _left_practice(bank, here, learner, store, now) if not here.placed else ()
        yield from _due(bank, learner, store, now)
    yield from _of_topic(here, begun=begun and bool(own))
    if store:
        yield from _of_blocks(bank, learner, store, by_name)
    for other in topics:
        if other is not here and not other.holds:
            yield next(_of_topic(other))
            break
    following = min((one.next_due for one in topics if one.next_due), default=None)
    strong = all(one.holds for one in topics)
    if due := sum(one.due for one in topics):
        yield NextStep("review", Why.DUE, count=due)
    elif strong or following:
        yield NextStep("review", Why.AHEAD if strong else Why.LATER, when=following)


def _left_tests(
    bank: Bank, learner: str, store: Records, now: datetime, placed: Mapping[str, datetime]
) -> Iterator[NextStep]:  # fmt: skip
    """The tests that were left, but for those of topics that the learner was `placed` behind in the meantime."""
    titles = {block.name: block.title for block in bank.about.blocks} | {one.name: one.title for one in bank.topics}
    recent = [one for one in store.sittings(learner=learner, mode="test") if now - one.started <= planning.RESUMED_FOR
              and not (one.topic in placed and one.started < placed[one.topic])]  # fmt: skip
    for name in dict.fromkeys(one.topic for one in reversed(recent)):
        if name in titles and (left := planning.left_test(bank, name, learner, store, now)):
            sitting, answers = left
            open_now = len(sitting.plan) - len({one.place for one in answers})
            yield NextStep("test", Why.LEFT, name, titles[name], open_now)


def _left_practice(
    bank: Bank, one: TopicProgress, learner: str, store: Records, now: datetime
) -> Iterator[NextStep]:  # fmt: skip
    """The practice of a topic that was left after an answer or more."""
    left = planning.left(bank, one.topic, "practice", learner, store, now)
    logged = store.logged(left) if left else None
    if logged and logged.attempts and (state := fold(logged, by_name(bank.items))):
        open_now = sum(not state.at(place).final("practice") for place in range(len(state.shown)))
        yield NextStep("practice", Why.LEFT, one.topic, one.title, open_now)


def _due(bank: Bank, learner: str, store: Records, now: datetime) -> Iterator[NextStep]:
    """A review of what is due and was not asked a moment ago."""
    rested = [unit for unit in planning.due(planning.units(bank, store, learner, now), now)
              if unit.seen and now - unit.seen >= REST]  # fmt: skip
    if rested:
        yield NextStep("review", Why.DUE, count=len(rested))


def _of_blocks(bank: Bank, learner: str, store: Records, topics: Mapping[str, TopicProgress]) -> Iterator[NextStep]:
    """The tests of blocks whose topics all hold, not only by a placement.

    Where the last one was not strong, first the practice of the topic that went worst in it.
    """
    for block in bank.about.blocks:
        own = [topics[name] for name in bank.members(block.name)]
        if len(own) < 2 or not all(one.holds for one in own) or all(one.verdict != "strong" for one in own):
            continue
        answers = progress.last_test(learner, block.name, store)
        if (word := progress.word(answers)) == "strong":
            continue
        test = NextStep("test", Why.BLOCK, block.name, block.title, test_plan.OF_A_BLOCK)
        if word and not any(one.last and one.last > answers[-1].at for one in own):
            worst = min(own, key=lambda one: _share(answers, one.topic))
            yield NextStep("practice", Why.WEAK, worst.topic, worst.title, worst.items - worst.answered)
        yield test


def _share(answers: Sequence[Attempt], topic: str) -> float:
    """The mean of the points that a topic got in a test; 1 where it was not asked about."""
    points = [one.points for one in answers if one.topic == topic and one.points is not None]
    return sum(points) / len(points) if points else 1.0


def _of_topic(one: TopicProgress, *, begun: bool = False) -> Iterator[NextStep]:
    """What to do in a topic, the best first."""
    if one.holds:
        return
    unseen = one.items - one.answered
    weakest = one.weakest.words if one.weakest else ""
    if not one.begun and not begun:
        yield NextStep("learn", Why.NEW, one.topic, one.title, unseen)
        yield NextStep("practice", Why.NEW, one.topic, one.title, unseen)
        return
    practice = NextStep("practice", Why.WEAK if weakest else Why.BEGUN, one.topic, one.title, unseen, weakest)
    enough = one.since_test >= min(BEFORE_A_TEST, one.items)
    test = NextStep("test", Why.READY if enough else Why.BEGUN, one.topic, one.title)
    yield from (test, practice) if enough and (one.recent or 0) >= verdict.ENOUGH else (practice, test)
