"""The command, as a user runs it: exit codes, documents, and what is said where something is wrong."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from grader import cli
from grader.cli.shared import print_findings
from grader.model import Bank, Finding, Span
from grader.runner.local import NOT_STARTED
from tests.support.common import ROOT, STEP_FIRST, Command, alone
from tests.support.patience import seconds, until

pytestmark = pytest.mark.usefixtures("proven")

WITH_TORCH_OF = """\
import sys, grader.runner.processes as local
real = local.worker_environment
local.around_worker = lambda *_: None
local.worker_environment = lambda scratch: real(scratch) | {{"PYTHONPATH": {path!r}}}
from grader.cli import main
sys.argv = {arguments!r}
main()
"""
"""The command, with a worker that looks for torch on another path first."""


# ---------------------------------------------------------------- quiz


def test_answers_from_a_pipe_one_a_line(process: Command) -> None:
    done = process("quiz", "warmup", "--json", stdin="B\nC\nA\n")
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert done.stderr == ""
    assert [result["item"] for result in document["results"]] == ["warmup-purpose", "warmup-class", "third-epoch-rate"]
    assert [result["outcome"] for result in document["results"]] == ["correct"] * 3
    assert [result["response"] for result in document["results"]] == ["B", "C", "A"]
    assert (document["topic"], document["score"], document["questions"], document["ended"]) == (
        "warmup",
        1.0,
        5,
        "stopped",
    )
    third = document["results"][2]
    assert third["variant"] == {"base_lr": 0.1, "warmup_epochs": 5}
    assert third["observed"]["answer"] == pytest.approx(0.06)
    assert third["observed"]["lr_used"] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1])


def test_every_outcome_has_its_word(grader: Command) -> None:
    done = grader("quiz", "warmup", "--json", stdin="A\nwhat?\nh\n0.06\ns\nA\n")
    results = json.loads(done.stdout)["results"]
    assert [result["outcome"] for result in results] == ["incorrect", "unreadable", "correct", "skipped", "incorrect"]
    assert [result["score"] for result in results] == [0.0, None, 1.0, 0.0, 0.0]
    assert [result["hints_used"] for result in results] == [0, 0, 1, 0, 0]
    assert results[0]["mistake"] == "forgets-plus-one"
    assert json.loads(done.stdout)["score"] == 0.25


@pytest.mark.parametrize("stdin", ["", "\n", "q\n", "\x00\n", "\udcff\n"])
def test_the_end_of_input_ends_the_quiz_cleanly(process: Command, stdin: str) -> None:
    done = process("quiz", "schedulers", "--json", stdin=stdin.encode("utf-8", "replace").decode())
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["results"]) == (1 if stdin.strip(" q") and stdin != "q\n" else 0)


def test_strict_counts_what_is_wrong_or_left_out(grader: Command) -> None:
    right = "D\nA\nA\nB\nC\n"
    assert grader("quiz", "schedulers", "--strict", stdin=right).returncode == 0
    assert grader("quiz", "schedulers", "--strict", stdin=right.replace("D", "A", 1)).returncode == 1
    assert grader("quiz", "schedulers", "--strict", stdin="D\n").returncode == 1
    assert grader("quiz", "schedulers", stdin="A\n").returncode == 0


def test_a_seed_draws_the_same_numbers_everywhere(grader: Command) -> None:
    first = json.loads(grader("quiz", "warmup", "--json", "--seed", "7", stdin="A\n" * 5).stdout)
    again = json.loads(grader("quiz", "warmup", "--json", "--seed", "7", stdin="A\n" * 5).stdout)
    other = json.loads(grader("quiz", "warmup", "--json", "--seed", "8", stdin="A\n" * 5).stdout)
    drawn = [[result["variant"] for result in document["results"]] for document in (first, again, other)]
    assert drawn[0] == drawn[1] != drawn[2]
    graded = json.loads(grader("grade", "third-epoch-rate", "--answer", "A", "--seed", "7", "--json").stdout)
    assert graded["variant"] == drawn[0][2]


def test_shuffled_options_are_judged_as_they_are_shown(grader: Command) -> None:
    arguments = ("quiz", "schedulers", "--shuffle", "--seed", "3", "--count", "1", "--plain")
    text = grader(*arguments, stdin="").stdout
    key = "It multiplies the learning rate by 0.5 every two epochs."
    letter = next(line.split()[0] for line in text.splitlines() if key in line)
    assert letter != "D"
    document = json.loads(grader(*arguments, "--json", stdin=f"{letter}\n").stdout)
    assert document["results"][0]["outcome"] == "correct"


def test_other_modes_and_counts(grader: Command) -> None:
    trace = json.loads(grader("quiz", "warmup", "--mode", "trace", "--json", stdin="C\n0.002\nC\n").stdout)
    assert [result["outcome"] for result in trace["results"]] == ["correct"] * 3
    done = grader("quiz", "warmup", "--mode", "nothing")
    assert done.returncode == 2
    assert "it has challenge, metrics, practice, review, test, trace, try" in done.stderr


# ---------------------------------------------------------------- what is seen


def test_a_quiz_reads_well_in_80_columns_without_colors(grader: Command) -> None:
    text = grader("quiz", "warmup", stdin="B\nh\nA\n0.04\ns\nq\n").stdout
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    for part in (
        "Question 1 of 5   easy   purpose of warmup",
        "Answer: A-D   h hint (2 left)   s skip   q quit",
        "Right.",
        "The rate used rises from 0.02 (step 1) to 0.1 (step 5), then stays at 0.1 until",
        "  1. The first step trains with 0.02, the second with 0.04;",
        "Hint 1: Two of the four classes take a function.",
        "Not right. The function gets an index that starts at 0, so the ramp divides",
        "base_lr, warmup_epochs = 0.1, 5",
        "  3. The base rate times the factor: 0.1 * 0.6 = 0.06.",
        "Final answer\n  A  0.06",
        "Common mistakes\n  C  That is the base rate",
        "Skipped.",
        "4 of 5 questions: 1 correct, 2 incorrect, 1 skipped",
        "  - The function gets an index that starts at 0",
    ):
        assert part in text, part
    rows = [line.split() for line in text.splitlines() if line.startswith("     3  ")]
    assert ["3", "0.06", "0.08"] in rows


def test_plain_mode_has_no_plots(grader: Command) -> None:
    arguments = ("quiz", "warmup", "--count", "1")
    assert "┤" in grader(*arguments, stdin="B\n").stdout
    assert "┤" not in grader(*arguments, "--plain", stdin="B\n").stdout


@pytest.mark.waits
def test_a_sitting_at_a_terminal(environment: dict[str, str]) -> None:
    """A learner who mistypes, asks for a hint, answers, goes on, and stops with Ctrl-D."""
    variables = {name: value for name, value in environment.items() if name != "NO_COLOR"} | {"TERM": "xterm-256color"}
    command = pexpect.spawn(
        sys.executable,
        ["-m", "grader", "quiz", "warmup", "--in-order", "--no-records"],
        env=variables,
        cwd=str(ROOT),
        encoding="utf-8",
        timeout=seconds(),
    )
    command.setwinsize(50, 80)
    command.expect("Question 1 of 5")
    command.expect("> ")
    command.sendline("what?")
    command.expect("could not be read")
    command.expect("> ")
    command.sendline("h")
    command.expect("Hint 1:")
    command.expect("> ")
    command.sendline("b")
    command.expect("Right")
    command.expect("Enter for the next question")
    command.sendline("")
    command.expect("Question 2 of 5")
    command.expect("> ")
    command.sendeof()
    command.expect("1 of 5 questions: 1 correct")
    command.expect(pexpect.EOF)
    command.close()
    assert command.exitstatus == 0


@pytest.mark.waits
def test_a_lesson_at_a_terminal_offers_its_practice(environment: dict[str, str]) -> None:
    command = pexpect.spawn(
        sys.executable, ["-m", "grader", "learn", "warmup", "--mode", "why"], env={**environment, "PAGER": "cat"},
        cwd=str(ROOT), encoding="utf-8", timeout=seconds(),
    )  # fmt: skip
    command.logfile_read = io.StringIO()
    while command.expect(["Enter to practice now", "\n> "]):
        command.sendline("s")
    read = command.logfile_read.getvalue()
    assert read.index("Key result:") < read.index("grader quiz warmup")
    command.sendline("")
    command.expect("Question 1 of 5")
    command.expect("> ")
    command.sendline("q")
    command.expect("0 of 5 questions")
    command.expect(pexpect.EOF)
    command.close()
    assert command.exitstatus == 0


@pytest.mark.waits
def test_ctrl_c_ends_with_the_summary(environment: dict[str, str]) -> None:
    command = pexpect.spawn(
        sys.executable,
        ["-m", "grader", "quiz", "warmup"],
        env=environment,
        cwd=str(ROOT),
        encoding="utf-8",
        timeout=seconds(),
    )
    command.expect("> ")
    command.sendintr()
    command.expect("Cleared. Ctrl-C once more quits.")
    command.expect("> ")
    command.sendintr()
    command.expect("0 of 5 questions: none answered")
    command.expect(pexpect.EOF)
    command.close()
    assert command.exitstatus == 0


@pytest.mark.waits
def test_the_first_question_does_not_wait_for_torch(environment: dict[str, str], tmp_path: Path) -> None:
    """Nothing is known yet, and the worker's import of torch does not come to its end while the question is there."""
    (tmp_path / "torch.py").write_text(
        "import os, pathlib, time\n"
        "parent = os.getppid()\n"
        "pathlib.Path(__file__).with_name('begun').touch()\n"
        "while os.getppid() == parent: time.sleep(0.05)\n"
        "os._exit(0)\n"
    )
    script = WITH_TORCH_OF.format(path=f"{tmp_path}:{ROOT}", arguments=["grader", "quiz", "warmup"])
    command = pexpect.spawn(
        sys.executable, ["-c", script], env=environment | {"GRADER_CACHE": str(tmp_path / "cache")}, cwd=str(ROOT),
        encoding="utf-8", timeout=seconds(),
    )  # fmt: skip
    command.expect("Question 1 of 5")
    command.expect("> ")
    until((tmp_path / "begun").exists, "no worker imports torch")
    command.close(force=True)


# ---------------------------------------------------------------- grade


@pytest.mark.parametrize(
    ("answer", "outcome", "mistake", "score"),
    [
        ("0.06", "correct", None, 1.0),
        ("A", "correct", None, 1.0),
        ("0.04", "incorrect", "forgets-plus-one", 0.0),
        ("abc", "unreadable", None, None),
        ("", "unreadable", None, None),
    ],
)
def test_one_answer_is_graded(
    grader: Command, answer: str, outcome: str, mistake: str | None, score: float | None
) -> None:
    done = grader("grade", "third-epoch-rate", "--answer", answer, "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert set(document) >= {"format", "item", "variant", "outcome", "score", "mistake", "feedback", "observed"}
    assert (document["outcome"], document["mistake"], document["score"]) == (outcome, mistake, score)
    assert bool(document["feedback"]) == (outcome != "correct")
    strict = grader("grade", "third-epoch-rate", "--answer", answer, "--strict").returncode
    assert strict == (0 if outcome == "correct" else 1)


def test_an_answer_may_come_from_a_file(process: Command, tmp_path: Path) -> None:
    (tmp_path / "answer").write_text("0.0200\n")
    done = process("grade", "first-rate-at-construction", "--answer-file", tmp_path / "answer")
    assert done.stdout == "correct\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["grade", "third-epoch-rat", "--answer", "A"], "did you mean `third-epoch-rate`?"),
        (["grade", "third-epoch-rate"], "give one of --answer and --answer-file"),
        (["grade", "third-epoch-rate", "--answer", "A", "--answer-file", "x"], "give one of"),
        (["grade", "third-epoch-rate", "--answer-file", "/nowhere"], "/nowhere: the file cannot be read"),
        (["grade", "third-epoch-rate", "--answer", "A", "--seed", "x"], "'x' is not a valid integer"),
        (["quiz", "warmpu"], "did you mean `warmup`?"),
        (["quiz", "warmup", "--count", "0"], "0 is not in the range x>=1"),
        (["quiz"], "Missing argument 'TOPIC'"),
        (["quiz", "../../etc/passwd"], "there is no topic"),
        (["verify", "/nowhere.yaml"], "/nowhere.yaml: there is no such file"),
        (["verify", "--bank", "/nowhere"], "there is no quiz here"),
        (["run", "/nowhere.py"], "/nowhere.py: the file cannot be read"),
        (["run", "/"], "/: there is no program in this folder"),
        (["lern"], "No such command 'lern'"),
    ],
)
def test_wrong_usage_is_told_in_a_line_or_two(grader: Command, arguments: list[str], said: str) -> None:
    done = grader(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) <= 5


# ---------------------------------------------------------------- run, topics, doctor


def test_run_shows_what_was_observed(grader: Command, tmp_path: Path) -> None:
    (tmp_path / "loop.py").write_text(STEP_FIRST)
    done = grader("run", tmp_path / "loop.py", "--json")
    seen = json.loads(done.stdout)
    assert done.returncode == 0
    assert seen["status"] == "ok"
    assert seen["lr_after_step"] == pytest.approx([0.04, 0.06, 0.08, 0.1, 0.1])
    assert seen["lr_used"] == []
    assert [warning["category"] for warning in seen["warnings"]] == ["UserWarning"]
    assert "before `optimizer.step()`" in seen["warnings"][0]["message"]
    assert seen["stdout"].startswith("Epoch 1: 0.04\n")
    assert {"format", "error", "seconds", "peak_bytes"} <= set(seen)
    text = grader("run", tmp_path / "loop.py").stdout
    assert "UserWarning (line 7)" in text
    assert "  Epoch 3: 0.08" in text


@pytest.mark.waits
def test_run_reads_standard_input_and_tells_what_stopped_a_program(grader: Command, process: Command) -> None:
    done = process("run", "-", "--json", stdin="print(1)\n1 / 0\n")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"] == {
        "type": "ZeroDivisionError", "message": "division by zero", "line": 2, "code": "1 / 0",
    }  # fmt: skip
    done = grader("run", "-", "--seconds", "1", stdin="while True: pass")
    assert done.returncode == 1
    assert done.stdout.startswith("timeout: ")


def test_topics_and_doctor(grader: Command, process: Command, bank: Bank) -> None:
    topics = json.loads(grader("topics", "--json").stdout)["topics"]
    assert [topic["topic"] for topic in topics] == [topic.name for topic in bank.topics]
    assert "warmup: Warmup strategies" in grader("topics").stdout
    done = process("doctor", "--json")
    assert done.returncode == 0
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    names = {"python", "torch", "cache", "bank", "worker", "memory limit", "time limit", "sandbox", "notebooks"}
    assert {*names, "warm kernels", "confined kernels"} <= set(checks)
    assert checks["worker"]["result"] == "ok"
    assert "Landlock" in checks["sandbox"]["found"] or checks["sandbox"]["result"] == "warn"


def test_help_fits_a_screen_for_every_command(process: Command) -> None:
    for command in ((), *((name,) for name in cli.app.commands)):
        text = process(*command, "--help").stdout
        assert len(text.splitlines()) <= 24
        assert max(map(len, text.splitlines())) <= 80
    listed = re.findall(r"^  ([a-z-]+(?:, [a-z-]+)*)  ", process("--help").stdout, re.MULTILINE)
    assert sorted(", ".join(listed).split(", ")) == sorted(cli.app.commands)


# ---------------------------------------------------------------- bad input never ends in a traceback


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"a: b\n" * 1_000_000,
        b"a: &x [*x]",
        b"!!python/object:os.system x",
        b"- 1",
        b"items: 3",
        b"\x00",
    ],
)
@pytest.mark.parametrize("command", [["verify"], ["quiz", "quiz"], ["grade", "x", "--answer", "A"], ["topics"]])
def test_a_spoilt_bank_is_told(
    content: bytes, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    environment: dict[str, str],
) -> None:  # fmt: skip
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes" / "quiz.yaml").write_bytes(content)
    monkeypatch.setenv("GRADER_CACHE", environment["GRADER_CACHE"])
    monkeypatch.setattr(sys, "argv", ["grader", *command, "--bank", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert "quiz.yaml:" in out + err
    assert "Traceback" not in out + err


def test_an_error_of_ours_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("grader.cli.learners.good_bank", broken)
    monkeypatch.setattr(sys, "argv", ["grader", "topics"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 3
    assert "an internal error: RuntimeError: a bug" in capsys.readouterr().err


@pytest.mark.slow
def test_without_torch_a_question_is_not_run_and_not_wrong(environment: dict[str, str], tmp_path: Path) -> None:
    """The worker cannot start: exit code 3, the word not-run, no points taken."""
    arguments = ["grader", "quiz", "warmup", "--json", "--count", "1"]
    script = WITH_TORCH_OF.format(path=f"{tmp_path}:{ROOT}", arguments=arguments)
    (tmp_path / "torch.py").write_text("raise ImportError('no torch here')")
    done = subprocess.run(
        [sys.executable, "-c", script], input="B\n", capture_output=True, text=True, check=False, cwd=ROOT,
        env=environment | {"GRADER_CACHE": str(tmp_path / "cache")}, timeout=seconds(),
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    result = json.loads(done.stdout)["results"][0]
    assert (result["outcome"], result["score"]) == ("not-run", None)
    assert "no torch here" in result["feedback"]


def test_the_quizzes_are_where_the_command_looks(grader: Command, tmp_path: Path) -> None:
    mine = tmp_path / "quizzes"
    mine.mkdir()
    (mine / "own.yaml").write_text(alone("warmup").replace("topic: warmup", "topic: own"))
    assert grader("topics", cwd=tmp_path).stdout.startswith("own: ")


def test_a_variable_may_name_the_bank(
    grader: Command, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "quizzes").mkdir()
    own = alone("warmup").replace("topic: warmup", "topic: own")
    (tmp_path / "quizzes/own.yaml").write_text(own)
    monkeypatch.setitem(environment, "GRADER_BANK", str(tmp_path))
    assert grader("topics").stdout.startswith("own: ")
    assert "\nschedulers: " in grader("topics", "--bank", ROOT).stdout
    monkeypatch.setitem(environment, "GRADER_BANK", "/nowhere")
    done = grader("topics")
    assert done.returncode == 2
    assert "/nowhere: there is no quiz here" in done.stderr


def test_where_nothing_can_be_run_that_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    broken = [
        Finding(
            "not-run", f"the program did not end: {NOT_STARTED}: no torch", Span("a.yaml", line, 1), "see", item="one"
        )
        for line in range(1, 4)
    ]
    print_findings((*broken, Finding("key-fails", "option A says 1", Span("a.yaml", 9, 1), item="two")))
    assert capsys.readouterr().out.splitlines() == [
        "a.yaml:1:1: not-run: the program did not end: the worker could not start: no torch [one]",
        "  2 more could not be run, for the same reason",
        "  hint: see",
        "a.yaml:9:1: key-fails: option A says 1 [two]",
    ]


def test_numbers_that_json_has_no_word_for_are_named(grader: Command, tmp_path: Path) -> None:
    """No text that a program leaves can pass for one."""
    (tmp_path / "run.py").write_text("losses = [1.0, float('nan'), float('inf'), -float('inf')]\nprint('nan')\n")
    document = json.loads(grader("run", tmp_path / "run.py", "--json").stdout, parse_constant=pytest.fail)
    assert document["losses"] == [1.0, {"$float": "nan"}, {"$float": "inf"}, {"$float": "-inf"}]
    assert document["stdout"] == "nan\n"
