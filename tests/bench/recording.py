"""Recording when many answer at once: `python -m tests.bench.recording [ANSWERS] [--json]`.

Fifty threads put answers on record, each as fast as it can, beside fifty threads that insert one row each with plain sqlite3
(synchronous=FULL) under one lock, in the same folder, in turns.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from grader.content import bank_files
from grader.learning import records
from grader.learning.digests import BankDigests
from grader.learning.recorder import Recorder, now
from grader.learning.records import Records
from grader.model import Bank, Outcome, Result, Score, Sitting

ROOT = Path(__file__).parents[2]
THREADS = 50
TURNS = 3
PROMISED = 6.0
"""How many times the 95th percentile of a plain insert that of recording may be."""

Answer = Callable[[int, int], object]
"""Of a thread, its how manieth."""


def together(answer: Answer, answers: int) -> list[float]:
    """Seconds that each answer took, of threads that all answer at once."""
    times: list[list[float]] = [[] for _ in range(THREADS)]
    begin = threading.Barrier(THREADS)

    def work(thread: int) -> None:
        begin.wait()
        for count in range(answers):
            before = time.perf_counter()
            answer(thread, count)
            times[thread].append(time.perf_counter() - before)

    crowd = [threading.Thread(target=work, args=(thread,)) for thread in range(THREADS)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    return [taken for own in times for taken in own]


def plain(path: Path, answers: int) -> list[float]:
    """One row each, one after another."""
    base = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=FULL")
    base.execute("CREATE TABLE rows (thread INTEGER, count INTEGER, text TEXT)")
    lock = threading.Lock()

    def insert(thread: int, count: int) -> None:
        with lock:
            base.execute("INSERT INTO rows VALUES (?, ?, ?)", (thread, count, "a" * 200))

    times = together(insert, answers)
    base.close()
    return times


def recorded(path: Path, bank: Bank, answers: int) -> list[float]:
    """Attempts with all that belongs to them: place and token looked up, card computed, synced."""
    items = bank.items[: 10 * 7 : 7]
    digests = BankDigests(bank)
    for item in items:
        digests.item(item)
        digests.topic(item.topic)
    with Records(str(path)) as store:
        recorders = [
            Recorder(store, Sitting(records.new_id(), f"learner {thread}", "", "practice", now()), bank, "2", now, digests)
            for thread in range(THREADS)
        ]  # fmt: skip
        for recorder in recorders:
            recorder.begin()

        def record(thread: int, count: int) -> None:
            item = items[count % len(items)]
            result = Result(item, item.variants[0], "a", Score(Outcome.CORRECT, 1.0))
            assert recorders[thread](result, count, 0, 1.0, records.new_id())

        return together(record, answers)


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1] * 1000


def measure(answers: int) -> dict[str, float]:
    """Milliseconds: medians over the turns."""
    bank = bank_files.read(bank_files.files([ROOT]))
    taken: dict[str, list[list[float]]] = {"plain": [], "recorded": []}
    for turn in range(TURNS):
        with tempfile.TemporaryDirectory() as folder:
            taken["plain"].append(plain(Path(folder) / f"plain{turn}.sqlite", answers))
            taken["recorded"].append(recorded(Path(folder) / f"records{turn}.sqlite", bank, answers))
    found = {}
    for name, turns in taken.items():
        found[f"{name} median"] = statistics.median(statistics.median(times) * 1000 for times in turns)
        found[f"{name} p95"] = statistics.median(map(p95, turns))
    pairs = zip(taken["recorded"], taken["plain"], strict=True)
    return found | {"ratio": statistics.median(p95(ours) / p95(theirs) for ours, theirs in pairs)}


def page(found: dict[str, float]) -> list[str]:
    """The section of the page."""
    kept = "kept" if round(found["ratio"], 1) <= PROMISED else "NOT kept"
    lines = [
        "", f"## Recording, {THREADS} threads at once", "",
        f"(Promised: a 95th percentile of at most {PROMISED:.0f} plain inserts under one lock, same folder, in turns; {kept}.)", "",
        "| | median | p95 | of a plain insert (p95) |", "|---|---|---|---|",
    ]  # fmt: skip
    for name, label in (("plain", "one row, plain sqlite3, one lock"), ("recorded", "an answer on record")):
        ratio = found["ratio"] if name == "recorded" else 1.0
        lines.append(f"| {label} | {found[f'{name} median']:.1f} ms | {found[f'{name} p95']:.1f} ms | {ratio:.1f} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("answers", type=int, nargs="?", default=20, help="of each thread")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments.answers)
    print(json.dumps(found) if arguments.json else "\n".join(page(found)))


if __name__ == "__main__":
    main()
