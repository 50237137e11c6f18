"""What the owner of a class sees: how questions do, how far learners are, what they say is wrong; and may mend."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from grader import kinds
from grader.errors import InputError
from grader.faces.web.classroom import in_utc
from grader.faces.web.safety import RefusedError
from grader.faces.web.visit import Visit
from grader.learning import item_statistics, regrading
from grader.learning.recorder import now
from grader.model import Attempt, Member
from grader.render import csv_text
from grader.render.markdown import fragment

if TYPE_CHECKING:
    from grader.learning.item_statistics import ItemStats

CLOCKS = (1.0, 1.25, 1.5, 2.0, 3.0)
"""How many times the usual limits a learner may have."""

AT_ONCE = 50
"""So many answers are judged once more by one press of the button."""

LETTERS_OF_AN_ID = 6

ANSWERS = (
    "class", "student_id", "name", "cell", "points", "max_points", "outcome", "kind", "level", "topic", "skill",
    "variant", "mistake", "family", "hints", "seconds", "at",
)  # fmt: skip
QUESTIONS = (
    "item", "topic", "learners", "right", "points", "discrimination", "seconds", "mistake", "mistakes", "says", "flags",
)  # fmt: skip
"""Columns, called as those of `grader.course.ExportPlugin` where they are the same."""


def names_of(members: Sequence[Member]) -> dict[str, str]:
    """What each member is called; of several with one name each with the beginning of their id."""
    count = Counter(member.name for member in members)
    return {
        one.learner: one.name if count[one.name] == 1 else f"{one.name} ({one.learner[:LETTERS_OF_AN_ID]})"
        for one in members
    }


# ---------------------------------------------------------------- the class as a whole


def whole(visit: Visit) -> Response:
    """The link to join; questions, the hardest first; learners, and how far they are; what is said to be wrong."""
    room = visit.room
    members = room.records.members()
    first = room.records.first_answers()
    stats = item_statistics.compute(first)
    reports = _reports(visit, members)
    return visit.page(
        "class.html", f"Class {room.about.name}", here="class", room=room.about, link=_link_to_join(visit),
        members=_rows_of(visit, members, first), stats=[_row(visit, one) for one in stats], reports=reports,
        tasks=[{"task": one, "due": in_utc(one.due)} for one in room.tasks()],
    )  # fmt: skip


def _link_to_join(visit: Visit) -> str:
    return f"{visit.base}/join?code={visit.room.about.code}"


def _row(visit: Visit, one: ItemStats) -> dict[str, Any]:
    """An item in the list of all."""
    item = visit.site.items.get(one.item)
    mistake = next(iter(one.mistakes), "")
    known = visit.site.bank.mistakes.get(mistake)
    return {
        "item": one.item, "there": item is not None, "learners": one.learners, "right": f"{one.right:.0%}",
        "mistake": fragment(known.says) if known else escape(mistake), "times": one.mistakes.get(mistake, 0),
        "flags": one.flags,
    }  # fmt: skip


def _rows_of(visit: Visit, members: Sequence[Member], first: Sequence[Attempt]) -> list[dict[str, Any]]:
    """The learners, and how far each is."""
    activity, names = visit.room.records.activity(), names_of(members)
    asked = Counter(one.learner for one in first)
    right = Counter(one.learner for one in first if (one.points or 0.0) >= item_statistics.FULL)
    rows = []
    for member in members:
        seen = activity.get(member.learner)
        rows.append({
            "learner": member.learner, "name": names[member.learner], "answers": seen.answers if seen else 0,
            "items": asked[member.learner], "right": right[member.learner], "last": in_utc(seen.last) if seen else "",
            "clock": member.clock,
        })  # fmt: skip
    return rows


def _reports(visit: Visit, members: Sequence[Member], item: str = "") -> list[dict[str, Any]]:
    """What the class said is wrong with questions, newest first; who said it is not shown."""
    store, known = visit.site.records, {member.learner for member in members} | {visit.site.learner}
    found = [one for one in store.reports() if one.learner in known] if store else []
    return [
        {"item": one.item, "variant": one.variant, "text": one.text, "response": (one.response or "")[:60],
         "at": in_utc(one.at)}
        for one in reversed(found) if not item or one.item == item
    ]  # fmt: skip


# ---------------------------------------------------------------- one question


def item(visit: Visit, item: str) -> Response:
    """How a question does: what was answered, which mistakes showed; and whether it has changed since."""
    found = visit.site.item(item)
    answers = visit.room.records.answers_to(item)
    stats = item_statistics.compute(answers)
    stale = regrading.stale(found, answers)
    bank = visit.site.bank
    return visit.page(
        "class_item.html", found.id, here="class", item=found, topic=visit.site.topic(found.topic),
        stats=stats[0] if stats else None, answers=len(answers), stale=len(stale), at_once=AT_ONCE,
        mistakes=[
            {"says": fragment(bank.mistakes[name].says) if name in bank.mistakes else escape(name), "times": times}
            for name, times in (stats[0].mistakes if stats else {}).items()
        ],
        reports=_reports(visit, visit.room.records.members(), item), lost=regrading.lost(found, answers),
    )  # fmt: skip


def regrade(visit: Visit, item: str) -> Response:
    """Judge answers that were given before the question was changed by what it says now."""
    site = visit.site
    found = site.item(item)
    answers = regrading.stale(found, visit.room.records.answers_to(item))[:AT_ONCE]
    if kinds.of(found).TRAITS.runs_code and not site.contained():
        raise RefusedError(403, "There is no sandbox on this machine, so code of others is not run here.")
    for answer in answers:
        try:
            made = regrading.judged_now(found, answer, site.sittings, now())
        except InputError as error:
            raise RefusedError(503, f"{error.message[:1].upper()}{error.message[1:]}.", error.hint) from None
        visit.room.records.regrade(made, answer.learner)
    return visit.to(f"/class/{found.id}")


# ---------------------------------------------------------------- one learner


def learner(visit: Visit, learner: str) -> Response:
    """A learner: how far they are, their link, the time that they have."""
    member = visit.room.must_be_member(learner)
    mine = [one for one in visit.room.records.first_answers() if one.learner == learner]
    by_topic: dict[str, list[Attempt]] = {}
    for one in mine:
        by_topic.setdefault(one.topic, []).append(one)
    topics = [
        {"title": topic.title, "asked": len(by_topic[topic.name]), "of": len(topic.items),
         "right": sum((one.points or 0.0) >= item_statistics.FULL for one in by_topic[topic.name])}
        for topic in visit.site.bank.topics if topic.name in by_topic
    ]  # fmt: skip
    given = [
        {"title": one.task.title, "id": one.task.id, "until": one.until} for one in visit.room.all_given(learner)
    ]  # fmt: skip
    return visit.page(
        "class_learner.html", member.name, here="class", member=member, topics=topics, clocks=CLOCKS, given=given,
        link=f"{visit.base}/back/{visit.keys.link(learner)}",
    )  # fmt: skip


def change_learner(visit: Visit, learner: str) -> Response:
    """Give a learner more time against clocks, or delete all that is kept about them."""
    member = visit.room.must_be_member(learner)
    if visit.field("do") == "remove":
        if visit.field("sure") != "yes":
            raise RefusedError(400, "Nothing is deleted.", "Tick the box that says that you mean it.")
        if store := visit.site.records:
            store.forget_all(learner)
        visit.room.leave(learner)
        return visit.to("/class")
    try:
        clock = float(visit.field("clock"))
    except ValueError:
        clock = math.nan
    if clock not in CLOCKS:
        raise RefusedError(400, "That form is not whole.", "Reload the page, and send it again.")
    visit.room.records.set_clock(member.learner, clock)
    visit.site.of(learner).extend_clocks(clock)
    return visit.to(f"/learners/{learner}")


# ---------------------------------------------------------------- files


def answers_csv(visit: Visit) -> Response:
    """The first answer of each learner to each question, a row each."""
    members = visit.room.records.members()
    names, mistakes = {member.learner: member.name for member in members}, visit.site.bank.mistakes

    def row(one: Attempt) -> list[object]:
        known = mistakes.get(one.mistake or "")
        return [
            visit.room.about.name, one.learner, names.get(one.learner, ""), one.item, one.points, 1, one.outcome,
            one.kind, one.level, one.topic, one.skill, one.variant, one.mistake, known.family if known else "",
            one.hints, one.seconds, one.at.isoformat(timespec="seconds"),
        ]  # fmt: skip

    return _file("answers.csv", csv_text.of_rows(ANSWERS, map(row, visit.room.records.first_answers())))


def questions_csv(visit: Visit) -> Response:
    """What `grader stats` says of each question, the hardest first."""
    mistakes, items = visit.site.bank.mistakes, visit.site.items

    def row(one: ItemStats) -> list[object]:
        first = next(iter(one.mistakes), "")
        return [
            one.item, items[one.item].topic if one.item in items else "", one.learners, round(one.right, 4),
            round(one.facility, 4), None if one.discrimination is None else round(one.discrimination, 4), one.seconds,
            first, one.mistakes.get(first, 0), mistakes[first].says if first in mistakes else "", "; ".join(one.flags),
        ]  # fmt: skip

    found = item_statistics.compute(visit.room.records.first_answers())
    return _file("questions.csv", csv_text.of_rows(QUESTIONS, map(row, found)))


def _file(name: str, text: str) -> Response:
    head = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text.encode("utf-8", "backslashreplace"), media_type="text/csv; charset=utf-8", headers=head)
