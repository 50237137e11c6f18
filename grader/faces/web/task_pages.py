"""What a class is given to do: questions with a date and a link, as its learners see it and as its owner does."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from grader.faces.web.class_pages import names_of
from grader.faces.web.classroom import Given, in_utc, must_be_open, sitting_of
from grader.faces.web.home_pages import lengths
from grader.faces.web.safety import RefusedError
from grader.faces.web.site import FACE, PRACTICE
from grader.faces.web.visit import Visit
from grader.learning import planning
from grader.learning.item_statistics import FULL
from grader.learning.question import choose
from grader.learning.recorder import now
from grader.learning.records import new_id
from grader.model import Attempt, Sitting, Task

if TYPE_CHECKING:
    from starlette.responses import Response

MODES = ("practice", "challenge", "test")
MOST_ITEMS, LONGEST_TITLE = 50, 120


# ---------------------------------------------------------------- for a learner


def task(visit: Visit, task: str) -> Response:
    """What is asked, until when, and the button that begins it; or goes on, or shows how it went."""
    found = visit.room.task(task)
    given = visit.room.given(found, visit.site.learner)
    begun = visit.site.begun([given.sitting])
    return visit.page(
        "task.html", found.title, task=found, given=given, begun=given.sitting in begun,
        ended=begun.get(given.sitting, False), count=_count(visit, found), topic=_topic_title(visit, found),
    )  # fmt: skip


def begin(visit: Visit, task: str) -> Response:
    """Begin the one sitting of this task, or go on with it."""
    found = visit.room.task(task)
    given = visit.room.given(found, visit.site.learner)
    if given.sitting not in visit.site.begun([given.sitting]):
        must_be_open(given)
        _begun(visit, given)
    return visit.to(f"/s/{given.sitting}")


def _begun(visit: Visit, given: Given) -> None:
    """Put the sitting on record, with numbers and an order of its own for each learner."""
    site, wanted = visit.site, given.task
    seed = zlib.crc32(given.sitting.encode())
    topic = wanted.topic
    if wanted.items:
        items = [site.item(name) for name in wanted.items]
        plan = tuple((item.id, item.variant(seed).index) for item in items)
        topics = {item.topic for item in items}
        topic = topics.pop() if len(topics) == 1 else ""
    elif wanted.mode == "test":
        if (store := site.records) is None:
            raise RefusedError(409, "A test is kept on record, and that does not work.", site.notice)
        plan = planning.plan_test(site.bank, topic, site.learner, store, seed, now(), seed).plan
    else:
        drawn = choose(site.bank, topic, wanted.mode, PRACTICE)
        plan = tuple((item.id, item.variant(seed).index) for item in drawn)
    if not plan:
        raise RefusedError(404, "There is nothing to ask here now.", "Whoever runs the class can say why.")
    member = visit.room.member(site.learner)
    sitting = Sitting(given.sitting, site.learner, topic, wanted.mode, now(), plan, seed, seed)
    site.sittings.begin_planned(sitting, FACE, member.clock if member else 1.0)


def _count(visit: Visit, task: Task) -> int:
    return len(task.items) or lengths(visit.site.topic(task.topic).items)[task.mode]


def _topic_title(visit: Visit, task: Task) -> str:
    return "" if task.items else visit.site.topic(task.topic).title


# ---------------------------------------------------------------- for the owner


def new(visit: Visit) -> Response:
    """The tasks that there are, and the form for another."""
    _ = visit.room
    topics = [(topic.name, topic.title) for topic in visit.site.bank.topics]
    tasks = [{"task": one, "due": in_utc(one.due)} for one in visit.room.tasks()]
    return visit.page("tasks.html", "Tasks", here="class", topics=topics, tasks=tasks, modes=MODES)


def add(visit: Visit) -> Response:
    """Give the class a task."""
    title, mode, topic = " ".join(visit.field("title").split()), visit.field("mode"), visit.field("topic")
    items = tuple(dict.fromkeys(visit.field("items").replace(",", " ").split()))
    if not title or len(title) > LONGEST_TITLE:
        raise RefusedError(400, f"A title has 1 to {LONGEST_TITLE} characters.", "Go back, and type one.")
    if mode not in MODES:
        raise RefusedError(400, "That form is not whole.", "Reload the page, and send it again.")
    if bool(items) == bool(topic):
        raise RefusedError(400, "Give either questions by their ids, or a topic.", "Go back, and choose one of them.")
    if len(items) > MOST_ITEMS:
        raise RefusedError(400, f"A task has at most {MOST_ITEMS} questions.", "Make two of it.")
    for name in items:
        visit.site.item(name)
    if topic:
        visit.site.topic(topic)
    made = Task(new_id(), visit.room.about.name, title, mode, topic, items, now(), _date(visit.field("due")))
    visit.room.records.add_task(made)
    visit.room.changed()
    return visit.to(f"/tasks/{made.id}")


def of_all(visit: Visit, given: str) -> Response:
    """A task with its link, and how far each learner is."""
    found = visit.room.task(given)
    members = visit.room.records.members()
    own = visit.room.records.extensions()
    sittings = {sitting_of(found, member.learner): member.learner for member in members}
    answers: dict[str, list[Attempt]] = {}
    for attempt in visit.room.records.answers_in(sittings):
        answers.setdefault(attempt.learner, []).append(attempt)
    begun = visit.site.begun(list(sittings))
    names = names_of(members)
    rows = [
        {"learner": member.learner, "name": names[member.learner], "begun": sitting in begun,
         "ended": begun.get(sitting, False), "own": in_utc(own.get((found.id, member.learner))),
         **_done(answers.get(member.learner, ()))}
        for sitting, member in zip(sittings, members, strict=True)
    ]  # fmt: skip
    return visit.page(
        "class_task.html", found.title, here="class", task=found, link=f"{visit.base}/task/{found.id}", rows=rows,
        due=in_utc(found.due), local=f"{found.due:%Y-%m-%dT%H:%M}" if found.due else "", count=_count(visit, found),
        topic=_topic_title(visit, found),
    )  # fmt: skip


def _done(answers: Sequence[Attempt]) -> dict[str, Any]:
    """Of a learner's answers in a task: how many questions, points, and right at the first try."""
    last = {answer.place: answer for answer in answers}
    points = sum(answer.points or 0.0 for answer in last.values())
    first = Counter(answer.tries == 0 and (answer.points or 0.0) >= FULL for answer in answers)[True]
    return {"answered": len(last), "points": f"{points:.3g}", "first": first}


def change(visit: Visit, given: str) -> Response:
    """Move the date for all, or give one learner another."""
    found = visit.room.task(given)
    due = _date(visit.field("due"))
    if visit.field("do") == "extend":
        if due is None:
            raise RefusedError(400, "A date for one learner is missing.", "Go back, and choose one.")
        visit.room.extend(found, visit.room.must_be_member(visit.field("learner")).learner, due)
    else:
        visit.room.records.set_due(found.id, due)
        visit.room.changed()
    return visit.to(f"/tasks/{found.id}")


def _date(text: str) -> datetime | None:
    """A date as browsers send it, in UTC; None where none is given. Raises RefusedError."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None or not 2000 <= found.year < 3000:
        raise RefusedError(400, "That date cannot be read.", "Write it as 2030-01-31T23:59, in UTC.")
    return found.replace(tzinfo=UTC)
