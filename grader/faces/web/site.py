"""What all pages stand on: one bank, one runner, one set of records, and sittings of guests that are kept nowhere.

A site is one learner's: the owner's, or that of a learner of the owner's class. All of them share what is behind it.
"""

from __future__ import annotations

import contextlib
import copy
import secrets
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from grader import kinds
from grader.content.bank_homes import Given
from grader.errors import InputError
from grader.faces.backend import backend
from grader.faces.service.backing import Backing
from grader.faces.service.documents import ViewContext
from grader.faces.web.classroom import Classroom
from grader.faces.web.remembered import Remembered
from grader.faces.web.safety import RefusedError
from grader.judging import experiments, knobs
from grader.judging.experiments import Shown
from grader.learning import digests, former_ids, placement, planning
from grader.learning.progress import placed_out
from grader.learning.question import choose
from grader.learning.recorder import now
from grader.learning.shared_work import Recent
from grader.learning.sitting import Sittings
from grader.learning.sitting_log import Log, MemoryLog
from grader.model import Bank, Block, Experiment, Inputs, Item, Sitting, Topic, by_name
from grader.render import chart_svg
from grader.runner.cached import installed_torch

if TYPE_CHECKING:
    from grader.learning.records import Records

MOST_WAITING = 4
"""Answers of one visitor that may wait for their runs at a time; D5 of the runner is fair among what waits."""

GUEST_SITTINGS = 2_000
PRACTICE, REVIEW = 5, 20
"""Questions of a practice, and at most of a review."""

FACE = "web"
"""As it stands on record."""

MOST_LEARNERS = 1_000
"""So many learners' sites are kept at hand."""

ADDRESS = 16
"""Characters of a guest's name that stand for an address, where their code is run: what it waits in line by."""


@dataclass
class _Shared:
    """What the sites of all learners share and change."""

    guests: Sittings | None = None
    waiting: Counter[str] = field(default_factory=Counter)
    stamp: float = 0.0
    items: tuple[Bank | None, dict[str, Item]] = (None, {})
    classroom: Classroom | None = None
    sites: Recent[Site] = field(default_factory=lambda: Recent(MOST_LEARNERS))


class Site(Remembered):
    """What the page may do: plan whole sittings, and ask guests. Any number of threads may use it."""

    def __init__(
        self, db: str | None = None, learner: str = "me", bank: Given = None, *, author: bool = False,
        class_name: str = "", guests: Callable[[], Log] | None = None,
    ) -> None:  # fmt: skip
        """`author`: the bank is read again when its files change, and its items may be looked into.

        `class_name`: others may join, each with records of their own. `guests` makes what sittings of guests are kept
        in where several processes share it, else that is memory.
        """
        super().__init__()
        self.learner, self.author, self.class_name = learner, author, class_name
        self.backing = Backing(db, None, bank, look_back=False)
        self._lock = threading.RLock()
        self.torch = installed_torch().partition("+")[0]
        self._guest_log = guests or (lambda: MemoryLog(GUEST_SITTINGS))
        self._shared = _Shared()
        self._lessons: dict[str, Path] = {}

    # ------------------------------------------------------------ what there is

    def close(self) -> None:
        """End the runner, and let go of the files."""
        self.backing.close()

    @property
    def bank(self) -> Bank:
        """What can be asked. Raises InputError where that is nothing."""
        return self.backing.bank

    def lessons_of(self, topic: str) -> Path:
        """The folder with the lessons of a topic."""
        with self._lock:
            if topic not in self._lessons:
                self._lessons[topic] = self.backing.lessons_of(topic)
            return self._lessons[topic]

    @property
    def sittings(self) -> Sittings:
        """The owner's, on record."""
        return self.backing.sittings

    @property
    def guests(self) -> Sittings:
        """Of single questions that anybody may be asked; kept in memory, and not for long."""
        with self._lock:
            if self._shared.guests is None:
                self._shared.guests = Sittings(
                    self.bank, self._guest_log(), backend(self.backing.runner), torch=self.torch,
                    queue=lambda guest: guest[:ADDRESS],
                )  # fmt: skip
            return self._shared.guests

    @property
    def records(self) -> Records | None:
        """None where they cannot be opened; `notice` then says why."""
        return self.backing.records()

    @property
    def notice(self) -> str:
        return self.backing.notice

    @property
    def around(self) -> ViewContext:
        """What documents need, with charts as this page draws them."""
        return ViewContext(self.bank.mistakes, self.notice, self.backing.containment, chart_svg.svg)

    def topic(self, name: str) -> Topic:
        """A topic. Raises RefusedError where there is none of this name."""
        found = next((topic for topic in self.bank.topics if topic.name == name), None)
        if found is None:
            raise RefusedError(404, "There is no such topic.", "The topics are on the first page.")
        return found

    def block(self, name: str) -> Block:
        """A block. Raises RefusedError where there is none of this name, or none of its topics is there."""
        found = next((block for block in self.bank.about.blocks if block.name == name), None)
        if found is None or not self.bank.members(name):
            raise RefusedError(404, "There is no such block.", "The blocks are on the first page.")
        return found

    def has_lesson(self, topic: str, mode: str) -> bool:
        """Whether a topic has a page of this mode."""
        return (self.lessons_of(topic) / f"{mode}.md").is_file()

    @property
    def items(self) -> dict[str, Item]:
        """The items of the bank by their ids, those of before too."""
        bank = self.bank
        if self._shared.items[0] is not bank:
            self._shared.items = bank, by_name(bank.items)
        return self._shared.items[1]

    def item(self, name: str, *, asked: bool = True) -> Item:
        """An item, one that can be `asked` unless its author looks at it. Raises RefusedError where there is none."""
        found = self.items.get(name)
        if found is None or (asked and found.retired):
            raise RefusedError(404, "There is no such question.", "It may have been renamed, or taken out of the bank.")
        return found

    def refresh(self) -> None:
        """Read the bank again where a file of it has changed since (for authors)."""
        newest = max((path.stat().st_mtime for path in self.backing.files()), default=0.0)
        with self._lock:
            if newest != self._shared.stamp:
                self.backing.reread()
                self._shared.guests, self._shared.stamp = None, newest

    # ------------------------------------------------------------ the class

    @property
    def classroom(self) -> Classroom | None:
        """The class that is served; None where none is. Raises RefusedError where it cannot be read."""
        if not self.class_name:
            return None
        with self._lock:
            if self._shared.classroom is None:
                if (store := self.records) is None:
                    raise RefusedError(503, "The records of the class cannot be opened.", self.notice)
                self._shared.classroom = Classroom(store, self.class_name)
            return self._shared.classroom

    def of(self, learner: str) -> Site:
        """The same site, as it is for a member of the class."""
        if known := self._shared.sites.get(learner):
            return known
        made = copy.copy(self)
        Remembered.__init__(made)  # nothing of the other learner
        made.learner = learner
        return self._shared.sites.put(learner, made)

    # ------------------------------------------------------------ the runner

    def warm(self) -> None:
        """Read the bank, open the records and start a worker, so that nobody waits for them later."""
        with contextlib.suppress(InputError):
            _ = self.bank, self.records
        self.backing.runner.start()

    @property
    def starting(self) -> bool:
        """PyTorch is not loaded yet: the first answer that is run takes longer."""
        return not self.backing.runner.ready

    def contained(self) -> bool:
        """Whether programs run within the sandbox here; waits for the worker."""
        return self.backing.runner.contained()

    @contextlib.contextmanager
    def being_run(self, who: str, item: Item) -> Iterator[None]:
        """One answer of a visitor being judged. Raises RefusedError where too many of theirs wait for a run already."""
        if not kinds.of(item).TRAITS.runs_code:
            yield
            return
        with self._lock:
            if self._shared.waiting[who] >= MOST_WAITING:
                message = (
                    f"{MOST_WAITING} of your answers are being run. This one is not judged, and nothing is counted."
                )
                raise RefusedError(429, message, "What you typed is kept. Check it again when one of them is done.")
            self._shared.waiting[who] += 1
        try:
            yield
        finally:
            with self._lock:
                self._shared.waiting[who] -= 1
                self._shared.waiting += Counter()

    def before(self, visitor: str) -> int:
        """How many programs are before the next one of a visitor, who is the owner or a guest; 0 where none waits."""
        runner = self.backing.runner
        return max(runner.before(self.learner), runner.before(visitor))

    def tried(self, experiment: Experiment, settings: Mapping[str, object]) -> tuple[Inputs, Shown]:
        """Where the knobs stand, and what a run shows; it is remembered by them. Raises InputError for other values."""
        values = knobs.read(experiment, settings)
        run = self.backing.runner.submit(experiments.program(experiment, values), self.learner).result()
        return values, experiments.shown(experiment, run)

    # ------------------------------------------------------------ sittings begin

    def begin(self, topic: str, mode: str) -> str | None:
        """A new sitting of a topic, or of all topics for a review; its id, None where there is nothing to ask."""
        self._due = None
        seed = secrets.randbits(31)
        drawn: list[tuple[Item, int]]
        match mode:
            case "test":
                return self._test(topic, seed)
            case placement.MODE:
                return self.sittings.begin_placement(self.learner, topic, seed, mix=seed, face=FACE)
            case "review":
                drawn = self._reviewed(topic, seed)
            case "practice":
                drawn = planning.practice(self.bank, topic, self.learner, self.records, PRACTICE, now())
            case _:
                drawn = [(item, item.variant(seed).index) for item in choose(self.bank, topic, mode, PRACTICE)]
        if not drawn:
            return None
        return self.sittings.begin(self.learner, topic, mode, drawn, seed=seed, mix=seed, face=FACE)

    def _test(self, topic: str, seed: int) -> str | None:
        """A new test; None where the topic has no questions for one. Raises RefusedError where nothing is on record."""
        if (store := self.records) is None:
            raise RefusedError(409, "A test is kept on record, which does not work now.", self.notice)
        planned = planning.plan_test(self.bank, topic, self.learner, store, seed, now(), seed)
        return self.sittings.begin_planned(planned, FACE) if planned.plan else None

    def _reviewed(self, topic: str, seed: int) -> list[tuple[Item, int]]:
        store = self.records
        found = planning.units(self.bank, store, self.learner, now(), topic or None)
        seen = former_ids.seen(store, self.learner, [item for unit in found for item in unit.items]) if store else {}
        behind = placed_out(self.bank, self.learner, store) if store and not topic else ()
        return planning.plan_review(found, seen, now(), seed, REVIEW, behind=behind)

    def begin_one(self, sittings: Sittings, who: str, item: Item, variant: int, token: str) -> str:
        """A sitting of one question, the same for the same token: a second click begins no other."""
        name = uuid.uuid5(uuid.NAMESPACE_OID, f"{who}\0{item.id}\0{variant}\0{token}").hex
        with self._lock:
            with contextlib.suppress(InputError):
                return sittings.view(name, who).id
            planned = Sitting(name, who, item.topic, "practice", now(), ((item.id, variant),))
            return sittings.begin_planned(planned, FACE)

    def begun(self, sittings: Sequence[str]) -> dict[str, bool]:
        """Which of these sittings are on record, each with whether it has ended."""
        return self.records.begun(sittings) if self.records else {}

    def extend_clocks(self, clock: float) -> None:
        """Give the learner so many times the usual limits in challenges that are under way, too."""
        for sitting in self.left_open():
            if sitting.mode == "challenge":
                self.sittings.set_clock(sitting.id, clock)

    def left(self, topic: str, mode: str) -> str | None:
        """The sitting of a topic in a mode that was begun and not finished."""
        store = self.records
        if store is None:
            return None
        if mode == "test":
            found = planning.left_test(self.bank, topic, self.learner, store, now())
            return found[0].id if found else None
        return planning.left(self.bank, topic, mode, self.learner, store, now())

    def left_in(self, topic: str) -> dict[str, str]:
        """The sittings of a topic that were begun lately and not finished, by mode; from one query, for a card each."""
        found: dict[str, str] = {}
        for sitting in self.left_open():
            if sitting.topic == topic and sitting.mode not in found and self._left_at(sitting):
                found[sitting.mode] = sitting.id
        return found

    def last_left(self) -> tuple[Sitting, int, int] | None:
        """The sitting that was answered last and not finished, within a day; its next question, of how many."""
        for sitting in self.left_open():
            if at := self._left_at(sitting):
                return sitting, *at
        return None

    def _left_at(self, sitting: Sitting) -> tuple[int, int] | None:
        """Where a sitting that was answered in part goes on, of how many; None for a question alone, as in a lesson."""
        if len(sitting.plan) < 2:
            return None
        none: tuple[int, int] | None = None

        def look(_: Records) -> tuple[int, int] | None:
            with contextlib.suppress(InputError):
                view = self.sittings.view(sitting.id)
                left = [entry.place + 1 for entry in view.asked if not entry.final]
                if left and len(view.asked) > 1 and any(entry.tries for entry in view.asked):
                    return left[0], view.most or len(view.asked)
            return None

        return self.known(("left", sitting.id), look, none)

    def digest(self, item: Item) -> str:
        """Of what is asked by an item, for links: it says later whether that has changed."""
        return digests.claims(item)
