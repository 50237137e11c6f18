"""Where a learner is: the greeting of `grader` alone, and `grader progress`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from grader.cli import going_on
from grader.cli.shared import (
    Banks,
    bank_option,
    db_option,
    json_option,
    learner_option,
    open_records,
    plain_option,
    print_json,
    whole_bank,
)
from grader.errors import InputError

if TYPE_CHECKING:
    from grader.learning.records import Records
    from grader.model import Bank

MOST = 5
"""Commands that are named to go on with."""


def hello(learner: str) -> None:
    """Say where the learner is, and name a command to go on."""
    from grader.faces.terminal.progress_page import ProgressPage
    from grader.faces.terminal.sitting_text import SittingText
    from grader.learning import progress
    from grader.learning.recorder import now
    from grader.render.terminal_text import screen

    bank, out = _bank(()), screen()
    with _records(None) as store:
        topics = progress.of_learner(bank, learner, store, now())
        steps = going_on.commands(bank, learner, store, (), most=1)
    ProgressPage(out).greet(topics, now())
    begun = any(one.answered for one in topics)
    placing = (going_on.command("place"), "at most ten questions that say where to begin")
    more = [going_on.progress()] if begun else [placing, (going_on.command("topics"), "what there is to learn")]
    SittingText(out).next_steps([*steps, *more, ("grader --help", "all commands")])


@click.command()
@click.argument("topic", required=False)
@bank_option
@db_option
@learner_option
@plain_option
@json_option
def progress(topic: str | None, bank: Banks, db: str | None, learner: str, plain: bool, as_json: bool) -> None:
    """What you know and what is due, by skill and by misconception."""
    from grader.cli.json_documents import FORMAT
    from grader.faces import progress_documents, progress_words
    from grader.faces.terminal.progress_page import ProgressPage
    from grader.faces.terminal.sitting_text import SittingText
    from grader.learning import next_steps
    from grader.learning import progress as learning
    from grader.learning.recorder import now
    from grader.render.terminal_text import screen

    whole = _bank(bank)
    names = whole.members(topic) if topic else tuple(one.name for one in whole.topics)
    if not names:
        raise InputError(f"there is no topic `{topic}`", "`grader topics` shows what there is")
    with _records(db) as store:
        found = [one for one in learning.of_learner(whole, learner, store, now()) if one.topic in names]
        steps = next_steps.next_steps(
            whole, learner, store, now(), at=topic or "", lessons=going_on.lessons(bank), most=MOST
        )
    lines = [(going_on.line(step), progress_words.next_step(step)) for step in steps]
    if as_json:
        data = {"learner": learner, "topics": progress_documents.progress(found)}
        named = zip(progress_documents.next_steps(steps), lines, strict=True)
        print_json({"format": FORMAT, **data, "next": [{**step, "command": line} for step, (line, _) in named]})
        return
    out = screen()
    ProgressPage(out, plain).progress(found, now())
    SittingText(out, plain).next_steps(lines)


def _bank(banks: Banks) -> Bank:
    """The whole bank. Raises InputError where there is nothing to ask."""
    if (found := whole_bank(banks)) is None:
        raise InputError("nothing of this bank can be asked", "`grader verify` says what is wrong with it")
    return found


@contextlib.contextmanager
def _records(db: str | None) -> Iterator[Records | None]:
    """The records, only to be read; None where nothing is on record yet."""
    from grader.learning import records

    if not records.exist(records.url_of(db)):
        yield None
        return
    with open_records(db, write=False) as store:
        yield store
