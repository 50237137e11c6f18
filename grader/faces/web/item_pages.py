"""One question by its stable address, for anybody and unrecorded; and what somebody says is wrong with it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

from grader import kinds
from grader.errors import InputError
from grader.faces.web import question_view
from grader.faces.web.asking import Asked, act, looked_up
from grader.faces.web.safety import RefusedError
from grader.faces.web.site import ADDRESS
from grader.faces.web.visit import Visit
from grader.learning import digests
from grader.learning.recorder import now
from grader.learning.sitting import Sittings
from grader.model import Item, QuestionReport

if TYPE_CHECKING:
    from starlette.responses import Response

LONGEST_REPORT, LONGEST_RESPONSE = 1_000, 20_000
"""Characters of what is said to be wrong, and of the answer that is kept with it."""


def item(visit: Visit, item: str) -> Response:
    """A question with the numbers of one variant; after an answer, what came of it."""
    return shown(visit, visit.site.item(item), visit.site.guests, "item.html")


def answer(visit: Visit, item: str) -> Response:
    """Judge an answer to it; nothing goes on record."""
    found = visit.site.item(item)
    path, anchor, query = answered(visit, found, visit.site.guests, f"/q/{found.id}")
    return visit.to(path, anchor, **query)


def shown(visit: Visit, found: Item, sittings: Sittings, template: str, *, who: str = "") -> Response:
    """A page with one question, and the sitting that its address names, if that is the visitor's."""
    site = visit.site
    variant = visit.number("v", len(found.variants))
    name = visit.query.get("s", "")
    sheet, entry = None, None
    if name:
        try:
            entry = sittings.show(name, 0, who_answers(visit, found, sittings))
            sheet = sittings.around(entry)
        except InputError:
            name, sheet = "", None  # it was long ago: the question is asked anew
    if sheet is None or entry is None or entry.question.item.id != found.id:
        name, sheet = "", sittings.alone(found, found.variants[variant])
        (entry,) = sheet.asked
    seen = question_view.view(site, sheet, entry)
    digest = visit.query.get("d", "")
    return visit.page(
        template, f"Question: {seen.get('skill') or found.id}", q=seen, s=name, token=secrets.token_urlsafe(12),
        action=f"{visit.path}?v={variant}", said=visit.query.get("said", ""), topic=site.topic(found.topic),
        changed=bool(digest) and digests.same(found, digest[:40]) is False, refused=_refusal(visit, found),
        link=f"/q/{found.id}?v={entry.question.variant.index}&d={seen['digest']}", who=who,
    )  # fmt: skip


def answered(visit: Visit, found: Item, sittings: Sittings, path: str, **more: str) -> tuple[str, str, dict[str, str]]:
    """Do what the form of one question asks for; where that is shown."""
    site = visit.site
    variant = visit.number("v", len(found.variants))
    if refusal := _refusal(visit, found, now=visit.field("do", "check") == "check"):
        raise RefusedError(403, refusal)
    who, name = who_answers(visit, found, sittings), visit.field("s")
    if not name:
        name = site.begin_one(sittings, who, found, variant, visit.field("token"))
    with looked_up():
        sittings.ask(name, 0)
    queue = who if visit.visitor.known or sittings is not site.guests else who[:ADDRESS]
    said, _ = act(visit, Asked(sittings, name, 0, who, queue))
    query = {"v": str(variant), "s": name, "said": said, **more}
    return path, "hint" if said == "hint" else "told", query


def who_answers(visit: Visit, item: Item, sittings: Sittings) -> str:
    """Whose answer it is: a learner's, or a guest's; a guest's code is of the address that it comes from."""
    if sittings is not visit.site.guests:
        return visit.site.learner
    name = visit.visitor.name
    if visit.visitor.known or not kinds.of(item).TRAITS.runs_code:
        return name
    return visit.keys.line(visit.address)[:ADDRESS] + name[ADDRESS:]


def _refusal(visit: Visit, item: Item, *, now: bool = False) -> str:
    """Why code is not taken here; empty where it is, or where there is none. `now`: something is about to be run."""
    if not kinds.of(item).TRAITS.runs_code:
        return ""
    if not visit.visitor.known and not visit.reach.public_code:
        return "Code is not run here for guests. Whoever serves this page can answer it."
    if now and not visit.site.contained():
        return "There is no sandbox on this machine, and this address is for anybody, so code is not run here."
    return ""


def waiting(visit: Visit) -> Response:
    """A word on what an answer that is being run waits for, to be shown meanwhile; empty where it is nothing."""
    before = visit.site.before(visit.visitor.name)
    said = f"{before} {'program is' if before == 1 else 'programs are'} before yours" if before else ""
    return PlainTextResponse(said)


# ---------------------------------------------------------------- something is wrong


def report(visit: Visit, item: str) -> Response:
    """Keep what somebody says is wrong with a question: the item, its numbers, their answer and a line of text."""
    site = visit.site
    found = site.item(item)
    variant, text = visit.field("v", "0"), " ".join(visit.field("text").split())
    if not variant.isdigit() or int(variant[:9]) >= len(found.variants):
        raise RefusedError(400, "Part of that form is missing.", "Reload the question, and say it again.")
    if not text or len(text) > LONGEST_REPORT:
        message = "Say in a line what is wrong." if not text else f"That is longer than {LONGEST_REPORT:,} characters."
        raise RefusedError(400, message, "Go back, and send it again.")
    store = site.records
    if store is None:
        raise RefusedError(503, "That could not be kept.", site.notice)
    response = visit.field("response")[:LONGEST_RESPONSE] or None
    store.report(QuestionReport(site.learner, now(), found.id, int(variant), site.digest(found), response, text))
    back = visit.field("back")
    return visit.page("reported.html", "Kept", back=back if back.startswith(("/s/", "/q/", "/t/")) else "/")
