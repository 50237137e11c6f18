"""The terminal's hands: keys, an editor, files, Ctrl-C, what is in sight; each in a pseudo-terminal of its own."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from grader.learning import progress
from grader.model import Bank
from tests.support.answers import Oracle
from tests.support.common import EXERCISES, ROOT
from tests.support.newcomer import answer, last_keys, named, read, walk
from tests.support.screens import Screen

pytestmark = pytest.mark.waits

RIGHT = "def factor(epoch):\n    return min((epoch + 1) / ramp, 1)\n"
LATE = "def factor(epoch):\n    return min(epoch / ramp, 1)\n"

Open = Callable[..., Screen]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A bank with two questions whose answers are run."""
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/t.yaml").write_text(EXERCISES)
    return tmp_path


@pytest.fixture
def terminal(environment: dict[str, str], tmp_path: Path) -> Iterator[Open]:
    """Opens terminals whose commands have their own records, and almost no variables: `more` are added."""
    opened = []

    def make(columns: int = 80, lines: int = 24, **more: str) -> Screen:
        own = {"HOME": str(tmp_path), "GRADER_CACHE": environment["GRADER_CACHE"]}
        opened.append(Screen(own | more, columns, lines))
        return opened[-1]

    yield make
    for screen in opened:
        screen.close()


def records(home: Path) -> Path:
    """Where the records are by default."""
    return home / ".local/share/torch-grader/records.sqlite"


@pytest.mark.parametrize(("columns", "more"), [
    pytest.param(60, {}, id="60-columns-without-variables"),
    pytest.param(80, {"TERM": "xterm-256color", "LANG": "C.UTF-8"}, id="80-columns", marks=pytest.mark.slow),
])  # fmt: skip
def test_a_newcomer_walks_by_what_the_screens_name(
    columns: int, more: dict[str, str], terminal: Open, tmp_path: Path, proven: object
) -> None:
    screen = terminal(columns, 24, **more)
    seen = []
    for title in walk(screen, records(tmp_path)):
        seen.append(title)
        assert "\x1b" not in screen.text, title
        assert not re.search(r"ESC\[|\[\d+m", screen.text), title
        assert not screen.too_wide, (title, screen.too_wide[:3])
    assert {"hello", "the first lesson", "progress", "the next day's review"} <= set(seen)


@pytest.mark.slow
@pytest.mark.parametrize("placed", [False, pytest.param(True, marks=pytest.mark.long)])
def test_from_the_first_command_to_the_test_of_shapes(
    placed: bool, terminal: Open, tmp_path: Path, bank: Bank, oracle: Oracle, proven: object
) -> None:
    """Each step is named by the one before: by learning tensors, or by knowing them."""
    screen, db = terminal(80, 48), records(tmp_path)
    answers = partial(answer_all, screen, oracle, bank, db)
    screen.start("grader")
    assert screen.end() == 0
    if placed:
        screen.start(named(screen, "place"))
        screen.prompt()
        answers("tensors")
        assert "Begin with Shapes and broadcasting." in screen.printed
    else:
        learn(screen, "tensors")
        screen.start(named(screen, "test"))
        assert screen.line == "grader test tensors"
        screen.prompt()
        answers("tensors")
        assert "tensors: strong" in screen.printed
    learn(screen, "shapes")
    screen.start(named(screen, "test"))
    assert screen.line == "grader test shapes"
    screen.prompt()
    assert "A test on shapes: 10 questions" in screen.printed


@pytest.mark.long
def test_from_make_quiz_to_a_model_that_is_trained_and_evaluated(
    terminal: Open, tmp_path: Path, bank: Bank, oracle: Oracle, proven: object
) -> None:
    """The command that comes first on a screen leads on: from a question too early, by a placement, through the topics
    of training to the verdict on evaluation. `test_path` does it for all topics, without a screen.
    """  # fmt: skip
    screen, db = terminal(80, 48), records(tmp_path)
    path = [topic.name for topic in progress.in_order(bank)]
    known = " ".join(name for name in path if name not in bank.members("learning") + bank.members("judging"))
    begins = re.search(r"^quiz:.*\n\t@\$\(BIN\)/(grader quiz .*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert begins
    screen.start(begins[1])
    screen.prompt()
    screen.type("q")
    assert screen.end() == 0
    screen.start("grader")
    assert screen.end() == 0
    screen.start(named(screen, "place"))
    screen.prompt()
    answer_all(screen, oracle, bank, db, known)
    taken = []
    while "evaluation: strong" not in screen.printed:
        line = next((line for line in screen.named if line.split()[1] == "test"), screen.named[0])
        taken.append(line)
        assert len(taken) < 50, taken
        screen.start(line)
        if line.startswith("grader learn"):
            read_whole(screen)
        elif line.startswith("grader quiz"):
            skip_all(screen)
        else:
            screen.prompt()
            answer_all(screen, oracle, bank, db, " ".join(path))
    own = [topic for topic in path if f"grader learn {topic}" in taken]
    assert own == path[path.index(own[0]) : path.index("evaluation") + 1]
    for topic in own:
        order = [taken.index(f"grader {verb} {topic}") for verb in ("learn", "quiz", "test")]
        assert order == sorted(order), taken
    assert "grader test learning" in taken


def read_whole(screen: Screen) -> None:
    """Read the lesson that is begun to its end, with its questions, and practice nothing yet."""
    for _ in read(screen):
        pass
    screen.type("q")
    assert screen.end() == 0


def skip_all(screen: Screen) -> None:
    """Give up each question of a practice that is begun."""
    screen.prompt()
    while not screen.named:
        screen.type("s" if "Answer:" in last_keys(screen) else "")
        screen.stop_or_end()


def answer_all(screen: Screen, oracle: Oracle, bank: Bank, db: Path, known: str) -> None:
    """Answer all that is asked, rightly where it is on a topic that is known."""
    place = 0
    while not screen.named:
        number = re.findall(r"^Question (\d+) of", screen.printed, re.MULTILINE)[-1]
        assert int(number) == place + 1
        right = oracle.topic_of(bank, db, place) in known.split()
        screen.type(oracle.typed(bank, db, place, right=right))
        screen.stop_or_end()
        place += 1
        if "Enter to see what was not right" in screen.text:
            screen.type("q")
            screen.stop_or_end()


def learn(screen: Screen, topic: str) -> None:
    """Read the lesson that is named first, then answer five questions."""
    screen.start(named(screen, "learn"))
    assert screen.line == f"grader learn {topic}"
    read_whole(screen)
    screen.start(named(screen, "quiz"))
    assert screen.line == f"grader quiz {topic}"
    skip_all(screen)


def test_a_lesson_is_readable_in_a_stock_shell(terminal: Open) -> None:
    screen = terminal(TERM="xterm-256color", LANG="C.UTF-8")
    screen.start("grader learn warmup")
    screen.wait("Warmup strategies")
    assert screen.stop(), "a page at a time"
    assert "ESC[" not in screen.text
    assert screen.colored
    for asks in read(screen):
        assert "ESC[" not in screen.text
        assert not asks or "Answer: " in screen.text
    assert screen.named == ["grader quiz warmup"]
    screen.type("?")
    screen.prompt()
    assert "five questions" in screen.text
    screen.type("q")
    assert screen.end() == 0
    plain = terminal(60, TERM="xterm", NO_COLOR="1")
    plain.start("grader learn warmup --no-pager")
    plain.prompt()
    assert not plain.colored
    assert not plain.too_wide


def test_what_was_typed_ahead_is_dropped_and_a_key_shows_the_keys(terminal: Open) -> None:
    screen = terminal()
    screen.start("grader quiz warmup --in-order")
    screen.press("A\nB\n")
    screen.prompt()
    assert "Question 1 of 5" in screen.printed
    assert "Right." not in screen.printed
    screen.type("?")
    screen.prompt()
    assert re.search(r"^  h +the next hint$", screen.text, re.MULTILINE)
    assert re.search(r"^  Ctrl-C +clears what is typed", screen.text, re.MULTILINE)
    screen.type("what?")
    screen.prompt()
    assert "could not be read" in screen.text
    assert "PyTorch ..." not in screen.text.partition("what?")[2]
    screen.type("B")
    screen.prompt()
    assert "w why" in screen.text
    screen.type("?")
    screen.prompt()
    assert re.search(r"^  w +why: what PyTorch did", screen.text, re.MULTILINE)
    screen.type("q")
    assert screen.end() == 0
    assert "1 of 5 questions: 1 correct" in screen.text
    assert screen.named[0] == "grader quiz warmup --resume --in-order"


def test_a_wrong_answer_is_refuted_in_sight_and_the_rest_is_on_request(terminal: Open, proven: object) -> None:
    screen = terminal()
    screen.start("grader quiz warmup --item third-epoch-rate --in-order --no-records")
    screen.prompt()
    screen.type("B")
    screen.prompt()
    assert re.search(r"Not right\. .*index", screen.text)
    assert re.search(r"^  yours  B  0\.04$", screen.text, re.MULTILINE)
    assert re.search(r"^  right  A  0\.06$", screen.text, re.MULTILINE)
    assert "The rate used" in screen.text
    assert "Solution" not in screen.text
    screen.type("w")
    screen.prompt()
    assert "Solution" in screen.printed
    assert "Common mistakes" in screen.printed
    screen.type("")
    assert screen.end() == 0
    screen.start("grader quiz warmup --item ramp-rate-table --no-records")
    screen.prompt()
    screen.type("1 2 3 4 5 6")
    screen.prompt()
    assert "Not right." in screen.text or "Partly right." in screen.text
    screen.type("s")
    screen.prompt()
    screen.type("")
    assert screen.end() == 0


def test_a_right_answer_is_told_in_a_line_or_two(terminal: Open) -> None:
    screen = terminal()
    screen.start("grader quiz warmup --item third-epoch-rate --in-order --no-records")
    screen.prompt()
    screen.type("A")
    screen.prompt()
    said = screen.text.partition("Right. ")[2].partition("Enter to finish")[0]
    assert said.strip().startswith("The base rate times the factor")
    assert len(said.strip().splitlines()) <= 2


def test_the_first_ctrl_c_clears_and_the_second_ends_with_what_was_answered(
    terminal: Open, home: Path, environment: dict[str, str]
) -> None:
    screen = terminal()
    screen.start(f"grader quiz t --bank {home} --no-records")
    screen.prompt()
    screen.type("def factor(epoch):")
    screen.interrupt()
    screen.prompt()
    assert "Cleared." in screen.text
    screen.type("factor = lambda epoch: 0\n.")
    screen.prompt()
    assert "Try again: code" in screen.printed
    screen.interrupt()
    screen.prompt()
    screen.interrupt()
    assert screen.end() == 0
    assert "1 of 2 questions: 1 incorrect" in screen.printed
    assert "Traceback" not in screen.printed


def test_an_editor_begins_with_the_last_try(terminal: Open, home: Path) -> None:
    editor = home / "editor"
    editor.write_text(f'#!/bin/sh\n/bin/cat "$1" >> {home}/begun.txt\n/bin/cat {home}/next.py > "$1"\n')
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    screen = terminal(EDITOR=str(editor), PATH="/usr/bin:/bin")
    screen.start(f"grader quiz t --item factor --bank {home} --no-records")
    screen.prompt()
    assert "e editor" in screen.text
    (home / "next.py").write_text(LATE)
    screen.type("e")
    screen.prompt()
    assert "It comes an epoch late." in screen.text
    (home / "next.py").write_text(RIGHT)
    screen.type("e")
    screen.wait("And now your own code")
    assert (home / "begun.txt").read_text() == "def factor(epoch):\n    return 1\n" + LATE


def test_a_file_is_judged_at_each_save(terminal: Open, home: Path) -> None:
    mine = home / "mine.py"
    screen = terminal()
    screen.start(f"grader quiz t --bank {home} --no-records --watch {mine}")
    screen.wait("Watching")
    assert mine.read_text() == "def factor(epoch):\n    return 1\n"
    mine.write_text(LATE)
    screen.wait("It comes an epoch late.")
    mine.write_text(RIGHT)
    screen.wait("Right.")
    assert screen.end() == 0
    assert "1 of 1 questions: 1 correct" in screen.printed


@pytest.mark.slow
def test_an_open_question_of_a_test_can_be_gone_back_to(terminal: Open, home: Path, proven: object) -> None:
    screen = terminal()
    screen.start("grader test warmup --seed 3")
    screen.prompt()
    first = re.search(r"Question 1 of 10 .*", screen.printed)
    assert first
    screen.type("s")
    screen.prompt()
    screen.type("s")
    screen.prompt()
    while "still open" not in screen.text:
        answer(screen, "A")
    assert "Questions 1, 2 are still open." in screen.text
    screen.type("2")
    screen.prompt()
    assert "Question 2 of 10" in screen.printed[-2000:]
    answer(screen, "A")
    assert first[0] in screen.printed[-2500:]
    screen.type("s")
    screen.prompt()
    assert "Question 1 is still open." in screen.text
    screen.type("f")
    screen.prompt()
    assert "of 10 points" in screen.printed
    assert "Enter to see what was not right" in screen.text
    screen.type("")
    screen.prompt()
    assert "w why" in screen.text
    screen.type("q")
    assert screen.end() == 0


def test_long_lines_of_code_go_on_with_a_mark(terminal: Open) -> None:
    screen = terminal(60, NO_COLOR="1", LANG="C.UTF-8")
    screen.start("grader quiz warmup --item trace-hidden-shape --no-records")
    screen.prompt()
    assert "↪ " in screen.printed
    assert not screen.too_wide
