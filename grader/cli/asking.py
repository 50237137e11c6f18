"""What quiz, test and review share: a terminal or a pipe, the questions that are open, the records, the end."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from grader import kinds
from grader.cli import going_on
from grader.cli.shared import Asking, complain, must_be_contained, open_records, whole_bank
from grader.errors import InputError

if TYPE_CHECKING:
    from grader.faces.terminal.dialog import Terminal
    from grader.learning.records import Records
    from grader.learning.sitting import Sittings
    from grader.learning.sitting_log import Log
    from grader.learning.sitting_view import SittingQuestion
    from grader.model import Bank, Item, Result
    from grader.runner.cached import RememberingRunner


@dataclass
class Face:
    """A terminal or a pipe, and what runs behind it."""

    terminal: Terminal
    runner: RememberingRunner
    interactive: bool

    @property
    def name(self) -> str:
        """As it stands on record."""
        return "terminal" if self.interactive else "pipe"


def make_face(runner: RememberingRunner, asking: Asking) -> Face:
    """Where this command asks."""
    from grader.faces.terminal.dialog import Terminal
    from grader.faces.terminal.keyboard import Keyboard
    from grader.render.terminal_text import screen

    at_terminal = sys.stdin.isatty()
    out = screen(sys.stderr if at_terminal else io.StringIO()) if asking.as_json else screen()
    terminal = Terminal(out, Keyboard(echo=out.file is sys.stdout), asking.plain)
    return Face(terminal, runner, at_terminal)


def make_sittings(face: Face, bank: Bank, log: Log, *, follow_up: bool = False) -> Sittings:
    """The sittings of this command: all that is a rule of them is there."""
    from grader.faces.backend import backend
    from grader.learning.sitting import Sittings
    from grader.runner.cached import installed_torch

    never_in = ("test",) if follow_up else None
    return Sittings(bank, log, backend(face.runner), torch=installed_torch(), no_follow_up_in=never_in)


def ask(face: Face, sittings: Sittings, name: str, bank: Bank) -> tuple[list[Result], str]:
    """Ask what is open of a sitting; what was answered of it, in order, and `complete` or `stopped`.

    However it ends, what is on record is among the results.
    """
    given: dict[int, Result] = {}
    ended = "stopped"
    with contextlib.suppress(KeyboardInterrupt):
        if _ask_open(face.terminal, sittings, name, bank, given):
            ended = "complete"
    results = on_record(sittings.view(name).asked) | given
    return [results[place] for place in sorted(results)], ended


def ask_in(face: str, sittings: Sittings, name: str, bank: Bank) -> tuple[list[Result], str]:
    """Ask what is open of a sitting in a face of another package; see `ask`."""
    from grader import faces
    from grader.faces.desk import Desk

    desk = Desk(sittings, name, bank.mistakes)
    with contextlib.suppress(KeyboardInterrupt):
        faces.named(face).ask(desk)
    view = sittings.view(name)
    results = on_record(view.asked)
    return [results[place] for place in sorted(results)], "complete" if view.over else "stopped"


def _ask_open(terminal: Terminal, sittings: Sittings, name: str, bank: Bank, given: dict[int, Result]) -> bool:
    """Ask each open question, and those that were left open in between again; whether the sitting is at its end."""
    view = sittings.view(name)
    of = f"at most {view.most}" if view.most else len(view.asked)
    places = [entry.place for entry in view.asked if not entry.final]
    while places:
        later = []
        for place in places:
            result = terminal.ask(sittings, name, place, of, bank.mistakes)
            if result is None:
                if terminal.leaving:
                    return False
                later.append(place)
                continue
            given[place] = result
            if not terminal.leaving and (about := sittings.show(name, place).follow_up):
                followed = terminal.ask_follow_up(about)
                given[place] = replace(result, follow_up=followed)
                if followed and followed.response is not None:
                    sittings.follow(name, place, followed.response)
            last = place == places[-1]
            if not terminal.pause(last=last) and not (last and not later):
                return False
        if view.most:
            known = len(view.asked)
            view = sittings.view(name)
            places = [entry.place for entry in view.asked[known:] if not entry.final]
            continue
        places = terminal.back_to(later) if later else []
        if terminal.leaving and later:
            return False
        if not places:
            for place in later:
                sittings.solution(name, place)
    return True


def on_record(asked: Iterable[SittingQuestion]) -> dict[int, Result]:
    """What is on record of a sitting, by place."""
    done = {entry.place: (entry.question, entry.result) for entry in asked if entry.result}
    return {place: replace(result, options=question.options()) for place, (question, result) in done.items()}


def warm(runner: RememberingRunner, items: Iterable[Item]) -> None:
    """Start a worker where answers will be run; what is proven may need none."""
    if any(kinds.of(item).TRAITS.runs_code for item in items):
        runner.start()


def say_next(
    face: Face, bank: Bank, asking: Asking, kept: Records | None, at: str = "", *, begun: bool = True
) -> None:  # fmt: skip
    """Name the commands to go on with. `at` is the topic or block that was asked, of this bank, or of a larger one.

    `begun`: it was learned just now, whatever is on record of it.
    """
    whole = whole_bank(asking.bank) or bank
    try:
        steps = going_on.commands(whole, asking.learner, kept, asking.bank, at=at, begun=begun)
    except InputError as error:  # what was asked is on record all the same
        complain(error, "notice: ")
        steps = []
    face.terminal.next_steps([*steps, going_on.progress()])


def end(face: Face, results: Sequence[Result], ended: str, *, strict: bool) -> None:
    """What all of them end with: a notice, and the exit code."""
    from grader.model import Outcome

    if any(result.score.run for result in results):
        must_be_contained(face.runner, "your own", allowed=True)
    if any(result.score.outcome is Outcome.NOT_RUN for result in results):
        raise SystemExit(3)
    if strict and (ended != "complete" or any(r.score.outcome is not Outcome.CORRECT for r in results)):
        raise SystemExit(1)


@contextlib.contextmanager
def late_log(
    asking: Asking, *, no_records: bool, at_once: bool, must: bool = False
) -> Iterator[tuple[Log, Callable[[], Records | None]]]:
    """Records that are opened while the first question is read, or `at_once`; and those, once they are asked for.

    Where they cannot be opened, that is told with the first answer, and asking goes on; where they were named, or there
    `must` be some, nothing is asked.
    """
    from concurrent.futures import ThreadPoolExecutor

    from grader.learning.sitting_log import LateLog, MemoryLog

    def opened() -> Records | None:
        try:
            return closing.enter_context(open_records(asking.db))
        except InputError as error:
            if asking.db is not None or must:
                raise
            complain(error, "notice: answers are not recorded: ")
            return None

    if no_records:
        yield MemoryLog(), lambda: None
        return
    with contextlib.ExitStack() as closing, ThreadPoolExecutor(1) as pool:
        opening = pool.submit(opened)
        if asking.db is not None or at_once or must:
            opening.result()
        yield LateLog(opening), opening.result
