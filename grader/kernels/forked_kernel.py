"""What a fork of the forkserver does to be the kernel that was ordered: a process as if just started."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import multiprocessing.process
import os
import random
import select
import socket
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import Any, TextIO

from grader.kernels.shutdown import State
from grader.runner.inside import wire


@dataclass
class Order:
    """A kernel as it is wanted: what an ordinary one would have been started with."""

    argv: list[str]
    """The module that launches it, then its arguments."""
    command: list[str]
    environment: dict[str, str]
    cwd: str
    descriptors: list[int]
    """Standard input, output and error; unless it is to outlive its client, one that is readable once that is gone."""
    sock: socket.socket
    threads: int
    """How many threads torch would use by itself, where it is imported already."""
    confined: dict[str, Any] | None = None
    """For code of other people: the container's command line, and the fields of `run.confines.Confines`."""


def run(order: Order) -> None:
    """Be that kernel until it is over."""
    become(order)
    from ipykernel.kernelapp import IPKernelApp

    strays = [(handler, handler.stream) for handler in stream_handlers() if handler.stream in STREAMS_BEFORE]
    app: Any = IPKernelApp.instance()
    client = order.descriptors[3:]
    app.parent_handle = 1 if client else 0  # 1: it is looked after, not by ipykernel's own poller
    app.initialize(order.argv[1:])
    for handler, stream in strays:  # made when torch was imported, which a cell would have done
        handler.setStream(sys.stderr if stream is STREAMS_BEFORE[1] else sys.stdout)
    if client:
        app.poller = Poller(client[0])
    with contextlib.suppress(OSError), order.sock:
        order.sock.sendall(wire.pack({"ready": True}))
    app.start()
    State.short = True


STREAMS_BEFORE: list[TextIO] = []


def become(order: Order) -> None:
    """Take on all that a new process gets from whoever starts it, and lose what it would not have."""
    os.setsid()
    for number, descriptor in enumerate(order.descriptors[:3]):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(order.cwd)
    os.environ.clear()
    os.environ.update(order.environment)
    time.tzset()
    sys.argv = [launcher(order.argv[0]), *order.argv[1:]]
    sys.orig_argv = order.command
    STREAMS_BEFORE[:] = [sys.stdout, sys.stderr]
    system: Any = sys
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = reopened(number, getattr(system, name))
        setattr(system, name, stream)
        setattr(system, f"__{name}__", stream)
    importlib.invalidate_caches()
    tempfile.tempdir = None
    process: Any = multiprocessing.process
    process.ORIGINAL_DIR = order.cwd
    process.current_process().authkey = os.urandom(32)
    seed()
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(order.threads)


def launcher(module: str) -> str:
    """The file that `python -m MODULE` runs."""
    spec = importlib.util.find_spec(module)
    if spec is not None and spec.submodule_search_locations:
        spec = importlib.util.find_spec(f"{module}.__main__")
    return spec.origin if spec and spec.origin else module


def seed() -> None:
    """Fresh randomness for every generator that a new process would have seeded from the system's."""
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    if torch := sys.modules.get("torch"):
        torch.default_generator.seed()


def reopened(number: int, like: io.TextIOWrapper) -> Any:
    """A standard stream anew, as Python makes it: whether it is a terminal may have changed."""
    raw: Any = io.FileIO(number, "r" if number == 0 else "w", closefd=False)
    raw.name = ("<stdin>", "<stdout>", "<stderr>")[number]
    unbuffered = like.write_through  # PYTHONUNBUFFERED
    buffer = io.BufferedReader(raw) if number == 0 else raw if unbuffered else io.BufferedWriter(raw)
    by_line = not unbuffered and (number == 2 or raw.isatty())
    stream: Any = io.TextIOWrapper(buffer, like.encoding, like.errors, "\n", by_line, unbuffered)
    stream.mode = "r" if number == 0 else "w"
    return stream


def stream_handlers() -> list[logging.StreamHandler[TextIO]]:
    """Every handler of `logging` that writes to a stream."""
    handlers = [reference() for reference in logging._handlerList]  # type: ignore[attr-defined]  # noqa: SLF001
    return [handler for handler in handlers if isinstance(handler, logging.StreamHandler)]


class Poller(threading.Thread):
    """Ends the process when its client has gone; ipykernel's own poller would watch the forkserver."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(name="parent-poller", daemon=True)
        self.descriptor = descriptor

    def run(self) -> None:
        poll = select.poll()
        poll.register(self.descriptor, select.POLLIN)
        poll.poll()
        logging.getLogger("traitlets").warning("Parent appears to have exited, shutting down.")
        os._exit(1)
