"""Reading what is on record. Rows are checked one by one, since files and databases may be damaged."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from grader.learning import record_rows
from grader.learning.record_opening import URLS, RecordsError, hint_for
from grader.learning.record_queries import LAST_OUTCOMES, Table, rows_of, seen_of, standing_of
from grader.learning.sitting_log import Logged
from grader.model import (
    Attempt,
    Classroom,
    Event,
    Extension,
    Member,
    QuestionReport,
    Regrade,
    Sitting,
    Task,
)

SITTINGS = sql.table("sittings", *(sql.column(field.name) for field in dataclasses.fields(Sitting)))
ATTEMPTS = sql.table(
    "attempts", sql.column("number"), *(sql.column(field.name) for field in dataclasses.fields(Attempt))
)
EVENTS = sql.table("events", *(sql.column(field.name) for field in dataclasses.fields(Event)))
REPORTS = sql.table("reports", *(sql.column(field.name) for field in dataclasses.fields(QuestionReport)))
CLASSROOMS, MEMBERS, TASKS, EXTENSIONS, REGRADES = (
    sql.table(name, *(sql.column(field.name) for field in dataclasses.fields(kind)))
    for name, kind in (
        ("classrooms", Classroom), ("members", Member), ("tasks", Task), ("extensions", Extension),
        ("regrades", Regrade),
    )
)  # fmt: skip
TABLES = (ATTEMPTS, SITTINGS, EVENTS, REPORTS, CLASSROOMS, MEMBERS, TASKS, EXTENSIONS, REGRADES)
_SINCE_0002 = {"sittings": ("seed", "version", "ended", "face"), "attempts": ("choice", "token")}
TABLES_OF = {"0001": (ATTEMPTS, SITTINGS), "0002": (ATTEMPTS, SITTINGS, EVENTS), "0003": TABLES[:4]}


class RecordReader:
    """What may be asked of records; see `Records`, which opens and writes them."""

    url: str
    _engine: sql.Engine
    _quick: sql.Engine
    """For queries of which each may see what was written meanwhile."""
    _tables: tuple[Table, ...] = TABLES
    """Those that there are: fewer where an earlier version wrote them, and they are only read."""

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Turn what databases and disks raise into one message with a next step."""
        try:
            yield
        except (ArgumentError, NoSuchModuleError) as error:
            raise RecordsError(f"{self.url!r} is not a database: {error}", URLS) from None
        except ImportError as error:
            hint = "for PostgreSQL: pip install 'torch-grader[postgres]'"
            raise RecordsError(f"a package is missing for {self.url!r}: {error}", hint) from None
        except (SQLAlchemyError, sqlite3.Error, OSError, ValueError, OverflowError) as error:
            said = str(error.orig if isinstance(error, DBAPIError) else error).strip() or type(error).__name__
            if isinstance(error, ValueError | OverflowError):
                said = f"they are damaged: {said}"
            if "disk is full" in said:
                said = f"no space left on the device ({said})"
            name = getattr(self, "name", self.url)
            raise RecordsError(
                f"the records at {name} cannot be {what}: {said.splitlines()[0]}", hint_for(said)
            ) from None

    def _columns(self, table: Table) -> list[Any]:
        """The columns of a table; those that its version does not have yet are NULL."""
        missing = () if EVENTS in self._tables else _SINCE_0002.get(table.name, ())
        names = [column.name for column in table.c if column.name != "number"]
        return [sql.null().label(name) if name in missing else table.c[name] for name in names]

    def _rows(self, table: Table, order: Sequence[Any], chosen: Sequence[Any]) -> Iterator[Any]:
        query = sql.select(*self._columns(table)).where(*chosen).order_by(*order)
        with self._told("read"), self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=1000).execute(query):
                yield row._mapping  # noqa: SLF001  (the public name of SQLAlchemy for it)

    def select(self, query: sql.Executable) -> list[Any]:
        """The rows of a query, as mappings."""
        with self._told("read"), self._quick.connect() as connection:
            return [row._mapping for row in connection.execute(query)]  # noqa: SLF001  (as above)

    def attempts(self, **equal: object) -> Iterator[Attempt]:
        """The attempts whose fields are these, oldest first."""
        chosen = [ATTEMPTS.c[name] == value for name, value in equal.items()]
        with self._told("read"):
            yield from map(record_rows.attempt, self._rows(ATTEMPTS, [ATTEMPTS.c.number], chosen))

    def sittings(self, **equal: object) -> Iterator[Sitting]:
        """The sittings whose fields are these, oldest first."""
        chosen = [SITTINGS.c[name] == value for name, value in equal.items()]
        with self._told("read"):
            yield from map(record_rows.sitting, self._rows(SITTINGS, [SITTINGS.c.started], chosen))

    def events(self, sittings: Sequence[str] | None = None) -> Iterator[Event]:
        """The events of these sittings, or all; each sitting's in their order."""
        if EVENTS not in self._tables:
            return
        for start in range(0, 1 if sittings is None else len(sittings), 500):
            chosen = [] if sittings is None else [EVENTS.c.sitting.in_(sittings[start : start + 500])]
            with self._told("read"):
                yield from map(record_rows.event, self._rows(EVENTS, (EVENTS.c.sitting, EVENTS.c.seq), chosen))

    def reports(self, **equal: object) -> Iterator[QuestionReport]:
        """What was said to be wrong with questions, oldest first."""
        if REPORTS not in self._tables:
            return
        chosen = [REPORTS.c[name] == value for name, value in equal.items()]
        with self._told("read"):
            yield from map(record_rows.report, self._rows(REPORTS, [REPORTS.c.at], chosen))

    def left_open(self, learner: str, since: datetime, count: int) -> list[Sitting]:
        """The sittings that a learner began since then and did not end, newest first; at most so many."""
        chosen = (SITTINGS.c.learner == learner, SITTINGS.c.ended.is_(None),
                  SITTINGS.c.started >= record_rows.microseconds(since))  # fmt: skip
        query = sql.select(*self._columns(SITTINGS)).where(*chosen).order_by(SITTINGS.c.started.desc()).limit(count)
        with self._told("read"), self._quick.connect() as connection:
            return [record_rows.sitting(row._mapping) for row in connection.execute(query)]  # noqa: SLF001  (as above)

    @cached_property
    def _logged(self) -> dict[str, sql.Select[Any]]:
        """The queries of `logged` by their tables, made once: it is asked for each page."""
        asked = ((EVENTS, "sitting", "seq"), (ATTEMPTS, "sitting", "number"), (SITTINGS, "id", "id"))
        return {
            table.name: sql.select(*self._columns(table))
            .where(table.c[column] == sql.bindparam("sitting"))
            .order_by(table.c[order])
            for table, column, order in asked
        }

    def logged(self, sitting: str) -> Logged | None:
        """All that is on record of a sitting; None where there is none of this id."""
        with self._told("read"), self._quick.connect() as connection:
            # The plan last: it may grow meanwhile, and what is answered is in it.
            tables = [table for table in (EVENTS, ATTEMPTS, SITTINGS) if table in self._tables]
            queries = [self._logged[table.name] for table in tables]
            *events, attempts, kept = rows_of(connection, queries, {"sitting": sitting})
            if not kept:
                return None
            return Logged(
                record_rows.sitting(kept[0]),
                tuple(map(record_rows.event, chain.from_iterable(events))),
                tuple(map(record_rows.attempt, attempts)),
            )

    def earlier(self, sitting: Sitting, items: Sequence[str], variant: int) -> Attempt | None:
        """The last answer to a question that was practiced before this sitting, by its ids of today and before."""
        mine = (ATTEMPTS.c.learner == sitting.learner, ATTEMPTS.c.item.in_(items), ATTEMPTS.c.variant == variant,
                ATTEMPTS.c.mode.in_(("practice", "try")), ATTEMPTS.c.sitting != sitting.id,
                ATTEMPTS.c.at <= record_rows.microseconds(sitting.started))  # fmt: skip
        query = sql.select(*self._columns(ATTEMPTS)).where(*mine).order_by(ATTEMPTS.c.number.desc()).limit(1)
        with self._told("read"), self._quick.connect() as connection:
            row = connection.execute(query).first()
            return record_rows.attempt(row._mapping) if row else None  # noqa: SLF001  (as above)

    def learners(self) -> list[str]:
        with self._told("read"), self._quick.connect() as connection:
            found = list(connection.execute(sql.select(ATTEMPTS.c.learner).distinct()).scalars())
            if odd := [name for name in found if not isinstance(name, str)]:
                raise ValueError(f"`learner` is {odd[0]!r}")
            return sorted(found)

    def standing(self, learner: str, items: Sequence[str], units: Sequence[str]) -> tuple[set[str], dict[str, str]]:
        """Which of the items were answered, and the state of each unit's card that was; one query."""
        with self._told("read"), self._quick.connect() as connection:
            return standing_of(connection, learner, items, units)

    def cards(self, learner: str, units: list[str]) -> dict[str, str]:
        """The state of each unit's card; units that were never answered are left out."""
        return self.standing(learner, (), units)[1]

    def seen(self, learner: str, items: list[str]) -> dict[str, set[int]]:
        """The variants of each item that were asked before."""
        with self._told("read"), self._quick.connect() as connection:
            return seen_of(connection, learner, items)

    def recent(self, learner: str, topic: str | None, count: int) -> list[Attempt]:
        """The last attempts on a topic, or on all (None), newest first."""
        mine = [ATTEMPTS.c.learner == learner, *([] if topic is None else [ATTEMPTS.c.topic == topic])]
        query = sql.select(*self._columns(ATTEMPTS)).where(*mine).order_by(ATTEMPTS.c.number.desc()).limit(count)
        with self._told("read"), self._quick.connect() as connection:
            return [record_rows.attempt(row._mapping) for row in connection.execute(query)]  # noqa: SLF001  (as above)

    def last_outcomes(self, learner: str, topic: str, mode: str) -> list[str]:
        """The outcomes of the last sitting of a topic in a mode in which anything was answered."""
        with self._told("read"), self._quick.connect() as connection:
            given = {"learner": learner, "topic": topic, "mode": mode}
            return [str(outcome) for outcome in connection.execute(LAST_OUTCOMES, given).scalars()]
