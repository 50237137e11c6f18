"""What ten answers say about a learner: strong, getting there or not yet, how sure that is, and what to do next.

The model: each answer is right with a chance p that is the learner's own, and nothing is known of p before (a uniform
prior). After `r` points of `n` questions, p is distributed as Beta(1 + r, 1 + n - r). A topic is **strong** when p is
above 0.7 with 95 % certainty, **not yet** when that has less than 30 %, and **getting there** in between. For ten
questions: strong takes all ten, six or fewer are not yet. How often the verdict is wrong for learners of
known p is computed by `python -m tests.bench.verdicts`. Skills are judged by the same model, each by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from grader.model import Item, Mistake, Outcome, Result

ENOUGH = 0.7
"""The chance of a right answer from which on a topic is strong."""

STRONG, NOT_YET = 0.95, 0.3
"""How certain it must be that the chance is above `ENOUGH`."""


@dataclass(frozen=True, slots=True)
class Skill:
    """How one skill, or one topic, went: points of so many questions, and the mean of its chance."""

    name: str
    points: float
    asked: int
    chance: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a test. `low` and `high` hold the chance of a right answer with 90 % certainty."""

    word: str
    points: float
    asked: int
    chance: float
    low: float
    high: float
    certainty: float
    """That the chance is above `ENOUGH`."""
    skills: tuple[Skill, ...]
    weakest: str | None
    """The skill with the lowest chance, where anything was missed."""
    mistakes: tuple[tuple[str, int], ...]
    """Misconceptions that answers showed, and how often; those of the most frequent family first."""
    read: tuple[str, ...]
    """Where to read next: pages and anchors."""
    topics: tuple[Skill, ...] = ()
    """How each topic went, by its name, where the questions were on several."""


def judge(results: Sequence[Result], mistakes: Mapping[str, Mistake]) -> Verdict:
    """The verdict on the answers that could be judged. Raises ValueError where there is none."""
    judged = [result for result in results if result.score.points is not None]
    if not judged:
        raise ValueError("no answer could be judged")
    points = sum(result.score.points or 0.0 for result in judged)
    low, high, certainty = belief(points, len(judged))
    skills = _grouped(judged, lambda item: item.skill)
    topics = _grouped(judged, lambda item: item.topic)
    missed = [skill for skill in skills if skill.points < skill.asked]
    weakest = min(missed, key=lambda skill: (skill.chance, -skill.asked)).name if missed else None
    return Verdict(
        word=word(certainty),
        points=points,
        asked=len(judged),
        chance=(1 + points) / (2 + len(judged)),
        low=low,
        high=high,
        certainty=certainty,
        skills=skills,
        weakest=weakest,
        mistakes=_mistakes(judged, mistakes),
        read=_pages(judged, mistakes),
        topics=topics if len(topics) > 1 else (),
    )


def belief(points: float, asked: int) -> tuple[float, float, float]:
    """What is known of the chance of a right answer: where it lies with 90 % certainty, and whether above `ENOUGH`.

    >>> [round(number, 3) for number in belief(10, 10)]
    [0.762, 0.995, 0.98]
    """
    from scipy.special import betainc, betaincinv

    right, wrong = 1 + points, 1 + asked - points
    return (
        float(betaincinv(right, wrong, 0.05)),
        float(betaincinv(right, wrong, 0.95)),
        float(1 - betainc(right, wrong, ENOUGH)),
    )


def word(certainty: float) -> str:
    """The verdict in a word."""
    if certainty >= STRONG:
        return "strong"
    return "not yet" if certainty < NOT_YET else "getting there"


def _grouped(judged: Sequence[Result], of: Callable[[Item], str]) -> tuple[Skill, ...]:
    found: dict[str, list[float]] = {}
    for result in judged:
        found.setdefault(of(result.item), []).append(result.score.points or 0.0)
    return tuple(
        Skill(name, sum(points), len(points), (1 + sum(points)) / (2 + len(points))) for name, points in found.items()
    )


def _mistakes(judged: Sequence[Result], mistakes: Mapping[str, Mistake]) -> tuple[tuple[str, int], ...]:
    shown = Counter(result.score.mistake for result in judged if result.score.mistake)
    families = Counter(_family(name, mistakes) for name in shown.elements())
    ranked = sorted(shown, key=lambda name: (-families[_family(name, mistakes)], -shown[name]))
    return tuple((name, shown[name]) for name in ranked)


def _family(name: str, mistakes: Mapping[str, Mistake]) -> str:
    return mistakes[name].family or name if name in mistakes else name


def _pages(judged: Sequence[Result], mistakes: Mapping[str, Mistake]) -> tuple[str, ...]:
    wrong: list[Item] = []
    pages: list[str] = []
    for result in judged:
        if result.score.outcome is Outcome.CORRECT:
            continue
        wrong.append(result.item)
        if (mistake := mistakes.get(result.score.mistake or "")) is not None:
            pages.append(mistake.see)
        pages.append(result.item.see)
    if wrong and not any(pages):
        pages.append(f"lessons/{wrong[0].topic}/learn.md")
    return tuple(dict.fromkeys(filter(None, pages)))


def mean(results: Sequence[Result]) -> float | None:
    """The mean of the points, in [0, 1], over the answers that could be judged; None where there is none."""
    points = [result.score.points for result in results if result.score.points is not None]
    return sum(points) / len(points) if points else None
