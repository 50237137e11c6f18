"""The points of cells that are not our items, in the gradebook and beneath the cell: nbgrader's step `Points`."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode, v4
from nbgrader import utils

from grader.nbgrader import comments, foreign_scores
from grader.nbgrader.foreign_scores import Scored
from grader.nbgrader.private_names import ScoringStep
from grader.render import templates

Converted = tuple[NotebookNode, Any]


class Points(ScoringStep):
    """SaveAutoGrades with points as in `foreign_scores`, which says why where they are lost.

    nbgrader keeps comments for answers only, so the reason is a comment of the answer above the tests, and an output of
    the tests themselves. Of our items `Judge` and `Remark` have said it.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> Converted:
        self._answer = ""
        self._no_response = False
        return super().preprocess(nb, resources)  # type: ignore[no-any-return]  # untyped

    def preprocess_cell(self, cell: NotebookNode, resources: Any, cell_index: int) -> Converted:
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if utils.is_solution(cell):
            reads_by_hand = utils.is_grade(cell) or cell.cell_type != "code"
            self._answer = "" if reads_by_hand else cell.metadata.nbgrader["grade_id"]
        return cell, resources

    def score_cell(self, cell: NotebookNode, resources: Any) -> None:
        name = cell.metadata["nbgrader"]["grade_id"]
        grade = self.gradebook.find_grade(name, self.notebook_id, self.assignment_id, self.student_id)
        scored = foreign_scores.score(cell)
        if (lacks := resources.get("torch_grader_lacking", {}).get(name)) and scored.points is not None:
            scored = Scored(None, scored.most, lacks)
        grade.auto_score = scored.points
        grade.needs_manual_grade = grade.manual_score is not None or scored.points is None
        if scored.told and name not in resources.get("torch_grader", {}):
            cell.outputs.insert(0, _output(scored))
            self._say(f"{name}: {scored.told}")
            if scored.points is None:
                self.log.warning("Cell '%s' is left to a person: %s", name, scored.reason)
        self.gradebook.db.commit()

    def _say(self, text: str) -> None:
        """Put a reason into the comment of the answer that stands above."""
        if not self._answer:
            return
        comment = self.gradebook.find_comment(self._answer, self.notebook_id, self.assignment_id, self.student_id)
        said = [comment.auto_comment] if comment.auto_comment else []
        comment.auto_comment = "\n\n".join([*said, comments.safe(text)])


def _output(scored: Scored) -> NotebookNode:
    page = templates.filled(__file__, "points.html", color=comments.COLORS[0], told=scored.told)
    output: NotebookNode = v4.new_output("display_data", data={"text/plain": scored.told, "text/html": page})
    return output
