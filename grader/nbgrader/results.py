"""What became of the answers of a course: points from its gradebook, and of our items what `Judge` found.

That stands in the metadata of the graded cells of the autograded notebooks, where `Remark` puts it: beside each grade,
on the instructor's side only, without a file that all submissions would share. `Mend` takes away what a submission
claims there; only what has the shape that `told` gives it is read back, and never points.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import sys
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from grader.errors import InputError, did_you_mean
from grader.learning.record_rows import places_of
from grader.model import Mistake, Outcome, Result
from grader.nbgrader import cell_values, json_data

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

LONGEST = 200
"""Characters of an answer that are kept beside its grade."""

NOT_THERE = "not handed in"


@dataclass(frozen=True, slots=True)
class Told:
    """What the judge found of an answer to one of our items."""

    __pydantic_config__: ClassVar[dict[str, str]] = json_data.CLOSED

    item: str
    topic: str
    kind: str
    level: str
    skill: str
    variant: int
    outcome: str
    mistake: str = ""
    family: str = ""
    """The misunderstanding that the mistake comes from; the mistake itself where it is alone."""
    says: str = ""
    """The mistake in a sentence."""
    response: str = ""
    """As it would be typed; empty where there was none."""
    choice: str = ""
    """The places of the options that were picked, as written, as a JSON list; empty where none was, or in notebooks of
    an earlier version."""


@dataclass(frozen=True, slots=True)
class Row:
    """A graded cell of a student."""

    assignment: str
    notebook: str
    student: str
    cell: str
    points: float | None
    """None where it is still left to a person; 0 where nothing was handed in."""
    most: float
    manual: bool
    """Whether a person has to look at it."""
    there: bool = True
    """Whether something was handed in."""
    told: Told | None = None


def told(result: Result, mistake: Mistake | None, name: str | None = None) -> dict[str, Any]:
    """What is kept of a judged answer, as JSON data; `name` is the id by which it was asked, else that of today."""
    item, score = result.item, result.score
    family = (mistake.family if mistake else "") or score.mistake or ""
    return asdict(
        Told(
            name or item.id, item.topic, item.kind, item.level, item.skill, result.variant.index, score.outcome.value,
            score.mistake or "", family, mistake.says if mistake else "", (result.response or "")[:LONGEST],
            json.dumps(result.choice) if result.choice else "",
        )
    )  # fmt: skip


def read(data: object) -> Told | None:
    """The same, read back; None where it has another shape."""
    try:
        found = json_data.read(Told, data)
    except (ValueError, TypeError):  # a TypeError: it is no JSON at all
        return None
    whole = isinstance(data, dict) and {field.name for field in fields(Told)} - set(data) <= {"choice"}
    try:
        places_of(found.choice or "[]")
    except ValueError:
        return None
    return found if whole and found.outcome in set(Outcome) else None


@dataclass(frozen=True, slots=True)
class AnsweredCell:
    """An answer as `grader.learning.item_statistics` takes it."""

    item: str
    kind: str
    learner: str
    points: float | None
    response: str | None
    mistake: str | None
    choice: str | None = None
    seconds: None = None


def answered(rows: Iterable[Row]) -> Iterator[AnsweredCell]:
    """What was handed in, each graded cell as an item; those that are not ours by the path to them."""
    for row in rows:
        if not row.there or not row.most:
            continue
        share = None if row.points is None else row.points / row.most
        if row.told:
            about = (row.told.item, row.told.kind, row.student, share, row.told.response or None)
            yield AnsweredCell(*about, row.told.mistake or None, row.told.choice or None)
        else:
            path = f"{row.assignment}/{row.notebook}/{row.cell}"
            yield AnsweredCell(path, "graded cell", row.student, share, f"{row.points} points", None)


# ---------------------------------------------------------------- a course


@dataclass(frozen=True, slots=True)
class CourseResults:
    """A gradebook, and where the autograded notebooks of its students are."""

    session: Session
    place: Callable[[str, str], Path]
    """The folder of a student's autograded assignment."""

    def rows(
        self, assignments: Collection[str], students: Collection[str], warn: Callable[[str], object]
    ) -> Iterator[Row]:
        """All graded cells of the students, by assignment, student, notebook and place; no names are all of them.

        Raises InputError for a name that the gradebook does not have. Notebooks that cannot be read are warned of.
        """
        from nbgrader.api import Assignment, Student
        from sqlalchemy import select

        known = sorted(self.session.scalars(select(Assignment)), key=lambda entry: str(entry.name))
        ids = sorted(self.session.scalars(select(Student.id)))
        _must_be_there("assignment", assignments, [str(entry.name) for entry in known])
        _must_be_there("student", students, ids)
        for assignment in known:
            if assignments and assignment.name not in assignments:
                continue
            grades = self._grades(assignment.id)
            for student in ids:
                if not students or student in students:
                    yield from self._of(assignment, student, grades, warn)

    def _grades(self, assignment: str) -> dict[tuple[str, str], Any]:
        """The grades of an assignment, by student and cell."""
        from nbgrader.api import Grade, SubmittedAssignment, SubmittedNotebook
        from sqlalchemy import select

        columns = (Grade.cell_id, Grade.auto_score, Grade.manual_score, Grade.score, Grade.needs_manual_grade)
        asked = (
            select(SubmittedAssignment.student_id, *columns)
            .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
            .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .where(SubmittedAssignment.assignment_id == assignment)
        )
        return {(row.student_id, row.cell_id): row for row in self.session.execute(asked)}

    def _of(
        self, assignment: Any, student: str, grades: dict[tuple[str, str], Any], warn: Callable[[str], object]
    ) -> Iterator[Row]:
        for notebook in assignment.notebooks:
            cells = [*notebook.grade_cells, *notebook.task_cells]
            order = {cell.name: place for place, cell in enumerate(notebook.source_cells)}
            cells.sort(key=lambda cell: order.get(cell.name, len(order)))
            there = any((student, cell.id) in grades for cell in cells)
            path = self.place(student, assignment.name) / f"{notebook.name}.ipynb"
            found = _told_in(path, warn) if there else {}
            for cell in cells:
                grade = grades.get((student, cell.id))
                about = (assignment.name, notebook.name, student, cell.name)
                if grade is None:
                    yield Row(*about, 0.0, cell.max_score, manual=False, there=False)
                    continue
                open_ = grade.auto_score is None and grade.manual_score is None
                points = None if open_ else float(grade.score)
                yield Row(*about, points, cell.max_score, grade.needs_manual_grade, told=found.get(cell.name))


def _told_in(path: Path, warn: Callable[[str], object]) -> dict[str, Told]:
    """What the judge found, by the cells of an autograded notebook."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        marked = [(cell["metadata"].get("nbgrader") or {}, cell["metadata"].get("torch_grader")) for cell in cells]
        found = {str(marks["grade_id"]): read(data) for marks, data in marked if marks.get("grade") and data}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not a notebook"
        warn(f"{path}: what was found of its answers is not told: {why}")
        return {}
    return {name: one for name, one in found.items() if one is not None and cell_values.grade_id(one.item) == name}


def _must_be_there(what: str, names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"there are {len(known)} others"
            raise InputError(f"the gradebook has no {what} `{name}`", hint)


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[CourseResults]:
    """The course in a folder, configured as nbgrader is there, and not written to.

    Raises InputError where there is none or its gradebook cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder", "give the folder of the course")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of SQLAlchemy, for nbgrader's models
        from sqlalchemy.exc import SQLAlchemyError
        from sqlalchemy.orm import Session

        with contextlib.chdir(folder):
            directory = _configured()
            engine = _engine(directory.db_url)
            try:
                with Session(engine) as session:
                    yield CourseResults(session, lambda student, name: place(directory, student, name))
            except SQLAlchemyError as error:
                why = str(error.__cause__ or error).splitlines()[0]
                raise InputError(f"the gradebook cannot be read: {why}", "see `nbgrader db --help`") from None
            finally:
                engine.dispose()


def place(directory: Any, student: str, assignment: str) -> Path:
    """The folder of a student's autograded assignment."""
    return Path(directory.format_path(directory.autograded_directory, student, assignment))


def _configured() -> Any:
    """The CourseDirectory of nbgrader, as nbgrader_config.py in this folder has it."""
    from nbgrader.apps.baseapp import NbGrader

    before = list(sys.path)
    try:
        app = NbGrader()
        app.log_level = logging.CRITICAL
        app.raise_config_file_errors = True  # else it would be another course
        app.initialize([])
    except (Exception, SystemExit) as error:  # noqa: BLE001  (the file is a program, which may raise anything)
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(f"nbgrader does not start here: {why}", "fix nbgrader_config.py") from None
    finally:
        sys.path[:] = before
    app.coursedir.root = str(Path(app.coursedir.root).resolve())
    return app.coursedir


def _engine(url: str) -> Any:
    from sqlalchemy import create_engine, make_url

    path = make_url(url).database
    if make_url(url).get_backend_name() != "sqlite" or not path:
        return create_engine(url)
    if not Path(path).is_file():
        raise InputError("there is no gradebook here", "`grader stats --course DIR`: DIR is where gradebook.db is")
    place = f"file:{quote(str(Path(path).resolve()))}?mode=ro"
    return create_engine("sqlite://", creator=lambda: sqlite3.connect(place, uri=True))
