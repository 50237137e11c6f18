"""Our runner beside a bare fork of the same warm process, in turns of a fraction of a second.

`python -m tests.bench.forks latency|rates CORES` prints one JSON document. Turns are short since a shared machine's speed drifts
by half within a minute; ratios are taken within a turn.
"""

from __future__ import annotations

import gc
import io
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

from grader.runner.local import LocalRunner
from tests.support.running import run_all

from .work import PROGRAM, must_be_right, percentiles, program

TURNS = 16
AT_ONCE = 100
"""Programs of one turn that are run as fast as they go."""
APART = 15
"""As many times each turn's worth of programs are run one by one, each when a child waits."""


def serve_forks() -> None:
    """The physical limit: forks on command, with no sandbox and nobody watching. Reads `WORK AT_ONCE COUNT` lines."""
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    import torch

    from grader.runner.inside import worker
    from grader.runner.inside.execute import execute
    from grader.runner.inside.observers.torch_optim import Watcher
    from grader.runner.inside.preload import WARM_UP_JOB

    torch.set_num_threads(1)
    watcher = Watcher()
    watcher.install()
    execute(WARM_UP_JOB, watcher, io.StringIO())
    gc.collect()
    gc.freeze()
    worker.pack_memory()
    job = {**WARM_UP_JOB, "source": PROGRAM, "seed": 1}
    for line in sys.stdin:
        work, at_once, count = map(int, line.split())
        started, running = time.perf_counter(), 0
        for _ in range(count):
            if running == at_once:
                os.wait()
                running -= 1
            if os.fork() == 0:
                if work:
                    execute(job, watcher, io.StringIO())
                os._exit(0)
            running += 1
        while running:
            os.wait()
            running -= 1
        print(time.perf_counter() - started, flush=True)


class Forks:
    """The other end of `serve_forks`."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.bench.forks", "serve"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.seconds(work=True, at_once=1, count=20)

    def seconds(self, *, work: bool, at_once: int, count: int) -> float:
        assert self._process.stdin
        assert self._process.stdout
        print(int(work), at_once, count, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


def latency(cores: int) -> dict[str, Any]:
    """Seconds of one program, with `cores` cores: of forks, and of our runner with and without walls."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    forks = Forks()
    with LocalRunner() as inside, LocalRunner(sandbox=False) as outside:
        runners = {"on": inside, "off": outside}
        for runner in runners.values():
            many(runner, 30)
        times: dict[str, list[float]] = {"bare": [], "work": [], "on": [], "off": []}
        for _ in range(TURNS * APART):
            for name, runner in runners.items():
                times[name].append(one(runner))
            for name in ("bare", "work"):
                time.sleep(0.03)
                times[name].append(forks.seconds(work=name == "work", at_once=1, count=1))
        contained = inside.walls.contained
    forks.close()
    return {"times": {name: percentiles(taken) for name, taken in times.items()}, "contained": contained}


def rates(cores: int) -> dict[str, Any]:
    """Programs a second, with `cores` cores: of forks, and of our runner with and without walls."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    forks = Forks()
    with LocalRunner() as inside, LocalRunner(sandbox=False) as outside:
        runners = {"on": inside, "off": outside}
        for runner in runners.values():
            many(runner, 30)
        found: dict[str, list[float]] = {"fork": [], "on": [], "off": []}
        ratios: dict[str, list[float]] = {"on": [], "off": []}
        for _ in range(TURNS):
            before = forks.seconds(work=True, at_once=cores, count=AT_ONCE)
            seconds = {name: many(runner, AT_ONCE) for name, runner in runners.items()}
            seconds["fork"] = (before + forks.seconds(work=True, at_once=cores, count=AT_ONCE)) / 2
            for name, taken in seconds.items():
                found[name].append(AT_ONCE / taken)
            for name, list_of in ratios.items():
                list_of.append(seconds["fork"] / seconds[name])
    forks.close()
    return {
        "per_second": {name: statistics.median(all_of) for name, all_of in found.items()},
        "of_forks": {name: statistics.median(all_of) for name, all_of in ratios.items()},
    }


def many(runner: LocalRunner, count: int) -> float:
    """Seconds for `count` programs, as fast as they go."""
    started = time.perf_counter()
    for seen in run_all(runner, [program()] * count):
        must_be_right(seen)
    return time.perf_counter() - started


def one(runner: LocalRunner) -> float:
    """Seconds of one program, given when a child waits."""
    time.sleep(0.03)
    started = time.perf_counter()
    must_be_right(runner.submit(program()).result())
    return time.perf_counter() - started


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve_forks()
    else:
        measure = {"latency": latency, "rates": rates}[sys.argv[1]]
        print(json.dumps(measure(int(sys.argv[2]))))
