"""What an item was when it was asked, as two digests: of what is run and asked, and of its words.

Each part of an item that counts is named here, by a name of its own, and is left out where it is empty or as by
default. So a field that is added, a class that is renamed or moved, or another order of fields changes no digest, and
neither does where an item stands. Answers on record and released assignments hold the first digest: for them an item
has changed only where that differs.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from grader.model import Exercise, Expr, Item, Mistake, Option, Text

VERSION = "2:"
"""What digests begin with. Those of version 1 have no mark: they were 16 digits, of all of an item together."""

TABLE = Path(__file__).with_name("digests_v1.json")
"""For each item of the bank as it was when version 2 came: its digest of version 1, and both of version 2."""


def claims(item: Item) -> str:
    """The digest of what is run and asked: kind, numbers, programs, claims, keys, checks. 16 characters."""
    return _digest(_run_and_asked(item))


def words(item: Item, mistakes: Mapping[str, Mistake]) -> str:
    """The digest of what is said: stem, options, hints, solution, and what its mistakes tell. 16 characters."""
    return _digest(_said(item, mistakes))


def of_all(items: Iterable[Item]) -> str:
    """Of what is run and asked by several items together, whatever their order. 16 characters."""
    return _digest(sorted(map(claims, items)))


def same(item: Item, recorded: str) -> bool | None:
    """Whether an item is still what was run and asked when a digest was recorded; None where nobody can know.

    That is so for a digest of version 1 of an item that the table does not have in that form: one of another bank.
    """
    now = claims(item)
    if recorded.startswith(VERSION):
        return recorded == now
    then, since, _ = _table().get(item.id, ("", "", ""))
    if then != recorded and since != now:
        return None
    return then == recorded and since == now


def reworded(item: Item, mistakes: Mapping[str, Mistake], recorded: str, said: str) -> bool:
    """Whether the words are others than when these digests were recorded; `said` is empty where version 1 did it."""
    then, _, known = _table().get(item.id, ("", "", ""))
    said = said or (known if recorded == then else "")
    return bool(said) and said != words(item, mistakes)


@functools.cache
def _table() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


def _digest(data: Any) -> str:
    """16 characters, as many as records have place for."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return VERSION + hashlib.sha256(text.encode()).hexdigest()[: 16 - len(VERSION)]


# ---------------------------------------------------------------- what is run and asked


def _some(**parts: Any) -> dict[str, Any]:
    """The parts that are not empty, such as the one variant that has no numbers."""
    return {name: part for name, part in parts.items() if part not in (None, "", [], [[]], False)}


def _source(expression: Expr | None) -> str | None:
    return expression.text if expression else None


def _run_and_asked(item: Item) -> dict[str, Any]:
    return _some(
        kind=item.kind,
        variants=[list(variant.values) for variant in item.variants],
        program=item.program,
        answer=_source(item.answer),
        holds=_source(item.holds),
        options=[_claim(option) for option in item.options],
        tolerance=None if item.tolerance == 1e-6 else item.tolerance,
        cells=_source(item.cells),
        exercise=_task(item.exercise) if item.exercise else None,
        raises=_source(item.raises),
        warns=_source(item.warns),
    )


def _claim(option: Option) -> dict[str, Any]:
    return _some(
        key=option.key,
        value=_source(option.value),
        code=option.code,
        holds=_source(option.holds),
        program=option.program,
        instead=list(option.instead),
        yields=_source(option.yields),
        because=_source(option.because),
    )


def _task(exercise: Exercise) -> dict[str, Any]:
    return _some(
        reference=list(exercise.reference),
        observe=_source(exercise.observe),
        starter=exercise.starter,
        wrong=[list(wrong.parts) for wrong in exercise.wrong],
        given=[list(inputs) for inputs in exercise.given],
        hidden=[[one.name, one.values, one.low, one.high] for one in exercise.hidden],
        draws=exercise.draws,
    )


# ---------------------------------------------------------------- words


def _said(item: Item, mistakes: Mapping[str, Mistake]) -> dict[str, Any]:
    wrongs = item.exercise.wrong if item.exercise else item.options
    named = [wrong.mistake for wrong in wrongs]
    return _some(
        stem=_pieces(item.stem),
        options=[_pieces(option.text) for option in item.options],
        hints=[_pieces(hint) for hint in item.hints],
        solution=[[_pieces(step.text), _source(step.holds)] for step in item.solution],
        mistakes=named,
        says=[mistakes[name].says for name in named if name and name in mistakes],
        see=item.see,
        unit=item.unit,
        shows=item.shows,
        counts=item.counts,
    )


def _pieces(text: Text | None) -> list[str | list[str]] | None:
    """A text, its expressions as lists of one."""
    return [piece if isinstance(piece, str) else [piece.text] for piece in text.pieces] if text else None
