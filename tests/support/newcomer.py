"""A newcomer's walk in a terminal: greeting, lesson, five questions, test, progress, the next day's review.

Each step is taken by a command that the screen before named. The walk yields a name at each screen that is worth a look.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from tests.support.screens import Screen

DAY = timedelta(days=1)


def walk(screen: Screen, db: Path) -> Iterator[str]:
    """`db` is where the records come to be."""
    screen.start("grader")
    assert screen.end() == 0
    yield "hello"
    yield from _lesson(screen)
    yield from _quiz(screen)
    yield from _test(screen)
    screen.start(named(screen, "progress"))
    assert screen.end() == 0
    yield "progress"
    review = named(screen, "review")
    a_day_later(db)
    screen.start(review)
    screen.prompt()
    yield "the next day's review"
    screen.type("q")
    assert screen.end() == 0
    yield "the end of a review that was left"
    screen.start("grader")
    assert screen.end() == 0
    assert named(screen, "review")
    yield "hello, the next day"


def named(screen: Screen, what: str) -> str:
    """The command of this name that the screen names."""
    found = [line for line in screen.named if line.split()[1] == what]
    assert found, f"no `grader {what}` in:\n{screen.text}"
    return found[0]


def _lesson(screen: Screen) -> Iterator[str]:
    screen.start(named(screen, "learn"))
    screen.settle()
    yield "the first lesson"
    inside = 0
    for asked in read(screen):
        inside += asked
        if asked and inside <= 2:
            yield f"question {inside} inside the lesson"
    assert inside >= 2, "a lesson asks while it is read"
    yield "the end of the lesson"
    screen.type("q")
    assert screen.end() == 0


def read(screen: Screen) -> Iterator[bool]:
    """Read the lesson that is begun to the end, where practice is offered: page by page, and give an answer to what it
    asks. Yields whether it asks, at each stop.
    """  # fmt: skip
    while True:
        if screen.stop():
            screen.press("q")  # of the pager
        elif "Enter to practice now" in screen.text:
            return
        elif re.search(r"^Enter for the next question", last_keys(screen), re.MULTILINE):
            screen.type("")
        else:
            yield True
            screen.type("s")
        yield False


def last_keys(screen: Screen) -> str:
    """The lines right above the prompt."""
    return "\n".join(screen.text.rstrip().splitlines()[-4:])


def _quiz(screen: Screen) -> Iterator[str]:
    screen.start(named(screen, "quiz"))
    screen.prompt()
    yield "the first question"
    screen.type("?")
    screen.prompt()
    yield "the keys"
    for number in range(1, 6):
        wrong = number in (1, 4)
        answer(screen, "A" if wrong else "B")
        if wrong:
            yield f"answer {number}"
        if wrong and "w why" in last_keys(screen):  # what was tried and given up has been explained in full
            screen.type("w")
            screen.prompt()
            yield f"why, after answer {number}"
        screen.type("")
        if number < 5:
            screen.prompt()
    assert screen.end() == 0
    yield "the end of five questions"


def _test(screen: Screen) -> Iterator[str]:
    screen.start(named(screen, "test"))
    screen.prompt()
    yield "the first question of a test"
    screen.type("s")
    screen.prompt()
    while "still open" not in screen.text:
        answer(screen, "A")
    yield "a question of a test that is still open"
    screen.type("")
    screen.prompt()
    answer(screen, "B")
    yield "the verdict of a test"
    screen.type("")
    screen.prompt()
    yield "the first mistake of a test, explained"
    screen.type("q")
    assert screen.end() == 0
    yield "the end of a test"


def answer(screen: Screen, letter: str) -> None:
    """Answer what is asked, whatever it is, and wait for the next prompt; what is not right at first is given up."""
    for attempt in range(3):
        asked = re.findall(r"^(?:Answer|Try again): (.*)$", screen.text, re.MULTILINE)
        assert asked, screen.text
        screen.type(_typed(asked[-1], letter) if attempt == 0 else "s")
        screen.prompt()
        after = screen.text.rstrip().splitlines()[-4:]
        if any(re.match(r"Enter (to finish|for the next)", line) for line in after):
            return
        if not any(line.startswith("Try again:") for line in after) and "could not be read" not in screen.text:
            return


def _typed(asked: str, letter: str) -> str:
    """An answer of the sort that is asked for."""
    if count := re.match(r"(\d+) (numbers|letters|texts)", asked):
        one = {"numbers": "0.1", "letters": "A;", "texts": "x;"}[count[2]]
        return " ".join([one] * int(count[1])).rstrip(";")
    if lines := re.match(r"the numbers 1-(\d+)", asked):
        return " ".join(str(number) for number in range(1, int(lines[1]) + 1))
    if asked.startswith("code"):
        return "pass\n."
    return letter if re.match(r"[A-H]-[A-H]|letters", asked) else "0.1"


def a_day_later(db: Path) -> None:
    """Let all that is on record have happened a day earlier."""
    day = int(DAY.total_seconds() * 1_000_000)
    with contextlib.closing(sqlite3.connect(db)) as store, store:
        store.execute("UPDATE sittings SET started = started - ?, ended = ended - ?", (day, day))
        store.execute("UPDATE events SET at = at - ?", (day,))
        for number, card in store.execute("SELECT number, card FROM attempts").fetchall():
            known = json.loads(card)
            for name in ("due", "last_review"):
                known[name] = (datetime.fromisoformat(known[name]) - DAY).isoformat()
            store.execute(
                "UPDATE attempts SET at = at - ?, card = ? WHERE number = ?", (day, json.dumps(known), number)
            )
