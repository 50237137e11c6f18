"""Whether what a process has imported is still what is installed."""

from __future__ import annotations

import os
import site
import sys
from dataclasses import dataclass

Mark = tuple[int, int, int]
NOWHERE: Mark = (0, 0, 0)


@dataclass(frozen=True)
class Fingerprint:
    """The files of the modules that were imported, and the folders that packages are installed into, as they were.

    A process that was forked would miss what was installed since (a path file, a finder), and would mix modules of two
    versions where it imports more. So any change counts.
    """

    marks: dict[str, Mark]

    @classmethod
    def now(cls) -> Fingerprint:
        return cls({path: mark(path) for path in watched_paths()})

    def changed(self) -> bool:
        """Takes about a millisecond: a few hundred calls of `stat`."""
        return any(mark(path) != known for path, known in self.marks.items())


def watched_paths() -> set[str]:
    """Each top-level module, all of ours, and each folder of packages."""
    paths = {
        module.__file__
        for name, module in list(sys.modules.items())
        if ("." not in name or name.startswith("grader.")) and getattr(module, "__file__", None)
    }
    paths |= {entry for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))}
    if site.ENABLE_USER_SITE:
        paths.add(site.getusersitepackages())
    return {path for path in paths if path}


def mark(path: str) -> Mark:
    """What changes where a file is replaced or written, or a folder gets or loses an entry."""
    try:
        found = os.stat(path)  # noqa: PTH116  (some hundred of them, at each order)
    except OSError:
        return NOWHERE
    return found.st_ino, found.st_mtime_ns, found.st_size
