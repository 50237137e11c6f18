"""A question as a page shows it: what may be known by now, the fields to answer in, and what was run."""

from __future__ import annotations

from typing import Any

from grader import kinds
from grader.faces.service import documents, html_documents
from grader.faces.service.documents import Document
from grader.faces.web import fields
from grader.faces.web.site import Site
from grader.faces.web.visit import TEMPLATES
from grader.learning import explanation, modes
from grader.learning.explanation import JudgedOption
from grader.learning.question import NotProvenError
from grader.learning.sitting_view import OpenSitting, SittingQuestion
from grader.model import Outcome, Prompt, Result
from grader.render import chart_svg, templates
from grader.render.html_fragments import numbered
from grader.render.markdown import fragment

LOOKS = {
    "correct": "good", "partly": "half", "incorrect": "bad", "unreadable": "half", "not-run": "half",
    "skipped": "quiet", "noted": "quiet",
}  # fmt: skip
"""The color of an outcome; its word and its sign say the same."""

UNSAID: Document = {
    "feedback": "", "details": [], "checks": [], "table": None, "grids": "", "chart": None, "rating": 0, "picked": None,
    "explanation": None, "follow_up": None, "containment": "", "response": None,
}  # fmt: skip
"""What is not said of every answer."""

SIGNS = {"good": "✓", "bad": "✗", "half": "◐", "quiet": "–"}  # noqa: RUF001  (it is meant)


def drawn(prompt: Prompt) -> str:
    """A question by itself, before it is answered, as HTML."""
    document = html_documents.prompt(prompt)
    shown = _shown(document) | {"stem": document["stem"], "groups": fields.drawn(prompt, "")}
    return templates.filled(TEMPLATES, "drawn.html", q=shown)


def _shown(document: Document) -> Document:
    """What is run: what comes before the program, the program, and what is drawn of it."""
    return {
        "given": [{"label": one["label"], "code": numbered(one["code"])} for one in document.get("before", [])],
        "program": numbered(document["program"]) if document["program"] else "",
        "figures": document.get("figures", []),
    }


def view(site: Site, sheet: OpenSitting, entry: SittingQuestion, *, draft: str = "") -> Document:
    """What a template needs of a question. Nothing of its key is in it before that may be told."""
    document = documents.of_question(sheet, entry, site.around)
    item, variant = entry.question.item, entry.question.variant
    shown: Document = {
        "item": item.id, "variant": variant.index, "variants": len(item.variants), "digest": site.digest(item),
        "tries": entry.tries, "final": entry.final, "turned": entry.turned, "mode": sheet.mode, "exam": sheet.exam,
        "topic": item.topic, "code": kinds.of(item).TRAITS.runs_code, "told": None, "trouble": document.get("trouble"),
        "place": entry.place, "of": sheet.most or len(sheet.asked), "notice": document["notice"], "earlier": None,
        "remark": "", "origin": document.get("origin", ""),
        "options": [], "observed": "", "receipt": [],
        "starting": kinds.of(item).TRAITS.runs_code and not entry.final and site.starting,
    }  # fmt: skip
    if shown["trouble"]:
        return shown
    prompt = entry.question.prompt()
    filled = draft or entry.draft or (entry.result.response if entry.result else "") or ""
    shown |= {name: document[name] for name in ("level", "skill", "stem", "hints", "hints_left", "back", "reveals")}
    shown |= _shown(document) | {
        "groups": fields.drawn(prompt, filled),
        "seconds": document["seconds"],
        "attempts_left": document["attempts_left"],
        "again": entry.final and sheet.mode not in modes.ONE_TRY,
        "remark": documents.remark(entry),
    }
    told = document["told"]
    if told is not None and entry.result is not None:
        shown["told"] = UNSAID | told | {"look": _look(told), "sign": SIGNS[_look(told)]}
        if entry.result.score.outcome is Outcome.UNREADABLE:
            shown["told"]["feedback"] = fragment(_sentence(entry.result.score.feedback), links=False)
        shown |= _explained(site, entry, entry.result, told)
    return shown


def _sentence(said: str) -> str:
    """What follows a colon elsewhere, as a sentence of its own.

    >>> _sentence("answer with a number, such as 0.05 or 5e-2")
    'Answer with a number, such as 0.05 or 5e-2.'
    """
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith(('.', '?', '!', chr(10))) else '.'}"


def _look(told: Document) -> str:
    return "quiet" if told.get("rating") else LOOKS[told["outcome"]]


def _explained(site: Site, entry: SittingQuestion, result: Result, told: Document) -> Document:
    """Every option with its reason, the drawing with the answer in it, and what was run; where that may be told."""
    may_know = entry.final and told["outcome"] != "noted"
    options = explanation.judged_options(entry.question, result, site.bank.mistakes) if may_know else ()
    return {
        "options": [
            option(one) for one in options
        ],
        "observed": _observed(site, entry, result) if may_know else "",
        "receipt": receipt(site, entry, result, len(options)) if may_know or result.score.checked else [],
    }  # fmt: skip


def option(one: JudgedOption) -> Document:
    """An option with its reason, as a template draws it."""
    return {
        "letter": one.letter, "html": one.shown if one.code else fragment(one.shown), "code": one.code,
        "right": one.right, "picked": one.picked, "valued": one.valued, "says": fragment(one.says) if one.says else "",
    }  # fmt: skip


def _observed(site: Site, entry: SittingQuestion, result: Result) -> str:
    """What PyTorch did, as a drawing with the answered number in it, where it has a place there."""
    said = explanation.explain(entry.question, result, site.bank.mistakes)
    if said is None or said.observed is None:
        return ""
    if (
        result.score.outcome is Outcome.CORRECT
        or (at := explanation.mark(entry.question, result, said.observed)) is None
    ):
        return chart_svg.svg(said.observed)
    return chart_svg.svg(said.observed, (*at, "you"))


def receipt(site: Site, entry: SittingQuestion, result: Result, options: int) -> list[str]:
    """What was run for this verdict, a few words each."""
    found = []
    if options:
        found.append(f"all {options} options judged by a run")
    if checked := result.score.checked:
        hidden = sum(one.hidden for one in checked)
        found.append(f"{len(checked)} {'input' if len(checked) == 1 else 'inputs'}, {hidden} of them hidden")
    try:
        claims = entry.question.proof.claims
    except NotProvenError:
        claims = 0
    if claims:
        found.append(f"{claims} {'claim' if claims == 1 else 'claims'} proven, in two processes with two seeds")
    if site.torch:
        found.append(f"PyTorch {site.torch}")
    if result.score.run and not site.around.containment(result):
        found.append("in a sandbox")
    return found


def label(result: Result | None, *, final: bool, hidden: bool) -> dict[str, Any]:
    """How a question of a sitting stands, for the list of all of them."""
    if hidden or result is None:
        return {"look": "done" if final else "", "word": "answered" if final else "open"}
    look = LOOKS[result.score.outcome.value]
    words = {"good": "right", "bad": "not right", "half": "partly right", "quiet": "skipped"}
    return {"look": look if final else "", "word": words[look] if final else "open"}
