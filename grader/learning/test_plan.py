"""Which ten questions a test asks: easy to hard, over the topic's skills and misunderstandings, with fresh numbers.

Pure: the seed and what was asked before are given. Questions are taken one by one, each the one that adds most to
what is there: a variant that this learner has not met comes first, then misunderstandings that no question so far
could bring to light, then skills that were not asked about. In a test of several topics, the one that was asked about
least comes before these. How much a misunderstanding counts is moved by chance; of several tests that come of it, the
one that can show most is asked.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from grader.model import LEVELS, Item, Mistake

QUESTIONS = 10
OF_A_BLOCK = 15
ATTEMPTS = 12
"""A test is filled in so many ways, and the best is asked: one leaves out the same misunderstandings each time."""

TASTE = 0.9
"""How far chance moves what a misunderstanding counts: tests differ, and an item that helps less has its turn."""

MAIN = (1.0, 2.0, 4.0, 8.0)
"""How much a main misunderstanding itself counts beside its family: which is best depends on the topic."""

OF_MAIN = 3
"""And how much in the choice among whole tests."""

SHOWN = 3
"""A main misunderstanding can show in so many items."""

PER_LEVEL = {"easy": 3, "medium": 4, "hard": 3}


def families(item: Item, mistakes: Mapping[str, Mistake]) -> frozenset[str]:
    """The misunderstandings that an answer to an item can show: families of its mistakes, or the mistake itself."""
    named = {name for name, _ in item.body.recognized() if name}
    return frozenset((mistakes[name].family or name) if name in mistakes else name for name in named)


def draw(
    items: Sequence[Item],
    mistakes: Mapping[str, Mistake],
    seen: Mapping[str, Collection[int]],
    seed: int,
    count: int = QUESTIONS,
) -> list[tuple[Item, int]]:
    """Items and variants for a test, easy ones first. `seen` has the variants of each item that were asked before."""
    chance = random.Random(seed)  # noqa: S311  (reproducible, no secret)
    shown = _Shown.by(items, mistakes)
    pool = {level: [item for item in items if item.level == level] for level in LEVELS}
    levels = _levels(pool, count)
    old = {item.id for item in items if len(seen.get(item.id, ())) >= len(item.variants)}
    attempts = [_attempt(pool, levels, shown, old, chance, MAIN[turn % len(MAIN)]) for turn in range(ATTEMPTS)]
    taken = max(attempts, key=lambda found: (-sum(item.id in old for item in found), shown.worth(found)))
    drawn = []
    for item in sorted(taken, key=lambda item: LEVELS.index(item.level)):
        known = seen.get(item.id, ())
        fresh = [variant.index for variant in item.variants if variant.index not in known]
        drawn.append((item, chance.choice(fresh or [variant.index for variant in item.variants])))
    return drawn


@dataclass(frozen=True)
class _Shown:
    """What answers to the items can show."""

    families: Mapping[str, frozenset[str]]
    """By item."""
    named: Mapping[str, frozenset[str]]
    """By item: the misunderstandings themselves."""
    rarity: Mapping[str, float]
    """One over the number of items that can show a family: the rare ones are taken while they are there."""
    main: Mapping[str, float]
    """The same for main misunderstandings: those that can show in several items of two kinds."""

    @classmethod
    def by(cls, items: Sequence[Item], mistakes: Mapping[str, Mistake]) -> _Shown:
        told = {item.id: families(item, mistakes) for item in items}
        named = {item.id: frozenset(name for name, _ in item.body.recognized() if name) for item in items}
        counts = Counter(name for entry in told.values() for name in entry)
        kinds: dict[str, list[str]] = {}
        for item in items:
            for name in named[item.id]:
                kinds.setdefault(name, []).append(item.kind)
        main = {name: 1 / len(found) for name, found in kinds.items() if len(found) >= SHOWN and len(set(found)) > 1}
        return cls(told, named, {name: 1 / number for name, number in counts.items()}, main)

    def worth(self, items: Sequence[Item]) -> int:
        """Of a whole test: how much it can bring to light."""
        main = set().union(*(self.named[item.id] for item in items)) & self.main.keys()
        told = set().union(*(self.families[item.id] for item in items))
        return OF_MAIN * len(main) + len(told)


def _attempt(
    pool: Mapping[str, Sequence[Item]],
    levels: Sequence[str],
    shown: _Shown,
    old: Collection[str],
    chance: random.Random,
    main_counts: float,
) -> list[Item]:
    """One way to fill a test, with a taste that chance gave it."""
    left = {level: chance.sample(pool[level], len(pool[level])) for level in LEVELS}
    favor = {name: light * chance.uniform(1 - TASTE, 1 + TASTE) for name, light in shown.rarity.items()}
    favor_main = {
        name: main_counts * light * chance.uniform(1 - TASTE, 1 + TASTE) for name, light in shown.main.items()
    }
    told: set[str] = set()
    named: set[str] = set()
    skills: Counter[tuple[str, str]] = Counter()
    topics: Counter[str] = Counter()

    def turn(item: Item) -> tuple[bool, int]:
        return item.id in old, topics[item.topic]

    def worth(item: Item) -> tuple[float, int]:
        light = sum(favor[name] for name in shown.families[item.id] - told)
        light += sum(favor_main.get(name, 0.0) for name in shown.named[item.id] - named)
        return light, -skills[item.topic, item.skill]

    taken = []
    for level in levels:
        first = min(map(turn, left[level]))
        item = max((item for item in left[level] if turn(item) == first), key=worth)
        left[level].remove(item)
        taken.append(item)
        told |= shown.families[item.id]
        named |= shown.named[item.id]
        skills[item.topic, item.skill] += 1
        topics[item.topic] += 1
    return taken


def _levels(pool: Mapping[str, Sequence[Item]], count: int) -> list[str]:
    """The level of each question, in turns; where a level has too few items, the others stand in."""
    left = {level: min(PER_LEVEL[level] * count // QUESTIONS, len(pool[level])) for level in LEVELS}
    spare = {level: len(pool[level]) - left[level] for level in LEVELS}
    while sum(left.values()) < count and any(spare.values()):
        level = max(("medium", "easy", "hard"), key=lambda name: spare[name] > 0)
        left[level] += 1
        spare[level] -= 1
    turns = []
    while any(left.values()):
        for level in LEVELS:
            if left[level]:
                turns.append(level)
                left[level] -= 1
    return turns
