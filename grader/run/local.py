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
import dataclasses
import itertools
import os
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from grader.errors import GraderError
from grader.model import Observation, Program, Status
from grader.run import codec, together, wire
from grader.run.fair_queue import FairQueue
from grader.run.processes import BEGIN_SECONDS, Child, Job, Worker, how_it_ended, start_worker, texts
from grader.run.progress import LOOK_SECONDS, Look
from grader.run.sandbox import Walls
from grader.run.scratch import empty

LEAVE_SECONDS = 0.1
"""How long a child may live on after its result, before it is killed. An honest one leaves at once."""

STOP_SECONDS = 5.0
"""How long a worker may take to leave when it is told to."""

MOST_ASLEEP = 16
"""So many programs may wait (in a sleep, at a lock) without a place on a core; those beyond keep theirs."""

SPARE_FOLDERS = 8
"""Scratch folders beyond those of programs: they are being emptied."""

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
        self.torch_version: str | None = None
        self.walls = Walls(missing=("no worker has started yet",))
        self._pending = FairQueue(self.in_flight)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = False
        """Nothing more is run, since it was closed or has failed."""
        self._closed = False
        self._worker: Worker | None = None
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
                _settle(job, Observation(Status.NOT_RUN, note="the runner is closed"))
                return job.future
            self._pending.add(job)
            self._start()
            self._wake()
        return job.future

    def submit_all(self, programs: Sequence[Program]) -> list[Future[Observation]]:
        """Queue programs of one author; see `Runner.submit_all`."""
        return together.submit_all(self.submit, programs)

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

    def wait_for_walls(self) -> Walls:
        """Start the worker where there is none yet, and say what it stands behind. None of the walls if it cannot."""
        self.submit(Program("")).result()
        return self.walls

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id while there is one (for tests and for `grader doctor`)."""
        worker = self._worker
        return worker.process.pid if worker else None

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
        worker = self._worker
        held = [child.job for child in worker.children.values() if child.job] if worker else []
        with self._lock:
            self._closing = True  # nothing is queued from here on
            held += self._pending.drain()
        with contextlib.suppress(Exception):
            self._drop_worker()
        for job in held:
            _settle(job, Observation(Status.NOT_RUN, note=note))

    def _drain_wake(self) -> None:
        os.read(self._wake_read, 4096)

    def _dispatch(self) -> None:
        """Give programs to waiting children, and ask for more children."""
        worker = self._worker
        if worker is None:
            if self._gave_up and not self._pending:
                return
            worker = self._worker = self._start_worker()
        if not worker.ready:
            return
        while True:
            while len(worker.idle) < self.in_flight:
                self._beget(worker, warm=not self._pending)  # nobody waits: let it touch its memory first
            job = self._next_job(worker)
            if job is None:
                return
            if job.attempts == 0 and not job.future.set_running_or_notify_cancel():
                continue
            self._give(worker, worker.idle.popleft(), job)

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

    def _give(self, worker: Worker, child: Child, job: Job) -> None:
        program = job.program
        child.job, child.started = job, time.monotonic()
        child.deadline = child.started + BEGIN_SECONDS
        try:
            frame = wire.pack(codec.document(program))
        except (ValueError, UnicodeEncodeError) as error:
            child.job = None
            _settle(job, Observation(Status.NOT_RUN, note=f"the program cannot be sent: {error}"))
            self._kill(worker, child)
            return
        try:
            child.sock.sendall(frame)
        except OSError:  # it has gone, or does not listen: the worker tells how it ended, and then it is run again
            self._kill(worker, child)

    def _kill(self, worker: Worker, child: Child) -> None:
        with contextlib.suppress(OSError):  # a worker that has gone is seen at its socket
            worker.control.sendall(wire.COMMAND.pack(wire.KILL, child.number))

    def _look(self, worker: Worker, child: Child) -> None:
        """Have the worker tell what a child has used."""
        child.next_look = time.monotonic() + LOOK_SECONDS
        with contextlib.suppress(OSError):  # a worker that has gone is seen at its socket
            worker.control.sendall(wire.COMMAND.pack(wire.LOOK, child.number))

    def _patience(self) -> float | None:
        """Seconds until something has to be looked at."""
        worker = self._worker
        if worker is None:
            return None
        moments = [] if worker.ready else [worker.deadline]
        for child in worker.children.values():
            if child.leaving:
                moments.append(child.deadline)
            elif child.job and child.stopped is None:
                moments.append(min(child.deadline, child.next_look) if child.begun else child.deadline)
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _check_deadlines(self) -> None:
        worker = self._worker
        if worker is None:
            return
        now = time.monotonic()
        for child in worker.children.values():
            if child.leaving:
                if now >= child.deadline:
                    child.leaving = False
                    self._kill(worker, child)
            elif child.job and child.stopped is None:
                if now >= child.deadline:
                    self._stop(worker, child, Status.TIMEOUT)
                elif child.begun and now >= child.next_look:
                    self._look(worker, child)
        if not worker.ready and now >= worker.deadline:
            worker.process.kill()
        if worker.broken:
            self._replace_worker(worker)

    def _saw(self, child: Child, look: Look) -> None:
        """Take in what a child has used: does it go on, or wait for something that does not come?"""
        if not (child.job and child.begun) or child.stopped:
            return
        limits = child.job.program.limits
        child.progress.add(look, limits.waiting_seconds)
        child.asleep = child.progress.naps()
        if child.progress.is_stuck(limits):
            child.stuck = True
            assert self._worker is not None
            self._stop(self._worker, child, Status.TIMEOUT)

    def _stop(self, worker: Worker, child: Child, why: Status) -> None:
        child.stopped = why
        self._kill(worker, child)

    # ------------------------------------------------------------ the worker's life

    def _start_worker(self) -> Worker:
        children = 2 * self.in_flight + MOST_ASLEEP + SPARE_FOLDERS
        worker = start_worker(sandbox=self.sandbox, preload=self.preload, children=children)
        self._selector.register(worker.control, selectors.EVENT_READ, lambda: self._hear(worker))
        return worker

    def _hear(self, worker: Worker) -> None:
        """Take the worker's messages; an empty read means that it has died."""
        if worker is not self._worker:
            return
        try:
            chunk = worker.control.recv(65536)
        except ConnectionResetError:
            chunk = b""
        worker.received += chunk
        if not worker.ready and (greeting := wire.unpack(worker.received)):
            worker.ready, worker.rss = True, greeting["rss"]
            self.torch_version = greeting["torch"]
            walls = greeting["walls"]
            self.walls = Walls(**walls | {"missing": tuple(walls["missing"])}) if walls else Walls()
        while worker.ready and len(worker.received) >= wire.REPORT.size:
            what, number, code, cpu, moment, count = wire.REPORT.unpack_from(worker.received)
            del worker.received[: wire.REPORT.size]
            if what == wire.ENDED:
                self._bury(worker, number, code, cpu, count)
            elif number in worker.children and cpu >= 0:
                waited = count / 1e9 if count >= 0 else None
                self._saw(worker.children[number], Look(moment, cpu, waited))
        if not chunk:
            self._replace_worker(worker)

    def _replace_worker(self, worker: Worker) -> None:
        """After a worker's death: queue again, once, what it held; give up where none can even start."""
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
                    _settle(job, Observation(Status.NOT_RUN, note=f"{NOT_STARTED}: {reason}"))
                return
        for job in reversed(held):
            self._try_again(job, "the worker died")

    def _try_again(self, job: Job, trouble: str) -> None:
        """Queue a program once more, as the next of its submitter; after that it was not run."""
        job.attempts += 1
        if job.attempts > 1:
            _settle(job, Observation(Status.NOT_RUN, note=f"{trouble}, twice"))
            return
        job.trouble = trouble
        with self._lock:
            self._pending.add_first(job)

    def _drop_worker(self) -> list[Job]:
        """End the worker and forget it; returns the programs that it held without a result."""
        worker, self._worker = self._worker, None
        if worker is None:
            return []
        held = []
        for child in list(worker.children.values()):
            if child.job and not self._collect(worker, child):
                held.append(child.job)
            self._forget(worker, child)
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

    # ------------------------------------------------------------ a child's life

    def _beget(self, worker: Worker, *, warm: bool) -> None:
        """Have the worker fork a child. It can be given a program at once: that waits for it in its socket."""
        ours, theirs = socket.socketpair()
        (out, its_out), (err, its_err) = os.pipe(), os.pipe()
        child = Child(next(self._numbers), ours, out, err)
        child.printed = {out: bytearray(), err: bytearray()}
        ours.settimeout(STOP_SECONDS)
        command = wire.COMMAND.pack(wire.FORK_WARM if warm else wire.FORK, child.number)
        with contextlib.suppress(OSError):  # a worker that has gone is seen at its socket
            socket.send_fds(worker.control, [command], [theirs.fileno(), its_out, its_err])
        theirs.close()
        os.close(its_out)
        os.close(its_err)
        worker.children[child.number] = child
        worker.idle.append(child)
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._take_frame(worker, child))
        for pipe in child.printed:
            os.set_blocking(pipe, False)
            self._selector.register(pipe, selectors.EVENT_READ, self._reader(worker, child, pipe))

    def _reader(self, worker: Worker, child: Child, pipe: int) -> Callable[[], bool]:
        return lambda: self._take_output(worker, child, pipe)

    def _take_output(self, worker: Worker, child: Child, pipe: int) -> bool:
        """Read what was printed; False at the end, or where there is nothing now."""
        if child.hung_up:  # by an earlier event of the same round
            return False
        try:
            chunk = os.read(pipe, 65536)
        except BlockingIOError:
            return False
        if not chunk:
            self._unregister(pipe)
            return False
        if child.job is None:
            child.printed[pipe] += chunk[: 4096 - len(child.printed[pipe])]  # before it has one: why it cannot begin
            return True
        most = child.job.program.limits.output_bytes
        room = most - sum(map(len, child.printed.values()))
        child.printed[pipe] += chunk[:room]
        if len(chunk) > room and child.stopped is None:
            self._stop(worker, child, Status.OUTPUT)
        return child.stopped is None

    def _take_frame(self, worker: Worker, child: Child) -> None:
        if child.hung_up:
            return
        try:
            chunk = child.sock.recv(1 << 20)
        except OSError:
            chunk = b""
        if not chunk:
            self._unregister(child.sock)  # how it ended is the worker's to say
            return
        child.received += chunk
        if self._collect(worker, child):
            child.leaving, child.deadline = True, time.monotonic() + LEAVE_SECONDS
            self._hang_up(child)

    def _has_begun(self, child: Child) -> bool:
        """Whether the child has said that it begins with its program."""
        if child.begun or not child.job or not child.received:
            return child.begun
        child.begun = child.received[:1] == wire.BEGUN
        if child.begun:
            del child.received[:1]
            now = time.monotonic()
            child.next_look, child.deadline = now + LOOK_SECONDS, now + child.job.program.limits.wall_seconds
            self._failed_starts = 0
        return child.begun

    def _collect(self, worker: Worker, child: Child) -> bool:
        """Settle the child's job from its frame, where a whole one is there."""
        if not self._has_begun(child) or child.job is None or child.stopped is not None or child.garbled:
            return False
        try:
            frame = wire.unpack(child.received)
            if frame is None:
                return False
            observation = codec.decode_for(child.job.program, frame)
        except Exception as error:  # noqa: BLE001  (whatever a child sends is its own trouble, never ours)
            child.garbled = str(error)[:200]
            self._kill(worker, child)
            return False
        if not self._drain(worker, child):  # its last words were too many
            return False
        note = observation.note
        if child.job.trouble:
            note = f"{note}; run twice: {child.job.trouble} the first time".lstrip("; ")
        out, err = texts(child)
        self._done(child, dataclasses.replace(observation, stdout=out, stderr=err, note=note))
        return True

    def _drain(self, worker: Worker, child: Child) -> bool:
        """Read what is left in the child's pipes; whether it stayed within its limit."""
        for pipe in child.printed:
            while pipe in self._selector.get_map() and self._take_output(worker, child, pipe):
                pass
        return child.stopped is None

    def _bury(self, worker: Worker, number: int, code: int, cpu: float, rss: int) -> None:
        """A child has ended: settle its job by how it ended, where no frame did."""
        child = worker.children[number]
        if not child.hung_up:
            with contextlib.suppress(OSError):
                while chunk := child.sock.recv(1 << 20, socket.MSG_DONTWAIT):
                    child.received += chunk
        if child.job and not self._collect(worker, child):
            self._drain(worker, child)
            if not child.begun:
                self._could_not_begin(worker, child)
                return
            if child.stopped is Status.TIMEOUT and not child.stuck and child.progress.starved():
                self._take_back(worker, child, "it got no core to run on")
                return
            status, note = how_it_ended(child, code, cpu)
            seconds = time.monotonic() - child.started
            peak = max(0, rss - worker.rss)
            out, err = texts(child)
            seen = Observation(status, stdout=out, stderr=err, seconds=seconds, peak_bytes=peak, note=note)
            self._done(child, seen)
        elif child.job is None and not child.hung_up and child.started == 0:
            self._could_not_begin(worker, child)
            return
        self._forget(worker, child)

    def _could_not_begin(self, worker: Worker, child: Child) -> None:
        """A child ended before its program began: no program's doing, so the worker is replaced."""
        said = "".join(texts(child)).strip()
        worker.broken = said.splitlines()[-1] if said else "its processes end before they begin"
        self._take_back(worker, child, "its process ended before it began")

    def _take_back(self, worker: Worker, child: Child, trouble: str) -> None:
        """Forget a child that has ended; what it was to run is tried once more."""
        job, child.job = child.job, None
        self._forget(worker, child)
        if job:
            self._try_again(job, trouble)

    def _done(self, child: Child, observation: Observation) -> None:
        job, child.job = child.job, None
        if job:
            _settle(job, observation)

    def _forget(self, worker: Worker, child: Child) -> None:
        del worker.children[child.number]
        with contextlib.suppress(ValueError):
            worker.idle.remove(child)
        self._hang_up(child)

    def _hang_up(self, child: Child) -> None:
        """Stop listening to a child: what it still says is nobody's."""
        if child.hung_up:
            return
        child.hung_up = True
        self._unregister(child.sock)
        child.sock.close()
        for pipe in child.printed:
            self._unregister(pipe)
            os.close(pipe)

    def _unregister(self, thing: Any) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(thing)


def _settle(job: Job, observation: Observation) -> None:
    if not job.future.done():
        with contextlib.suppress(Exception):  # a done-callback that fails is not the runner's to end on
            job.future.set_result(observation)


def available_cores() -> int:
    """How many cores this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
