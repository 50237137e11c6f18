"""A runner made of one function, and the process that can stand behind it: for runners beside the local one.

Plug-ins may import from here what `__all__` names.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from grader.model import Limits, Observation, Program, Status
from grader.runner import CAN, Runner, batches
from grader.runner.inside import codec
from grader.runner.inside.observers.torch_optim import LONGEST_TEXT

__all__ = [
    "CAN", "COMMAND", "Limits", "Observation", "Program", "Runner", "SimpleRunner", "Status", "document", "observed",
]  # fmt: skip

COMMAND = (sys.executable, "-P", "-m", "grader.runner.inside.once")
"""Runs one program in a process of its own: with two more arguments, the file that has the program's `document` and the
file that gets what was observed. It sets the program's limits of CPU time and memory, and is no sandbox."""


class SimpleRunner:
    """See `Runner`. Whoever derives this has only to say how one program is run."""

    can: frozenset[str] = frozenset()
    ready: bool = True

    def __init__(self, in_flight: int) -> None:
        """So many programs run at a time."""
        self._threads = ThreadPoolExecutor(in_flight, "grader-runner")
        self._open: set[Future[Observation]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def run(self, program: Program) -> Observation:
        """Run a program, and wait for it; called from several threads. What it raises becomes `Status.NOT_RUN`."""
        raise NotImplementedError

    def contained(self) -> bool:
        """See `Runner`: no promise."""
        return False

    def start(self) -> None:
        """See `Runner`: there is nothing to start."""

    def before(self, by: str) -> int:
        """See `Runner`: that is not known."""
        return 0

    def submit(self, program: Program, by: str | None = None) -> Future[Observation]:
        """See `Runner`."""
        future: Future[Observation] = Future()
        with self._lock:
            if self._closed:
                future.set_result(Observation(Status.NOT_RUN, note="the runner is closed"))
                return future
            self._open.add(future)
            self._threads.submit(self._run, program, future)
        return future

    def submit_all(self, programs: Sequence[Program]) -> list[Future[Observation]]:
        """See `Runner`."""
        return batches.submit_all(self.submit, programs)

    def close(self) -> None:
        """See `Runner`; a program that is running is no longer waited for."""
        with self._lock:
            self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for future in list(self._open):
            self._end(future, Observation(Status.NOT_RUN, note="the runner was closed before this program ended"))

    def _run(self, program: Program, future: Future[Observation]) -> None:
        if self._closed:
            return
        try:
            seen = self.run(program)
        except Exception as error:  # noqa: BLE001  (whatever fails, nobody waits for ever)
            seen = Observation(Status.NOT_RUN, note=f"the runner failed: {type(error).__name__}: {error}")
        self._end(future, seen)

    def _end(self, future: Future[Observation], seen: Observation) -> None:
        with self._lock:
            if future not in self._open:
                return
            self._open.remove(future)
        if future.set_running_or_notify_cancel():
            future.set_result(seen)


def document(program: Program) -> str:
    """A program as the process takes it."""
    return json.dumps(codec.document(program))


def observed(program: Program, said: str, stdout: bytes, stderr: bytes, code: int) -> Observation:
    """What is to be told of a process that has ended.

    `said` is what it wrote of its observation, empty where that is missing; `stdout` and `stderr` is what it printed,
    and `code` its exit code, negative for the signal that ended it. What it says is not believed but for its form.
    """
    printed = stdout.decode(errors="replace"), stderr.decode(errors="replace")
    if len(stdout) + len(stderr) > program.limits.output_bytes:
        note = f"stopped after printing {program.limits.output_bytes:,} bytes"
        return Observation(Status.OUTPUT, stdout=printed[0][:LONGEST_TEXT], stderr=printed[1][:LONGEST_TEXT], note=note)
    if code == -signal.SIGXCPU:
        note = f"stopped after {program.limits.cpu_seconds} s of CPU time"
        return Observation(Status.TIMEOUT, stdout=printed[0], stderr=printed[1], note=note)
    try:
        data = json.loads(said)
        return codec.decode_for(program, {**data, "stdout": printed[0], "stderr": printed[1]})
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        note = f"its result could not be read: {error}" if said else f"the process ended itself (exit code {code})"
        return Observation(Status.KILLED, stdout=printed[0], stderr=printed[1], note=note)
