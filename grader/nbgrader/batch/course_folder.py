"""An nbgrader course: its configuration, its folders, its gradebook."""

from __future__ import annotations

import contextlib
import glob
import json
import logging
import os
import shutil
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from grader.content import bank_files
from grader.errors import InputError
from grader.nbgrader import kernel_differences, manifest
from grader.nbgrader.batch import without_iris
from grader.nbgrader.batch.jobs import Files, GradedSubmission, GradingJob, Setup, read, take_over
from grader.nbgrader.batch.journal import digest_of
from grader.nbgrader.manifest import Manifest
from grader.runner import dask


class Course:
    """The course in a folder, for one assignment. It becomes the current folder, as configurations expect."""

    def __init__(self, folder: Path, assignment: str) -> None:
        """Raises InputError where nbgrader does not start here."""
        os.chdir(folder)
        without_iris()
        from nbgrader.apps import AutogradeApp

        self.assignment = assignment
        self.app: Any = AutogradeApp(log_level=logging.ERROR)  # where there is no configuration, all is well
        before = dict(os.environ)
        self.app.raise_config_file_errors = True  # else grades would be made as if there were no configuration
        try:
            self.app.initialize([])
        except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever the instructor's configuration raises)
            said = " ".join(str(error).split()) or type(error).__name__
            raise InputError(f"nbgrader does not start here: {said}", "fix nbgrader_config.py") from None
        self.variables = kernel_differences.set_since(before)
        if "variables" not in self.app.config.Execution:
            self.app.config.Execution.variables = self.variables  # they are not set where the configuration is sent
        self._directory = self.app.coursedir
        self.root = Path(self._directory.root)
        self.source = self.root / self._folder(self._directory.source_directory, ".")
        self.manifest: Manifest | None = manifest.read(self.source)
        self._ledger: Any = None

    def _folder(self, step: str, student: str) -> str:
        return str(self._directory.format_path(step, student, self.assignment))

    @property
    def ledger(self) -> Any:
        """The gradebook, opened when it is first needed: never before a process is forked."""
        if self._ledger is None:
            from grader.nbgrader.batch.gradebook_rows import Ledger

            url = str(self._directory.db_url)
            if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///").partition("?")[0]).exists():
                hint = f"go to the course, or run `nbgrader generate_assignment {self.assignment}` first"
                raise InputError(f"there is no gradebook here: {url}", hint)
            try:
                self._ledger = Ledger(url, self._directory.course_id)
            except Exception as error:  # noqa: BLE001  (SQLAlchemy's, a driver's, or that of a missing driver)
                said = "".join(str(error).strip().splitlines()[:1])
                hint = "see `nbgrader db --help`, and `db_url` in nbgrader_config.py"
                raise InputError(f"the gradebook cannot be opened: {said}", hint) from None
        return self._ledger

    def close(self) -> None:
        """Close the gradebook; it is opened again when it is needed."""
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def submissions(self) -> dict[str, Path]:
        """The folders that were handed in, by student."""
        before, after = self._folder(self._directory.submitted_directory, "*").split("*")
        places = glob.glob(f"{glob.escape(before)}*{glob.escape(after)}")  # noqa: PTH207  (a pattern with a root)
        found = sorted(path for path in places if Path(path).is_dir())
        excluded = set(filter(None, self._directory.student_id_exclude.split(",")))
        names = {path.removeprefix(before).removesuffix(after): Path(path) for path in found}
        return {name: path for name, path in names.items() if name not in excluded}

    def digest(self, setup: Setup) -> str:
        """Of all that grades depend on: the assignment, here and in the gradebook, items, configuration, programs."""
        files = [Path(name).read_text(errors="replace") for name in self.app.loaded_config_files]
        rows = {name: sorted(json.dumps(row, default=str) for row in found) for name, found in setup.rows.items()}
        text = json.dumps([dask.version(), version("nbgrader"), files, rows, self.variables], sort_keys=True)
        return digest_of(self.source, *([self.bank / "quizzes"] if self.manifest else []), more=text)

    def autograded(self, student: str) -> Path:
        """Where what was graded of a student lies."""
        return Path(self._folder(self._directory.autograded_directory, student))

    def warnings(self, setup: Setup) -> list[str]:
        """What is to be told before anything is graded: what cells will not find in kernels that are shut in."""
        from grader.nbgrader.execution import Execution, unsaid

        config = self.app.config
        if not setup.needs_kernels or not all(
            config.get(name, {}).get("confined", True) for name in ("Judge", "Execution")
        ):
            return []
        ours = {entry.grade_id for entry in self.manifest.items} if self.manifest else set()
        ours |= (
            {name for entry in self.manifest.items for name in (entry.answer, entry.question)}
            if self.manifest
            else set()
        )
        notebooks = {row["id"]: row["name"] for row in setup.rows["notebook"]}
        cells = [
            (f"{notebooks[row['notebook_id']]}/{row['name']}", row["source"] or "")
            for row in setup.rows["source_cell"]
            if row["locked"] and row["name"] not in ours
        ]
        variables, secrets = kernel_differences.given(config, Execution(config=config).variables or {})
        return unsaid(kernel_differences.foreseen(cells, variables, secrets, self.autograded("STUDENT")))

    def changes(self) -> list[str]:
        """What is to be told of items that are not as they were when the assignment was made."""
        if self.manifest is None:
            return []
        return manifest.changes(self.manifest, bank_files.recall(bank_files.files([self.bank])))

    def setup(self) -> Setup:
        """What all submissions are graded with. Raises InputError where there is no such assignment."""
        rows = self.ledger.assignment(self.assignment)
        if not rows["assignment"] or not rows["notebook"]:
            raise InputError(
                f"the gradebook has no assignment `{self.assignment}`",
                f"run `nbgrader generate_assignment {self.assignment}` first",
            )
        files = read(self.source, without=".ipynb") if self.source.is_dir() else {}
        return Setup(self.assignment, self.app.config, rows, files, self.manifest, self._bank())

    def _bank(self) -> Files | None:
        if self.manifest is None:
            return None
        about = self.bank / bank_files.ABOUT
        said = {about.name: about.read_bytes()} if about.is_file() else {}
        return said | {f"quizzes/{name}": content for name, content in read(self.bank / "quizzes").items()}

    @cached_property
    def bank(self) -> Path:
        """The folder of the bank that the items are from."""
        from grader.nbgrader.judge import bank_of

        given = self.app.config.get("Judge", {}).get("bank")
        asked = {entry.grade_id for entry in self.manifest.items} if self.manifest else ()
        return bank_of(asked, Path(given) if given else None, self.root)

    def job(self, student: str, folder: Path) -> GradingJob:
        return GradingJob(student, folder, self.ledger.submission(self.assignment, student))

    def save(self, student: str, outcome: GradedSubmission) -> None:
        """Put what came of a submission into its folder and the gradebook. Raises OSError, and what SQLAlchemy does.

        What could not be graded is left to a person there, as with nbgrader; a result of an earlier one is removed.
        """
        if outcome.autograded is not None:
            take_over(outcome.autograded, self.autograded(student))
            self.ledger.save(outcome.rows)
            return
        shutil.rmtree(self.autograded(student), ignore_errors=True)
        when = None
        with contextlib.suppress(Exception, SystemExit):  # the time may be what cannot be read
            when = self._directory.get_existing_timestamp(self._folder(self._directory.submitted_directory, student))
        create = bool(self.app.config.get("Autograde", {}).get("create_student", True))
        self.ledger.leave(self.assignment, student, when, create=create)
