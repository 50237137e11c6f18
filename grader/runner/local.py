"""The local runner: one worker process, supervised by a thread of this one.

The supervisor holds the deadlines, the caps and the queue. The worker forks children ahead of need; each child has a
socket to the supervisor, on which it takes one program and returns one frame, and two pipes for what it prints.
A worker that dies is replaced, and what it held is run once more, one program at a time, so that a program which ends
its worker cannot take others with it twice. A child that ends before its program began is no fault of the program: that
is run once more, by another worker.

No clock decides what becomes of a program. It ends by the CPU time that it used (the kernel's limit), or when it has
been waiting and did not go on (`progress`); one that got no core for most of a minute is run once more, alone.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import selectors
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Self

from grader.errors import GraderError
from grader.model import Observation, Program, Status
from grader.runner import CAN, batches
from grader.runner.children import Children, settle
from grader.runner.fair_queue import FairQueue
from grader.runner.inside import wire
from grader.runner.inside.sandbox import Walls
from grader.runner.inside.scratch import empty
from grader.runner.processes import Job, Worker, start_worker
from grader.runner.progress import Look

STOP_SECONDS = 5.0
"""How long a worker may take to leave when it is told to."""

MOST_ASLEEP = 16
"""So many programs may wait (in a sleep, at a lock) without a place on a core; those beyond keep theirs."""

SPARE_FOLDERS = 8
"""Scratch folders beyond those of programs: they are being emptied."""

NOT_KNOWN = Walls(missing=("no worker has started yet",))
"""What is said of the walls before there is a worker."""

NOT_STARTED = "the worker could not start"
"""How the note of what was not run begins where nothing can be run."""


class LocalRunner:
    """Runs programs in forked children of a warm worker on this machine (Linux and macOS).

    `in_flight` programs run at a time: by default one more than this process may use cores, since one of them is always
    just coming or going. The worker imports torch, and the modules named in `preload` that are installed, before any
    program runs: they must start no thread and be trusted. With `sandbox` programs run within all the walls that this
    machine has; `walls` says which, once a program has run.
    """

    def __init__(self, in_flight: int | None = None, *, sandbox: bool = True, preload: Sequence[str] = ()) -> None:
        if not hasattr(os, "fork"):
            raise GraderError("this system cannot fork, and the local runner needs it", "use Linux, macOS or WSL")
        self.in_flight = in_flight or available_cores() + 1
        self.sandbox = sandbox
        self.preload = tuple(preload)
        self.walls = NOT_KNOWN
        self._pending = FairQueue(self.in_flight)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = False
        """Nothing more is run, since it was closed or has failed."""
        self._closed = False
        self._children: Children | None = None
        self._failed_starts = 0
        self._gave_up = False
        """No worker works here: none is started unless there is a program."""
        self._numbers = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._drain_wake)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------ called from any thread

    def start(self) -> None:
        """Begin to start the worker now, without waiting for it. Raises GraderError where the runner is closed."""
        with self._lock:
            if self._closing:
                raise GraderError("the runner is closed")
            self._start()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="grader-runner", daemon=True)
            self._thread.start()

    def submit(self, program: Program, by: str | None = None) -> Future[Observation]:
        """Queue a program; see `Runner.submit`."""
        job = Job(program, by)
        with self._lock:
            if self._closing:
                settle(job, Observation(Status.NOT_RUN, note="the runner is closed"))
                return job.future
            self._pending.add(job)
            self._start()
            self._wake()
        return job.future

    def submit_all(self, programs: Sequence[Program]) -> list[Future[Observation]]:
        """Queue programs of one author; see `Runner.submit_all`."""
        return batches.submit_all(self.submit, programs)

    def before(self, by: str) -> int:
        """How many programs are before the next one of a learner, with those that run; 0 where none of theirs waits."""
        with self._lock:
            waiting = self._pending.before(by)
        if waiting is None or (children := self._children) is None:
            return 0
        return waiting + sum(child.job is not None for child in list(children.worker.children.values()))

    def close(self) -> None:
        """End the worker and every child; see `Runner.close`."""
        with self._lock:
            if self._closed:
                return
            self._closed = self._closing = True
        self._wake()
        if self._thread is not None:
            self._thread.join()
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def contained(self) -> bool:
        """Whether there is a sandbox here; see `Runner.contained`."""
        return (self.wait_for_walls() if self.walls is NOT_KNOWN else self.walls).contained

    @property
    def can(self) -> frozenset[str]:
        """See `Runner`: nothing in the sandbox."""
        return frozenset() if self.sandbox else CAN

    @property
    def ready(self) -> bool:
        """See `Runner`: whether there is a worker."""
        return self._children is not None

    def wait_for_walls(self) -> Walls:
        """Start the worker where there is none yet, and say what it stands behind. None of the walls if it cannot."""
        self.submit(Program("")).result()
        return self.walls

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id while there is one (for tests and for `grader doctor`)."""
        children = self._children
        return children.worker.process.pid if children else None

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"!")

    # ------------------------------------------------------------ the supervisor's thread

    def _serve(self) -> None:
        note = "the runner was closed before this program ended"
        try:
            while not self._closing:
                self._dispatch()
                for key, _ in self._selector.select(self._patience()):
                    key.data()
                self._check_deadlines()
        except Exception as error:  # noqa: BLE001  (whatever fails, nobody waits for ever)
            note = f"the runner failed: {type(error).__name__}: {error}"
        held = self._children.jobs() if self._children else []
        with self._lock:
            self._closing = True  # nothing is queued from here on
            held += self._pending.drain()
        with contextlib.suppress(Exception):
            self._drop_worker()
        for job in held:
            settle(job, Observation(Status.NOT_RUN, note=note))

    def _drain_wake(self) -> None:
        os.read(self._wake_read, 4096)

    def _dispatch(self) -> None:
        """Give programs to waiting children, and ask for more children."""
        if self._children is None:
            if self._gave_up and not self._pending:
                return
            self._children = self._start_worker()
        children, worker = self._children, self._children.worker
        if not worker.ready:
            return
        while True:
            while len(worker.idle) < self.in_flight:
                children.beget(warm=not self._pending)  # nobody waits: let it touch its memory first
            job = self._next_job(worker)
            if job is None:
                return
            if job.attempts == 0 and not job.future.set_running_or_notify_cancel():
                continue
            children.give(worker.idle.popleft(), job)

    def _next_job(self, worker: Worker) -> Job | None:
        """The program that may start now. What could not be run before runs alone."""
        busy = [child for child in worker.children.values() if child.job]
        asleep = 0
        on_cores: Counter[str | None] = Counter()
        for child in busy:
            asleep += child.asleep
            if not child.asleep or asleep > MOST_ASLEEP:
                on_cores[child.job.by] += 1  # type: ignore[union-attr]  # it is busy
        if on_cores.total() >= self.in_flight or any(child.job and child.job.attempts for child in busy):
            return None
        with self._lock:
            job = self._pending.take(on_cores, Counter(child.job.by for child in busy if child.job))
            if job and job.attempts and busy:
                self._pending.add_first(job)
                return None
        return job

    def _patience(self) -> float | None:
        """Seconds until something has to be looked at."""
        if self._children is None:
            return None
        worker = self._children.worker
        moments = [*self._children.moments(), *([] if worker.ready else [worker.deadline])]
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _check_deadlines(self) -> None:
        if self._children is None:
            return
        now = time.monotonic()
        self._children.check(now)
        worker = self._children.worker
        if not worker.ready and now >= worker.deadline:
            worker.process.kill()
        if worker.broken:
            self._replace_worker(self._children)

    # ------------------------------------------------------------ the worker's life

    def _start_worker(self) -> Children:
        count = 2 * self.in_flight + MOST_ASLEEP + SPARE_FOLDERS
        worker = start_worker(sandbox=self.sandbox, preload=self.preload, children=count)
        children = Children(worker, self._selector, self._numbers, self._try_again, self._begun)
        self._selector.register(worker.control, selectors.EVENT_READ, lambda: self._hear(children))
        return children

    def _begun(self) -> None:
        """A program begins: workers work here."""
        self._failed_starts = 0

    def _hear(self, children: Children) -> None:
        """Take the worker's messages; an empty read means that it has died."""
        if children is not self._children:
            return
        worker = children.worker
        try:
            chunk = worker.control.recv(65536)
        except ConnectionResetError:
            chunk = b""
        worker.received += chunk
        if not worker.ready and (greeting := wire.unpack(worker.received)):
            worker.ready, worker.rss = True, greeting["rss"]
            walls = greeting["walls"]
            self.walls = Walls(**walls | {"missing": tuple(walls["missing"])}) if walls else Walls()
        while worker.ready and len(worker.received) >= wire.REPORT.size:
            what, number, code, cpu, moment, count = wire.REPORT.unpack_from(worker.received)
            del worker.received[: wire.REPORT.size]
            if what == wire.ENDED:
                children.bury(number, code, cpu, count)
            elif cpu >= 0:
                children.saw(number, Look(moment, cpu, count / 1e9 if count >= 0 else None))
        if not chunk:
            self._replace_worker(children)

    def _replace_worker(self, children: Children) -> None:
        """After a worker's death: queue again, once, what it held; give up where none can even start."""
        worker = children.worker
        works = worker.ready and not worker.broken
        worker.log.seek(0)
        said = worker.broken or worker.log.read()[-2000:].decode(errors="replace").strip()
        held = self._drop_worker()
        if not works:
            self._failed_starts += 1
            if self._failed_starts >= 2:
                self._failed_starts, self._gave_up = 0, True
                reason = said.splitlines()[-1] if said else "it ended without a word"
                with self._lock:
                    held += self._pending.drain()
                for job in held:
                    settle(job, Observation(Status.NOT_RUN, note=f"{NOT_STARTED}: {reason}"))
                return
        for job in reversed(held):
            self._try_again(job, "the worker died")

    def _try_again(self, job: Job, trouble: str) -> None:
        """Queue a program once more, as the next of its submitter; after that it was not run."""
        job.attempts += 1
        if job.attempts > 1:
            settle(job, Observation(Status.NOT_RUN, note=f"{trouble}, twice"))
            return
        job.trouble = trouble
        with self._lock:
            self._pending.add_first(job)

    def _drop_worker(self) -> list[Job]:
        """End the worker and forget it; returns the programs that it held without a result."""
        children, self._children = self._children, None
        if children is None:
            return []
        worker, held = children.worker, children.drop()
        self._selector.unregister(worker.control)
        worker.control.close()  # tells the worker to end its children and leave
        try:
            worker.process.wait(STOP_SECONDS if worker.ready else 0.1)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.process.pid, signal.SIGKILL)
            worker.process.wait()
        worker.log.close()
        if worker.scratch:
            empty(str(worker.scratch))
            with contextlib.suppress(OSError):
                worker.scratch.rmdir()
        return held


def available_cores() -> int:
    """How many cores this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
