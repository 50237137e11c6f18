"""Rows of nbgrader's gradebook, as data that can be sent about: an assignment's, and one student's submission of it.

A submission is graded on a small gradebook in memory that holds nothing else; what came of it is put into the course's
own gradebook by one process. So nothing that runs beside a student's notebook has that gradebook's address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbgrader.api import Base, Comment, Grade, Gradebook, MissingEntry
from sqlalchemy import bindparam, create_engine, insert, select, update
from sqlalchemy.pool import StaticPool

from grader.nbgrader import private_names

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

Rows = dict[str, list[dict[str, Any]]]
"""Rows by table, each a dictionary of its columns."""

TABLES = Base.metadata.tables
OF_AN_ASSIGNMENT = (
    "course", "assignment", "notebook", "source_cell", "base_cell", "grade_cells", "solution_cells", "task_cells"
)  # fmt: skip
OF_A_SUBMISSION = ("student", "submitted_assignment", "submitted_notebook", "grade", "comment")
"""Both in the order in which rows refer to each other."""

GRADED = {
    "submitted_assignment": ("timestamp",),
    "submitted_notebook": ("late_submission_penalty",),
    "grade": ("auto_score", "needs_manual_grade"),
    "comment": ("auto_comment",),
}
"""What grading changes in rows that are there already. All else in them is a person's."""

PATIENCE = 60
"""Seconds that SQLite waits for another writer."""


def assignment(connection: Connection, name: str) -> Rows:
    """The rows of an assignment; no assignment where there is none of this name."""
    table = TABLES["assignment"]
    found: Rows = {"assignment": _rows(connection, table.select().where(table.c.name == name))}
    found["course"] = _referred(connection, "course", "id", found["assignment"], "course_id")
    found["notebook"] = _referred(connection, "notebook", "assignment_id", found["assignment"])
    for cells in ("source_cell", "base_cell"):
        found[cells] = _referred(connection, cells, "notebook_id", found["notebook"])
    for kind in ("grade_cells", "solution_cells", "task_cells"):
        found[kind] = _referred(connection, kind, "id", found["base_cell"])
    return found


def submission(connection: Connection, name: str, student: str) -> Rows:
    """The rows of a student and of what is known of their submission; there need be none."""
    students, handed_in = TABLES["student"], TABLES["submitted_assignment"]
    found: Rows = {"student": _rows(connection, students.select().where(students.c.id == student))}
    ids = select(TABLES["assignment"].c.id).where(TABLES["assignment"].c.name == name)
    of_it = handed_in.select().where(handed_in.c.student_id == student, handed_in.c.assignment_id.in_(ids))
    found["submitted_assignment"] = _rows(connection, of_it)
    found["submitted_notebook"] = _referred(
        connection, "submitted_notebook", "assignment_id", found["submitted_assignment"]
    )
    for kind in ("grade", "comment"):
        found[kind] = _referred(connection, kind, "notebook_id", found["submitted_notebook"])
    return found


def _referred(connection: Connection, table: str, column: str, to: list[dict[str, Any]], key: str = "id") -> list[Any]:
    wanted = [row[key] for row in to]
    found = TABLES[table].select().where(TABLES[table].c[column].in_(wanted))
    return _rows(connection, found) if wanted else []


def _rows(connection: Connection, statement: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(statement).mappings()]


class Ledger:
    """A course's own gradebook."""

    def __init__(self, url: str, course: str) -> None:
        """Raises what SQLAlchemy raises where it cannot be opened."""
        if url.startswith("sqlite:///") and "?" not in url:
            url = f"{url}?timeout={PATIENCE}"
        self._gradebook = Gradebook(url, course)  # makes its tables, where it is new
        self._engine: Engine = self._gradebook.engine

    def close(self) -> None:
        self._gradebook.close()

    def assignment(self, name: str) -> Rows:
        with self._engine.connect() as connection:
            return assignment(connection, name)

    def extensions(self, name: str) -> dict[str, str]:
        """How much longer some students have for an assignment, by student."""
        handed_in, assignments = TABLES["submitted_assignment"], TABLES["assignment"]
        granted = select(handed_in.c.student_id, handed_in.c.extension).where(
            handed_in.c.assignment_id.in_(select(assignments.c.id).where(assignments.c.name == name)),
            handed_in.c.extension.is_not(None),
        )
        with self._engine.connect() as connection:
            return {student: str(longer) for student, longer in connection.execute(granted)}

    def submission(self, name: str, student: str) -> Rows:
        with self._engine.connect() as connection:
            return submission(connection, name, student)

    def leave(self, assignment: str, student: str, timestamp: datetime | None, *, create: bool) -> None:
        """Leave a submission that could not be graded to a person. Rows of a new student are made only to `create`."""
        book = self._gradebook
        try:
            book.find_student(student)
        except MissingEntry:
            if not create:
                return
            book.update_or_create_student(student)
        handed_in = {"timestamp": timestamp} if timestamp else {}
        for notebook in book.update_or_create_submission(assignment, student, **handed_in).notebooks:
            for grade in notebook.grades:
                grade.auto_score = None
                grade.needs_manual_grade = grade.needs_manual_grade or grade.manual_score is None
        book.db.commit()

    def save(self, rows: Rows) -> None:
        """Put a graded submission into the gradebook, all of it or nothing. What a person wrote stays as it is."""
        with self._engine.begin() as connection:
            for name in OF_A_SUBMISSION:
                table, graded = TABLES[name], GRADED.get(name, ())
                ids = [row["id"] for row in rows[name]]
                there = set(connection.scalars(select(table.c.id).where(table.c.id.in_(ids))))
                if new := [row for row in rows[name] if row["id"] not in there]:
                    connection.execute(insert(table), new)
                for row in rows[name] if graded else ():
                    if row["id"] in there:
                        values = {column: row[column] for column in graded}
                        connection.execute(update(table).where(table.c.id == row["id"]).values(values))


class ScratchGradebook:
    """A gradebook in memory with one assignment, and for a while one submission of it."""

    def __init__(self, rows: Rows) -> None:
        self.engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        Base.metadata.create_all(self.engine)
        self._put(rows, OF_AN_ASSIGNMENT)
        self._rows = rows

    def begin(self, rows: Rows) -> None:
        """Have this submission and no other."""
        with self.engine.begin() as connection:
            for name in reversed(OF_A_SUBMISSION):
                connection.execute(TABLES[name].delete())
        self._put(rows, OF_A_SUBMISSION)

    def _put(self, rows: Rows, names: tuple[str, ...]) -> None:
        with self.engine.begin() as connection:
            for name in names:
                if rows.get(name):
                    connection.execute(insert(TABLES[name]), rows[name])

    def rows(self) -> Rows:
        """The submission as it is now."""
        with self.engine.connect() as connection:
            return {name: _rows(connection, TABLES[name].select()) for name in OF_A_SUBMISSION}

    def be_the_gradebook(self) -> None:
        """In this process every `Gradebook` is this one from now on, whatever its URL."""
        private_names.replace_gradebook(
            self.engine,
            self._finder(Grade, ("grade_cells", "task_cells")),
            self._finder(Comment, ("solution_cells", "task_cells")),
        )

    def _finder(self, kind: Any, tables: tuple[str, ...]) -> Callable[..., Any]:
        """What finds a grade or a comment here, where one submission is: nbgrader joins six tables for each."""
        notebooks = {row["id"]: row["name"] for row in self._rows["notebook"]}
        ids = {row["id"] for table in tables for row in self._rows[table]}
        cells = {
            (notebooks[row["notebook_id"]], row["name"]): row["id"]
            for row in self._rows["base_cell"]
            if row["id"] in ids
        }
        statement = select(kind).where(kind.cell_id == bindparam("cell"))

        def find(self: Any, cell: str, notebook: str, assignment: str, student: str) -> Any:
            found = self.db.scalars(statement, {"cell": cells.get((notebook, cell))}).one_or_none()
            if found is None:
                raise MissingEntry(f"No such {kind.__tablename__}: {assignment}/{notebook}/{cell} for {student}")
            return found

        return find
