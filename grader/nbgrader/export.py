"""Grades for other programs: `nbgrader export --exporter grader.course.ExportPlugin --to FILE.csv`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import ExportPlugin as Theirs

from grader.errors import InputError
from grader.nbgrader import results
from grader.nbgrader.results import CourseResults, Row
from grader.render import csv_text

DEFAULT = "items.csv"
COLUMNS = (
    "assignment", "notebook", "student_id", "cell", "points", "max_points", "needs_manual_grade", "outcome", "kind",
    "level", "topic", "skill", "variant", "mistake", "family",
)  # fmt: skip
BY_MISTAKE = ("family", "mistake", "says", "students", "answers", "student_ids", "items")


class ExportPlugin(Theirs):  # type: ignore[misc]  # it is untyped
    """One row for each student and graded cell; beside it a file with one row for each misconception."""

    def export(self, gradebook: Any) -> None:
        """Write both files. Ends the command with code 2 where that cannot be."""
        directory = getattr(self.parent, "coursedir", None) or CourseDirectory(parent=self)
        course = CourseResults(gradebook.db, lambda student, name: results.place(directory, student, name))
        path = Path(self.to or DEFAULT)
        try:
            names = [str(one) for one in self.assignment], [str(one) for one in self.student]
            rows = list(course.rows(*names, self.log.warning))
            beside = path.with_name(f"{path.stem}-mistakes{path.suffix}")
            write(path, COLUMNS, map(_cells, rows))
            write(beside, BY_MISTAKE, by_mistake(rows))
        except InputError as error:
            self.log.error("%s; %s", error.message, error.hint)  # noqa: TRY400  (the message is for people)
            sys.exit(error.exit_code)
        self.log.info("%d rows are in %s, misconceptions in %s", len(rows), path, beside)


def _cells(row: Row) -> list[object]:
    told = row.told
    about = (row.assignment, row.notebook, row.student, row.cell, row.points, row.most, int(row.manual))
    if told is None:
        return [*about, "" if row.there else results.NOT_THERE, "graded cell", *[""] * 6]
    return [
        *about, told.outcome, told.kind, told.level, told.topic, told.skill, told.variant, told.mistake, told.family,
    ]  # fmt: skip


def by_mistake(rows: Iterable[Row]) -> Iterator[list[object]]:
    """Each misconception with those who showed it, and in which items; the most frequent families first."""
    found: dict[str, list[Row]] = {}
    families: dict[str, int] = {}
    for row in rows:
        if row.told and row.told.mistake:
            found.setdefault(row.told.mistake, []).append(row)
            families[row.told.family] = families.get(row.told.family, 0) + 1

    def rank(entry: tuple[str, list[Row]]) -> tuple[object, ...]:
        name, shown = entry
        family = shown[0].told.family if shown[0].told else ""
        return -families[family], family, -len(shown), name

    for name, shown in sorted(found.items(), key=rank):
        told = shown[0].told
        assert told
        students = sorted({row.student for row in shown})
        items = sorted({row.cell for row in shown})
        yield [told.family, name, told.says, len(students), len(shown), "; ".join(students), "; ".join(items)]


def write(path: Path, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """A CSV file, whole or not at all. Raises InputError where it cannot be written."""
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("w", encoding="utf-8", errors="backslashreplace", newline="") as out:
            out.write(csv_text.of_rows(columns, rows))
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InputError(f"{path}: it cannot be written: {error.strerror}", "give another place with --to") from None
