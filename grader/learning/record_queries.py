"""Questions to the records that are asked often, as SQL: each takes a few look-ups, however many attempts there are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sql

from grader.learning import record_rows

Table = sql.TableClause

TAKEN = sql.text(
    "SELECT 1 FROM attempts WHERE sitting = :sitting AND ((place = :place AND tries = :tries) OR token = :token)"
)
"""Whether an attempt would be there twice: by its place or by its token."""

LAST_OUTCOMES = sql.text("""
    SELECT outcome FROM attempts WHERE sitting = (
        SELECT id FROM sittings WHERE learner = :learner AND topic = :topic AND mode = :mode
        AND EXISTS (SELECT 1 FROM attempts WHERE sitting = sittings.id) ORDER BY started DESC LIMIT 1)""")
"""What became of the answers of the last sitting of a topic in a mode."""

_SEEN = "SELECT DISTINCT item, variant FROM attempts JOIN {items} ON item = asked.value WHERE learner = :learner"

_CARD = """SELECT card FROM attempts
    WHERE learner = :learner AND unit = {unit} AND card IS NOT NULL ORDER BY number DESC LIMIT 1"""
_CARD_OF_UNIT = sql.text(_CARD.format(unit=":unit"))
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
