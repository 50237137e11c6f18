"""Each claim on record, and what changed between two environments; items that hold in some versions of PyTorch only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grader.content import claim_records
from tests.support.common import Command

BANK = """\
format: 1
topic: t
title: T
items:
- id: total
  kind: choice
  level: easy
  skill: s
  params: {n: [3, 4]}
  stem: What is the sum?
  program: |
    import torch
    x = torch.ones(n)
  answer: x.sum().item()
  options:
  - {value: n, key: true}
  - {value: n + 1, mistake: one-more, yields: x.sum().item() + 1}
  solution: ["{x.sum().item()}"]
- id: shape
  kind: value
  accepts: shape
  level: easy
  skill: s
  stem: What is the shape?
  torch: "TORCH"
  program: |
    import torch
    x = torch.ones(2, 3)
  answer: x.shape
  solution: ["`{x.shape}`"]
mistakes:
  one-more: {says: One too many.}
"""


@pytest.fixture
def quiz(tmp_path: Path) -> Path:
    path = tmp_path / "t.yaml"
    path.write_text(BANK.replace("TORCH", ">=2.9"))
    return path


def _listed(grader: Command, quiz: Path) -> dict[str, Any]:
    done = grader("verify", quiz, "--json", "--claims")
    assert done.returncode == 0, done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_each_claim_is_listed_with_its_place(quiz: Path, grader: Command) -> None:
    listed = _listed(grader, quiz)["listed"]
    first = [claim for claim in listed if claim["item"] == "total" and claim["variant"] == {"n": 3}]
    assert [(claim["claim"], claim["expected"], claim["observed"]) for claim in first] == [
        ("the program", "ok", "ok"),
        ("answer: x.sum().item()", "3", "3"),
        ("option A: n", "holds", "holds: 3"),
        ("option B: n + 1", "does not hold", "does not hold: 4"),
    ]
    assert {claim["path"] for claim in listed} == {str(quiz)}
    assert [claim["line"] for claim in first] == [12, 14, 16, 17]


def test_what_was_proven_before_is_listed_too(quiz: Path, grader: Command) -> None:
    assert grader("verify", quiz).returncode == 0
    assert _listed(grader, quiz)["listed"] == _listed(grader, quiz)["listed"] != []


def test_a_report_of_elsewhere_shows_what_changed(quiz: Path, tmp_path: Path, grader: Command) -> None:
    report = _listed(grader, quiz)
    (tmp_path / "report.json").write_text(json.dumps(report))
    done = grader("verify", quiz, "--against", tmp_path / "report.json")
    assert done.returncode == 0
    assert f"no claims have changed since the report of torch {report['torch']}" in done.stdout
    for claim in report["listed"]:
        if claim["claim"].startswith("answer: x.shape"):
            claim["observed"] = "torch.Size([3, 2])"
        elif claim["claim"].startswith("answer: x.sum") and claim["variant"] == {"n": 3}:
            claim["observed"] = "4"
    report["torch"] = "1.0.0"
    (tmp_path / "report.json").write_text(json.dumps(report))
    done = grader("verify", quiz, "--against", tmp_path / "report.json")
    assert done.returncode == 1
    assert "torch 1.0.0: torch.Size([3, 2])" in done.stdout
    assert "[total, n = 3]" in done.stdout
    assert "torch 1.0.0: 4 (expected: 3)" in done.stdout
    assert "2 claims have changed since the report of torch 1.0.0." in done.stdout
    changed = json.loads(grader("verify", quiz, "--json", "--against", tmp_path / "report.json").stdout)
    assert changed["since"] == "1.0.0"
    assert [one["now"]["item"] for one in changed["changed"]] == ["total", "shape"]


def test_claims_of_equal_words_are_two_and_rounding_is_no_change() -> None:
    def record(observed: str, number: int = 0) -> claim_records.ClaimRecord:
        return claim_records.ClaimRecord("write", {}, "t.yaml", 3, "the reference", "passes", observed, number)

    assert record("passes: 1", 0).key != record("passes: 1", 1).key
    before = {record("passes: 0.556693").key: record("passes: 0.556693")}
    assert claim_records.changes(before, [record("passes: 0.556694")]) == []
    for other in ("rejected: 0.556693", "passes: 0.5572", "passes: tensor(0.556693)"):
        assert len(claim_records.changes(before, [record(other)])) == 1


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"torch": "2"}', '{"torch": "2", "listed": [{"item": 1}], "findings": []}']
)
def test_another_file_is_no_report(text: str, quiz: Path, tmp_path: Path, grader: Command) -> None:
    (tmp_path / "report.json").write_text(text)
    done = grader("verify", quiz, "--against", tmp_path / "report.json")
    assert done.returncode == 2
    assert "report.json: this is not a report with claims" in done.stderr


def test_an_item_for_another_torch_is_neither_tried_nor_asked(tmp_path: Path, grader: Command) -> None:
    (tmp_path / "quizzes").mkdir()
    path = tmp_path / "quizzes/t.yaml"
    path.write_text(BANK.replace("TORCH", "<2.0"))
    done = grader("verify", path)
    assert done.returncode == 0
    assert "1 more are for other versions of torch" in done.stdout
    document = json.loads(grader("verify", path, "--json").stdout)
    assert (document["items"], document["elsewhere"]) == (1, 1)
    assert grader("grade", "shape", "--answer", "(2, 3)", "--bank", tmp_path).returncode == 2
    path.write_text(BANK.replace("TORCH", "newest"))
    done = grader("verify", path)
    assert done.returncode == 2
    assert "`newest` says no versions of PyTorch" in done.stdout


def test_claims_go_with_json(quiz: Path, grader: Command) -> None:
    done = grader("verify", quiz, "--claims")
    assert done.returncode == 2
    assert "--claims goes with --json" in done.stderr


def test_a_lesson_may_ask_an_item_for_another_torch(tmp_path: Path, grader: Command) -> None:
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "lessons" / "t").mkdir(parents=True)
    (tmp_path / "quizzes/t.yaml").write_text(BANK.replace("TORCH", "<2.0"))
    asks = '```{code-cell} python\n:tags: [quiz, remove-input]\nfrom grader.jupyter import quiz\nquiz(items=["NAME"])\n```\n'
    page = "---\ntitle: A page\ntopic: t\nmode: why\nminutes: 3\njupytext: {text_representation: {extension: .md, format_name: myst}}\nkernelspec: {name: python3, display_name: Python 3}\n---\n# A page\n\n"
    text = page + asks.replace("NAME", "shape") + "\n" + asks.replace("NAME", "shapes")
    (tmp_path / "lessons/t/why.md").write_text(text)
    said = grader("verify", tmp_path).stdout
    assert "there is no item `shapes`" in said
    assert "there is no item `shape`" not in said
