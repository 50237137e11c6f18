"""An observation as JSON data and back. Reading is strict: what comes from a child may be anything."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from grader.model import Asked, Observation, Program, Raised, Status, Value, Warned, values
from grader.runner.inside import observers

T = TypeVar("T")

MOST_ENTRIES = 100_000
"""Rows of one list of rates, or warnings, that are read."""

LONGEST = 20_000
"""Characters of one text that are kept."""

DEEPEST = 24
"""How deep the values of expressions may be nested, as JSON."""

TOO_LONG = "the observations were too long to keep"
"""The one note that a child may write; all else that is said of a run is the supervisor's."""

SAID_BY_CHILD = (Status.OK, Status.ERROR, Status.MEMORY)

LARGEST_WHOLE = 1 << 62
"""No count (of bytes, of a line) is larger."""


def encode(observation: Observation) -> dict[str, Any]:
    """All fields of an observation, by name."""
    return dataclasses.asdict(observation)


def document(program: Program) -> dict[str, Any]:
    """A program as it is sent to a child."""
    return {
        "source": program.source,
        "asks": program.asks,
        "seed": program.seed,
        "limits": dataclasses.asdict(program.limits),
        "cases": program.cases,
        "cells": program.cells,
        "modules": program.modules,
        "parts": [document(part) for part in program.parts],
        "replay": program.replay and encode(program.replay),
        "watch": program.watch,
    }


def decode(data: Any, depth: int = 2) -> Observation:
    """The observation that `data` holds, and those of its cases (of parts with cases: `depth` 2).

    Raises ValueError where a field has not its type.
    """
    entries = _list(data.get("cases", [])) if type(data) is dict and depth else []
    return dataclasses.replace(_decode(data, depth), cases=tuple(decode(entry, depth - 1) for entry in entries))


def decode_for(program: Program, data: Any) -> Observation:
    """The observation of this program that `data` holds: it has as many cases, or says that they were too many.

    Raises ValueError where it has not.
    """
    observation = decode(data)
    _check_cases(program, observation)
    return observation


def _check_cases(program: Program, observation: Observation) -> None:
    count = len(observation.cases)
    if program.parts:
        fits = count == len(program.parts)
    else:
        fits = count <= len(program.cells) if program.cells else count == len(program.cases)
    if not fits and not (count == 0 and (observation.note == TOO_LONG or observation.status is Status.TIMEOUT)):
        raise ValueError(f"it speaks of {count} cases")
    if not {name for name, _ in observation.watched} <= set(program.watch):
        raise ValueError("it speaks of what was not watched")
    for part, seen in zip(program.parts, observation.cases, strict=False):
        _check_cases(part, seen)


def _decode(data: Any, depth: int) -> Observation:
    if type(data) is not dict:
        raise ValueError("an observation is an object")
    return Observation(
        status=_status(data.get("status"), part=depth < 2),
        lr_at_start_by_group=_floats(data.get("lr_at_start_by_group")),
        lr_used_by_group=_rows(data.get("lr_used_by_group")),
        lr_after_step_by_group=_rows(data.get("lr_after_step_by_group")),
        losses=_floats(data.get("losses")),
        stdout=_printable(_exact(data.get("stdout", ""), str)),
        stderr=_printable(_exact(data.get("stderr", ""), str)),
        warnings=tuple(_warned(entry) for entry in _list(data.get("warnings"))),
        error=None if data.get("error") is None else _raised(data["error"]),
        asked=tuple(_asked(entry) for entry in _list(data.get("asked"))),
        seconds=_seconds(data.get("seconds")),
        peak_bytes=_whole(data.get("peak_bytes")),
        note=TOO_LONG if data.get("note") == TOO_LONG else "",
        watched=observers.read(data.get("watched", [])),
    )


def _exact(value: Any, kind: type[T]) -> T:
    if type(value) is not kind:
        raise ValueError(f"expected {kind.__name__}, found {type(value).__name__}")
    return value


def _status(value: Any, *, part: bool) -> Status:
    status = Status(_exact(value, str))
    if status not in SAID_BY_CHILD and not (part and status is Status.TIMEOUT):  # see `execute.execute_part`
        raise ValueError(f"a child does not say of itself that it is `{status.value}`")
    return status


def _text(value: Any) -> str:
    return _printable(_exact(value, str)[:LONGEST])


def _printable(text: str) -> str:
    """The text without lone surrogates, which no terminal, file or database takes."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _whole(value: Any) -> int:
    number = _exact(value, int)
    if abs(number) > LARGEST_WHOLE:
        raise ValueError("a count is too large")
    return number


def _seconds(value: Any) -> float:
    seconds = _number(value)
    if not 0 <= seconds < LARGEST_WHOLE:  # and so it is a number
        raise ValueError(f"it took {seconds} seconds")
    return seconds


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise ValueError(f"expected a number, found {type(value).__name__}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError("a number is too large") from None


def _list(value: Any) -> list[Any]:
    entries: list[Any] = _exact(value, list)
    if len(entries) > MOST_ENTRIES:
        raise ValueError(f"a list of {len(entries)} entries is too long")
    return entries


def _floats(value: Any) -> tuple[float, ...]:
    return tuple(_number(entry) for entry in _list(value))


def _rows(value: Any) -> tuple[tuple[float, ...], ...]:
    return tuple(_floats(row) for row in _list(value))


def _line(value: Any) -> int | None:
    return None if value is None else _whole(value)


def _warned(entry: Any) -> Warned:
    entry = _exact(entry, dict)
    return Warned(_text(entry.get("category")), _text(entry.get("message")), _line(entry.get("line")))


def _raised(entry: Any) -> Raised:
    entry = _exact(entry, dict)
    return Raised(
        _text(entry.get("type")),
        _text(entry.get("message")),
        _line(entry.get("line")),
        _text(entry.get("code")),
        _exact(entry.get("before_running", False), bool),
    )


def _asked(entry: Any) -> Asked:
    entry = _exact(entry, dict)
    error = entry.get("error")
    return Asked(_plain(entry.get("value")), None if error is None else _text(error))


def _plain(value: Any, depth: int = 0) -> Value:
    """JSON data as it was parsed, if it is neither too deep, nor holds numbers that are no floats."""
    match value:
        case str():
            return _text(value)
        case bool() | None:
            return value
        case int() | float():
            _number(value)
            return value
        case list() if depth < DEEPEST:
            return [_plain(entry, depth + 1) for entry in _list(value)]
        case dict() if depth < DEEPEST and len(value) == 1:
            return _marked(*next(iter(value.items())), depth)
    raise ValueError("a value is nested too deeply")


def _marked(mark: Any, content: Any, depth: int) -> Value:
    """A value that JSON has no form for, as `values` writes it."""
    values.check(_exact(mark, str), content)
    if mark in ("$tensor", "$array", "$dtype"):
        return {mark: content}
    if mark == "$object":
        return {mark: {name: _text(text) for name, text in content.items()}}
    return {mark: _plain(content, depth + 1)}
