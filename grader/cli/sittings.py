"""The commands that ask questions: quiz, test, review. Each answer is put on record before it is judged aloud."""

from __future__ import annotations

import contextlib
import io
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.shared import (
    answer_reader,
    asking_options,
    complain,
    good_bank,
    make_marker,
    must_be_contained,
    new_recorder,
    no_records_option,
    open_records,
    print_json,
    proof_runner,
    topic_bank,
)
from grader.errors import InputError

if TYPE_CHECKING:
    from grader.marking import Marker
    from grader.model import Bank, Item, Result
    from grader.recording import Recorder
    from grader.run.remembered import RememberingRunner
    from grader.session import Question
    from grader.ui.terminal import Terminal


@dataclass
class Face:
    """A terminal or a pipe, and what runs behind it."""

    terminal: Terminal
    runner: RememberingRunner
    interactive: bool


def _face(runner: RememberingRunner, *, as_json: bool, plain: bool) -> Face:
    from grader.ui.drawing import screen
    from grader.ui.terminal import Terminal

    at_terminal = sys.stdin.isatty()
    out = screen(sys.stderr if at_terminal else io.StringIO()) if as_json else screen()
    terminal = Terminal(out, answer_reader(at_terminal, out.file is sys.stdout), plain)
    terminal.interactive = at_terminal
    return Face(terminal, runner, at_terminal)


def _ask(
    face: Face,
    questions: Sequence[Question],
    bank: Bank,
    recorder: Callable[[], Recorder | None],
    *,
    places: Sequence[int] = (),
    total: int = 0,
    follow_up: bool = False,
) -> tuple[list[Result], str]:
    """Ask one question after another; the results, and `complete` or `stopped`."""
    results: list[Result] = []
    places = places or range(len(questions))
    total = total or len(questions)
    terminal = face.terminal
    try:
        for number, (place, question) in enumerate(zip(places, questions, strict=True), 1):
            terminal.record = _recording(recorder, place)
            named = "Card" if question.item.kind == "card" else "Question"
            result = terminal.ask(question, f"{named} {place + 1} of {total}", bank.mistakes)
            if result is None:
                return results, "stopped"
            if follow_up and not terminal.leaving and (about := question.follow_up()):
                result = replace(result, follow_up=terminal.ask_follow_up(about))
            results.append(result)
            if number < len(questions) and not terminal.pause():
                return results, "stopped"
    except KeyboardInterrupt:
        return results, "stopped"
    return results, "complete"


def _recording(recorder: Callable[[], Recorder | None], place: int) -> Callable[[Result, int, float], None]:
    def record(result: Result, tries: int, seconds: float) -> None:
        if (writes := recorder()) and not writes(result, place, tries, seconds):
            message = f"question {place + 1} of this sitting was answered elsewhere in the meantime"
            raise InputError(message, "that answer counts; start the command again to go on")

    return record


def _questions(
    drawn: Sequence[tuple[Item, int]], runner: RememberingRunner, marker: Marker, mix: int | None
) -> list[Question]:
    from grader.session import Question
    from grader.verify import Proving

    return [
        Question(item, item.variants[variant], Proving.begin(item, item.variants[variant], runner), marker, mix)
        for item, variant in drawn
    ]


def _end(face: Face, results: Sequence[Result], ended: str, *, strict: bool) -> None:
    """What all of them end with: a notice, and the exit code."""
    from grader.model import Outcome

    if any(result.score.run for result in results):
        must_be_contained(face.runner, "your own", allowed=True)
    if any(result.score.outcome is Outcome.NOT_RUN for result in results):
        raise SystemExit(3)
    if strict and (ended != "complete" or any(r.score.outcome is not Outcome.CORRECT for r in results)):
        raise SystemExit(1)


@click.command()
@click.argument("topic")
@click.option("--mode", default="practice", show_default=True, help="Which questions to ask.")
@click.option("--count", type=click.IntRange(min=1), default=5, show_default=True, help="How many questions.")
@click.option("--shuffle", is_flag=True, help="Mix the options.")
@click.option("--follow-up", is_flag=True, help="Ask about solved code too (at a terminal: always).")
@no_records_option
@asking_options
def quiz(
    topic: str,
    mode: str,
    count: int,
    seed: int | None,
    shuffle: bool,
    follow_up: bool,
    bank: Path | None,
    db: str | None,
    learner: str,
    no_records: bool,
    as_json: bool,
    plain: bool,
    strict: bool,
) -> None:
    """Ask questions. Reads one answer a line where the input is not a terminal."""
    from grader import modes
    from grader.model import Outcome
    from grader.session import choose
    from grader.ui.documents import quiz_document

    with proof_runner() as (runner, store):
        questions_bank = topic_bank(bank, topic, store)
        face = _face(runner, as_json=as_json, plain=plain)
        items = choose(questions_bank, topic, mode, count)
        if not items:
            known = sorted({name for item in questions_bank.items for name in item.modes})
            raise InputError(f"{topic} has no questions for the mode `{mode}`", f"it has {', '.join(known)}")
        face.terminal.tries = modes.TRIES if mode == "try" else None
        face.terminal.timed = mode == "challenge"
        mix = (0 if seed is None else seed) if shuffle else None
        marker = make_marker(runner, soon=any(item.exercise for item in items))
        asked = _questions([(item, item.variant(seed).index) for item in items], runner, marker, mix)
        with _soon(questions_bank, topic, mode, learner, db, no_records) as recorder:
            results, ended = _ask(face, asked, questions_bank, recorder, follow_up=face.interactive or follow_up)
        face.terminal.summary(topic, len(asked), results, questions_bank.mistakes)
        right = [result for result in results if result.score.outcome is Outcome.CORRECT]
        if mode == "challenge" and len(right) == len(asked):
            face.terminal.badge(topic, len(asked))
        if as_json:
            print_json(quiz_document(topic, len(asked), results, ended))
        _end(face, results, ended, strict=strict)


@contextlib.contextmanager
def _soon(
    bank: Bank, topic: str, mode: str, learner: str, db: str | None, no_records: bool
) -> Iterator[Callable[[], Recorder | None]]:
    """Records that are opened while the first question is read.

    Where they cannot be opened, that is told with the first answer, and asking goes on; where they were named, nothing
    is asked.
    """
    from concurrent.futures import ThreadPoolExecutor

    def opened() -> Recorder | None:
        try:
            store = open_records(db)
        except InputError as error:
            if db is not None:
                raise
            complain(error, "notice: answers are not recorded: ")
            return None
        closing.callback(store.close)
        return new_recorder(store, bank, topic, mode, learner)

    if no_records:
        yield lambda: None
        return
    with contextlib.ExitStack() as closing, ThreadPoolExecutor(1) as pool:
        opening = pool.submit(opened)
        if db is not None:
            opening.result()
        yield opening.result


# ---------------------------------------------------------------- test


@click.command()
@click.argument("topic")
@click.option(
    "--feedback", type=click.Choice(["end", "now"]), default="end", show_default=True, help="When to explain."
)
@click.option("--fresh", is_flag=True, help="Begin a new test, even where one was left.")
@asking_options
def test(
    topic: str,
    feedback: str,
    fresh: bool,
    seed: int | None,
    bank: Path | None,
    db: str | None,
    learner: str,
    as_json: bool,
    plain: bool,
    strict: bool,
) -> None:
    """Ten questions, easy to hard, and a verdict. Goes on where it was left."""
    from grader import sittings, verdict
    from grader.model import Outcome
    from grader.recording import ON_RECORD, now
    from grader.ui.documents import test_document

    with contextlib.ExitStack() as stack:
        runner, store = stack.enter_context(proof_runner())
        questions_bank = topic_bank(bank, topic, store)
        face = _face(runner, as_json=as_json, plain=plain)
        kept = stack.enter_context(open_records(db))
        left = None if fresh else sittings.left_test(questions_bank, topic, learner, kept, now())
        if left:
            sitting, before = left
        else:
            drawn_by = secrets.randbits(31) if seed is None else seed
            sitting, before = sittings.plan_test(questions_bank, topic, learner, kept, drawn_by, now()), []
            if not sitting.plan:
                raise InputError(f"{topic} has no questions for a test", "give some of its items the mode `test`")
            kept.begin(sitting)
        items = {item.id: item for item in questions_bank.items}
        planned = [(items[name], variant) for name, variant in sitting.plan]
        marker = make_marker(runner, soon=any(item.exercise for item, _ in planned))
        recorder = new_recorder(kept, questions_bank, topic, "test", learner, sitting)
        answered = {entry.place: sittings.result_of(entry, items[entry.item]) for entry in before}
        asked = _questions(planned, runner, marker, sitting.shuffle)
        open_places = [place for place in range(len(asked)) if place not in answered]
        face.terminal.exam = feedback == "end"
        face.terminal.introduce(topic, len(asked), open_places[0])
        given, ended = _ask(
            face, [asked[place] for place in open_places], questions_bank, lambda: recorder,
            places=open_places, total=len(asked),
        )  # fmt: skip
        answered |= dict(zip(open_places, given, strict=False))
        results = [answered[place] for place in sorted(answered)]
        said = None
        if ended == "complete":
            if face.terminal.exam:
                wrong = [(place, answered[place]) for place in sorted(answered)]
                face.terminal.review(
                    [(place, asked[place], r) for place, r in wrong if r.score.outcome is not Outcome.CORRECT],
                    questions_bank.mistakes,
                )
            if any(result.score.points is not None for result in results):
                said = verdict.judge(results, questions_bank.mistakes)
                face.terminal.verdict(topic, said, questions_bank.mistakes)
        else:
            kept_now = sum(result.score.outcome in ON_RECORD for result in results)
            face.terminal.left(topic, kept_now, len(asked))
        if as_json:
            print_json(test_document(topic, len(asked), results, ended, said))
        _end(face, results, ended, strict=strict)


# ---------------------------------------------------------------- review


@click.command()
@click.argument("topic", required=False)
@click.option("--count", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@click.option("--new", type=click.IntRange(min=0), default=5, show_default=True, help="Of them never seen before.")
@click.option("--ahead", is_flag=True, help="What is not yet due as well.")
@asking_options
def review(
    topic: str | None,
    count: int,
    new: int,
    ahead: bool,
    seed: int | None,
    bank: Path | None,
    db: str | None,
    learner: str,
    as_json: bool,
    plain: bool,
    strict: bool,
) -> None:
    """What is due today: cards to turn over, and questions with fresh numbers."""
    from grader import sittings
    from grader.recording import now
    from grader.ui.documents import quiz_document

    with contextlib.ExitStack() as stack:
        runner, store = stack.enter_context(proof_runner())
        whole = topic_bank(bank, topic, store) if topic else good_bank(bank, store)
        face = _face(runner, as_json=as_json, plain=plain)
        kept = stack.enter_context(open_records(db))
        found = sittings.units(whole, kept, learner, now(), topic)
        seen = kept.seen(learner, [item.id for unit in found for item in unit.items])
        drawn_by = secrets.randbits(31) if seed is None else seed
        drawn = sittings.plan_review(found, seen, now(), drawn_by, count, new, ahead=ahead)
        name = topic or "all topics"
        if not drawn:
            face.terminal.nothing_due(name, min((unit.due for unit in found if unit.due), default=None))
        marker = make_marker(runner, soon=any(item.exercise for item, _ in drawn))
        recorder = new_recorder(kept, whole, topic or "", "review", learner)
        results, ended = _ask(face, _questions(drawn, runner, marker, drawn_by), whole, lambda: recorder)
        if drawn:
            face.terminal.summary("", len(drawn), results, whole.mistakes)
        if as_json:
            print_json(quiz_document(topic or "", len(drawn), results, ended))
        _end(face, results, ended, strict=strict)
