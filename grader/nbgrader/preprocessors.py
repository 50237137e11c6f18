"""What torch-grader puts among nbgrader's preprocessors.

| preprocessor | of | does |
|---|---|---|
| `Clear` | generate_assignment | leaves an empty answer or the starter, where nbgrader would leave its stub |
| `Mend` | autograde, before all else | makes nbgrader's marks of cells what they are in the gradebook |
| `Judge` | autograde, in place of Execute | judges our cells, from the source of the answers |
| `Points` | autograde, in place of SaveAutoGrades | points of other cells: see `points.py` |
| `Remark` | autograde, after `Points` | comments, what is left to a person, what is passed on |
| `Mask` | generate_feedback, after GetGrades | hidden tests stay hidden: see `feedback.py` |
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, v4
from nbgrader import utils
from nbgrader.api import Grade, Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    ClearSolutions,
    Execute,
    GetGrades,
    NbGraderPreprocessor,
    SaveAutoGrades,
)
from traitlets import Unicode

from grader import template
from grader.errors import GraderError, InputError
from grader.model import Mistake, Result
from grader.nbgrader import cell_values, comments, manifest, private_names, results
from grader.nbgrader.execution import Execution
from grader.nbgrader.judge import bench
from grader.nbgrader.manifest import Manifest, ManifestItem
from grader.nbgrader.safe_html import FILTERS
from grader.render import markdown, templates

Converted = tuple[NotebookNode, Any]
_OURS = "from grader.course import handed_in"


def configure(c: Any) -> None:
    """Put our preprocessors into nbgrader's configuration, `c` of nbgrader_config.py; what else is in there stays."""
    from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback

    def have(section: str, name: str, default: list[Any]) -> list[Any]:
        given = c[section]
        return list(given[name]) if name in given else list(default)

    released = have("GenerateAssignment", "preprocessors", GenerateAssignment.preprocessors.default())
    c.GenerateAssignment.preprocessors = _swapped(released, ClearSolutions, "Clear")
    mended = have("Autograde", "sanitize_preprocessors", Autograde.sanitize_preprocessors.default())
    c.Autograde.sanitize_preprocessors = ["grader.course.Mend", *(one for one in mended if not _is(one, "Mend"))]
    graded = have("Autograde", "autograde_preprocessors", Autograde.autograde_preprocessors.default())
    graded = _swapped(_swapped(graded, Execute, "Judge"), SaveAutoGrades, "Points")
    c.Autograde.autograde_preprocessors = _after(graded, "Points", "Remark")
    told = have("GenerateFeedback", "preprocessors", GenerateFeedback.preprocessors.default())
    c.GenerateFeedback.preprocessors = _after(told, GetGrades.__name__, "Mask")
    c.HTMLExporter.sanitize_html = True
    c.HTMLExporter.filters = FILTERS | dict(c.HTMLExporter.get("filters", {}))


def _after(names: list[Any], known: str, ours: str) -> list[Any]:
    """A list of steps with one of ours behind a known one; at the end where that is not there."""
    others = [one for one in names if not _is(one, ours)]
    place = next((k + 1 for k, one in enumerate(others) if _is(one, known)), len(others))
    return [*others[:place], f"grader.course.{ours}", *others[place:]]


def _swapped(names: list[Any], theirs: type, ours: str) -> list[Any]:
    return [f"grader.course.{ours}" if _is(one, theirs.__name__) or _is(one, ours) else one for one in names]


def _is(one: Any, name: str) -> bool:
    return bool((one if isinstance(one, str) else one.__name__).rpartition(".")[2] == name)


# ---------------------------------------------------------------- what they share


def _of(resources: Any) -> tuple[str, str, str]:
    """Notebook, assignment and student."""
    about = resources["nbgrader"]
    return str(about["notebook"]), str(about["assignment"]), str(about["student"])


def _manifest(preprocessor: Any, assignment: str) -> Manifest | None:
    """The manifest in the course's own source folder; what came with a submission does not count."""
    course = _course(preprocessor)
    return manifest.read(Path(course.format_path(course.source_directory, ".", assignment)))


def _course(preprocessor: Any) -> Any:
    """The folders of the course that a preprocessor works for."""
    converter = getattr(preprocessor.parent, "parent", None)
    return getattr(converter, "coursedir", None) or CourseDirectory(parent=preprocessor)


def _id(cell: NotebookNode) -> str:
    """The cell's grade_id, or the empty string."""
    marks = cell.metadata.get("nbgrader")
    found = marks.get("grade_id") if isinstance(marks, dict) else None
    return found if isinstance(found, str) else ""


# ---------------------------------------------------------------- generate_assignment


class Clear(ClearSolutions):  # type: ignore[misc]  # it is untyped
    """Clears solutions as nbgrader does; in our cells it leaves what stands before them, and no stub."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> Converted:
        found = _manifest(self, _of(resources)[1])
        self._ours = {entry.answer for entry in found.items} if found else set()
        return super().preprocess(nb, resources)  # type: ignore[no-any-return]  # untyped

    def preprocess_cell(self, cell: NotebookNode, resources: Any, cell_index: int) -> Converted:
        begin = f"\n{cell_values.BEGIN}\n"
        if _id(cell) in self._ours and begin in cell.source:
            cell.source = cell.source.partition(begin)[0]
            return cell, resources
        return super().preprocess_cell(cell, resources, cell_index)  # type: ignore[no-any-return]  # untyped


# ---------------------------------------------------------------- autograde


class Mend(NbGraderPreprocessor):  # type: ignore[misc]  # it is untyped
    """Makes the marks of cells what they are in the gradebook, whatever a submission says.

    A cell that is there several times counts once, the last one, as in nbgrader; marks that the gradebook does not know
    go; our cells that are missing are put back, as they were released. A note says so in the cell.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> Converted:
        notebook, assignment, _ = _of(resources)
        found = _manifest(self, assignment)
        with Gradebook(resources["nbgrader"]["db_url"]) as gradebook:
            try:
                stored = gradebook.find_notebook(notebook, assignment)
            except MissingEntry:
                return nb, resources
            marks = _marks(stored)
            locked = {cell.name: cell.source for cell in stored.source_cells if cell.locked}
            seen: dict[str, NotebookNode] = {}
            for cell in reversed(nb.cells):
                name = _id(cell)
                cell.metadata.pop("torch_grader", None)
                if name in marks and name not in seen:
                    cell.metadata["nbgrader"] = NotebookNode(marks[name])
                    seen[name] = cell
                    if name in locked:
                        self._restore(cell, locked[name])
                    continue
                if cell.metadata.pop("nbgrader", None) is not None and name in seen:
                    self.log.warning("Cell '%s' is there several times; the last one counts", name)
                    _note(seen[name], "This cell is there several times; the last one was graded.")
            ours = {name for entry in found.items for name in (entry.answer, entry.grade_id)} if found else set()
            for source in stored.source_cells:
                if source.name in ours - set(seen):
                    self.log.warning("Cell '%s' is missing; it is put back as it was released", source.name)
                    digest = hashlib.sha256(source.name.encode()).hexdigest()[:8]  # the same for the same submission
                    cell = v4.new_code_cell(source.source, metadata={"nbgrader": marks[source.name]}, id=digest)
                    if (nb.nbformat, nb.nbformat_minor) < (4, 5):
                        del cell["id"]
                    _note(cell, "This cell was missing from what was handed in.")
                    nb.cells.append(cell)
            for name in sorted({cell.name for cell in stored.grade_cells} - set(seen) - ours):
                self.log.warning("Cell '%s' is missing, and was not graded", name)
        return nb, resources

    def _restore(self, cell: NotebookNode, source: str) -> None:
        """Make a cell that may not be edited what it is in the gradebook; the release is without its hidden tests."""
        released = NotebookNode(source=source)
        with contextlib.suppress(RuntimeError):  # its marks do not match, and the release has it as it is
            private_names.remove_hidden_tests(self, released)
        if cell.source not in (source, released.source):
            self.log.warning("Cell '%s' may not be edited, and was; it is graded as it was released", _id(cell))
        cell.source = source


def _marks(stored: Any) -> dict[str, dict[str, Any]]:
    """The metadata that each cell of a notebook has, from the gradebook."""
    points = {cell.name: cell.max_score for cell in (*stored.grade_cells, *stored.task_cells)}
    graded = {cell.name for cell in stored.grade_cells}
    solved = {cell.name for cell in stored.solution_cells}
    tasks = {cell.name for cell in stored.task_cells}
    return {
        cell.name: {
            "schema_version": 3,
            "grade_id": cell.name,
            "grade": cell.name in graded,
            "solution": cell.name in solved,
            "task": cell.name in tasks,
            "locked": bool(cell.locked),
            "cell_type": cell.cell_type,
            **({"checksum": cell.checksum} if cell.checksum else {}),
            **({"points": points[cell.name]} if cell.name in points else {}),
        }
        for cell in stored.source_cells
    }


def _note(cell: NotebookNode, text: str) -> None:
    cell.metadata["torch_grader"] = NotebookNode(note=text)


@dataclass(frozen=True, slots=True)
class Judged:
    """One of our cells, judged."""

    cell: NotebookNode
    entry: ManifestItem
    result: Result
    mistake: Mistake | None
    note: str = ""

    @property
    def points(self) -> float:
        """What it earns: the cell's points times the share that is right."""
        return float(self.cell.metadata.nbgrader["points"]) * float(self.result.score.points or 0.0)


class Judge(Execution):
    """Judges our cells from the source of the answers, in the sandbox; no line of a notebook is run for that.

    All of it happens before a kernel is started. There is one only where the notebook has other cells that are graded,
    and our cells are not run in it.
    """

    bank = Unicode("", help="The folder of the bank that the items are from; else as for `grader`").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any, km: Any = None) -> Converted:
        _, assignment, student = _of(resources)
        found = _manifest(self, assignment)
        self._skipped: set[str] = set()
        if found is None:
            if any(utils.is_grade(cell) and _OURS in cell.source for cell in nb.cells):
                raise InputError(
                    f"the source of {assignment} has no {manifest.NAME}", "put it back; see docs/teaching.md"
                )
            return super().preprocess(nb, resources, km)  # type: ignore[no-any-return]  # untyped
        judged = self._judge(nb, found, student)
        self._skipped = {name for entry in found.items for name in (entry.grade_id, entry.question)}
        resources["torch_grader"] = {
            one.entry.grade_id: {
                "answer": one.entry.answer,
                "left": comments.left(one.result),
                "comment": comments.comment(one.result, one.note),
                "told": results.told(one.result, one.mistake, cell_values.item_of(one.entry.grade_id)),
            }
            for one in judged
        }
        if any(comments.left(one.result) for one in judged):
            self._must_be_remarked()
        if any(self._needs_kernel(cell) for cell in nb.cells):
            with contextlib.nullcontext() if self.confined else _watched(resources, self.log):
                super().preprocess(nb, resources, km)
        for one in judged:
            _show(one, self)
        if found.per_student:
            asked = {one.entry.question: found.question(one.entry, resources["nbgrader"]["student"]) for one in judged}
            _show_questions(nb, asked)
        return nb, resources

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> Converted:
        """Run a cell in the kernel, unless it is one of ours."""
        if _id(cell) in self._skipped:
            return cell, resources
        return super().preprocess_cell(cell, resources, index)  # type: ignore[no-any-return]  # untyped

    def _judge(self, nb: NotebookNode, found: Manifest, student: str) -> list[Judged]:
        cells = {_id(cell): cell for cell in nb.cells if _id(cell)}
        entries = [entry for entry in found.items if entry.grade_id in cells and utils.is_grade(cells[entry.grade_id])]
        if not entries:
            return []
        asked = {entry.grade_id for entry in found.items}
        at = bench(Path(self.bank) if self.bank else None, asked, Path(_course(self).root))
        if not self.allow_unsandboxed:
            at.must_be_contained()
        given = {entry: cells.get(entry.answer) for entry in entries}
        sources = {
            entry.grade_id: None if answer is None or _unchanged(answer) else str(answer.source)
            for entry, answer in given.items()
        }
        verdicts = at.judge(found, student, sources)
        for text in at.changes(found):
            self.log.warning("%s", text)
        judged = []
        for entry, answer in given.items():
            cell, verdict = cells[entry.grade_id], verdicts[entry.grade_id]
            marked = (one.metadata.get("torch_grader", {}).get("note", "") for one in (cell, answer) if one is not None)
            notes = " ".join(dict.fromkeys(filter(None, marked)))
            judged.append(Judged(cell, entry, verdict.result, verdict.mistake, notes))
        return judged

    def _needs_kernel(self, cell: NotebookNode) -> bool:
        return bool((utils.is_grade(cell) or utils.is_task(cell)) and _id(cell) not in self._skipped)

    def _must_be_remarked(self) -> None:
        """What could not be judged must not become 0 points for want of `Remark`."""
        if not any(isinstance(one, Remark) for one in private_names.steps_of(self.parent)):
            raise GraderError(
                "an answer could not be judged, and nothing here leaves it to a person",
                "add `from grader.course import configure; configure(c)` to nbgrader_config.py",
            )


def _unchanged(cell: NotebookNode) -> bool:
    return bool(cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell))


def _show(one: Judged, step: Any) -> None:
    """Put the verdict into the outputs of a cell, and its points as the value that nbgrader reads."""
    data = {"text/plain": comments.plain(one.result, one.note), "text/html": comments.page(one.result, one.note)}
    most = float(one.cell.metadata.nbgrader["points"])
    said = "No points yet" if comments.left(one.result) else f"{template.show(one.points)} of {most:g} points"
    earned = {"text/plain": repr(one.points), "text/html": templates.filled(__file__, "earned.html", said=said)}
    points = v4.new_output("execute_result", data=earned, execution_count=None)
    one.cell.outputs = [v4.new_output("display_data", data=data), points]
    private_names.remove_hidden_tests(step, one.cell)


def _show_questions(nb: NotebookNode, asked: dict[str, str]) -> None:
    """Show each question as the student was asked it, by the cells' ids, whatever the notebook showed."""
    for cell in nb.cells:
        if _id(cell) in asked and cell.cell_type == "code":
            text = asked[_id(cell)]
            data = {"text/plain": text, "text/html": markdown.as_html(text)}
            cell.outputs = [v4.new_output("display_data", data=data)]


@contextlib.contextmanager
def _watched(resources: Any, log: Any) -> Iterator[None]:
    """Take back what a notebook gives itself in the gradebook while it runs, and report what it gives others.

    Only for kernels that are not shut in. That of others is only reported: a person may be grading them just then.
    """
    with Gradebook(resources["nbgrader"]["db_url"]) as gradebook:
        before = {grade.id: _given(grade) for grade in gradebook.db.query(Grade)}
    try:
        yield
    finally:
        with Gradebook(resources["nbgrader"]["db_url"]) as gradebook:
            changed = [grade for grade in gradebook.db.query(Grade) if _given(grade) != before.get(grade.id)]
            own = gradebook.find_submission_notebook(*_of(resources)).id
            for grade in changed:
                if grade.notebook_id == own and grade.id in before:
                    grade.manual_score, grade.extra_credit, grade.auto_score = before[grade.id]
            if changed:
                students = {grade.notebook.student.id for grade in changed}
                log.error(
                    "While the notebook of %s ran, grades of these students were changed in the gradebook: %s; its own "
                    "are put back", resources["nbgrader"]["student"], ", ".join(sorted(students)),
                )  # fmt: skip
            gradebook.db.commit()


def _given(grade: Grade) -> tuple[float | None, float | None, float | None]:
    return grade.manual_score, grade.extra_credit, grade.auto_score


class Remark(NbGraderPreprocessor):  # type: ignore[misc]  # it is untyped
    """Puts the verdicts into the gradebook as comments, and leaves to a person what could not be judged."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> Converted:
        remarks = resources.get("torch_grader", {})
        if not remarks:
            return nb, resources
        with Gradebook(resources["nbgrader"]["db_url"]) as gradebook:
            for name, remark in remarks.items():
                grade = gradebook.find_grade(name, *_of(resources))
                if remark["left"]:
                    grade.auto_score = None
                grade.needs_manual_grade = remark["left"] or grade.manual_score is not None
                comment = gradebook.find_comment(remark["answer"], *_of(resources))
                comment.auto_comment = remark["comment"]
            gradebook.db.commit()
        for cell in nb.cells:
            if _id(cell) in remarks and utils.is_grade(cell):
                cell.metadata["torch_grader"] = NotebookNode(remarks[_id(cell)]["told"])
        return nb, resources
