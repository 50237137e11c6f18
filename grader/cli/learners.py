"""The commands of learners: what there is, questions, one graded answer."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader import kinds
from grader.cli import going_on
from grader.cli.ask import quiz
from grader.cli.shared import (
    Banks,
    bank_option,
    db_option,
    find_item,
    gathered,
    good_bank,
    good_lessons,
    json_option,
    learner_option,
    make_marker,
    mix_option,
    must_be_contained,
    open_records,
    plain_option,
    print_json,
    proof_runner,
    read_text,
    seed_option,
    strict_option,
)
from grader.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from grader.faces.terminal.experiment_page import Tried
    from grader.model import Bank, Experiment, Item, Progress, Variant


@click.command()
@bank_option
@db_option
@learner_option
@json_option
def topics(bank: Banks, db: str | None, learner: str, as_json: bool) -> None:
    """What there is to learn, how far you are, and what is due."""
    from grader.cli.json_documents import topics_document
    from grader.runner.cached import Store

    with contextlib.closing(Store()) as memory:
        whole = good_bank(bank, memory, outline=True)
    document = topics_document(whole, _progress(whole, db, learner))
    if as_json:
        print_json(document)
        return
    for number, block in enumerate([*document["blocks"], None]):
        _print_block(document["topics"], block, apart=bool(number))


def _print_block(topics: list[dict[str, Any]], block: dict[str, Any] | None, *, apart: bool) -> None:
    """The topics of a block, or those of none; `apart` from what was printed before."""
    there = [topic["topic"] for topic in topics]
    own = [topic for topic in topics if topic["block"] == (block["block"] if block else None)]
    if apart and (own or block):
        print()
    if block:
        print(f"{block['title']}:   grader test {block['block']}")
    for topic in own:
        _print_topic(topic, there)
    missing = [name for name in block["topics"] if name not in there] if block else []
    if missing:
        print(f"not there yet: {', '.join(missing)}")


def _print_topic(topic: dict[str, Any], there: list[str]) -> None:
    levels = ", ".join(f"{count} {level}" for level, count in topic["levels"].items())
    modes = ", ".join(f"{mode} {count}" for mode, count in topic["modes"].items())
    minutes = f" ({topic['minutes']} minutes)" if topic["minutes"] else ""
    print(f"{topic['topic']}: {topic['title']}{minutes}")
    if topic["needs"]:
        needs = [name if name in there else f"{name} (not there yet)" for name in topic["needs"]]
        print(f"  after: {', '.join(needs)}")
    print(f"  {topic['items']} questions ({levels}) in {topic['variants']} variants; by mode: {modes}")
    if any(skill["words"] != skill["skill"] for skill in topic["skills"]):
        print(f"  skills: {', '.join(skill['words'] for skill in topic['skills'])}")
    if (done := topic["progress"]) and done["answered"]:
        recent = f", {done['recent']:.0%} of the last points" if done["recent"] is not None else ""
        badge = ", challenge badge" if done["badge"] else ""
        print(f"  answered {done['answered']}{recent}{badge}; due now: {done['due']}")
    print(f"  grader quiz {topic['topic']}" + (f"   grader review {topic['topic']}" if topic["progress"] else ""))


def _progress(bank: Bank, db: str | None, learner: str) -> dict[str, Progress]:
    """The progress in each topic; none where nothing is on record."""
    from grader.learning import planning, records
    from grader.learning.recorder import now

    if not records.exist(records.url_of(db)):
        return {}

    with open_records(db, write=False) as store:
        return {topic.name: planning.progress(bank, topic.name, learner, store, now()) for topic in bank.topics}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a topic's experiment: where its knobs are to stand, in a second run too, and the solution."""

    knobs: tuple[str, ...]
    beside: tuple[str, ...]
    solution: bool

    def __bool__(self) -> bool:
        return bool(self.knobs or self.beside or self.solution)


@click.command()
@click.argument("topic")
@click.option("--mode", default="learn", show_default=True, help="Which page of the topic.")
@click.option("--set", "knobs", multiple=True, metavar="NAME=VALUE", help="Turn a knob of the topic's experiment.")
@click.option("--beside", multiple=True, metavar="NAME=VALUE", help="Turn a knob of a second run, to compare with.")
@click.option("--solution", is_flag=True, help="Show the solution of the experiment's task.")
@bank_option
@db_option
@learner_option
@click.option("--pager/--no-pager", default=True, show_default=True, help="A page at a time, at a terminal.")
@plain_option
@gathered(Wanted, "wanted")
@click.pass_context
def learn(
    context: click.Context, topic: str, mode: str, wanted: Wanted, bank: Banks, db: str | None,
    learner: str, pager: bool, plain: bool,
) -> None:  # fmt: skip
    """Read a lesson, which asks at a terminal, then practice."""
    from grader.content import bank_files
    from grader.faces.terminal.sitting_text import SittingText
    from grader.render.terminal_text import screen

    out, at_terminal = screen(), sys.stdout.isatty() and sys.stdin.isatty()
    colored = os.environ.get("TERM", "dumb") not in ("dumb", "unknown")
    paged = (lambda: _paged(out)) if pager and at_terminal and colored else contextlib.nullcontext
    home, prefix = bank_files.find_topic(bank, topic)
    local, topic = topic.removeprefix(prefix), prefix + topic.removeprefix(prefix)
    tried = _tried(topic, wanted, bank) if mode == "experiment" else None
    if wanted and tried is None:
        raise InputError(f"{topic} has no experiment with knobs", "--set goes with --mode experiment")
    reads = tried is None or (not wanted and (home / "lessons" / local / f"{mode}.md").is_file())
    asking = _Asking(bank, db, learner, plain, at_terminal)
    if reads and not _show_lesson(out, home, local, mode, paged, asking):
        told = SittingText(out, plain)
        told.next_steps([(going_on.command("learn", topic, "--mode", mode), "read on where you left")])
        return
    if tried is not None:
        from grader.faces.terminal.experiment_page import show_experiment

        with paged():
            show_experiment(out, *tried, plain)
    SittingText(out, plain).next_steps([(going_on.command("quiz", topic), "practice what you have read")])
    if at_terminal and _practices(out):
        context.invoke(quiz, topic=topic, bank=bank, plain=plain)


@contextlib.contextmanager
def _paged(out: Console) -> Iterator[None]:
    """What is printed goes to a pager, which is told to show colors, or is spared them."""
    with out.capture() as page:
        yield
    click.echo_via_pager(page.get())


def _practices(out: Console) -> bool:
    """Ask whether to practice now. Ctrl-C and Ctrl-D are a no."""
    from grader.faces.terminal.keyboard import Keyboard

    keyboard = Keyboard(echo=False)
    while True:
        keyboard.drop_ahead()
        out.print("\nEnter to practice now   q quit   ? keys", style="dim")
        out.print("> ", end="")
        try:
            typed = keyboard.line()
        except KeyboardInterrupt:
            typed = None
        word = typed.strip().casefold() if typed is not None else "q"
        if word != "?":
            return word not in ("q", "quit", "n", "no")
        out.print("Enter goes on with five questions, q ends; the command above asks them later.")


@dataclass(frozen=True, slots=True)
class _Asking:
    """With what a lesson asks."""

    bank: Banks
    db: str | None
    learner: str
    plain: bool
    at_terminal: bool


def _show_lesson(
    out: Console, home: Path, topic: str, mode: str, paged: Callable[[], Any], asking: _Asking
) -> bool:  # fmt: skip
    """A lesson, with its questions where they can be asked; False where its reader left."""
    from grader.content import asking_cells, lesson_files
    from grader.faces.terminal.lesson_page import show_lesson

    (lesson,) = good_lessons([lesson_files.find(home, topic, mode)])
    if not asking.at_terminal or not any(asking_cells.asked(lesson)):
        return show_lesson(out, lesson, asking.plain, paged=paged)
    from grader.faces.backend import backend
    from grader.faces.terminal.dialog import Terminal
    from grader.faces.terminal.keyboard import Keyboard
    from grader.faces.terminal.lesson_questions import LessonQuestions
    from grader.learning.sitting import Sittings
    from grader.runner.cached import installed_torch

    with contextlib.ExitStack() as stack:
        runner, store = stack.enter_context(proof_runner())
        whole = good_bank(asking.bank, store)
        kept = stack.enter_context(open_records(asking.db))
        terminal = Terminal(out, Keyboard(echo=out.file is sys.stdout), asking.plain)
        sittings = Sittings(whole, kept, backend(runner), torch=installed_torch())
        ask = LessonQuestions(terminal, sittings, whole, asking.learner, secrets.randbits(31))
        try:
            return show_lesson(out, lesson, asking.plain, ask, paged)
        except KeyboardInterrupt:
            print()
            return False


def _tried(topic: str, wanted: Wanted, bank: Banks) -> tuple[Experiment, Tried] | None:
    """The experiment of a topic, run with these values of its knobs; None where it has none."""
    from grader.faces.terminal.experiment_page import Tried
    from grader.judging import experiments, knobs

    with proof_runner() as (runner, store):
        whole = good_bank(bank, store)
        found = next((one.experiment for one in whole.topics if one.name == topic), None)
        if found is None:
            return None
        values = knobs.read(found, dict(_knob(found, one) for one in wanted.knobs))
        other = knobs.read(found, dict(_knob(found, one) for one in wanted.beside)) if wanted.beside else None
        steps = found.solution if wanted.solution else ()
        points = [values, *([other] if other else []), *(step.values for step in steps)]
        runs = [future.result() for future in [runner.submit(experiments.program(found, point)) for point in points]]
    shown = experiments.shown(found, runs[0])
    both = [("now", shown), *([("beside", experiments.shown(found, runs[1]))] if other else [])]
    said = [experiments.solved(found, step, run) for step, run in zip(steps, runs[len(both) :], strict=True)]
    drawn = experiments.together([one for one in both if not one[1].trouble])
    return found, Tried(values, shown, drawn, said)


def _knob(experiment: Experiment, given: str) -> tuple[str, object]:
    """A knob and its value, as they are typed. The name of a choice stays a text, though it may look like a tuple."""
    from grader.template import literal

    name, equals, value = given.partition("=")
    if not equals:
        raise InputError(f"`--set {given}` sets nothing", "give a knob and its value, such as `--set lr=0.1`")
    name, value = name.strip(), value.strip()
    choices = next((knob.values for knob in experiment.knobs if knob.name == name), ())
    known = None if value in choices else literal(value)
    return name, known.value if known else value


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as the command has it, and which question it answers: its variant, and how its options are mixed."""

    answer: str | None
    answer_file: Path | None
    allow_unsandboxed: bool
    seed: int | None
    variant: int | None
    mix: int | None

    def raw(self) -> str:
        """Raises InputError where there is none, or two."""
        if (self.answer is None) == (self.answer_file is None):
            raise InputError("give one of --answer and --answer-file", "such as `--answer 0.06`")
        return self.answer if self.answer is not None else read_text(self.answer_file or Path())

    def drawn(self, item: Item) -> Variant:
        """The variant that is answered. Raises InputError where there is none of its number."""
        if self.variant is None:
            return item.variant(self.seed)
        if self.variant >= len(item.variants):
            raise InputError(f"{item.id} has {len(item.variants)} variants, counted from 0", "give a smaller number")
        return item.variants[self.variant]


@click.command()
@click.argument("item")
@click.option("--answer", help="A letter, a text or a value.")
@click.option("--answer-file", type=Path, metavar="F", help="Read the answer from a file.")
@click.option("--allow-unsandboxed", is_flag=True, help="Run the file's code even where there is no sandbox.")
@seed_option
@click.option("--variant", type=click.IntRange(min=0), metavar="N", help="This variant, as a result's JSON numbers it.")
@mix_option
@bank_option
@json_option
@strict_option
@gathered(Given, "given")
def grade(
    item: str,
    given: Given,
    bank: Banks,
    as_json: bool,
    strict: bool,
) -> None:
    """Grade one answer."""
    from grader.cli.json_documents import grade_document
    from grader.content.verify import PendingProof
    from grader.learning.question import Question
    from grader.model import Outcome

    raw = given.raw()
    with proof_runner() as (runner, store):
        whole = good_bank(bank, store)
        found = find_item(whole, item)
        drawn = given.drawn(found)
        traits = kinds.of(found).TRAITS
        if traits.runs_code:
            of_a_file = given.answer_file is not None
            must_be_contained(runner, "a file's" if of_a_file else "your own", given.allow_unsandboxed or not of_a_file)
        question = Question(
            found,
            drawn,
            PendingProof.begin(found, drawn, runner),
            make_marker(runner, soon=traits.runs_code),
            given.mix,
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
