"""One question in a frame on a page of somebody else, where browsers send no cookies: the form says who answers.

Nothing is put on record, except of a learner whom a cookie names: on pages of this very site.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from grader.faces.web import item_pages
from grader.faces.web.safety import new_visitor
from grader.faces.web.visit import Visit
from grader.learning.sitting import Sittings

if TYPE_CHECKING:
    from starlette.responses import Response


def item(visit: Visit, item: str) -> Response:
    """A question alone, with nothing of the site around it."""
    if not visit.visitor.known:
        visit = replace(visit, visitor=visit.keys.visitor(visit.query.get("who")) or new_visitor(owner=False))
    found = visit.site.item(item)
    who = "" if visit.visitor.known else visit.keys.signed(visit.visitor)
    return item_pages.shown(visit, found, _sittings(visit), "embed.html", who=who)


def answer(visit: Visit, item: str) -> Response:
    """Judge an answer to it."""
    found = visit.site.item(item)
    who = "" if visit.visitor.known else visit.keys.signed(visit.visitor)
    path, anchor, query = item_pages.answered(visit, found, _sittings(visit), f"/embed/q/{found.id}", who=who)
    return visit.to(path, anchor, **query)


def _sittings(visit: Visit) -> Sittings:
    return visit.site.sittings if visit.visitor.known else visit.site.guests
