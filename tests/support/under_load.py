"""Runs the tests that wait or look at a clock beside processes that keep the machine busy: `make tests-under-load`.

    python tests/support/under_load.py [--busy N] [ARGUMENT OF PYTEST ...]

The busy processes (four unless said otherwise) end with this one, however it ends.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from types import FrameType

BUSY = 4

LOOP = """
import os, sys
while os.getppid() == int(sys.argv[1]):
    sum(range(1_000_000))
"""
"""Busy as long as its parent is there: also one that is killed leaves nothing behind."""


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep `count` processes busy."""
    command = [sys.executable, "-S", "-c", LOOP, str(os.getpid())]
    loops = [subprocess.Popen(command, start_new_session=True) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
        for loop in loops:
            loop.wait()


def _ended(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--busy", type=int, default=BUSY)
    ours, theirs = parser.parse_known_args()
    signal.signal(signal.SIGTERM, _ended)
    started = time.monotonic()
    with busy(ours.busy):
        tests = subprocess.Popen([sys.executable, "-m", "pytest", "-m", "waits", *theirs])
        try:
            code = tests.wait()
        except KeyboardInterrupt:
            code = tests.wait()  # the terminal has interrupted it as well, and it says how far it came
        finally:
            if tests.poll() is None:
                tests.terminate()
                tests.wait()
    print(f"{time.monotonic() - started:.0f} s beside {ours.busy} busy processes")
    return code


if __name__ == "__main__":
    sys.exit(main())
