"""The words that every face says of a learner's progress and of what comes next.

Apart from `words`, since progress is looked up in records, whose loading no question should wait for.
"""

from __future__ import annotations

from collections.abc import Sequence

from grader.faces.words import count_of
from grader.learning.next_steps import NextStep, Why
from grader.learning.progress import MisconceptionProgress, Standing, TopicProgress

STANDINGS = {
    Standing.HOLDS: "holds",
    Standing.GETTING_THERE: "getting there",
    Standing.NOT_YET: "not yet",
}
"""How a skill goes."""


def next_step(step: NextStep) -> str:
    """What there is to do next, and why, in a few words.

    >>> next_step(NextStep("review", Why.DUE, count=3))
    'what is due today: 3 skills and cards'
    >>> next_step(NextStep("practice", Why.BEGUN, "warmup", count=12))
    'practice; 12 questions are new to you'
    """
    match step.do, step.why:
        case "test", Why.LEFT:
            return f"go on with your test; {count_of(step.count, 'question')} left"
        case "practice", Why.LEFT:
            return f"go on where you were; {count_of(step.count, 'question')} left"
        case "test", Why.BLOCK:
            return f"{step.count} questions on all of {step.title}, and a verdict"
        case "test", _:
            return "ten questions and a verdict"
        case "review", Why.AHEAD:
            return "nothing is due; see it again all the same"
        case "review", Why.LATER if step.when:
            return f"what is due, from {step.when.astimezone():%A, %H:%M} on"
        case "review", _:
            return f"what is due today: {count_of(step.count, 'skill')} and cards"
        case "learn", _:
            return f"a lesson: {step.title}"
        case _:
            weak = f"weakest: {step.skill}" if step.skill else ""
            new = f"{count_of(step.count, 'question')} {'is' if step.count == 1 else 'are'} new to you"
            return "; ".join(filter(None, ["practice", weak or (new if step.count else "")]))


FIRST = (
    "Begin with this question; the lessons below explain what it is about. "
    "If PyTorch is not new to you, `place()` asks at most ten questions and says where to begin."
)
"""What is said to a newcomer."""


def standing(why: str, topics: Sequence[TopicProgress]) -> str:
    """How far a learner is, a line a topic that was begun, and why what follows is asked."""
    lines = [why]
    for one in topics:
        if one.answered:
            due = f"; due now: {one.due}" if one.due else ""
            lines.append(f"{one.title}: {one.answered} of {one.items} questions answered{due}")
    return "\n".join(lines)


def misconception(one: MisconceptionProgress) -> str:
    """How often a misconception was met, and whether it is gone."""
    met = "met once" if one.times == 1 else f"met {one.times} times"
    if one.gone:
        return f"{met}; gone: the last {one.avoided} questions about it were right"
    return f"{met}; once right since then" if one.avoided else met
