"""Workers that grade side by side. One that dies is replaced, and what it held is tried once more."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from grader import warm
from grader.errors import GraderError, InputError

Report = dict[str, Any]


class Hand:
    """One worker's process."""

    def __init__(self, course: Path, assignment: str) -> None:
        self.log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115  (it lives as long as the process)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "grader.autograding.worker", str(course), assignment],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            encoding="utf-8",
            env=_environment(),
            start_new_session=True,  # Ctrl-C is the crew's: a worker is not stopped in the middle of a write
        )

    def ask(self, request: dict[str, Any]) -> Report:
        """Raises EOFError where the process has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise EOFError from None
        line = self.process.stdout.readline()
        if not line:
            raise EOFError
        answer: Report = json.loads(line)
        return answer

    def said(self) -> str:
        """The last line of its standard error."""
        self.log.seek(0)
        lines = self.log.read().strip().splitlines()
        return lines[-1] if lines else ""

    def close(self, *, kill: bool = False) -> None:
        if kill:
            self.process.kill()
        with contextlib.suppress(OSError):
            if self.process.stdin:
                self.process.stdin.close()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        self.log.close()


def _environment() -> dict[str, str]:
    """Programs of this environment are found by name, as nbgrader calls them; each worker computes on one thread."""
    here = str(Path(sys.executable).parent)
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    # Kernels of this interpreter are forked from one that has imported torch; all others start as they would.
    kernels = {"JUPYTER_DEFAULT_PROVISIONER_NAME": warm.PROVISIONER} if warm.registered() else {}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {
        **threads,
        **kernels,
        **os.environ,
        "PATH": f"{here}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": path,
    }


class Crew:
    """So many workers on one assignment of a course."""

    def __init__(self, course: Path, assignment: str, count: int) -> None:
        self._make: Callable[[], Hand] = lambda: Hand(course, assignment)
        self._count = count
        self._first = self._make()
        self._hands: list[Hand] = [self._first]
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._stopping.set()
        for hand in self._hands:
            hand.close(kill=kind is not None)

    def look(self) -> Report:
        """What there is to grade. Raises InputError where nbgrader does not start in this course."""
        try:
            found = self._first.ask({"do": "look"})
        except EOFError:
            raise InputError(f"nbgrader does not start here: {self._first.said()}", "mend nbgrader_config.py") from None
        if "failure" in found:
            raise InputError(f"the gradebook cannot be read: {found['failure']}", "see `nbgrader db --help`")
        return found

    def grade(self, students: Iterable[str], begin: Callable[[str], None]) -> Iterator[tuple[str, Report]]:
        """Grade them all; reports in the order in which they come. `begin` is called before each, one at a time."""
        waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        names = list(students)
        for name in names:
            waiting.put(name)
        done: queue.SimpleQueue[tuple[str, Report] | BaseException] = queue.SimpleQueue()
        lock = threading.Lock()

        def work(hand: Hand | None) -> None:
            try:
                hand = hand or self._hire()
                while not self._stopping.is_set():
                    name = waiting.get_nowait()
                    with lock:
                        begin(name)
                    hand, report = self._grade_one(hand, name)
                    done.put((name, report))
            except queue.Empty:
                pass
            except BaseException as error:  # noqa: BLE001  (raised again where the reports are read)
                done.put(error)

        hands = [self._first, *[None] * (min(self._count, len(names)) - 1)]
        threads = [threading.Thread(target=work, args=(hand,), daemon=True) for hand in hands]
        for thread in threads:
            thread.start()
        for _ in names:
            report = done.get()
            if isinstance(report, BaseException):
                raise report
            yield report

    def _hire(self) -> Hand:
        hand = self._make()
        self._hands.append(hand)
        return hand

    def _grade_one(self, hand: Hand, name: str) -> tuple[Hand, Report]:
        """Grade a submission, with another worker if the first one dies of it. The worker that is there afterwards."""
        said = ""
        for _ in range(2):
            try:
                return hand, hand.ask({"do": "grade", "student": name})
            except EOFError:
                if self._stopping.is_set():
                    raise GraderError("stopped") from None
                said = hand.said()
                hand = self._hire()
        failure = f"the process that graded it ended twice{f': {said}' if said else ''}"
        return hand, {"state": "failed", "failure": failure, "remarks": []}
