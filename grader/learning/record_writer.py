"""Writing in groups: of the threads that want to write at once, one does it for all of them, in one transaction.

SQLite has one writer at a time, and a transaction costs as much as the disk takes to sync. So who finds nobody writing
writes, and whoever comes meanwhile waits for the next turn, which is theirs together. Nobody polls, nobody starves: a
writer hands over to the first who waits after one turn. Between processes there is a lock on a file, for SQLite's own
lets whoever waits sleep and try again, and the unlucky never get in. The kernel keeps that queue, and knows no
time-out: who waits does so in a thread, which is left behind where it takes too long and lets go when its turn comes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeVar

from sqlalchemy import Connection

Result = TypeVar("Result")
Job = Callable[[Connection], Any]

MOST = 200
"""So many jobs are written together."""

WAIT = 15.0
"""Seconds that other processes may take before it is this one's turn, on a quiet machine."""


class HeldTooLongError(TimeoutError):
    """Another process has not let go of the lock, in many times what a transaction takes."""


@dataclass(eq=False, slots=True)
class _Waiting:
    """A job, and what became of it."""

    job: Job
    turn: threading.Event = field(default_factory=threading.Event)
    """It is done, or its thread is to write next."""
    done: bool = False
    result: Any = None
    error: BaseException | None = None


class GroupWriter:
    """Runs jobs that write, those of several threads in one transaction each time."""

    def __init__(
        self, transaction: Callable[[], contextlib.AbstractContextManager[Connection]], lock: Path | None
    ) -> None:
        """`transaction` begins one; `lock` is a file for all processes that write there, where there can be one."""
        self._transaction = transaction
        self._file = lock
        self._mutex = threading.Lock()
        self._queue: list[_Waiting] = []
        self._busy = False

    def write(self, job: Callable[[Connection], Result]) -> Result:
        """Run a job, and return what it returned once that is on disk. Raises what it raised, or what the disk did."""
        mine = _Waiting(job)
        with self._mutex:
            self._queue.append(mine)
            leads, self._busy = not self._busy, True
        if not leads:
            try:
                mine.turn.wait()
            except BaseException:
                self._withdraw(mine)
                raise
        if not mine.done:
            self._take_a_turn()
        if mine.error:
            raise mine.error
        result: Result = mine.result
        return result

    def _take_a_turn(self) -> None:
        """Write what waits, this thread's own job first; then hand over."""
        with self._mutex:
            group, self._queue = self._queue[:MOST], self._queue[MOST:]
        try:
            self._run(group)
        finally:
            for entry in group:
                entry.done = True
            with self._mutex:
                self._busy = bool(self._queue)
                following = self._queue[:1]
            for entry in (*group, *following):
                entry.turn.set()

    def _withdraw(self, mine: _Waiting) -> None:
        """Take a job back whose thread was interrupted; where that was to write next, another is."""
        with self._mutex:
            if mine in self._queue:
                self._queue.remove(mine)
            following = self._queue[:1] if mine.turn.is_set() and not mine.done else []
            self._busy = self._busy and (not mine.turn.is_set() or mine.done or bool(following))
        for entry in following:
            entry.turn.set()

    def _run(self, group: Sequence[_Waiting]) -> None:
        """All in one transaction; where that fails, each in its own, so that one's trouble is not another's."""
        try:
            with self._alone(), self._transaction() as connection:
                results = [entry.job(connection) for entry in group]
        except HeldTooLongError as error:
            for entry in group:
                entry.error = error
        except BaseException as error:  # noqa: BLE001  (it belongs to the threads whose jobs these are)
            if len(group) == 1:
                group[0].error = error
                return
            for entry in group:
                self._run([entry])
        else:
            for entry, result in zip(group, results, strict=True):
                entry.result = result

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes waiting in turn; where there can be no such file, the database's own lock is left."""
        with contextlib.ExitStack() as stack:
            if self._file is not None:
                try:
                    stack.callback(_Turn(self._file.open("a"), self._file.name).wait())
                except HeldTooLongError:
                    raise
                except OSError:
                    pass  # the database's own lock is left
            yield


class _Turn:
    """The turn of this process at a file that one at a time may lock."""

    def __init__(self, file: IO[str], name: str) -> None:
        self._file, self._name = file, name
        self._mutex = threading.Lock()
        self._taken = threading.Event()
        self._left = False

    def wait(self) -> Callable[[], None]:
        """Wait for the turn; what ends it. Raises HeldTooLongError, and OSError where the file cannot be locked."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            threading.Thread(target=self._queue, name="records-lock", daemon=True).start()
            try:
                self._until_taken()
            except BaseException:
                self._leave()
                raise
        return self._file.close

    def _until_taken(self) -> None:
        started = time.monotonic()
        while not self._taken.wait(min(1.0, WAIT)):
            waited = time.monotonic() - started
            if waited > WAIT * _slowness():
                said = f"they are locked: other processes have held {self._name} for {waited:.0f} s"
                raise HeldTooLongError(said)

    def _queue(self) -> None:
        """Stand in the kernel's queue, and let go at once where nobody waits any more."""
        with contextlib.suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_EX)
        with self._mutex:
            self._taken.set()
            if self._left:
                self._file.close()

    def _leave(self) -> None:
        with self._mutex:
            self._left = True
            if self._taken.is_set():
                self._file.close()


def _slowness() -> float:
    """How many processes want a core of this machine, now or in the last minute, for each core; at least 1."""
    try:
        last, *_, now, _ = Path("/proc/loadavg").read_text(encoding="ascii").split()
        wanting = max(float(last), float(now.partition("/")[0]))
    except (OSError, ValueError):
        wanting = 0.0
    return max(1.0, wanting / (os.cpu_count() or 1))
