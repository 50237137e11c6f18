"""What a program costs: our runner against the tools of the field, and against a bare fork. Run it with `make bench`.

The same work everywhere: one parameter, SGD and LambdaLR, five times backward, step, step. Each measurement is a process
of its own; measurements are taken in turns and ratios within a turn, so that they hold when the machine's speed drifts.
Prints a page of Markdown, which is BENCHMARKS.md. A tool that is not installed is named as such.

The tools also convert notebooks and write results; the ratios say what a learner or a class waits for, not how fast their
code is.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.metadata
import io
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grader.model import Limits, Program, Status
from grader.run import run_all
from grader.run.local import LocalRunner, available_cores

TURNS = 3
SIZES = (100, 1_000, 10_000)

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


def percentiles(times: list[float]) -> dict[str, float]:
    times = sorted(times)
    return {"median": statistics.median(times) * 1000, "p95": times[int(len(times) * 0.95)] * 1000}


# ---------------------------------------------------------------- measurements, each in a process of its own


def measure_fork() -> dict[str, Any]:
    """The physical limit: the same warm process forks and waits, with no sandbox and nobody watching."""
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    import torch

    from grader.run import worker
    from grader.run.execute import execute
    from grader.run.observe import Watcher

    torch.set_num_threads(1)
    watcher = Watcher()
    watcher.install()
    execute(worker.WARM_UP_JOB, watcher, io.StringIO())
    gc.collect()
    gc.freeze()
    worker.pack_memory()
    job = {"source": PROGRAM, "asks": [], "seed": 1}

    def fork(work: bool) -> None:
        if os.fork() == 0:
            if work:
                execute(job, watcher, io.StringIO())
            os._exit(0)

    def latency(work: bool) -> list[float]:
        times = []
        for _ in range(200):
            started = time.perf_counter()
            fork(work)
            os.wait()
            times.append(time.perf_counter() - started)
        return times

    def throughput(at_once: int, count: int = 400) -> float:
        started, running = time.perf_counter(), 0
        for _ in range(count):
            if running == at_once:
                os.wait()
                running -= 1
            fork(True)
            running += 1
        while running:
            os.wait()
            running -= 1
        return count / (time.perf_counter() - started)

    result = {"bare": percentiles(latency(False)), "work": percentiles(latency(True))}
    return result | {"per_second": {str(cores): throughput(cores) for cores in (1, 2)}}


def measure_runner(sandbox: bool) -> dict[str, Any]:
    """Latency with a child waiting, and throughput on one core and on two."""
    every = os.sched_getaffinity(0)
    result: dict[str, Any] = {"per_second": {}}
    for cores in (1, 2):
        os.sched_setaffinity(0, sorted(every)[:cores])
        with LocalRunner(sandbox=sandbox) as runner:
            _right(runner.submit(_program()).result())
            list(run_all(runner, [_program()] * 50))
            started = time.perf_counter()
            for seen in run_all(runner, [_program()] * 400):
                _right(seen)
            result["per_second"][str(cores)] = 400 / (time.perf_counter() - started)
            if cores == 2:
                times = []
                for _ in range(200):
                    time.sleep(0.03)
                    started = time.perf_counter()
                    _right(runner.submit(_program()).result())
                    times.append(time.perf_counter() - started)
                result["latency"] = percentiles(times)
                result["walls"] = runner.walls.contained
    return result


def measure_scale(count: int) -> dict[str, Any]:
    """Time and peak memory of a run of `count` programs, one in ten of them hostile; every good one must be right."""
    before = len(list(Path(tempfile.gettempdir()).glob("grader-*")))
    limits = Limits(wall_seconds=5, cpu_seconds=2, memory_bytes=256 << 20, output_bytes=1 << 18)
    with LocalRunner() as runner:
        _right(runner.submit(_program()).result())

        def programs() -> Any:
            for number in range(count):
                hostile = HOSTILE[number // 10 % len(HOSTILE)]
                yield Program(hostile, limits=limits) if number % 10 == 9 else _program()

        started = time.perf_counter()
        for number, seen in enumerate(run_all(runner, programs())):
            if number % 10 == 9:
                if seen.status in (Status.OK, Status.NOT_RUN):
                    sys.exit(f"a hostile program ended as {seen}")
            else:
                _right(seen)
        seconds = time.perf_counter() - started
        time.sleep(0.5)
        worker = max(_peak(pid) for pid in _below(os.getpid()))
        processes = len(_below(os.getpid()))
    supervisor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
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


def _program() -> Program:
    return Program(PROGRAM, ("rates",), seed=1)


def _right(seen: Any) -> None:
    if seen.status is not Status.OK or abs(seen.asked[0].value[2] - 0.06) > 1e-9:
        sys.exit(f"a program was not right: {seen}")


# ---------------------------------------------------------------- the tools of the field


def cold_python(folder: Path) -> Callable[[], float]:
    (folder / "program.py").write_text(PROGRAM + CHECK)
    return lambda: _timed([sys.executable, "program.py"], folder)


def nbclient(folder: Path) -> Callable[[], float]:
    _notebook(folder / "submission.ipynb", [PROGRAM, CHECK])
    code = (
        "import nbformat, nbclient, time\nnotebook = nbformat.read('submission.ipynb', 4)\nstarted = time.perf_counter()\n"
        "nbclient.NotebookClient(notebook, timeout=100).execute()\nprint(time.perf_counter() - started)"
    )
    return lambda: float(_run([sys.executable, "-c", code], folder).split()[-1])


def nbgrader(folder: Path, students: int = 5) -> Callable[[], float]:
    """Seconds a submission, of an `autograde` over five students."""
    cells = [
        (PROGRAM, {"grade": False, "solution": True, "locked": False, "grade_id": "work"}),
        (CHECK, {"grade": True, "solution": False, "locked": True, "grade_id": "check", "points": 1}),
    ]
    (folder / "source/ps1").mkdir(parents=True)
    _notebook(folder / "source/ps1/p.ipynb", cells)
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'course'\n")
    nbgrader = [sys.executable, "-m", "nbgrader"]
    _run([*nbgrader, "generate_assignment", "ps1"], folder)
    for student in range(students):
        (folder / f"submitted/s{student}/ps1").mkdir(parents=True)
        _notebook(folder / f"submitted/s{student}/ps1/p.ipynb", cells)
    return lambda: _timed([*nbgrader, "autograde", "ps1", "--force"], folder) / students


def otter(folder: Path) -> Callable[[], float]:
    (folder / "tests").mkdir()
    case = ">>> abs(rates[2] - 0.06) < 1e-9\nTrue"
    suite = {
        "cases": [{"code": case, "hidden": False, "locked": False}],
        "scored": True,
        "setup": "",
        "teardown": "",
        "type": "doctest",
    }
    test = {"name": "q1", "points": 1, "suites": [suite]}
    (folder / "tests/q1.py").write_text(f"OK_FORMAT = True\ntest = {test!r}\n")
    _notebook(folder / "submission.ipynb", [PROGRAM])
    tool = [str(Path(sys.executable).parent / "otter")]
    _run([*tool, "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment", "--no-requirements"], folder)
    return lambda: _timed([*tool, "run", "-a", "autograder.zip", "--no-logo", "submission.ipynb"], folder)


PEERS = {
    "cold `python`": (None, cold_python),
    "nbclient": ("nbclient", nbclient),
    "`nbgrader autograde`": ("nbgrader", nbgrader),
    "`otter run`": ("otter-grader", otter),
}


def _notebook(path: Path, cells: list[Any]) -> None:
    import nbformat

    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    for cell in cells:
        source, metadata = cell if isinstance(cell, tuple) else (cell, None)
        entry = nbformat.v4.new_code_cell(source)
        if metadata:
            entry.metadata["nbgrader"] = {"schema_version": 3, "task": False, "cell_type": "code", **metadata}
        notebook.cells.append(entry)
    nbformat.write(notebook, path)


def _run(command: list[str], folder: Path) -> str:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HOME": str(folder), "PYTHONWARNINGS": "ignore"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"  # nbgrader calls alembic by its name
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def _timed(command: list[str], folder: Path) -> float:
    started = time.perf_counter()
    _run(command, folder)
    return time.perf_counter() - started


# ---------------------------------------------------------------- the page


def _measured(*arguments: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{arguments} failed:\n{done.stdout}\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


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


def main() -> None:
    versions = {name: _version(name) for name in ("torch", "nbclient", "nbgrader", "otter-grader")}
    present = {name: make for name, (package, make) in PEERS.items() if package is None or versions[package]}
    absent = [name for name in PEERS if name not in present]
    turns = []
    with tempfile.TemporaryDirectory() as place:
        peers = {}
        for number, (name, make) in enumerate(present.items()):
            folder = Path(place) / str(number)
            folder.mkdir()
            peers[name] = make(folder)
            peers[name]()  # not counted: caches fill
        for turn in range(TURNS):
            print(f"turn {turn + 1} of {TURNS} ...", file=sys.stderr)
            turns.append(
                {
                    "fork": _measured("fork"),
                    "on": _measured("runner", "on"),
                    "off": _measured("runner", "off"),
                    "peers": {name: peer() for name, peer in peers.items()},
                }
            )
    scales = {}
    for size in SIZES:
        print(f"{size} programs ...", file=sys.stderr)
        scales[size] = _measured("scale", str(size))
    print(page(turns, scales, versions, absent))


def page(turns: list[Any], scales: dict[int, Any], versions: dict[str, str | None], absent: list[str]) -> str:
    def middle(value: Callable[[Any], float]) -> float:
        return statistics.median(value(turn) for turn in turns)

    named = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    lines = [
        "# Benchmarks", "",
        "Made by `make bench`; see `tests/bench.py` for what is measured and how. Medians over"
        f" {len(turns)} turns; ratios are taken within a turn.", "",
        f"Machine: {_processor()}, {available_cores()} cores, {platform.system()} {platform.release()}. "
        f"Python {platform.python_version()}, {named}.", "",
        "## One program, with a child waiting", "",
        "| | median | p95 | of a bare fork and wait |", "|---|---|---|---|",
    ]  # fmt: skip
    rows = {
        "bare fork and wait of the same worker": lambda turn: turn["fork"]["bare"],
        "fork, work and wait, nobody watching": lambda turn: turn["fork"]["work"],
        "our runner, sandbox on": lambda turn: turn["on"]["latency"],
        "our runner, sandbox off": lambda turn: turn["off"]["latency"],
    }
    for name, of in rows.items():
        median, high = middle(lambda turn, of=of: of(turn)["median"]), middle(lambda turn, of=of: of(turn)["p95"])
        ratio = middle(lambda turn, of=of: of(turn)["median"] / turn["fork"]["bare"]["median"])
        lines.append(f"| {name} | {median:.1f} ms | {high:.1f} ms | {ratio:.2f} |")
    lines += [
        "",
        "## Against other tools, a submission",
        "",
        "| | seconds | of our latency, sandbox on |",
        "|---|---|---|",
    ]
    for name in turns[0]["peers"]:
        ratio = middle(lambda turn, name=name: turn["peers"][name] * 1000 / turn["on"]["latency"]["median"])
        lines.append(f"| {name} | {middle(lambda turn, name=name: turn['peers'][name]):.2f} | {ratio:.0f} x |")
    lines += [f"| {name} | not installed | |" for name in absent]
    lines += ["", "## Programs a second", "", "| | 1 core | 2 cores | of fork and work, 2 cores |", "|---|---|---|---|"]
    for name, key in (
        ("fork, work and wait, nobody watching", "fork"),
        ("our runner, sandbox on", "on"),
        ("our runner, sandbox off", "off"),
    ):
        one, two = (middle(lambda turn, key=key, cores=cores: turn[key]["per_second"][cores]) for cores in ("1", "2"))
        ratio = middle(lambda turn, key=key: turn[key]["per_second"]["2"] / turn["fork"]["per_second"]["2"])
        lines.append(f"| {name} | {one:.0f} | {two:.0f} | {ratio:.2f} |")
    lines += [
        "", "## Long runs, one program in ten hostile", "",
        "| programs | seconds | each | peak of the supervisor | peak of the worker | processes at the end |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for size, found in scales.items():
        each = found["seconds"] / size * 1000
        memory = f"{found['supervisor']:.0f} MiB | {found['worker']:.0f} MiB"
        lines.append(f"| {size:,} | {found['seconds']:.1f} | {each:.1f} ms | {memory} | {found['processes']} |")
    left = sum(found["left"] for found in scales.values())
    lines += ["", f"Every good program was right; {left} folders and processes were left behind."]
    return "\n".join(lines)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fork"]:
            print(json.dumps(measure_fork()))
        case ["runner", sandbox]:
            print(json.dumps(measure_runner(sandbox == "on")))
        case ["scale", size]:
            print(json.dumps(measure_scale(int(size))))
        case _:
            main()
