"""Banks with seeded mistakes: whatever stands in a file is read or explained, in bounded time and memory."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.template import CONTROL
from tests.support import mutations
from tests.support.common import PATHS, ROOT, Command
from tests.support.mutations import CPU_SECONDS, MEMORY, Read, worst

COUNT = int(os.environ.get("GRADER_MUTATIONS", "240"))
"""Banks that are read; a fifteenth as many are proven as well."""


def test_mutated_banks_are_read_or_explained_in_bounded_time_and_memory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, mutations.__file__, "0", str(COUNT), str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": PATHS}, cwd=ROOT, check=True
    )
    reads = [Read(**json.loads(line)) for line in done.stdout.splitlines()]
    with capsys.disabled():
        print(f"\nread: {worst(reads)}")
    assert len(reads) == COUNT
    assert [(one.seed, one.how, one.trouble) for one in reads if one.trouble] == []
    assert max(one.cpu for one in reads) < CPU_SECONDS
    assert max(one.megabytes for one in reads) < MEMORY >> 20
    assert sum(one.findings > 0 for one in reads) > COUNT // 2
    assert sum(one.findings == 0 for one in reads) > COUNT // 20


def _peak() -> float:
    """The most memory that this process had since it was asked last, in MiB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    high = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    Path("/proc/self/clear_refs").write_text("5")
    return int(high.split()[1]) / 1024


def test_mutated_banks_are_proven_or_explained(
    tmp_path: Path, grader: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    reads, codes = [], []
    for number in range(COUNT // 15):
        seed = number if number % 4 == 1 else 4 * number + 3  # most of them such that their programs are run
        text, how = mutations.mutated(seed, most=1)
        path = tmp_path / f"bank{seed}.yaml"
        path.write_bytes(text)
        _peak()
        before = time.process_time()
        done = grader("verify", "--no-cache", path)
        cpu, megabytes = time.process_time() - before, _peak()
        said = done.stdout + done.stderr
        odd = CONTROL.search(said)
        ended = done.returncode in (0, 1, 2) or "not-run" in said  # a machine may be too busy to run a program
        trouble = f"printed {odd[0]!r}" if odd else "" if ended else said
        reads.append(Read(seed, how, said.count("hint:"), trouble, cpu, megabytes))
        codes.append(done.returncode)
    with capsys.disabled():
        print(f"\nproven: {worst(reads)}\n  exit codes: { ({code: codes.count(code) for code in sorted(set(codes))}) }")
    assert [(one.seed, one.how, one.trouble) for one in reads if one.trouble] == []
    assert max(one.cpu for one in reads) < CPU_SECONDS
    assert max(one.megabytes for one in reads) - min(one.megabytes for one in reads) < MEMORY >> 20
    assert {1, 2} <= set(codes)


@pytest.mark.parametrize("seed", [3, 7, 11, 15, 19][: max(1, COUNT // 600)])
def test_a_mutated_bank_is_proven_or_explained_by_the_command(seed: int, tmp_path: Path, process: Command) -> None:
    path = tmp_path / "bank.yaml"
    path.write_bytes(mutations.mutated(seed, most=1)[0])
    done = process("verify", "--no-cache", path)
    assert done.returncode in (0, 1, 2) or "not-run" in done.stdout, done.stdout + done.stderr
    assert not CONTROL.search(done.stdout + done.stderr)
