"""Kills sittings at random moments and goes on with them in another process and face, until each has come to its end.

    python -m tests.support.killed_sittings URL BANK CACHE TIMES [SEED]

A sitting is begun in a child, in any mode, at a terminal or through the messages of the service, and answered by chance. The child
says on a pipe what has come back to the face: what was shown, hints, answers. At a random moment it is killed (SIGKILL), and another
child, with the other face, goes on. In the end all that was said must be on record once, what was answered for good must not have been
shown to answer again, and the chain of each card must be unbroken. All proofs are in the cache: nothing is run. Prints JSON.
"""

from __future__ import annotations

import io
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from grader.cli.asking import Face, ask  # noqa: E402
from grader.content import bank_files  # noqa: E402
from grader.faces.backend import backend  # noqa: E402
from grader.faces.service.service import Service  # noqa: E402
from grader.faces.terminal.dialog import Terminal  # noqa: E402
from grader.learning import spaced_repetition  # noqa: E402
from grader.learning.recorder import now  # noqa: E402
from grader.learning.records import Records  # noqa: E402
from grader.learning.sitting import Sittings  # noqa: E402
from grader.learning.sitting_view import SittingQuestion  # noqa: E402
from grader.model import Bank, Outcome, Result, Score  # noqa: E402
from grader.render import terminal_text  # noqa: E402
from grader.runner.cached import RememberingRunner, Store  # noqa: E402

MODES = ("practice", "try", "challenge", "test", "review")
FACES = ("terminal", "service")
ANSWERS = {"pick": ("A", "B", "what?"), "table": ("0.5 0.5", "1 2", "1 3", "1 4", "two")}


class Telling(Sittings):
    """Sittings that say on a pipe what has come back to the face."""

    pipe = 1
    current = ""

    def ask(self, name: str, place: int) -> SittingQuestion:
        entry = super().ask(name, place)
        self.current = entry.question.item.id
        if not entry.final:
            self.tell("shown", name, place, entry.tries)
        return entry

    def hint(self, name: str, place: int) -> SittingQuestion:
        entry = super().hint(name, place)
        self.tell("hint", name, place, len(entry.hints))
        return entry

    def answer(self, name: str, place: int, raw: str, **which: Any) -> SittingQuestion:
        entry = super().answer(name, place, raw, **which)
        if entry.result and entry.result.score.outcome is not Outcome.UNREADABLE and not entry.repeated:
            self.tell("answer", name, place, entry.tries - 1)
        if entry.final:
            self.tell("final", name, place, entry.tries)
        return entry

    def solution(self, name: str, place: int) -> SittingQuestion:
        entry = super().solution(name, place)
        self.tell("final", name, place, entry.tries)
        return entry

    def tell(self, *what: object) -> None:
        os.write(self.pipe, (" ".join(map(str, what)) + "\n").encode())


class Typist:
    """Types at a terminal what a function says."""

    interactive = True

    def __init__(self, typed: Callable[[], str]) -> None:
        self.line = typed

    def drop_ahead(self) -> None:
        """Nothing is typed ahead."""


def nothing_to_run() -> Any:
    raise AssertionError("all proofs are in the cache")


def sit(url: str, bank: Bank, cache: Path, name: str, mode: str, face: str, seed: int, pipe: int) -> None:
    """Go on with a sitting, or begin one where there is no name, to its end."""
    chance = random.Random(seed)
    runner = RememberingRunner(Store(cache), nothing_to_run)
    with Records(url) as store:
        sittings = Telling(bank, store, backend(runner), torch="2", look_back=True)
        sittings.pipe = pipe
        if not name:
            name = sittings.begin("me", "small", mode, [(item, 0) for item in bank.items] * 2, seed=seed, face=face)
            sittings.tell("begun", name)

        def typed() -> str:
            if chance.random() < 0.2 and mode != "test":
                return "h"
            return "s" if chance.random() < 0.1 else chance.choice(ANSWERS[sittings.current])

        if face == "terminal":
            terminal = Terminal(terminal_text.screen(io.StringIO(), terminal=False), Typist(typed), plain=True)
            terminal.exam, terminal.hints = mode == "test", mode != "test"
            ask(Face(terminal, runner, interactive=True), sittings, name, bank)
        else:
            _by_messages(url, bank, sittings, name, typed)
        sittings.tell("over", name)


def _by_messages(url: str, bank: Bank, sittings: Telling, name: str, typed: Any) -> None:
    service = Service(url)
    service.backing.use(bank, sittings)
    for place, entry in enumerate(service.state(name)["places"]):
        final = entry["answered"]
        shown = {} if final else service.show(name, place)
        while not final:
            match typed():
                case "h":
                    shown = service.hint(name, place)
                case "s":
                    shown = service.solution(name, place)
                case raw:
                    shown = service.answer(name, place, raw, tries=shown["tries"], token=os.urandom(8).hex())
            final = bool(shown["told"] and shown["told"]["final"])


def start(*sitting: Any) -> tuple[int, int]:
    """A sitting in a child: its process id, and where it tells."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return pid, ours
    try:
        os.close(ours)
        sit(*sitting, theirs)
        os._exit(0)
    except BaseException as error:  # noqa: BLE001  (whatever it is, the parent must hear of it)
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


class Course:
    """What was said by all children of one sitting, in order."""

    def __init__(self) -> None:
        self.mode, self.name, self.over, self.turns = "", "", False, 0
        self.said: list[tuple[str, int, int]] = []

    def hear(self, pipe: int) -> None:
        with open(pipe) as lines:
            for kind, name, *numbers in map(str.split, lines):
                self.name = name
                self.over = self.over or kind == "over"
                if numbers:
                    self.said.append((kind, int(numbers[0]), int(numbers[1])))

    @property
    def asked_twice(self) -> int:
        """Questions that were shown for an answer after they had been answered for good."""
        final: set[int] = set()
        count = 0
        for kind, place, _ in self.said:
            count += kind == "shown" and place in final
            if kind == "final":
                final.add(place)
        return count


def main(url: str, folder: str, cache: str, times: int, seed: int = 0) -> dict[str, object]:
    chance = random.Random(seed)
    bank = bank_files.read(bank_files.files([Path(folder)]))
    spaced_repetition.after(
        None, spaced_repetition.GOOD, now()
    )  # what is slow to import is there before the first fork
    sys.stdout.flush()
    courses: list[Course] = []
    course, killed, failed, longest = Course(), 0, 0, 0.0
    while killed < times or not course.over:
        if course.over or not courses:
            course = Course()
            course.mode = MODES[len(courses) % len(MODES)]
            courses.append(course)
        face = FACES[(course.turns + len(courses) // len(MODES)) % len(FACES)]
        course.turns += 1
        begun = time.monotonic()
        pid, pipe = start(url, bank, Path(cache), course.name, course.mode, face, chance.randrange(2**31))
        if longest and killed < times:
            time.sleep(chance.uniform(0, longest))
            os.kill(pid, signal.SIGKILL)
        course.hear(pipe)
        _, status = os.waitpid(pid, 0)
        longest = longest or time.monotonic() - begun
        killed += os.WIFSIGNALED(status)
        failed += os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0
        if killed < times and longest:  # the machine is faster or slower than it was
            longest *= 1.05 if os.WIFSIGNALED(status) else 1 / 1.1
        if failed:
            break
    return {"killed": killed, "failed": failed, **checked(url, courses)}


def checked(url: str, courses: list[Course]) -> dict[str, object]:
    """What is wrong between what was said and what is on record."""
    lost = doubled = twice = 0
    with Records(url) as store:
        attempts = list(store.attempts())
        for course in courses:
            kept = store.logged(course.name) if course.name else None
            if kept is None:
                lost += bool(course.said)
                continue
            on_record = Counter((entry.place, entry.tries) for entry in kept.attempts)
            hints = Counter(event.place for event in kept.events if event.kind == "hint")
            once = Counter((event.place, event.kind) for event in kept.events if event.kind in ("asked", "finished"))
            lost += sum(kind == "answer" and (place, tries) not in on_record for kind, place, tries in course.said)
            lost += sum(kind == "hint" and hints[place] < count for kind, place, count in course.said)
            lost += course.over and len({entry.place for entry in kept.attempts}) < len(kept.sitting.plan)
            doubled += sum(count > 1 for count in (*on_record.values(), *once.values()))
            doubled += sum(count - 1 for key, count in Counter(course.said).items() if key[0] == "answer")
            twice += course.asked_twice
    broken = 0
    cards: dict[str, str] = {}
    for entry in attempts:
        score = Score(Outcome(entry.outcome), entry.points, entry.mistake)
        rated = spaced_repetition.rating(Result(None, None, None, score, None, entry.hints), entry.tries)  # type: ignore[arg-type]  # only score and hints count
        broken += entry.card != spaced_repetition.after(cards.get(entry.unit), rated, entry.at)
        cards[entry.unit] = str(entry.card)
    return {
        "sittings": len(courses),
        "turns": sum(course.turns for course in courses),
        "said": sum(len(course.said) for course in courses),
        "attempts": len(attempts),
        "unfinished": sum(not course.over for course in courses),
        "lost": lost,
        "doubled": doubled,
        "asked_twice": twice,
        "broken_chains": broken,
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int((sys.argv[5:] or ["0"])[0]))))
