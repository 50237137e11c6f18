"""Modes and times of a program's own files: said to be set, and not set. The worker's side, standard library only.

A program may not change them at all, since Landlock does not cover that and seccomp cannot tell whose file it is. The
standard library asks for it, though, when it copies or unpacks a file, and would end honest programs with the refusal.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any


def pretend() -> None:
    """Have `os.chmod` and its like take a refusal for success where the file is in the program's own folder."""
    for name in ("chmod", "fchmod", "utime"):
        setattr(os, name, _pretending(getattr(os, name)))


def _pretending(real: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(real)
    def change(path: Any, *args: Any, **kwargs: Any) -> None:
        try:
            real(path, *args, **kwargs)
        except PermissionError:
            if not (isinstance(path, int) or _own(path)):
                raise

    return change


def _own(path: Any) -> bool:
    """Whether a path leads into the folder that was this program's from the start, and to something that is there."""
    found = os.path.realpath(os.fsdecode(path))
    return found.startswith(os.environ.get("HOME", "") + "/") and os.path.lexists(found)
