"""What students get to see of a graded notebook: nbgrader's step `Mask`, before the feedback is drawn."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import List

from grader.nbgrader import assignment, hidden_tests
from grader.nbgrader.hidden_tests import Delimiters, Secret

Converted = tuple[NotebookNode, Any]


class Mask(NbGraderPreprocessor):  # type: ignore[misc]  # it is untyped
    """Keeps hidden tests out of the feedback; the autograded notebook, which instructors see, stays as it is.

    Their regions become one line, errors of their cells a name and a message. Outputs of any cell, comments and widgets
    lose what repeats a line of the hidden tests of the assignment, all its notebooks taken together.
    """

    display_data_priority: Any = List(help="Unused; the exporter sets it for all of its steps").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> Converted:
        words = hidden_tests.delimiters(self.config)
        about = resources["nbgrader"]
        secrets = [words.begin, words.end]
        seen = hidden_tests.split(assignment.HIDDEN, Delimiters())[1]  # that is no test, and everybody's
        with Gradebook(about["db_url"]) as gradebook:
            for text in _sources(gradebook, about["assignment"]):
                shown, lines = hidden_tests.split(text, words)
                seen.append(shown)
                secrets += lines
            by_hand = _comments_by_hand(gradebook, about)
        own: list[bool] = []
        for cell in nb.cells:
            lines = []
            if utils.is_locked(cell):
                cell.source, lines = hidden_tests.split(cell.source, words)
                secrets += lines
            own.append(bool(lines))
            seen.append(cell.source)
        secret = Secret(secrets, seen)
        for cell, has_some in zip(nb.cells, own, strict=True):
            if cell.cell_type == "code":
                cell.outputs = [
                    NotebookNode(one) for one in hidden_tests.mask_outputs(cell.outputs, secret, own=has_some)
                ]
            marks = cell.metadata.get("nbgrader", {})
            if marks.get("comment") and marks.get("grade_id") not in by_hand:
                marks["comment"] = secret.cut(marks["comment"])
        hidden_tests.mask_widgets(nb.metadata, secret)
        return nb, resources


def _sources(gradebook: Any, assignment: str) -> list[str]:
    """The sources of an assignment's cells, with their hidden tests."""
    try:
        notebooks = gradebook.find_assignment(assignment).notebooks
    except MissingEntry:
        return []
    return [cell.source for notebook in notebooks for cell in notebook.source_cells if cell.source]


def _comments_by_hand(gradebook: Any, about: Any) -> set[str]:
    """The cells on which a person wrote, who knows what they show."""
    try:
        notebook = gradebook.find_submission_notebook(about["notebook"], about["assignment"], about["student"])
    except MissingEntry:
        return set()
    return {comment.name for comment in notebook.comments if comment.manual_comment is not None}
