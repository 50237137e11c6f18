"""What we use of nbgrader, and of nbconvert beneath it, that they do not promise to keep: all of it stands here.

`gone()` says which of these names the installed version no longer has.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.preprocessors import ClearHiddenTests, SaveAutoGrades
from sqlalchemy.orm import scoped_session, sessionmaker

if TYPE_CHECKING:
    from nbformat import NotebookNode

USED = (
    ("nbgrader.preprocessors", "ClearHiddenTests", "_remove_hidden_test_region"),
    ("nbgrader.preprocessors", "SaveAutoGrades", "_add_score"),
    ("nbgrader.converters", "Autograde", "init_notebooks"),
    ("nbgrader.api", "Gradebook", "__init__"),
    ("nbgrader.api", "Gradebook", "close"),
    ("nbgrader.api", "Gradebook", "find_grade"),
    ("nbgrader.api", "Gradebook", "find_comment"),
    ("nbconvert.exporters", "Exporter", "_init_preprocessors"),
)
"""Module, class and name. The last one makes the list `_preprocessors`."""


def gone() -> list[str]:
    """The names that are used and not there, as `module.Class.name`."""
    return [
        f"{module}.{owner}.{name}"
        for module, owner, name in USED
        if not hasattr(getattr(importlib.import_module(module), owner, None), name)
    ]


def remove_hidden_tests(parent: Any, cell: NotebookNode) -> None:
    """Cut the hidden tests out of a cell, by the marks of the configuration.

    Raises RuntimeError where a mark that begins them has none that ends them.
    """
    ClearHiddenTests(parent=parent)._remove_hidden_test_region(cell)  # noqa: SLF001  (it alone knows the marks)


def steps_of(exporter: Any) -> list[Any]:
    """The steps that an exporter takes, in order; none where it does not say."""
    return list(getattr(exporter, "_preprocessors", []))


class ScoringStep(SaveAutoGrades):  # type: ignore[misc]  # it is untyped
    """nbgrader's step that puts points into the gradebook, with `score_cell` saying which."""

    def _add_score(self, cell: NotebookNode, resources: Any) -> None:
        self.score_cell(cell, resources)

    def score_cell(self, cell: NotebookNode, resources: Any) -> None:
        """Put the points of a cell into the gradebook."""
        raise NotImplementedError


class OneSubmission(Autograde):  # type: ignore[misc]  # it is untyped
    """nbgrader's autograder for one submission, which need not be looked for."""

    handed_in: dict[str, list[str]]
    """The submission's folder, and the notebooks in it."""

    def init_notebooks(self) -> None:
        self.assignments = self.handed_in
        self.notebooks: list[str] = []


def replace_gradebook(engine: Any, find_grade: Callable[..., Any], find_comment: Callable[..., Any]) -> None:
    """In this process every `Gradebook` has this engine from now on, whatever its URL; none opens a connection."""

    def opened(self: Any, _url: str, course_id: str = "default_course", authenticator: Any = None) -> None:
        self.engine, self.course_id, self.authenticator = engine, course_id, authenticator
        self.db = scoped_session(sessionmaker(autoflush=True, bind=engine, future=True))

    def closed(self: Any) -> None:
        self.db.remove()

    Gradebook.__init__ = opened
    Gradebook.close = closed
    Gradebook.find_grade, Gradebook.find_comment = find_grade, find_comment
