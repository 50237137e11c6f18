"""For authors (`--author`): every item with what is found wrong, as a learner sees it, and its whole proof."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from grader.faces.service import html_documents
from grader.faces.web import question_view
from grader.faces.web.safety import RefusedError
from grader.faces.web.visit import Visit
from grader.learning import explanation
from grader.learning.question import NotProvenError, Question
from grader.model import Finding, Result
from grader.render.markdown import fragment

if TYPE_CHECKING:
    from starlette.responses import Response


def author(visit: Visit) -> Response:
    """The items by topic, and what is wrong with files."""
    _must_be_author(visit)
    visit.site.refresh()
    bank = visit.site.bank
    return visit.page("author.html", "Author", here="author", bank=bank, findings=list(map(_found, bank.findings)))


def item(visit: Visit, item: str) -> Response:
    """One item: its variants as tabs, what is found wrong, the question, its explanation; as it was saved last."""
    _must_be_author(visit)
    site = visit.site
    site.refresh()
    if finding := site.bank.trouble(item):
        return visit.page(
            "author_item.html", item, here="author", name=item, findings=[_found(finding)], item=None, source=""
        )
    found = site.item(item, asked=False)
    variant = found.variants[visit.number("v", len(found.variants))]
    sheet = site.guests.alone(found, variant)
    (entry,) = sheet.asked
    question = entry.question
    proof = question.proving.proof()
    shown = question_view.view(site, sheet, entry)
    options, said = [], None
    try:
        skipped = dataclasses.replace(question.skip(), proof=question.proof)
        options = [
            question_view.option(one)
            for one in explanation.judged_options(question, skipped, site.bank.mistakes)
        ]  # fmt: skip
        said = _explained(visit, question, skipped)
    except NotProvenError:
        pass
    return visit.page(
        "author_item.html", found.id, here="author", name=found.id, item=found, variant=variant, q=shown,
        options=options, said=said, findings=list(map(_found, proof.findings)), claims=proof.claims,
        hints=[fragment(one) for one in proof.hints],
        source=str(found.at),
    )  # fmt: skip


def _explained(visit: Visit, question: Question, result: Result) -> dict[str, object] | None:
    said = explanation.explain(question, result, visit.site.bank.mistakes)
    return html_documents.explanation(said, visit.site.around.draw) if said else None


def _found(finding: Finding) -> dict[str, str]:
    return {"code": finding.code, "message": finding.message, "hint": finding.hint, "at": str(finding.at),
            "item": finding.item or ""}  # fmt: skip


def _must_be_author(visit: Visit) -> None:
    if not visit.site.author:
        raise RefusedError(404, "There is no such page.", "`grader serve --author` has it.")
