"""What learners answered, kept in SQL: attempts and events are added and never changed; all else is computed from them.

SQLite in the user's data folder, or any database that SQLAlchemy knows by URL (tried: PostgreSQL). An attempt is on
disk when `add` returns: SQLite runs with a write-ahead log and syncs it with every commit. The tables are made and
brought up to date by the steps in `migrations`; a database of a newer version is only read, and an older one is read as
it is where nothing may be written. Threads write together (`record_writer`), processes in turn.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sql
from sqlalchemy import event

from grader.learning import record_rows
from grader.learning.record_opening import (
    RecordsError,
    default_url,
    exist,
    look_for_damage,
    url_of,
    version_of,
)
from grader.learning.record_queries import before, card_of, next_of
from grader.learning.record_reader import (
    ATTEMPTS,
    EVENTS,
    REGRADES,
    REPORTS,
    SITTINGS,
    TABLES,
    TABLES_OF,
    RecordReader,
)
from grader.learning.record_writer import GroupWriter, Job
from grader.learning.sitting_log import new_id
from grader.model import Attempt, Event, QuestionReport, Sitting

__all__ = ["Records", "RecordsError", "default_url", "exist", "new_id", "url_of"]

VERSION = "0004"
"""The newest step in `migrations/versions`."""

BUSY_SECONDS = 15
"""How long to wait for another process that writes."""

CLOCK_GRAIN = 50_000_000
"""Nanoseconds within which two writes to a file may leave it with the same time."""

INSERT_ATTEMPT, INSERT_EVENT = sql.insert(ATTEMPTS), sql.insert(EVENTS)

_LOCK = 0x70726364  # of PostgreSQL, with a second number for the learner: one writer of a learner's answers at a time
_LOCKED = sql.text("SELECT pg_advisory_xact_lock(:key, hashtext(:learner))")


class Records(RecordReader):
    """The records behind one URL. With `write=False` nothing in them is changed, not even their version.

    Raises RecordsError where they cannot be opened: not there, locked, corrupt, of a newer version, no permission.
    """

    def __init__(self, url: str | None = None, *, write: bool = True) -> None:
        self.url = url_of(url)
        self.newer = False
        """Written by a newer program: may be read, not written."""
        self._write = write
        self._known = False
        """They are ours, and may be written; what is something else is left as it is, to its last byte."""
        with self._told("opened"):
            address = sql.make_url(self.url)
            self._sqlite = address.get_backend_name() == "sqlite"
            self.name = address.database or "memory" if self._sqlite else address.render_as_string()
            if self._sqlite and address.database:
                self._place(Path(address.database))
            self._engine = sql.create_engine(address, connect_args={"timeout": BUSY_SECONDS} if self._sqlite else {})
            self._quick = self._engine
            if self._sqlite:
                event.listen(self._engine, "connect", self._connected)
                event.listen(self._engine, "begin", _begin)
            self._writer = self._engine.execution_options(writes=True)
            if not self._sqlite:  # each query by itself: a server need not be told where a transaction begins and ends
                self._quick = self._engine.execution_options(isolation_level="AUTOCOMMIT")
            place = Path(address.database or "") if self._sqlite else Path()
            beside = None if place.name == "" or str(place).startswith(("file:", ":")) else f"{place.name}.lock"
            self._file = str(place) if beside else None
            self._group = GroupWriter(self._writer.begin, place.with_name(beside) if beside else None)
            try:
                self._check()
            except BaseException:
                self._engine.dispose()
                raise

    def stamp(self) -> tuple[int, ...] | None:
        """Another one whenever something was written, by whatever process; None where that cannot be told.

        Of a server's database it never can, nor of a file within the grain of a disk's clock after it was written.
        """
        if self._file is None:
            return None
        found: list[int] = []
        for name in (self._file, f"{self._file}-wal"):
            with contextlib.suppress(OSError):
                stat = os.stat(name)  # noqa: PTH116  (asked at each page)
                found += [stat.st_mtime_ns, stat.st_size]
        grainy = time.time_ns() - max(found[::2], default=0) < CLOCK_GRAIN
        return None if grainy or not found else tuple(found)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------ opening

    def _place(self, path: Path) -> None:
        if str(path).startswith("file:"):
            return  # a URI, of what SQLite finds by itself
        if self._write:
            path.parent.mkdir(parents=True, exist_ok=True)
        elif not path.exists():
            raise RecordsError(f"there are no records at {path}", "they begin with the first answer")

    def _connected(self, connection: Any, _: object) -> None:
        connection.isolation_level = None  # `_begin` says how transactions begin
        if self._known:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")

    def _check(self) -> None:
        """The version of the tables; makes them, or brings them up to date, where they may be written."""
        with self._engine.connect() as connection:
            found, empty = version_of(connection)
            if self._sqlite and self._write:
                look_for_damage(connection, TABLES if found == VERSION else ())
        if found is not None and found not in _steps():
            self.newer = True
            if self._write:
                raise RecordsError(
                    f"{self.name} was written by a newer torch-grader (version {found}, this one knows {VERSION})",
                    "upgrade torch-grader; until then it can be read (`grader export-records`), and nothing is changed",
                )
            return
        if not self._write:
            if found not in _steps():
                raise RecordsError(f"{self.name} holds no records of this version", "they begin with the first answer")
            self._tables = TABLES_OF.get(found, TABLES)
            return
        if self._sqlite and found is None and not empty:
            raise RecordsError(f"{self.name} is a database of something else", "give another place with --db")
        self._known = True
        self._engine.dispose()  # a connection of before does not know
        if found == VERSION:
            return
        from alembic import command
        from alembic.config import Config

        settings = Config()
        settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self._writer.begin() as connection:
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")

    # ------------------------------------------------------------ writing

    keeps = True
    """What is written here outlives the process; see `sitting_log.Log`."""

    def _write_down(self, learner: str, job: Job) -> Any:
        """Run a job in a transaction, alone among those that write for this learner."""
        if self._sqlite:
            return self._group.write(job)
        with self._writer.begin() as connection:
            connection.execute(_LOCKED, {"key": _LOCK, "learner": learner})
            return job(connection)

    def write(self, learner: str, job: Job) -> Any:
        """Run a job in a transaction, alone among those that write for this learner; what it returned."""
        with self._told("written"):
            return self._write_down(learner, job)

    def begin(self, sitting: Sitting) -> None:
        """Write a sitting down, before its first question; nothing where it was begun already, by whatever process."""
        row = record_rows.sitting_row(sitting)

        def job(connection: sql.Connection) -> None:
            if not connection.execute(sql.select(SITTINGS.c.id).where(SITTINGS.c.id == sitting.id)).first():
                connection.execute(sql.insert(SITTINGS).values(**row))

        self.write(sitting.learner, job)

    def add(
        self, make: Callable[[str | None], Attempt], learner: str, unit: str, ends: Event | None = None
    ) -> Attempt | None:
        """Write an attempt. `make` is given the state of the unit's card before it, and says what is to be written.

        It is made before the transaction, and in it once more only where another answer moved the card in between: two
        sittings at once follow one another. None where this place of the sitting was answered already, or its token was
        used: nothing is doubled. `ends` is written with it, as `finish` does.
        """
        with self._told("written"):
            card = None
            if self._sqlite:  # where all who write wait for one another, what takes time is done before
                with self._quick.connect() as connection:
                    card = card_of(connection, learner, unit)
            prepared = make(card)

            def job(connection: sql.Connection) -> Attempt | None:
                last, taken = before(connection, prepared)
                if taken:
                    return None
                attempt = prepared if last == card else make(last)
                connection.execute(INSERT_ATTEMPT, record_rows.attempt_row(attempt))
                if ends:
                    self._finish(connection, ends)
                return attempt

            attempt: Attempt | None = self._write_down(learner, job)
            return attempt

    def note(self, learner: str, event: Event, *, once: bool = False) -> bool:
        """Write an event, with the next number of its sitting; False where it is there and should be only once."""
        with self._told("written"):
            written: bool = self._write_down(learner, lambda connection: self._note(connection, event, once=once))
            return written

    @staticmethod
    def _note(connection: sql.Connection, event: Event, *, once: bool) -> bool:
        seq, same = next_of(connection, event)
        if once and same:
            return False
        connection.execute(INSERT_EVENT, record_rows.event_row(dataclasses.replace(event, seq=seq)))
        return True

    def extend(self, learner: str, event: Event, question: tuple[str, int]) -> None:
        """Append a question to a sitting's plan, with the event that says so; its data get the new place as `to`."""

        def job(connection: sql.Connection) -> None:
            query = sql.select(SITTINGS.c.plan).where(SITTINGS.c.id == event.sitting)
            plan = record_rows.plan_of(json.loads(connection.execute(query).scalar_one()))
            longer = record_rows.plan_text((*plan, question))
            connection.execute(sql.update(SITTINGS).where(SITTINGS.c.id == event.sitting).values(plan=longer))
            placed = dataclasses.replace(event, data=json.dumps({"to": len(plan)}))
            self._note(connection, placed, once=False)

        with self._told("written"):
            self._write_down(learner, job)

    def finish(self, learner: str, event: Event) -> None:
        """Write down that a sitting has ended; the first time counts."""
        with self._told("written"):
            self._write_down(learner, lambda connection: self._finish(connection, event))

    @classmethod
    def _finish(cls, connection: sql.Connection, event: Event) -> None:
        this = (SITTINGS.c.id == event.sitting, SITTINGS.c.ended.is_(None))
        ended = sql.update(SITTINGS).where(*this).values(ended=record_rows.microseconds(event.at))
        if connection.execute(ended).rowcount:
            cls._note(connection, event, once=False)

    def report(self, report: QuestionReport) -> None:
        """Write down what somebody says is wrong with a question."""
        insert = sql.insert(REPORTS).values(**record_rows.report_row(report))
        with self._told("written"):
            self._write_down(report.learner, lambda connection: connection.execute(insert) and None)

    def begun(self, sittings: Sequence[str]) -> dict[str, bool]:
        """Which of these sittings have begun, each with whether it has ended."""
        found: dict[str, bool] = {}
        for start in range(0, len(sittings), 500):
            chosen = SITTINGS.c.id.in_(sittings[start : start + 500])
            rows = self.select(sql.select(SITTINGS.c.id, SITTINGS.c.ended).where(chosen))
            found |= {row["id"]: row["ended"] is not None for row in rows}
        return found

    def forget_reports(self, learner: str) -> None:
        """Delete what a learner said was wrong with questions."""
        with self._told("written"), self._writer.begin() as connection:
            connection.execute(sql.delete(REPORTS).where(REPORTS.c.learner == learner))

    def forget_all(self, learner: str) -> None:
        """Delete all answers, sittings and reports of a learner."""
        attempts = [attempt.id for attempt in self.attempts(learner=learner)]
        self.forget(attempts, [sitting.id for sitting in self.sittings(learner=learner)])
        self.forget_reports(learner)

    def forget(self, attempts: Sequence[str], sittings: Sequence[str]) -> None:
        """Delete the attempts with these ids, and the sittings of which none is left; all of it or nothing."""
        left = sql.select(ATTEMPTS.c.sitting)
        with self._told("written"), self._writer.begin() as connection:
            for start in range(0, len(attempts), 500):
                those = attempts[start : start + 500]
                connection.execute(sql.delete(REGRADES).where(REGRADES.c.attempt.in_(those)))
                connection.execute(sql.delete(ATTEMPTS).where(ATTEMPTS.c.id.in_(those)))
            for start in range(0, len(sittings), 500):
                for table, column in ((EVENTS, EVENTS.c.sitting), (SITTINGS, SITTINGS.c.id)):
                    gone = column.in_(sittings[start : start + 500]), column.not_in(left)
                    connection.execute(sql.delete(table).where(*gone))

    def take_in(self, sittings: list[Sitting], attempts: list[Attempt], events: Sequence[Event] = ()) -> int:
        """Add what was exported elsewhere, all of it or nothing; how many attempts were new.

        A sitting that is here already keeps the events that it has here.
        """
        new = 0
        with self._told("written"), self._writer.begin() as connection:
            for table, rows, name in (
                (EVENTS, [record_rows.event_row(event) for event in events], "sitting"),
                (SITTINGS, [record_rows.sitting_row(sitting) for sitting in sittings], "id"),
                (ATTEMPTS, [record_rows.attempt_row(attempt) for attempt in attempts], "id"),
            ):
                ids = list(dict.fromkeys(row[name] for row in rows))
                known: set[str] = set()
                for start in range(0, len(ids), 500):
                    part = table.c[name].in_(ids[start : start + 500])
                    known |= set(connection.execute(sql.select(table.c[name]).where(part)).scalars())
                fresh = [row for row in rows if row[name] not in known]
                for start in range(0, len(fresh), 500):
                    connection.execute(sql.insert(table), fresh[start : start + 500])
                new += len(fresh) if table is ATTEMPTS else 0
        return new


def _begin(connection: sql.Connection) -> None:
    """A writer takes its turn at once: what it reads first is then still so when it writes."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


@cache
def _steps() -> frozenset[str]:
    """The versions that this program knows."""
    return frozenset(path.name[1:5] for path in (Path(__file__).parent / "migrations/versions").glob("v*.py"))
