"""Questions to the records that are asked often, as SQL: each takes a few look-ups, however many attempts there are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sql

from grader.learning import record_rows
from grader.model import Attempt, Event

Table = sql.TableClause

LAST_OUTCOMES = sql.text("""
    SELECT outcome FROM attempts WHERE sitting = (
        SELECT id FROM sittings WHERE learner = :learner AND topic = :topic AND mode = :mode
        AND EXISTS (SELECT 1 FROM attempts WHERE sitting = sittings.id) ORDER BY started DESC LIMIT 1)""")
"""What became of the answers of the last sitting of a topic in a mode."""

_SEEN = "SELECT DISTINCT item, variant FROM attempts JOIN {items} ON item = asked.value WHERE learner = :learner"

_CARD = """SELECT card FROM attempts
    WHERE learner = :learner AND unit = {unit} AND card IS NOT NULL ORDER BY number DESC LIMIT 1"""
_CARD_OF_UNIT = sql.text(_CARD.format(unit=":unit"))
_BEFORE = """SELECT ({card}), EXISTS (
    SELECT 1 FROM attempts WHERE sitting = :sitting AND ((place = :place AND tries = :tries) OR token = :token))"""
_BEFORE_AN_ATTEMPT = sql.text(_BEFORE.format(card=_CARD.format(unit=":unit")))
_NEXT = sql.text("""SELECT max(seq), sum(CASE WHEN place = :place AND kind = :kind THEN 1 ELSE 0 END)
    FROM events WHERE sitting = :sitting""")
_STANDING = """
    SELECT 'item', asked.value, NULL FROM {items} WHERE EXISTS (
        SELECT 1 FROM attempts WHERE learner = :learner AND item = asked.value)
    UNION ALL SELECT 'unit', asked.value, ({card}) FROM {units}"""
_NAMES = {
    "sqlite": "json_each(:{0}) AS asked",
    "postgresql": "json_array_elements_text(CAST(:{0} AS json)) AS asked(value)",
}
"""A list of names as rows, from one parameter."""


def card_of(connection: sql.Connection, learner: str, unit: str) -> str | None:
    """The state of a unit's card after its last answer; None where there was none."""
    card: str | None = connection.execute(_CARD_OF_UNIT, {"learner": learner, "unit": unit}).scalar()
    if card is not None:
        record_rows.check_card(card)
    return card


def before(connection: sql.Connection, attempt: Attempt) -> tuple[str | None, bool]:
    """The state of an attempt's card before it, and whether it would be there twice: by its place or by its token."""
    names = ("learner", "unit", "sitting", "place", "tries", "token")
    card, taken = connection.execute(_BEFORE_AN_ATTEMPT, {name: getattr(attempt, name) for name in names}).one()
    if card is not None:
        record_rows.check_card(card)
    return card, bool(taken)


def next_of(connection: sql.Connection, event: Event) -> tuple[int, bool]:
    """The next number of an event's sitting, and whether there is one of its kind at its place."""
    given = {"sitting": event.sitting, "place": event.place, "kind": event.kind}
    last, same = connection.execute(_NEXT, given).one()
    return 0 if last is None else last + 1, bool(same)


def rows_of(
    connection: sql.Connection, queries: Sequence[sql.Select[Any]], given: Mapping[str, Any]
) -> list[list[Mapping[Any, Any]]]:
    """The rows of several queries. PostgreSQL is asked for all of them at once, and answers once.

    Raises OSError where it does not answer; what was connected before is then connected anew.
    """
    driver: Any = connection.connection.driver_connection
    if not hasattr(driver, "pipeline"):
        return [list(connection.execute(query, given).mappings()) for query in queries]
    texts = [_text(query, connection.dialect) for query in queries]
    try:
        with driver.pipeline():
            answers = [driver.execute(text, given) for text in texts]
            return [_mappings(one) for one in answers]
    except connection.dialect.loaded_dbapi.Error as error:
        connection.invalidate(error)
        connection.engine.dispose()
        raise OSError(str(error)) from error


def _mappings(answer: Any) -> list[Mapping[Any, Any]]:
    rows = answer.fetchall()  # what its columns are called is known with them
    names = [column.name for column in answer.description]
    return [dict(zip(names, row, strict=True)) for row in rows]


@lru_cache(maxsize=64)
def _text(query: sql.Select[Any], dialect: sql.Dialect) -> str:
    return str(query.compile(dialect=dialect))


def standing_of(
    connection: sql.Connection, learner: str, items: Sequence[str], units: Sequence[str]
) -> tuple[set[str], dict[str, str]]:
    """Which of the items were answered, and the state of each unit's card that was."""
    names = _NAMES[connection.dialect.name]
    card = _CARD.format(unit="asked.value")
    query = sql.text(_STANDING.format(items=names.format("items"), units=names.format("units"), card=card))
    given: dict[str, Any] = {"learner": learner, "items": json.dumps(list(items)), "units": json.dumps(list(units))}
    answered: set[str] = set()
    cards: dict[str, str] = {}
    for kind, name, state in connection.execute(query, given):
        if kind == "item":
            answered.add(name)
        elif state is not None:
            record_rows.check_card(state)
            cards[name] = state
    return answered, cards


def seen_of(connection: sql.Connection, learner: str, items: Sequence[str]) -> dict[str, set[int]]:
    """The variants of each item that were asked before."""
    query = sql.text(_SEEN.format(items=_NAMES[connection.dialect.name].format("items")))
    seen: dict[str, set[int]] = {}
    for item, variant in connection.execute(query, {"learner": learner, "items": json.dumps(list(items))}):
        if type(variant) is not int:
            raise ValueError(f"`variant` is {variant!r}")
        seen.setdefault(item, set()).add(variant)
    return seen
