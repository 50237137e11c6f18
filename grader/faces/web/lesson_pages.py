"""Lessons with their questions inside, and a topic's experiment as a form with its result."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from grader.errors import InputError
from grader.faces.service import experiment_documents
from grader.faces.service.html_documents import figure
from grader.faces.web import lessons, question_view
from grader.faces.web.asking import Asked, act, looked_up
from grader.faces.web.lessons import Held, PracticeHere, QuestionHere
from grader.faces.web.safety import RefusedError
from grader.faces.web.visit import Visit
from grader.judging import experiments, knobs
from grader.model import Experiment, by_name
from grader.render.html_fragments import code, numbered
from grader.render.markdown import fragment
from grader.template import literal

if TYPE_CHECKING:
    from starlette.responses import Response

MOST_ON_A_PAGE = 20
"""Sittings of single questions that the address of a lesson names."""

MOST_OF_OTHERS = 33 * MOST_ON_A_PAGE
"""Characters of the field of a form that names them."""


def lesson(visit: Visit, topic: str, mode: str) -> Response:
    """A lesson; what was answered in it so far is named by its address, and shown where it was asked."""
    found = visit.site.topic(topic)
    page = lessons.page_of(visit.site.lessons_of(topic), topic, mode)
    tried = _experiment(visit, found.experiment) if mode == "experiment" and found.experiment else None
    if page is None and tried is None:
        raise RefusedError(404, f"{found.title} has no such page.", "The topic's page lists those that there are.")
    answered = _answered(visit) if page else {}
    parts: list[str | dict[str, Any]] = []
    for place, part in enumerate(page.parts if page else ()):
        parts.append(part if isinstance(part, str) else _drawn(visit, part, f"q{place}", answered))
    for number, question in enumerate((part for part in parts if isinstance(part, dict) and "q" in part), 1):
        question["number"] = number
    earlier, later = lessons.neighbors(visit.site.lessons_of(topic), mode)
    return visit.page(
        "lesson.html", page.title if page else tried["title"] if tried else found.title, topic=found, mode=mode,
        parts=parts, minutes=page.minutes if page else None, earlier=earlier, later=later, tried=tried,
        sittings=[name for name, _ in answered.values()], action=f"/t/{topic}/{mode}",
    )  # fmt: skip


def _answered(visit: Visit) -> dict[str, tuple[str, Any]]:
    """The sittings that the address names, by the item that each of them asks."""
    site = visit.site
    found = {}
    for name in visit.query.getlist("s")[:MOST_ON_A_PAGE]:
        try:
            entry = site.sittings.show(name, 0, site.learner)
        except InputError:
            continue
        found[entry.question.item.id] = (name, entry)
    return found


def _drawn(
    visit: Visit, part: QuestionHere | PracticeHere | Held, anchor: str, answered: Mapping[str, tuple[str, Any]]
) -> dict[str, Any]:
    """What stands in a lesson beside its text, for the template."""
    if isinstance(part, QuestionHere):
        return _asked(visit, part, anchor, answered)
    if isinstance(part, PracticeHere):
        known = any(topic.name == part.topic for topic in visit.site.bank.topics)
        return {"practice": part.topic, "mode": part.mode} if known else {"missing": part.topic}
    seen = [answered[item][1] for item in part.items if item in answered]
    return {
        "held": part.output,
        "cell": part.cell,
        "open": len(seen) == len(part.items) and all(one.result for one in seen),
    }


def _asked(visit: Visit, asks: QuestionHere, anchor: str, answered: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    """A question as it stands in a lesson."""
    site = visit.site
    items = by_name(site.bank.items)
    if asks.item not in items or items[asks.item].retired:
        return {"missing": asks.item}
    item = items[asks.item]
    if asks.item in answered:
        name, entry = answered[asks.item]
        sheet = site.sittings.around(entry)
    else:
        name, sheet = "", site.sittings.alone(item, item.variants[min(asks.variant, len(item.variants) - 1)])
        (entry,) = sheet.asked
    shown = question_view.view(site, sheet, entry)
    return {"q": shown, "anchor": anchor, "s": name, "token": secrets.token_urlsafe(12)}


def answer(visit: Visit, topic: str, mode: str) -> Response:
    """Answer a question of a lesson, on record, and come back to where it stands."""
    site = visit.site
    item = site.item(visit.field("item"))
    variant, anchor = visit.field("v", "0"), visit.field("anchor")
    if not variant.isdigit() or int(variant[:9]) >= len(item.variants) or not anchor.isalnum() or len(anchor) > 9:
        raise RefusedError(400, "Part of that form is missing.", "Reload the page, and answer it again.")
    name, token = visit.field("s"), visit.field("token")
    if not name:
        name = site.begin_one(site.sittings, site.learner, item, int(variant), token)
    with looked_up():
        site.sittings.ask(name, 0)
    act(visit, Asked(site.sittings, name, 0, site.learner))
    others = [one for one in visit.field("others")[:MOST_OF_OTHERS].split() if one != name]
    return visit.to(f"/t/{topic}/{mode}", anchor, s=[*others, name][-MOST_ON_A_PAGE:])


# ---------------------------------------------------------------- an experiment


def _experiment(visit: Visit, experiment: Experiment) -> dict[str, Any]:
    """The knobs where the address puts them, and what a run with them shows."""
    settings: dict[str, object] = {}
    for knob in experiment.knobs:
        if (given := visit.query.get(knob.name)) is not None:
            known = literal(given[:100])
            settings[knob.name] = known.value if known else given
    try:
        values, shown = visit.site.tried(experiment, settings)
    except InputError as error:
        raise RefusedError(400, f"{error.message}.", error.hint) from None
    return {
        **experiment_documents.offer(experiment),
        "there": knobs.there(experiment, values),
        "now": {name: str(value) for name, value in values},
        "said": [fragment(text) for text in shown.said],
        "figures": [figure(one, visit.site.around.draw) for one in shown.figures],
        "trouble": shown.trouble,
        "program": numbered(code(experiments.source(experiment, values))),
    }
