"""Kills scripted sittings at random moments, two at a time, and checks that no acknowledged answer is lost or doubled.

    python -m tests.support.killing URL TIMES [SEED]

Each sitting is a quiz, a test or a review of the bank's own items, answered by chance. It runs in a child of its own,
which acknowledges an answer on a pipe as soon as the record is written, as the command does by judging it aloud. At a
random moment the child is killed (SIGKILL). In the end each acknowledged answer must be on record once, no place of a
sitting twice, and the chain of each card unbroken. Prints what it did as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from grader.content import bank_files  # noqa: E402
from grader.learning import planning, records, spaced_repetition  # noqa: E402
from grader.learning.recorder import Recorder, now  # noqa: E402
from grader.learning.records import Records  # noqa: E402
from grader.model import Bank, Item, Outcome, Result, Score, Sitting  # noqa: E402

LEARNER = "me"
MODES = ("quiz", "test", "review")


def answered(item: Item, variant: int, chance: random.Random) -> Result:
    right = chance.random() < 0.6
    score = Score(Outcome.CORRECT, 1.0) if right else Score(Outcome.INCORRECT, 0.0, "some-mistake")
    return Result(item, item.variants[variant], chance.choice(["a", "0.06", "x = 1"]), score)


def sit(url: str, bank: Bank, mode: str, seed: int, acknowledge: int) -> None:
    """One sitting, to its end."""
    chance = random.Random(seed)
    items = {item.id: item for item in bank.items}
    with Records(url) as store:
        places = None
        if mode == "test":
            left = planning.left_test(bank, "warmup", LEARNER, store, now())
            sitting = left[0] if left else planning.plan_test(bank, "warmup", LEARNER, store, seed, now())
            done = {entry.place for entry in left[1]} if left else set()
            if not left:
                store.begin(sitting)
            drawn = [(items[name], variant) for name, variant in sitting.plan]
            places = [place for place in range(len(drawn)) if place not in done]
        else:
            sitting = Sitting(records.new_id(), LEARNER, "warmup", mode, now())
            units = planning.units(bank, store, LEARNER, now(), "warmup")
            seen = store.seen(LEARNER, [item.id for unit in units for item in unit.items])
            drawn = planning.plan_review(units, seen, now(), seed, 5, ahead=True)
        recorder = Recorder(store, sitting, bank, "2.13.0")
        if mode == "test":
            recorder.begun()
        for place in range(len(drawn)) if places is None else places:
            if recorder(answered(*drawn[place], chance), place, 0, 1.0):
                os.write(acknowledge, f"{sitting.id} {place}\n".encode())


def start(url: str, bank: Bank, mode: str, seed: int) -> tuple[int, int]:
    """A sitting in a child: its process id, and where it acknowledges."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return pid, ours
    try:
        os.close(ours)
        sit(url, bank, mode, seed, theirs)
        os._exit(0)
    except BaseException as error:  # noqa: BLE001  (whatever it is, the parent must hear of it)
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


def acknowledgements(pipe: int) -> list[tuple[str, int]]:
    """The sittings and places that a child said were on record."""
    with open(pipe) as said:
        return [(name, int(place)) for name, place in map(str.split, said)]


def main(url: str, times: int, seed: int = 0) -> dict[str, object]:
    chance = random.Random(seed)
    found = bank_files.read([ROOT / "quizzes/warmup.yaml"])
    sys.stdout.flush()
    started = time.monotonic()
    acknowledged = []
    for mode in ("test", "quiz"):  # two that are left alone: one makes the tables, the other says how long one takes
        begun = time.monotonic()
        pid, pipe = start(url, found, mode, 0)
        acknowledged += acknowledgements(pipe)
        os.waitpid(pid, 0)
        longest = time.monotonic() - begun
    assert acknowledged
    killed = failed = 0
    while killed < times or len(acknowledged) <= times / 10:  # a busy machine may let few of them come to an answer
        pair = [start(url, found, chance.choice(MODES), chance.randrange(2**31)) for _ in range(2)]
        for pid, pipe in pair:
            time.sleep(chance.uniform(0, longest))
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            killed += os.WIFSIGNALED(status)
            failed += os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0
            acknowledged += (said := acknowledgements(pipe))
            if os.WIFEXITED(status) or not said:  # the machine is faster or slower than it was
                longest *= 1.1 if os.WIFSIGNALED(status) else 1 / 1.1
    with Records(url) as store:
        attempts = list(store.attempts())
    on_record = Counter((entry.sitting, entry.place) for entry in attempts)
    broken = 0
    cards: dict[str, str] = {}
    for entry in attempts:
        rated = spaced_repetition.GOOD if entry.outcome == "correct" else spaced_repetition.AGAIN
        broken += entry.card != spaced_repetition.after(cards.get(entry.unit), rated, entry.at)
        cards[entry.unit] = str(entry.card)
    return {
        "killed": killed,
        "failed": failed,
        "acknowledged": len(acknowledged),
        "lost": sum(place not in on_record for place in acknowledged),
        "doubled": sum(count > 1 for count in on_record.values()) + len(acknowledged) - len(set(acknowledged)),
        "attempts": len(attempts),
        "broken_chains": broken,
        "seconds": round(time.monotonic() - started, 1),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)))
