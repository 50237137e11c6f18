"""Warm kernels and confined ones against ordinary ones, in turns: the time to a ready kernel, cells, a whole notebook.

    python -m tests.bench.kernels [--turns N] [--json]
    python -m tests.bench.kernels --many 100

With `--many` that many warm kernels run one after another, and what they leave behind is counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .work import CHECK, PROGRAM

KINDS = {"ordinary": "python3", "warm": "torch-warm", "confined": ""}
"""Kinds of kernels, and the names of their kernelspecs."""
TURNS = 5
CELL = "import torch\noptimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(2))], lr=0.1)"


def measure(turns: int) -> dict[str, dict[str, float]]:
    """Medians in seconds: `ready`, `first cell`, `end`, `notebook` and `notebook, immediate end` of either kind."""
    times: dict[str, dict[str, list[float]]] = {kind: {} for kind in KINDS}
    for turn in range(turns + 1):
        for kind, name in KINDS.items():
            found = by_hand(name)
            for how in ("graceful", "immediate"):
                found["notebook" if how == "graceful" else "notebook, immediate end"] = notebook(name, how)
            if turn:  # the first is not counted: caches fill, and the forkserver starts
                for key, seconds in found.items():
                    times[kind].setdefault(key, []).append(seconds)
        print(f"kernels, turn {turn} of {turns}", file=sys.stderr)
    return {kind: {key: statistics.median(all_of) for key, all_of in found.items()} for kind, found in times.items()}


def by_hand(name: str) -> dict[str, float]:
    """Seconds that one kernel takes until it is ready, for its first cell, and to leave."""
    from jupyter_client.manager import KernelManager

    if not name:
        return asyncio.run(by_hand_confined())
    clock = time.perf_counter
    manager = KernelManager(kernel_name=name)
    started = clock()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    ready = clock()
    reply = client.execute_interactive(CELL, timeout=60)
    ran = clock()
    if reply["content"]["status"] != "ok":
        sys.exit(f"the first cell failed: {reply}")
    client.stop_channels()
    left = clock()
    manager.shutdown_kernel()
    return {"ready": ready - started, "first cell": ran - ready, "end": clock() - left}


async def by_hand_confined() -> dict[str, float]:
    """The same of a confined kernel, whose manager is asynchronous."""
    from grader.kernels.confined_manager import Manager

    clock = time.perf_counter
    with tempfile.TemporaryDirectory() as folder:
        manager = Manager()
        started = clock()
        await manager.start_kernel(cwd=folder)
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=60)
        ready = clock()
        reply = await client.execute_interactive(CELL, timeout=60)
        ran = clock()
        if reply["content"]["status"] != "ok":
            sys.exit(f"the first cell failed: {reply}")
        client.stop_channels()
        left = clock()
        await manager.shutdown_kernel()
        return {"ready": ready - started, "first cell": ran - ready, "end": clock() - left}


def notebook(name: str, shutdown: str) -> float:
    """Seconds that an unchanged nbclient takes for a notebook of two cells."""
    import nbformat
    from nbclient import NotebookClient

    from grader.kernels.confined_manager import Manager

    confined = {} if name else {"kernel_manager_class": Manager}
    metadata = {"kernelspec": {"name": name, "display_name": name, "language": "python"}}
    cells = [nbformat.v4.new_code_cell(source) for source in (PROGRAM, CHECK)]
    book = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    with tempfile.TemporaryDirectory() as folder:
        place = {"metadata": {"path": folder}}
        started = time.perf_counter()
        NotebookClient(book, timeout=100, shutdown_kernel=shutdown, resources=place, **confined).execute()
        return time.perf_counter() - started


def many(count: int, folder: Path) -> dict[str, Any]:
    """Run so many kernels; how long they took, and what is there afterwards that was not there before."""
    by_hand(KINDS["warm"])
    (forkserver,) = forkservers(folder)
    before = len(descriptors(forkserver)), memory(forkserver), len(descriptors(os.getpid()))
    started = time.perf_counter()
    for _ in range(count):
        by_hand(KINDS["warm"])
    seconds = time.perf_counter() - started
    if forkservers(folder) != [forkserver]:
        sys.exit("the forkserver did not stay")
    children = Path(f"/proc/{forkserver}/task/{forkserver}/children").read_text().split()
    return {
        "kernels": count,
        "seconds": seconds,
        "processes left": len(children),
        "descriptors more, forkserver": len(descriptors(forkserver)) - before[0],
        "descriptors more, client": len(descriptors(os.getpid())) - before[2],
        "MiB more, forkserver": (memory(forkserver) - before[1]) / 1024,
    }


def descriptors(pid: int) -> list[str]:
    return [path.name for path in Path(f"/proc/{pid}/fd").iterdir()]


def memory(pid: int) -> int:
    """What a process has in RAM, in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def forkservers(folder: Path) -> list[int]:
    pids = [int(lock.read_text()) for lock in folder.glob("*.lock")]
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def page(found: dict[str, dict[str, float]]) -> list[str]:
    """Rows of Markdown."""
    lines = [
        "", "## Kernels, ordinary, warm and confined", "",
        "(In turns. The first cell imports torch and makes an optimizer; the notebook goes through an unchanged nbclient.)", "",
        "| | ordinary | warm | | confined | |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for key, ordinary in found["ordinary"].items():
        others = [f"{found[kind][key]:.3f} s | {ordinary / found[kind][key]:.1f} x" for kind in ("warm", "confined")]
        lines.append(f"| {key} | {ordinary:.3f} s | {' | '.join(others)} |")
    return lines


def main() -> None:
    """Measure in a runtime folder of its own, and end the forkserver afterwards."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--many", type=int)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="grader-warm-"))
    os.environ |= {"GRADER_RUNTIME": str(folder), "IPYTHONDIR": str(folder / "ipython")}
    try:
        if arguments.many:
            print("\n".join(f"{key}: {value:.4g}" for key, value in many(arguments.many, folder).items()))
        elif arguments.json:
            print(json.dumps(measure(arguments.turns)))
        else:
            print("\n".join(page(measure(arguments.turns))))
    finally:
        for pid in forkservers(folder):
            os.kill(pid, signal.SIGTERM)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
