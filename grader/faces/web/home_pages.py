"""The first page, a topic, and what is known of a learner: where to go on from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from grader import kinds
from grader.content import lesson_files
from grader.faces.web.lessons import front_of
from grader.faces.web.site import PRACTICE, Site
from grader.faces.web.visit import Visit
from grader.learning import placement, planning, test_plan
from grader.learning.progress import of_learner, placements
from grader.learning.recorder import now
from grader.model import Attempt, Item, Topic, by_name
from grader.render.markdown import fragment

if TYPE_CHECKING:
    from starlette.responses import Response

MODES = ("practice", "try", "challenge", "review", "test")
"""The ways of asking, in the order in which a topic lists them."""

LOOKED_AT = 2_000
"""So many of the last answers say what a learner knows."""


# ---------------------------------------------------------------- the first page


def home(visit: Visit) -> Response:
    """The next thing to do, the topics by block, what is due."""
    site = visit.site
    names = [topic.name for topic in site.bank.topics]
    answered, due = _standing(site)
    shown = {topic.name: _row(topic, answered, due) for topic in site.bank.topics}
    blocks = [
        {"title": block.title, "name": block.name,
         "topics": [shown.pop(name) for name in block.topics if name in shown],
         "missing": [name for name in block.topics if name not in names]}
        for block in site.bank.about.blocks
    ]  # fmt: skip
    if shown:
        title = "More topics" if blocks else "Topics"
        blocks.append({"name": "", "title": title, "topics": list(shown.values()), "missing": []})
    nxt = _next(site, answered)
    return visit.page("home.html", "Topics", blocks=blocks, next=nxt, notice=site.notice, given=_given(visit))


def _given(visit: Visit) -> list[dict[str, object]]:
    """What the class was given to do, as it is for this learner, the next due first."""
    room = visit.site.classroom
    if room is None or visit.visitor.owner:
        return []
    found = room.all_given(visit.site.learner)
    begun = visit.site.begun([one.sitting for one in found]) if found else {}
    rows = [
        {"to": f"/task/{one.task.id}", "title": one.task.title, "until": one.until, "closed": one.closed,
         "begun": one.sitting in begun, "ended": begun.get(one.sitting, False)}
        for one in found
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row["ended"] or row["closed"], row["until"] or "9"))


def _standing(site: Site) -> tuple[set[str], Counter[str]]:
    """The items that were answered, and how many skills and cards of each topic are due."""
    answered = site.answered_items()
    due = Counter(unit.items[0].topic for unit in planning.due(site.units(), now()))
    return answered, due


def _row(topic: Topic, answered: set[str], due: Counter[str]) -> dict[str, object]:
    done = sum(item.id in answered for item in topic.asked)
    return {
        "name": topic.name, "title": topic.title, "done": done, "of": len(topic.asked), "due": due[topic.name],
        "minutes": topic.minutes, "tenths": round(10 * done / len(topic.asked)) if topic.asked else 0,
        "needs": [*topic.needs],
    }  # fmt: skip


def _next(site: Site, answered: set[str]) -> dict[str, object]:
    """The one thing to do next: go on with what was left, review what is due, begin, or practice."""
    titles = {topic.name: topic.title for topic in site.bank.topics}
    blocks = {block.name: block.title for block in site.bank.about.blocks}
    if left := site.last_left():
        sitting, number, of = left
        where = titles.get(sitting.topic) or blocks.get(sitting.topic, "all topics")
        mode = "where to begin" if sitting.mode == placement.MODE else sitting.mode
        return {"what": "left", "sitting": sitting.id, "mode": mode, "where": where, "number": number, "of": of}
    if due := site.due():
        return {"what": "review", "due": due}
    none: dict[str, tuple[bool, datetime]] = {}
    if site.known("placed", lambda store: placements(site.learner, store), none):
        return _next_of_placed(site)
    topics = [topic for topic in site.bank.topics if topic.asked]
    fresh = next((topic for topic in topics if not answered.intersection(item.id for item in topic.asked)), None)
    if not answered and fresh:
        return {
            "what": "begin",
            "topic": fresh.name,
            "where": fresh.title,
            "lesson": site.has_lesson(fresh.name, "learn"),
        }
    unfinished = next((topic for topic in topics if not answered.issuperset(item.id for item in topic.asked)), None)
    if unfinished:
        return {"what": "practice", "topic": unfinished.name, "where": unfinished.title}
    return {"what": "nothing"}


def _next_of_placed(site: Site) -> dict[str, object]:
    """The same for somebody who was told where to begin: nothing of what lies behind."""
    topics = [one for one in of_learner(site.bank, site.learner, site.records, now()) if one.items and not one.holds]
    if not topics:
        return {"what": "nothing"}
    first = topics[0]
    if first.begun:
        return {"what": "practice", "topic": first.topic, "where": first.title}
    lesson = site.has_lesson(first.topic, "learn")
    return {"what": "begin", "topic": first.topic, "where": first.title, "lesson": lesson}


# ---------------------------------------------------------------- a topic


def topic(visit: Visit, topic: str) -> Response:
    """A topic: its modes as cards with minutes and state, what is known by skill."""
    site = visit.site
    found = site.topic(topic)
    recent = site.recent(topic, planning.RECENT)
    counted = Counter(mode for item in found.items for mode in item.modes)
    units = site.units(topic)
    due = len(planning.due(units, now()))
    fronts = {mode: front_of(site.lessons_of(topic) / f"{mode}.md") for mode in lesson_files.MODES}
    answered = site.answered_items()
    reading = [
        {"mode": mode, "minutes": front.minutes, "asks": len({*front.items}),
         "done": len(answered.intersection(front.items))}
        for mode, front in fronts.items() if front
    ]  # fmt: skip
    if found.experiment and not any(one["mode"] == "experiment" for one in reading):
        reading.append({"mode": "experiment", "minutes": None, "asks": 0, "done": 0})
    asking = [mode for mode in MODES if counted[mode] or (mode == "review" and units)]
    state = {"due": due, "left": site.left_in(topic), "badge": site.has_badge(topic)}
    return visit.page(
        "topic.html", found.title, topic=found, reading=reading, asking=asking, counted=counted, state=state,
        skills=_skills(found, recent, units), lengths=lengths(found.items), notice=site.notice,
        look_back=planning.RECENT, objectives=[fragment(one) for one in found.objectives],
        variants=sum(len(item.variants) for item in found.asked),
    )  # fmt: skip


def lengths(items: tuple[Item, ...]) -> dict[str, int]:
    """How many questions each way of asking has."""
    counted = Counter(mode for item in items for mode in item.modes)
    most = {"practice": PRACTICE, "try": PRACTICE, "challenge": planning.CHALLENGE, "test": test_plan.QUESTIONS}
    return {mode: min(count, counted[mode]) for mode, count in most.items()}


@dataclass(frozen=True, slots=True)
class SkillRow:
    """What is known of a skill: of so many answers, so many right; when it is due, in words."""

    name: str
    right: int
    asked: int
    due: str


def _skills(found: Topic, recent: list[Attempt], units: list[planning.Unit]) -> list[SkillRow]:
    asked = Counter(attempt.skill for attempt in recent if attempt.points is not None and not _is_card(attempt))
    right = Counter(attempt.skill for attempt in recent if attempt.outcome == "correct" and not _is_card(attempt))
    when = {unit.items[0].skill: unit.due for unit in units if not unit.is_card}
    names = dict.fromkeys(item.skill for item in found.asked)
    return [
        SkillRow(found.skill(name).replace("-", " "), right[name], asked[name], in_words(when.get(name)))
        for name in names
    ]


def _is_card(attempt: Attempt) -> bool:
    return kinds.traits(attempt.kind).is_card


def in_words(due: datetime | None) -> str:
    """When something is due.

    >>> in_words(None)
    'not yet asked'
    """
    if due is None:
        return "not yet asked"
    hours = (due - now()).total_seconds() / 3600
    if hours <= 0:
        return "due now"
    if hours < 24:
        return "due today" if hours < 12 else "due tomorrow"
    days = round(hours / 24)
    return f"in {days} {'day' if days == 1 else 'days'}"


# ---------------------------------------------------------------- progress


def progress(visit: Visit) -> Response:
    """What holds, by skill and by misconception, what is due, and what to do next."""
    site = visit.site
    attempts = site.recent(None, LOOKED_AT)
    units = site.units()
    by_topic: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        by_topic.setdefault(attempt.topic, []).append(attempt)
    topics = [
        {"name": one.name, "title": one.title,
         "skills": [row for row in _skills(one, by_topic[one.name], [u for u in units if u.items[0].topic == one.name])
                    if row.asked]}
        for one in site.bank.topics if one.name in by_topic
    ]  # fmt: skip
    due = planning.due(units, now())
    coming = sorted(unit.due for unit in units if unit.due and unit.due > now())
    return visit.page(
        "progress.html", "Progress", here="progress", topics=topics, mistakes=_mistakes(site, attempts),
        due_now=len(due), coming=in_words(coming[0]) if coming else "", notice=site.notice, answers=len(attempts),
        most=LOOKED_AT,
    )  # fmt: skip


def _mistakes(site: Site, attempts: list[Attempt]) -> list[dict[str, object]]:
    """Misconceptions that answers showed, the most frequent first, and whether they were seen lately."""
    known, items = site.bank.mistakes, by_name(site.bank.items)
    seen: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        if attempt.mistake in known and attempt.item in items:
            seen.setdefault(str(attempt.mistake), []).append(attempt)
    rows = []
    for name, those in sorted(seen.items(), key=lambda one: -len(one[1]))[:12]:
        later = [one for one in attempts if one.at > those[0].at and one.item in {each.item for each in those}]
        rows.append({
            "says": fragment(known[name].says), "times": len(those), "last": those[0].at.date().isoformat(),
            "topic": items[those[0].item].topic, "item": those[0].item,
            "over": bool(later) and all(one.outcome == "correct" for one in later),
        })  # fmt: skip
    return rows
