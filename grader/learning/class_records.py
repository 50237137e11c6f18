"""A class in the records: its key and code, who is in it, what it was given to do, and what came of that.

All servers of one database that are told the same name serve the same class. A member is an id by chance; the name
beside it is for the owner to read, and opens nothing.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sql

from grader.errors import InputError
from grader.learning import record_rows
from grader.learning.record_reader import ATTEMPTS, CLASSROOMS, EXTENSIONS, MEMBERS, REGRADES, TASKS
from grader.learning.records import Records, new_id
from grader.model import Attempt, Classroom, Extension, Member, Regrade, Task

MOST_MEMBERS = 5_000
"""Of a class: a code that went around the world fills no disk."""

LETTERS_OF_CODES = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike."""

LONGEST_NAME = 80
"""Characters of a learner's name, and of a class's."""


class ClassFullError(InputError):
    """Nobody else may join."""


@dataclass(frozen=True, slots=True)
class Activity:
    """How much a member has answered, and when last."""

    answers: int
    last: datetime


class ClassRecords:
    """One class of these records. Any number of threads and processes may use it."""

    def __init__(self, store: Records, name: str, now: datetime) -> None:
        """The class of this name, made where there is none."""
        self.store = store
        self.about = self._opened(name, now)
        self._mine = MEMBERS.c.classroom == self.about.name
        self._of_members = sql.select(MEMBERS.c.learner).where(self._mine)

    def _opened(self, name: str, now: datetime) -> Classroom:
        code = "".join(secrets.choice(LETTERS_OF_CODES) for _ in range(12))
        fresh = Classroom(name, secrets.token_urlsafe(32), code, now)
        query = sql.select(CLASSROOMS).where(CLASSROOMS.c.name == name)

        def job(connection: sql.Connection) -> None:
            if not connection.execute(query).first():
                connection.execute(sql.insert(CLASSROOMS), record_rows.class_row(fresh))

        self.store.write(f"class {name}", job)
        (row,) = self.store.select(query)
        return record_rows.class_entry(Classroom, row)

    # ------------------------------------------------------------ members

    def join(self, name: str, now: datetime) -> Member:
        """A new member, whatever others are called. Raises ClassFullError."""
        made = Member(new_id(), self.about.name, name, now)
        count = sql.select(sql.func.count()).select_from(MEMBERS).where(self._mine)

        def job(connection: sql.Connection) -> bool:
            if int(connection.execute(count).scalar_one()) >= MOST_MEMBERS:
                return False
            connection.execute(sql.insert(MEMBERS), record_rows.class_row(made))
            return True

        if not self.store.write(f"class {self.about.name}", job):
            message = f"this class has {MOST_MEMBERS:,} learners, and takes no more"
            raise ClassFullError(message, "ask whoever runs it")
        return made

    def member(self, learner: str) -> Member | None:
        """The member of this id; None where there is none in this class."""
        rows = self.store.select(sql.select(MEMBERS).where(MEMBERS.c.learner == learner, self._mine))
        return record_rows.class_entry(Member, rows[0]) if rows else None

    def members(self) -> list[Member]:
        """All members, in the order in which they joined."""
        rows = self.store.select(sql.select(MEMBERS).where(self._mine).order_by(MEMBERS.c.joined))
        return [record_rows.class_entry(Member, row) for row in rows]

    def set_clock(self, learner: str, clock: float) -> None:
        """Give a member so many times the usual limits, in sittings that begin from now on."""
        changed = sql.update(MEMBERS).where(MEMBERS.c.learner == learner, self._mine).values(clock=clock)
        self._written(learner, changed)

    def leave(self, learner: str) -> None:
        """Delete a member, and the dates that were theirs; their answers are deleted by `Records.forget`."""
        self._written(
            learner,
            sql.delete(EXTENSIONS).where(EXTENSIONS.c.learner == learner),
            sql.delete(MEMBERS).where(MEMBERS.c.learner == learner, self._mine),
        )

    # ------------------------------------------------------------ tasks

    def add_task(self, task: Task) -> None:
        """Put a task on record."""
        self._written(f"class {task.classroom}", sql.insert(TASKS).values(**record_rows.class_row(task)))

    def tasks(self) -> list[Task]:
        """All tasks, oldest first."""
        mine = TASKS.c.classroom == self.about.name
        rows = self.store.select(sql.select(TASKS).where(mine).order_by(TASKS.c.made))
        return [record_rows.class_entry(Task, row) for row in rows]

    def set_due(self, task: str, due: datetime | None) -> None:
        """Move the date of a task for all."""
        at = None if due is None else record_rows.microseconds(due)
        self._written(f"class {self.about.name}", sql.update(TASKS).where(TASKS.c.id == task).values(due=at))

    def extend(self, extension: Extension) -> None:
        """Give a member a date of their own; the newest counts."""
        this = EXTENSIONS.c.task == extension.task, EXTENSIONS.c.learner == extension.learner
        row = record_rows.class_row(extension)
        self._written(extension.learner, sql.delete(EXTENSIONS).where(*this), sql.insert(EXTENSIONS).values(**row))

    def extensions(self, *, learner: str | None = None) -> dict[tuple[str, str], datetime]:
        """The dates that members have of their own, by task and learner."""
        chosen = [EXTENSIONS.c.learner == learner] if learner else [EXTENSIONS.c.learner.in_(self._of_members)]
        rows = self.store.select(sql.select(EXTENSIONS).where(*chosen))
        found = [record_rows.class_entry(Extension, row) for row in rows]
        return {(one.task, one.learner): one.due for one in found}

    # ------------------------------------------------------------ answers

    def first_answers(self) -> list[Attempt]:
        """The first answer of each member to each item that was judged, as it is worth now; oldest first."""
        first = (
            sql.select(sql.func.min(ATTEMPTS.c.number))
            .where(ATTEMPTS.c.learner.in_(self._of_members), ATTEMPTS.c.points.is_not(None))
            .group_by(ATTEMPTS.c.learner, ATTEMPTS.c.item)
        )
        return self._worth_now(ATTEMPTS.c.number.in_(first))

    def answers_to(self, item: str) -> list[Attempt]:
        """All answers of members to an item, as they are worth now; oldest first."""
        return self._worth_now(ATTEMPTS.c.item == item, ATTEMPTS.c.learner.in_(self._of_members))

    def answers_in(self, sittings: Iterable[str]) -> list[Attempt]:
        """All answers of these sittings, as they are worth now; oldest first."""
        names, found = list(sittings), []
        for start in range(0, len(names), 500):
            found += self._worth_now(ATTEMPTS.c.sitting.in_(names[start : start + 500]))
        return found

    def _worth_now(self, *chosen: sql.ColumnElement[bool]) -> list[Attempt]:
        query = sql.select(*(ATTEMPTS.c[field.name] for field in dataclasses.fields(Attempt)))
        rows = self.store.select(query.where(*chosen).order_by(ATTEMPTS.c.number))
        ids = sql.select(ATTEMPTS.c.id).where(*chosen)
        judged = sql.select(REGRADES).where(REGRADES.c.attempt.in_(ids)).order_by(sql.literal_column("number"))
        newest = {
            one.attempt: one for one in (record_rows.class_entry(Regrade, row) for row in self.store.select(judged))
        }
        return list(_worth(map(record_rows.attempt, rows), newest))

    def activity(self) -> dict[str, Activity]:
        """How much each member answered, and when last."""
        query = (
            sql.select(ATTEMPTS.c.learner, sql.func.count(), sql.func.max(ATTEMPTS.c.at))
            .where(ATTEMPTS.c.learner.in_(self._of_members))
            .group_by(ATTEMPTS.c.learner)
        )
        found = [tuple(row.values()) for row in self.store.select(query)]
        return {learner: Activity(count, record_rows.time_of(last)) for learner, count, last in found}

    def regrade(self, regrade: Regrade, learner: str) -> None:
        """Say what an answer is worth now; a second time for the same text of the item does nothing."""
        this = REGRADES.c.attempt == regrade.attempt, REGRADES.c.digest == regrade.digest
        row = record_rows.class_row(regrade)

        def job(connection: sql.Connection) -> None:
            if not connection.execute(sql.select(REGRADES.c.attempt).where(*this)).first():
                connection.execute(sql.insert(REGRADES), row)

        self.store.write(learner, job)

    def _written(self, lock: str, *statements: sql.Executable) -> None:
        def job(connection: sql.Connection) -> None:
            for statement in statements:
                connection.execute(statement)

        self.store.write(lock, job)


def _worth(attempts: Iterable[Attempt], newest: dict[str, Regrade]) -> Iterator[Attempt]:
    """Answers with what they are worth since their item was corrected, where they were judged once more."""
    for attempt in attempts:
        if one := newest.get(attempt.id):
            yield dataclasses.replace(
                attempt, outcome=one.outcome, points=one.points, mistake=one.mistake, digest=one.digest
            )
        else:
            yield attempt
