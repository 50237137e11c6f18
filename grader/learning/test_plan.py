"""Which ten questions a test asks: easy to hard, over the topic's skills and misunderstandings, with fresh numbers.

Pure: the seed and what was asked before are given. Questions are taken one by one, each the one that adds most to
what is there: a variant that this learner has not met comes first, then misunderstandings that no question so far
could bring to light, main ones before others, then skills that were not asked about. In a test of several topics, the
one that was asked about least comes before these. Chance decides between equals.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence

from grader.model import LEVELS, Item, Mistake

QUESTIONS = 10
OF_A_BLOCK = 15
MAIN = 0.5
"""How much a main misunderstanding itself is worth, beside its family. At 1, tests leave families out too often."""

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
    pool = {level: [item for item in items if item.level == level] for level in LEVELS}
    for level in LEVELS:
        chance.shuffle(pool[level])
    told = {item.id: families(item, mistakes) for item in items}
    rarity = _rarity(told.values())
    covered: set[str] = set()
    skills: dict[str, int] = {}
    topics: dict[str, int] = {}
    taken: dict[str, list[Item]] = {level: [] for level in LEVELS}

    exactly = {item.id: {name for name, _ in item.body.recognized() if name} for item in items}
    main = _main(items, exactly)
    named: set[str] = set()

    def worth(item: Item) -> tuple[int, int, float, int]:
        fresh = len(seen.get(item.id, ())) < len(item.variants)
        light = sum(rarity[name] for name in told[item.id] - covered)
        light += MAIN * sum(main.get(name, 0.0) for name in exactly[item.id] - named)
        return int(fresh), -topics.get(item.topic, 0), light, -skills.get(item.skill, 0)

    for level in _levels(pool, count):
        item = max(pool[level], key=worth)  # the first of equals, and they were shuffled
        pool[level].remove(item)
        taken[level].append(item)
        covered |= told[item.id]
        named |= exactly[item.id]
        skills[item.skill] = skills.get(item.skill, 0) + 1
        topics[item.topic] = topics.get(item.topic, 0) + 1
    drawn = []
    for level in LEVELS:
        for item in taken[level]:
            known = seen.get(item.id, ())
            fresh = [variant.index for variant in item.variants if variant.index not in known]
            drawn.append((item, chance.choice(fresh or [variant.index for variant in item.variants])))
    return drawn


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


def _main(items: Sequence[Item], shows: Mapping[str, Collection[str]]) -> dict[str, float]:
    """The main misunderstandings: those that can show in several items of two kinds. Each with what it is worth.

    The fewer items can show one, the more it is worth to take one of them while they are there.
    """
    found: dict[str, list[str]] = {}
    for item in items:
        for name in shows[item.id]:
            found.setdefault(name, []).append(item.kind)
    return {name: 1 / len(kinds) for name, kinds in found.items() if len(kinds) >= SHOWN and len(set(kinds)) > 1}


def _rarity(told: Collection[frozenset[str]]) -> dict[str, float]:
    """One over the number of items that can show a misunderstanding: the rare ones are taken while they are there."""
    names = {name for entry in told for name in entry}
    return {name: 1 / sum(name in entry for entry in told) for name in names}
