"""What is watched while a program runs, a file each.

`torch_optim` has what is always watched, the rates (`run.lr_used` and its like). The others are asked for by name, in
an item's `watch`, and are on for its programs alone; `run.<name>` is then a list of their records. A module here with
an `OBSERVER` is one, under the module's name: nothing else lists it. Other packages add theirs, one file each, by an
entry point `grader.observers`; that file alone is brought into the sandbox. Nothing here imports torch before it
watches.

An observer changes no value, warning, random state or output of a program. It takes what torch offers to many (hooks),
or puts a wrapper in place of something of torch, and takes it away when the program has ended. What it wraps so that
others may wrap it too (`wrapped`, `operators`), it `shares`; what it puts something else in place of, it `patches`, and
no other one that touches the same can be on then. Its own arithmetic is `quiet`, its own failures are kept to itself.

Plug-ins may import from here what `__all__` names.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Self, cast

from grader.errors import InputError
from grader.model import Record
from grader.plugins import Seam
from grader.runner.inside.operators import OperatorCall, operators
from grader.runner.inside.unseen import quiet, wrapped

__all__ = [
    "LONGEST_TEXT", "MOST", "MOST_PARTS", "Kept", "Observer", "OperatorCall", "Record", "Shape", "operators", "quiet",
    "wrapped",
]  # fmt: skip

MOST = 2000
"""Records of one observer that are kept: the first ones of a run."""

LONGEST_TEXT = 200
"""Characters of a text in a record."""

MOST_PARTS = 4096
"""Entries of a list in a record."""

Watched = tuple[tuple[str, tuple[Record, ...]], ...]
"""The records of each observer that was on, by its name."""

Shape = tuple[int, ...]


class Kept:
    """What one observer has seen so far."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def add(self, record: Record) -> int:
        """Keep a record, if there are not too many; its place, or -1."""
        if len(self.records) >= MOST:
            return -1
        self.records.append(record)
        return len(self.records) - 1


@dataclass(frozen=True, slots=True)
class Observer:
    """One thing that can be watched."""

    record: type[Record]
    """What there is one of for each thing seen; its docstrings say what the fields are."""
    says: str
    """What `run.<name>` lists, in a few words."""
    cost: str
    """What it costs in six steps of training a network of two layers, which take 2.2 ms without; all together 2 ms."""
    begin: Callable[[Kept], Callable[[], None]]
    """Begins to watch; what it returns ends that. The program's module is still `__main__` then."""
    example: str
    """A program of which it sees something; it is what the observer is tried with."""
    shares: tuple[str, ...] = ()
    """What of torch it wraps so that others may wrap it too, by the full name: with `wrapped` or `operators`."""
    patches: tuple[str, ...] = ()
    """What of torch it puts something of its own in place of, by the full name; nobody else may touch that."""


# ---------------------------------------------------------------- the registry


SEAM = Seam("observer", __name__, __path__, ("OBSERVER",), besides=("torch_optim",))
"""Where observers are found."""


def names() -> tuple[str, ...]:
    """The observers that can be asked for."""
    return SEAM.names()


def named(name: str) -> Observer:
    """The observer of this name. Raises ValueError where there is none, and InputError where it cannot be used."""
    if name not in names():
        raise ValueError(f"there is no observer `{name}`")
    return cast("Observer", SEAM.module(name).OBSERVER)


def usable() -> dict[str, Path]:
    """The file of each observer of another package, where it has one by itself: what a worker is to be given."""
    return {name: files[0].resolve() for name, files in SEAM.files().items() if len(files) == 1}


def plugin_files() -> tuple[Path, ...]:
    """The files of the observers of other packages, found without importing them."""
    return tuple(path for files in SEAM.files().values() for path in files)


def ready() -> None:
    """Import all observers: a program's process can no longer read a file. One that cannot be used is left out."""
    for name in names():
        try:
            named(name)
        except InputError:
            SEAM.drop(name)


def clash(wanted: Sequence[str]) -> str:
    """What two of these observers cannot both touch, in words; empty where they can all be on."""
    touched: dict[str, list[tuple[str, bool]]] = {}
    for name in dict.fromkeys(wanted):
        observer = named(name)
        for thing in dict.fromkeys([*observer.patches, *observer.shares]):
            touched.setdefault(thing, []).append((name, thing in observer.patches))
    for thing, owners in touched.items():
        if len(owners) > 1 and any(alone for _, alone in owners):
            return f"`{owners[0][0]}` and `{owners[1][0]}` both patch `{thing}`"
    return ""


class Watching:
    """The observers that a program asks for, on from `with` to the end of its block. Raises ValueError for a clash."""

    def __init__(self, wanted: Sequence[str]) -> None:
        if said := clash(wanted):
            raise ValueError(said)
        self._kept = {name: Kept() for name in dict.fromkeys(wanted)}
        self._ends: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        for name, kept in self._kept.items():
            self._ends.append(named(name).begin(kept))
        return self

    def __exit__(self, *_: object) -> None:
        while self._ends:
            self._ends.pop()()

    @property
    def watched(self) -> Watched:
        return tuple((name, tuple(kept.records)) for name, kept in self._kept.items())


# ---------------------------------------------------------------- records as JSON data, and back


def data(watched: Watched) -> list[Any]:
    """Records as JSON data."""
    return [[name, [_data(record) for record in records]] for name, records in watched]


def _data(record: Record) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def read(found: Any) -> Watched:
    """The records that JSON data holds, strictly: it may come from a child. Raises ValueError."""
    if type(found) is not list or len(found) > len(names()):
        raise ValueError("what was watched is not a list of observers")
    watched = []
    for entry in found:
        if type(entry) not in (list, tuple) or len(entry) != 2 or entry[0] not in names():
            raise ValueError("what was watched is not an observer's")
        name, records = entry
        if type(records) not in (list, tuple) or len(records) > MOST:
            raise ValueError(f"`{name}` has too many records")
        watched.append((name, tuple(_read_record(name, record) for record in records)))
    if len({name for name, _ in watched}) < len(watched):
        raise ValueError("an observer speaks twice")
    return tuple(watched)


@cache
def _types(name: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(named(name).record)
    except InputError as error:  # a child may name what cannot be used here
        raise ValueError(error.message) from None


def _read_record(name: str, entry: Any) -> Record:
    kinds = _types(name)
    if type(entry) is not dict or set(entry) != set(kinds):
        raise ValueError(f"a record of `{name}` does not have its fields")
    return named(name).record(**{field: _read(kinds[field], value) for field, value in entry.items()})


def _read(kind: Any, value: Any) -> Any:
    """A value of this type: a number, a truth value, a text, None, or a tuple of such."""
    if typing.get_origin(kind) is types.UnionType:
        return None if value is None else _read(typing.get_args(kind)[0], value)
    if typing.get_origin(kind) is tuple:
        if type(value) not in (list, tuple) or len(value) > MOST_PARTS:
            raise ValueError("a record has a list that is too long, or none")
        return tuple(_read(typing.get_args(kind)[0], part) for part in value)
    if kind is float and type(value) is int and abs(value) < 1 << 62:
        return float(value)
    if type(value) is not kind or (kind is int and abs(value) >= 1 << 62):
        raise ValueError(f"a record has {type(value).__name__} for {kind.__name__}")
    if kind is str:
        text = value[:LONGEST_TEXT]
        return text if text.isascii() else text.encode(errors="replace").decode()
    return value
