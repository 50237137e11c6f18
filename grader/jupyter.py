"""Questions in a notebook, as plain text: `quiz("warmup")` shows them, `answer("third-epoch-rate", 0.06)` judges one.

Works in Jupyter, in a console and where no JavaScript runs. No key is in what is shown before an answer.
"""

from __future__ import annotations

import atexit
import secrets
import sys
from functools import cache
from typing import TYPE_CHECKING

from grader import bank as banks
from grader.errors import InputError, did_you_mean
from grader.marking import Marker
from grader.session import Question, choose
from grader.ui import drawing
from grader.ui.terminal import Terminal
from grader.verify import Proving

if TYPE_CHECKING:
    from grader.model import Bank, Item
    from grader.run.remembered import RememberingRunner


@cache
def _bank() -> Bank:
    found = banks.read(banks.files([banks.home()]))
    if found.findings:
        raise InputError(str(found.findings[0]), found.findings[0].hint)
    return found


@cache
def _runner() -> RememberingRunner:
    from grader.run.local import LocalRunner
    from grader.run.remembered import RememberingRunner, Store

    runner = RememberingRunner(Store(), LocalRunner)
    atexit.register(runner.close)
    return runner


@cache
def _question(name: str, seed: int | None) -> Question:
    item = _item(name)
    variant = item.variant(seed)
    marker = Marker(_runner().inner, secrets.randbits(64))
    return Question(item, variant, Proving.begin(item, variant, _runner()), marker)


def _item(name: str) -> Item:
    items = {item.id: item for item in _bank().items}
    if name not in items:
        raise InputError(f"there is no item `{name}`", did_you_mean(name, items))
    return items[name]


def _terminal() -> Terminal:
    return Terminal(drawing.screen(sys.stdout), lambda: None)


def quiz(name: str, *, mode: str = "practice", count: int = 5, seed: int | None = None) -> None:
    """Show the questions of a topic, or the one of this id, and how each is answered.

    Raises InputError where there is no such topic or item.
    """
    topics = [topic.name for topic in _bank().topics]
    items = choose(_bank(), name, mode, count) if name in topics else [_item(name)]
    for number, item in enumerate(items, 1):
        question = _question(item.id, seed)
        _terminal().show(question.prompt(), f"Question {number} of {len(items)}")
        seeded = "" if seed is None else f", seed={seed}"
        print(f'\nAnswer in a cell: answer("{item.id}", ...{seeded})')


def answer(name: str, value: object, *, seed: int | None = None) -> None:
    """Judge an answer, and explain it: a letter, a number, a list of numbers, a text, or code as a text."""
    question = _question(name, seed)
    raw = " ".join(map(repr, value)) if isinstance(value, list | tuple) else str(value)
    result = question.answer(raw, _bank().mistakes)
    _terminal().tell(question, result, _bank().mistakes)
