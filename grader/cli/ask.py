"""The commands that ask questions: quiz, test, review. Each answer is put on record before it is judged aloud."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader import faces, kinds
from grader.cli import watching
from grader.cli.asking import Face, ask, ask_in, end, late_log, make_face, make_sittings, on_record, say_next, warm
from grader.cli.shared import (
    RETIRED,
    Asking,
    asking_options,
    find_item,
    gathered,
    good_bank,
    no_records_option,
    open_records,
    print_json,
    proof_runner,
    topic_bank,
)
from grader.errors import InputError

if TYPE_CHECKING:
    from grader.faces.terminal.dialog import Terminal
    from grader.learning.records import Records
    from grader.learning.sitting import Sittings
    from grader.model import Bank, Item, Result


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which questions of a topic are asked for, and how."""

    mode: str
    count: int
    item: str | None
    follow_up: bool
    resume: bool
    no_records: bool
    watch: Path | None
    face: str | None

    def __post_init__(self) -> None:
        """Raise InputError where two options do not go together, or there is no such face."""
        if self.face and self.watch:
            raise InputError("--watch asks here, and --face elsewhere", "leave one of them out")
        if self.face and (opened_by := faces.named(self.face).OPENED_BY):
            raise InputError(f"`{self.face}` is opened by a command of its own", f"run `{opened_by}`")
        if self.resume and self.item:
            raise InputError("--resume goes on with what was asked, whatever --item says", "leave one of them out")
        if self.resume and self.no_records:
            raise InputError("what was left is found in the records", "leave out --no-records")
        if self.resume and self.watch:
            raise InputError("--watch asks one question of its own", "leave out --resume; --item ID names the question")

    def chosen(self, bank: Bank, topic: str) -> tuple[str, list[Item]]:
        """The questions, and the mode in which they are asked. Raises InputError where there is none."""
        from grader.learning.question import choose

        if self.item is not None:
            item = find_item(bank, self.item, topic)
            if item.retired:
                raise InputError(f"`{item.id}` is retired: it is not asked any more", RETIRED)
            return self.mode if self.mode in item.modes else item.modes[0], [item]
        items = choose(bank, topic, self.mode, len(bank.items) if self.watch else self.count)
        if self.watch:
            items = [item for item in items if kinds.of(item).TRAITS.cell == "code"][:1]
        if not items:
            known = sorted({name for item in bank.items if item.topic == topic for name in item.modes})
            raise InputError(f"{topic} has no questions for the mode `{self.mode}`", f"it has {', '.join(known)}")
        return self.mode, items


@click.command()
@click.argument("topic")
@click.option("--mode", default="practice", show_default=True, help="Which questions to ask.")
@click.option("--count", type=click.IntRange(min=1), default=5, show_default=True, help="How many questions.")
@click.option("--item", metavar="ID", help="This question alone.")
@click.option("--watch", type=Path, metavar="FILE", help="One question in code: judge FILE at each save.")
@click.option("--face", metavar="NAME", help="Ask in this face, of another package.")
@click.option("--follow-up", is_flag=True, help="Ask about solved code too (at a terminal: always).")
@click.option("--resume", is_flag=True, help="Go on where the last one was left, in any face.")
@no_records_option
@gathered(Wanted, "wanted")
@asking_options
def quiz(topic: str, wanted: Wanted, asking: Asking) -> None:
    """Ask questions. Reads one answer a line where the input is not a terminal."""
    from grader.cli.json_documents import quiz_document
    from grader.model import Outcome

    if wanted.face and asking.as_json:
        raise InputError("--face prints what it likes, and --json one document", "leave one of them out")
    with proof_runner() as (runner, store):
        bank, topic = topic_bank(asking.bank, topic, store)
        face = make_face(runner, asking)
        mode, items = wanted.chosen(bank, topic)
        draws = face.interactive and mode == "practice" and not (wanted.item or wanted.watch)
        with late_log(asking, no_records=wanted.no_records, at_once=draws, must=wanted.resume) as (log, kept):
            sittings = make_sittings(face, bank, log, follow_up=face.interactive or wanted.follow_up)
            drawn = [(item, item.variant(asking.seed).index) for item in items]
            name = _begun(face, sittings, (topic, mode), drawn, wanted, asking, bank, kept, draws=draws)
            if wanted.face:
                results, ended = ask_in(wanted.face, sittings, name, bank)
            elif wanted.watch:
                results, ended = watching.watch(face, sittings, name, bank, wanted.watch)
            else:
                results, ended = ask(face, sittings, name, bank)
            asked = len(sittings.view(name).asked)
            if wanted.face:
                end(face, results, ended, strict=asking.strict)
                return
            face.terminal.summary(asked, results, bank.mistakes)
            if mode == "challenge" and sum(one.score.outcome is Outcome.CORRECT for one in results) == asked:
                face.terminal.badge(topic, asked)
            say_next(face, bank, asking, kept(), topic)
        if asking.as_json:
            print_json(quiz_document(topic, asked, results, ended))
        end(face, results, ended, strict=asking.strict)


def _begun(
    face: Face, sittings: Sittings, what: tuple[str, str], drawn: list[tuple[Item, int]], wanted: Wanted,
    asking: Asking, bank: Bank, kept: Callable[[], Records | None], *, draws: bool,
) -> str:  # fmt: skip
    """A sitting of a topic in a mode: one that was left, where that is wanted, else a new one of what is drawn."""
    from grader.learning import planning
    from grader.learning.recorder import now

    topic, mode = what
    if wanted.resume and (store := kept()) and (left := planning.left(bank, topic, mode, asking.learner, store, now())):
        return left
    if draws:
        drawn = planning.practice(bank, topic, asking.learner, kept(), wanted.count, now(), asking.seed)
    warm(face.runner, [item for item, _ in drawn])
    mix = asking.mixed_by(asking.seed, interactive=face.interactive)
    return sittings.begin(asking.learner, topic, mode, drawn, seed=asking.seed, mix=mix, face=wanted.face or face.name)


# ---------------------------------------------------------------- test


@click.command()
@click.argument("topic", metavar="TOPIC|BLOCK")
@click.option(
    "--feedback", type=click.Choice(["end", "now"]), default="end", show_default=True, help="When to explain."
)
@click.option("--fresh", is_flag=True, help="Begin a new test, even where one was left.")
@asking_options
def test(
    topic: str,
    feedback: str,
    fresh: bool,
    asking: Asking,
) -> None:
    """Ten questions, easy to hard, and a verdict; fifteen on a block of topics. Goes on where it was left."""
    from grader.cli.json_documents import test_document
    from grader.learning import verdict
    from grader.learning.recorder import ON_RECORD

    with contextlib.ExitStack() as stack:
        runner, store = stack.enter_context(proof_runner())
        bank, topic = topic_bank(asking.bank, topic, store, blocks=True)
        face = make_face(runner, asking)
        kept = stack.enter_context(open_records(asking.db))
        sittings = make_sittings(face, bank, kept)
        name = _left_or_new(bank, topic, kept, sittings, face, asking, fresh=fresh)
        asked = sittings.view(name).asked
        warm(runner, [entry.question.item for entry in asked])
        terminal = face.terminal
        title = next((block.title for block in bank.about.blocks if block.name == topic), topic)
        terminal.exam, terminal.hints = feedback == "end", False
        first = next(entry.place for entry in asked if not entry.final)
        terminal.introduce(title, len(asked), first, at_end=terminal.exam)
        results, ended = ask(face, sittings, name, bank)
        said = None
        if ended == "complete":
            if any(result.score.points is not None for result in results):
                said = verdict.judge(results, bank.mistakes)
                terminal.verdict(title, said, bank.mistakes)
            if terminal.exam:
                _review(terminal, sittings, name, bank)
        else:
            terminal.left(sum(result.score.outcome in ON_RECORD for result in results), len(asked))
        say_next(face, bank, asking, kept, topic)
        if asking.as_json:
            print_json(test_document(topic, len(asked), results, ended, said))
        end(face, results, ended, strict=asking.strict)


def _review(terminal: Terminal, sittings: Sittings, name: str, bank: Bank) -> None:
    """Explain what was not right in a test that is over."""
    from grader.model import Outcome

    asked = sittings.view(name).asked
    results = on_record(asked)
    wrong = [place for place in sorted(results) if results[place].score.outcome is not Outcome.CORRECT]
    terminal.review([(place, asked[place].question, results[place]) for place in wrong], bank.mistakes)


def _left_or_new(
    bank: Bank, topic: str, kept: Records, sittings: Sittings, face: Face, asking: Asking, *, fresh: bool
) -> str:
    """The test that the learner left; else a new one, which is on record from now on."""
    from grader.learning import planning
    from grader.learning.recorder import now

    if not fresh and (left := planning.left_test(bank, topic, asking.learner, kept, now())):
        return left[0].id
    drawn_by = secrets.randbits(31) if asking.seed is None else asking.seed
    mix = asking.mixed_by(drawn_by, interactive=face.interactive)
    sitting = planning.plan_test(bank, topic, asking.learner, kept, drawn_by, now(), mix)
    if not sitting.plan:
        raise InputError(f"{topic} has no questions for a test", "give some of its items the mode `test`")
    return sittings.begin_planned(sitting, face.name)


# ---------------------------------------------------------------- review


@click.command()
@click.argument("topic", required=False)
@click.option("--count", type=click.IntRange(min=1), default=20, show_default=True, help="At most this many.")
@click.option(
    "--new", type=click.IntRange(min=0), default=5, show_default=True, help="At most this many of them never asked."
)
@click.option("--ahead", is_flag=True, help="Also what is not due yet.")
@asking_options
def review(
    topic: str | None,
    count: int,
    new: int,
    ahead: bool,
    asking: Asking,
) -> None:
    """What is due today: cards to turn over, and questions with fresh numbers."""
    from grader.cli.json_documents import quiz_document
    from grader.learning import former_ids, planning, progress
    from grader.learning.recorder import now

    with contextlib.ExitStack() as stack:
        runner, store = stack.enter_context(proof_runner())
        if topic:
            whole, topic = topic_bank(asking.bank, topic, store)
        else:
            whole = good_bank(asking.bank, store)
        face = make_face(runner, asking)
        kept = stack.enter_context(open_records(asking.db))
        found = planning.units(whole, kept, asking.learner, now(), topic)
        seen = former_ids.seen(kept, asking.learner, (item for unit in found for item in unit.items))
        drawn_by = secrets.randbits(31) if asking.seed is None else asking.seed
        mix = asking.mixed_by(drawn_by, interactive=face.interactive)
        behind = () if topic else progress.placed_out(whole, asking.learner, kept)
        drawn = planning.plan_review(found, seen, now(), drawn_by, count, new, ahead=ahead, behind=behind)
        if not drawn:
            face.terminal.nothing_due(
                topic or "all topics", min((unit.due for unit in found if unit.due), default=None)
            )
            results: list[Result] = []
            ended = "complete"
        else:
            warm(runner, [item for item, _ in drawn])
            sittings = make_sittings(face, whole, kept)
            name = sittings.begin(asking.learner, topic or "", "review", drawn, seed=drawn_by, mix=mix, face=face.name)
            results, ended = ask(face, sittings, name, whole)
            face.terminal.summary(len(drawn), results, whole.mistakes)
        say_next(face, whole, asking, kept, topic or "")
        if asking.as_json:
            print_json(quiz_document(topic or "", len(drawn), results, ended))
        end(face, results, ended, strict=asking.strict)
