"""How a sheet begins: the questions of a topic, items by their ids, what is due, or what comes next."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from grader.errors import InputError, did_you_mean
from grader.faces import progress_documents, progress_words, words
from grader.faces.service.actions import action
from grader.faces.service.documents import Document
from grader.learning import former_ids, mixing, modes, planning
from grader.learning.next_steps import NextStep, Why, next_steps
from grader.learning.placement import MODE
from grader.learning.progress import of_learner, placed_out
from grader.learning.question import choose
from grader.learning.recorder import now
from grader.model import Item

if TYPE_CHECKING:
    from grader.faces.service.service import Service

ASKED = ("practice", "try", "challenge", "test")
"""The modes that a sheet can be opened in; `review` begins one by what is due."""

COUNT = 5
"""Questions of a review that nobody has asked for."""


@action
def open(  # noqa: A001  (the word of the message)
    service: Service, name: str = "", mode: str = "practice", count: int = 5, seed: int | None = None,
    fresh: bool = False, mix: int | None = None, in_order: bool = False, items: Sequence[str] = (),
    variant: int | None = None,
) -> Document:  # fmt: skip
    """Begin a sheet: the questions of a topic in a mode, the test of a block, `items` by their ids, or the one named.

    Items are asked in a `variant`, else in the one that `seed` draws. Practice of a topic asks what is due, new or
    weak, or goes on where it was left. Options are mixed: by `mix`, else by `seed`,
    else by chance; or they stand as written, `in_order`. A sheet of the same questions that was left with something
    in it goes on, as after a restart of the kernel, unless `fresh` begins anew.
    """
    bank = service.backing.bank
    mixed = mixing.seed_of(mix, seed, mixes=True, in_order=in_order)
    if mode not in ASKED:
        raise InputError(f"there is no mode `{mode}`", did_you_mean(mode, ASKED) or f"it is one of {', '.join(ASKED)}")
    if not name and not items:
        raise InputError("neither a name nor `items` is given", "give the name of a topic")
    named = [topic.name for topic in bank.topics]
    named += [block.name for block in bank.about.blocks if mode == "test"]
    if items or name not in named:
        asked = [service.backing.item(one) for one in items or [name]]
        topic, mode = asked[0].topic, "practice" if mode == "test" else mode
        drawn = [(item, _variant(item, variant, seed)) for item in asked]
    elif mode == "test":
        return service.state(_test(service, name, seed, mixed, fresh=fresh))
    else:
        topic = name
        if (
            mode == "practice"
            and not fresh
            and seed is None
            and mix is None
            and (left := _left_practice(service, name))
        ):
            return service.state(left)
        drawn = _drawn(service, name, mode, count, seed)
    if not fresh and mix is None and (left := _left(service, topic, mode, drawn, mixed=mixed is not None)):
        return service.state(left)
    begin = service.backing.sittings.begin
    return service.state(begin(service.learner, topic, mode, drawn, seed=seed, mix=mixed, face=service.face))


def _drawn(service: Service, topic: str, mode: str, count: int, seed: int | None) -> list[tuple[Item, int]]:
    """The questions of a topic in a mode, and their variants. Raises InputError where there are none."""
    bank = service.backing.bank
    if mode == "practice":
        drawn = planning.practice(bank, topic, service.learner, service.backing.records(), count, now(), seed)
    else:
        drawn = [(item, item.variant(seed).index) for item in choose(bank, topic, mode, count)]
    if not drawn:
        raise InputError(f"{topic} has no questions for the mode `{mode}`", "try the mode `practice`")
    return drawn


def _left_practice(service: Service, topic: str) -> str | None:
    """The practice of a topic that was left, in whichever face."""
    store = service.backing.records()
    return planning.left(service.backing.bank, topic, "practice", service.learner, store, now()) if store else None


def _variant(item: Item, variant: int | None, seed: int | None) -> int:
    """The number of the variant that is asked. Raises InputError where there is none of this number."""
    if variant is None:
        return item.variant(seed).index
    if type(variant) is not int or not 0 <= variant < len(item.variants):
        raise InputError(f"`{item.id}` has no variant {variant!r}", f"it has {len(item.variants)}, counted from 0")
    return variant


def _left(
    service: Service, topic: str, mode: str, drawn: Sequence[tuple[Item, int]], *, mixed: bool
) -> str | None:  # fmt: skip
    """The sheet of these questions that was left."""
    store = service.backing.records() if mode in modes.SAID_TWICE else None
    plan = tuple((item.id, variant) for item, variant in drawn)
    if store is None:
        return None
    return planning.left(service.backing.bank, topic, mode, service.learner, store, now(), plan, mixed=mixed)


def _test(service: Service, topic: str, seed: int | None, mix: int | None, *, fresh: bool) -> str:
    """A test, or the one that was left; what was answered of that is not asked again."""
    store = service.backing.records()
    if store is None:
        raise InputError(f"a test is kept on record, which does not work now: {service.backing.notice}")
    left = None if fresh else planning.left_test(service.backing.bank, topic, service.learner, store, now())
    if left:
        return left[0].id
    drawn_by = secrets.randbits(31) if seed is None else seed
    sitting = planning.plan_test(service.backing.bank, topic, service.learner, store, drawn_by, now(), mix)
    if not sitting.plan:
        raise InputError(f"{topic} has no questions for a test", "give some of its items the mode `test`")
    return service.backing.sittings.begin_planned(sitting, service.face)


@action
def place(service: Service, block: str = "", seed: int | None = None, fresh: bool = False) -> Document:
    """Begin a sheet that says where to begin, in a block or in all topics, or go on with the one that was left.

    Each of its questions is drawn by the answers before it, so its places grow. Raises InputError where there is no
    such block, or nothing is on record.
    """
    bank, store = service.backing.bank, service.backing.records()
    known = [one.name for one in bank.about.blocks]
    if block and block not in known:
        raise InputError(f"there is no block `{block}`", did_you_mean(block, known) or f"there are {', '.join(known)}")
    if store is None:
        raise InputError(f"where to begin is kept on record, which does not work now: {service.backing.notice}")
    if not fresh and (left := planning.left(bank, block, MODE, service.learner, store, now())):
        return service.state(left)
    drawn_by = secrets.randbits(31) if seed is None else seed
    begin = service.backing.sittings.begin_placement
    name = begin(service.learner, block, drawn_by, mix=drawn_by, face=service.face)
    if name is None:
        raise InputError("there are no questions that could place you", "a topic needs two that a test asks")
    return service.state(name)


@action
def review(service: Service, topic: str = "", count: int = 20, new: int = 5, ahead: bool = False) -> Document:
    """Begin a sheet of what is due, of a topic or of all; without places, and with a `text`, where that is nothing.

    Raises InputError where there is no such topic, or nothing is on record.
    """
    bank, store = service.backing.bank, service.backing.records()
    known = [one.name for one in bank.topics]
    if topic and topic not in known:
        raise InputError(f"there is no topic `{topic}`", did_you_mean(topic, known) or f"there are {', '.join(known)}")
    if store is None:
        raise InputError(f"what is due is on record, which does not work now: {service.backing.notice}")
    if type(count) is not int or type(new) is not int or count < 1 or new < 0:
        raise InputError("a review asks at least one question", "give a whole number as `count`, and as `new`")
    units = planning.units(bank, store, service.learner, now(), topic or None)
    seen = former_ids.seen(store, service.learner, [item for unit in units for item in unit.items])
    seed = secrets.randbits(31)
    behind = () if topic else placed_out(bank, service.learner, store)
    drawn = planning.plan_review(units, seen, now(), seed, count, new, ahead=ahead, behind=behind)
    if not drawn:
        next_due = min((unit.due for unit in units if unit.due), default=None)
        return {"places": [], "text": words.nothing_due(next_due)}
    begin = service.backing.sittings.begin
    return service.state(begin(service.learner, topic, "review", drawn, seed=seed, mix=seed, face=service.face))


@action
def progress(service: Service, topic: str = "") -> Document:
    """How far the learner is, with each topic of the bank, and what comes next, the best first.

    `topic` is the one that the learner comes from. A step of `next` is `learn`, `practice`, `test` or `review`.
    """
    bank, store = service.backing.bank, service.backing.records()
    topics = of_learner(bank, service.learner, store, now())
    steps = next_steps(bank, service.learner, store, now(), at=str(topic), lessons=service.backing.lessons())
    return {"topics": progress_documents.progress(topics), "next": progress_documents.next_steps(steps)}


@action
def begin(service: Service) -> Document:
    """The sheet that comes next, whatever that is, and how far the learner is: `why`, `topics`, and both as `text`.

    A newcomer is asked one question, the first of the first topic.
    """
    bank, store = service.backing.bank, service.backing.records()
    topics = of_learner(bank, service.learner, store, now())
    if any(one.answered for one in topics):
        steps = next_steps(bank, service.learner, store, now(), most=6)
        opened, why = next(
            (opened, progress_words.next_step(step)) for step in steps if (opened := _begun(service, step))
        )
    else:
        first = bank.topics[0].name
        opened, why = open(service, first, count=1, in_order=True), progress_words.FIRST
    shown = progress_documents.progress(topics)
    return opened | {"why": why, "topics": shown, "text": progress_words.standing(why, topics)}


def _begun(service: Service, step: NextStep) -> Document | None:
    """The sheet of a step; None where the step asks nothing now, as a lesson, or a test that nobody has asked for."""
    match step.do, step.why:
        case "practice", _:
            return open(service, step.topic)
        case "test", Why.LEFT:
            return open(service, step.topic, "test")
        case "review", Why.DUE:
            opened = review(service, count=COUNT, new=0)
            return opened if opened["places"] else None
        case _:
            return None
