"""How long one learner's answer takes beside another's that sleep or never end.

`python -m tests.bench.fairness [PROGRAMS]` prints one JSON document. An answer is a program that trains for a few steps, submitted
when the one before has ended.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from grader.model import Program
from grader.runner.local import LocalRunner

from .work import must_be_right, percentiles, program

PROMISED, WITHIN = 1.5, 10
"""Seconds."""

BESIDE: dict[str, list[str]] = {
    "alone": [],
    "beside six that sleep": ["import time\ntime.sleep(1000)"] * 6,
    "beside six that wake up 100 times a second": ["import time\nwhile True: time.sleep(0.01)"] * 6,
    "beside 50 endless loops": ["while True: pass"] * 50,
}


def measure(count: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, sources in BESIDE.items():
        with LocalRunner() as runner:
            runner.wait_for_walls()
            others = [runner.submit(Program(source), "eve") for source in sources]
            times = []
            for _ in range(count):
                before = time.perf_counter()
                must_be_right(runner.submit(program(), "ann").result())
                times.append(time.perf_counter() - before)
                time.sleep(0.02)
            ended = [other.result() for other in others[:6]] if "sleep" in name or "wake" in name else []
            found[name] = percentiles(times) | {"ended": max((run.seconds for run in ended), default=None)}
    return found


def page(found: dict[str, Any]) -> list[str]:
    """The section of the page."""
    lines = [
        "", "## Fairness: one learner's answer beside another's", "",
        f"(Promised: a 95th percentile of at most {PROMISED} s, and that what only waits is stopped within {WITHIN} s.)", "",
        "| an answer | median | p95 | of alone (p95) | the others are stopped after |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for name, times in found.items():
        ended = f"{times['ended']:.1f} s" if times["ended"] else ""
        ratio = times["p95"] / found["alone"]["p95"]
        lines.append(f"| {name} | {times['median']:.0f} ms | {times['p95']:.0f} ms | {ratio:.1f} | {ended} |")
    return lines


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100)))
