"""What a program costs: our runner against the tools of the field, and against a bare fork. Run it with `make bench`.

    python -m tests.bench [--only NAME,NAME...] [--students N] [--page FILE]

Rewrites these sections of BENCHMARKS.md (all of them, unless said otherwise) when the last one is measured, and nothing before
that. With a class of 200, nbgrader's share of the time is half an hour; `make bench STUDENTS=20` is much shorter. Each
measurement is a process of its own. A tool that is not installed is named as such.
"""

from __future__ import annotations

import argparse
import functools
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.runner.local import available_cores

from . import bank, classes, fairness, kernels, recording, records
from .page import NAMES, chosen, rewritten
from .peers import PEERS

ROOT = Path(__file__).parents[2]
TURNS = 3
SIZES = (100, 1_000, 10_000)
PROMISED = 1.1
"""What a program in the sandbox may cost, of a bare fork and wait."""
ALWAYS = ("torch",)
USED = {"tools": ("nbclient", "nbgrader", "otter-grader"), "class": ("nbgrader",), "kernels": ("nbclient", "ipykernel")}
"""Whose versions a section names, beside torch."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--students", type=int, default=classes.STUDENTS)
    parser.add_argument("--only", default="", metavar="NAME,NAME...", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--page", type=Path, default=ROOT / "BENCHMARKS.md")
    arguments = parser.parse_args()
    try:
        names = chosen(arguments.only)
        rewritten(_read(arguments.page), {})  # what is wrong with the page is said now, not in an hour
    except ValueError as error:
        parser.error(str(error))
    if busy := _busy():
        _say(f"The machine is at other work ({busy}); the figures will show it.")
    try:
        new = {name: _section(name, arguments.students) for name in names}
    except KeyboardInterrupt:
        _say(f"Interrupted; {arguments.page.name} is as it was.")
        sys.exit(130)
    _write(arguments.page, rewritten(_read(arguments.page), new))
    print("\n".join(new.values()))


def _section(name: str, students: int) -> str:
    """Measure a section: its title, what it was measured on, and its lines."""
    _say(f"{name} ...")
    measured_on = _measured_on(name)
    _, title, *lines = MEASURE[name](students)
    return "\n".join([title, "", measured_on, *lines]) + "\n"


def _busy() -> str:
    """What is said of a machine that has more to do than this; nothing where it is quiet."""
    load = os.getloadavg()[0]
    return f"load average {load:.1f} on {available_cores()} cores" if load > available_cores() + 1 else ""


def _measured_on(name: str) -> str:
    versions = {tool: _version(tool) for tool in (*ALWAYS, *USED.get(name, ()))}
    named = ", ".join(f"{tool} {version}" for tool, version in versions.items() if version)
    at_work = f" Other work ran beside it: {busy}." if (busy := _busy()) else ""
    return (
        f"Measured on {datetime.now(UTC).date()}: {_processor()}, {available_cores()} cores, {platform.system()} "
        f"{platform.release()}; Python {platform.python_version()}, {named}.{at_work}"
    )


# ------------------------------------------------------------ the sections; each begins with an empty line and its title


def _programs(students: int) -> list[str]:
    found = _latency()
    on = " on" if found["contained"] else " on, without namespaces"
    names = {
        "bare": "bare fork and wait of the same worker",
        "work": "fork, work and wait, nobody watching",
        "on": f"our runner, sandbox{on}",
        "off": "our runner, sandbox off",
    }
    ratios = {key: found["times"][key]["median"] / found["times"]["bare"]["median"] for key in names}
    kept = "kept" if round(ratios["on"], 2) <= PROMISED else "NOT kept"
    lines = [
        "", "## One program, with a child waiting", "",
        f"(One at a time, in turns. Promised: with the sandbox on at most {PROMISED:.2f} of a bare fork and wait; {kept}.)", "",
        "| | median | p95 | of a bare fork and wait |", "|---|---|---|---|",
    ]  # fmt: skip
    for key, label in names.items():
        times = found["times"][key]
        lines.append(f"| {label} | {times['median']:.1f} ms | {times['p95']:.1f} ms | {ratios[key]:.2f} |")
    return lines


@functools.cache
def _latency() -> dict[str, Any]:
    """Measured once for the two sections that show it."""
    found: dict[str, Any] = _measured("forks", "latency", available_cores())
    return found


def _tools(students: int) -> list[str]:
    ours = _latency()["times"]["on"]["median"] / 1000
    present = {name: make for name, (package, make) in PEERS.items() if package is None or _version(package)}
    taken: dict[str, list[float]] = {name: [] for name in present}
    with tempfile.TemporaryDirectory() as place:
        submit = {}
        for number, (name, make) in enumerate(present.items()):
            folder = Path(place) / str(number)
            folder.mkdir()
            submit[name] = make(folder)
            submit[name]()  # not counted: caches fill
        for turn in range(TURNS):
            _say(f"the tools of the field, turn {turn + 1} of {TURNS} ...")
            for name, times in taken.items():
                times.append(submit[name]())
    lines = [
        "", "## Against other tools, a submission", "",
        "| | seconds | of our latency, sandbox on |", "|---|---|---|",
    ]  # fmt: skip
    for name in PEERS:
        if name in taken:
            seconds = statistics.median(taken[name])
            lines.append(f"| {name} | {seconds:.2f} | {seconds / ours:.0f} x |")
        else:
            lines.append(f"| {name} | not installed | |")
    return lines


def _class(students: int) -> list[str]:
    arguments = f"--students={students}", "--json"
    return classes.page(_measured("classes", *arguments)) + classes.table(_measured("classes", "--many", *arguments))


def _kernels(students: int) -> list[str]:
    return kernels.page(_measured("kernels", "--json"))


def _throughput(students: int) -> list[str]:
    cores = sorted({1, available_cores()})
    found = {count: _measured("forks", "rates", count) for count in cores}
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
    for key, label in names.items():
        cells = [
            f"{found[count]['per_second'][key]:.0f} | {found[count]['of_forks'].get(key, 1):.2f}" for count in cores
        ]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return lines


def _long(students: int) -> list[str]:
    lines = [
        "", "## Long runs, one program in ten hostile", "",
        "| programs | seconds | each | peak of the supervisor | peak of the worker | processes at the end |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    left = 0
    for size in SIZES:
        _say(f"{size} programs ...")
        found = _measured("scale", size)
        each = found["seconds"] / size * 1000
        memory = f"{found['supervisor']:.0f} MiB | {found['worker']:.0f} MiB"
        lines.append(f"| {size:,} | {found['seconds']:.1f} | {each:.1f} ms | {memory} | {found['processes']} |")
        left += found["left"]
    return [*lines, "", f"Every good program was right; {left} folders and processes were left behind."]


def _records(students: int) -> list[str]:
    return records.page(_measured("records", "--json"))


def _recording(students: int) -> list[str]:
    return recording.page(_measured("recording", "--json"))


def _fairness(students: int) -> list[str]:
    return fairness.page(_measured("fairness"))


def _web(students: int) -> list[str]:
    from . import web  # needs the extra `serve`, which nothing else here does

    return web.page(_measured("web"))


def _load(students: int) -> list[str]:
    from . import load  # needs the extra `serve`, as above

    return load.page(_measured("load", "--crowd"))


def _bank(students: int) -> list[str]:
    return bank.page(_measured("bank"))


MEASURE: dict[str, Callable[[int], list[str]]] = {
    "programs": _programs,
    "tools": _tools,
    "class": _class,
    "kernels": _kernels,
    "throughput": _throughput,
    "fairness": _fairness,
    "long": _long,
    "records": _records,
    "recording": _recording,
    "bank": _bank,
    "web": _web,
    "load": _load,
}


# ------------------------------------------------------------ the page, and what is said on the way


def _read(path: Path) -> str:
    return path.read_bytes().decode() if path.exists() else ""


def _write(path: Path, text: str) -> None:
    """All of the page or nothing of it."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(text.encode())
    beside.replace(path)


def _measured(module: str, *arguments: int | str) -> Any:
    command = [sys.executable, "-m", f"tests.bench.{module}", *map(str, arguments)]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stdout}\n{done.stderr}\nThe page is as it was.")
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
