"""Sittings, attempts and events as rows, and what such a row must hold: files and databases may be damaged."""

from __future__ import annotations

import dataclasses
import json
import math
import types
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, get_args, get_type_hints

from grader.model import (
    EVENTS,
    Attempt,
    Classroom,
    Event,
    Extension,
    Member,
    Outcome,
    QuestionReport,
    Regrade,
    Sitting,
    Task,
)

Entry = TypeVar("Entry", Sitting, Attempt, Event, QuestionReport)
OfClass = TypeVar("OfClass", Classroom, Member, Task, Extension, Regrade)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST = 1 << 63
"""Of a whole number in a database; seeds, counts and places are smaller."""
_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_COUNTS = ("place", "tries", "variant", "hints")


def checked(kind: type[Entry], fields: Mapping[str, Any]) -> Entry:
    """A sitting, an attempt, an event or a report of these fields. Raises ValueError for what it cannot have."""
    for name, allowed in _TYPES[kind]:
        value = fields[name]
        if type(value) not in allowed:
            raise ValueError(f"`{name}` is {_shown(value)}")
        if type(value) is int and not -_LARGEST <= value < _LARGEST:
            raise ValueError(f"`{name}` is a number beyond all counts")
        if type(value) is float and not math.isfinite(value):
            raise ValueError(f"`{name}` is {value}")
        if type(value) is str and not value.isascii():
            value.encode()  # halves of characters cannot be kept
    made = kind(**fields)
    if isinstance(made, Attempt):
        _check_attempt(made)
    elif isinstance(made, Event):
        _check_event(made)
    elif isinstance(made, QuestionReport):
        if made.variant < 0:
            raise ValueError(f"`variant` is {made.variant}")
    elif any(not 0 <= variant < _LARGEST for _, variant in made.plan):
        raise ValueError("`plan` has a variant that no item has")
    return made


def _types(kind: type[Any]) -> tuple[tuple[str, frozenset[type]], ...]:
    """The types that each field may have."""
    hints = get_type_hints(kind)
    found = []
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        parts = get_args(hint) if isinstance(hint, types.UnionType) else (tuple if field.name == "plan" else hint,)
        found.append((field.name, frozenset(parts)))
    return tuple(found)


_TYPES: dict[type, tuple[tuple[str, frozenset[type]], ...]] = {
    kind: _types(kind) for kind in (Sitting, Attempt, Event, QuestionReport)
}


def _check_attempt(made: Attempt) -> None:
    if made.outcome not in _OUTCOMES:
        raise ValueError(f"`outcome` is {_shown(made.outcome)}")
    for name in _COUNTS:
        if getattr(made, name) < 0:
            raise ValueError(f"`{name}` is {getattr(made, name)}")
    if made.card is not None:
        check_card(made.card)
    if made.choice is not None:
        places_of(made.choice)


def _check_event(made: Event) -> None:
    if made.kind not in EVENTS:
        raise ValueError(f"`kind` is {_shown(made.kind)}")
    if made.seq < 0 or (made.place or 0) < 0:
        raise ValueError(f"`seq` is {made.seq}, `place` is {made.place}")
    data_of(made)


def places_of(choice: str) -> tuple[int, ...]:
    """The places of options in a `choice`. Raises ValueError where it is no JSON list of them."""
    try:
        found = json.loads(choice)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, list) and all(type(place) is int and 0 <= place < _LARGEST for place in found):
        return tuple(found)
    raise ValueError(f"`choice` is {_shown(choice)}")


def data_of(event: Event) -> dict[str, Any]:
    """What an event holds besides its kind. Raises ValueError where it is no JSON object."""
    try:
        data = json.loads(event.data)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict):
        return data
    raise ValueError(f"`data` is {_shown(event.data)}")


def check_card(card: str) -> None:
    """Raises ValueError where a text is no state of a card, as fsrs writes it."""
    try:
        data = json.loads(card)
        times = [data["due"], *([data["last_review"]] if data["last_review"] is not None else [])]
        numbers = [data[name] for name in ("stability", "difficulty") if data[name] is not None]
        whole = [data["card_id"], data["state"], *([data["step"]] if data["step"] is not None else [])]
        good = all(datetime.fromisoformat(time).tzinfo is not None for time in times)
        good = good and all(type(number) in (int, float) and math.isfinite(number) for number in numbers)
        good = good and all(type(number) is int and abs(number) < _LARGEST for number in whole)
        good = good and data["state"] in (1, 2, 3)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"`card` is {_shown(card)}: {_shown(error)}") from None
    if not good:
        raise ValueError(f"`card` is {_shown(card)}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


# ---------------------------------------------------------------- rows


def microseconds(at: datetime) -> int:
    """A time as a whole number: microseconds since 1970, UTC."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def time_of(given: object) -> datetime:
    if type(given) is not int:
        raise ValueError(f"a time is {_shown(given)}")
    try:
        return _EPOCH + timedelta(microseconds=given)
    except OverflowError:
        raise ValueError(f"a time is {_shown(given)}") from None


def sitting_row(sitting: Sitting) -> dict[str, Any]:
    """A sitting as the columns of its table."""
    times = {"started": microseconds(sitting.started), "ended": sitting.ended and microseconds(sitting.ended)}
    return dataclasses.asdict(sitting) | times | {"plan": plan_text(sitting.plan)}


def plan_text(plan: Iterable[tuple[str, int]]) -> str:
    """The questions of a sitting as JSON."""
    return json.dumps([list(question) for question in plan])


def sitting(row: Mapping[Any, Any]) -> Sitting:
    """The sitting in a row. Raises ValueError where the row is damaged."""
    try:
        plan = plan_of(json.loads(row["plan"]))
    except (TypeError, RecursionError):
        raise ValueError(f"`plan` is {_shown(row['plan'])}") from None
    ended = None if row["ended"] is None else time_of(row["ended"])
    return checked(Sitting, {**row, "started": time_of(row["started"]), "ended": ended, "plan": plan})


def plan_of(data: object) -> tuple[tuple[str, int], ...]:
    """The questions of a sitting, from JSON. Raises ValueError."""
    good = isinstance(data, list) and all(
        isinstance(entry, list) and [type(part) for part in entry] == [str, int] for entry in data
    )
    if not good or not isinstance(data, list):
        raise ValueError(f"`plan` is {_shown(data)}")
    return tuple((item, variant) for item, variant in data)


def attempt_row(attempt: Attempt) -> dict[str, Any]:
    """An attempt as the columns of its table."""
    return dataclasses.asdict(attempt) | {"at": microseconds(attempt.at)}


def attempt(row: Mapping[Any, Any]) -> Attempt:
    """The attempt in a row. Raises ValueError where the row is damaged."""
    if row["early"] not in (0, 1):
        raise ValueError(f"`early` is {_shown(row['early'])}")
    return checked(Attempt, {**row, "at": time_of(row["at"]), "early": bool(row["early"])})


def event_row(event: Event) -> dict[str, Any]:
    """An event as the columns of its table."""
    return dataclasses.asdict(event) | {"at": microseconds(event.at)}


def event(row: Mapping[Any, Any]) -> Event:
    """The event in a row. Raises ValueError where the row is damaged."""
    return checked(Event, {**row, "at": time_of(row["at"])})


def report_row(report: QuestionReport) -> dict[str, Any]:
    """A report as the columns of its table."""
    return dataclasses.asdict(report) | {"at": microseconds(report.at)}


def report(row: Mapping[Any, Any]) -> QuestionReport:
    """The report in a row. Raises ValueError where the row is damaged."""
    return checked(QuestionReport, {**row, "at": time_of(row["at"])})


# ---------------------------------------------------------------- rows of classes


def class_row(entry: OfClass) -> dict[str, Any]:
    """Something of a class as the columns of its table."""
    row = dataclasses.asdict(entry)
    for name, value in row.items():
        if isinstance(value, datetime):
            row[name] = microseconds(value)
        elif isinstance(value, tuple):
            row[name] = json.dumps(value)
    return row


def class_entry(kind: type[OfClass], row: Mapping[Any, Any]) -> OfClass:
    """What a row of a class holds. Raises ValueError where the row is damaged."""
    fields: dict[str, Any] = {}
    for name, hint in get_type_hints(kind).items():
        value = row[name]
        allowed = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        if value is not None and datetime in allowed:
            value = time_of(value)
        elif hint == tuple[str, ...]:
            value = _names(value)
        elif type(value) not in allowed:
            raise ValueError(f"`{name}` is {_shown(value)}")
        if type(value) is float and not math.isfinite(value):
            raise ValueError(f"`{name}` is {value}")
        fields[name] = value
    return kind(**fields)


def _names(text: object) -> tuple[str, ...]:
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, list) and all(type(name) is str for name in found):
        return tuple(found)
    raise ValueError(f"a list of names is {_shown(text)}")
