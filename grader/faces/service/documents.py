"""What a face is told of a sheet and its questions: only what the learner may know by then."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grader.faces.service import html_documents
from grader.faces.words import placed_words, topic_placed
from grader.learning import modes, verdict
from grader.learning.explanation import explain
from grader.learning.placement import Placement
from grader.learning.question import NotProvenError, Question
from grader.learning.sitting_state import choice_of
from grader.learning.sitting_view import OpenSitting, SittingQuestion
from grader.model import Chart, Mistake, Outcome, Result
from grader.render import html_fragments, terminal_markdown

Document = dict[str, Any]
"""Plain JSON data."""


@dataclass(frozen=True, slots=True)
class ViewContext:
    """What documents need besides the sheet."""

    mistakes: dict[str, Mistake]
    notice: str
    """Of the records, where something does not work."""
    containment: Callable[[Result], str]
    """A notice where the learner's code ran without a sandbox, else the empty string."""
    draw: Callable[[Chart], str] = html_fragments.svg
    """How charts are drawn."""


def of_sheet(sheet: OpenSitting, around: ViewContext) -> Document:
    """The sheet as a whole, without its questions."""
    return {
        "sheet": sheet.id,
        "title": sheet.title,
        "mode": sheet.mode,
        "places": [{"item": entry.question.item.id, "answered": entry.final} for entry in sheet.asked],
        "end": _end(sheet, around.mistakes),
        "notice": around.notice,
        **({"most": sheet.most} if sheet.most else {}),
    }


def last_hint(entry: SittingQuestion) -> Document:
    """The hint that was given last, as plain text."""
    return {"hint": terminal_markdown.as_text(entry.hints[-1]) if entry.hints else ""}


def of_question(sheet: OpenSitting, entry: SittingQuestion, around: ViewContext) -> Document:
    """A question, and what may be said of its answer now."""
    question = entry.question
    document: Document = {
        "sheet": sheet.id,
        "place": entry.place,
        "of": sheet.most or len(sheet.asked),
        "item": question.item.id,
        "notice": around.notice,
        "end": _end(sheet, around.mistakes),
    }
    try:
        prompt = question.prompt()
    except NotProvenError as error:
        return document | {"trouble": f"This question could not be judged: {error}", "told": None}
    document |= html_documents.prompt(prompt, around.draw)
    document["hints"] = [html_documents.fragment(hint) for hint in entry.hints]
    document["hints_left"] = 0 if sheet.exam or entry.final else prompt.hints - question.hints_used
    document["seconds"] = None if entry.seconds_left is None else math.ceil(entry.seconds_left)
    document["attempts_left"] = None if entry.final else entry.tries_left
    document["earlier"] = None
    if entry.earlier and entry.result is None:
        picked = _letters(question, choice_of(entry.earlier))
        document["earlier"] = html_documents.earlier(entry.earlier) | {"picked": picked}
    document["back"] = (
        [html_documents.as_html(step) for step in question.proof.solution]
        if (entry.final or entry.turned) and prompt.reveals and (sheet.over or not sheet.exam)
        else []
    )
    document["told"] = _told(sheet, entry, entry.result, around) if entry.result else None
    return document


def _told(sheet: OpenSitting, entry: SittingQuestion, result: Result, around: ViewContext) -> Document:
    """What may be said of an answer: of a test, before its end, only that it is kept."""
    if sheet.exam and not sheet.over and result.score.outcome in (*modes.JUDGED, Outcome.SKIPPED):
        noted = {"outcome": "noted", "word": "Noted.", "response": result.response, "final": True}
        return noted | {"picked": _letters(entry.question, result.choice)}
    told = html_documents.told(result, around.draw) | {"final": entry.final, "containment": around.containment(result)}
    told["picked"] = _letters(entry.question, result.choice)
    if entry.final and (explanation := explain(entry.question, result, around.mistakes)):
        told["explanation"] = html_documents.explanation(explanation, around.draw)
    if entry.follow_up:
        asked = html_documents.as_html(entry.follow_up.stem)
        told["follow_up"] = {"stem": asked, "told": html_documents.told(entry.followed) if entry.followed else None}
    return told


def _letters(question: Question, choice: tuple[int, ...] | None) -> list[str] | None:
    """The letters, as they are shown here, of options that were picked; None where none were."""
    return list(question.letters(choice)) or None if choice else None


def _end(sheet: OpenSitting, mistakes: dict[str, Mistake]) -> Document | None:
    """How a sheet of several questions went, once all are answered."""
    results = [entry.result for entry in sheet.asked if entry.result]
    if len(sheet.asked) < 2 or not sheet.over or len(results) < len(sheet.asked):
        return None
    score = verdict.mean(results)
    right = sum(result.score.outcome is Outcome.CORRECT for result in results)
    badge = sheet.mode == "challenge" and right == len(results)
    said = verdict.judge(results, mistakes) if sheet.mode == "test" and score is not None else None
    return {
        "score": score,
        "right": right,
        "of": len(results),
        "badge": badge,
        "verdict": html_documents.verdict(said, mistakes) if said else None,
        **({"placed": placed(sheet.placed)} if sheet.placed else {}),
    }


def placed(found: Placement) -> Document:
    """Where to begin, in words, and what is known of each topic."""
    titles = {one.topic: one.title for one in found.topics}
    topics = [{"topic": one.topic, "title": one.title, "words": topic_placed(one, titles)} for one in found.topics]
    return {"begin": found.begin, "words": placed_words(found), "topics": topics}


def remark(entry: SittingQuestion) -> str:
    """What is said of an answer that did not count."""
    if entry.repeated:
        return "That is the answer you gave before; it does not count again."
    if entry.elsewhere:
        return "This was answered in another tab, and that answer counts."
    return ""
