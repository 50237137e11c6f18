"""Several server processes on one socket: forked before anything is loaded, replaced when one dies, ended together."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable

from grader.errors import GraderError

SOON = 5.0
"""Seconds; a process that lives no longer than this, so many times in a row, is not begun again."""

MOST_IN_A_ROW = 5


def several(count: int, run: Callable[[], None]) -> None:
    """Run in `count` processes until this one is told to end. Raises GraderError where they do not stay alive."""
    reading, writing = os.pipe()
    begun: dict[int, float] = {}
    failed = 0
    ending = threading.Event()

    def end(*_: object) -> None:
        if not ending.is_set():
            ending.set()
            os.close(writing)  # whoever reads it ends

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, end)
    while not ending.is_set():
        while len(begun) < count and not ending.is_set():
            begun[_begin(run, reading, writing)] = time.monotonic()
        with contextlib.suppress(ChildProcessError):
            pid, _ = os.wait()
            lived = time.monotonic() - begun.pop(pid, 0.0)
            failed = 0 if lived > SOON else failed + 1
        if failed >= MOST_IN_A_ROW:
            end()
            _all_gone(begun)
            raise GraderError("the processes of the page end as soon as they begin", "what they said stands above")
    _all_gone(begun)


def _all_gone(begun: dict[int, float]) -> None:
    for pid in begun:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _begin(run: Callable[[], None], reading: int, writing: int) -> int:
    """A process that ends when nobody holds the other end of the pipe any more, however that came about."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.close(writing)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal; this process hears of it by the pipe
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        threading.Thread(target=_end_with, args=(reading,), name="grader-parent", daemon=True).start()
        run()
        code = 0
    except KeyboardInterrupt:
        code = 0  # it was told to end before it served
    except BaseException:  # noqa: BLE001  (a forked process must not go on in its parent's code)
        traceback.print_exc(file=sys.stderr)
    finally:
        os._exit(code)


def _end_with(reading: int) -> None:
    os.read(reading, 1)
    os.kill(os.getpid(), signal.SIGTERM)
