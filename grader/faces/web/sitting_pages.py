"""Questions that are asked together: where a sitting begins, each of its questions, and how it went."""

from __future__ import annotations

import secrets
import textwrap
from typing import TYPE_CHECKING, Any

from grader.faces.service import documents
from grader.faces.web import lessons, question_view
from grader.faces.web.asking import Asked, act, looked_up
from grader.faces.web.classroom import Given, must_be_open
from grader.faces.web.home_pages import in_words, lengths
from grader.faces.web.safety import RefusedError
from grader.faces.web.visit import Visit
from grader.learning import modes, placement, planning, test_plan, verdict
from grader.learning.recorder import now
from grader.learning.sitting_view import OpenSitting, SittingQuestion
from grader.model import Block, Outcome
from grader.render.markdown import fragment, phrase_as_html

if TYPE_CHECKING:
    from starlette.responses import Response

WORDS = {"test": "Test", placement.MODE: "Where to begin"}
"""What is asked about several topics, in words."""

# ---------------------------------------------------------------- where one begins


def before(visit: Visit, topic: str, mode: str) -> Response:
    """What a way of asking is, and the button that begins it; or goes on where it was left."""
    found = visit.site.topic(topic)
    counted = sum(mode in item.modes for item in found.items)
    due = len(planning.due(visit.site.units(topic), now())) if mode == "review" else 0
    return visit.page(
        "before.html", f"{mode.capitalize()}: {found.title}", topic=found, mode=mode,
        count=lengths(found.items).get(mode, 0), due=due, left=visit.site.left(topic, mode),
        there=bool(counted) or mode == "review", tries=modes.TRIES,
    )  # fmt: skip


def begin(visit: Visit, topic: str, mode: str) -> Response:
    """Begin a sitting of a topic, and go to it."""
    visit.site.topic(topic)
    return _begun(visit, topic, mode)


def before_block(visit: Visit, block: str, mode: str) -> Response:
    """What a test of a block, or questions on where to begin in it, are, and the button that begins them."""
    return _before_several(visit, visit.site.block(block), mode)


def begin_block(visit: Visit, block: str, mode: str) -> Response:
    """Begin a test of a block, or questions on where to begin in it, and go to it."""
    return _begun(visit, visit.site.block(block).name, mode)


def before_placement(visit: Visit) -> Response:
    """What questions on where to begin are, and the button that begins them, over all topics."""
    return _before_several(visit, None, placement.MODE)


def begin_placement(visit: Visit) -> Response:
    """Begin questions on where to begin, over all topics."""
    return _begun(visit, "", placement.MODE)


def _before_several(visit: Visit, block: Block | None, mode: str) -> Response:
    names = visit.site.bank.members(block.name) if block else tuple(one.name for one in visit.site.bank.topics)
    return visit.page(
        "before_block.html", f"{WORDS[mode]}: {block.title if block else 'all topics'}", block=block, mode=mode,
        word=WORDS[mode], titles=[one.title for one in visit.site.bank.topics if one.name in names],
        count=test_plan.OF_A_BLOCK if mode == "test" else placement.QUESTIONS,
        left=visit.site.left(block.name if block else "", mode),
    )  # fmt: skip


def review_all(visit: Visit) -> Response:
    """What is due of all topics."""
    units = visit.site.units()
    coming = sorted(unit.due for unit in units if unit.due and unit.due > now())
    return visit.page(
        "review.html", "Review", here="review", due_now=len(planning.due(units, now())),
        fresh=sum(unit.due is None for unit in units), coming=in_words(coming[0]) if coming else "",
    )  # fmt: skip


def begin_review(visit: Visit) -> Response:
    """Begin a review of all topics."""
    return _begun(visit, "", "review")


def _begun(visit: Visit, topic: str, mode: str) -> Response:
    name = visit.site.begin(topic, mode)
    if name is None:
        raise RefusedError(404, "There is nothing to ask here now.", "Another mode may have questions.")
    return visit.to(f"/s/{name}/1")


# ---------------------------------------------------------------- one question


def question(visit: Visit, sitting: str, number: int) -> Response:
    """A question of a sitting, or what came of it: the same for a reload, for the back button, in a second tab."""
    site = visit.site
    asked = Asked(site.sittings, sitting, number - 1, site.learner)
    with looked_up():
        entry = site.sittings.ask(sitting, asked.place, site.learner)
        sheet = site.sittings.around(entry)
    shown = question_view.view(site, sheet, entry)
    said, given = visit.query.get("said", ""), _given(visit, sitting)
    after = next((one.place + 1 for one in sheet.asked if one.place > entry.place and not one.final), None)
    after = after or next((one.place + 1 for one in sheet.asked if not one.final), None)
    return visit.page(
        "question.html", _title(sheet, entry, shown), here="review" if sheet.mode == "review" else "topics", q=shown,
        sheet=sheet, number=number, dots=_dots(sheet), action=f"/s/{sitting}/{number}", token=secrets.token_urlsafe(12),
        said=said, after=after, link=_link(shown), read=_read(shown), s=sitting, given=given,
        name=given.task.title if given else _name(visit, sheet),
        up=f"/task/{given.task.id}" if given else _up(visit, sheet),
        of=f"at most {sheet.most}" if sheet.most else len(sheet.asked),
        mode=WORDS.get(sheet.mode, sheet.mode.capitalize()),
    )  # fmt: skip


def answer(visit: Visit, sitting: str, number: int) -> Response:
    """Do what the form of a question asks for, then show what came of it by GET."""
    site = visit.site
    if visit.field("do", "check") not in ("solution", "keep"):
        must_be_open(_given(visit, sitting))
    said, before = act(visit, Asked(site.sittings, sitting, number - 1, site.learner))
    here = f"/s/{sitting}/{number}"
    if site.sittings.around(before).exam and not said:
        with looked_up():
            sheet = site.sittings.view(sitting, site.learner)
        if sheet.asked[number - 1].final:
            following = next((one.place + 1 for one in sheet.asked if not one.final), None)
            return visit.to(f"/s/{sitting}/{following}") if following else visit.to(f"/s/{sitting}")
    if said in ("again", "reset"):
        return visit.to(here)
    return visit.to(here, "hint" if said == "hint" else "told", said=said if said in ("elsewhere", "no-hint") else "")


def _given(visit: Visit, sitting: str) -> Given | None:
    """The task of the class that a sitting is for; None where it is for none."""
    room = visit.site.classroom
    return room.given_by(sitting, visit.site.learner) if room else None


def _title(sheet: OpenSitting, entry: SittingQuestion, shown: dict[str, object]) -> str:
    """The title of the page: a reader hears the verdict first."""
    told = shown["told"]
    place = f"uestion {entry.place + 1} of {len(sheet.asked)}"
    return f"{told['word'].rstrip('.:')}: q{place}" if isinstance(told, dict) else f"Q{place}"


def _name(visit: Visit, sheet: OpenSitting) -> str:
    titles = {block.name: block.title for block in visit.site.bank.about.blocks}
    titles |= {topic.name: topic.title for topic in visit.site.bank.topics}
    return titles.get(sheet.topic, "")


def _up(visit: Visit, sheet: OpenSitting) -> str:
    """The address of what a sitting belongs to."""
    if any(topic.name == sheet.topic for topic in visit.site.bank.topics):
        return f"/t/{sheet.topic}"
    return "/review" if sheet.mode == "review" else "/"


def _once_more(visit: Visit, sheet: OpenSitting) -> str:
    """The address of the page that begins such a sitting."""
    if sheet.mode == placement.MODE and not sheet.topic:
        return "/place"
    up = _up(visit, sheet)
    return f"/b/{sheet.topic}/{sheet.mode}" if up == "/" else f"{up}/{sheet.mode}" if sheet.topic else up


def _dots(sheet: OpenSitting) -> list[dict[str, object]]:
    hidden = sheet.exam and not sheet.over
    return [
        {"number": one.place + 1, **question_view.label(one.result, final=one.final, hidden=hidden)}
        for one in sheet.asked
    ]


def _link(shown: dict[str, object]) -> str:
    return f"/q/{shown['item']}?v={shown['variant']}&d={shown['digest']}"


def _read(shown: dict[str, object]) -> list[str]:
    """Where to read on, as addresses of pages."""
    told = shown["told"]
    explanation = told["explanation"] if isinstance(told, dict) else None
    see = explanation["see"] if explanation else ()
    return [to for path in see if (to := lessons.address(path))]


# ---------------------------------------------------------------- how it went


def summary(visit: Visit, sitting: str) -> Response:
    """How a sitting went; of a test the verdict. Where it is not over, the question to go on with."""
    site = visit.site
    with looked_up():
        sheet = site.sittings.view(sitting, site.learner)
        if not sheet.over:
            following = next(one.place + 1 for one in sheet.asked if not one.final)
            return visit.to(f"/s/{sitting}/{following}")
        if not sheet.exam:
            entries = list(sheet.asked)
        else:
            entries = [site.sittings.show(sitting, one.place) for one in sheet.asked]
    results = [entry.result for entry in entries if entry.result]
    right = sum(result.score.outcome is Outcome.CORRECT for result in results)
    judged = any(result.score.points is not None for result in results)
    said = verdict.judge(results, site.bank.mistakes) if sheet.mode == "test" and judged else None
    given = _given(visit, sitting)
    common: dict[str, Any] = {
        "sheet": sheet, "right": right, "of": len(sheet.asked), "s": sitting,
        "name": given.task.title if given else _name(visit, sheet),
        "up": f"/task/{given.task.id}" if given else _up(visit, sheet),
        "more": "" if given else _once_more(visit, sheet), "rows": [_row(visit, entry) for entry in entries],
        "badge": sheet.mode == "challenge" and right == len(sheet.asked),
    }  # fmt: skip
    if sheet.placed:
        placed = documents.placed(sheet.placed)
        lesson = placed["begin"] and site.has_lesson(placed["begin"], "learn")
        return visit.page("placed.html", "Where to begin", placed=placed, lesson=lesson, **common)
    if said is None:
        return visit.page("summary.html", f"{right} of {len(sheet.asked)} right", **common)
    mistakes = [
        {"says": fragment(site.bank.mistakes[name].says), "times": times}
        for name, times in said.mistakes if name in site.bank.mistakes
    ]  # fmt: skip
    read = [
        {"to": to, "mode": to.rpartition("/")[2].partition("#")[0]}
        for path in said.read
        if (to := lessons.address(path))
    ]
    weakest = said.weakest.replace("-", " ") if said.weakest else ""
    worst = min(said.topics, key=lambda one: one.chance).name if said.topics else sheet.topic
    return visit.page(
        "verdict.html", f"{said.word.capitalize()}: test", v=said, enough=verdict.ENOUGH, mistakes=mistakes, read=read,
        weakest=weakest, practice=worst, **common,
    )  # fmt: skip


def _row(visit: Visit, entry: SittingQuestion) -> dict[str, object]:
    """A question in the list of all of them."""
    result, prompt = entry.result, entry.question.prompt()
    mistake = visit.site.bank.mistakes.get(result.score.mistake or "") if result else None
    return {
        "number": entry.place + 1, "stem": phrase_as_html(_short(prompt.stem)),
        "skill": prompt.skill.replace("-", " "), "says": fragment(mistake.says) if mistake else "",
        **question_view.label(result, final=entry.final, hidden=False),
    }  # fmt: skip


def _short(stem: str) -> str:
    """The beginning of a stem; code that is cut stays code.

    >>> _short("word " * 22 + "`code that is too long to stand there`")[-23:]
    'word word `code ...`'
    """
    short = textwrap.shorten(stem, 120, placeholder=" ...")
    return f"{short}`" if short.count("`") % 2 else short
