"""The processes behind the local runner, as data: a worker, its children, the program that each of them has."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.model import Observation, Program, Status
from grader.runner.inside import observers
from grader.runner.inside.sandbox import SCRATCH, around_worker, scratch_folders
from grader.runner.progress import Activity

START_SECONDS = 600.0
"""How long a worker may take to import torch before it is given up: it ends what hangs, however busy the machine."""

BEGIN_SECONDS = 60.0
"""How long a child may take to begin with its program."""

WAITED = "it was waiting and did not go on (input, sleep, a lock)"
"""The note of a program that was stopped since it did nothing but wait."""


@dataclass(slots=True)
class Job:
    """A program and the future that waits for its observation."""

    program: Program
    by: str | None = None
    """Who submitted it: a learner's name, or None for the owner of this machine."""
    future: Future[Observation] = field(default_factory=Future)
    attempts: int = 0
    """How often it could not be run; what was tried before runs alone."""
    trouble: str = ""
    """Why it was tried again."""


@dataclass(slots=True)
class Child:
    """A forked process, or one about to be: idle until it has a job."""

    number: int
    """What the worker knows it by: unlike a process id, it is never given twice."""
    sock: socket.socket
    out: int
    err: int
    job: Job | None = None
    begun: bool = False
    """It is shut in and runs its program; what ends it from then on is the program's doing."""
    deadline: float = 0.0
    started: float = 0.0
    next_look: float = 0.0
    progress: Activity = field(default_factory=Activity)
    asleep: bool = False
    """It waits, and so its place on a core is another's."""
    received: bytearray = field(default_factory=bytearray)
    printed: dict[int, bytearray] = field(default_factory=dict)
    hung_up: bool = False
    """We have closed our ends of its socket and its pipes."""
    leaving: bool = False
    """Its frame has come; it should end by itself before its deadline."""
    stopped: Status | None = None
    """Why we ended it, where we did."""
    stuck: bool = False
    """We ended it since it was waiting and did not go on."""
    garbled: str = ""


@dataclass(slots=True)
class Worker:
    """The process that forks children, and what we hold of it."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    log: Any
    scratch: Path | None
    """Its folder on this machine; None where it has one in a namespace of its own."""
    deadline: float
    received: bytearray = field(default_factory=bytearray)
    children: dict[int, Child] = field(default_factory=dict)
    idle: deque[Child] = field(default_factory=deque)
    ready: bool = False
    rss: int = 0
    broken: str = ""
    """Why it is to be replaced: its children cannot begin."""


def start_worker(*, sandbox: bool, preload: Sequence[str] = (), children: int = 8) -> Worker:
    """Start a worker, behind the walls that there are; it says on its socket when it is ready. Raises OSError.

    It has scratch folders for that many `children` at a time.
    """
    ours, theirs = socket.socketpair()
    log = tempfile.TemporaryFile()
    command = [sys.executable, "-P", "-m", "grader.runner.inside.worker", str(theirs.fileno())]
    package = Path(__file__).resolve().parents[1]
    watching = observers.usable()
    more = [*preload, *(f"{name}={path}" for name, path in watching.items())]
    files = list(watching.values())
    around = around_worker([*command, "namespaces", *more], package, children, files) if sandbox else None
    scratch = None if around else Path(tempfile.mkdtemp(prefix="grader-"))
    if scratch:
        for folder in scratch_folders(scratch, children):
            folder.mkdir(mode=0o700)
    process = subprocess.Popen(
        around or [*command, "enclosed" if sandbox else "open", *more],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=scratch,
        env=worker_environment(scratch or Path(SCRATCH)),
        process_group=0,
    )
    theirs.close()
    return Worker(process, ours, log, scratch, time.monotonic() + START_SECONDS)


def texts(child: Child) -> tuple[str, str]:
    """What the child printed, on standard output and standard error."""
    return child.printed[child.out].decode(errors="replace"), child.printed[child.err].decode(errors="replace")


def how_it_ended(child: Child, code: int, cpu: float) -> tuple[Status, str]:
    """The status of a child that sent no result that could be read, and what to say of it.

    `code` is its exit code, negative for a signal, and `cpu` the seconds of CPU time that it used.
    """
    job = child.job
    assert job is not None
    limits = job.program.limits
    if child.stuck:
        return Status.TIMEOUT, WAITED
    if child.stopped is Status.TIMEOUT:
        return Status.TIMEOUT, f"stopped after {limits.wall_seconds:g} s"
    if child.stopped is Status.OUTPUT:
        return Status.OUTPUT, f"stopped after printing {limits.output_bytes:,} bytes"
    if child.garbled:
        return Status.KILLED, f"its result could not be read: {child.garbled}"
    # The kernel's count for the limit and the one it tells of are not the same on a busy machine.
    if (code == -signal.SIGXCPU and cpu >= limits.cpu_seconds / 2) or (
        code == -signal.SIGKILL and cpu >= limits.cpu_seconds * 0.9
    ):
        return Status.TIMEOUT, f"stopped after {limits.cpu_seconds} s of CPU time"
    if code < 0:
        return Status.KILLED, f"ended by signal {_signal_name(-code)}"
    return Status.KILLED, f"the process ended itself (exit code {code}) before the program was over"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return str(number)


def worker_environment(scratch: Path) -> dict[str, str]:
    """The variables a worker starts with: no secrets of the user, one thread, a home that is thrown away."""
    kept = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
    rounding = ("OPENBLAS_", "ATEN_CPU_", "MKL_CBWR")  # which of its kernels the processor is to use
    environment = {name: value for name, value in os.environ.items() if name in kept or name.startswith(rounding)}
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    package = str(Path(__file__).resolve().parents[2])
    folder = str(scratch)
    alone = {"JOBLIB_MULTIPROCESSING": "0"}  # scikit-learn's workers would ask for semaphores, and warn
    named = dict.fromkeys(("USER", "LOGNAME"), "learner")  # torch 2.10 asks who it is, and there is no /etc/passwd
    return environment | one_thread | alone | named | {"PYTHONPATH": package, "HOME": folder, "TMPDIR": folder}
