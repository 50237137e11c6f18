"""The class that is served, at hand: who is in it, what it was given to do, until when, and the sittings of that."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from grader.faces.web.safety import RefusedError
from grader.learning.class_records import ClassRecords
from grader.learning.recorder import now
from grader.learning.records import Records
from grader.model import Extension, Member, Task

KNOWN_SECONDS = 5.0
"""For so long what was looked up a moment ago is not looked up again: other processes change it, too."""

MOST_KNOWN = 2_000

GRACE = timedelta(seconds=10)
"""An answer that was on its way when the time was up is taken."""


@dataclass(frozen=True, slots=True)
class Given:
    """A task as it is for one learner."""

    task: Task
    sitting: str
    """Its one sitting, begun or not."""
    due: datetime | None

    @property
    def closed(self) -> bool:
        """It takes no more answers."""
        return self.due is not None and now() > self.due + GRACE

    @property
    def until(self) -> str:
        return in_utc(self.due)


def in_utc(at: datetime | None) -> str:
    """A time as the page writes it.

    >>> in_utc(None)
    ''
    """
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""


class Classroom:
    """One class, for all threads of a process."""

    def __init__(self, store: Records, name: str) -> None:
        """Opens the class, or makes it. Raises RecordsError."""
        self.records = ClassRecords(store, name, now())
        self.about = self.records.about
        self._members: dict[str, tuple[float, Member]] = {}
        self._tasks: tuple[float, list[Task]] = (-KNOWN_SECONDS, [])

    # ------------------------------------------------------------ members

    def known_member(self, learner: str) -> Member | None:
        """A member who was looked up a moment ago; None where somebody has to look."""
        known = self._members.get(learner)
        return known[1] if known and time.monotonic() - known[0] < KNOWN_SECONDS else None

    def member(self, learner: str) -> Member | None:
        """The member with this id, looked up now; None where there is none."""
        found = self.records.member(learner)
        if found is None:
            self._members.pop(learner, None)
        else:
            if len(self._members) > MOST_KNOWN:
                self._members.clear()
            self._members[learner] = time.monotonic(), found
        return found

    def must_be_member(self, learner: str) -> Member:
        """The member with this id. Raises RefusedError where there is none."""
        found = self.member(learner)
        if found is None:
            raise RefusedError(404, "There is no such learner.", "They may have deleted what was kept about them.")
        return found

    def leave(self, learner: str) -> None:
        """Delete a member; their answers are another matter."""
        self.records.leave(learner)
        self._members.pop(learner, None)

    # ------------------------------------------------------------ tasks

    def tasks(self) -> list[Task]:
        """What the class was given to do, oldest first."""
        at, found = self._tasks
        if time.monotonic() - at >= KNOWN_SECONDS:
            found = self.records.tasks()
            self._tasks = time.monotonic(), found
        return found

    def changed(self) -> None:
        """Tasks are other ones now."""
        self._tasks = -KNOWN_SECONDS, []

    def task(self, name: str) -> Task:
        """The task of this id. Raises RefusedError where there is none."""
        found = next((task for task in self.tasks() if task.id == name), None)
        if found is None:
            raise RefusedError(404, "There is no such task.", "Ask whoever runs the class for its link.")
        return found

    def given(self, task: Task, learner: str) -> Given:
        """A task as it is for a learner."""
        own = self.records.extensions(learner=learner).get((task.id, learner))
        return Given(task, sitting_of(task, learner), own or task.due)

    def all_given(self, learner: str) -> list[Given]:
        """All tasks as they are for a learner."""
        tasks = self.tasks()
        own = self.records.extensions(learner=learner) if tasks else {}
        return [
            Given(task, sitting_of(task, learner), own.get((task.id, learner)) or task.due) for task in tasks
        ]  # fmt: skip

    def given_by(self, sitting: str, learner: str) -> Given | None:
        """The task that a sitting of a learner is for; None where it is for none."""
        found = next((task for task in self.tasks() if sitting_of(task, learner) == sitting), None)
        return self.given(found, learner) if found else None

    def extend(self, task: Task, learner: str, due: datetime) -> None:
        """Give a learner a date of their own."""
        self.records.extend(Extension(task.id, learner, due))


def sitting_of(task: Task, learner: str) -> str:
    """The id of the one sitting in which a learner does a task: a second click, or another process, begins no other."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{task.id}\0{learner}").hex


def must_be_open(given: Given | None) -> None:
    """Raise RefusedError where a task takes no more answers."""
    if given and given.closed:
        message = f"This was due {given.until}, and takes no more answers."
        raise RefusedError(409, message, "Whoever runs the class can give you another date.")
