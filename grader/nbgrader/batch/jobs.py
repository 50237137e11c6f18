"""What is sent to who grades, and what comes back. All of it is data: whoever grades needs no file of the course."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.nbgrader.manifest import Manifest

Rows = dict[str, list[dict[str, Any]]]
Files = dict[str, bytes]
"""Files of a folder by their paths in it."""

WITH_OUTPUTS = 1 << 20
"""Bytes of a notebook from which on its outputs are dropped before anything else; nobody needs them, and there may be
gigabytes."""


@dataclass(frozen=True)
class Setup:
    """What all submissions of an assignment are graded with."""

    assignment: str
    config: Any
    """nbgrader's, as traitlets have it."""
    rows: Rows
    """The assignment in the gradebook, see `gradebook_rows`."""
    files: Files
    """Those of the source folder, without notebooks: what nbgrader gives to each submission."""
    manifest: Manifest | None = None
    """Which of its cells are items of a bank, where there are any."""
    bank: Files | None = None
    """The quiz files that these are from."""

    @property
    def needs_kernels(self) -> bool:
        """Whether there are graded cells that are no items, and have to be run in a kernel."""
        graded = {row["id"] for table in ("grade_cells", "task_cells") for row in self.rows[table]}
        ours = {entry.grade_id for entry in self.manifest.items} if self.manifest else set()
        return not {row["name"] for row in self.rows["base_cell"] if row["id"] in graded} <= ours


@dataclass(frozen=True)
class GradingJob:
    """One submission."""

    student: str
    submitted: Path | Files
    """A folder, where it can be reached from where it is graded."""
    rows: Rows
    """What is in the gradebook of it, see `gradebook_rows`."""

    def packed(self) -> GradingJob:
        """The same without any path. Raises OSError."""
        if isinstance(self.submitted, Path):
            return GradingJob(self.student, read(self.submitted, links=False), self.rows)
        return self


@dataclass(frozen=True)
class GradedSubmission:
    """What came of it."""

    report: dict[str, Any]
    rows: Rows
    autograded: Path | Files | None = None
    """The folder with the graded notebooks; a path that is to be moved away, where both sides can reach it."""


def failed(job: GradingJob, why: str) -> GradedSubmission:
    """The outcome of a submission that was not graded."""
    return GradedSubmission({"state": "failed", "failure": why, "remarks": [], "seconds": 0.0}, job.rows)


def read(folder: Path, without: str = "", links: bool = True) -> Files:
    """All files of a folder; notebooks that are very large without their outputs. Raises OSError.

    Links are followed to files only, and not at all where `links` is false: students may not name files of others.
    """
    return {
        str(path.relative_to(folder)): slim(path) if path.suffix == ".ipynb" else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and (links or not path.is_symlink()) and not (without and path.name.endswith(without))
    }


def slim(path: Path) -> bytes:
    """A notebook's file, without the outputs of its cells where it is very large."""
    if path.stat().st_size <= WITH_OUTPUTS:
        return path.read_bytes()
    try:
        notebook = json.loads(path.read_bytes())
        for cell in notebook["cells"]:
            if "outputs" in cell:
                cell["outputs"] = []
    except (ValueError, TypeError, KeyError, RecursionError):
        return path.read_bytes()  # what is wrong with it is told when it is converted
    return json.dumps(notebook).encode(errors="surrogatepass")


def lay_out(files: Path | Files, folder: Path) -> None:
    """Make a folder of these files. Raises OSError."""
    if isinstance(files, Path):
        files = read(files, links=False)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if content.startswith(b"#!"):  # modes are not sent about, and cells may start programs
            path.chmod(path.stat().st_mode | 0o111)


def take_over(outcome: Path | Files, folder: Path) -> None:
    """Put what was graded where it belongs, in place of what is there. Raises OSError."""
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(outcome, Path):
        shutil.move(outcome, fresh)
    else:
        lay_out(outcome, fresh)
    if folder.exists():
        shutil.rmtree(folder)
    fresh.replace(folder)
