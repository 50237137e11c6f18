"""What the records cost when there are many: `python -m tests.bench.records [ATTEMPTS] [--json]`.

Builds an SQLite file with so many attempts of one learner (1,000,000 unless said otherwise), then measures in one process
opening it and recording an answer, and `grader topics` as a command, beside the same with an empty file.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from grader.content import bank_files
from grader.learning import record_rows, records, spaced_repetition
from grader.learning.recorder import Recorder, now
from grader.learning.records import Records
from grader.model import Bank, Outcome, Result, Score, Sitting

ROOT = Path(__file__).parents[2]


def fill(url: str, bank: Bank, attempts: int) -> None:
    """Attempts of one learner over the last year, ten a sitting."""
    chance = random.Random(0)
    start = now() - timedelta(days=365)
    card = spaced_repetition.after(None, spaced_repetition.GOOD, start)
    with Records(url) as store, store._writer.begin() as connection:
        for first in range(0, attempts, 10_000):
            rows = []
            for number in range(first, min(first + 10_000, attempts)):
                item = chance.choice(bank.items)
                rows.append(
                    {
                        "id": f"{number:032x}", "learner": "me", "sitting": f"{number // 10:032x}", "place": number % 10,
                        "tries": 0, "mode": "practice", "at": record_rows.microseconds(start) + number, "topic": item.topic,
                        "item": item.id, "kind": item.kind, "level": item.level, "skill": item.skill, "digest": "0" * 16,
                        "variant": chance.randrange(len(item.variants)), "params": "{}", "response": "a",
                        "outcome": "correct", "points": 1.0, "mistake": None, "hints": 0, "seconds": 10.0,
                        "unit": spaced_repetition.unit(item), "early": False, "card": card, "torch": "2", "bank": "0" * 16,
                    }
                )  # fmt: skip
            connection.execute(records.ATTEMPTS.insert(), rows)


def open_and_record(url: str, bank: Bank, turns: int = 40) -> tuple[float, float]:
    """Milliseconds to open the records and write one answer, and to write one more; medians."""
    both, one = [], []
    item = bank.items[0]
    for _ in range(turns):
        started = time.perf_counter()
        with Records(url) as store:
            recorder = Recorder(store, Sitting(records.new_id(), "me", item.topic, "practice", now()), bank, "2")
            recorder(Result(item, item.variants[0], "a", Score(Outcome.CORRECT, 1.0)), 0, 0, 1.0)
            both.append(time.perf_counter() - started)
            started = time.perf_counter()
            recorder(Result(item, item.variants[0], "a", Score(Outcome.CORRECT, 1.0)), 1, 0, 1.0)
            one.append(time.perf_counter() - started)
    return statistics.median(both) * 1000, statistics.median(one) * 1000


def topics(url: str, turns: int = 7) -> float:
    """Seconds of `grader topics`; the median."""
    took = []
    for _ in range(turns):
        started = time.perf_counter()
        command = [sys.executable, "-m", "grader", "topics", "--json"]
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, "GRADER_DB": url}, capture_output=True, check=True)
        took.append(time.perf_counter() - started)
        assert json.loads(done.stdout)["topics"]
    return statistics.median(took)


def measure(attempts: int) -> list[dict[str, float]]:
    """Of no attempts and of so many: MiB, milliseconds to open and record and to record one more, seconds of `topics`."""
    bank = bank_files.read(bank_files.files([ROOT]))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for count in (0, attempts):
            url = f"sqlite:///{folder}/{count}.sqlite"
            fill(url, bank, count)
            both, one = open_and_record(url, bank)
            size = Path(url.removeprefix("sqlite:///")).stat().st_size / 2**20
            rows.append({"attempts": count, "MiB": size, "both": both, "one": one, "topics": topics(url)})
    return rows


def page(rows: list[dict[str, float]]) -> list[str]:
    """Rows of Markdown."""
    lines = [
        "", "## Records, when there are many", "",
        "(Attempts of one learner in an SQLite file; `grader topics` is the command whole.)", "",
        "| attempts | file | open and record an answer | record one more | `grader topics` |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for row in rows:
        cells = f"{row['MiB']:,.0f} MiB | {row['both']:.1f} ms | {row['one']:.1f} ms | {row['topics']:.2f} s"
        lines.append(f"| {row['attempts']:,} | {cells} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("attempts", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = measure(arguments.attempts)
    print(json.dumps(rows) if arguments.json else "\n".join(page(rows)))


if __name__ == "__main__":
    main()
