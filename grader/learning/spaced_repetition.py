"""Spaced repetition: when a skill or a card is due again, by the free spaced repetition scheduler (FSRS).

A skill's card moves with every recorded answer to one of its questions, in whichever mode; a fact's card with every
time it is turned over. The state after an answer is kept with the answer, so that nothing has to be replayed.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from grader import kinds
from grader.model import Item, Outcome, Result

if TYPE_CHECKING:
    from fsrs import Scheduler

AGAIN, HARD, GOOD, EASY = 1, 2, 3, 4
"""How well it went, as FSRS counts."""


def unit(item: Item) -> str:
    """What of the learner's memory an item is about: a fact of its own, or a skill."""
    return f"card/{item.first_id}" if kinds.of(item).TRAITS.is_card else f"skill/{item.topic}/{item.skill}"


def rating(result: Result, tries: int) -> int:
    """How well an answer went: right at once, right with help or in part, or not."""
    if result.score.rating:
        return result.score.rating
    if result.score.outcome is Outcome.CORRECT:
        return GOOD if not tries and not result.hints_used else HARD
    return HARD if result.score.outcome is Outcome.PARTLY else AGAIN


@cache
def _scheduler() -> Scheduler:
    from fsrs import Scheduler

    return Scheduler(enable_fuzzing=False)


def after(card: str | None, rated: int, at: datetime) -> str:
    """The state of a card after it was answered; None is a card that never was."""
    from fsrs import Card, Rating

    known = Card.from_dict(json.loads(card)) if card else Card(card_id=0, due=at)
    moved, _ = _scheduler().review_card(known, Rating(rated), at)
    return json.dumps(moved.to_dict())


def due(card: str) -> datetime:
    """When a card should be seen again."""
    return datetime.fromisoformat(json.loads(card)["due"])


def seen(card: str) -> datetime | None:
    """When a card was answered last."""
    last = json.loads(card).get("last_review")
    return datetime.fromisoformat(last) if last else None


def retrievability(card: str, now: datetime) -> float:
    """The chance, in [0, 1], that what is on the card is still known, by FSRS."""
    from fsrs import Card

    return _scheduler().get_card_retrievability(Card.from_dict(json.loads(card)), now)
