"""Where submissions are graded, on one machine: converters in processes of their own, and one judge for all of them.

    nursery     forked once, before this process has a second thread; it forks converters, and does nothing else
    converter   nbgrader's conversion of one submission after another, see `convert`; it asks the judge for our items
    judge       a bank, its proofs and a runner (`grader.nbgrader.judge`), in this process

All of them have imported nbgrader once, together. A converter that dies is replaced, and what it held is tried again.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import queue
import shutil
import signal
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

from grader.errors import GraderError
from grader.model import Result
from grader.nbgrader import judge
from grader.nbgrader.batch.jobs import GradedSubmission, GradingJob, Setup, failed, lay_out
from grader.nbgrader.judge import BankJudge, Verdicts
from grader.nbgrader.manifest import Manifest

TRIES = 2
"""How often a submission is given to a converter, where the first one dies of it."""


class LocalWorkers:
    """Grades submissions of one assignment, up to `count` at a time. To be made while this process has one thread."""

    def __init__(self, setup: Setup, count: int, bank: Path | None, results: Path) -> None:
        """`bank` is the folder of the bank, None to use what the setup carries; `results` is where folders are left."""
        self._folder = Path(tempfile.mkdtemp(prefix="grader-"))
        self._results = results
        self._nursery, theirs = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            self._nursery.close()
            _nurse(theirs, setup, self._folder, results)
        theirs.close()
        self._free: queue.SimpleQueue[WorkerHandle | None] = queue.SimpleQueue()
        for _ in range(count):
            self._free.put(None)  # a converter is hired when it is first needed
        self._hired: set[WorkerHandle] = set()
        self._stopping = threading.Event()
        self._manifest = setup.manifest
        self._judging: BankJudge | None = None
        self._contained = not setup.config.get("Judge", {}).get("allow_unsandboxed", False)
        if setup.bank is not None:
            if bank is None:
                bank = self._folder / "bank"
                lay_out(setup.bank, bank)
            self._judging = judge.of_bank(bank)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close()

    def begin(self) -> None:
        """Get ready to judge. Raises InputError where items of the assignment cannot be judged here."""
        if self._judging is not None and self._manifest is not None:
            if self._contained:
                self._judging.must_be_contained()
            self._judging.prove(self._manifest)

    def close(self) -> None:
        """End all processes, also in the middle of a submission, and remove what they leave."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._nursery.close()
        for hand in list(self._hired):
            hand.let_go()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)
        if self._judging is not None:
            self._judging.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def grade(self, job: GradingJob) -> GradedSubmission:
        """Grade a submission. Waits for a converter to be free; may be called from several threads."""
        hand = self._free.get()
        try:
            for _ in range(TRIES):
                if hand is None:
                    hand = self._hire()
                try:
                    return self._ask(hand.connection, job)
                except (EOFError, OSError):
                    if self._stopping.is_set():
                        raise GraderError("stopped") from None
                    self._hired.discard(hand)
                    hand.let_go()
                    hand = None
        finally:
            self._free.put(hand)
        return failed(job, f"the process that graded it ended {TRIES} times")

    def _ask(self, converter: Connection, job: GradingJob) -> GradedSubmission:
        """Raises EOFError or OSError where the converter has ended."""
        converter.send(job)
        while True:
            said = converter.recv()
            if isinstance(said, GradedSubmission):
                return said
            try:
                converter.send(self._judge(*said))
            except GraderError as error:
                converter.send(error)

    def _judge(self, found: Manifest, student: str, sources: Mapping[str, str | None]) -> Verdicts:
        if self._judging is None:
            raise GraderError("the assignment has items of a bank, and there is none")
        verdicts = self._judging.judge(found, student, sources)
        return {name: replace(verdict, result=_short(verdict.result)) for name, verdict in verdicts.items()}

    def _hire(self) -> WorkerHandle:
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._nursery, [b"1"], [theirs.fileno()])
        hand = WorkerHandle(ours)
        self._hired.add(hand)
        return hand


def _short(result: Result) -> Result:
    """A result without what nobody is told: what was observed of the runs."""
    return replace(result, proof=None, score=replace(result.score, run=None))


class WorkerHandle:
    """The way to a converter."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.connection = Connection(os.dup(sock.fileno()))

    def let_go(self) -> None:
        """Hang up; whoever waits for an answer hears of it."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()


class RemoteJudge:
    """The judge, as converters see it. See `judge.Judging`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def judge(self, found: Manifest, student: str, sources: Mapping[str, str | None]) -> Verdicts:
        self._connection.send((found, student, dict(sources)))
        verdicts: Verdicts | GraderError = self._connection.recv()
        if isinstance(verdicts, GraderError):
            raise verdicts
        return verdicts

    def must_be_contained(self) -> None:
        """It was looked at before the first submission."""

    def changes(self, found: Manifest) -> list[str]:
        """They were told before the first submission."""
        return []


def _nurse(orders: socket.socket, setup: Setup, folder: Path, results: Path) -> None:
    """Fork converters, until nobody orders any. It does not return."""
    code = 1
    gc.freeze()  # what was imported is not looked through again
    try:
        os.setsid()  # Ctrl-C is for the process that gives orders: nothing is stopped in the middle of a write
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            order, descriptors, _, _ = socket.recv_fds(orders, 1, 1)
            if not order:
                break
            if os.fork() == 0:
                orders.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _convert(Connection(descriptors[0]), setup, folder, results)
                break
            os.close(descriptors[0])
        code = 0
    except BaseException:  # noqa: BLE001  (the other side hears that it has ended)
        if os.environ.get("GRADER_DEBUG"):
            traceback.print_exc()
    finally:
        os._exit(code)


def _convert(jobs: Connection, setup: Setup, folder: Path, results: Path) -> None:
    from grader.nbgrader.batch.convert import Converter

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it ends with the nursery
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # kernels run side by side, each on one thread
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    if not os.environ.get("GRADER_DEBUG"):
        os.dup2(null, 1)
        os.dup2(null, 2)
    judge.elsewhere(RemoteJudge(jobs))
    own = folder / f"converter-{os.getpid()}"
    own.mkdir()
    converter = Converter(setup, own, results)
    with contextlib.suppress(EOFError):
        while True:
            jobs.send(converter.grade(jobs.recv()))
