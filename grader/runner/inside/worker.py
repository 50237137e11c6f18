"""The worker: a process that has imported torch once, on one thread, and forks for each program.

It is started as `python -m grader.runner.inside.worker FD SURROUNDINGS [MODULE]... [NAME=FILE]...` in a scratch folder
of its own (a file has an observer of another package), and talks on that socket with the process that started it, in
records of `wire`. It hears "fork", with the descriptors of the child to be, "look" and "kill"; it answers with what a
child has used, and with how each one ended. Programs go straight to the child over the child's own socket: the worker
never sees them.

Each child has one of the folders in the scratch folder for itself; when it has ended, that is emptied and is the next
one's. What cannot be emptied at once is emptied by a child of the worker's own, so that nobody waits for that.

Forking is safe only while there is one thread: torch's thread pool does not survive a fork. So the worker does all its
own work on one thread and asserts it. A child may use more.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import io
import os
import select
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader import trace  # noqa: F401  (lessons may call it; a child could no longer read its file)
from grader.runner.inside import observers, wire
from grader.runner.inside.codec import TOO_LONG
from grader.runner.inside.execute import address_space, execute, peak_bytes, resident_bytes
from grader.runner.inside.file_modes import pretend
from grader.runner.inside.observers.torch_optim import Watcher
from grader.runner.inside.preload import WARM_UP_JOB, pack_memory
from grader.runner.inside.sandbox import Enclosure, limit
from grader.runner.inside.scratch import emptied, empty
from grader.runner.inside.wire import BEGUN, COMMAND, ENDED, FORK_WARM, KILL, LOOK, REPORT, SEEN

TICKS = os.sysconf("SC_CLK_TCK")
MOST_THREADS = 64
"""Threads of a child that are looked at."""

# What every child needs is made here, once: what a child makes itself costs it page faults.
PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
STDOUT = open(1, "w", encoding="utf-8", errors="replace", closefd=False)
STDERR = open(2, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False)


# ---------------------------------------------------------------- the worker


def main(descriptor: int, surroundings: str, more: Sequence[str] = ()) -> None:
    """Serve until the other side of the socket has gone; then end every child.

    `surroundings` is "open" (no sandbox), "enclosed" (walls around children alone) or "namespaces" (both walls).
    `more` names modules to import ahead, where they are installed, and files of observers, as `NAME=FILE`.
    """
    control = socket.socket(fileno=descriptor)
    import torch

    torch.set_num_threads(1)
    for module in (one for one in more if "=" not in one):
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    watcher = Watcher()
    watcher.install()
    files = (one.partition("=") for one in more if "=" in one)
    observers.SEAM.give({name: Path(path) for name, _, path in files})
    observers.ready()
    seen = execute(WARM_UP_JOB, watcher, io.StringIO())
    if seen["error"] or seen["warnings"]:
        error = seen["error"] or seen["warnings"][0]
        raise RuntimeError(
            f"an optimizer's step did not run cleanly: {error.get('type') or error['category']}: {error['message']}"
        )
    enclosure = None if surroundings == "open" else Enclosure(surroundings == "namespaces")
    if enclosure and enclosure.walls.seccomp:
        pretend()
    walls = enclosure.document() if enclosure else {}
    if PRCTL:
        PRCTL(2, ctypes.byref(ctypes.c_int()))  # PR_GET_PDEATHSIG: the first foreign call is slow
    tempfile.tempdir = None  # the warm-up asked for it; a child has a folder of its own
    gc.collect()
    gc.freeze()
    pack_memory()
    if sys.platform == "linux" and len(os.listdir("/proc/self/task")) != 1:
        raise RuntimeError("the worker has more than one thread and cannot fork safely")
    control.sendall(wire.pack({"rss": resident_bytes(), "walls": walls}))
    serve(control, watcher, enclosure)


class Nursery:
    """The children of this process, and the folders that they have for themselves.

    What is touched here is copied after each fork, page by page: it is kept plain.
    """

    def __init__(self, here: str, private: tuple[int, ...], watcher: Watcher, enclosure: Enclosure | None) -> None:
        self.here, self.private, self.watcher, self.enclosure = here, private, watcher, enclosure
        self.size = address_space()
        self.children: dict[int, tuple[int, str]] = {}
        """Number and folder of each child, by its process id."""
        self.sweepers: dict[int, str] = {}
        """Which folder is emptied by which process."""
        self.free = deque(f"{here}/{name}" for name in os.listdir(here) if name.isdecimal())
        self.passed = deque[int]()
        """Descriptors for children that are not forked yet, three for each."""
        self.waiting = deque[tuple[int, bool]]()

    def order(self, control: socket.socket, what: bytes, number: int) -> None:
        """Do what the supervisor wants of the child of this number."""
        if what == KILL:
            self.kill(control, number)
        elif what == LOOK:
            self.look(control, number)
        else:
            self.waiting.append((number, what == FORK_WARM))
            self.beget()

    def beget(self) -> None:
        """Fork those who wait for a folder, as far as there are any."""
        while self.waiting and self.free:
            number, warm = self.waiting.popleft()
            folder = self.free.popleft()
            ends = self.passed.popleft(), self.passed.popleft(), self.passed.popleft()
            pid = os.fork()
            if pid == 0:
                for descriptor in (*self.private, *self.passed):
                    os.close(descriptor)
                child(*ends, folder, self.watcher, self.enclosure, self.size, warm=warm)
            self.children[pid] = number, folder
            for descriptor in ends:
                os.close(descriptor)

    def of(self, number: int) -> int | None:
        """The process id of the child of this number, where it has not been reaped yet."""
        return next((pid for pid, (known, _) in self.children.items() if known == number), None)

    def reap(self, control: socket.socket) -> None:
        """Report every child that has ended, end what it left behind in its process group, and empty its folder."""
        while (self.children or self.sweepers) and (
            ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        ):
            pid = ended.si_pid
            kill_group(pid)
            _, status, usage = os.wait4(pid, 0)
            if pid in self.sweepers:
                folder = self.sweepers.pop(pid)
                if emptied(folder):  # else it is lost; a worker that has none left is replaced
                    self.free.append(folder)
                continue
            number, folder = self.children.pop(pid)
            if emptied(folder):
                self.free.append(folder)
            else:
                self.sweep(folder)
            code, cpu = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
            control.sendall(REPORT.pack(ENDED, number, code, cpu, 0.0, peak_bytes(usage)))
        self.beget()

    def sweep(self, folder: str) -> None:
        """Have a process of our own empty a folder."""
        pid = os.fork()
        if pid == 0:
            try:
                die_with_parent()
                for descriptor in (*self.private, *self.passed):
                    os.close(descriptor)
                os.makedirs(folder, mode=0o700, exist_ok=True)  # without a sandbox, a program may have removed it
                empty(folder)
            finally:
                os._exit(0)
        self.sweepers[pid] = folder

    def exhausted(self) -> bool:
        """Whether somebody waits for a folder and none will ever be free."""
        return bool(self.waiting) and not (self.free or self.children or self.sweepers)

    def look(self, control: socket.socket, number: int) -> None:
        """Report what a child has used."""
        pid = self.of(number)
        if pid is not None:
            cpu, waited = used(pid)
            control.sendall(REPORT.pack(SEEN, number, 0, cpu, time.monotonic(), waited))

    def kill(self, control: socket.socket, number: int) -> None:
        """End the child of this number, or forget that it was ordered."""
        pid = self.of(number)
        if pid is not None:
            kill_group(pid)
            return
        for place, (waits, _) in enumerate(self.waiting):
            if waits == number:
                del self.waiting[place]
                for _ in range(3):
                    os.close(self.passed[3 * place])
                    del self.passed[3 * place]
                control.sendall(REPORT.pack(ENDED, number, -signal.SIGKILL, 0.0, 0.0, 0))
                return

    def close(self) -> None:
        """End every child, and remove the folders where they do not go with the namespaces."""
        for pid in (*self.children, *self.sweepers):
            kill_group(pid)
        if not (self.enclosure and self.enclosure.walls.namespaces):
            empty(self.here)
            os.rmdir(self.here)


def serve(control: socket.socket, watcher: Watcher, enclosure: Enclosure | None) -> None:
    """Fork, look, kill and report, until the control socket closes."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    nursery = Nursery(os.getcwd(), (control.fileno(), wake_read, wake_write), watcher, enclosure)
    buffer = bytearray()
    try:
        while not nursery.exhausted():
            for ready, _ in poll.poll():
                if ready == wake_read:
                    os.read(wake_read, 4096)
                    continue
                chunk, passed, _, _ = socket.recv_fds(control, 4096, 64)
                if not chunk:
                    return
                buffer += chunk
                nursery.passed += passed
                while len(buffer) >= COMMAND.size:
                    what, number = COMMAND.unpack_from(buffer)
                    del buffer[: COMMAND.size]
                    nursery.order(control, what, number)
            nursery.reap(control)
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        nursery.close()


def used(pid: int) -> tuple[float, int]:
    """Seconds of CPU time of a process, and nanoseconds that its threads waited for a core; -1 where unknown."""
    cpu, waited = -1.0, -1
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
        cpu = (int(fields[11]) + int(fields[12])) / TICKS
        waited = 0
        for thread in os.listdir(f"/proc/{pid}/task")[:MOST_THREADS]:
            try:
                with open(f"/proc/{pid}/task/{thread}/schedstat", "rb") as schedstat:
                    waited += int(schedstat.read().split()[1])
            except ProcessLookupError:  # the thread has just ended
                continue
    except (OSError, IndexError):
        waited = -1
    return cpu, waited


def kill_group(pid: int) -> None:
    """End a child and what it started. The child is not reaped yet, so its id is still its own."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except OSError:  # it has no group of its own yet, or (macOS) has ended
            continue


# ---------------------------------------------------------------- a child


def child(
    channel: int,
    out: int,
    err: int,
    folder: str,
    watcher: Watcher,
    enclosure: Enclosure | None,
    size: int,
    *,
    warm: bool,
) -> None:
    """Shut itself in, take one program from its channel, run it, send what was observed, and end. Never returns.

    Each module, function or enumeration that is touched here costs page faults, since the memory is the worker's.
    """
    try:
        sock = socket.socket(fileno=channel)
        os.setpgid(0, 0)
        die_with_parent()
        signal.set_wakeup_fd(-1)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.close(out)
        os.close(err)
        os.chdir(folder)
        os.environ["HOME"] = os.environ["TMPDIR"] = folder
        if enclosure:
            enclosure.close(folder)
        if warm:
            execute(WARM_UP_JOB, watcher, io.StringIO())
        job = wire.receive(sock)
        if job is not None:
            limit(job["limits"], size)
            if enclosure:
                enclosure.lock()
            sys.stderr = STDERR
            sock.sendall(BEGUN)
            result = execute(job, watcher, STDOUT)
            sock.sendall(frame(result))
    except BaseException:  # nothing may leave a child: the exit status tells that it failed
        with contextlib.suppress(BaseException):
            os.write(2, traceback.format_exc().encode())
        os._exit(70)
    os._exit(0)


def die_with_parent() -> None:
    """End when the worker does (Linux: PR_SET_PDEATHSIG); elsewhere the CPU limit has to do."""
    if PRCTL:
        PRCTL(1, signal.SIGKILL)


def frame(result: dict[str, Any]) -> bytes:
    """A result as a frame; one that is too long loses what was asked for and keeps a note."""
    try:
        return wire.pack(result)
    except (ValueError, RecursionError):
        result["asked"] = [{"error": "the values are too long to send"} for _ in result["asked"]]
        result["cases"] = []
        result["lr_used_by_group"] = result["lr_after_step_by_group"] = result["losses"] = result["warnings"] = []
        result["watched"] = []
        result["note"] = TOO_LONG
        return wire.pack(result)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
