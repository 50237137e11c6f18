"""Which answers of a class are so alike that a person should look.

What is found is a hint and not a verdict: students may have worked together as they were asked to, or have read the
same page.
"""

from __future__ import annotations

import io
import itertools
import math
import re
import tokenize
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.nbgrader.normal_form import NUMBERED, UNREADABLE, normalized

GRAM = 5
"""Tokens that are compared at a time, as in winnowing (Schleimer, Wilkerson, Aiken 2003): a moved or inserted
statement changes only the grams at its ends."""

LONG_ENOUGH = 30
"""Tokens that an answer must have beyond the starter; below that, two people who think alike write the same."""

NEAR = 0.9
"""The share of common grams from which on answers count as near. In the class of training loops of 170 tokens that
tests/nbgrader/test_similarity.py makes, copies with other names, comments and one statement more are at 0.91 and above;
of those
that were put together apart, less than one pair in 1,000 is, and differs in a detail (median 0.37, 99 % below 0.73)."""

COMMON = 0.1
"""The share of a class from which on an answer, a gram or a word is what anyone would write."""

FEW = 3
"""So many students may share a thing in any class without its being common."""


@dataclass(frozen=True, slots=True)
class Alike:
    """What a cluster has in common in one item."""

    item: str
    least: float
    """The lowest similarity of two answers that were joined: the share of grams that both have, 1.0 for equal ones."""
    most: float
    equal: bool
    """Whether all are equal but for names, layout and comments."""
    rare: tuple[str, ...] = ()
    """Words of names, comments and texts that all of them have, and few others."""


@dataclass(frozen=True, slots=True)
class SimilarGroup:
    """Students whose answers are alike, in items whose answers are long enough to differ."""

    students: tuple[str, ...]
    items: tuple[Alike, ...]
    weight: float
    """How unlikely that is, by length and rarity: for the order of a list, and comparable within one class only."""


@dataclass(frozen=True, slots=True)
class _Answer:
    form: str
    grams: frozenset[tuple[str, ...]]
    length: int
    words: frozenset[str]


def clusters(
    answers: Mapping[str, Mapping[str, str]],
    starters: Mapping[str, str] | None = None,
    expected: Mapping[str, Collection[str]] | None = None,
    around: Mapping[str, str] | None = None,
) -> list[SimilarGroup]:
    """Groups of students whose programs are equal or near, the most notable first.

    `answers` has the source of each item of each student. `starters` is what was released; `expected` what many are
    expected to write: the reference and known mistakes; `around` see `normalized`. Neither these nor short answers nor
    what a tenth of the class wrote makes a cluster.
    """
    found: dict[tuple[str, ...], list[tuple[Alike, float]]] = defaultdict(list)
    for item in sorted({item for given in answers.values() for item in given}):
        sources = {student: given[item] for student, given in answers.items() if item in given}
        starter, known = (starters or {}).get(item, ""), (expected or {}).get(item, ())
        for students, alike, weight in _alike(item, sources, starter, known, (around or {}).get(item)):
            found[students].append((alike, weight))
    made = [
        SimilarGroup(students, tuple(alike for alike, _ in of), round(sum(weight for _, weight in of), 1))
        for students, of in found.items()
    ]
    return sorted(made, key=lambda one: (-one.weight, one.students))


def _alike(
    item: str, sources: Mapping[str, str], starter: str, known: Collection[str], around: str | None
) -> Iterator[tuple[tuple[str, ...], Alike, float]]:
    """The groups of one item, with their weights."""
    given = _answer(starter, around)
    usual = [_answer(source, around) for source in (starter, *known)]
    all_of = {student: _answer(source, around) for student, source in sources.items()}
    crowd = max(FEW, COMMON * len(all_of))
    forms = Counter(answer.form for answer in all_of.values())
    grams = Counter(gram for answer in all_of.values() for gram in answer.grams)
    words = Counter(word for answer in all_of.values() for word in answer.words)
    usual_words = frozenset[str]().union(*(one.words for one in usual))
    telling = {
        student: answer
        for student, answer in all_of.items()
        if answer.length - given.length >= LONG_ENOUGH
        and forms[answer.form] <= crowd
        and "\n" in answer.form
        and not any(_similarity(answer, one) >= NEAR for one in usual)
    }
    pairs = dict(_pairs(telling, grams, crowd))
    neighbors = Counter(student for pair in pairs for student in pair)
    pairs = {pair: similarity for pair, similarity in pairs.items() if max(neighbors[one] for one in pair) <= crowd}
    for group in _connected(pairs):
        kept = [similarity for pair, similarity in pairs.items() if pair[0] in group]
        shared = frozenset.intersection(*(all_of[student].words for student in group)) - usual_words
        few = [word for word in shared if words[word] <= max(len(group), FEW)]
        rare = sorted(few, key=lambda word: (" " not in word, words[word], word))  # comments and texts say most
        own = frozenset.intersection(*(all_of[student].grams for student in group))
        weight = sum(math.log(len(all_of) / grams[gram]) for gram in own) + 2 * len(rare)
        equal = len({all_of[student].form for student in group}) == 1
        alike = Alike(item, round(min(kept), 2), round(max(kept), 2), equal, tuple(rare[:5]))
        yield tuple(sorted(group)), alike, weight


def _pairs(
    telling: Mapping[str, _Answer], grams: Mapping[tuple[str, ...], int], crowd: float
) -> Iterator[tuple[tuple[str, str], float]]:
    """Pairs of students that are near, with how near, if they share a gram that is not common.

    Two sets of which so large a share is common must both have the rarest gram that they share among the rarest few of
    their own (prefix filtering, Bayardo, Ma, Srikant 2007), so only those pairs are compared that do.
    """
    holders: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for student, answer in telling.items():
        rarest = sorted(answer.grams, key=lambda gram: (grams[gram], gram))
        for gram in rarest[: len(rarest) - math.ceil(NEAR * len(rarest)) + 1]:
            if grams[gram] <= crowd:
                holders[gram].append(student)
    meeting = {pair for several in holders.values() for pair in itertools.combinations(sorted(several), 2)}
    for one, other in sorted(meeting):
        similarity = _similarity(telling[one], telling[other])
        if similarity >= NEAR:
            yield (one, other), similarity


def _similarity(one: _Answer, other: _Answer) -> float:
    """The share of their grams that both have (Jaccard's)."""
    return 1.0 if one.form == other.form else len(one.grams & other.grams) / len(one.grams | other.grams)


def _connected(pairs: Iterable[tuple[str, str]]) -> list[set[str]]:
    groups: list[set[str]] = []
    for pair in pairs:
        touched = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touched]
        groups.append(set(pair).union(*touched))
    return groups


def _answer(source: str, around: str | None) -> _Answer:
    form = normalized(source, around)
    tokens = [NUMBERED.sub("n", token) for token in _tokens(form)]
    grams = frozenset(tuple(tokens[at : at + GRAM]) for at in range(max(len(tokens) - GRAM + 1, 1)))
    return _Answer(form, grams, len(tokens), frozenset(_words(source)))


def _tokens(source: str) -> list[str]:
    """The tokens of a program without layout and comments; of what is no Python, its words."""
    skipped = (tokenize.NL, tokenize.COMMENT, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    try:
        return [
            token.string
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type not in skipped
        ]
    except (tokenize.TokenError, *UNREADABLE):
        return re.findall(r"\w+|[^\w\s]", source)


def _words(source: str) -> Iterator[str]:
    """The names of a program, its comments, and its texts: what people carry over without a thought."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NAME and len(token.string) > 2:
                yield token.string
            elif token.type in (tokenize.COMMENT, tokenize.STRING):
                text = " ".join(token.string.strip("#\"'fr ").split())
                if len(text) > 2:
                    yield text[:80]
    except (tokenize.TokenError, *UNREADABLE):
        return


def report(found: Sequence[SimilarGroup]) -> str:
    """The clusters for an instructor, as text."""
    if not found:
        return "No answers stand out as alike.\n"
    lines = ["Answers that are alike; a reason to look, and not a verdict:"]
    for cluster in found:
        lines.append(f"  {', '.join(cluster.students)}")
        for alike in cluster.items:
            lines.append(f"    {alike.item}: {_said(alike)}")
            if alike.rare:
                lines.append(f"      few others have: {'; '.join(alike.rare)}")
    return "\n".join(lines) + "\n"


def _said(alike: Alike) -> str:
    if alike.equal:
        return "equal but for names, layout and comments"
    least, most = f"{100 * alike.least:.0f}", f"{100 * alike.most:.0f}"
    return f"{least if least == most else f'{least} to {most}'} % in common"


def data(found: Sequence[SimilarGroup]) -> list[dict[str, Any]]:
    """The clusters as JSON data."""
    return [
        {
            "students": list(cluster.students),
            "weight": cluster.weight,
            "items": [
                {
                    "item": alike.item,
                    "equal": alike.equal,
                    "similarity": [alike.least, alike.most],
                    "rare": list(alike.rare),
                }
                for alike in cluster.items
            ],
        }
        for cluster in found
    ]
