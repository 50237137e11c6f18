from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.content import bank_files
from grader.content.verify import Report, verify
from grader.judging import claims
from grader.model import Bank, Limits, Observation, Program
from grader.runner.cached import RememberingRunner, Store
from grader.runner.local import LocalRunner
from grader.template import CONTROL
from tests.support.common import QUIZZES, Case, Command, alone, cases


@pytest.mark.parametrize("case", cases("verify.txt"))
def test_what_does_not_hold_is_found(case: Case, tmp_path: Path, runner: LocalRunner) -> None:
    path = tmp_path / "quiz.yaml"
    path.write_text(case.input)
    read = bank_files.read([path])
    assert [str(finding) for finding in read.findings] == []
    report = verify(read, runner)
    found = list(dict.fromkeys(str(finding).replace(f"{path}:", "") for finding in report.findings))
    assert found == case.expected
    assert all(finding.hint and finding.item for finding in report.findings)


def test_a_pattern_that_takes_for_ever_ends_with_its_program(
    tmp_path: Path, runner: LocalRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger's regular expression is matched in the sandbox, not in this process."""
    monkeypatch.setattr(claims, "LIMITS", Limits(wall_seconds=60, cpu_seconds=1))
    path = tmp_path / "quiz.yaml"
    path.write_text(
        "format: 1\ntopic: t\ntitle: T\nitems:\n- id: a\n  kind: card\n  level: easy\n  skill: s\n  stem: What?\n"
        "  solution: [{say: So., holds: not run.losses}]\n  warns: (a+)+$\n"
        "  program: |\n    import warnings\n    warnings.warn('a' * 60 + '!')\n"
    )
    before = time.process_time()
    (finding,) = verify(bank_files.read([path]), runner).findings
    assert time.process_time() - before < 10
    assert finding.code == "over-limit"
    assert "the pattern of `warns` simpler" in finding.hint


STRANGE = """\
format: 1
topic: strange
title: "Warm \\e]0;name\\a"
items:
- id: strange
  kind: choice
  level: easy
  skill: s
  stem: "\\e[2J What \\u202e?"
  answer: "1"
  options: [{value: 1, key: true}, {value: 2}]
  hints: ["\\x9b31m"]
  solution: ["{run}"]
  "odd\\e]0;name\\a": 1
"""


@pytest.mark.parametrize(
    "arguments",
    ["verify", "verify --json", "topics", "topics --json", "quiz strange", "quiz strange --json", "test strange", "review", "learn strange",
     "grade strange --answer A", "notebook strange -o out", "notebook --assignment strange -o out", "pin", "grade odd\x1b[31m --answer A"],
)  # fmt: skip
def test_no_command_passes_on_what_steers_a_terminal(arguments: str, tmp_path: Path, grader: Command) -> None:
    folder = tmp_path / "odd\x1b]0;name\x07"
    (folder / "quizzes").mkdir(parents=True)
    (folder / "quizzes" / "strange.yaml").write_text(STRANGE)
    (folder / "lessons" / "strange").mkdir(parents=True)
    (folder / "lessons" / "strange" / "learn.md").write_text("---\ntitle: T\n---\n\x1b[31mred\n")
    done = grader(*arguments.split(" "), "--bank", folder, cwd=tmp_path)
    assert done.returncode == 2
    assert not CONTROL.search(done.stdout + done.stderr), (done.stdout, done.stderr)
    assert "\\x1b" in done.stdout + done.stderr or "\\u001b" in done.stdout


def test_the_whole_bank_is_proven(bank: Bank, proven: Report) -> None:
    assert [str(finding) for finding in proven.findings] == []
    assert proven.proven == proven.items == len(bank.items)
    assert proven.claims > 1000


FALSIFIED = {
    "a moved key": (
        "warmup",
        r"  - \{value: base_lr \* 3 / warmup_epochs, key: true\}\n  - value: base_lr \* 2 / warmup_epochs\n"
        r"    mistake: forgets-plus-one\n    instead: \{epoch \+ 1: epoch\}\n",
        "  - {value: base_lr * 3 / warmup_epochs}\n  - {value: base_lr * 2 / warmup_epochs, key: true}\n",
        {"key-fails": "2 / warmup_epochs, key: true}", "distractor-holds": "base_lr * 3 / warmup_epochs}"},
        "third-epoch-rate",
    ),
    "a distractor made true": (
        "schedulers",
        r"because: run\.error is None and falling\(run\.lr_used\)\n",
        "because: run.error is None\n  - {text: It warns., holds: len(run.warnings) == 1}\n",
        {"distractor-holds": "{text: It warns., holds: len(run.warnings) == 1}"},
        "step-order",
    ),
    "a mistake's value changed": (
        "warmup",
        r"value: base_lr \* 4 / warmup_epochs",
        "value: base_lr * 4.5 / warmup_epochs",
        {"mistake-differs": "value: base_lr * 4.5"},
        "third-epoch-rate",
    ),
    "an explanation's number falsified": (
        "warmup",
        r"= \{run\.lr_used\[2\]\}\.",
        "= {run.lr_used[3]}.",
        {"step-fails": "The base rate times the factor"},
        "third-epoch-rate",
    ),
}


@pytest.mark.parametrize("what", FALSIFIED)
def test_a_falsified_copy_of_our_quiz_is_found_out(what: str, tmp_path: Path, grader: Command, proven: Report) -> None:
    name, old, new, expected, item = FALSIFIED[what]
    text, count = re.subn(old, lambda _: new, alone(name), count=1)
    assert count == 1
    path = tmp_path / "copy.yaml"
    path.write_text(text)
    done = grader("verify", path, "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert {finding["item"] for finding in report["findings"]} == {item}
    lines = text.splitlines()
    codes = {finding["code"] for finding in report["findings"]}
    assert codes == set(expected)
    for finding in report["findings"]:
        assert finding["path"] == str(path)
        line = lines[finding["line"] - 1]
        assert expected[finding["code"]] in line
        assert 0 < finding["column"] <= len(line)
    assert report["proven"] == report["items"] - 1


def test_a_typed_number_in_an_explanation_is_found_out(tmp_path: Path, process: Command, proven: Report) -> None:
    text = alone("warmup").replace("= {run.lr_used[2]}.", "= 0.07.", 1)
    path = tmp_path / "copy.yaml"
    path.write_text(text)
    done = process("verify", path)
    line = text.splitlines().index(next(row for row in text.splitlines() if "= 0.07." in row)) + 1
    assert done.returncode == 1
    assert f"{path}:{line}:" in done.stdout
    assert "the number 0.07 in this step is typed" in done.stdout


def test_a_misspelt_field_is_bad_input(tmp_path: Path, grader: Command) -> None:
    path = tmp_path / "copy.yaml"
    text = (QUIZZES / "schedulers.yaml").read_text().replace("  options:", "  optoins:", 1)
    path.write_text(text)
    done = grader("verify", path)
    line = text[: text.index("optoins")].count("\n") + 1
    assert done.returncode == 2
    assert f"{path}:{line}:3: bad-field: there is no field `optoins` here" in done.stdout
    assert "did you mean `options`?" in done.stdout


def test_an_item_that_claims_nothing_is_not_proven(tmp_path: Path, grader: Command) -> None:
    text = alone("schedulers")
    path = tmp_path / "copy.yaml"
    path.write_text(text.replace('    holds: run.raised("TypeError")\n', "", 1))
    done = grader("verify", path, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert [(finding["code"], finding["item"]) for finding in report["findings"]] == [("unproven", "step-order")]
    assert report["proven"] == report["items"] - 1


def test_verify_prints_its_document_and_remembers(process: Command, proven: Report) -> None:
    done = process("verify", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert list(report) == [
        "format",
        "torch",
        "items",
        "variants",
        "lessons",
        "experiments",
        "claims",
        "proven",
        "options",
        "seconds",
        "findings",
    ]
    assert report["proven"] == report["items"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", report["torch"])
    assert report["findings"] == []


def test_what_was_proven_is_not_run_again_and_what_changed_is(
    bank: Bank, tmp_path: Path, runner: LocalRunner, environment: dict[str, str], proven: Report
) -> None:
    store = Store(Path(environment["GRADER_CACHE"]))
    again = RememberingRunner(store, lambda: pytest.fail("a runner was started"))
    assert verify(bank, again).proven == len(bank.items)
    text = alone("warmup").replace("lr=0.1)", "lr=0.10001)", 1)
    changed = tmp_path / "warmup.yaml"
    changed.write_text(text)
    from grader.content import bank_files

    run: list[Program] = []

    def submit_all(programs: Sequence[Program]) -> list[Future[Observation]]:
        run.extend(programs)
        return runner.submit_all(programs)

    counting = SimpleNamespace(submit_all=submit_all, submit=lambda program, by=None: submit_all([program])[0])
    verify(bank_files.read([changed]), RememberingRunner(store, lambda: counting))
    assert 0 < len(run) < 10


def test_a_spoilt_cache_is_started_afresh(tmp_path: Path, bank: Bank) -> None:
    (tmp_path / "proven.sqlite").write_bytes(b"no database" * 1000)
    store = Store(tmp_path)
    store.put("key", "value")
    assert store.get("key") == "value"
    assert not store.trouble


def test_a_cache_that_cannot_be_written_is_gone_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file" / "below")
    assert store.trouble
    store.put("key", "value")
    assert store.get("key") is None
