"""What the records have of one learner, remembered until anything is written: every page asks for some of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from grader.learning import former_ids, planning, spaced_repetition
from grader.learning.recorder import now
from grader.model import Attempt, Bank, Item, Sitting

if TYPE_CHECKING:
    from grader.learning.records import Records

MOST_KNOWN = 500
"""So many things that the records have are remembered, until something is written."""

DUE_SECONDS = 30.0
"""For so long the number of what is due, which every page shows, is not counted again."""

Found = TypeVar("Found")


class Remembered:
    """One learner, as far as the records know them."""

    learner: str

    def __init__(self) -> None:
        self._due: tuple[float, frozenset[str]] | None = None
        self._known: dict[object, tuple[object, float, Any]] = {}

    @property
    def bank(self) -> Bank:
        """What can be asked."""
        raise NotImplementedError

    @property
    def records(self) -> Records | None:
        """None where they cannot be opened."""
        raise NotImplementedError

    def known(self, what: object, find: Callable[[Records], Found], none: Found) -> Found:
        """What the records have of the learner, looked up again once anything was written; else `none`."""
        if (store := self.records) is None:
            return none
        stamp = store.stamp()
        kept = self._known.get(what)
        if kept and stamp is not None and kept[0] == stamp and time.monotonic() - kept[1] < DUE_SECONDS:
            return cast("Found", kept[2])
        found = find(store)
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        self._known[what] = stamp, time.monotonic(), found
        return found

    def units(self, topic: str | None = None) -> list[planning.Unit]:
        """Every skill and card, with what is known of it."""
        bank, fresh = self.bank, partial(planning.units, learner=self.learner, now=now(), topic=topic)
        return self.known(("units", topic, id(bank)), lambda store: fresh(bank, store), []) or fresh(bank, None)

    def recent(self, topic: str | None, count: int) -> list[Attempt]:
        """The last answers, newest first."""
        return self.known(("recent", topic, count), lambda store: store.recent(self.learner, topic, count), [])

    def answered_items(self) -> set[str]:
        """The items of the bank that were answered."""
        items = self.bank.items
        return self.known(
            ("answered", id(self.bank)), lambda store: former_ids.standing(store, self.learner, items, [])[0], set()
        )

    def has_badge(self, topic: str) -> bool:
        """Whether all of the last challenge of a topic was right."""
        none: list[str] = []
        last = self.known(("badge", topic), lambda store: store.last_outcomes(self.learner, topic, "challenge"), none)
        return len(last) >= planning.CHALLENGE and all(outcome == "correct" for outcome in last)

    def left_open(self) -> list[Sitting]:
        """The sittings that were begun lately and did not end, newest first."""
        since = now() - planning.RESUMED_FOR
        return self.known("open", lambda store: store.left_open(self.learner, since, 20), [])

    def due(self) -> int:
        """How many skills and cards are due."""
        known = self._due
        if known is None or time.monotonic() - known[0] > DUE_SECONDS:
            names = (
                frozenset(unit.name for unit in planning.due(self.units(), now())) if self.records else frozenset[str]()
            )
            self._due = known = (time.monotonic(), names)
        return len(known[1])

    def answered(self, item: Item) -> None:
        """An answer to an item was put on record, so its skill or card is not due any more."""
        if self._due:
            self._due = self._due[0], self._due[1] - {spaced_repetition.unit(item)}

    def forgotten(self) -> None:
        """What is on record was deleted."""
        self._due = None
