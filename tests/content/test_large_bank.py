"""A large bank costs what changed of it, and listing it costs no more than listing a small one. Counted, not timed.

`make bench ONLY=bank` takes the time of 1,000 items.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path

import pytest

from grader.cli.json_documents import topics_document
from grader.content import bank_files, bank_outline
from grader.content.verify import verify
from grader.model import Observation, Program
from grader.runner.local import LocalRunner
from tests.support import large_bank
from tests.support.common import ROOT

QUICK = ("number", "value", "sequence")


class Memory:
    """Counts what it is asked for."""

    def __init__(self) -> None:
        self.asked, self._kept = 0, dict[str, str]()

    def get(self, key: str) -> str | None:
        self.asked += 1
        return self._kept.get(key)

    def put(self, key: str, value: str) -> None:
        self._kept[key] = value


class Counting(LocalRunner):
    """Counts what it is given to run, on the worker of another."""

    def __init__(self, inner: LocalRunner) -> None:
        self.inner, self.programs = inner, 0

    def submit(self, program: Program, by: str | None = None) -> Future[Observation]:
        self.programs += 1
        return self.inner.submit(program, by)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    assert large_bank.write(folder, 60, per_topic=20) == 15
    return folder


def test_listing_a_bank_takes_one_look(large: Path) -> None:
    paths, memory = bank_files.files([large]), Memory()
    whole = bank_files.read(paths)
    assert (len(whole.items), whole.findings) == (60, ())
    for looks in (1 + 2 * 3, 1):
        before = memory.asked
        listed = bank_outline.read(paths, memory)
        assert topics_document(listed, {}) == topics_document(whole, {})
        assert memory.asked - before == looks
    assert not any(item.program or item.stem.pieces for item in listed.items)


@pytest.mark.parametrize("arguments", [["topics"], ["quiz", "topic-1", "--no-records"]], ids=["topics", "question"])
def test_what_was_read_is_not_parsed_again(arguments: list[str], large: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "GRADER_CACHE": str(tmp_path / "cache"), "GRADER_DB": str(tmp_path / "db.sqlite")}
    program = (
        "import sys\nfrom grader.cli import main\n"
        f"sys.argv = {['grader', *arguments, f'--bank={large}']!r}\n"
        "try:\n    main()\nfinally:\n"
        "    print(*{'ruamel.yaml', 'pydantic', 'torch', 'fsrs'} & set(sys.modules), file=sys.stderr)"
    )
    command = [sys.executable, "-c", program]
    for expected in (True, False):
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
        )
        assert bool(done.stderr.split()) == expected, done.stderr
        assert "torch" not in done.stderr.split()


def test_what_is_proven_costs_what_changed(tmp_path: Path, runner: LocalRunner) -> None:
    large_bank.write(tmp_path, 24, per_topic=6, kinds=QUICK)
    paths, memory = bank_files.files([tmp_path]), Memory()

    def proven() -> tuple[int, int]:
        """How many programs are run, and how often the memory is asked."""
        counting, before = Counting(runner), memory.asked
        report = verify(bank_files.read(paths, memory), counting, memory=memory)
        assert (report.items, report.proven, report.findings) == (24, 24, ())
        return counting.programs, memory.asked - before

    cold, _ = proven()
    assert proven() == (0, 2 * 4)
    path = tmp_path / "quizzes/topic-2.yaml"
    path.write_text(
        path.read_text().replace(f"copied = {large_bank.PARAMETER}", f"copied = -{large_bank.PARAMETER}", 1)
    )
    changed, _ = proven()
    assert 0 < changed <= cold / 2
