"""What a face is told of a sheet and its questions: only what the learner may know by then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grader import modes, verdict
from grader.desk.sheet import Asked, Document, Sheet
from grader.explaining import explain
from grader.model import Mistake, Outcome, Result
from grader.session import NotProvenError
from grader.ui import sheets


@dataclass(frozen=True, slots=True)
class Around:
    """What documents need besides the sheet."""

    mistakes: dict[str, Mistake]
    notice: str
    """Of the records, where something does not work."""
    containment: Callable[[Result], str]
    """A notice where the learner's code ran without a sandbox, else the empty string."""


def of_sheet(sheet: Sheet, around: Around) -> Document:
    """The sheet as a whole, without its questions."""
    return {
        "sheet": sheet.id,
        "title": sheet.title,
        "mode": sheet.mode,
        "places": [{"item": entry.question.item.id, "answered": entry.final} for entry in sheet.asked],
        "end": _end(sheet, around.mistakes),
        "notice": around.notice,
    }


def of_question(sheet: Sheet, entry: Asked, around: Around) -> Document:
    """A question, and what may be said of its answer now."""
    question = entry.question
    document: Document = {
        "sheet": sheet.id,
        "place": entry.place,
        "of": len(sheet.asked),
        "item": question.item.id,
        "notice": around.notice,
        "end": _end(sheet, around.mistakes),
    }
    try:
        prompt = question.prompt()
    except NotProvenError as error:
        return document | {"trouble": f"This question could not be judged: {error}", "told": None}
    document |= sheets.prompt(prompt)
    document["hints"] = [sheets.inline(hint) for hint in entry.hints]
    document["hints_left"] = 0 if sheet.exam or entry.final else prompt.hints - question.hints_used
    document["seconds"] = modes.limit(question.item) if sheet.mode == "challenge" else None
    document["attempts_left"] = modes.TRIES - entry.tries if sheet.mode == "try" and not entry.final else None
    document["earlier"] = sheets.earlier(entry.earlier) if entry.earlier and entry.result is None else None
    document["back"] = (
        [sheets.markdown(step) for step in question.proof.solution]
        if (entry.final or entry.turned) and question.item.kind == "card" and (sheet.over or not sheet.exam)
        else []
    )
    document["told"] = _told(sheet, entry, entry.result, around) if entry.result else None
    return document


def _told(sheet: Sheet, entry: Asked, result: Result, around: Around) -> Document:
    """What may be said of an answer: of a test, before its end, only that it is kept."""
    if sheet.exam and not sheet.over and result.score.outcome in (*modes.JUDGED, Outcome.SKIPPED):
        return {"outcome": "noted", "word": "Noted.", "response": result.response, "final": True}
    told = sheets.told(result) | {"final": entry.final, "containment": around.containment(result)}
    if entry.final and (explanation := explain(entry.question, result, around.mistakes)):
        told["explanation"] = sheets.explanation(explanation)
    if entry.follow_up:
        asked = sheets.markdown(entry.follow_up.stem)
        told["follow_up"] = {"stem": asked, "told": sheets.told(entry.followed) if entry.followed else None}
    return told


def _end(sheet: Sheet, mistakes: dict[str, Mistake]) -> Document | None:
    """How a sheet of several questions went, once all are answered."""
    results = [entry.result for entry in sheet.asked if entry.result]
    if len(sheet.asked) < 2 or not sheet.over or len(results) < len(sheet.asked):
        return None
    score = verdict.mean(results)
    right = sum(result.score.outcome is Outcome.CORRECT for result in results)
    badge = sheet.mode == "challenge" and right == len(results)
    said = verdict.judge(results, mistakes) if sheet.exam and score is not None else None
    return {
        "score": score,
        "right": right,
        "of": len(results),
        "badge": badge,
        "verdict": sheets.verdict(said, mistakes) if said else None,
    }
