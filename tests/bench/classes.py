"""What a class costs: the same notebooks through plain `nbgrader autograde` and through `grader autograde`, in turns.

    python -m tests.bench.classes [--students N] [--turns N] [--only items|ordinary] [--many] [--json]

Commands are timed whole, their start included. nbgrader has no configuration of ours; it grades the notebooks that can be
read and end nothing, since one that cannot stops it. In the notebooks with items each student has tried a scheduler in a
cell of their own, so a kernel that runs them loads torch. nbgrader gives no points for items of a bank, so beside them
stands what it takes for an ordinary assignment of as many cells that runs the same kind of programs. With `--many`, `grader
autograde` grades so many students, then ten times as many: seconds a notebook, and the most memory that the tree of its
processes had.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support import classes

ROOT = Path(__file__).parents[2]
STUDENTS, TURNS, MORE = 20, 1, 10
SET_CHILD_SUBREAPER = 36
TOOLS = {
    "nbgrader": ["-m", "nbgrader", "autograde", classes.NAME],
    "grader": ["-m", "grader", "autograde", classes.NAME],
}


def environment(folder: Path) -> dict[str, str]:
    """Variables of a user with nothing of their own; programs of this environment are found by name."""
    return {
        **os.environ,
        "HOME": str(folder),
        "GRADER_CACHE": str(folder / "cache"),
        "GRADER_RUNTIME": str(folder / "runtime"),
        "GRADER_WARM_IDLE": "5",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "OMP_NUM_THREADS": "1",
    }


def usual(made: classes.Class, students: int) -> None:
    """Leave so many submissions of the class that are right or mistaken: those that both tools can grade."""
    good = [one.student for one in made.handed if one.sort in ("right", "mistake")]
    for one in made.handed:
        if one.student not in good[:students]:
            shutil.rmtree(made.folder / "submitted" / one.student)


MAKERS = {"items": classes.items, "ordinary": classes.ordinary}
NAMES = {"items": "items of the bank", "ordinary": "an instructor's own cells, with torch"}


def measure(students: int, turns: int, only: str | None = None) -> dict[str, Any]:
    """Seconds a submission of either tool for either assignment, by turn."""
    found: dict[str, Any] = {"students": students}
    for make in [MAKERS[only]] if only else MAKERS.values():
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
            variables = environment(Path(place))
            made = make(Path(place) / "course", 2 * students + 60, environment=variables)
            usual(made, students)
            count = len(list((made.folder / "submitted").iterdir()))
            times: dict[str, list[float]] = {tool: [] for tool in TOOLS}
            for turn in range(turns):
                for tool, command in TOOLS.items():
                    print(f"{make.__name__}, {tool}, turn {turn + 1} of {turns} ...", file=sys.stderr)
                    course = Path(place) / f"{tool}-{turn}"
                    shutil.copytree(made.folder, course)
                    if tool == "nbgrader":
                        (course / "nbgrader_config.py").write_text("c = get_config()\n")
                    times[tool].append(timed(command, course, variables) / count)
                    shutil.rmtree(course)
            found[make.__name__] = times
    return found


def timed(command: list[str], course: Path, variables: dict[str, str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command], cwd=course, env=variables, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return seconds


def many(students: int, only: str | None = None) -> list[dict[str, float]]:
    """What a notebook costs in a class and in one ten times as large, of each assignment: seconds and MiB."""
    rows = []
    for make in [MAKERS[only]] if only else MAKERS.values():
        for count in (students, MORE * students):
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
                variables = environment(Path(place))
                started = time.perf_counter()
                made = make(Path(place) / "course", count, environment=variables)
                making = time.perf_counter() - started
                print(f"{make.__name__}, {count} students, made in {making:.0f} s ...", file=sys.stderr)
                with watched() as peak:
                    started = time.perf_counter()
                    with (Path(place) / "said").open("w") as said:
                        done = subprocess.run(
                            [sys.executable, *TOOLS["grader"], "--json"],
                            cwd=made.folder, env=variables, stdout=said, stderr=subprocess.PIPE, text=True, check=False,
                        )  # fmt: skip
                    seconds = time.perf_counter() - started
                reports = json.loads((Path(place) / "said").read_text() or "{}").get("graded", {})
                if len(reports) != count:
                    sys.exit(f"{len(reports)} of {count} were graded: {done.stderr[-2000:]}")
                row = {"assignment": make.__name__, "students": count, "seconds": seconds, "each": seconds / count}
                rows.append({**row, "MiB": peak()})
    return rows


@contextlib.contextmanager
def watched() -> Any:
    """Watch the processes below this one; the most memory that they had together (proportional set size), in MiB.

    Those whose parents end (the kernels' forkserver and guards) become children of this process (Linux; prctl(2)).
    """
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    most = [0.0]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            most[0] = max(most[0], sum(map(memory, below(os.getpid()))) / 1024)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lambda: most[0]
    finally:
        over.set()
        thread.join()


def below(pid: int) -> list[int]:
    """The processes that descend from one, of all that can be seen."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(path.parent.name))
    found, waiting = [], [pid]
    while waiting:
        more = children.get(waiting.pop(), [])
        found += more
        waiting += more
    return found


def memory(pid: int) -> int:
    """What a process has in RAM, in KiB, its share of what it has in common with others."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return 0


def page(found: dict[str, Any]) -> list[str]:
    """Rows of Markdown."""
    kept = [name for name in MAKERS if name in found]
    seconds = {(name, tool): statistics.median(found[name][tool]) for name in kept for tool in TOOLS}
    lines = [
        "", "## A class, a submission", "",
        f"({found['students']} students, five graded cells each, both commands whole, in turns; right answers and known mistakes.)", "",
        "| | `nbgrader autograde` | `grader autograde` | |", "|---|---|---|---|",
    ]  # fmt: skip
    for name in kept:
        theirs, ours = seconds[name, "nbgrader"], seconds[name, "grader"]
        lines.append(f"| {NAMES[name]} | {theirs:.2f} s | {ours:.3f} s | {theirs / ours:.1f} x |")
    if len(kept) < len(MAKERS):
        return lines
    theirs, ours = seconds["ordinary", "nbgrader"], seconds["items", "grader"]
    lines.append(
        f"| the same taught either way: cells for nbgrader, items for us | {theirs:.2f} s | {ours:.3f} s | {theirs / ours:.1f} x |"
    )
    lines += [
        "",
        "nbgrader without our steps gives no points for items; it runs a cell in which each student tried a scheduler, and five that raise.",
    ]
    return lines


def table(rows: list[dict[str, Any]]) -> list[str]:
    said = "with attacks and broken notebooks among those that are right or mistaken; memory is that of all processes together"
    lines = [
        "",
        f"(Alone, {said}.)",
        "",
        "| `grader autograde` | students | seconds | each | peak of all processes |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        cells = f"{row['seconds']:.0f} | {row['each'] * 1000:.0f} ms | {row['MiB']:.0f} MiB"
        lines.append(f"| {NAMES[row['assignment']]} | {row['students']:,} | {cells} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--students", type=int, default=STUDENTS)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--many", action="store_true")
    parser.add_argument("--only", choices=sorted(MAKERS))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    show: Callable[[Any], list[str]] = table if arguments.many else page
    only = arguments.only
    found: Any = (
        many(arguments.students, only) if arguments.many else measure(arguments.students, arguments.turns, only)
    )
    print(json.dumps(found) if arguments.json else "\n".join(show(found)))


if __name__ == "__main__":
    main()
