"""What is kept about the learner: to be seen, taken along, deleted."""

from __future__ import annotations

import dataclasses
import json

from starlette.responses import Response

from grader.exchange import records_jsonl
from grader.faces.web.classroom import in_utc
from grader.faces.web.safety import RefusedError
from grader.faces.web.visit import THEMES, Look, Visit
from grader.learning.records import Records

SHOWN = 50
"""So many of the last answers are listed."""


def data(visit: Visit) -> Response:
    """What is kept, in numbers, and the last of it."""
    site = visit.site
    store = site.records
    reports = list(store.reports(learner=site.learner)) if store else []
    recent = store.recent(site.learner, None, SHOWN) if store else []
    member = visit.room.must_be_member(visit.visitor.learner) if visit.visitor.learner else None
    return visit.page(
        "data.html", "What is kept", here="progress", learner=site.learner, member=member,
        place=store.name if store and visit.visitor.owner else "", until=_dates(visit) if member else (),
        sittings=sum(1 for _ in store.sittings(learner=site.learner)) if store else 0, recent=recent, reports=reports,
        answers=sum(1 for _ in store.attempts(learner=site.learner)) if store else 0, notice=site.notice, shown=SHOWN,
    )  # fmt: skip


def _dates(visit: Visit) -> list[dict[str, str]]:
    """The dates that a learner has of their own."""
    own, titles = visit.room.records.extensions(learner=visit.site.learner), visit.room.tasks()
    dates = {task: due for (task, _), due in own.items()}
    return [{"task": one.title, "until": in_utc(dates[one.id])} for one in titles if one.id in dates]


def download_membership(visit: Visit) -> Response:
    """What the class has of a learner beside answers, as JSON."""
    member = visit.room.must_be_member(visit.visitor.learner)
    found = dataclasses.asdict(member) | {"joined": member.joined.isoformat(), "dates": _dates(visit)}
    return _file("class.json", json.dumps(found, indent=2, ensure_ascii=False) + "\n", "application/json")


def download(visit: Visit) -> Response:
    """All answers, sittings and events as JSON Lines, such as `grader import-records` reads."""
    store, learner = _store(visit), visit.site.learner
    sittings = list(store.sittings(learner=learner))
    events = store.events([sitting.id for sitting in sittings])
    lines = records_jsonl.lines(sittings, store.attempts(learner=learner), events)
    return _file("records.jsonl", "".join(f"{line}\n" for line in lines), "application/jsonl")


def download_reports(visit: Visit) -> Response:
    """What was said to be wrong with questions, as JSON."""
    store = _store(visit)
    found = [
        {**dataclasses.asdict(report), "at": report.at.isoformat()}
        for report in store.reports(learner=visit.site.learner)
    ]
    return _file("reports.json", json.dumps(found, indent=2, ensure_ascii=False) + "\n", "application/json")


def _file(name: str, text: str, kind: str) -> Response:
    return Response(text, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})


def _store(visit: Visit) -> Records:
    store = visit.site.records
    if store is None:
        raise RefusedError(503, "What is kept cannot be read.", visit.site.notice)
    return store


def delete(visit: Visit) -> Response:
    """Delete all of it, once the box that says so is ticked."""
    if visit.field("sure") != "yes":
        raise RefusedError(400, "Nothing is deleted.", "Tick the box that says that you mean it.")
    _store(visit).forget_all(visit.site.learner)
    if visit.visitor.learner:
        visit.room.leave(visit.visitor.learner)
        return visit.to("/join")
    visit.site.forgotten()
    return visit.to("/data")


def look(visit: Visit) -> Response:
    """How the page is to look, and whether single keys do something; kept in a cookie."""
    theme = visit.field("theme", visit.look.theme)
    chosen = Look(
        theme if theme in THEMES else "system", visit.field("keys", "on" if visit.look.keys else "off") == "on"
    )
    back = visit.field("back", "/")
    answer = visit.to(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/")
    answer.set_cookie("torch-grader-look", str(chosen), max_age=365 * 86_400, samesite="lax", httponly=True)
    return answer
