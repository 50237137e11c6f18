"""What is looked at when records are opened, and what is said where they cannot be."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sql

from grader.errors import InputError


def url_of(given: str | None) -> str:
    """The URL that is meant: a plain path is an SQLite file; nothing is the default."""
    url = given or default_url()
    return url if "://" in url else f"sqlite:///{url}"


def exist(url: str) -> bool:
    """Whether there is something to open; a database server is asked only when it is opened."""
    return not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).exists()


def default_url() -> str:
    """`GRADER_DB`, else an SQLite file in the user's data folder."""
    if given := os.environ.get("GRADER_DB"):
        return given
    from platformdirs import user_data_path

    return f"sqlite:///{user_data_path('torch-grader', appauthor=False) / 'records.sqlite'}"


class RecordsError(InputError):
    """The records cannot be opened, read or written. Nothing that was acknowledged is lost."""


def version_of(connection: sql.Connection) -> tuple[str | None, bool]:
    """The version of the tables, and whether there is no table at all."""
    tables = sql.inspect(connection).get_table_names()
    if "alembic_version" not in tables:
        return None, not tables
    row = connection.execute(sql.text("SELECT version_num FROM alembic_version")).first()
    return (str(row[0]) if row else None), False


def look_for_damage(connection: sql.Connection, tables: Sequence[sql.TableClause]) -> None:
    """Read an SQLite file through before anything is written into it. Raises ValueError.

    It takes half a second for 100,000 attempts.
    """
    found = str(connection.execute(sql.text("PRAGMA quick_check(1)")).scalar())
    if found != "ok":
        raise ValueError(" ".join(found.split()))
    for table in tables:
        names = connection.execute(sql.text("SELECT name FROM pragma_table_info(:name)"), {"name": table.name})
        if lacking := set(table.c.keys()) - set(names.scalars()):
            raise ValueError(f"the table `{table.name}` has no column `{min(lacking)}`")


URLS = "such as --db records.sqlite or --db postgresql+psycopg://user@host/name"


def hint_for(said: str) -> str:
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
