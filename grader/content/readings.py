"""Blind readings: what readers who have not seen the key answered to items, and where they disagree with it.

A reading is of a text: the output of `grader show ITEM`, by its digest. Pure; whoever has a runner judges the answers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader import kinds
from grader.errors import InputError
from grader.judging.bodies import claimed
from grader.model import Item

FIRST_READERS = 2
"""So many read an item before anything of it is reworded."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reader answered to one item."""

    item: str
    digest: str = ""
    """sha256 of the text that was shown."""
    reader: str = ""
    answer: str = ""
    without: bool = False
    """The reader says that no PyTorch was needed."""


@dataclass(frozen=True, slots=True)
class Share:
    """Of so many readings, so many disagree with the key."""

    disagree: int
    of: int


@dataclass(frozen=True, slots=True)
class Blind:
    """What the readings of a topic say."""

    unread: tuple[str, ...]
    """Items whose text, as it is shown now, nobody has read."""
    disputed: tuple[str, ...]
    """Items of which the last reader of that text disagrees with the key."""
    not_judged: tuple[str, ...]
    """Items whose answers could not be judged, since something of them is not proven."""
    first_round: Share
    """The first readings of each item, judged by the item as it is now."""
    of_another_text: int
    """Of these disagreements, those on a text that was reworded since: its options may stand elsewhere now."""
    by_kind: Mapping[str, Share]
    """The same by kind."""
    without: Share
    """Of the items with options, those that a reader of the text of now answered without PyTorch."""


def load(text: str, path: str) -> list[Reading]:
    """The readings of a file, one a line, oldest first. Raises InputError for a line that is none."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            texts = {name: str(data.get(name, "")) for name in ("digest", "reader", "answer")}
            found.append(Reading(str(data["item"]), **texts, without=data.get("without") is True))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise InputError(f"{path}:{number}: this is not a reading", 'a line is JSON with an "item"') from None
    return found


def digest(shown: str) -> str:
    """Of the text that a reader sees."""
    return hashlib.sha256(shown.encode()).hexdigest()


def can_be_judged(item: Item) -> bool:
    """Whether an answer to an item can be compared with its key: not what is said of a card, which is free text."""
    return not kinds.of(item).TRAITS.is_card


def summarize(
    items: Sequence[Item],
    readings: Sequence[Reading],
    shown: Mapping[str, str],
    agrees: Callable[[Reading], bool | None],
) -> Blind:
    """What the readings of a topic say. `shown` has the digest of each item's text as it is now.

    `agrees` judges the answer of a reading; None where that cannot be done.
    """
    by_item: dict[str, list[Reading]] = {item.id: [] for item in items}
    for reading in readings:
        by_item.get(reading.item, []).append(reading)
    current = {name: [one for one in own if one.digest == shown[name]] for name, own in by_item.items()}
    judged = [item for item in items if can_be_judged(item)]
    last = {item.id: agrees(current[item.id][-1]) for item in judged if current[item.id]}
    first_readings = {item.id: by_item[item.id][:FIRST_READERS] for item in judged}
    first = {name: [said for one in own if (said := agrees(one)) is not None] for name, own in first_readings.items()}
    changed = [one for own in first_readings.values() for one in own if one not in current[one.item]]
    optional = [item for item in items if claimed(item).options and current[item.id]]
    return Blind(
        unread=tuple(name for name, own in current.items() if not own),
        disputed=tuple(name for name, said in last.items() if said is False),
        not_judged=tuple(name for name, said in last.items() if said is None),
        first_round=_share(said for own in first.values() for said in own),
        of_another_text=sum(agrees(one) is False for one in changed),
        by_kind=_by_kind(judged, first),
        without=Share(sum(any(one.without for one in current[item.id]) for item in optional), len(optional)),
    )


def _by_kind(items: Sequence[Item], said: Mapping[str, Sequence[bool]]) -> dict[str, Share]:
    grouped: dict[str, list[bool]] = {}
    for item in items:
        grouped.setdefault(item.kind, []).extend(said[item.id])
    return {name: _share(own) for name, own in grouped.items()}


def _share(said: Iterable[bool]) -> Share:
    found = list(said)
    return Share(found.count(False), len(found))
