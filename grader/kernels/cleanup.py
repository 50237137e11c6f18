"""Folders that a stranger's code wrote in: what is in them is looked through and removed, whatever it is.

Such code can take all rights from a folder, its own included, and nest thousands of them. Whoever walks through by
recursion, or by paths, is stopped there: nothing would be kept of what honest cells wrote, or something would stay.
Linux only.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from grader.runner.inside.scratch import empty

DEEPEST = 32
"""How far down files are looked for."""

LOOKED_AT = 100_000
"""How many files and folders are looked at."""

_ITSELF = os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC if hasattr(os, "O_PATH") else 0


@contextlib.contextmanager
def temporary(prefix: str) -> Iterator[Path]:
    """A folder that is removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder and all in it. What the system does not let go stays."""
    with contextlib.suppress(OSError):
        empty(str(folder))
        folder.rmdir()


def files(folder: Path) -> list[Path]:
    """The plain files in a folder that can be read, sorted; neither too deep nor too many. Folders are opened up."""
    found, left = [], LOOKED_AT
    waiting = [(str(folder), 0)]
    while waiting and left > 0:
        place, depth = waiting.pop()
        with contextlib.suppress(OSError):
            opened = _opened(place)
            try:
                with os.scandir(opened) as entries:
                    for entry in itertools.islice(entries, left):
                        left -= 1
                        path = os.path.join(place, entry.name)  # noqa: PTH118  (many)
                        if entry.is_dir(follow_symlinks=False):
                            waiting += [(path, depth + 1)] if depth < DEEPEST else []
                        elif entry.is_file(follow_symlinks=False) and os.access(path, os.R_OK):
                            found.append(Path(path))
            finally:
                os.close(opened)
    return sorted(found)


def _opened(name: str) -> int:
    """A descriptor of a folder, which is no link, with all rights of its owner. Raises OSError."""
    itself = os.open(name, _ITSELF)
    try:
        os.chmod(f"/proc/self/fd/{itself}", 0o700)  # noqa: PTH101  (by its name, it could be another one by now)
        return os.open(f"/proc/self/fd/{itself}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    finally:
        os.close(itself)
