"""An observation as JSON data and back. Reading is strict: what comes from a child may be anything."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from grader.model import Asked, Observation, Raised, Status, Value, Warned

T = TypeVar("T")

MOST_ENTRIES = 100_000
"""Rows of one list of rates, or warnings, that are read."""


def encode(observation: Observation) -> dict[str, Any]:
    """All fields of an observation, by name."""
    return dataclasses.asdict(observation)


def decode(data: Any) -> Observation:
    """The observation that `data` holds, and those of its cases. Raises ValueError where a field has not its type."""
    cases = tuple(_decode(case) for case in _list(data.get("cases", []))) if type(data) is dict else ()
    return dataclasses.replace(_decode(data), cases=cases)


def _decode(data: Any) -> Observation:
    if type(data) is not dict:
        raise ValueError("an observation is an object")
    return Observation(
        status=Status(_exact(data.get("status"), str)),
        lr_at_start_by_group=_floats(data.get("lr_at_start_by_group")),
        lr_used_by_group=_rows(data.get("lr_used_by_group")),
        lr_after_step_by_group=_rows(data.get("lr_after_step_by_group")),
        losses=_floats(data.get("losses")),
        stdout=_exact(data.get("stdout", ""), str),
        stderr=_exact(data.get("stderr", ""), str),
        warnings=tuple(_warned(entry) for entry in _list(data.get("warnings"))),
        error=None if data.get("error") is None else _raised(data["error"]),
        asked=tuple(_asked(entry) for entry in _list(data.get("asked"))),
        seconds=_number(data.get("seconds")),
        peak_bytes=_exact(data.get("peak_bytes"), int),
        note=_exact(data.get("note", ""), str),
    )


def _exact(value: Any, kind: type[T]) -> T:
    if type(value) is not kind:
        raise ValueError(f"expected {kind.__name__}, found {type(value).__name__}")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise ValueError(f"expected a number, found {type(value).__name__}")
    return float(value)


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
    return None if value is None else _exact(value, int)


def _warned(entry: Any) -> Warned:
    entry = _exact(entry, dict)
    return Warned(_exact(entry.get("category"), str), _exact(entry.get("message"), str), _line(entry.get("line")))


def _raised(entry: Any) -> Raised:
    entry = _exact(entry, dict)
    return Raised(
        _exact(entry.get("type"), str),
        _exact(entry.get("message"), str),
        _line(entry.get("line")),
        _exact(entry.get("code"), str),
    )


def _asked(entry: Any) -> Asked:
    entry = _exact(entry, dict)
    error = entry.get("error")
    return Asked(_plain(entry.get("value")), None if error is None else _exact(error, str))


def _plain(value: Any) -> Value:
    """JSON data as it was parsed: nothing else can come out of `json.loads`."""
    result: Value = value
    return result
