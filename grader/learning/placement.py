"""Where a learner should begin: at most ten questions, each drawn by the answers before it. Pure.

A topic holds after two right answers before two wrong ones, and does not after two wrong ones. What a topic needs holds
where it does; what needs it does not hold where it does not. So the next topic asked about is the one that settles most
others whichever way it goes, and a block is placed without a question on each of its topics. Once it is known where to
begin, only the other topics of that block are asked about. What was not settled does not hold: nobody is sent past
something that they may not know.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader import kinds
from grader.judging.bodies import claimed
from grader.model import Bank, Item

MODE = "place"
"""Of a sitting that places."""

QUESTIONS = 10
"""At most this many."""

ENOUGH = 2
"""So many right answers, or wrong ones, settle a topic."""

LEVELS = ("medium", "easy", "hard")
"""In this order the questions of a topic are drawn: one of medium level tells most."""

Answer = tuple[Item, float]
"""A question, and its points in [0, 1]; what was skipped has none."""


@dataclass(frozen=True, slots=True)
class TopicPlacement:
    """What is known of one topic."""

    topic: str
    title: str
    right: int
    asked: int
    holds: bool | None
    """None where it was not settled."""
    by: str = ""
    """The topic that settled it; empty where its own answers did."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where to begin."""

    topics: tuple[TopicPlacement, ...]
    """In the order in which they are to be learned."""

    @property
    def begin(self) -> str | None:
        """The first topic that is not known to hold; None where all do."""
        return next((one.topic for one in self.topics if not one.holds), None)

    @property
    def data(self) -> dict[str, Any]:
        """As it stands on record: the topics that were settled, and where to begin."""
        return {"begin": self.begin, "topics": {one.topic: one.holds for one in self.topics if one.holds is not None}}


def place(bank: Bank, name: str, answers: Sequence[Answer]) -> Placement:
    """What answers to questions on a block, or on all topics (no name), say of each topic."""
    topics = [topic for topic in bank.topics if not name or topic.name in bank.members(name)]
    right = Counter(item.topic for item, points in answers if points == 1)
    asked = Counter(item.topic for item, _ in answers)
    needs = _needs(bank, [topic.name for topic in topics])
    known: dict[str, tuple[bool, str]] = {}
    for topic in topics:
        if right[topic.name] >= ENOUGH or asked[topic.name] - right[topic.name] >= ENOUGH:
            known[topic.name] = right[topic.name] >= ENOUGH, ""
    for by, (holds, _) in list(known.items()):
        for other in needs[by] if holds else [one for one in needs if by in needs[one]]:
            known.setdefault(other, (holds, by))
    settled = {topic.name: known.get(topic.name, (None, "")) for topic in topics}
    return Placement(
        tuple(
            TopicPlacement(one.name, one.title, right[one.name], asked[one.name], *settled[one.name]) for one in topics
        )
    )


def following(bank: Bank, name: str, answers: Sequence[Answer], seed: int) -> tuple[Item, int] | None:
    """The next question and its variant; None where nothing more can be settled."""
    found = place(bank, name, answers)
    left = QUESTIONS - len(answers)
    chance = random.Random(f"{seed}\0{len(answers)}")  # noqa: S311  (reproducible, no secret)
    used = {item.id for item, _ in answers}
    pool: dict[str, list[Item]] = {}
    for item in bank.items:
        if item.id not in used and can_place(item):
            pool.setdefault(item.topic, []).append(item)
    open_now = [one for one in found.topics if one.holds is None and len(pool.get(one.topic, ())) + one.right >= ENOUGH]
    begun = [one for one in open_now if one.asked]
    near = _near(bank, found)
    able = [one.topic for one in begun or open_now if ENOUGH - one.right <= left and one.topic in near]
    if not able:
        return None
    unknown = {one.topic for one in found.topics if one.holds is None}
    needs = _needs(bank, [one.topic for one in found.topics])
    topic = able[0] if left < 2 * ENOUGH else _most_telling(able, unknown, needs)
    skills = Counter(item.skill for item, _ in answers)
    order = {item.id: chance.random() for item in pool[topic]}
    item = min(pool[topic], key=lambda one: (skills[one.skill], LEVELS.index(one.level), _guessed(one), order[one.id]))
    return item, chance.choice(item.variants).index


def _near(bank: Bank, found: Placement) -> set[str]:
    """The topics that are still worth a question: once it is known where to begin, the others of that block."""
    begin = next((one for one in found.topics if not one.holds), None)
    block = next((one.topics for one in bank.about.blocks if begin and begin.topic in one.topics), ())
    known = begin is not None and begin.holds is False
    return {one.topic for one in found.topics if not known or one.topic in block}


def can_place(item: Item) -> bool:
    """Whether an item may be asked: one that a test asks, and that is answered without writing code."""
    traits = kinds.of(item).TRAITS
    return "test" in item.modes and not traits.is_card and not traits.runs_code


def _guessed(item: Item) -> bool:
    """Whether one of a few options is right: chance alone picks it now and then."""
    return sum(option.key for option in claimed(item).options) == 1


def _most_telling(able: Iterable[str], unknown: set[str], needs: Mapping[str, set[str]]) -> str:
    """The topic that settles most topics whichever way it goes; the first of equals."""

    def settled(topic: str) -> tuple[int, int]:
        held = len(unknown & {topic, *needs[topic]})
        missed = len(unknown & {topic, *(one for one in needs if topic in needs[one])})
        return min(held, missed), held + missed

    return max(able, key=settled)


def _needs(bank: Bank, names: Sequence[str]) -> dict[str, set[str]]:
    """For each of these topics those of them that it needs, directly or through others."""
    direct = {topic.name: set(topic.needs) for topic in bank.topics}

    def all_of(name: str, seen: frozenset[str]) -> set[str]:
        found = direct.get(name, set()) - seen
        return found.union(*(all_of(one, seen | found) for one in found))

    return {name: (all_of(name, frozenset([name])) - {name}) & set(names) for name in names}
