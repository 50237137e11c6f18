"""What practice asks: misunderstandings seen lately, what is due, what was never asked, then the weakest skill.

An item that was asked before comes again only once all items of the topic were asked; so many sittings have no question
twice. Skills are mixed, and easier questions come first among those that are new.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from grader.model import LEVELS, Attempt, Item, Mistake

AGAIN = 2
"""Questions of a sitting that ask about misunderstandings which an answer showed lately."""

LATELY = 10
"""So many answers show them: two sittings of five."""


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a learner when a practice is planned."""

    seen: Mapping[str, AbstractSet[int]] = field(default_factory=dict)
    """The variants that were answered, by item."""
    recent: Sequence[Attempt] = ()
    """The last answers of the topic, the newest first."""
    due: Sequence[str] = ()
    """Skills that are due, what is most nearly forgotten first."""


def plan(
    items: Sequence[Item], mistakes: Mapping[str, Mistake], history: History, seed: int, count: int
) -> list[tuple[Item, int]]:
    """The items of a topic to ask, each with a variant: one not asked before where there is one."""
    chance = random.Random(seed)  # noqa: S311  (to be reproduced, not to be secret)
    left = [item for item in items if item.id not in history.seen]
    left = left if len(left) >= count else list(items)
    asked = {item.id: len(history.seen.get(item.id, ())) for item in items}
    last = {attempt.item for attempt in history.recent[:count]}
    order = {item.id: (item.id in last, asked[item.id], LEVELS.index(item.level), chance.random()) for item in left}
    left.sort(key=lambda item: order[item.id])
    chosen: list[Item] = []

    def take(among: Iterable[Item]) -> None:
        used = Counter(item.skill for item in chosen)
        free = [item for item in among if item not in chosen]
        if free and len(chosen) < count:
            chosen.append(min(free, key=lambda item: (used[item.skill], order[item.id])))

    for name in _shown_lately(history.recent)[:AGAIN]:
        exactly = [item for item in left if name in recognized(item)]
        take(exactly or [item for item in left if _same_family(item, name, mistakes)])
    for skill in history.due:
        take(item for item in left if item.skill == skill)
    if not any(item.id not in history.seen for item in left):
        for skill in _weakest(history.recent):
            take(item for item in left if item.skill == skill)
    while len(chosen) < min(count, len(left)):
        take(left)
    return [(item, _variant(item, history.seen.get(item.id, set()), chance)) for item in _mixed(chosen)]


def _shown_lately(recent: Sequence[Attempt]) -> list[str]:
    """The misunderstandings of the last answers, the newest first, each once."""
    return list(dict.fromkeys(attempt.mistake for attempt in recent[:LATELY] if attempt.mistake))


def recognized(item: Item) -> set[str]:
    """The misunderstandings that answers to an item can show."""
    return {mistake for mistake, _ in item.body.recognized() if mistake}


def _same_family(item: Item, name: str, mistakes: Mapping[str, Mistake]) -> bool:
    """Whether an item recognizes another misunderstanding of the same family."""
    family = mistakes[name].family if name in mistakes else ""
    return bool(family) and any(mistakes[one].family == family for one in recognized(item) if one in mistakes)


def _weakest(recent: Sequence[Attempt]) -> list[str]:
    """Skills by their last points, the weakest first."""
    points: dict[str, list[float]] = {}
    for attempt in recent:
        if attempt.points is not None:
            points.setdefault(attempt.skill, []).append(attempt.points)
    return sorted(points, key=lambda skill: sum(points[skill]) / len(points[skill]))


def _mixed(chosen: Sequence[Item]) -> list[Item]:
    """Easier ones first, and two of one skill not one after the other where that can be."""
    left, found = sorted(chosen, key=lambda item: LEVELS.index(item.level)), list[Item]()
    while left:
        other = next((item for item in left if not found or item.skill != found[-1].skill), left[0])
        found.append(other)
        left.remove(other)
    return found


def _variant(item: Item, known: AbstractSet[int], chance: random.Random) -> int:
    fresh = [variant.index for variant in item.variants if variant.index not in known]
    return chance.choice(fresh or [variant.index for variant in item.variants])
