"""Observations remembered by content, so that what was proven once is not run again.

The key of an observation is the program (source, expressions, seed, limits) together with everything that could change
what it does: the runner's code and the versions of Python and torch. Only programs with a seed that came to an end are
remembered. The store is an SQLite file in the user's cache folder; it may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import re
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from importlib.util import find_spec
from pathlib import Path

from grader.model import Observation, Program, Status
from grader.runner import Runner
from grader.runner.inside import codec, observers

KEPT_DAYS = 90
"""Entries older than this are dropped; they are then simply proven again."""

_SCHEMA = "CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, day INTEGER NOT NULL, value TEXT NOT NULL)"


def cache_folder() -> Path:
    """Where the store lies: `GRADER_CACHE`, else the user's cache folder."""
    if given := os.environ.get("GRADER_CACHE"):
        return Path(given)
    from platformdirs import user_cache_path

    return user_cache_path("torch-grader", appauthor=False)


class Store:
    """Text by key, on disk. A store that cannot be opened or written remembers nothing; `trouble` says why."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or cache_folder()) / "proven.sqlite"
        self.trouble = ""
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = self._open()
        except sqlite3.DatabaseError as error:
            self._start_again(error)
        except OSError as error:
            self.trouble = str(error)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, timeout=5)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")  # what is lost is proven again
        connection.execute(_SCHEMA)
        return connection

    def close(self) -> None:
        """Let go of the file; what is asked afterwards is not known."""
        with self._lock:
            if self._connection:
                self._connection.close()
                self._connection = None

    def __del__(self) -> None:
        if getattr(self, "_connection", None):
            self.close()

    def _start_again(self, error: sqlite3.DatabaseError) -> None:
        """A file that is no database is replaced; one that is locked or read-only is left alone."""
        if isinstance(error, sqlite3.OperationalError):
            self.trouble = str(error)
            return
        try:
            self.path.unlink()
            self._connection = self._open()
        except (OSError, sqlite3.Error) as again:
            self.trouble = str(again)

    def get(self, key: str) -> str | None:
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._connection:
                row = self._connection.execute("SELECT value FROM entries WHERE key = ?", (key,)).fetchone()
                return str(row[0]) if row else None
        return None

    def put(self, key: str, value: str) -> None:
        with self._lock:
            if self._connection:
                try:
                    row = (key, int(time.time()) // 86400, value)
                    self._connection.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", row)
                except sqlite3.Error as error:
                    self.trouble = str(error)

    def forget_old(self) -> None:
        """Drop what is older than `KEPT_DAYS`."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._connection:
                oldest = int(time.time()) // 86400 - KEPT_DAYS
                self._connection.execute("DELETE FROM entries WHERE day < ?", (oldest,))


class RememberingRunner:
    """A runner that asks another one only for what the store does not have. The other is made when it is needed."""

    def __init__(self, store: Store, make: Callable[[], Runner]) -> None:
        self._store, self._make = store, make
        self._inner: Runner | None = None
        self._lock = threading.Lock()

    def submit(self, program: Program, by: str | None = None) -> Future[Observation]:
        """See `Runner`."""
        return self._submit([program], lambda missing: [self.inner().submit(one, by) for one in missing])[0]

    def submit_all(self, programs: Sequence[Program]) -> list[Future[Observation]]:
        """See `Runner`."""
        return self._submit(programs, lambda missing: self.inner().submit_all(missing))

    def _submit(
        self, programs: Sequence[Program], run: Callable[[list[Program]], list[Future[Observation]]]
    ) -> list[Future[Observation]]:
        keys = [None if program.seed is None else _key(program) for program in programs]
        futures = {place: future for place, key in enumerate(keys) if (future := self._known(key))}
        missing = [place for place in range(len(programs)) if place not in futures]
        for place, future in zip(missing, run([programs[place] for place in missing]) if missing else [], strict=True):
            futures[place] = future
            if key := keys[place]:
                future.add_done_callback(functools.partial(self._remember, key))
        return [futures[place] for place in range(len(programs))]

    def _known(self, key: str | None) -> Future[Observation] | None:
        if not key or not (text := self._store.get(key)) or not (known := _read(text)):
            return None
        future: Future[Observation] = Future()
        future.set_result(known)
        return future

    def inner(self) -> Runner:
        """The runner behind, made now if there is none yet."""
        with self._lock:
            if self._inner is None:
                self._inner = self._make()
            return self._inner

    @property
    def can(self) -> frozenset[str]:
        """See `Runner`."""
        return self.inner().can

    @property
    def ready(self) -> bool:
        """See `Runner`."""
        return self.inner().ready

    def start(self) -> None:
        """See `Runner`."""
        self.inner().start()

    def contained(self) -> bool:
        """See `Runner`."""
        return self.inner().contained()

    def before(self, by: str) -> int:
        """See `Runner`."""
        return self.inner().before(by)

    def close(self) -> None:
        """See `Runner`."""
        with self._lock:
            if self._inner:
                self._inner.close()

    def _remember(self, key: str, done: Future[Observation]) -> None:
        if not done.cancelled() and done.result().status in (Status.OK, Status.ERROR) and not done.result().note:
            self._store.put(key, json.dumps(codec.encode(done.result())))


def _read(text: str) -> Observation | None:
    try:
        return codec.decode(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _key(program: Program) -> str:
    content = [dataclasses.asdict(program), surroundings()]
    return hashlib.sha256(json.dumps(content).encode(errors="surrogatepass")).hexdigest()


@functools.cache
def surroundings() -> str:
    """A digest of what a run depends on besides its program: our runner and traces, Python, torch, the processor."""
    here = Path(__file__).parent
    render = here.parent / "render"
    drawing = [render / "charts.py", *sorted(render.glob("figure*.py"))]
    parts = [*sorted((here / "inside").rglob("*.py")), here.parent / "trace.py", *drawing, *observers.plugin_files()]
    code = b"\0".join(part.read_bytes() for part in parts)
    kernels = [os.environ.get(name) for name in ("ATEN_CPU_CAPABILITY", "MKL_CBWR")]
    about = (sys.version, os.uname().machine, installed_torch(), kernels, hashlib.sha256(code).hexdigest())
    return hashlib.sha256(repr(about).encode()).hexdigest()


@functools.cache
def installed_torch() -> str:
    """The version of torch that programs will run with, found without importing it; empty where there is none."""
    try:
        spec = find_spec("torch")
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None:
        return ""
    with contextlib.suppress(OSError):
        text = (Path(spec.origin).parent / "version.py").read_text()
        if found := re.search(r"^__version__ = '([^']+)'", text, re.MULTILINE):
            return found.group(1)
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("torch")
    except PackageNotFoundError:
        return ""
