"""Where the events and attempts of a sitting go: into the records, or into memory where nothing is to be kept.

`Log` is what `sitting` asks for; `records.Records` is one. `LateLog` begins in memory and moves into records that are
opened meanwhile, so that the first question does not wait for a database.
"""

from __future__ import annotations

import dataclasses
import json
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from grader.model import Attempt, Event, Sitting

if TYPE_CHECKING:
    from grader.learning.records import Records


@dataclass(frozen=True, slots=True)
class Logged:
    """All that is on record of a sitting, oldest first."""

    sitting: Sitting
    events: tuple[Event, ...] = ()
    attempts: tuple[Attempt, ...] = ()


def new_id() -> str:
    """An id that nobody else makes."""
    return uuid.uuid4().hex


class Log(Protocol):
    """Keeps sittings. What a method was given is kept when it returns; see `Records` for each."""

    @property
    def keeps(self) -> bool:
        """Whether what is written here outlives the process: if not, nobody asks when a card is due."""
        ...

    def begin(self, sitting: Sitting) -> None: ...

    def add(
        self, make: Callable[[str | None], Attempt], learner: str, unit: str, ends: Event | None = None
    ) -> Attempt | None: ...

    def note(self, learner: str, event: Event, *, once: bool = False) -> bool: ...

    def extend(self, learner: str, event: Event, question: tuple[str, int]) -> None: ...

    def finish(self, learner: str, event: Event) -> None: ...

    def logged(self, sitting: str) -> Logged | None: ...

    def earlier(self, sitting: Sitting, items: Sequence[str], variant: int) -> Attempt | None: ...


class MemoryLog:
    """Sittings that are kept nowhere, at most so many: the oldest are forgotten."""

    keeps = False

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._lock = threading.RLock()
        self._logged: dict[str, Logged] = {}

    def begin(self, sitting: Sitting) -> None:
        """See `Records`."""
        with self._lock:
            self._logged[sitting.id] = Logged(sitting)
            while self._most is not None and len(self._logged) > self._most:
                del self._logged[next(iter(self._logged))]

    def add(
        self, make: Callable[[str | None], Attempt], learner: str, unit: str, ends: Event | None = None
    ) -> Attempt | None:
        """See `Records`."""
        with self._lock:
            attempt = make(None)
            mine = self._logged[attempt.sitting]
            taken = {(one.place, one.tries) for one in mine.attempts}
            tokens = {one.token for one in mine.attempts} - {None}
            if (attempt.place, attempt.tries) in taken or attempt.token in tokens:
                return None
            self._logged[attempt.sitting] = dataclasses.replace(mine, attempts=(*mine.attempts, attempt))
            if ends:
                self.finish(learner, ends)
            return attempt

    def note(self, learner: str, event: Event, *, once: bool = False) -> bool:
        """See `Records`."""
        with self._lock:
            mine = self._logged[event.sitting]
            if once and any((one.place, one.kind) == (event.place, event.kind) for one in mine.events):
                return False
            numbered = dataclasses.replace(event, seq=len(mine.events))
            self._logged[event.sitting] = dataclasses.replace(mine, events=(*mine.events, numbered))
            return True

    def extend(self, learner: str, event: Event, question: tuple[str, int]) -> None:
        """See `Records`."""
        with self._lock:
            mine = self._logged[event.sitting]
            plan = mine.sitting.plan
            longer = dataclasses.replace(mine.sitting, plan=(*plan, question))
            self._logged[event.sitting] = dataclasses.replace(mine, sitting=longer)
            self.note(learner, dataclasses.replace(event, data=json.dumps({"to": len(plan)})))

    def finish(self, learner: str, event: Event) -> None:
        """See `Records`."""
        self.note(learner, event, once=True)

    def logged(self, sitting: str) -> Logged | None:
        """See `Records`."""
        with self._lock:
            return self._logged.get(sitting)

    def earlier(self, sitting: Sitting, items: Sequence[str], variant: int) -> Attempt | None:
        """See `Records`."""
        return None


class LateLog:
    """Memory at first; from the first answer on, or as soon as they are open, the records, with all that was kept."""

    def __init__(self, opening: Future[Records | None]) -> None:
        """`opening` gives None where nothing can be kept."""
        self._opening = opening
        self._memory = MemoryLog()
        self._begun: list[str] = []
        self._lock = threading.Lock()

    @property
    def keeps(self) -> bool:
        """See `Log`. Waits for the records."""
        return self._now().keeps

    def _now(self, *, wait: bool = True) -> Log:
        with self._lock:
            if not wait and not self._opening.done():
                return self._memory
            store = self._opening.result()
            if store is None:
                return self._memory
            while self._begun:
                if kept := self._memory.logged(self._begun[0]):
                    store.begin(kept.sitting)
                    for event in kept.events:
                        store.note(kept.sitting.learner, event)
                del self._begun[0]
            return store

    def begin(self, sitting: Sitting) -> None:
        """See `Records`. Nothing is written before there is an answer, or anything else that happens."""
        self._memory.begin(sitting)
        self._begun.append(sitting.id)

    def add(
        self, make: Callable[[str | None], Attempt], learner: str, unit: str, ends: Event | None = None
    ) -> Attempt | None:
        """See `Records`."""
        return self._now().add(make, learner, unit, ends)

    def note(self, learner: str, event: Event, *, once: bool = False) -> bool:
        """See `Records`. That a question was asked is written with what follows."""
        if self._begun and event.kind == "asked":
            return self._memory.note(learner, event, once=once)
        return self._now(wait=False).note(learner, event, once=once)

    def extend(self, learner: str, event: Event, question: tuple[str, int]) -> None:
        """See `Records`."""
        self._now().extend(learner, event, question)

    def finish(self, learner: str, event: Event) -> None:
        """See `Records`."""
        self._now().finish(learner, event)

    def logged(self, sitting: str) -> Logged | None:
        """See `Records`."""
        if self._begun:
            return self._memory.logged(sitting)
        return self._now().logged(sitting)

    def earlier(self, sitting: Sitting, items: Sequence[str], variant: int) -> Attempt | None:
        """See `Records`."""
        return self._now().earlier(sitting, items, variant)
