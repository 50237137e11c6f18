"""A process that grades: it has imported nbgrader, and answers a line of JSON for each line.

`python -m grader.autograding.worker COURSE ASSIGNMENT`. The conversion is nbgrader's own, with the course's own
configuration, so what ends up in the gradebook is what `nbgrader autograde` would put there.
"""

from __future__ import annotations

import glob
import json
import logging
import os
import re
import sys
import time
import traceback
from pathlib import Path
from typing import Any

TRIES = 3
"""How often a submission is tried while the gradebook is locked by somebody else."""

PATIENCE = 60
"""Seconds that SQLite waits for another writer."""


BEFORE_A_TRACEBACK = ("Traceback", "There was an error processing assignment", "Please see the")
"""How messages begin that say no more than the failure does."""


class Remarks(logging.Handler):
    """Keeps what nbgrader warns of while it grades one submission."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


class Worker:
    """nbgrader, configured as in the course."""

    def __init__(self, course: Path, assignment: str) -> None:
        from nbgrader.apps import AutogradeApp

        from grader.course import configure as course_steps
        from grader.course import manifest

        os.chdir(course)
        self.app: Any = AutogradeApp()
        self.app.raise_config_file_errors = True  # else grades would be made as if there were no configuration
        self.app.initialize([])
        self.assignment = assignment
        directory = self.app.coursedir
        directory.assignment_id = assignment
        source = Path(directory.format_path(directory.source_directory, ".", assignment))
        if (source / manifest.NAME).exists():
            course_steps(self.app.config)  # also where nbgrader_config.py does not say so
        self.app.config.Judge.alone = False
        url = self.app.coursedir.db_url
        if url.startswith("sqlite:///") and "?" not in url:
            self.app.coursedir.db_url = f"{url}?timeout={PATIENCE}"
        self.remarks = Remarks()
        self.app.log.handlers = [self.remarks]
        self.app.log.propagate = False

    def look(self) -> dict[str, Any]:
        """Where everything is, and who has handed in."""
        from nbgrader.api import Gradebook, MissingEntry

        directory = self.app.coursedir
        root = Path(directory.root)
        with Gradebook(directory.db_url, directory.course_id) as gradebook:
            try:
                names = [notebook.name for notebook in gradebook.find_assignment(self.assignment).notebooks]
            except MissingEntry:
                names = []
        pattern = directory.format_path(directory.submitted_directory, "*", self.assignment)
        before, after = str(root / pattern).split("*")
        places = glob.glob(f"{glob.escape(before)}*{glob.escape(after)}")  # noqa: PTH207  (a pattern with a root)
        found = sorted(path for path in places if Path(path).is_dir())
        excluded = directory.student_id_exclude.split(",") if directory.student_id_exclude else []
        submissions = {path.removeprefix(before).removesuffix(after): path for path in found}
        return {
            "root": str(root),
            "source": str(root / directory.format_path(directory.source_directory, ".", self.assignment)),
            "autograded": str(root / directory.format_path(directory.autograded_directory, "*", self.assignment)),
            "notebooks": names,
            "submissions": {name: path for name, path in submissions.items() if name not in excluded},
        }

    def grade(self, student: str) -> dict[str, Any]:
        """Convert one submission, as if for the first time, and say what is in the gradebook then."""
        started = time.monotonic()
        self.remarks.said = []
        failure = ""
        for attempt in range(TRIES):
            try:
                self._convert(student)
                failure = ""
            except Exception as error:  # noqa: BLE001  (one submission must not stop the others)
                failure = f"{type(error).__name__}: {error}"
            if not any("database is locked" in said for said in self.remarks.said):
                break
            time.sleep(attempt + 1)
        told = [text for text in self.remarks.said if not text.startswith(BEFORE_A_TRACEBACK)]
        said = list(dict.fromkeys(_brief(text) for text in told))
        report = {"seconds": round(time.monotonic() - started, 3), "remarks": said}
        if failure:
            reasons = [text for text in self.remarks.said if text.startswith("Traceback")]
            return report | {"state": "failed", "failure": _brief(reasons[0] if reasons else failure)}
        return report | {"state": "graded", **self._scores(student)}

    def _convert(self, student: str) -> None:
        """What `nbgrader autograde --force --student` does, for a student whose name may have any characters."""
        from nbgrader.converters import Autograde

        directory = self.app.coursedir
        directory.student_id = student
        folder = Path(directory.format_path(directory.submitted_directory, student, self.assignment))
        notebooks = sorted(map(str, folder.glob("*.ipynb")))

        class One(Autograde):  # type: ignore[misc]  # it is untyped
            def init_notebooks(self) -> None:
                self.assignments = {str(folder): notebooks} if notebooks else {}
                self.notebooks: list[str] = []

        converter = One(coursedir=directory, parent=self.app)
        converter.force = True
        if not notebooks:
            raise FileNotFoundError(f"{folder} has no notebook")
        converter.start()

    def _scores(self, student: str) -> dict[str, Any]:
        from nbgrader.api import Gradebook

        with Gradebook(self.app.coursedir.db_url, self.app.coursedir.course_id) as gradebook:
            submission = gradebook.find_submission(self.assignment, student)
            cells = {
                f"{notebook.name}/{grade.name}": [grade.auto_score, grade.max_score]
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            return {
                "score": submission.score,
                "max_score": submission.max_score,
                "needs_manual_grade": submission.needs_manual_grade,
                "cells": cells,
            }


def _brief(text: str) -> str:
    """The exception of a traceback, else the first line of a text."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if lines and lines[0].startswith("Traceback"):
        lines = [line for line in lines if re.match(r"[\w.]+(: |$)", line)][-1:] or lines[-1:]
    return lines[0][:300] if lines else ""


def main(course: str, assignment: str) -> None:
    """Answer until the input ends."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the conversion prints does not get among the answers
    worker = Worker(Path(course), assignment)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = worker.look() if request["do"] == "look" else worker.grade(request["student"])
        except Exception as error:  # noqa: BLE001  (told to the crew, which goes on)
            if os.environ.get("GRADER_DEBUG"):
                traceback.print_exc()
            answer = {"state": "failed", "failure": _brief(f"{type(error).__name__}: {error}"), "remarks": []}
        out.write(json.dumps(answer) + "\n")
        out.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
