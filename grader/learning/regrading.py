"""Answers on record, judged once more by an item that was corrected after they were given."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from grader.errors import InputError
from grader.learning import digests
from grader.learning.sitting import Sittings
from grader.model import Attempt, Item, Outcome, Regrade, Variant

JUDGED = (Outcome.CORRECT.value, Outcome.PARTLY.value, Outcome.INCORRECT.value)


def stale(item: Item, answers: Iterable[Attempt]) -> list[Attempt]:
    """The answers that were judged by an earlier form of the item, and can be judged by this one."""
    return [one for one in _of_before(item, answers) if _variant(item, one)]


def lost(item: Item, answers: Iterable[Attempt]) -> int:
    """How many were given to an earlier form with numbers, or of a kind, that the item does not have any more."""
    return sum(_variant(item, one) is None for one in _of_before(item, answers))


def _of_before(item: Item, answers: Iterable[Attempt]) -> list[Attempt]:
    judged = [one for one in answers if one.outcome in JUDGED and one.response is not None]
    changed = {digest for digest in {one.digest for one in judged} if digests.same(item, digest) is False}
    return [one for one in judged if one.digest in changed]


def _variant(item: Item, answer: Attempt) -> Variant | None:
    """The variant with the numbers that an answer was given to."""
    wanted = json.loads(answer.params)
    same_kind = [item.kind] == [answer.kind]
    numbered = (variant for variant in item.variants if json.loads(json.dumps(dict(variant.values))) == wanted)
    return next(numbered, None) if same_kind else None


def judged_now(item: Item, answer: Attempt, sittings: Sittings, now: datetime) -> Regrade:
    """What an answer of `stale` is worth now. Raises InputError where that cannot be found out."""
    variant = _variant(item, answer)
    assert variant
    result = sittings.judge_again(item, variant, answer)
    if result.score.outcome.value not in (*JUDGED, Outcome.UNREADABLE.value):
        raise InputError(f"an answer to `{item.id}` could not be run", "try it once more; `grader doctor` may say why")
    unread = result.score.outcome is Outcome.UNREADABLE
    score = result.score
    return Regrade(
        answer.id, now, digests.claims(item), answer.outcome if unread else score.outcome.value,
        answer.points if unread else score.points, answer.mistake if unread else score.mistake,
    )  # fmt: skip
