"""`grader prove`: what PyTorch says of somebody's answers."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.errors import InputError
from grader.exchange import imported_files, proof_pages, proving
from grader.judging.published import Seen, verdict
from grader.model import Raised
from grader.runner.local import LocalRunner
from grader.template import CONTROL
from tests.support import mutations
from tests.support.common import Command
from tests.support.foreign import CORPUS, FILES, FOLDER, STATES, name_of


@pytest.fixture(scope="module")
def corpus(runner: LocalRunner) -> list[tuple[Mapping[str, Any], proving.Judged]]:
    """The forty questions, as they were read, with what was found of each."""
    (quiz,), _ = imported_files.read([CORPUS])
    report = proving.prove([quiz], runner)
    assert report.runs <= 3 * sum(bool(one.program or one.expression) for one in report.questions)
    return [(one.raw, judged) for one, judged in zip(quiz.quiz.questions, report.questions, strict=True)]


def test_forty_questions_have_their_states(corpus: list[tuple[Mapping[str, Any], proving.Judged]]) -> None:
    assert len(corpus) == 40
    wrong = [
        (raw["question"], judged.state, raw["state"], judged.said)
        for raw, judged in corpus
        if judged.state != raw["state"]
    ]
    assert wrong == []


def test_most_need_no_line_by_hand(corpus: list[tuple[Mapping[str, Any], proving.Judged]]) -> None:
    printing = [judged for raw, judged in corpus if raw["way"] in ("fence", "field", "inline", "bare")]
    lacking = [judged.stem for judged in printing if judged.wanted]
    assert len(lacking) == 2  # one rests on a cell, one on chance
    values = [judged for raw, judged in corpus if raw["way"] == "value"]
    assert sum(not judged.wanted for judged in values) * 4 >= len(values)


@pytest.fixture(scope="module")
def proved(runner: LocalRunner) -> dict[str, list[str]]:
    """The states of the questions of each file of others."""
    quizzes = {path: imported_files.read([path])[0] for path in FILES}
    report = proving.prove([quiz for found in quizzes.values() for quiz in found], runner)
    return {name_of(path): [one.state for one in report.questions if one.path.startswith(str(path))] for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_each_file_of_others_has_its_states(path: Path, proved: dict[str, list[str]]) -> None:
    found, expected = proved[name_of(path)], STATES[name_of(path)]
    if path.suffix == ".zip":  # whose items have random names
        found, expected = sorted(found), sorted(expected)
    assert found == expected


def test_the_json_document_has_what_one_needs(grader: Command) -> None:
    done = grader("prove", FOLDER / "csv_table", "--json")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    one = next(one for one in found["questions"] if one["state"] == "contradicted")
    assert one["path"].endswith("semicolons.csv")
    assert one["line"] == 3
    assert one["keys"] == ["10"]
    assert one["gives"] == "tensor(6)"
    assert one["expression"] == "result"
    assert one["message"] == "the key is `10`, PyTorch gives `tensor(6)`, which is the option `6`"
    assert [option["holds"] for option in one["options"]] == [True, False, False]
    assert found["counts"] == dict.fromkeys(proving.STATES, 0) | {"contradicted": 1, "proven": 4}
    assert (found["missing"], found["runs"]) == (0, 10)


def test_the_terminal_says_what_is_wrong_and_nothing_is_written(tmp_path: Path, grader: Command) -> None:
    (tmp_path / "quiz.csv").write_text(
        "question,option_a,option_b,answer\nWhat does `torch.ones(3).sum()` return?,1,3,A\nWhy?,x,y,B\n"
    )
    done = grader("prove", "quiz.csv", cwd=tmp_path)
    assert done.returncode == 1
    assert "contradicted (1)\n  quiz.csv:2 What does `torch.ones(3).sum()` return?\n" in done.stdout
    assert "the key is `1`, PyTorch gives `tensor(3.)`, which is the option `3`" in done.stdout
    assert "1 line is missing" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["quiz.csv"]


def test_a_missing_line_is_added_to_what_was_imported(tmp_path: Path, grader: Command) -> None:
    (tmp_path / "quiz.json").write_text(json.dumps([
        {"question": "How many parameters has it?\n```python\nm = torch.nn.Linear(10, 5)\n```", "options": ["50", "55"], "answer": "A"}
    ]))  # fmt: skip
    assert grader("prove", "quiz.json", cwd=tmp_path).returncode == 0
    assert grader("import", "quiz.json", "-o", "quiz.yaml", cwd=tmp_path).returncode == 0
    text = (tmp_path / "quiz.yaml").read_text()
    added = re.sub(r"  wanted: .*\n", "  answer: sum(p.numel() for p in m.parameters())\n", text)
    assert added != text
    (tmp_path / "quiz.yaml").write_text(added)
    done = grader("prove", "quiz.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert "the key is `50`, PyTorch gives `55`, which is the option `55`" in done.stdout
    verified = grader("verify", "quiz.yaml", cwd=tmp_path)
    assert verified.returncode == 1
    assert "key-fails" in verified.stdout


def test_a_proven_import_passes_verify_and_is_asked(tmp_path: Path, grader: Command) -> None:
    quizzes = tmp_path / "quizzes"
    quizzes.mkdir()
    source = next(path for path in FILES if path.name == "letters.csv")
    assert grader("import", source, "-o", quizzes / "letters.yaml").returncode == 0
    assert grader("verify", quizzes / "letters.yaml").returncode == 0
    done = grader("grade", "letters-1", "--answer", "B", "--json", "--bank", tmp_path)
    assert json.loads(done.stdout)["outcome"] == "correct"


def test_the_report_has_no_script_of_a_stranger(tmp_path: Path, grader: Command) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>[a](javascript:alert(1))"
    (tmp_path / "quiz.json").write_text(json.dumps([
        {"question": f"{evil} What does this print? {evil}", "code": f"print({evil!r})\nraise ValueError({evil!r})", "options": [evil, f"`{evil}`"], "answer": "A", "explanation": evil},
        {"question": f"What? {evil}", "options": [evil, "b"], "answer": "A"},
    ]))  # fmt: skip
    done = grader("prove", "quiz.json", "--html", "report.html", cwd=tmp_path)
    assert done.returncode in (0, 1)
    page = (tmp_path / "report.html").read_text()
    assert "<script" not in page
    assert "onerror=alert(1)&gt;" in page
    assert not re.search(r"<(?:img|a)\b", page)
    assert "default-src 'none'" in page


def test_code_of_a_file_runs_in_the_sandbox_only(tmp_path: Path, grader: Command) -> None:
    there = tmp_path / "reached"
    code = f"import os, socket\nfor what in (lambda: open({str(there)!r}, 'w'), lambda: socket.create_connection(('127.0.0.1', 9))):\n    try:\n        what()\n        print('REACHED')\n    except OSError as error:\n        print('refused')"
    (tmp_path / "quiz.json").write_text(
        json.dumps([{"question": "What does this print?", "code": code, "answer": "refused, refused"}])
    )
    done = grader("prove", tmp_path / "quiz.json", "--json")
    (one,) = json.loads(done.stdout)["questions"]
    assert "REACHED" not in one["gives"]
    assert not there.exists()


# ---------------------------------------------------------------- values as people print them


@pytest.mark.parametrize(
    ("text", "printed", "level"),
    [
        ("54,000", "54000\n", "same"),
        ("[1, 2]", "tensor([1, 2])\n", "same"),
        ("tensor([1, 2])", "tensor([1, 2])", "exact"),
        ("3, 6", "3\n6\n", "exact"),
        ("[0 1 2]", "[0 1 2]", "exact"),
        ("[0 1 2]", "tensor([0, 1, 2])", "same"),
        ("2x3", "torch.Size([2, 3])", "same"),
        ("(3,)", "torch.Size([3])", "same"),
        ("3", "torch.Size([3])", "near"),
        ("2x4", "torch.Size([2, 3])", "differs"),
        ("0.33", "tensor(0.3333)", "same"),
        ("0.66", "tensor(0.6667)", "near"),
        ("0.5", "tensor(0.6667)", "differs"),
        ("0.1", "0.01", "differs"),
        ("6", "tensor(6., grad_fn=<SumBackward0>)", "same"),
        ("5", "tensor(6., grad_fn=<SumBackward0>)", "differs"),
        ("6", "tensor([6])", "near"),
        ("False", "True", "differs"),
        ("nan", "tensor(nan)", "same"),
        ("0", "tensor(nan)", "differs"),
        ("-inf", "3", "differs"),
        ("float64", "torch.float32", "differs"),
        ("`torch.float32`", "torch.float32", "exact"),
        ("Nothing", "", "exact"),
        ("None", "None", "exact"),
        ("It depends", "3", "unclear"),
        ("The loss falls", "3", "unclear"),
        ("Loss: 0.25", "Loss: 0.2500", "same"),
        ("Loss: 0.75", "Loss: 0.2500", "differs"),
        ("50%", "0.5", "same"),
        ("1/4", "0.25", "same"),
        ("10^-3", "0.001", "same"),
        ("0.9 to 1.1", "1.05", "same"),
        ("Error", "3", "differs"),
        ("The mean squared error", "3", "unclear"),
        ("[1,2,3,4]", "tensor([[1, 2],\n        [3, 4]])", "differs"),
    ],
)  # fmt: skip
def test_a_published_value_is_read_as_people_print_them(text: str, printed: str, level: str) -> None:
    assert verdict(text, Seen(printed=printed)).level == level


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("Error", "same"),
        ("ValueError", "exact"),
        ("It raises an exception", "same"),
        ("TypeError: no", "differs"),
        ("3", "differs"),
    ],
)
def test_an_error_is_what_was_raised(text: str, level: str) -> None:
    assert verdict(text, Seen(printed="", error=Raised("ValueError", "x"))).level == level


def test_no_right_answer_is_called_wrong(runner: LocalRunner) -> None:
    (quiz,), _ = imported_files.read([FOLDER.parent / "right_answers.py"])
    report = proving.prove([quiz], runner)
    assert len(report.questions) == 30
    blamed = [(one.stem, one.state, one.said) for one in report.questions if one.state not in ("proven", "not decided")]
    assert blamed == []
    assert report.counts["proven"] >= 6


def test_mutated_banks_of_ours_are_judged_or_told(tmp_path: Path, runner: LocalRunner) -> None:
    """`GRADER_MUTATIONS=3000` reads as many, and judges every hundredth."""
    path = tmp_path / "mutated.yaml"
    for seed in range(int(os.environ.get("GRADER_MUTATIONS", "0")) or 40):
        text, how = mutations.mutated(seed, 1)
        path.write_bytes(text)
        try:
            found, _ = imported_files.read([path])
        except InputError as error:
            assert str(path) in error.message, (seed, how)
            continue
        for quiz in found:
            _, findings = imported_files.built(quiz)
            assert all(finding.hint for finding in findings), (seed, how)
        if seed % 100 == 3:
            report = proving.prove(found, runner)
            assert all(one.state in proving.STATES for one in report.questions), (seed, how)
            page = proof_pages.page(report, "2.0")
            assert not CONTROL.search(page), (seed, how)
            assert "<script" not in page
