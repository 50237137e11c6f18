"""Questions and answers as JSON documents with HTML in them, for faces that draw pages. See `desk`."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any, assert_never

from grader import charts
from grader.explaining import Explanation, Labeled
from grader.model import (
    Arrange,
    Attempt,
    Chart,
    Fill,
    Flip,
    Mistake,
    Outcome,
    Pick,
    Prompt,
    Result,
    Table,
    Type,
    Write,
)
from grader.template import inputs
from grader.ui.pages import code, inline, markdown, svg, table
from grader.ui.words import WORDS
from grader.verdict import ENOUGH, Verdict

__all__ = ["earlier", "explanation", "inline", "markdown", "prompt", "told", "verdict"]


def prompt(asked: Prompt) -> dict[str, Any]:
    """A question as it is shown; it holds no key."""
    return {
        "kind": asked.kind,
        "level": asked.level,
        "skill": asked.skill.replace("-", " "),
        "stem": markdown(asked.stem),
        "program": code(asked.program) if asked.program else "",
        "given": [name for name, _ in asked.variant.values],
        "interaction": interaction(asked),
    }


def interaction(asked: Prompt) -> dict[str, Any]:
    """What there is to answer with."""
    match asked.interaction:
        case Pick(options=options, many=many, code=is_code) as pick:
            shown = [code(option) if is_code else inline(option) for option in options]
            return {"type": "pick", "many": many, "letters": list(pick.letters), "options": shown}
        case Type(unit=unit):
            return {"type": "number", "unit": unit}
        case Table(labels=labels):
            return {"type": "table", "labels": list(labels)}
        case Fill(blanks=blanks):
            return {"type": "blanks", "count": blanks}
        case Arrange(lines=lines):
            return {"type": "order", "lines": list(lines)}
        case Write(starter=starter, cases=cases):
            said = f"It is run with {'; '.join(cases)}, and with other numbers that are not shown." if cases else ""
            return {"type": "code", "starter": starter.strip("\n"), "cases": inline(said)}
        case Flip():
            return {"type": "card"}
        case _:
            assert_never(asked.interaction)


def told(result: Result) -> dict[str, Any]:
    """What is said of an answer, its solution aside."""
    score = result.score
    right = sum(entry.passed for entry in score.checked)
    partly = 0 < right < len(score.checked)
    return {
        "outcome": score.outcome.value,
        "word": WORDS[score.outcome] + (":" if score.outcome in (Outcome.UNREADABLE, Outcome.NOT_RUN) else ""),
        "response": result.response,
        "feedback": inline(score.feedback),
        "details": [inline(text) for text in score.details],
        "checks": [{"passed": entry.passed, "inputs": inputs(entry.inputs)} for entry in score.checked]
        if partly
        else [],
        "chart": chart(score.chart) if score.chart else None,
        "mistake": score.mistake,
        "rating": score.rating,
    }


def earlier(attempt: Attempt) -> dict[str, Any]:
    """An answer of an earlier sitting, as it is on record."""
    return {
        "word": WORDS[Outcome(attempt.outcome)],
        "outcome": attempt.outcome,
        "response": attempt.response,
        "at": attempt.at.isoformat(),
    }


def explanation(said: Explanation) -> dict[str, Any]:
    """All that follows the verdict: the run, the solution in steps, the answer, the other mistakes."""
    return {
        "observed": chart(said.observed) if said.observed else None,
        "solution": [inline(step) for step in said.solution],
        "answer_title": said.answer_title,
        "answer": [_labeled(part) for part in said.answer],
        "mistakes": [_labeled(part) for part in said.mistakes],
        "see": list(said.see),
    }


def _labeled(part: Labeled) -> dict[str, str]:
    return {"label": part.label, "text": code(part.text) if part.code else inline(part.text)}


def chart(drawn: Chart) -> dict[str, str]:
    """A chart as a drawing, in words and as a table."""
    return {
        "title": drawn.title,
        "svg": svg(drawn),
        "words": html.escape(charts.describe(drawn)),
        "table": table(drawn),
    }


def verdict(said: Verdict, mistakes: Mapping[str, Mistake]) -> dict[str, Any]:
    """What a test says about a topic."""
    return {
        "word": said.word,
        "points": said.points,
        "asked": said.asked,
        "low": said.low,
        "high": said.high,
        "above": ENOUGH,
        "certainty": said.certainty,
        "skills": [
            {"name": skill.name.replace("-", " "), "points": skill.points, "asked": skill.asked}
            for skill in said.skills
        ],
        "weakest": said.weakest.replace("-", " ") if said.weakest else None,
        "mistakes": [
            {"text": inline(mistakes[name].says), "times": times} for name, times in said.mistakes if name in mistakes
        ],
        "read": list(said.read),
    }
