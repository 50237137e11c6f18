"""How somebody becomes a learner of the class, and comes back on another device. A name opens nothing: links do."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING

from grader.errors import InputError
from grader.faces.web.safety import RefusedError
from grader.faces.web.visit import Known, Visit
from grader.learning.class_records import LONGEST_NAME
from grader.learning.recorder import now
from grader.model import Member
from grader.template import CONTROL

if TYPE_CHECKING:
    from starlette.responses import Response


def join(visit: Visit) -> Response:
    """Ask for the code and a name; whoever is in the class already goes on."""
    _ = visit.room
    if visit.visitor.known:
        return visit.to("/class" if visit.visitor.owner else "/me")
    code = visit.query.get("code", "")[:40]
    return visit.page("join.html", "Join", code=code, back=_inside(visit.query.get("back", "")), most=LONGEST_NAME)


def joined(visit: Visit) -> Response:
    """A new learner; somebody of the same name is somebody else."""
    if visit.visitor.known:
        raise RefusedError(409, "You are in this class already.", "Another learner joins with another browser.")
    if not _same(visit.field("code"), visit.room.about.code):
        raise RefusedError(403, "That is not the code of this class.", "Ask whoever runs it for the link to join.")
    name = " ".join(visit.field("name").split())
    if not name or len(name) > LONGEST_NAME or CONTROL.search(name):
        raise RefusedError(400, f"A name has 1 to {LONGEST_NAME} characters.", "Go back, and type one.")
    try:
        member = visit.room.records.join(name, now())
    except InputError as error:
        raise RefusedError(409, f"{error.message[:1].upper()}{error.message[1:]}.", error.hint) from None
    back = _inside(visit.field("back"))
    return Known(visit, f"/me?back={back}" if back else "/me", member.learner)


def back(visit: Visit, link: str) -> Response:
    """Whose link this is, and the button that goes on as them: a program that looks at links changes nothing."""
    return visit.page("back.html", "Come back", link=link, name=_member_of(visit, link).name)


def came_back(visit: Visit, link: str) -> Response:
    """The learner on this device, too."""
    return Known(visit, "/", _member_of(visit, link).learner)


def me(visit: Visit) -> Response:
    """Who one is in the class, and the link to come back."""
    if visit.visitor.owner:
        return visit.to("/class")
    member = visit.room.must_be_member(visit.visitor.learner)
    link = f"{visit.base}/back/{visit.keys.link(member.learner)}"
    return visit.page(
        "me.html", "You in this class", member=member, link=link, back=_inside(visit.query.get("back", ""))
    )


def _member_of(visit: Visit, link: str) -> Member:
    learner = visit.keys.learner_of(link)
    member = visit.room.member(learner) if learner else None
    if member is None:
        raise RefusedError(404, "That link leads to nobody.", "Ask whoever runs the class for a link of yours.")
    return member


def _same(given: str, code: str) -> bool:
    return hmac.compare_digest(given.strip().lower().encode(), code.encode())


def _inside(path: str) -> str:
    """An address of a task, to go on to; empty for any other."""
    return path if re.fullmatch(r"/task/[0-9a-f]{32}", path) else ""
