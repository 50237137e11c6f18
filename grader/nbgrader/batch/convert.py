"""One submission through nbgrader's own conversion, with the course's own configuration.

It has a folder and a gradebook that hold nothing else, and runs in a process of its own, see `workers`.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import stat
import time
from pathlib import Path
from typing import Any

import jsonschema
from nbgrader.api import Gradebook
from nbgrader.apps import AutogradeApp
from nbgrader.coursedir import CourseDirectory

from grader.nbgrader.batch.gradebook_rows import ScratchGradebook
from grader.nbgrader.batch.jobs import GradedSubmission, GradingJob, Setup, lay_out
from grader.nbgrader.preprocessors import configure
from grader.nbgrader.private_names import OneSubmission

BEFORE_A_TRACEBACK = ("Traceback", "There was an error processing assignment", "Please see the", "Removing ")
"""How messages begin that say no more than the failure does, or nothing that anybody has to know."""


class Remarks(logging.Handler):
    """Keeps what nbgrader warns of while it grades one submission."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


class NoNotebookError(Exception):
    """What was handed in is no notebook; the message says why."""


def must_be_notebook(path: Path) -> None:
    """Raise NoNotebookError where a file is no notebook at all; write it anew as nbformat reads it, plain UTF-8."""
    try:
        content = path.read_bytes()
        found = json.loads(content)
    except json.JSONDecodeError as error:
        why = f"it is not JSON (line {error.lineno})" if path.stat().st_size else "it is empty"
        raise NoNotebookError(f"{path.name} is not a notebook: {why}") from None
    except (UnicodeDecodeError, RecursionError, OSError):
        raise NoNotebookError(f"{path.name} is not a notebook: it is not text") from None
    if not isinstance(found, dict) or not ({"cells", "worksheets"} & set(found)):
        raise NoNotebookError(f"{path.name} is not a notebook: it has no cells")
    if (encoding := json.detect_encoding(content)) != "utf-8":  # also where there is a byte-order mark
        path.write_text(content.decode(encoding, "surrogatepass"), encoding="utf-8", errors="surrogatepass")


class Converter:
    """nbgrader, configured as in the course, in a folder of its own that may be removed after it."""

    def __init__(self, setup: Setup, folder: Path, results: Path) -> None:
        """`results` is where graded submissions are left, each in a folder of its own."""
        self.assignment = setup.assignment
        self.folder, self.results = folder, results
        self.app: Any = AutogradeApp()
        self.app.config = setup.config.copy()
        configure(self.app.config)
        here = self.app.config.CourseDirectory
        for name in [name for name in here if name.endswith("_directory") or name in ("root", "directory_structure")]:
            del here[name]
        here.root, here.db_url, here.assignment_id = str(folder), "sqlite://", setup.assignment
        self.directory = self.app.coursedir = CourseDirectory(parent=self.app)
        self.app.config.Exporter.optimistic_validation = True  # of a notebook, once it is done, not after each step
        self.slip = ScratchGradebook(setup.rows)
        self.names = {str(row["name"]) for row in setup.rows["notebook"]}
        self.slip.be_the_gradebook()
        _trust_schemas()
        self.remarks = Remarks()
        self.app.log = logging.getLogger("grader.nbgrader.batch.nbgrader")
        self.app.log.handlers = [self.remarks]
        self.app.log.propagate = False
        lay_out(setup.files, folder / "source" / setup.assignment)

    def grade(self, job: GradingJob) -> GradedSubmission:
        """Convert one submission, as if for the first time."""
        started = time.monotonic()
        self.remarks.said = []
        submitted = self.folder / "submitted" / job.student / self.assignment
        autograded = self.folder / "autograded" / job.student / self.assignment
        failure = ""
        try:
            self.slip.begin(job.rows)
            lay_out(job.submitted, submitted)
            self._convert(job.student, submitted)
        except NoNotebookError as error:
            failure = str(error)
        except Exception as error:  # noqa: BLE001  (one submission must not stop the others)
            failure = f"{type(error).__name__}: {error}"
        told = [text for text in self.remarks.said if not text.startswith(BEFORE_A_TRACEBACK)]
        said = list(dict.fromkeys(brief(text).replace(f"{self.folder}/", "") for text in told))
        report: dict[str, Any] = {"state": "failed" if failure else "graded", "remarks": said}
        kept = None
        if failure:
            reasons = [text for text in self.remarks.said if text.startswith("Traceback")]
            report["failure"] = brief(reasons[0] if reasons else failure).replace(f"{self.folder}/", "")
        else:
            report |= self._scores(job.student)
            kept = self.results / f"{time.monotonic_ns()}"
            autograded.rename(kept)
        shutil.rmtree(self.folder / "submitted", ignore_errors=True)
        shutil.rmtree(self.folder / "autograded", ignore_errors=True)
        report["seconds"] = round(time.monotonic() - started, 3)
        return GradedSubmission(report, self.slip.rows(), kept)

    def _convert(self, student: str, folder: Path) -> None:
        """What `nbgrader autograde --force --student` does, for a student whose name may have any characters."""
        notebooks = sorted(str(path) for path in folder.glob("*.ipynb") if stat.S_ISREG(path.lstat().st_mode))
        if not notebooks:
            raise NoNotebookError("there is no notebook in what was handed in")
        self._must_be_known([Path(name).stem for name in notebooks])
        for name in notebooks:
            must_be_notebook(Path(name))

        self.directory.student_id = student
        converter = OneSubmission(coursedir=self.directory, parent=self.app)
        converter.handed_in = {str(folder): notebooks}
        converter.force = True
        converter.start()

    def _must_be_known(self, found: list[str]) -> None:
        """Raise NoNotebookError where no notebook has a name that it should have; say so where only some have."""
        missing = ", ".join(f"{name}.ipynb" for name in sorted(self.names - set(found)))
        others = ", ".join(f"{name}.ipynb" for name in sorted(set(found) - self.names))
        if not self.names & set(found):
            raise NoNotebookError(
                f"{missing} is not there, but {others}: rename it, if it is the same, and grade again"
            )
        if missing and others:
            self.app.log.warning("%s is not there, but %s, which was not graded: was it renamed?", missing, others)

    def _scores(self, student: str) -> dict[str, Any]:
        with Gradebook(self.directory.db_url) as gradebook:
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


def _trust_schemas() -> None:
    """Let jsonschema check a schema once in this process, not each time something is validated by it.

    nbgrader validates each cell by itself, twice, with one schema; to check that takes longer than all else it does.
    """
    known: list[Any] = []

    def validate(instance: object, schema: dict[str, Any], *_: object, **__: object) -> None:
        validator = next((one for one in known if one.schema == schema), None)
        if validator is None:
            kind = jsonschema.validators.validator_for(schema)
            kind.check_schema(schema)
            validator = kind(schema)
            known.append(validator)
        if (error := jsonschema.exceptions.best_match(validator.iter_errors(instance))) is not None:
            raise error

    jsonschema.validate = validate


def brief(text: str) -> str:
    """The exception of a traceback, else the first line of a text."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if lines and lines[0].startswith("Traceback"):
        lines = [line for line in lines if re.match(r"[\w.]+(: |$)", line)][-1:] or lines[-1:]
    return lines[0][:300] if lines else ""
