"""Records as JSON Lines, so that learners can move them: a header, then a sitting or an attempt a line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, get_type_hints

from grader import entries
from grader.entries import Entry
from grader.errors import InputError
from grader.model import Attempt, Sitting
from grader.template import CONTROL

HEADER = {"torch-grader": "records", "format": 1}


def lines(sittings: Iterable[Sitting], attempts: Iterable[Attempt]) -> Iterator[str]:
    """The lines of a file."""
    yield json.dumps(HEADER)
    for name, given in (("sitting", sittings), ("attempt", attempts)):
        for entry in given:
            data = dataclasses.asdict(entry)
            line = json.dumps({name: {key: _out(value) for key, value in data.items()}}, ensure_ascii=False)
            yield CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def read(text: Iterable[str], name: str) -> tuple[list[Sitting], list[Attempt]]:
    """What is in a file. Raises InputError, with the line, for what is no export of ours."""
    sittings, attempts = [], []
    for number, line in enumerate(text, 1):
        if number > 1 and not line.strip():
            continue
        try:
            entry = _entry(json.loads(line), number)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            hint = "nothing was taken in; give a file that `grader export-records` wrote"
            said = f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
            raise InputError(f"{name}:{number}: {said}", hint) from None
        if isinstance(entry, Sitting):
            sittings.append(entry)
        elif entry:
            attempts.append(entry)
    return sittings, attempts


def _entry(data: Any, number: int) -> Sitting | Attempt | None:
    """What a line holds; None for the header."""
    if number == 1:
        if data != HEADER:
            raise ValueError("it does not begin as an export does")
        return None
    ((kind, fields),) = data.items()
    if kind == "sitting":
        return _made(Sitting, fields | {"plan": entries.plan_of(fields["plan"])})
    if kind == "attempt":
        return _made(Attempt, fields)
    raise ValueError(f"`{kind}` is neither a sitting nor an attempt")


def _out(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _made(kind: type[Entry], fields: dict[str, Any]) -> Entry:
    hints = get_type_hints(kind)
    if set(fields) != set(hints):
        wrong = ", ".join(sorted(set(fields) ^ set(hints)))
        raise ValueError(f"fields are missing or unknown: {wrong}")
    made: dict[str, Any] = {}
    for name, value in fields.items():
        if hints[name] is datetime:
            made[name] = datetime.fromisoformat(value)
            if made[name].tzinfo is None:
                raise ValueError(f"`{name}` has no time zone")
        elif hints[name] in (float, float | None) and type(value) is int:
            made[name] = float(value)  # JSON has one kind of number
        else:
            made[name] = value
    return entries.checked(kind, made)
