"""What was graded, line by line in a file of the course. Where the last line says "begun", the work was cut off."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import InputError
from grader.nbgrader import json_data

FOLDER = ".grader"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """The last that is known of one student's submission."""

    state: str
    """`begun`, `graded` or `failed`."""
    digest: str
    """Of the submission and all that its grade depends on."""
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Line:
    """An entry as it is written, with whose it is."""

    student: str
    state: str
    digest: str
    report: dict[str, Any] | None = None


class Journal:
    """The journal of one assignment of a course. One process at a time may hold it."""

    def __init__(self, course: Path, assignment: str) -> None:
        self.path = course / FOLDER / f"{assignment}.jsonl"
        self.entries: dict[str, JournalEntry] = {}
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError):  # the last line may be cut off
                    written = json_data.read(_Line, json.loads(line))
                    self.entries[written.student] = JournalEntry(written.state, written.digest, written.report or {})

    def write(self, student: str, entry: JournalEntry) -> None:
        """Put an entry on disk before anything else happens."""
        self.entries[student] = entry
        line = json.dumps({"student": student, "state": entry.state, "digest": entry.digest, "report": entry.report})
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"\n{line}" if self._cut_off() else line)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())

    def _cut_off(self) -> bool:
        """Whether the last line has no end: the process that wrote it was killed."""
        if not self.path.exists() or not self.path.stat().st_size:
            return False
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep others from grading in this course. Raises InputError where another one does."""
        self.path.parent.mkdir(exist_ok=True)
        with (self.path.parent / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.seek(0)
                who = lock.read().strip()
                raise InputError(
                    f"another `grader autograde` is at work in this course (process {who})", "wait until it is done"
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    @contextlib.contextmanager
    def workshop(self) -> Iterator[Path]:
        """A folder beside the journal for what is not done yet: on the disk of the course, and empty at first."""
        folder = self.path.parent / "unfinished"
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def digest_of(*folders: Path, more: str = "") -> str:
    """A digest of all files in some folders, by their paths and bytes, and of a text. Folders may be missing."""
    found = hashlib.sha256(more.encode())
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
            if path.is_file():
                found.update(f"\0{path.relative_to(folder)}\0".encode(errors="surrogateescape"))
                with path.open("rb") as file:
                    while chunk := file.read(1 << 20):
                        found.update(chunk)
    return found.hexdigest()[:32]
