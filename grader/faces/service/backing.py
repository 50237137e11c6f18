"""What stands behind the service: the bank, the runner, the records and the sittings, each opened when it is needed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from grader.content import bank_files, bank_homes
from grader.content.bank_homes import Given
from grader.errors import InputError, did_you_mean
from grader.faces.backend import backend
from grader.learning import modes, records
from grader.learning.sitting import Sittings
from grader.learning.sitting_log import Log, MemoryLog
from grader.model import Bank, Experiment, Item, Result, by_name
from grader.runner import runners
from grader.runner.cached import RememberingRunner, Store, installed_torch

if TYPE_CHECKING:
    from grader.learning.records import Records


class Backing:
    """One bank, one runner, one set of records. Any number of threads may ask at once."""

    def __init__(
        self, db: str | None, runner: RememberingRunner | None, banks: Given = None, *, look_back: bool = True
    ) -> None:
        """`runner` is one that others use as well, and is left open; without it there is one of its own.

        `banks` are their folders, else the usual ones. With `look_back` a question that was answered in an
        earlier sitting is shown with that answer, as where a notebook is opened again.
        """
        self._db, self._banks, self._look_back = db, banks, look_back
        self._store = Store()
        self._own = runner is None
        self.runner = runner or RememberingRunner(self._store, runners.make)
        self._lock = threading.RLock()
        self._bank: Bank | None = None
        self._kept: Records | None = None
        self._made: Sittings | None = None
        self.notice = ""
        """Of the records, where something does not work."""

    def close(self) -> None:
        """End the runner, and let go of the files."""
        if self._own:
            self.runner.close()
        self._store.close()
        if self._kept:
            self._kept.close()

    def reread(self) -> None:
        """Read the bank again when it is needed next."""
        with self._lock:
            self._bank, self._made = None, None

    def use(self, bank: Bank, sittings: Sittings) -> None:
        """Take these instead of the bank here and sittings of its own."""
        self._bank, self._made = bank, sittings

    def files(self) -> list[Path]:
        """All files of the banks."""
        return bank_files.files(bank_homes.every(self._banks))

    def lessons(self) -> frozenset[str]:
        """The topics that can be read."""
        return bank_files.topics_with_lessons(self._banks, self._store)

    def lessons_of(self, topic: str) -> Path:
        """The folder with the lessons of a topic, which need not be there."""
        home, prefix = bank_files.find_topic(self._banks, topic, self._store)
        return home / "lessons" / topic.removeprefix(prefix)

    @property
    def bank(self) -> Bank:
        """What of the whole bank can be asked, read once. Raises InputError where that is nothing."""
        with self._lock:
            if self._bank is None:
                found = bank_files.read(self.files(), self._store)
                if found.findings and not found.items:
                    raise InputError(str(found.findings[0]), found.findings[0].hint)
                self._bank = found
            return self._bank

    @property
    def sittings(self) -> Sittings:
        """All sittings here; on record where the records can be opened."""
        with self._lock:
            if self._made is None:
                log: Log = self.records() or MemoryLog()
                self._made = Sittings(
                    self.bank, log, backend(self.runner), torch=installed_torch(),
                    no_follow_up_in=modes.ONE_TRY, look_back=self._look_back,
                )  # fmt: skip
            return self._made

    def records(self) -> Records | None:
        """The records; None, and a notice, where they cannot be opened."""
        with self._lock:
            if self._kept is None and not self.notice:
                try:
                    self._kept = records.Records(self._db)
                except records.RecordsError as error:
                    self.notice = f"answers are not recorded: {error.message}; {error.hint}"
            return self._kept

    def item(self, name: str) -> Item:
        """The item of this id. Raises InputError where it cannot be asked."""
        items = by_name(self.bank.items)
        if name in items and items[name].retired:
            raise InputError(f"`{name}` is retired: it is not asked any more", "`grader show` shows it")
        if name not in items:
            if finding := self.bank.trouble(name):
                raise InputError(f"`{name}` cannot be asked: {finding}", finding.hint)
            parts = {one.path: one.path.replace(".", "/").split("/") for one in self.bank.unread}
            if spoiled := next((path for path, names in parts.items() if name in names), ""):
                message = f"{spoiled}: something is wrong with this file, so nothing of it can be asked"
                raise InputError(message, "`grader verify` says what")
            known = [*(topic.name for topic in self.bank.topics), *items]
            raise InputError(f"there is no topic and no item `{name}`", did_you_mean(name, known))
        return items[name]

    def experiment(self, topic: str) -> Experiment:
        """The experiment of a topic. Raises InputError where it has none."""
        known = {one.name: one.experiment for one in self.bank.topics if one.experiment}
        if topic not in known:
            hint = did_you_mean(str(topic), known) or f"there are experiments on {', '.join(known) or 'no topic'}"
            raise InputError(f"there is no experiment on `{topic}`", hint)
        return known[topic]

    def containment(self, result: Result) -> str:
        """A notice where the learner's code ran without a sandbox."""
        if result.score.run and not self.runner.contained():
            return "Your code ran without a sandbox; `grader doctor` says why."
        return ""
