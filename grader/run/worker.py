"""The worker: a process that has imported torch once, on one thread, and forks for each program.

It is started as `python -m grader.run.worker FD SURROUNDINGS` in a scratch folder of its own, and talks on that socket
with the process that started it, in frames of `wire`. It hears "fork" and "kill"; it answers with a child's process id
and the child's three descriptors, and with how each child ended. Programs go straight to the child over the child's own
socket: the worker never sees them.

Forking is safe only while there is one thread: torch's thread pool does not survive a fork. So the worker does all its
own work on one thread and asserts it. A child may use more.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import io
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from grader.run import wire
from grader.run.execute import address_space, execute, peak_bytes, resident_bytes
from grader.run.observe import Watcher
from grader.run.sandbox import Enclosure, limit

WARM_UP = """
import torch
from torch.optim.lr_scheduler import LambdaLR
layer = torch.nn.Linear(2, 1)
for kind in (torch.optim.SGD, torch.optim.Adam):
    optimizer = kind(layer.parameters(), lr=0.1)
    scheduler = LambdaLR(optimizer, lambda epoch: 1.0)
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(layer(torch.zeros(1, 2)), torch.zeros(1, 1)).backward()
    optimizer.step()
    scheduler.step()
print(f"{scheduler.get_last_lr()[0]:.6g}")
"""
"""Pays once for what first use of torch pays: its first optimizer imports another second of modules."""

WARM_UP_JOB = {"source": WARM_UP, "asks": ["run.lr_used"], "seed": 0}

HUGE_PAGE = 2 << 20

# What every child needs is made here, once: what a child makes itself costs it page faults.
PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
STDOUT = open(1, "w", encoding="utf-8", errors="replace", closefd=False)
STDERR = open(2, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False)


# ---------------------------------------------------------------- the worker


def main(descriptor: int, surroundings: str) -> None:
    """Serve until the other side of the socket has gone; then end every child.

    `surroundings` is "open" (no sandbox), "enclosed" (walls around children alone) or "namespaces" (both walls).
    """
    control = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at a terminal is for the process in front
    import torch

    torch.set_num_threads(1)
    watcher = Watcher()
    watcher.install()
    seen = execute(WARM_UP_JOB, watcher, io.StringIO())
    if seen["error"] or seen["warnings"]:
        raise RuntimeError(f"the worker's warm-up did not run cleanly: {seen}")
    enclosure = None if surroundings == "open" else Enclosure(surroundings == "namespaces")
    walls = enclosure.document() if enclosure else {}
    if PRCTL:
        PRCTL(2, ctypes.byref(ctypes.c_int()))  # PR_GET_PDEATHSIG: the first foreign call is slow
    gc.collect()
    gc.freeze()
    pack_memory()
    if sys.platform == "linux" and len(os.listdir("/proc/self/task")) != 1:
        raise RuntimeError("the worker has more than one thread and cannot fork safely")
    control.sendall(wire.pack({"ready": torch.__version__, "rss": resident_bytes(), "walls": walls}))
    serve(control, watcher, enclosure)


def pack_memory() -> None:
    """Ask for huge pages under all private memory (Linux 6.1, MADV_COLLAPSE): a fork then copies far fewer entries.

    Makes a fork and exit about twice as fast. Where the kernel refuses, nothing changes.
    """
    if sys.platform != "linux":
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        lines = maps.read().splitlines()
    for line in lines:
        span, access, _, _, inode, *_ = line.split()
        first, last = (int(end, 16) for end in span.split("-"))
        if access == "rw-p" and inode == "0" and last - first >= HUGE_PAGE and "[stack]" not in line:
            madvise(first, last - first, 25)


def serve(control: socket.socket, watcher: Watcher, enclosure: Enclosure | None) -> None:
    """Fork, kill and report, until the control socket closes."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    selector.register(wake_read, selectors.EVENT_READ)
    children: set[int] = set()
    buffer = bytearray()
    try:
        while True:
            for key, _ in selector.select():
                if key.fileobj is control:
                    chunk = control.recv(65536)
                    if not chunk:
                        return
                    buffer += chunk
                    while (message := wire.unpack(buffer)) is not None:
                        if "fork" in message:
                            private = (wake_read, wake_write, selector.fileno())
                            pid = fork(control, watcher, enclosure, private, warm=message["fork"]["warm"])
                            children.add(pid)
                        elif message["kill"] in children:
                            kill_group(message["kill"])
                else:
                    with contextlib.suppress(BlockingIOError):
                        os.read(wake_read, 4096)
            reap(control, children)
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        for pid in children:
            kill_group(pid)
        shutil.rmtree(os.getcwd(), ignore_errors=True)


def fork(
    control: socket.socket, watcher: Watcher, enclosure: Enclosure | None, private: tuple[int, ...], *, warm: bool
) -> int:
    """Fork a child that waits for a program, and send its descriptors on. Returns its process id.

    A `warm` child runs the warm-up before it waits, so that the pages a program will touch are its own already: its
    program starts sooner, at the price of a little more work in all.
    """
    ours, theirs = socket.socketpair()
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        for descriptor in (control.fileno(), ours.fileno(), out_read, err_read, *private):
            os.close(descriptor)
        child(theirs, out_write, err_write, watcher, enclosure, warm=warm)
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)  # as the child does itself: whoever is first
    socket.send_fds(control, [wire.pack({"child": pid})], [ours.fileno(), out_read, err_read])
    ours.close()
    theirs.close()
    for descriptor in (out_read, out_write, err_read, err_write):
        os.close(descriptor)
    return pid


def kill_group(pid: int) -> None:
    """End a child and what it started. The child is not reaped yet, so its id is still its own."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def reap(control: socket.socket, children: set[int]) -> None:
    """Report every child that has ended, and end what it left behind in its process group."""
    for pid in list(children):
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            continue
        kill_group(pid)
        _, status, usage = os.wait4(pid, 0)
        children.discard(pid)
        try:
            os.rmdir(str(pid))
        except OSError:  # not empty, or not there
            shutil.rmtree(str(pid), ignore_errors=True)
        control.sendall(
            wire.pack(
                {
                    "ended": pid,
                    "exit": os.waitstatus_to_exitcode(status),
                    "cpu": usage.ru_utime + usage.ru_stime,
                    "rss": peak_bytes(usage),
                }
            )
        )


# ---------------------------------------------------------------- a child


def child(
    sock: socket.socket, out: int, err: int, watcher: Watcher, enclosure: Enclosure | None, *, warm: bool
) -> None:
    """Shut itself in, take one program from the socket, run it, send what was observed, and end. Never returns."""
    try:
        os.setpgid(0, 0)
        die_with_parent()
        signal.set_wakeup_fd(-1)
        for kind in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(kind, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDONLY)
        for descriptor, place in ((null, 0), (out, 1), (err, 2)):
            os.dup2(descriptor, place)
        for descriptor in (null, out, err):
            os.close(descriptor)
        size = address_space()
        folder = own_folder()
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


def own_folder() -> Path:
    """Make a scratch folder for this process, and make it its home. The worker removes it."""
    os.mkdir(str(os.getpid()), 0o700)
    os.chdir(str(os.getpid()))
    folder = os.getcwd()
    os.environ["HOME"] = os.environ["TMPDIR"] = folder
    tempfile.tempdir = None
    return Path(folder)


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
        result["lr_used_by_group"] = result["lr_after_step_by_group"] = result["losses"] = result["warnings"] = []
        result["note"] = "the observations were too long to keep"
        return wire.pack(result)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
