"""What a program costs: our runner against the tools of the field, and against a bare fork. Run it with `make bench`.

    python -m tests.bench [--students N]

With a class of 200, nbgrader's share of the time is half an hour; `make bench STUDENTS=20` is much shorter. Each
measurement is a process of its own. Prints a page of Markdown, which is BENCHMARKS.md. A tool that is not installed is
named as such.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from grader.run.local import available_cores

from . import classes, kernels
from .peers import PEERS

TURNS = 3
SIZES = (100, 1_000, 10_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--students", type=int, default=classes.STUDENTS)
    students = f"--students={parser.parse_args().students}"
    versions = {name: _version(name) for name in ("torch", "nbclient", "nbgrader", "otter-grader")}
    present = {name: make for name, (package, make) in PEERS.items() if package is None or versions[package]}
    forks: dict[int, Any] = {}
    peers: dict[str, list[float]] = {name: [] for name in present}
    with tempfile.TemporaryDirectory() as place:
        submit = {}
        for number, (name, make) in enumerate(present.items()):
            folder = Path(place) / str(number)
            folder.mkdir()
            submit[name] = make(folder)
            submit[name]()  # not counted: caches fill
        for cores in sorted({1, available_cores()}):
            _say(f"{cores} cores ...")
            forks[cores] = _measured("forks", cores)
        for turn in range(TURNS):
            _say(f"the tools of the field, turn {turn + 1} of {TURNS} ...")
            for name, times in peers.items():
                times.append(submit[name]())
    scales = {}
    for size in SIZES:
        _say(f"{size} programs ...")
        scales[size] = _measured("scale", size)
    _say("kernels ...")
    warm = kernels.page(_measured("kernels", "--json"))
    _say("a class ...")
    taught = []
    if versions["nbgrader"]:
        taught += classes.page(_measured("classes", students, "--json"))
        taught += classes.table(_measured("classes", students, "--many", "--json"))
    parts = _heading(versions), _latency(forks), _peers(forks, peers), taught, warm, _throughput(forks), _scale(scales)
    print("\n".join(line for part in parts for line in part))


def _heading(versions: dict[str, str | None]) -> list[str]:
    named = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    return [
        "# Benchmarks", "",
        "Made by `make bench`, in one run; `tests/bench` says what is measured and how. Figures are medians.", "",
        f"Machine: {_processor()}, {available_cores()} cores, {platform.system()} {platform.release()}. "
        f"Python {platform.python_version()}, {named}.",
    ]  # fmt: skip


def _latency(forks: dict[int, Any]) -> list[str]:
    found = forks[max(forks)]["latency"]
    lines = [
        "", "## One program, with a child waiting", "",
        "| | median | p95 | of a bare fork and wait |", "|---|---|---|---|",
    ]  # fmt: skip
    names = {
        "bare": "bare fork and wait of the same worker",
        "work": "fork, work and wait, nobody watching",
        "on": "our runner, sandbox on",
        "off": "our runner, sandbox off",
    }
    for key, name in names.items():
        ratio = found[key]["median"] / found["bare"]["median"]
        lines.append(f"| {name} | {found[key]['median']:.1f} ms | {found[key]['p95']:.1f} ms | {ratio:.2f} |")
    return lines


def _peers(forks: dict[int, Any], peers: dict[str, list[float]]) -> list[str]:
    ours = forks[max(forks)]["latency"]["on"]["median"] / 1000
    lines = [
        "", "## Against other tools, a submission", "",
        "| | seconds | of our latency, sandbox on |", "|---|---|---|",
    ]  # fmt: skip
    for name in PEERS:
        if name in peers:
            seconds = statistics.median(peers[name])
            lines.append(f"| {name} | {seconds:.2f} | {seconds / ours:.0f} x |")
        else:
            lines.append(f"| {name} | not installed | |")
    return lines


def _throughput(forks: dict[int, Any]) -> list[str]:
    cores = sorted(forks)
    lines = [
        "", "## Programs a second", "", "(In turns of a fraction of a second; ratios within a turn.)", "",
        f"| | {' | '.join(f'{count} cores | of fork and work' for count in cores)} |".replace(" 1 cores", " 1 core"),
        "|---" * (2 * len(cores) + 1) + "|",
    ]  # fmt: skip
    names = {
        "fork": "fork, work and wait, nobody watching",
        "on": "our runner, sandbox on",
        "off": "our runner, sandbox off",
    }
    for key, name in names.items():
        cells = [
            f"{forks[count]['per_second'][key]:.0f} | {forks[count]['of_forks'].get(key, 1):.2f}" for count in cores
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _scale(scales: dict[int, Any]) -> list[str]:
    lines = [
        "", "## Long runs, one program in ten hostile", "",
        "| programs | seconds | each | peak of the supervisor | peak of the worker | processes at the end |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for size, found in scales.items():
        each = found["seconds"] / size * 1000
        memory = f"{found['supervisor']:.0f} MiB | {found['worker']:.0f} MiB"
        lines.append(f"| {size:,} | {found['seconds']:.1f} | {each:.1f} ms | {memory} | {found['processes']} |")
    left = sum(found["left"] for found in scales.values())
    return [*lines, "", f"Every good program was right; {left} folders and processes were left behind."]


def _measured(module: str, *arguments: int | str) -> Any:
    command = [sys.executable, "-m", f"tests.bench.{module}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    return json.loads(done.stdout)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
