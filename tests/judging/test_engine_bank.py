"""The engine over all of PyTorch: a bank of its own is proven, and answers to it get the verdicts that they should.

`tests/banks/engine/answers.yaml` says what becomes of each answer.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from grader import kinds
from grader.content import bank_files
from grader.content.verify import Trying, prove_all
from grader.judging.running_answers import Marker
from grader.learning.question import Question
from grader.model import DRAWS, Bank, Item, Mistake, Proof, Result
from grader.runner import Runner
from grader.runner.local import LocalRunner

BANK = Path(__file__).parents[1] / "banks/engine"
SEED = 11

ROWS: list[dict[str, Any]] = YAML(typ="safe").load((BANK / "answers.yaml").read_text())
KNOWN = {"item", "variant", "answer", "by", "outcome", "points", "failed", "mistake", "says", "not", "wrong"}


@dataclass(frozen=True)
class Proven:
    """The bank with what its runs proved."""

    items: dict[str, Item]
    proofs: dict[str, list[Proof]]
    mistakes: dict[str, Mistake]


@dataclass(frozen=True)
class Done:
    """A proof that need not be waited for."""

    known: Proof

    def done(self) -> bool:
        return True

    def proof(self) -> Proof:
        return self.known


@pytest.fixture(scope="session")
def engine_bank(remembering: Runner) -> Proven:
    bank: Bank = bank_files.read(bank_files.files([BANK]))
    assert not bank.findings
    proofs = {item.id: found for item, found in prove_all(bank.items, remembering)}
    assert not [str(finding) for found in proofs.values() for proof in found for finding in proof.findings]
    experiments = [topic.experiment for topic in bank.topics if topic.experiment]
    assert [Trying(one, remembering).findings() for one in experiments] == [[]]
    return Proven({item.id: item for item in bank.items}, proofs, bank.mistakes)


def _name(row: dict[str, Any], number: int) -> str:
    lines = [line.strip() for line in str(row["answer"]).splitlines()]
    told = [
        line for line in lines if line and not line.startswith(("def ", "class ", "import ", "from ", "super", "#"))
    ]
    short = "-".join(re.findall(r"\w+", (told or ["nothing"])[0]))[:32].strip("-")
    return f"{row['item'].removeprefix('eng-')}-{number}-{row['outcome']}-{short}"


PARAMETERS = [
    pytest.param(
        row,
        id=_name(row, number),
        marks=[pytest.mark.xfail(reason=row["wrong"], strict=True)] if "wrong" in row else [],
    )
    for number, row in enumerate(ROWS)
]


def listed(entry: Any) -> list[str]:
    return [entry] if isinstance(entry, str) else list(entry or [])


def judge(row: dict[str, Any], bank: Proven, runner: Runner) -> Result:
    item, number = bank.items[row["item"]], row.get("variant", 0)
    proof = bank.proofs[item.id][number]
    question = Question(item, item.variants[number], Done(proof), Marker(lambda: runner, SEED))
    return question.answer(str(row["answer"]), bank.mistakes)


@pytest.mark.parametrize("row", PARAMETERS)
def test_an_answer_gets_its_verdict(row: dict[str, Any], engine_bank: Proven, runner: LocalRunner) -> None:
    assert set(row) <= KNOWN
    score = judge(row, engine_bank, runner).score
    told = " ".join(
        " ".join([score.feedback, *score.details, *(one.says for one in score.table if not one.passed)]).split()
    )
    assert score.outcome.value == row["outcome"], told
    assert score.mistake == row.get("mistake"), told
    if "points" in row:
        assert score.points == pytest.approx(row["points"], abs=1e-3), told
    elif row["outcome"] != "partly":
        assert score.points == {"correct": 1.0, "incorrect": 0.0, "unreadable": None}[row["outcome"]], told
    if "failed" in row:
        assert {one.name for one in score.table if not one.passed} == set(row["failed"]), told
    for phrase in listed(row.get("says")):
        assert phrase.casefold() in told.casefold(), told
    for phrase in listed(row.get("not")):
        assert phrase.casefold() not in told.casefold(), told
    for ours in ("Traceback", "<program>", "<expression>", "$tensor", "$dict"):
        assert ours not in told


def test_a_third_of_the_answers_is_by_somebody_who_did_not_write_the_items() -> None:
    others = [row for row in ROWS if row.get("by") == "other"]
    assert {row["by"] for row in ROWS if "by" in row} == {"other"}
    assert 3 * len(others) >= len(ROWS)
    assert {row["outcome"] for row in others} == {"correct", "partly", "incorrect", "unreadable"}


def test_the_bank_has_every_kind_and_its_answers_every_verdict(engine_bank: Proven) -> None:
    counted = Counter(item.kind for item in engine_bank.items.values())
    assert set(counted) == set(kinds.built_in())
    assert counted["code"] + counted["repair"] >= 15
    drawn = {figure.draw for item in engine_bank.items.values() for figure in item.figures}
    assert drawn == set(DRAWS)
    given = Counter(one.name for item in engine_bank.items.values() for one in item.given)
    assert min(given.values()) >= 1
    assert max(given.values()) >= 2
    assert any(item.modules for item in engine_bank.items.values())
    rows = Counter(row["item"] for row in ROWS)
    written = [item.id for item in engine_bank.items.values() if kinds.of(item).TRAITS.runs_code]
    assert not [name for name in written if rows[name] < 4]
    assert {row["outcome"] for row in ROWS} == {"correct", "partly", "incorrect", "unreadable"}
    named = {row["mistake"] for row in ROWS if row.get("mistake")}
    assert named <= set(engine_bank.mistakes)
