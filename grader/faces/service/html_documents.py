"""Questions and answers as JSON documents with HTML in them, for faces that draw pages. See `service`."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any, assert_never

from grader.faces.words import WORDS, from_bank, run_with
from grader.learning.explanation import Explanation
from grader.learning.verdict import ENOUGH, Verdict
from grader.model import (
    Attempt,
    Chart,
    CheckScore,
    ChooseMany,
    ChooseOne,
    CodeInput,
    Figure,
    Input,
    Labeled,
    Mistake,
    NumberInput,
    OrderInput,
    Outcome,
    Prompt,
    Result,
    TextInput,
)
from grader.render import charts, figure_svg, figure_text, grids
from grader.render.html_fragments import code, svg, table
from grader.render.markdown import as_html, fragment, phrase_as_html
from grader.template import inputs

__all__ = ["as_html", "earlier", "explanation", "fragment", "prompt", "told", "verdict"]


Draw = Callable[[Chart], str]
"""How a face draws a chart."""


def prompt(asked: Prompt, draw: Draw = svg) -> dict[str, Any]:
    """A question as it is shown; it holds no key. `before` is there where something comes before the program."""
    before = [{"label": one.label, "code": code(one.text)} for one in asked.given]
    return ({"before": before} if before else {}) | {
        "level": asked.level,
        "skill": asked.skill.replace("-", " "),
        "stem": as_html(asked.stem),
        "program": code(asked.program) if asked.program else "",
        "given": [name for name, _ in asked.variant.values],
        "inputs": [input_of(one) for one in asked.inputs],
        "reveals": asked.reveals,
        **({"origin": from_bank(asked.origin)} if asked.origin else {}),
        **({"figures": [figure(one, draw) for one in asked.figures]} if asked.figures else {}),
    }


def figure(drawn: Figure, draw: Draw = svg) -> dict[str, str]:
    """A figure as a drawing in the colors of the page and as a picture of its own, in words (plain) and as text."""
    text = "\n".join(figure_text.lines(drawn.content))
    said = figure_svg.words(drawn)
    if isinstance(drawn.content, Chart):
        return chart(drawn.content, draw) | {"said": said, "text": html.escape(text), "image": ""}
    return {
        "title": drawn.title,
        "svg": figure_svg.svg(drawn),
        "said": said,
        "text": html.escape(text),
        "image": figure_svg.data_uri(drawn),
    }


def input_of(one: Input) -> dict[str, Any]:
    """One thing to answer with."""
    match one:
        case ChooseOne(options=options, code=is_code) | ChooseMany(options=options, code=is_code):
            shown = [code(option) if is_code else fragment(option) for option in options]
            many = isinstance(one, ChooseMany)
            return {"type": "choose", "label": one.label, "many": many, "letters": list(one.letters), "options": shown}
        case NumberInput(label=label, unit=unit, cell=cell):
            return {"type": "number", "label": label, "unit": unit} | ({"cell": list(cell)} if cell else {})
        case TextInput(label=label, wanted=wanted):
            return {"type": "text", "label": label, **({"wanted": wanted} if wanted else {})}
        case OrderInput(lines=lines, label=label):
            return {"type": "order", "label": label, "lines": list(lines)}
        case CodeInput(starter=starter, cases=cases, broken=broken, others=others):
            said = phrase_as_html(run_with(cases, others=others))
            label = "Fix this code" if broken else "Your code"
            return {"type": "code", "label": label, "starter": starter.strip("\n"), "cases": said}
        case _:
            assert_never(one)


def told(result: Result, draw: Draw = svg) -> dict[str, Any]:
    """What is said of an answer, its solution aside."""
    score = result.score
    right = sum(entry.passed for entry in score.checked)
    partly = 0 < right < len(score.checked)
    return {
        "outcome": score.outcome.value,
        "word": WORDS[score.outcome] + (":" if score.outcome in (Outcome.UNREADABLE, Outcome.NOT_RUN) else ""),
        "response": result.response,
        "feedback": fragment(score.feedback, links=False),
        "details": [phrase_as_html(text) for text in score.details],
        "checks": [{"passed": entry.passed, "inputs": inputs(entry.inputs)} for entry in score.checked]
        if partly
        else [],
        "chart": chart(score.chart, draw) if score.chart else None,
        "mistake": score.mistake,
        "rating": score.rating,
        **({"table": [_check(one) for one in score.table]} if score.table else {}),
        **({"grids": grids.svg(score.grids)} if score.grids else {}),
    }


def _check(one: CheckScore) -> dict[str, Any]:
    return {"passed": one.passed, "name": one.name, "points": f"{one.points:.3g} of {one.of:.3g}"}


def earlier(attempt: Attempt) -> dict[str, Any]:
    """An answer of an earlier sitting, as it is on record."""
    return {
        "word": WORDS[Outcome(attempt.outcome)],
        "outcome": attempt.outcome,
        "response": attempt.response,
        "at": attempt.at.isoformat(),
    }


def explanation(said: Explanation, draw: Draw = svg) -> dict[str, Any]:
    """All that follows the verdict: the run, the solution in steps, the answer, the other mistakes."""
    return {
        "observed": chart(said.observed, draw) if said.observed else None,
        "solution": [fragment(step) for step in said.solution],
        "answer_title": said.answer_title,
        "answer": [_labeled(part) for part in said.answer],
        "mistakes": [_labeled(part) for part in said.mistakes],
        "see": list(said.see),
        **({"credit": said.credit} if said.credit else {}),
    }


def _labeled(part: Labeled) -> dict[str, str]:
    drawn = code if part.code else fragment
    return {"label": part.label, "text": drawn(part.text)}


def chart(drawn: Chart, draw: Draw = svg) -> dict[str, str]:
    """A chart as a drawing, in words and as a table."""
    return {
        "title": drawn.title,
        "svg": draw(drawn),
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
            for skill in said.topics or said.skills
        ],
        "weakest": said.weakest.replace("-", " ") if said.weakest else None,
        "mistakes": [
            {"text": fragment(mistakes[name].says), "times": times} for name, times in said.mistakes if name in mistakes
        ],
        "read": list(said.read),
    }
