"""The work that is measured, the same everywhere: one parameter, SGD and LambdaLR, five times backward, step, step."""

from __future__ import annotations

import statistics
import sys

from grader.model import Observation, Program, Status

PROGRAM = """\
import torch
from torch.optim.lr_scheduler import LambdaLR
weight = torch.nn.Parameter(torch.zeros(2))
optimizer = torch.optim.SGD([weight], lr=0.1)
scheduler = LambdaLR(optimizer, lambda epoch: min((epoch + 1) / 5, 1))
rates = []
for epoch in range(5):
    optimizer.zero_grad()
    weight.sum().backward()
    rates.append(optimizer.param_groups[0]["lr"])
    optimizer.step()
    scheduler.step()
"""
CHECK = "assert abs(rates[2] - 0.06) < 1e-9"

HOSTILE = (
    "import os\nos._exit(0)",
    "import os\nos.fork()",
    "import ctypes\nctypes.string_at(0)",
    "raise ValueError('x' * 10**6)",
    "data = bytearray(1 << 40)",
    "open('/etc/passwd').read()",
    "import os\nwhile True: os.write(1, b'x' * 65536)",
    "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'forged')\n    except OSError: pass",
)
"""Attacks that end by themselves, mixed into the long runs: one program in ten."""


def program() -> Program:
    return Program(PROGRAM, ("rates",), seed=1)


def must_be_right(seen: Observation) -> None:
    rates = seen.asked[0].value if seen.status is Status.OK else None
    if not isinstance(rates, list) or not isinstance(rates[2], float) or abs(rates[2] - 0.06) > 1e-9:
        sys.exit(f"a program was not right: {seen}")


def percentiles(times: list[float]) -> dict[str, float]:
    """Median and 95th percentile of seconds, in milliseconds."""
    times = sorted(times)
    return {"median": statistics.median(times) * 1000, "p95": times[int(len(times) * 0.95)] * 1000}
