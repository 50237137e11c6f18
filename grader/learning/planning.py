"""Sittings as they are planned and taken up again: tests, reviews, what is due. Nothing is asked or printed here."""

from __future__ import annotations

import itertools
import random
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from grader import kinds
from grader.learning import digests, former_ids, practice_plan, records, spaced_repetition, test_plan
from grader.learning.records import Records
from grader.learning.sitting_state import fold
from grader.model import Attempt, Bank, Item, Progress, Sitting, by_name

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
    seen: datetime | None = None
    """When it was answered last."""

    @property
    def is_card(self) -> bool:
        return kinds.of(self.items[0]).TRAITS.is_card


def plan_test(
    bank: Bank, topic: str, learner: str, store: Records, seed: int, now: datetime, mix: int | None = None
) -> Sitting:
    """A new test, drawn by `seed`, options mixed by `mix`: ten questions on a topic, fifteen on a block."""
    topics = bank.members(topic)
    items = [item for item in bank.items if item.topic in topics and "test" in item.modes]
    seen = former_ids.seen(store, learner, items)
    count = test_plan.QUESTIONS if topic in topics else test_plan.OF_A_BLOCK
    drawn = test_plan.draw(items, bank.mistakes, seen, seed, count)
    plan = tuple((item.id, variant) for item, variant in drawn)
    return Sitting(records.new_id(), learner, topic, "test", now, plan, mix, seed)


def practice(
    bank: Bank, topic: str, learner: str, store: Records | None, count: int, now: datetime, seed: int | None = None
) -> list[tuple[Item, int]]:
    """What a practice of a topic asks now: what is due, what is new, what is weak, drawn by `seed` or by chance.

    A newcomer begins with the first questions, in the order in which their author wrote them; so does who has no
    records. Empty where the topic has no questions for practice.
    """
    items = [item for item in bank.items if item.topic == topic and "practice" in item.modes]
    seen = former_ids.seen(store, learner, items) if store else {}
    if store is None or not seen:
        return [(item, item.variant(seed).index) for item in items[:count]]
    skills = [unit.items[0].skill for unit in due(units(bank, store, learner, now, topic), now) if not unit.is_card]
    history = practice_plan.History(seen, store.recent(learner, topic, RECENT), skills)
    drawn_by = secrets.randbits(32) if seed is None else seed
    return practice_plan.plan(items, bank.mistakes, history, drawn_by, count)


def left_test(
    bank: Bank, topic: str, learner: str, store: Records, now: datetime
) -> tuple[Sitting, list[Attempt]] | None:
    """The last test of this topic, where it was not finished, and what was answered of it."""
    sittings = list(store.sittings(learner=learner, topic=topic, mode="test"))
    if not sittings or now - sittings[-1].started > RESUMED_FOR:
        return None
    sitting = sittings[-1]
    answered = list(store.attempts(sitting=sitting.id))
    items = by_name(bank.items)
    same = all(name in items and 0 <= variant < len(items[name].variants) for name, variant in sitting.plan)
    same = same and all(_as_planned(entry, sitting) for entry in answered)
    unchanged = all(
        digests.same(items[entry.item], entry.digest) is not False for entry in answered if entry.item in items
    )
    if len({entry.place for entry in answered}) >= len(sitting.plan) or not (same and unchanged):
        return None
    return sitting, answered


def left(
    bank: Bank, topic: str, mode: str, learner: str, store: Records, now: datetime,
    plan: Sequence[tuple[str, int]] | None = None, *, mixed: bool | None = None,
) -> str | None:  # fmt: skip
    """The last sitting of a topic in a mode that was begun, in whichever face, and not finished; its id.

    With a `plan`, the last of these very questions, their options `mixed` or not, where that has an answer, a draft or
    a hint in it.
    """
    items = by_name(bank.items)
    for sitting in reversed(list(store.sittings(learner=learner, topic=topic, mode=mode))):
        if now - sitting.started > RESUMED_FOR:
            return None
        if plan is None:
            if _goes_on(sitting, store, items):
                return sitting.id
        elif sitting.plan == tuple(plan) and (sitting.shuffle is not None) == mixed:
            if _goes_on(sitting, store, items, with_work=True):
                return sitting.id
            if sitting.ended:
                return None
    return None


def _goes_on(sitting: Sitting, store: Records, items: Mapping[str, Item], *, with_work: bool = False) -> bool:
    """Whether a sitting was begun (`with_work`: more than looked at), is not over, and can go on."""
    logged = store.logged(sitting.id) if sitting.ended is None else None
    if not logged or not (logged.attempts or any(not with_work or event.kind != "asked" for event in logged.events)):
        return False
    state = fold(logged, items)
    return state is not None and not state.over


def _as_planned(attempt: Attempt, sitting: Sitting) -> bool:
    """Whether an answer is to the question that was planned there."""
    return attempt.place < len(sitting.plan) and sitting.plan[attempt.place] == (attempt.item, attempt.variant)


def progress(bank: Bank, topic: str, learner: str, store: Records, now: datetime) -> Progress:
    """How far a learner is; from three queries, however many attempts there are."""
    items = [item for item in bank.items if item.topic == topic and not item.retired]
    grouped = _grouped(bank, topic)
    answered, cards = former_ids.standing(store, learner, items, list(grouped))
    recent = [entry.points for entry in store.recent(learner, topic, RECENT) if entry.points is not None]
    last = store.last_outcomes(learner, topic, "challenge")
    return Progress(
        answered=len(answered),
        recent=sum(recent) / len(recent) if recent else None,
        due=len(due(_units(grouped, cards, now), now)),
        badge=len(last) >= CHALLENGE and all(outcome == "correct" for outcome in last),
    )


# ---------------------------------------------------------------- spaced repetition


def units(bank: Bank, store: Records | None, learner: str, now: datetime, topic: str | None = None) -> list[Unit]:
    """Every skill and card, with what is known of it."""
    grouped = _grouped(bank, topic)
    return _units(grouped, store.cards(learner, list(grouped)) if store else {}, now)


def _grouped(bank: Bank, topic: str | None) -> dict[str, list[Item]]:
    """The items of each unit."""
    grouped: dict[str, list[Item]] = {}
    for item in bank.items:
        if (topic is None or item.topic == topic) and not set(QUESTION_MODES).isdisjoint(item.modes):
            grouped.setdefault(spaced_repetition.unit(item), []).append(item)
    return grouped


def _units(grouped: Mapping[str, Sequence[Item]], cards: Mapping[str, str], now: datetime) -> list[Unit]:
    found = []
    for name, items in grouped.items():
        card = cards.get(name)
        when = spaced_repetition.due(card) if card else None
        known = spaced_repetition.retrievability(card, now) if card else 0.0
        found.append(Unit(name, tuple(items), when, known, spaced_repetition.seen(card) if card else None))
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
    behind: Collection[str] = (),
) -> list[tuple[Item, int]]:
    """What to review: what is due, then `new` units that were never answered, then what is due next (`ahead`).

    Of topics that lie `behind` the learner, nothing is new.

    Each time with an item of the unit that was asked least, and a variant that was not asked before where there is one.
    """
    chance = random.Random(seed)  # noqa: S311  (reproducible, no secret)
    chosen = due(found, now)
    untried = [unit for unit in found if unit.due is None and unit.items[0].topic not in behind]
    unseen = [[unit for unit in untried if unit.is_card is kind] for kind in (False, True)]
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
