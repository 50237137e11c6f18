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

from grader.judging.bodies import pieces, some, source
from grader.model import Bank, Item, Mistake

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


class BankDigests:
    """The digests of one bank that attempts hold, each made once."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._items: dict[str, str] = {}
        self._topics: dict[str, str] = {}

    def item(self, item: Item) -> str:
        """Of what is run and asked by an item."""
        if item.id not in self._items:
            self._items[item.id] = claims(item)
        return self._items[item.id]

    def topic(self, name: str) -> str:
        """Of what is run and asked by a topic."""
        if name not in self._topics:
            self._topics[name] = of_all(item for item in self._bank.items if item.topic == name)
        return self._topics[name]


def same(item: Item, recorded: str) -> bool | None:
    """Whether an item is still what was run and asked when a digest was recorded; None where nobody can know.

    That is so for a digest of version 1 of an item that the table does not have in that form: one of another bank.
    """
    now = claims(item)
    if recorded.startswith(VERSION):
        return recorded == now
    then, since, _ = _table().get(item.first_id, ("", "", ""))
    if then != recorded and since != now:
        return None
    return then == recorded and since == now


def reworded(item: Item, mistakes: Mapping[str, Mistake], recorded: str, said: str) -> bool:
    """Whether the words are others than when these digests were recorded; `said` is empty where version 1 did it."""
    then, _, known = _table().get(item.first_id, ("", "", ""))
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


def _run_and_asked(item: Item) -> dict[str, Any]:
    return some(
        kind=item.kind,
        variants=[list(variant.values) for variant in item.variants],
        program=item.program,
        modules=[list(module) for module in item.modules],
        raises=source(item.raises),
        warns=source(item.warns),
        figures=[[figure.draw, figure.data.text] for figure in item.figures],
        watch=list(item.watch),
        **item.body.run_and_asked(),
    )


# ---------------------------------------------------------------- words


def _titles(item: Item) -> list[list[str]]:
    """The words of its figures, where it has any."""
    return [[figure.title, figure.x, figure.y] for figure in item.figures]


def _said(item: Item, mistakes: Mapping[str, Mistake]) -> dict[str, Any]:
    named = [name for name, _ in item.body.recognized()]
    return some(
        stem=pieces(item.stem),
        hints=[pieces(hint) for hint in item.hints],
        solution=[[pieces(step.text), source(step.holds)] for step in item.solution],
        mistakes=named,
        says=[mistakes[name].says for name in named if name and name in mistakes],
        see=item.see,
        figures=_titles(item),
        **item.body.said(),
    )
