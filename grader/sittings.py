"""Sittings as they are planned and taken up again: tests, reviews, what is due. Nothing is asked or printed here."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from grader import blueprint, digests, records, reviewing
from grader.model import Attempt, Bank, Item, Outcome, Progress, Result, Score, Sitting
from grader.records import Records

RESUMED_FOR = timedelta(days=1)
"""A test that was left may be taken up again for so long."""

NEW = 5
"""So many units that were never answered come into a review."""

RECENT = 50
"""So many answers say how a topic goes now."""

CHALLENGE = 5
"""Problems of a challenge."""

QUESTION_MODES = ("practice", "test", "review")


@dataclass(frozen=True, slots=True)
class Unit:
    """A skill or a card, and when it is due."""

    name: str
    items: tuple[Item, ...]
    due: datetime | None
    """None where it was never answered."""
    known: float = 0.0
    """The chance that it is still known, by FSRS."""

    @property
    def is_card(self) -> bool:
        return self.items[0].kind == "card"


def plan_test(bank: Bank, topic: str, learner: str, store: Records, seed: int, now: datetime) -> Sitting:
    """A new test of ten questions."""
    items = [item for item in bank.items if item.topic == topic and "test" in item.modes]
    seen = store.seen(learner, [item.id for item in items])
    drawn = blueprint.draw(items, bank.mistakes, seen, seed)
    plan = tuple((item.id, variant) for item, variant in drawn)
    return Sitting(records.new_id(), learner, topic, "test", now, plan, seed)


def left_test(
    bank: Bank, topic: str, learner: str, store: Records, now: datetime
) -> tuple[Sitting, list[Attempt]] | None:
    """The last test of this topic, where it was not finished, and what was answered of it."""
    sittings = list(store.sittings(learner=learner, topic=topic, mode="test"))
    if not sittings or now - sittings[-1].started > RESUMED_FOR:
        return None
    sitting = sittings[-1]
    answered = list(store.attempts(sitting=sitting.id))
    items = {item.id: item for item in bank.items}
    same = all(name in items and 0 <= variant < len(items[name].variants) for name, variant in sitting.plan)
    same = same and all(_as_planned(entry, sitting) for entry in answered)
    unchanged = all(
        digests.same(items[entry.item], entry.digest) is not False for entry in answered if entry.item in items
    )
    if len({entry.place for entry in answered}) >= len(sitting.plan) or not (same and unchanged):
        return None
    return sitting, answered


def _as_planned(attempt: Attempt, sitting: Sitting) -> bool:
    """Whether an answer is to the question that was planned there."""
    return attempt.place < len(sitting.plan) and sitting.plan[attempt.place] == (attempt.item, attempt.variant)


def result_of(attempt: Attempt, item: Item) -> Result:
    """An answer on record, as far as it is needed for a verdict."""
    score = Score(Outcome(attempt.outcome), attempt.points, attempt.mistake)
    return Result(item, item.variants[attempt.variant], attempt.response, score, None, attempt.hints)


def progress(bank: Bank, topic: str, learner: str, store: Records, now: datetime) -> Progress:
    """How far a learner is; from a few look-ups, however many attempts there are."""
    items = [item.id for item in bank.items if item.topic == topic]
    recent = [entry.points for entry in store.recent(learner, topic, RECENT) if entry.points is not None]
    challenges = list(store.sittings(learner=learner, topic=topic, mode="challenge"))
    last = list(store.attempts(sitting=challenges[-1].id)) if challenges else []
    return Progress(
        answered=len(store.seen(learner, items)),
        recent=sum(recent) / len(recent) if recent else None,
        due=len(due(units(bank, store, learner, now, topic), now)),
        badge=len(last) >= CHALLENGE and all(entry.outcome == "correct" for entry in last),
    )


# ---------------------------------------------------------------- spaced repetition


def units(bank: Bank, store: Records | None, learner: str, now: datetime, topic: str | None = None) -> list[Unit]:
    """Every skill and card, with what is known of it."""
    grouped: dict[str, list[Item]] = {}
    for item in bank.items:
        if (topic is None or item.topic == topic) and not set(QUESTION_MODES).isdisjoint(item.modes):
            grouped.setdefault(reviewing.unit(item), []).append(item)
    cards = store.cards(learner, list(grouped)) if store else {}
    found = []
    for name, items in grouped.items():
        card = cards.get(name)
        when = reviewing.due(card) if card else None
        known = reviewing.retrievability(card, now) if card else 0.0
        found.append(Unit(name, tuple(items), when, known))
    return found


def due(found: Sequence[Unit], now: datetime) -> list[Unit]:
    """The units that are due, what is most nearly forgotten first."""
    return sorted((unit for unit in found if unit.due and unit.due <= now), key=lambda unit: unit.known)


def plan_review(
    found: Sequence[Unit],
    seen: Mapping[str, set[int]],
    now: datetime,
    seed: int,
    count: int,
    new: int = NEW,
    *,
    ahead: bool = False,
) -> list[tuple[Item, int]]:
    """What to review: what is due, then `new` units that were never answered, then what is due next (`ahead`).

    Each time with an item of the unit that was asked least, and a variant that was not asked before where there is one.
    """
    chance = random.Random(seed)  # noqa: S311  (reproducible, no secret)
    chosen = due(found, now)
    unseen = [[unit for unit in found if unit.due is None and unit.is_card is kind] for kind in (False, True)]
    chosen += [unit for pair in itertools.zip_longest(*unseen) for unit in pair if unit][:new]
    if ahead:
        chosen += sorted((unit for unit in found if unit.due and unit.due > now), key=lambda unit: unit.due or now)
    drawn = []
    for unit in chosen[:count]:
        share = {item.id: len(seen.get(item.id, ())) / len(item.variants) for item in unit.items}
        least = min(share.values())
        item = chance.choice([item for item in unit.items if share[item.id] == least])
        known = seen.get(item.id, set())
        fresh = [variant.index for variant in item.variants if variant.index not in known]
        drawn.append((item, chance.choice(fresh or [variant.index for variant in item.variants])))
    return drawn
