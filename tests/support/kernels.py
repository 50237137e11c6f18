"""Real kernels for tests: started as any client starts them, in a runtime folder of the tests' own."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

from tests.support.patience import seconds, until

A_MOMENT = 0.1
"""Between two looks at what has come, in seconds; nothing is decided by it."""


def alive(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


class Place:
    """A runtime folder, and the forkservers that were started from it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="warm-"))

    def forkservers(self) -> list[int]:
        found = [int(text) for file in self.folder.glob("*.lock") if (text := file.read_text().strip())]
        return [pid for pid in found if alive(pid)]

    def end(self) -> None:
        """End every forkserver. Their kernels must have ended before."""
        for pid in self.forkservers():
            os.kill(pid, signal.SIGKILL)
        until(lambda: not self.forkservers())
        shutil.rmtree(self.folder)


class Kernel:
    """A kernel and a client of it."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client: Any = None
        self.connect()

    @property
    def process(self) -> Any:
        return self.manager.provisioner.process

    @property
    def pid(self) -> int:
        return self.manager.provisioner.pid

    def connect(self) -> None:
        if self.client:
            self.client.stop_channels()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=seconds())

    def run(self, code: str, **options: Any) -> str:
        """What a cell prints, its value, and `Error: text` where it raises."""
        seen: list[str] = []

        def take(message: dict[str, Any]) -> None:
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    seen.append(content["text"])
                case "execute_result" | "display_data":
                    seen.append(
                        content["data"].get("text/plain", "") + "".join(sorted(content["data"].keys() - {"text/plain"}))
                    )
                case "error":
                    seen.append(f"{content['ename']}: {content['evalue']}")

        self.client.execute_interactive(code, output_hook=take, timeout=seconds(), **options)
        return "".join(seen)

    def hears(self, code: str, *words: str) -> None:
        """Run a cell and wait until these words have come from it.

        What other processes write goes by way of a pipe and a thread that reads it, and may come after the cell's end.
        """
        message, heard = self.client.execute(code), ""

        def all_heard() -> bool:
            nonlocal heard
            with contextlib.suppress(queue.Empty):
                came = self.client.get_iopub_msg(timeout=A_MOMENT)
                if came["msg_type"] == "stream" and came["parent_header"].get("msg_id") == message:
                    heard += came["content"]["text"]
            return set(words) <= set(heard.split())

        until(all_heard, lambda: f"heard {heard!r}")


@contextlib.contextmanager
def kernel(name: str = "torch-warm", **start: Any) -> Iterator[Kernel]:
    """A kernel that is started, ready, and shut down at the end; nothing of it stays."""
    manager = KernelManager(kernel_name=name)
    # ipykernel does not catch what is written to descriptors where it sees this variable
    usual = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    manager.start_kernel(**{"env": usual, **start})
    pid = manager.provisioner.pid
    found = None
    try:
        found = Kernel(manager)
        yield found
        pid = found.pid
    finally:
        if found:
            found.client.stop_channels()
        if manager.has_kernel:
            manager.shutdown_kernel()
        manager.cleanup_resources()
    until(lambda: not Path(f"/proc/{pid}").exists())
