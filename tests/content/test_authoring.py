"""An author's loop: a new item or lesson is proven as it stands, goes into a file without disturbing it, and is watched."""

from __future__ import annotations

import difflib
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.content import bank_files, bank_homes, lesson_files, scaffold
from grader.errors import InputError
from grader.exchange import ipynb
from grader.kinds import built_in
from grader.nbgrader.judge import bank_of
from grader.render import figures
from tests.support.common import ROOT, Command, alone
from tests.support.patience import seconds, until


def test_there_is_a_starter_of_every_kind_and_all_are_proven(grader: Command, tmp_path: Path) -> None:
    for kind in built_in():
        assert grader("new", "item", "fresh", f"my-{kind}", "--kind", kind, "--bank", tmp_path).returncode == 0
    for mode in lesson_files.MODES:
        assert grader("new", "lesson", "fresh", mode, "--bank", tmp_path, "--title", f"Fresh {mode}").returncode == 0
    done = grader("verify", "--bank", tmp_path)
    assert done.returncode == 0, done.stdout
    assert f"{len(built_in())} items proven, 0 not, no findings" in done.stdout
    assert "nothing to change" in grader("pin", "--bank", tmp_path).stdout


OTHERS = {
    "rows": "[5, 7]", "first": "[2.0, 9.0]", "scale": "[3.0, 0.5]", "start": "[4.0, 6.0]", "inputs": "[6, 2]",
    "samples": "[9, 11]", "rate": "[0.05, 0.3]",
}  # fmt: skip


def changed(text: str) -> str:
    """An item with one line changed: the values of its parameter, else an input, else how hard it is."""
    for old, new in (
        *((f"params: {{{name}: .*", f"params: {{{name}: {new}}}") for name, new in OTHERS.items()),
        (r"given: \[\{x: \{tensor: .*-2.0, 3.0\]\}\}\]", "given: [{x: {tensor: [4.0, -0.5]}}]"),
        (r"given: \[\{x: .*", "given: [{x: {tensor: [[1.0, 7.0], [0.5, 4.0], [2.0, -1.0]]}}]"),
        (r"given: \[\{start: .*", "given: [{start: 3.0, steps: 5}]"),
        ("level: easy", "level: hard"),
    ):
        text, found = re.subn(old, new, text, count=1)
        if found:
            return text
    raise AssertionError(text)


@pytest.mark.parametrize(
    "about",
    [pytest.param(about, marks=[] if about == "tensor" else [pytest.mark.slow]) for about in scaffold.subjects()],
)
def test_a_starter_of_each_kind_about_a_subject_is_proven_with_a_line_changed(
    about: str, grader: Command, tmp_path: Path
) -> None:
    """Each is a topic of its own, so that a changed line is in it."""
    for kind in built_in():
        done = grader("new", "item", f"my-{kind}", f"own-{kind}", "--kind", kind, "--about", about, "--bank", tmp_path)
        assert done.returncode == 0, done.stderr
        path = tmp_path / f"quizzes/my-{kind}.yaml"
        before = path.read_text()
        assert f"{about}-" not in before
        path.write_text(changed(before))
        assert sum(a != b for a, b in zip(before.split("\n"), path.read_text().split("\n"), strict=True)) == 1
    done = grader("verify", "--bank", tmp_path)
    assert done.returncode == 0, done.stdout
    assert f"{len(built_in())} items proven, 0 not, no findings" in done.stdout


def test_a_subject_without_starters_is_told(grader: Command, tmp_path: Path) -> None:
    done = grader("new", "item", "fresh", "one", "--about", "tensr", "--bank", tmp_path)
    assert (done.returncode, "did you mean `tensor`" in done.stderr) == (2, True)
    assert not list(tmp_path.iterdir())


def test_a_new_item_leaves_the_rest_of_a_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "quizzes").mkdir()
    before = alone("warmup")
    (tmp_path / "quizzes/warmup.yaml").write_text(before)
    path, text = scaffold.item(tmp_path, "warmup", "brand-new", "number")
    matcher = difflib.SequenceMatcher(None, before.splitlines(), text.splitlines(), autojunk=False)
    assert {change for change, *_ in matcher.get_opcodes()} == {"equal", "insert"}
    topic, findings = bank_files.parse(text, str(path))
    assert not findings
    assert topic
    old, _ = bank_files.parse(before, str(path))
    assert old
    assert [item.id for item in topic.items] == [*(item.id for item in old.items), "brand-new"]
    assert len(topic.mistakes) == len(old.mistakes) + 2


@pytest.mark.parametrize(
    ("topic", "name", "said"),
    [
        ("warmup", "third-epoch-rate", "there is an item `third-epoch-rate` already"),
        ("other", "third-epoch-rate", "there is an item `third-epoch-rate` already"),
        ("warmup", "Third", "'Third' is not an id"),
        ("../up", "new", "'../up' is not a topic"),
    ],
)
def test_what_cannot_be_started_is_told(topic: str, name: str, said: str) -> None:
    with pytest.raises(InputError, match=said.replace(".", "[.]")):
        scaffold.item(ROOT, topic, name, "choice")


def test_a_lesson_is_never_written_over(grader: Command, tmp_path: Path) -> None:
    (tmp_path / "lessons/warmup").mkdir(parents=True)
    (tmp_path / "lessons/warmup/why.md").write_text("mine")
    done = grader("new", "lesson", "warmup", "why", "--bank", tmp_path)
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert (tmp_path / "lessons/warmup/why.md").read_text() == "mine"
    assert "did you mean `learn`" in grader("new", "lesson", "warmup", "lern", "--bank", tmp_path).stderr
    assert "without colons" in grader("new", "lesson", "warmup", "deep", "--title", "a: b", "--bank", tmp_path).stderr


def test_a_folder_that_cannot_be_written_is_told(grader: Command, tmp_path: Path) -> None:
    (tmp_path / "quizzes").write_text("a file")
    done = grader("new", "item", "fresh", "one", "--bank", tmp_path)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


# ---------------------------------------------------------------- a bank of one's own


def files_in(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_new_bank_is_proven_and_is_what_commands_in_its_folder_ask(grader: Command, tmp_path: Path) -> None:
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/.gitkeep").touch()
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n")
    before = files_in(tmp_path)
    done = grader("new", "bank", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    quiz = "quizzes/week-1.yaml"
    assert files_in(tmp_path) == before | {quiz: (tmp_path / quiz).read_text()}
    assert "with their answers" in (tmp_path / quiz).read_text()
    verify, notebook = (line.split()[1:] for line in done.stdout.splitlines() if line.startswith("  grader "))
    assert "2 items proven, 0 not, no findings" in grader("verify", verify[-1], cwd=tmp_path).stdout
    assert "week-1: Week 1" in grader("topics", cwd=tmp_path).stdout
    made = grader(*notebook, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    for name in ("first-question", "first-program"):
        assert f"answer-{name}" in (tmp_path / "source/NAME/NAME.ipynb").read_text()
    other = grader("notebook", "warmup", "--assignment", "-o", "source/ps1", cwd=tmp_path)
    assert (other.returncode, "there is no topic `warmup`" in other.stderr) == (2, True)
    there = other.stderr.rpartition("--bank ")[2].strip()  # it says where the topic is
    items = ("--items", "third-epoch-rate")
    assert (
        grader(
            "notebook", "warmup", "--assignment", "-o", "source/ps1", *items, "--bank", there, cwd=tmp_path
        ).returncode
        == 0
    )
    added = grader("new", "item", "week-1", "mine", cwd=tmp_path)
    assert added.returncode == 0, added.stderr
    assert "id: mine" in (tmp_path / quiz).read_text()


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ("quizzes/warmup.yaml", "there is a bank here already"),
        ("quizzes/notes.txt", "there is something here already"),
        ("quizzes/topic/one.yaml", "there is something here already"),
        ("quizzes", "there is something here already"),
    ],
)
def test_a_new_bank_is_never_put_where_something_is(grader: Command, tmp_path: Path, there: str, said: str) -> None:
    path = tmp_path / there
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    for topic in ("week-1", "warmup"):
        done = grader("new", "bank", topic, "--bank", tmp_path)
        assert done.returncode == 2
        assert said in done.stderr
        assert "nothing was written" in done.stderr
        assert files_in(tmp_path) == {there: "mine"}


def test_a_bank_that_cannot_be_started_is_told(grader: Command, tmp_path: Path) -> None:
    done = grader("new", "bank", "../up", "--bank", tmp_path)
    assert (done.returncode, "'../up' is not a topic" in done.stderr) == (2, True)
    (tmp_path / "file").touch()
    done = grader("new", "bank", "--bank", tmp_path / "file")
    assert (done.returncode, "cannot be written" in done.stderr) == (2, True)
    (tmp_path / "quizzes").symlink_to(tmp_path / "nowhere")
    done = grader("new", "bank", "--bank", tmp_path)
    assert (done.returncode, "there is something here already" in done.stderr) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "quizzes"]


def test_a_bank_that_would_not_be_asked_is_told(
    grader: Command, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(environment, "GRADER_BANK", str(ROOT))
    done = grader("new", "bank", cwd=tmp_path)
    assert (done.returncode, "GRADER_BANK names another bank" in done.stderr) == (0, True)


def test_an_assignment_is_graded_with_the_bank_that_has_its_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRADER_BANK", raising=False)
    monkeypatch.chdir(tmp_path)
    course = tmp_path / "course"
    (own,) = bank_homes.homes(None, course)  # a course without a bank: the package's
    assert bank_of({"third-epoch-rate"}, None, course) == own
    path, text = scaffold.bank(course, "week-1")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert bank_homes.homes(None, course) == [course, own]
    assert bank_of({"first-program", "first-question"}, None, course) == course
    assert bank_of({"first-program", "gone-since"}, None, course) == course  # which then says what is gone
    assert bank_of({"third-epoch-rate"}, None, course) == own
    assert bank_of({"third-epoch-rate"}, course, course) == course  # what is asked for is what is taken
    path.write_text(text.replace("id: first-question", "id: third-epoch-rate"))
    assert bank_of({"third-epoch-rate"}, None, course) == course  # it is read again once it has changed
    path.write_text("items: [")
    assert bank_of({"ramp-rate-table"}, None, course) == course  # its problems are what is to be told
    monkeypatch.setenv("GRADER_BANK", str(own))
    assert bank_of({"first-program"}, None, course) == own


# ---------------------------------------------------------------- watching


class Watching:
    """`grader verify --watch` in a process of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.out = folder / "said.txt"
        with self.out.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "grader", "verify", "--watch", "--bank", str(folder)],
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=ROOT,
            )

    def waits_for(self, text: str, times: int = 1) -> None:
        until(lambda: self.out.read_text().count(text) >= times, lambda: f"no {text!r} in: {self.out.read_text()}")


@pytest.fixture
def watching(tmp_path: Path, environment: dict[str, str]) -> Iterator[Watching]:
    for path, text in (
        scaffold.item(tmp_path, "fresh", "one", "number"),
        scaffold.lesson(tmp_path, "fresh", "learn", None),
    ):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    watched = Watching(tmp_path, environment)
    yield watched
    watched.process.send_signal(signal.SIGINT)
    assert watched.process.wait(timeout=seconds()) == 0
    assert "Traceback" not in watched.out.read_text()


@pytest.mark.waits
def test_what_is_saved_is_proven_at_once(watching: Watching, tmp_path: Path) -> None:
    watching.waits_for("Watching; Ctrl-C ends it.")
    page = tmp_path / "lessons/fresh/learn.md"
    page.write_text(page.read_text().replace("3 0.05", "3 0.06"))
    watching.waits_for("learn.md:32:1: pin-differs: recorded is `3 0.06`, the run says `3 0.05`")
    quiz = tmp_path / "quizzes/fresh.yaml"
    text = quiz.read_text()
    quiz.write_text(text.replace("yields: base_lr}", "yields: base_lr * 0.5}"))
    watching.waits_for("distractor-holds: the mistake `one-too-late` yields the answer")
    quiz.write_text(text.replace("items:", "items: ["))
    watching.waits_for("nothing was run")
    beside = quiz.with_name("saved")  # as editors save
    beside.write_text(text)
    beside.replace(quiz)
    watching.waits_for("1 items proven, 0 not, no findings", times=2)
    assert "learn.md" not in watching.out.read_text().rpartition("fresh.yaml:\n")[2]


def test_watching_goes_with_neither_json_nor_a_run_of_everything(grader: Command) -> None:
    for option in ("--json", "--no-cache"):
        done = grader("verify", "--watch", option)
        assert done.returncode == 2
        assert "--watch goes with neither" in done.stderr


# ---------------------------------------------------------------- figures


def test_a_chart_is_read_back_from_an_output_with_more_in_it() -> None:
    drawn = figures.chart("Loss", "epoch", "loss", {"a ramp": [1 / 3, 2, float("nan")] * 10, "none": [-1e-9, 1e20]})
    before, found, after = figures.BLOCK.split(f"before\n{drawn}\nafter: it\n")
    assert (before, after) == ("before\n", "after: it\n")
    read = figures.read(found)
    assert read
    assert repr(read) == repr(drawn.chart)
    assert max(map(len, str(drawn).splitlines())) <= 76
    assert figures.read("Chart: no curves (x, y)") is None
    assert figures.read("something else") is None
    for wrong in ({}, {"a:b": [1.0]}):
        with pytest.raises(ValueError, match="at least one curve"):
            figures.chart("t", "x", "y", wrong)


def test_a_lesson_s_charts_are_drawn_in_a_terminal(grader: Command, tmp_path: Path) -> None:
    path, text = scaffold.lesson(tmp_path, "fresh", "learn", "Fresh")
    (tmp_path / "quizzes").mkdir()
    scaffolded, quiz = scaffold.item(tmp_path, "fresh", "one", "number")
    scaffolded.write_text(quiz)
    path.parent.mkdir(parents=True)
    cell = 'from grader import trace\n\ntrace.chart("Rates", "epoch", "rate", {"rate": [4, 2, 1, 0.5]}).show()\n'
    path.write_text(text.replace("## Notes", f"```{{code-cell}} python\n{cell}```\n\n## Notes"))
    assert grader("pin", "--bank", tmp_path).returncode == 0
    assert "Chart: Rates (epoch, rate)\nrate: 4 2 1 0.5\n" in path.read_text()
    shown = grader("learn", "fresh", "--bank", tmp_path).stdout
    assert "The rate falls from 4 (epoch 1) to 0.5 (epoch 4)." in shown
    assert "┤" in shown
    plain = grader("learn", "fresh", "--bank", tmp_path, "--plain").stdout
    assert "to 0.5 (epoch 4)." in plain
    assert "┤" not in plain
    assert "Chart:" not in shown


def test_a_lesson_s_figures_are_pinned_as_text_and_drawn_from_there(grader: Command, tmp_path: Path) -> None:
    path, text = scaffold.lesson(tmp_path, "fresh", "learn", "Fresh")
    (tmp_path / "quizzes").mkdir()
    scaffolded, quiz = scaffold.item(tmp_path, "fresh", "one", "number")
    scaffolded.write_text(quiz)
    path.parent.mkdir(parents=True)
    cell = """import torch
from grader import trace

x = torch.arange(6.0).reshape(2, 3)
print("before")
trace.figure("cells", {"x": x, "x.T": x.T}, "One memory").show()
"""
    path.write_text(text.replace("## Notes", f"```{{code-cell}} python\n{cell}```\n\n## Notes"))
    assert grader("pin", "--bank", tmp_path).returncode == 0
    pinned = """\
before
Figure (cells): One memory
  place    0    1    2    3    4    5
  holds   0.   1.   2.   3.   4.   5.
  x      0,0  0,1  0,2  1,0  1,1  1,2
  x.T    0,0  1,0  2,0  0,1  1,1  2,1
"""
    assert pinned in path.read_text()
    assert grader("verify", path).returncode == 0
    path.write_text(path.read_text().replace("holds   0.", "holds   9."))
    done = grader("verify", path)
    assert "pin-differs" in done.stdout
    assert "holds   9." in done.stdout
    path.write_text(path.read_text().replace("holds   9.", "holds   0."))
    shown = grader("learn", "fresh", "--bank", tmp_path).stdout
    assert "\nOne memory\n\n  place    0    1    2" in shown
    (lesson,), _ = lesson_files.read([path])
    (outputs,) = [
        cell["outputs"] for cell in json.loads(ipynb.convert(lesson, {}))["cells"] if "x.T" in str(cell["source"])
    ]
    assert [one["output_type"] for one in outputs] == ["stream", "display_data"]
    assert outputs[1]["data"]["image/svg+xml"][0].startswith("<svg ")
