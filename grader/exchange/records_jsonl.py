"""Records as JSON Lines, so that learners can move them: a header, then a sitting, an attempt or an event a line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, get_type_hints

from grader.errors import InputError
from grader.learning import record_rows
from grader.learning.record_rows import Entry
from grader.model import Attempt, Event, Sitting
from grader.template import CONTROL

HEADER = {"torch-grader": "records", "format": 2}

SINCE_2 = {Sitting: ("seed", "version", "ended", "face"), Attempt: ("choice", "token"), Event: ()}
"""Fields that files of format 1 do not have."""


def lines(sittings: Iterable[Sitting], attempts: Iterable[Attempt], events: Iterable[Event] = ()) -> Iterator[str]:
    """The lines of a file."""
    yield json.dumps(HEADER)
    for name, given in (("sitting", sittings), ("attempt", attempts), ("event", events)):
        for entry in given:
            data = dataclasses.asdict(entry)
            line = json.dumps({name: {key: _out(value) for key, value in data.items()}}, ensure_ascii=False)
            yield CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def read(text: Iterable[str], name: str) -> tuple[list[Sitting], list[Attempt], list[Event]]:
    """What is in a file of format 1 or 2. Raises InputError, with the line, for what is no export of ours."""
    sittings: list[Sitting] = []
    attempts: list[Attempt] = []
    events: list[Event] = []
    since = 0
    for number, line in enumerate(text, 1):
        if number > 1 and not line.strip():
            continue
        try:
            if number == 1:
                since = _format(json.loads(line))
                continue
            entry = _entry(json.loads(line), since)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            hint = "nothing was taken in; give a file that `grader export-records` wrote"
            said = f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
            raise InputError(f"{name}:{number}: {said}", hint) from None
        match entry:
            case Sitting():
                sittings.append(entry)
            case Attempt():
                attempts.append(entry)
            case Event():
                events.append(entry)
    return sittings, attempts, events


def _format(header: Any) -> int:
    """The format that a file's first line names."""
    for known in (1, 2):
        if header == HEADER | {"format": known}:
            return known
    raise ValueError("it does not begin as an export does")


def _entry(data: Any, since: int) -> Sitting | Attempt | Event:
    """What a line holds, in a file of this format."""
    ((name, fields),) = data.items()
    kind: Any = {"sitting": Sitting, "attempt": Attempt, "event": Event}.get(name)
    if kind is None:
        raise ValueError(f"`{name}` is neither a sitting nor an attempt nor an event")
    if since == 1:
        fields = dict.fromkeys(SINCE_2[kind]) | fields
    if kind is Sitting:
        fields |= {"plan": record_rows.plan_of(fields["plan"])}
    made: Sitting | Attempt | Event = _made(kind, fields)
    return made


def _out(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _made(kind: type[Entry], fields: dict[str, Any]) -> Entry:
    hints = get_type_hints(kind)
    if set(fields) != set(hints):
        wrong = ", ".join(sorted(set(fields) ^ set(hints)))
        raise ValueError(f"fields are missing or unknown: {wrong}")
    made: dict[str, Any] = {}
    for name, value in fields.items():
        if hints[name] is datetime or (hints[name] == datetime | None and value is not None):
            made[name] = datetime.fromisoformat(value)
            if made[name].tzinfo is None:
                raise ValueError(f"`{name}` has no time zone")
        elif hints[name] in (float, float | None) and type(value) is int:
            made[name] = float(value)  # JSON has one kind of number
        else:
            made[name] = value
    return record_rows.checked(kind, made)
