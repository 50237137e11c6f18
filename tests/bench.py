"""Programs per second: a cold `python` for each program against the warm runner. Run it with `make bench`.

Both run the same program (one parameter, SGD and LambdaLR, five steps) on this machine, in turns, and the ratio is taken
within each turn, so that it holds when the machine's speed drifts.
"""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import time

from grader.model import Program, Status
from grader.run import run_all
from grader.run.local import LocalRunner

TURNS = 5
WARM_PROGRAMS = 200

PROGRAM = """\
import torch
from torch.optim.lr_scheduler import LambdaLR
weight = torch.nn.Parameter(torch.zeros(2))
optimizer = torch.optim.SGD([weight], lr=0.1)
scheduler = LambdaLR(optimizer, lambda epoch: min((epoch + 1) / 5, 1))
for epoch in range(5):
    optimizer.zero_grad()
    weight.sum().backward()
    optimizer.step()
    scheduler.step()
print(scheduler.get_last_lr())
"""


def cold() -> float:
    """Programs a second with one cold interpreter each."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, stdout=subprocess.DEVNULL)
    return 1 / (time.perf_counter() - started)


def warm(runner: LocalRunner) -> float:
    """Programs a second with the warm runner, all queued at once."""
    started = time.perf_counter()
    seen = list(run_all(runner, [Program(PROGRAM)] * WARM_PROGRAMS))
    seconds = time.perf_counter() - started
    if any(run.status is not Status.OK for run in seen):
        sys.exit("a program did not run")
    return WARM_PROGRAMS / seconds


def one_by_one(runner: LocalRunner) -> float:
    """Programs a second when each waits for the one before."""
    started = time.perf_counter()
    for _ in range(WARM_PROGRAMS // 4):
        runner.submit(Program(PROGRAM)).result()
    return WARM_PROGRAMS / 4 / (time.perf_counter() - started)


def main() -> None:
    started = time.perf_counter()
    with LocalRunner() as runner:
        runner.submit(Program("pass")).result()
        start = time.perf_counter() - started
        warm(runner)  # not counted
        turns = [(cold(), warm(runner), one_by_one(runner)) for _ in range(TURNS)]
        print(
            f"torch {runner.torch_version}, Python {platform.python_version()}, {platform.system()}, {runner.in_flight} cores"
        )
    print(f"the worker starts in {start:.1f} s, once")
    print(f"{'programs a second, median of ' + str(TURNS):44}{'each':>10}{'of cold':>10}")
    for name, place in (("cold python, one by one", 0), ("warm runner, one by one", 2), ("warm runner, all queued", 1)):
        each = statistics.median(turn[place] for turn in turns)
        ratio = statistics.median(turn[place] / turn[0] for turn in turns)
        print(f"{name:44}{each:10.2f}{ratio:9.0f}x")


if __name__ == "__main__":
    main()
