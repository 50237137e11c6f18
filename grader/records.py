"""What learners answered, kept in SQL: attempts are added and never changed; all else is computed from them.

SQLite in the user's data folder, or any database that SQLAlchemy knows by URL (tried: PostgreSQL). An attempt is on
disk when `add` returns: SQLite runs with a write-ahead log and syncs it with every commit. The tables are made and
brought up to date by the steps in `migrations`; a database of a newer version is only read.
"""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sql
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from grader import entries
from grader.errors import InputError
from grader.model import Attempt, Sitting

VERSION = "0001"
"""The newest step in `migrations/versions`."""

BUSY_SECONDS = 15
"""How long to wait for another process that writes."""

_sittings = sql.table("sittings", *(sql.column(field.name) for field in dataclasses.fields(Sitting)))
_attempts = sql.table(
    "attempts", sql.column("number"), *(sql.column(field.name) for field in dataclasses.fields(Attempt))
)
_COLUMNS = [_attempts.c[field.name] for field in dataclasses.fields(Attempt)]
_LOCK = 0x70726364  # of PostgreSQL: one writer of cards at a time


def url_of(given: str | None) -> str:
    """The URL that is meant: a plain path is an SQLite file; nothing is the default."""
    url = given or default_url()
    return url if "://" in url else f"sqlite:///{url}"


def exist(url: str) -> bool:
    """Whether there is something to open; a database server is asked only when it is opened."""
    return not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).exists()


class RecordsError(InputError):
    """The records cannot be opened, read or written. Nothing that was acknowledged is lost."""


def default_url() -> str:
    """`GRADER_DB`, else an SQLite file in the user's data folder."""
    if given := os.environ.get("GRADER_DB"):
        return given
    from platformdirs import user_data_path

    return f"sqlite:///{user_data_path('torch-grader', appauthor=False) / 'records.sqlite'}"


class Records:
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
            if self._sqlite:
                event.listen(self._engine, "connect", self._connected)
                event.listen(self._engine, "begin", _begin)
            self._writer = self._engine.execution_options(writes=True)
            try:
                self._check()
            except BaseException:
                self._engine.dispose()
                raise

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------ opening

    def _place(self, path: Path) -> None:
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
            found, empty = self._version(connection)
            if self._sqlite and self._write:
                self._look_for_damage(connection, found)
        if found is not None and found not in _steps():
            self.newer = True
            if self._write:
                raise RecordsError(
                    f"{self.name} was written by a newer torch-grader (version {found}, this one knows {VERSION})",
                    "upgrade torch-grader; until then it can be read (`grader export-records`), and nothing is changed",
                )
            return
        if not self._write:
            if found != VERSION:
                raise RecordsError(f"{self.name} holds no records of this version", "they begin with the first answer")
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

    @staticmethod
    def _look_for_damage(connection: sql.Connection, version: str | None) -> None:
        """Read a file through before anything is written into it. Raises ValueError.

        It takes half a second for 100,000 attempts.
        """
        found = str(connection.execute(sql.text("PRAGMA quick_check(1)")).scalar())
        if found != "ok":
            raise ValueError(" ".join(found.split()))
        for table in (_attempts, _sittings) if version == VERSION else ():
            names = connection.execute(sql.text("SELECT name FROM pragma_table_info(:name)"), {"name": table.name})
            if lacking := set(table.c.keys()) - set(names.scalars()):
                raise ValueError(f"the table `{table.name}` has no column `{min(lacking)}`")

    @staticmethod
    def _version(connection: sql.Connection) -> tuple[str | None, bool]:
        """The version of the tables, and whether there is no table at all."""
        tables = sql.inspect(connection).get_table_names()
        if "alembic_version" not in tables:
            return None, not tables
        row = connection.execute(sql.text("SELECT version_num FROM alembic_version")).first()
        return (str(row[0]) if row else None), False

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Turn what databases and disks raise into one message with a next step."""
        try:
            yield
        except (ArgumentError, NoSuchModuleError) as error:
            raise RecordsError(f"{self.url!r} is no database: {error}", _URLS) from None
        except ImportError as error:
            raise RecordsError(f"a package is missing for {self.url!r}: {error}", "pip install it") from None
        except (SQLAlchemyError, sqlite3.Error, OSError, ValueError, OverflowError) as error:
            said = str(error.orig if isinstance(error, DBAPIError) else error).strip() or type(error).__name__
            if isinstance(error, ValueError | OverflowError):
                said = f"they are damaged: {said}"
            if "disk is full" in said:
                said = f"no space left on the device ({said})"
            name = getattr(self, "name", self.url)
            raise RecordsError(f"the records at {name} cannot be {what}: {said.splitlines()[0]}", _hint(said)) from None

    # ------------------------------------------------------------ writing

    def begin(self, sitting: Sitting) -> None:
        """Write a sitting down, before its first question."""
        with self._told("written"), self._writer.begin() as connection:
            connection.execute(sql.insert(_sittings).values(**entries.sitting_row(sitting)))

    def add(self, make: Callable[[str | None], Attempt], learner: str, unit: str) -> Attempt | None:
        """Write an attempt. `make` is given the state of the unit's card before it, and says what is to be written.

        Read and written in one transaction, so that two sittings at once follow one another. None where this place
        of the sitting was answered already (by another process): nothing is doubled.
        """
        with self._told("written"):
            try:
                with self._writer.begin() as connection:
                    if not self._sqlite:
                        connection.execute(sql.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                    attempt = make(self._card(connection, learner, unit))
                    connection.execute(sql.insert(_attempts).values(**entries.attempt_row(attempt)))
            except IntegrityError:
                return None
        return attempt

    def forget(self, attempts: Sequence[str], sittings: Sequence[str]) -> None:
        """Delete the attempts with these ids, and the sittings of which none is left; all of it or nothing."""
        left = sql.select(_attempts.c.sitting)
        with self._told("written"), self._writer.begin() as connection:
            for start in range(0, len(attempts), 500):
                connection.execute(sql.delete(_attempts).where(_attempts.c.id.in_(attempts[start : start + 500])))
            for start in range(0, len(sittings), 500):
                part = _sittings.c.id.in_(sittings[start : start + 500])
                connection.execute(sql.delete(_sittings).where(part, _sittings.c.id.not_in(left)))

    def take_in(self, sittings: list[Sitting], attempts: list[Attempt]) -> int:
        """Add what was exported elsewhere, all of it or nothing; how many attempts were new."""
        new = 0
        with self._told("written"), self._writer.begin() as connection:
            for table, rows in (
                (_sittings, [entries.sitting_row(sitting) for sitting in sittings]),
                (_attempts, [entries.attempt_row(attempt) for attempt in attempts]),
            ):
                for start in range(0, len(rows), 500):
                    part = rows[start : start + 500]
                    ids = [row["id"] for row in part]
                    known = set(connection.execute(sql.select(table.c.id).where(table.c.id.in_(ids))).scalars())
                    if fresh := [row for row in part if row["id"] not in known]:
                        connection.execute(sql.insert(table), fresh)
                        new += len(fresh) if table is _attempts else 0
        return new

    # ------------------------------------------------------------ reading

    def attempts(self, **equal: object) -> Iterator[Attempt]:
        """The attempts whose fields are these, oldest first."""
        chosen = [_attempts.c[name] == value for name, value in equal.items()]
        query = sql.select(*_COLUMNS).where(*chosen).order_by(_attempts.c.number)
        with self._told("read"), self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=1000).execute(query):
                yield entries.attempt(row._mapping)  # noqa: SLF001  (the public name of SQLAlchemy for it)

    def sittings(self, **equal: object) -> Iterator[Sitting]:
        """The sittings whose fields are these, oldest first."""
        chosen = [_sittings.c[name] == value for name, value in equal.items()]
        query = sql.select(*_sittings.c).where(*chosen).order_by(_sittings.c.started)
        with self._told("read"), self._engine.connect() as connection:
            for row in connection.execute(query):
                yield entries.sitting(row._mapping)  # noqa: SLF001  (the public name of SQLAlchemy for it)

    def learners(self) -> list[str]:
        with self._told("read"), self._engine.connect() as connection:
            found = list(connection.execute(sql.select(_attempts.c.learner).distinct()).scalars())
            if odd := [name for name in found if not isinstance(name, str)]:
                raise ValueError(f"`learner` is {odd[0]!r}")
            return sorted(found)

    def cards(self, learner: str, units: list[str]) -> dict[str, str]:
        """The state of each unit's card; units that were never answered are left out."""
        with self._told("read"), self._engine.connect() as connection:
            found = {unit: self._card(connection, learner, unit) for unit in units}
        return {unit: card for unit, card in found.items() if card is not None}

    def seen(self, learner: str, items: list[str]) -> dict[str, set[int]]:
        """The variants of each item that were asked before."""
        found: dict[str, set[int]] = {}
        with self._told("read"), self._engine.connect() as connection:
            for item in items:
                query = sql.select(_attempts.c.variant).where(_attempts.c.learner == learner, _attempts.c.item == item)
                if variants := set(connection.execute(query.distinct()).scalars()):
                    if odd := [variant for variant in variants if type(variant) is not int]:
                        raise ValueError(f"`variant` is {odd[0]!r}")
                    found[item] = variants
        return found

    def recent(self, learner: str, topic: str, count: int) -> list[Attempt]:
        """The last attempts on a topic, newest first."""
        query = sql.select(*_COLUMNS).where(_attempts.c.learner == learner, _attempts.c.topic == topic)
        query = query.order_by(_attempts.c.number.desc()).limit(count)
        with self._told("read"), self._engine.connect() as connection:
            return [entries.attempt(row._mapping) for row in connection.execute(query)]  # noqa: SLF001  (as above)

    @staticmethod
    def _card(connection: sql.Connection, learner: str, unit: str) -> str | None:
        query = sql.select(_attempts.c.card).where(_attempts.c.learner == learner, _attempts.c.unit == unit)
        query = query.where(_attempts.c.card.is_not(None)).order_by(_attempts.c.number.desc()).limit(1)
        card: str | None = connection.execute(query).scalar()
        if card is not None:
            entries.check_card(card)
        return card


_URLS = "such as --db records.sqlite or --db postgresql+psycopg://user@host/name"


def _hint(said: str) -> str:
    """The next step after what a database said."""
    said = said.casefold()
    for words, hint in (
        (("locked", "busy"), "another program holds them; try again when it is done"),
        (("full", "no space"), "make room on the disk, then answer again; all earlier answers are there"),
        (("readonly", "read-only", "permission", "unable to open"), "give another place with --db, or --no-records"),
        (
            ("malformed", "not a database", "corrupt", "damaged", "decode", "no such"),
            "move the file away, or give another with --db; it is as it was",
        ),
        (("refused", "resolve", "could not connect", "connection failed"), "is the server running, and the URL right?"),
    ):
        if any(word in said for word in words):
            return hint
    return "give another place with --db, or --no-records"


def _begin(connection: sql.Connection) -> None:
    """A writer takes its turn at once: what it reads first is then still so when it writes."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


@cache
def _steps() -> frozenset[str]:
    """The versions that this program knows."""
    return frozenset(path.name[1:5] for path in (Path(__file__).parent / "migrations/versions").glob("v*.py"))


def new_id() -> str:
    return uuid.uuid4().hex
