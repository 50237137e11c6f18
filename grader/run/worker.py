"""The worker: a process that has imported torch once, on one thread, and forks for each program.

It is started as `python -m grader.run.worker FD SURROUNDINGS [MODULE]...` in a scratch folder of its own, and talks
on that socket with the process that started it, in records of `wire`. It hears "fork", with the descriptors of the
child to be, and "kill"; it answers with how each child ended. Programs go straight to the child over the child's own
socket: the worker never sees them.

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
import shutil
import signal
import socket
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Sequence
from typing import Any

from grader import trace  # noqa: F401  (lessons may call it; a child could no longer read its file)
from grader.run import wire
from grader.run.codec import TOO_LONG
from grader.run.execute import address_space, execute, peak_bytes, resident_bytes
from grader.run.observe import Watcher
from grader.run.sandbox import Enclosure, limit
from grader.run.warming import WARM_UP, pack_memory
from grader.run.wire import COMMAND, ENDED, FORK_WARM, KILL

WARM_UP_JOB = {
    "source": WARM_UP,
    "asks": ["run.lr_used"],
    "seed": 0,
    "cases": [],
    "cells": [],
    "parts": [],
    "replay": None,
}

# What every child needs is made here, once: what a child makes itself costs it page faults.
PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
STDOUT = open(1, "w", encoding="utf-8", errors="replace", closefd=False)
STDERR = open(2, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False)


# ---------------------------------------------------------------- the worker


def main(descriptor: int, surroundings: str, preload: Sequence[str] = ()) -> None:
    """Serve until the other side of the socket has gone; then end every child.

    `surroundings` is "open" (no sandbox), "enclosed" (walls around children alone) or "namespaces" (both walls).
    `preload` names modules to import ahead, where they are installed.
    """
    control = socket.socket(fileno=descriptor)
    import torch

    torch.set_num_threads(1)
    for module in preload:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    watcher = Watcher()
    watcher.install()
    seen = execute(WARM_UP_JOB, watcher, io.StringIO())
    if seen["error"] or seen["warnings"]:
        error = seen["error"] or seen["warnings"][0]
        raise RuntimeError(
            f"an optimizer's step did not run cleanly: {error.get('type') or error['category']}: {error['message']}"
        )
    enclosure = None if surroundings == "open" else Enclosure(surroundings == "namespaces")
    walls = enclosure.document() if enclosure else {}
    if PRCTL:
        PRCTL(2, ctypes.byref(ctypes.c_int()))  # PR_GET_PDEATHSIG: the first foreign call is slow
    tempfile.tempdir = None  # the warm-up asked for it; a child has a folder of its own
    gc.collect()
    gc.freeze()
    pack_memory()
    if sys.platform == "linux" and len(os.listdir("/proc/self/task")) != 1:
        raise RuntimeError("the worker has more than one thread and cannot fork safely")
    control.sendall(wire.pack({"torch": torch.__version__, "rss": resident_bytes(), "walls": walls}))
    serve(control, watcher, enclosure, address_space())


def serve(control: socket.socket, watcher: Watcher, enclosure: Enclosure | None, size: int) -> None:
    """Fork, kill and report, until the control socket closes. `size` is this process's address space in bytes.

    What this loop touches is copied after each fork, page by page: it is kept plain.
    """
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    here, private = os.getcwd(), (control.fileno(), wake_read, wake_write)
    children: dict[int, int] = {}
    buffer, descriptors = bytearray(), deque[int]()
    try:
        while True:
            for ready, _ in poll.poll():
                if ready == wake_read:
                    os.read(wake_read, 4096)
                    continue
                chunk, passed, _, _ = socket.recv_fds(control, 4096, 64)
                if not chunk:
                    return
                buffer += chunk
                descriptors += passed
                while len(buffer) >= COMMAND.size:
                    what, number = COMMAND.unpack_from(buffer)
                    del buffer[: COMMAND.size]
                    if what == KILL:
                        kill_numbered(children, number)
                        continue
                    ends = descriptors.popleft(), descriptors.popleft(), descriptors.popleft()
                    pid = os.fork()
                    if pid == 0:
                        for descriptor in (*private, *descriptors):
                            os.close(descriptor)
                        child(*ends, here, watcher, enclosure, size, warm=what == FORK_WARM)
                    children[pid] = number
                    for descriptor in ends:
                        os.close(descriptor)
            reap(control, children)
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        for pid in children:
            kill_group(pid)
        shutil.rmtree(here, ignore_errors=True)


def kill_numbered(children: dict[int, int], number: int) -> None:
    """End the child of this number, where it has not been reaped yet."""
    for pid, known in children.items():
        if known == number:
            kill_group(pid)


def kill_group(pid: int) -> None:
    """End a child and what it started. The child is not reaped yet, so its id is still its own."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except OSError:  # it has no group of its own yet, or (macOS) has ended
            continue


def reap(control: socket.socket, children: dict[int, int]) -> None:
    """Report every child that has ended, and end what it left behind in its process group."""
    while children and (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)):
        pid = ended.si_pid
        kill_group(pid)
        _, status, usage = os.wait4(pid, 0)
        try:
            os.rmdir(str(pid))
        except OSError:  # not empty, or not there
            shutil.rmtree(str(pid), ignore_errors=True)
        code, cpu = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
        control.sendall(ENDED.pack(children.pop(pid), code, cpu, peak_bytes(usage)))


# ---------------------------------------------------------------- a child


def child(
    channel: int,
    out: int,
    err: int,
    here: str,
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
        folder = own_folder(here)
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
            result = execute(job, watcher, STDOUT)
            sock.sendall(frame(result))
    except BaseException:  # nothing may leave a child: the exit status tells that it failed
        with contextlib.suppress(BaseException):
            os.write(2, traceback.format_exc().encode())
        os._exit(70)
    os._exit(0)


def own_folder(here: str) -> str:
    """Make a scratch folder for this process, and make it its home. The worker removes it."""
    folder = f"{here}/{os.getpid()}"
    os.mkdir(folder, 0o700)
    os.chdir(folder)
    os.environ["HOME"] = os.environ["TMPDIR"] = folder
    return folder


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
        result["note"] = TOO_LONG
        return wire.pack(result)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
