"""The kernel's side of the service, another process that has the bank and judges; the learner's code runs here."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from grader.errors import GraderError, InputError


class ServiceClient:
    """Asks the service of this kernel. It is started with the first question, and ends with the kernel."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._owner = 0
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Raises InputError where it cannot be done, and GraderError where the service has failed.
        """
        reply = self.reply({"do": do, **arguments})
        if "error" in reply:
            raise InputError(reply["error"]["message"], reply["error"]["hint"])
        return dict(reply["ok"])

    def reply(self, request: dict[str, Any]) -> dict[str, Any]:
        """The service's whole answer, `ok` or `error`. An answer to a request that was interrupted is passed over."""
        with self._lock:
            process = self._running()
            number = next(self._numbers)
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(json.dumps({**request, "id": number}) + "\n")
                process.stdin.flush()
                for line in process.stdout:
                    answer: dict[str, Any] = json.loads(line)
                    if answer.pop("id") == number:
                        return answer
            except (OSError, ValueError) as error:
                self.close()
                raise GraderError(f"the process that judges has failed: {error}", "run the cell again") from None
            self.close()
            raise GraderError("the process that judges has ended", "run the cell again; `grader doctor` may say why")

    def _running(self) -> subprocess.Popen[str]:
        """The service's process, started if there is none; a forked kernel starts its own."""
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            package = str(Path(__file__).resolve().parents[3])
            path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
            # -P: a file of the learner's, such as torch.py beside the notebook, is not taken for a module.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "grader.faces.service"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,  # interrupting the kernel is not meant for it
            )
            self._owner = os.getpid()
            atexit.register(self.close)
        return self._process

    def close(self) -> None:
        """End the service."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        with contextlib.suppress(OSError):
            if process.stdin:
                process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


service = ServiceClient()
"""That of this kernel."""
