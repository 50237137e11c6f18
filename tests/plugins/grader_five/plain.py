"""`plain`: each program in a subprocess of its own, as whoever runs it. Nothing is contained."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from grader.errors import InputError
from grader.runner.simple import (
    CAN,
    COMMAND,
    Limits,
    Observation,
    Program,
    Runner,
    SimpleRunner,
    Status,
    document,
    observed,
)

TITLE = "in a plain process each, not contained"
CLOSED = "the runner was closed before this program ended"


class PlainRunner(SimpleRunner):
    can = CAN

    def __init__(self, in_flight: int) -> None:
        super().__init__(in_flight)
        self._started: set[subprocess.Popen[bytes]] = set()
        self._stopped = False
        self._starting = threading.Lock()

    def run(self, program: Program) -> Observation:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            asked, said, out, err = (Path(folder, name) for name in ("asked", "said", "out", "err"))
            asked.write_text(document(program), "utf-8")
            with out.open("wb") as stdout, err.open("wb") as stderr, self._starting:
                if self._stopped:
                    raise RuntimeError(CLOSED)
                command = [*COMMAND, str(asked), str(said)]
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, cwd=folder)
                self._started.add(process)
            try:
                passed = _passed(process, program.limits, (out, err))
            finally:
                process.kill()
                code = process.wait()
                self._started.discard(process)
            if self._stopped:
                raise RuntimeError(CLOSED)
            printed = out.read_bytes(), err.read_bytes()
            text = said.read_text("utf-8", "replace") if said.exists() else ""
            return passed or observed(program, text, *printed, code)

    def close(self) -> None:
        with self._starting:
            self._stopped = True
        for process in list(self._started):
            process.kill()
        super().close()


def _passed(process: subprocess.Popen[bytes], limits: Limits, printed: tuple[Path, ...]) -> Observation | None:
    """Wait for its end, or for the limit that it passes."""
    last = time.monotonic() + limits.wall_seconds
    while process.poll() is None:
        if sum(file.stat().st_size for file in printed) > limits.output_bytes:
            return Observation(Status.OUTPUT, note=f"stopped after printing {limits.output_bytes} bytes")
        if time.monotonic() > last:
            return Observation(Status.TIMEOUT, note=f"stopped after {limits.wall_seconds} s")
        time.sleep(0.01)
    return None


def make(rest: str, preload: Sequence[str] = ()) -> Runner:
    if not rest.isdigit() and rest:
        raise InputError(f"`plain://{rest}`: {rest} is no number of processes", "write `plain` or `plain://4`")
    return PlainRunner(int(rest or 2))
