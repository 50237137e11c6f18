"""A learner's progress and what comes next as JSON data, the same for the command and for the service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from grader.faces.progress_words import next_step as words
from grader.learning.next_steps import NextStep
from grader.learning.progress import MisconceptionProgress, SkillProgress, TopicProgress

Document = dict[str, Any]


def progress(topics: Sequence[TopicProgress]) -> list[Document]:
    """The topics, each with its skills and misconceptions. `share` and `chance` are in [0, 1], times in UTC."""
    return [
        {
            "topic": one.topic,
            "title": one.title,
            "items": one.items,
            "answered": one.answered,
            "share": round(one.share, 3),
            "verdict": one.verdict,
            **({"placed": _time(one.placed)} if one.placed else {}),
            "due": one.due,
            "next_due": _time(one.next_due),
            "skills": [_skill(skill) for skill in one.skills],
            "mistakes": [_misconception(met) for met in one.misconceptions],
        }
        for one in topics
    ]


def next_steps(steps: Sequence[NextStep]) -> list[Document]:
    """What to do next, the best first: `do` is `learn`, `practice`, `test` or `review`."""
    return [{**asdict(step), "why": step.why.value, "when": _time(step.when), "words": words(step)} for step in steps]


def _skill(one: SkillProgress) -> Document:
    return {
        "skill": one.skill,
        "words": one.words,
        "standing": one.standing.value,
        "asked": one.asked,
        "chance": round(one.chance, 3),
        "due": _time(one.due),
    }


def _misconception(one: MisconceptionProgress) -> Document:
    return {
        "mistake": one.mistake,
        "says": one.says,
        "times": one.times,
        "last": _time(one.last),
        "avoided": one.avoided,
        "gone": one.gone,
    }


def _time(when: datetime | None) -> str | None:
    return when.isoformat() if when else None
