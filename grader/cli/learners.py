"""The commands of learners: what there is, questions, one graded answer."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.shared import (
    bank_option,
    db_option,
    find_item,
    good_bank,
    good_lessons,
    json_option,
    learner_option,
    make_marker,
    must_be_contained,
    open_records,
    plain_option,
    print_json,
    proof_runner,
    read_text,
    seed_option,
    strict_option,
)
from grader.cli.sittings import quiz
from grader.errors import InputError

if TYPE_CHECKING:
    from grader.model import Bank, Progress


@click.command()
@bank_option
@db_option
@learner_option
@json_option
def topics(bank: Path | None, db: str | None, learner: str, as_json: bool) -> None:
    """What there is to learn, how far you are, and what is due."""
    from grader.run.remembered import Store
    from grader.ui.documents import topics_document

    with contextlib.closing(Store()) as memory:
        whole = good_bank(bank, memory)
    document = topics_document(whole, _progress(whole, db, learner))
    if as_json:
        print_json(document)
        return
    for topic in document["topics"]:
        levels = ", ".join(f"{count} {level}" for level, count in topic["levels"].items())
        modes = ", ".join(f"{mode} {count}" for mode, count in topic["modes"].items())
        print(f"{topic['topic']}: {topic['title']}")
        print(f"  {topic['items']} questions ({levels}) in {topic['variants']} variants; by mode: {modes}")
        if (done := topic["progress"]) and done["answered"]:
            recent = f", {done['recent']:.0%} of the last points" if done["recent"] is not None else ""
            badge = ", challenge badge" if done["badge"] else ""
            print(f"  answered {done['answered']}{recent}{badge}; due now: {done['due']}")
        print(f"  grader quiz {topic['topic']}" + (f"   grader review {topic['topic']}" if topic["progress"] else ""))


def _progress(bank: Bank, db: str | None, learner: str) -> dict[str, Progress]:
    """The progress in each topic; none where nothing is on record."""
    from grader import records, sittings
    from grader.recording import now

    if not records.exist(records.url_of(db)):
        return {}

    with open_records(db, write=False) as store:
        return {topic.name: sittings.progress(bank, topic.name, learner, store, now()) for topic in bank.topics}


@click.command()
@click.argument("topic")
@click.option("--mode", default="learn", show_default=True, help="Which page of the topic.")
@bank_option
@click.option("--pager/--no-pager", default=True, show_default=True, help="A page at a time, at a terminal.")
@plain_option
@click.pass_context
def learn(context: click.Context, topic: str, mode: str, bank: Path | None, pager: bool, plain: bool) -> None:
    """Read a lesson, then practice."""
    from grader import bank as banks
    from grader import lesson as lessons
    from grader.ui.drawing import screen
    from grader.ui.reading import show_lesson

    (lesson,) = good_lessons([lessons.find(banks.home(bank), topic, mode)])
    out, at_terminal = screen(), sys.stdout.isatty() and sys.stdin.isatty()
    if pager and at_terminal:
        with out.pager(styles=True):
            show_lesson(out, lesson, plain)
    else:
        show_lesson(out, lesson, plain)
    if not at_terminal:
        print(f"Practice: grader quiz {topic}")
    elif click.confirm("Practice now?", default=True):
        context.invoke(quiz, topic=topic, bank=bank, plain=plain)


@click.command()
@click.argument("item")
@click.option("--answer", help="A letter, a text or a value.")
@click.option("--answer-file", type=Path, metavar="F", help="Read the answer from a file.")
@click.option("--allow-unsandboxed", is_flag=True, help="Run the file's code even where there is no sandbox.")
@seed_option
@click.option("--variant", type=click.IntRange(min=0), metavar="N", help="This variant, as a result's JSON numbers it.")
@bank_option
@json_option
@strict_option
def grade(
    item: str,
    answer: str | None,
    answer_file: Path | None,
    allow_unsandboxed: bool,
    seed: int | None,
    variant: int | None,
    bank: Path | None,
    as_json: bool,
    strict: bool,
) -> None:
    """Grade one answer."""
    from grader.model import Outcome
    from grader.session import Question
    from grader.ui.documents import grade_document
    from grader.verify import Proving

    if (answer is None) == (answer_file is None):
        raise InputError("give one of --answer and --answer-file", "such as `--answer 0.06`")
    raw = answer if answer_file is None else read_text(answer_file)
    assert raw is not None
    with proof_runner() as (runner, store):
        whole = good_bank(bank, store)
        found = find_item(whole, item)
        if variant is not None and variant >= len(found.variants):
            raise InputError(f"{item} has {len(found.variants)} variants, counted from 0", "give a smaller number")
        drawn = found.variant(seed) if variant is None else found.variants[variant]
        if found.exercise:
            must_be_contained(
                runner, "a file's" if answer_file else "your own", allow_unsandboxed or answer_file is None
            )
        question = Question(
            found, drawn, Proving.begin(found, drawn, runner), make_marker(runner, soon=found.exercise is not None)
        )
        result = question.answer(raw, whole.mistakes)
    if as_json:
        print_json(grade_document(result))
    else:
        from grader.template import printable

        mistake = f" ({result.score.mistake})" if result.score.mistake else ""
        print(printable(f"{result.score.outcome.value}{mistake} {result.score.feedback}".rstrip()))
        for paragraph in result.score.details:
            print(printable(paragraph))
    if result.score.outcome is Outcome.NOT_RUN:
        raise SystemExit(3)
    if strict and result.score.outcome is not Outcome.CORRECT:
        raise SystemExit(1)
