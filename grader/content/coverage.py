"""What a topic has and what it lacks: items by skill, level and kind, misconceptions, keys, and rules that are not met.

Pure: counts what authors wrote; nothing is run.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from grader import kinds
from grader.content.readings import Blind
from grader.judging.bodies import Written, claimed, pieces
from grader.model import LETTERS, LEVELS, Item, Topic

ITEMS, SKILLS, CODE, DRAWN, CARDS, MISCONCEPTIONS = 30, 6, 10, 15, 8, 5
"""A topic has at least so many."""
PAGES = ("learn", "why", "deep")
FORMS = 2
"""A skill is asked in at least so many kinds, and so is a main misconception."""
SHOWN = 3
"""Items in which a main misconception can show; also, at most so many share a program."""
A_THIRD = (0.2, 0.47)
"""Each level's share of the items: about a third."""
ONE_PLACE = 0.5
"""The largest share of the keys that may stand at one place, of at least ten."""
ALIKE = 0.7
"""The share of grams from which on two items are near-duplicates."""


@dataclass(frozen=True, slots=True)
class Group:
    """The items of one skill, or in which one misconception can show."""

    name: str
    words: str
    items: int
    levels: Mapping[str, int]
    kinds: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Coverage:
    """One topic, counted."""

    topic: str
    title: str
    items: int
    variants: int
    levels: Mapping[str, int]
    kinds: Mapping[str, int]
    skills: tuple[Group, ...]
    misconceptions: tuple[Group, ...]
    keys: Mapping[str, int]
    """Of items with one key, how often it stands at each place as written."""
    fixed: tuple[str, ...]
    """Items without other numbers or inputs."""
    longest_stem: tuple[str, int]
    """The item, and its words."""
    near_duplicates: tuple[tuple[str, str], ...]
    without_code: tuple[str, ...]
    """Skills without an item in which code is written, ordered, filled or fixed."""
    readings: Blind | None
    """What readers who had not seen the key answered; None where no readings are kept."""
    not_met: tuple[str, ...]
    """Rules for a topic, in words."""


def cover(topic: Topic, pages: Iterable[str], read: Blind | None) -> Coverage:
    """Count a topic. `pages` are the modes of its lessons, `read` is what its readings say."""
    items = topic.asked
    skills = _groups(items, lambda item: [item.skill], topic.skill)
    misconceptions = _groups(items, _misconceptions, str)
    fixed = tuple(item.id for item in items if not _drawn(item))
    near = tuple((one.id, other.id) for one, other in itertools.combinations(items, 2) if alike(one, other))
    coded = {item.skill for item in items if _coded(item)}
    keys = Counter(place for item in items if (place := _key(item)))
    stems = [(len(_text(item).split()), item.id) for item in items]
    longest = max(stems, default=(0, ""))
    found = Coverage(
        topic=topic.name,
        title=topic.title,
        items=len(items),
        variants=sum(len(item.variants) for item in items),
        levels=_levels(items),
        kinds=dict(Counter(item.kind for item in items)),
        skills=skills,
        misconceptions=misconceptions,
        keys=dict(sorted(keys.items())),
        fixed=fixed,
        longest_stem=(longest[1], longest[0]),
        near_duplicates=near,
        without_code=tuple(group.name for group in skills if group.name not in coded),
        readings=read,
        not_met=(),
    )
    return _judged(found, items, set(pages))


def _judged(found: Coverage, items: Sequence[Item], pages: set[str]) -> Coverage:
    """The same with the rules that are not met."""
    several = len(items) - len({other for _, other in found.near_duplicates})
    code, cards = sum(map(_coded, items)), sum(kinds.of(item).TRAITS.is_card for item in items)
    shared = Counter(item.program.strip() for item in items if item.program.strip())
    main = sum(group.items >= SHOWN and len(group.kinds) >= FORMS for group in found.misconceptions)
    drawn = len(items) - len(found.fixed)
    said = [
        _least(several, ITEMS, "items (near-duplicates counted once)"),
        _least(len(found.skills), SKILLS, "skills"),
        *(f"{level} items are {count / len(items):.0%}, should be a third" for level, count in found.levels.items()
          if items and not A_THIRD[0] <= count / len(items) <= A_THIRD[1]),
        _least(code, CODE, "items in which code is written, ordered, filled or fixed"),
        *(f"the skill `{group.name}` is asked in one form alone" for group in found.skills if len(group.kinds) < FORMS),
        _least(main, MISCONCEPTIONS, f"misconceptions that can show in {SHOWN} items of {FORMS} kinds"),
        _least(drawn, DRAWN, "items with numbers or inputs drawn at random"),
        _least(cards, CARDS, "cards"),
        *(f"{count} items share one program, {SHOWN} may" for count in shared.values() if count > SHOWN),
        *(f"{count / sum(found.keys.values()):.0%} of the keys are {place}" for place, count in found.keys.items()
          if sum(found.keys.values()) >= 10 and count > ONE_PLACE * sum(found.keys.values())),
        *(f"there is no page `{page}`" for page in PAGES if page not in pages),
    ]  # fmt: skip
    return replace(found, not_met=tuple(filter(None, said)))


def _least(count: int, wanted: int, what: str) -> str:
    return f"{count} of {wanted} {what}" if count < wanted else ""


def _groups(
    items: Sequence[Item], of: Callable[[Item], Iterable[str]], words: Callable[[str], str]
) -> tuple[Group, ...]:
    grouped: dict[str, list[Item]] = {}
    for item in items:
        for name in of(item):
            grouped.setdefault(name, []).append(item)
    found = [
        Group(name, words(name), len(own), _levels(own), dict(Counter(item.kind for item in own)))
        for name, own in grouped.items()
    ]
    return tuple(sorted(found, key=lambda group: -group.items))


def _levels(items: Sequence[Item]) -> dict[str, int]:
    return {level: sum(item.level == level for item in items) for level in LEVELS}


def _misconceptions(item: Item) -> list[str]:
    return list(dict.fromkeys(name for name, _ in item.body.recognized() if name))


def _coded(item: Item) -> bool:
    return kinds.of(item).TRAITS.runs_code


def _drawn(item: Item) -> bool:
    return len(item.variants) > 1 or (isinstance(item.body, Written) and bool(item.body.hidden))


def _key(item: Item) -> str | None:
    """Where the one key stands, as written."""
    keys = [place for place, option in enumerate(claimed(item).options) if option.key]
    return LETTERS[keys[0]] if len(keys) == 1 else None


# ---------------------------------------------------------------- near-duplicates


def alike(one: Item, other: Item) -> bool:
    """Whether two items ask nearly the same: of the grams of stem and program most are in both."""
    mine, its = _grams(one), _grams(other)
    return bool(mine | its) and len(mine & its) >= ALIKE * len(mine | its)


def _grams(item: Item) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+|[^\w\s]", f"{_text(item)} {item.own_program} {_answers(item)}")
    return set(itertools.pairwise(words))


def _answers(item: Item) -> str:
    return " ".join(
        str(part)
        for option in claimed(item).options
        for part in (option.value and option.value.text, option.code)
        if part
    )


def _text(item: Item) -> str:
    return " ".join(piece if isinstance(piece, str) else piece[0] for piece in pieces(item.stem) or ())
