"""What may be done with a question by a form, whichever page the question stands on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from grader.errors import InputError
from grader.faces.web import fields
from grader.faces.web.safety import RefusedError
from grader.faces.web.visit import Visit
from grader.learning.question import NotProvenError
from grader.learning.recorder import ON_RECORD
from grader.learning.sitting import Sittings
from grader.learning.sitting_view import SittingQuestion
from grader.model import CodeInput


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a sitting that a form is about, and whose it is."""

    sittings: Sittings
    sitting: str
    place: int
    who: str
    queue: str = ""
    """In whose line its code waits, where that is not `who`."""

    def shown(self) -> SittingQuestion:
        """Raises RefusedError where there is no such question, or it is somebody else's."""
        with looked_up():
            return self.sittings.show(self.sitting, self.place, self.who)


@contextlib.contextmanager
def looked_up() -> Iterator[None]:
    """What sittings refuse, as a page says it: a sitting that is not there and one of somebody else look the same."""
    try:
        yield
    except InputError as error:
        changed = "changed" in error.message
        message = "These questions have changed since they were asked." if changed else "There is no such question."
        hint = "Begin again: what you answered is on record." if changed else "It may have been closed, or deleted."
        raise RefusedError(404, message, hint) from None


def act(visit: Visit, asked: Asked) -> tuple[str, SittingQuestion]:
    """Do what a form asks for; a word for what is said after it, or the empty string, and the question before it."""
    do = visit.field("do", "check")
    actions = {
        "check": _check, "hint": _hint, "solution": _solution, "turn": _turn, "again": _again, "new": _again,
        "follow": _follow, "reset": _reset, "keep": _keep,
    }  # fmt: skip
    if do not in actions:
        raise RefusedError(400, "That cannot be done with a question.")
    entry = asked.shown()
    try:
        return actions[do](visit, asked, entry), entry
    except InputError as error:
        raise RefusedError(409, f"{error.message[:1].upper()}{error.message[1:]}.", error.hint) from None


def _check(visit: Visit, asked: Asked, entry: SittingQuestion) -> str:
    """Judge an answer. It says how often the question had been tried, and has a token of its own."""
    tries, token = visit.field("tries"), visit.field("token")
    if not tries.isascii() or not tries.isdigit() or len(tries) > 6 or not 0 < len(token) <= 64:
        raise RefusedError(400, "Part of that form is missing.", "Reload the question, and answer it again.")
    prompt = entry.question.prompt()
    raw = fields.answer(prompt, visit.form)
    try:
        with visit.site.being_run(asked.queue or asked.who, entry.question.item):
            after = asked.sittings.answer(asked.sitting, asked.place, raw, tries=int(tries), token=token, seen=entry)
    except RefusedError:
        _kept(visit, asked, entry)
        raise
    if after.result is not None and not after.elsewhere:
        if after.result.score.outcome in ON_RECORD:
            visit.site.answered(entry.question.item)
        else:
            _kept(visit, asked, entry)
    return "elsewhere" if after.elsewhere else ""


def _kept(visit: Visit, asked: Asked, entry: SittingQuestion) -> None:
    """Keep what was typed so far: no button of a form costs it."""
    try:
        typed = fields.draft(entry.question.prompt(), visit.form)
    except NotProvenError:
        return
    if typed and not entry.final:
        asked.sittings.draft(asked.sitting, asked.place, typed)


def _hint(visit: Visit, asked: Asked, entry: SittingQuestion) -> str:
    _kept(visit, asked, entry)
    try:
        asked.sittings.hint(asked.sitting, asked.place)
    except NotProvenError:
        return "no-hint"
    return "hint"


def _keep(visit: Visit, asked: Asked, entry: SittingQuestion) -> str:
    _kept(visit, asked, entry)
    return ""


def _reset(visit: Visit, asked: Asked, entry: SittingQuestion) -> str:
    """Start again with the code that was there at first."""
    starters = [one.starter for one in entry.question.prompt().inputs if isinstance(one, CodeInput)]
    if len(starters) == 1:
        asked.sittings.draft(asked.sitting, asked.place, starters[0].strip("\n"))
    return "reset"


def _solution(visit: Visit, asked: Asked, entry: SittingQuestion) -> str:
    asked.sittings.solution(asked.sitting, asked.place)
    visit.site.answered(entry.question.item)
    return ""


def _turn(visit: Visit, asked: Asked, entry: SittingQuestion) -> str:
    asked.sittings.turn(asked.sitting, asked.place)
    return ""


def _again(visit: Visit, asked: Asked, entry: SittingQuestion) -> str:
    """Ask it once more; with the next numbers, where it has others."""
    item = entry.question.item
    new = visit.field("do") == "new" and len(item.variants) > 1
    variant = (entry.question.variant.index + 1) % len(item.variants) if new else None
    asked.sittings.again(asked.sitting, asked.place, variant)
    return "again"


def _follow(visit: Visit, asked: Asked, entry: SittingQuestion) -> str:
    asked.sittings.follow(asked.sitting, asked.place, visit.field("follow")[:200])
    return ""
