"""What a bank of 1,000 items costs: `python -m tests.bench.bank [ITEMS]` prints one JSON document.

The items are those that there are, under new ids and with a parameter more (`tests/support/large_bank.py`), a quarter of them
code. The bank is proven with nothing remembered, again, and again after one item has changed; then `grader topics` and the
first question are taken in turns with the same of the shipped bank. All are commands, whole.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support import large_bank
from tests.support.common import ROOT

COLD, WARM = 90, 2
"""Seconds that are promised for 1,000 items on two quiet cores."""

AS_MUCH = 1.1
"""What `topics` and the first question may take, of the same with the shipped bank."""

TURNS = 9


def measure(count: int) -> dict[str, Any]:
    """Seconds, and what they went to."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "bank"
        code = large_bank.write(folder, count)
        environment = {**os.environ, "GRADER_CACHE": f"{place}/cache", "GRADER_DB": f"{place}/records.sqlite"}
        found: dict[str, Any] = {"items": count, "code": code, "cold": _proven(folder, environment)}
        found["warm"] = min((_proven(folder, environment) for _ in range(3)), key=lambda one: one["seconds"])
        _change(folder / "quizzes" / "topic-0.yaml")
        found["changed"] = _proven(folder, environment)
        commands = {
            "topics": {"shipped": ["topics", f"--bank={ROOT}"], "large": ["topics", f"--bank={folder}"]},
            "question": {
                "shipped": ["quiz", "warmup", "--no-records", f"--bank={ROOT}"],
                "large": ["quiz", "topic-1", "--no-records", f"--bank={folder}"],
            },
        }
        for name, pair in commands.items():
            found[name] = _in_turns(pair, environment)
    return found


def _proven(folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    started = time.perf_counter()
    command = [sys.executable, "-m", "tests.bench.bank", "--prove", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    if found["report"]["findings"]:
        sys.exit(f"the bank is not proven: {found['report']['findings'][:3]}")
    return {**found, "seconds": seconds, "start": seconds - found["runs"] - found["judging"]}


def prove(folder: Path) -> dict[str, Any]:
    """`grader verify` in this process. `judging` is what its main thread computes, `runs` what it waits."""
    from grader.cli import main as command
    from grader.content import verify
    from grader.runner.children import Children

    inner, times = verify.verify, list[tuple[float, float]]()

    def timed(*arguments: Any, **options: Any) -> verify.Report:
        times.append((time.perf_counter(), time.thread_time()))
        report = inner(*arguments, **options)
        times.append((time.perf_counter(), time.thread_time()))
        return report

    verify.verify = timed
    bury, used = Children.bury, []

    def counted(self: Children, number: int, code: int, cpu: float, rss: int) -> None:
        used.append(cpu)
        bury(self, number, code, cpu, rss)

    Children.bury = counted  # type: ignore[method-assign]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        sys.argv = ["grader", "verify", "--json", f"--bank={folder}"]
        command()
    (began, computed), (ended, computed_then) = times
    judging = computed_then - computed
    ours = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "report": json.loads(printed.getvalue()),
        "judging": judging,
        "runs": ended - began - judging,
        "cpu": ours.ru_utime + ours.ru_stime,
        "cpu_of_programs": sum(used),
    }


def _change(path: Path) -> None:
    """Change the program of one item."""
    text = path.read_text()
    line = next(line for line in text.split("\n") if line.strip() == f"copied = {large_bank.PARAMETER}")
    path.write_text(text.replace(line, f"{line} + 1", 1))


def _in_turns(pair: dict[str, list[str]], environment: dict[str, str]) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in pair}
    for turn in range(TURNS + 1):
        for name, arguments in pair.items():
            started = time.perf_counter()
            command = [sys.executable, "-m", "grader", *arguments]
            subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, check=True, stdin=subprocess.DEVNULL
            )
            taken[name] += [time.perf_counter() - started] if turn else []
    return {name: statistics.median(times) for name, times in taken.items()}


def page(found: dict[str, Any]) -> list[str]:
    """The section of the page."""
    cold, warm = found["cold"], found["warm"]
    kept = cold["seconds"] <= COLD and warm["seconds"] <= WARM
    lines = [
        "", f"## A bank of {found['items']:,} items", "",
        f"({found['code']} of them code, {cold['report']['variants']:,} variants, {cold['report']['claims']:,} claims. Promised on two "
        f"quiet cores: proven in {COLD} s, and in {WARM} s once it is remembered; {'kept' if kept else 'NOT kept'}. `Start` is all "
        "until the first program can be queued, `judging` what is computed then, `runs` what is waited for.)", "",
        "| `grader verify` | seconds | start | runs | judging | our CPU time | that of programs |", "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    names = {"cold": "nothing remembered", "warm": "all remembered", "changed": "one item changed"}
    for key, label in names.items():
        row = found[key]
        shares = " | ".join(f"{row[name] / row['seconds']:.0%}" for name in ("start", "runs", "judging"))
        lines.append(
            f"| {label} | {row['seconds']:.1f} | {shares} | {row['cpu']:.1f} s | {row['cpu_of_programs']:.1f} s |"
        )
    names = {"topics": "`grader topics`", "question": "first question"}
    kept = all(found[key]["large"] <= AS_MUCH * found[key]["shipped"] for key in names)
    lines += [
        "", f"(Promised: no more than with the shipped bank; {'kept' if kept else 'NOT kept'}.)", "",
        "| | this bank | the shipped one |", "|---|---|---|",
    ]  # fmt: skip
    for key, label in names.items():
        lines.append(f"| {label} | {found[key]['large']:.2f} s | {found[key]['shipped']:.2f} s |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("items", type=int, nargs="?", default=1_000)
    parser.add_argument("--prove", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    print(json.dumps(prove(arguments.prove) if arguments.prove else measure(arguments.items)))


if __name__ == "__main__":
    main()
