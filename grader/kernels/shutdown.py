"""The end of a kernel, without taking apart what it shares with the forkserver.

Python ends by taking every module apart. In a fork that means to copy some hundred megabytes first, page by page: a
third of a second. Here all comes that is promised (threads are waited for, exit handlers run, what the user made is
dropped, files are flushed, libraries that the user loaded take their leave), and the forkserver's modules stay as they
are.
"""

from __future__ import annotations

import ctypes
import gc
import io
import sys
import weakref
from _io import _IOBase
from pathlib import Path


class State:
    """Whether this process may end in the short way, and the shared libraries that it came with."""

    short = False
    libraries: frozenset[str] = frozenset()


def prepare() -> None:
    """In the forkserver: note what need not be undone at a kernel's end."""
    State.libraries = libraries()
    for finalizer in list(getattr(weakref.finalize, "_registry", ())):
        finalizer.atexit = False  # torch's, for its own tables in this process


def leave() -> None:
    """The last of all exit handlers, since it is registered before any other."""
    if not State.short:
        return
    gc.collect()
    for thing in gc.get_objects():  # what was there before the fork is not among them
        if issubclass(type(thing), _IOBase):
            flush(thing)
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            flush(stream)
    system = ctypes.PyDLL(None)  # it holds Python's lock: no thread goes on meanwhile
    if libraries() <= State.libraries:
        system.fflush(None)
        system._exit(0)  # noqa: SLF001  (that is its name in C)
    system.exit(0)


def flush(file: io.IOBase | io.TextIOBase) -> None:
    """Write what is buffered, wherever that is still possible."""
    try:
        if not file.closed:
            file.flush()
    except Exception:  # noqa: BLE001, S110  (a file of the user's own kind may do anything, and nobody listens any more)
        pass


def libraries() -> frozenset[str]:
    """The shared libraries in this process."""
    with Path("/proc/self/maps").open(encoding="utf-8", errors="replace") as lines:
        return frozenset(line.split(maxsplit=5)[5].strip() for line in lines if ".so" in line)
