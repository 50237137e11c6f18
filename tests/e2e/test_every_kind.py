"""Every kind through the doors that learners use: answers from a pipe, one after the other, and from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader import kinds
from grader.content import bank_files
from grader.content.verify import PendingProof
from grader.model import Bank, Item, Proof
from grader.runner import Runner

if TYPE_CHECKING:
    from tests.support.common import Command


def first_proof(item: Item, runner: Runner) -> Proof:
    return PendingProof.begin(item, item.variants[0], runner).proof()


def typed(item: Item, sample: str) -> str:
    """A sample as it is typed: code ends with a line that holds only a dot; blanks are lines of one answer."""
    if item.kind in ("code", "repair"):
        return sample.rstrip("\n") + "\n.\n" if sample.strip() else ".\n"
    return sample.replace("\n", ";") + "\n"


@pytest.mark.usefixtures("proven")
@pytest.mark.parametrize("topic", ["warmup", pytest.param("schedulers", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("sample", "outcomes"),
    [("right", {"correct"}), ("wrong", {"incorrect", "partly"}), ("unreadable", {"unreadable"})],
)
def test_answers_of_every_kind_from_a_pipe(
    topic: str, sample: str, outcomes: set[str], bank: Bank, remembering: Runner, grader: Command
) -> None:
    items = [item for item in bank.items if item.topic == topic and "test" in item.modes]
    samples = [kinds.of(item).samples(item, first_proof(item, remembering))[sample] for item in items]
    stdin = "".join(typed(item, text) for item, text in zip(items, samples, strict=True))
    done = grader("quiz", topic, "--mode", "test", "--count", "99", "--json", stdin=stdin)
    results = json.loads(done.stdout)["results"]
    assert [result["item"] for result in results] == [item.id for item in items]
    for result in results:
        assert result["outcome"] in outcomes, result
        assert (result["score"] is None) == (sample == "unreadable")
        assert result["variant_index"] == 0
    assert {item.kind for item in items} >= {"choice", "sequence", "fill", "order", "code", "repair", "number"}


@pytest.mark.usefixtures("proven")
@pytest.mark.parametrize("kind", kinds.names())
def test_an_answer_of_every_kind_from_a_file(
    kind: str, bank: Bank, remembering: Runner, grader: Command, tmp_path: Path
) -> None:
    where: tuple[str | Path, ...] = ()
    if kind not in {item.kind for item in bank.items}:  # as its author begins
        where = ("--bank", tmp_path / "bank")
        (tmp_path / "bank/quizzes").mkdir(parents=True)
        assert grader("new", "item", "fresh", f"my-{kind}", "--kind", kind, *where).returncode == 0
        bank = bank_files.read(bank_files.files([tmp_path / "bank"]))
    item = next(item for item in bank.items if item.kind == kind)
    samples = kinds.named(kind).samples(item, first_proof(item, remembering))
    for sample, said in (("right", "correct"), ("wrong", ("incorrect", "partly")), ("unreadable", "unreadable")):
        (tmp_path / "answer").write_text(samples[sample])
        done = grader("grade", item.id, "--answer-file", tmp_path / "answer", *where)
        assert done.stdout.startswith(said), (sample, done.stdout)
