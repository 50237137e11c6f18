"""Time and memory of long runs. `python -m tests.bench.scale COUNT` prints one JSON document."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.model import Limits, Program, Status
from grader.runner.local import LocalRunner
from tests.support.running import run_all

from .work import HOSTILE, must_be_right, program


def measure(count: int) -> dict[str, Any]:
    """Time and peak memory of a run of `count` programs, one in ten of them hostile; every good one must be right."""
    before = len(list(Path(tempfile.gettempdir()).glob("grader-*")))
    limits = Limits(cpu_seconds=2, memory_bytes=256 << 20, output_bytes=1 << 18)
    with LocalRunner() as runner:
        must_be_right(runner.submit(program()).result())

        def programs() -> Iterator[Program]:
            for number in range(count):
                hostile = HOSTILE[number // 10 % len(HOSTILE)]
                yield Program(hostile, limits=limits) if number % 10 == 9 else program()

        started = time.perf_counter()
        for number, seen in enumerate(run_all(runner, programs())):
            if number % 10 == 9:
                if seen.status in (Status.OK, Status.NOT_RUN):
                    sys.exit(f"a hostile program ended as {seen}")
            else:
                must_be_right(seen)
        seconds = time.perf_counter() - started
        time.sleep(0.5)
        worker = max(_peak(pid) for pid in _below(os.getpid()))
        processes = len(_below(os.getpid()))
    supervisor = _peak(os.getpid())
    left = len(list(Path(tempfile.gettempdir()).glob("grader-*"))) - before + len(_below(os.getpid()))
    return {"seconds": seconds, "supervisor": supervisor, "worker": worker, "processes": processes, "left": left}


def _below(pid: int) -> list[int]:
    """The processes that descend from `pid`."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found: list[int] = []
    generation = [pid]
    while generation := [child for child, parent in parents.items() if parent in generation]:
        found += generation
    return found


def _peak(pid: int) -> float:
    """The most memory that a process had in RAM, in MiB."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
