"""Every kind that is installed keeps what `Kind` promises, shown on the item that it starts authors with."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader import kinds
from grader.content import bank_files
from grader.content.verify import prove_all
from grader.judging.running_answers import Marker
from grader.model import Item, Proof
from grader.runner.local import LocalRunner
from tests.contracts.kind import hold
from tests.support.common import Command


@pytest.fixture(scope="module")
def started(
    runner: LocalRunner, grader: Command, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Item, list[Proof]]]:
    """The first item of each kind, as `grader new item` writes it, and its proofs."""
    folder = tmp_path_factory.mktemp("kinds")
    for name in kinds.names():
        done = grader("new", "item", "week-1", f"my-{name}", "--kind", name, "--bank", folder)
        assert done.returncode == 0, done.stderr
    bank = bank_files.read(bank_files.files([Path(folder)]))
    assert not bank.findings, bank.findings[0]
    return {item.kind: (item, list(proofs)) for item, proofs in prove_all(bank.items, runner)}


@pytest.mark.parametrize("name", kinds.names())
def test_a_kind_keeps_its_promises(
    name: str, started: dict[str, tuple[Item, list[Proof]]], runner: LocalRunner
) -> None:
    item, proofs = started[name]
    assert len(proofs) == len(item.variants)
    for proof in proofs:
        assert not proof.findings, proof.findings[0]
        hold(item, proof, Marker(lambda: runner, seed=7))
