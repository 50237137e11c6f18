"""The tools of the field, each doing the same work on a submission.

They also convert notebooks and write results; the ratios say what a learner or a class waits for, not how fast their
code is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .work import CHECK, PROGRAM


def cold_python(folder: Path) -> Callable[[], float]:
    (folder / "program.py").write_text(PROGRAM + CHECK)
    return lambda: _timed([sys.executable, "program.py"], folder)


def nbclient(folder: Path) -> Callable[[], float]:
    _notebook(folder / "submission.ipynb", [PROGRAM, CHECK])
    code = (
        "import nbformat, nbclient, time\nnotebook = nbformat.read('submission.ipynb', 4)\nstarted = time.perf_counter()\n"
        "nbclient.NotebookClient(notebook, timeout=100).execute()\nprint(time.perf_counter() - started)"
    )
    return lambda: float(_run([sys.executable, "-c", code], folder).split()[-1])


def nbgrader(folder: Path, students: int = 5) -> Callable[[], float]:
    """Seconds a submission, of an `autograde` over five students."""
    cells = [
        (PROGRAM, {"grade": False, "solution": True, "locked": False, "grade_id": "work"}),
        (CHECK, {"grade": True, "solution": False, "locked": True, "grade_id": "check", "points": 1}),
    ]
    (folder / "source/ps1").mkdir(parents=True)
    _notebook(folder / "source/ps1/p.ipynb", cells)
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'course'\n")
    nbgrader = [sys.executable, "-m", "nbgrader"]
    _run([*nbgrader, "generate_assignment", "ps1"], folder)
    for student in range(students):
        (folder / f"submitted/s{student}/ps1").mkdir(parents=True)
        _notebook(folder / f"submitted/s{student}/ps1/p.ipynb", cells)
    return lambda: _timed([*nbgrader, "autograde", "ps1", "--force"], folder) / students


def otter(folder: Path) -> Callable[[], float]:
    (folder / "tests").mkdir()
    case = ">>> abs(rates[2] - 0.06) < 1e-9\nTrue"
    suite = {
        "cases": [{"code": case, "hidden": False, "locked": False}],
        "scored": True,
        "setup": "",
        "teardown": "",
        "type": "doctest",
    }
    test = {"name": "q1", "points": 1, "suites": [suite]}
    (folder / "tests/q1.py").write_text(f"OK_FORMAT = True\ntest = {test!r}\n")
    _notebook(folder / "submission.ipynb", [PROGRAM])
    tool = [str(Path(sys.executable).parent / "otter")]
    _run([*tool, "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment", "--no-requirements"], folder)
    return lambda: _timed([*tool, "run", "-a", "autograder.zip", "--no-logo", "submission.ipynb"], folder)


PEERS = {
    "cold `python`": (None, cold_python),
    "nbclient": ("nbclient", nbclient),
    "`nbgrader autograde`": ("nbgrader", nbgrader),
    "`otter run`": ("otter-grader", otter),
}


def _notebook(path: Path, cells: list[Any]) -> None:
    import nbformat

    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    for cell in cells:
        source, metadata = cell if isinstance(cell, tuple) else (cell, None)
        entry = nbformat.v4.new_code_cell(source)
        if metadata:
            entry.metadata["nbgrader"] = {"schema_version": 3, "task": False, "cell_type": "code", **metadata}
        notebook.cells.append(entry)
    nbformat.write(notebook, path)


def _run(command: list[str], folder: Path) -> str:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HOME": str(folder), "PYTHONWARNINGS": "ignore"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"  # nbgrader calls alembic by its name
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def _timed(command: list[str], folder: Path) -> float:
    started = time.perf_counter()
    _run(command, folder)
    return time.perf_counter() - started
