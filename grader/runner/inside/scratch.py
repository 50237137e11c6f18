"""Emptying a folder that a hostile program has filled: any depth, any mode, any number.

`shutil.rmtree` recurses, so a folder of 1,000 levels ends it with a RecursionError, and it leaves what it may not read.
Standard library only: the worker imports it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
from collections.abc import Iterator

AT_ONCE = 32
"""So many files are removed while others wait; where there are more, somebody else is to do it."""


def emptied(folder: str) -> bool:
    """Empty a folder where that is quick; whether it is empty now."""
    try:
        with os.scandir(folder) as entries:
            found = list(itertools.islice(entries, AT_ONCE + 1))
        if len(found) > AT_ONCE:
            return False
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                os.rmdir(entry.path)
            else:
                os.unlink(entry.path)
    except OSError:
        return False
    return True


def empty(folder: str) -> None:
    """Empty a folder as far as this user may. What is in there must not change meanwhile; what cannot be removed stays.

    Folders in folders are moved up to the top before they are emptied, so no path is ever long.
    """
    names = (f"{folder}/.empty-{number}" for number in itertools.count())
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        with contextlib.suppress(OSError):
            os.chmod(place, 0o700)
            for entry in os.listdir(place):
                _take_away(f"{place}/{entry}", None if place == folder else names, waiting)
        if place != folder:
            with contextlib.suppress(OSError):
                os.rmdir(place)


def _take_away(path: str, names: Iterator[str] | None, waiting: list[str]) -> None:
    """Remove a file; have a folder emptied later, moved to one of these names where it is not at the top yet."""
    with contextlib.suppress(OSError):
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            os.unlink(path)
            return
        if names:
            os.chmod(path, 0o700)  # else it cannot be moved by one who is not root
            target = next(name for name in names if not os.path.lexists(name))
            os.rename(path, target)
            path = target
        waiting.append(path)
