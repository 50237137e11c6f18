"""How far a learner is: by topic, by skill and by misconception, and what is due. Data; faces put it into words.

A skill is judged by its last answers with the model of `verdict`: nothing is known of it before, each answer counts.
A misconception is one that an answer showed; it is gone once enough later questions that can show it were answered
correctly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from grader.learning import former_ids, placement, planning, practice_plan, verdict
from grader.learning.record_rows import data_of
from grader.learning.records import Records
from grader.model import Attempt, Bank, Item, Mistake, Topic, by_name

LAST = 200
"""So many answers of a topic are looked at, the newest."""

OF_A_SKILL = 10
"""So many of them say how a skill goes now."""

HOLDS, GETTING_THERE = 0.75, 0.5
"""The chance of a right answer from which on a skill holds (two of two), or is getting there."""

GONE = 2
"""Correct answers to questions that can show a misconception, after which it is gone."""


class Standing(StrEnum):
    """How a skill goes."""

    NEW = "new"
    NOT_YET = "not yet"
    GETTING_THERE = "getting there"
    HOLDS = "holds"


@dataclass(frozen=True, slots=True)
class SkillProgress:
    """One skill of a topic."""

    skill: str
    words: str
    """The skill as its topic words it."""
    standing: Standing
    asked: int
    """Questions that were answered, of the newest `LAST`."""
    chance: float
    """Of a right answer, in (0, 1); 0.5 where nothing was asked."""
    due: datetime | None
    """None where it was never asked."""


@dataclass(frozen=True, slots=True)
class MisconceptionProgress:
    """One misconception that answers of a topic showed."""

    mistake: str
    says: str
    times: int
    last: datetime
    avoided: int
    """Questions since then that can show it, and were answered correctly."""

    @property
    def gone(self) -> bool:
        return self.avoided >= GONE


@dataclass(frozen=True, slots=True)
class TopicProgress:
    """One topic, as far as a learner is with it."""

    topic: str
    title: str
    items: int
    answered: int
    """Items that were asked at least once."""
    skills: tuple[SkillProgress, ...]
    misconceptions: tuple[MisconceptionProgress, ...]
    """Those that are not gone first, the newest first."""
    verdict: str | None
    """Of the last test that was finished: a word of `verdict.word`."""
    since_test: int
    """Answers after that test, or all of them."""
    recent: float | None
    """The mean of the points of the last `OF_A_SKILL` answers, in [0, 1]."""
    due: int
    """Skills and cards that are due."""
    next_due: datetime | None
    """When the first of those that are not due will be."""
    last: datetime | None
    """When anything of it was answered last, but for questions that say where to begin."""
    placed: datetime | None = None
    """When questions on where to begin said that it holds; None where a test has been finished since, or never."""

    @property
    def begun(self) -> bool:
        """Whether anything of it was answered to learn it."""
        return self.last is not None

    @property
    def holds(self) -> bool:
        """Whether nothing more is to be done in it: a test says so, or the learner was placed behind it."""
        return self.verdict == "strong" or self.placed is not None

    @property
    def holding(self) -> int:
        return sum(skill.standing is Standing.HOLDS for skill in self.skills)

    @property
    def share(self) -> float:
        """How much of the topic holds, in [0, 1]: skills that are getting there count half."""
        half = sum(skill.standing is Standing.GETTING_THERE for skill in self.skills) / 2
        return (self.holding + half) / len(self.skills) if self.skills else 0.0

    @property
    def weakest(self) -> SkillProgress | None:
        """The skill that goes worst of those that were asked and do not hold."""
        asked = [skill for skill in self.skills if skill.standing not in (Standing.NEW, Standing.HOLDS)]
        return min(asked, key=lambda skill: skill.chance, default=None)


def of_learner(bank: Bank, learner: str, store: Records | None, now: datetime) -> tuple[TopicProgress, ...]:
    """Every topic of the bank, in the order in which they are to be learned; without records nothing is known."""
    units = planning.units(bank, store, learner, now)
    placed = placements(learner, store) if store else {}
    return tuple(_of_topic(bank, topic, learner, store, units, now, placed.get(topic.name)) for topic in in_order(bank))


def in_order(bank: Bank) -> list[Topic]:
    """The topics of the blocks in their order, then the others."""
    places = {name: place for place, name in enumerate(name for block in bank.about.blocks for name in block.topics)}
    return sorted(bank.topics, key=lambda topic: places.get(topic.name, len(places)))


def placements(learner: str, store: Records) -> dict[str, tuple[bool, datetime]]:
    """Whether each topic that was settled by questions on where to begin holds, and when that was; the last ones count.

    A damaged event raises RecordsError.
    """
    sittings = [one.id for one in store.sittings(learner=learner, mode=placement.MODE) if one.ended]
    found: dict[str, tuple[bool, datetime]] = {}
    ends = [event for event in store.events(sittings) if event.kind == "finished"] if sittings else []
    for event in sorted(ends, key=lambda one: one.at):
        topics = data_of(event).get("topics")
        for name, holds in topics.items() if isinstance(topics, dict) else ():
            found[name] = holds is True, event.at
    return found


def placed_out(bank: Bank, learner: str, store: Records) -> set[str]:
    """The topics that the learner was placed behind, and has not finished a test of since."""
    names = {topic.name for topic in bank.topics}
    return {
        name
        for name, (holds, at) in placements(learner, store).items()
        if holds and name in names and not _after(last_test(learner, name, store), at)
    }


def _after(test: Sequence[Attempt], at: datetime) -> bool:
    return bool(test) and test[-1].at > at


def _of_topic(
    bank: Bank, topic: Topic, learner: str, store: Records | None, units: Sequence[planning.Unit], now: datetime,
    placed: tuple[bool, datetime] | None,
) -> TopicProgress:  # fmt: skip
    mine = [unit for unit in units if unit.items[0].topic == topic.name]
    attempts = _last_tries(store.recent(learner, topic.name, LAST)) if store else []
    seen = former_ids.seen(store, learner, topic.asked) if store and attempts else {}
    learned = [one for one in attempts if one.mode != placement.MODE]
    points = [one.points for one in learned if one.points is not None][:OF_A_SKILL]
    test = last_test(learner, topic.name, store) if store and attempts else []
    known = [unit.due for unit in mine if unit.due]
    return TopicProgress(
        topic=topic.name,
        title=topic.title,
        items=len(topic.asked),
        answered=len(seen),
        skills=_skills(topic, attempts, {unit.name: unit.due for unit in mine}),
        misconceptions=_misconceptions(topic.items, bank.mistakes, attempts),
        verdict=word(test),
        since_test=sum(not test or one.at > test[-1].at for one in learned),
        recent=sum(points) / len(points) if points else None,
        due=sum(when <= now for when in known),
        next_due=min((when for when in known if when > now), default=None),
        last=learned[0].at if learned else None,
        placed=placed[1] if placed and placed[0] and not _after(test, placed[1]) else None,
    )


def _last_tries(attempts: Sequence[Attempt]) -> list[Attempt]:
    """The last answer to each question of each sitting; the newest first, as they are given."""
    found: dict[tuple[str, int], Attempt] = {}
    for one in attempts:
        found.setdefault((one.sitting, one.place), one)
    return list(found.values())


def _skills(topic: Topic, attempts: Sequence[Attempt], due: Mapping[str, datetime | None]) -> tuple[SkillProgress, ...]:
    found = []
    for name in dict.fromkeys(item.skill for item in topic.asked):
        points = [one.points for one in attempts if one.skill == name and one.points is not None]
        latest = points[:OF_A_SKILL]
        chance = (1 + sum(latest)) / (2 + len(latest))
        standing = Standing.NOT_YET if latest else Standing.NEW
        if latest and chance >= GETTING_THERE:
            standing = Standing.HOLDS if chance >= HOLDS else Standing.GETTING_THERE
        when = due.get(f"skill/{topic.name}/{name}")
        words = topic.skill(name)
        words = words.replace("-", " ") if words == name else words
        found.append(SkillProgress(name, words, standing, len(points), chance, when))
    return tuple(found)


def _misconceptions(
    items: Sequence[Item], mistakes: Mapping[str, Mistake], attempts: Sequence[Attempt]
) -> tuple[MisconceptionProgress, ...]:
    shows = {name: practice_plan.recognized(item) for name, item in by_name(items).items()}
    found = []
    for name in dict.fromkeys(one.mistake for one in attempts if one.mistake in mistakes):
        assert name is not None
        first = next(place for place, one in enumerate(attempts) if one.mistake == name)
        avoided = [one for one in attempts[:first] if one.outcome == "correct" and name in shows.get(one.item, ())]
        times = sum(one.mistake == name for one in attempts)
        found.append(MisconceptionProgress(name, mistakes[name].says, times, attempts[first].at, len(avoided)))
    return tuple(sorted(found, key=lambda one: one.gone))


def last_test(learner: str, topic: str, store: Records) -> list[Attempt]:
    """The answers of the last test of a topic or a block that was finished, oldest first; empty where there is none."""
    for sitting in reversed(list(store.sittings(learner=learner, topic=topic, mode="test"))):
        answers = list(store.attempts(sitting=sitting.id))
        if answers and len({one.place for one in answers}) >= len(sitting.plan):
            return answers
    return []


def word(test: Sequence[Attempt]) -> str | None:
    """The verdict of a test in a word; None where nothing of it was judged."""
    points = [one.points for one in test if one.points is not None]
    return verdict.word(verdict.belief(sum(points), len(points))[2]) if points else None
