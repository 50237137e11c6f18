"""Assignments for nbgrader whose items are judged outside of the student's kernel.

What there is::

    handed_in, ask                   for the notebooks of students: can an answer be read; a student's own numbers
    configure                        for nbgrader_config.py: `from grader.course import configure; configure(c)`
    Clear, Mend, Judge, Points, Remark, Mask         what that puts among nbgrader's preprocessors
    ExportPlugin                     for `nbgrader export --exporter grader.course.ExportPlugin`

`grader notebook TOPIC --assignment` writes the assignments, see `grader.nbgrader.assignment`. nbgrader is imported only
by what needs it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from grader.nbgrader.student import ask, handed_in

if TYPE_CHECKING:
    from grader.nbgrader.export import ExportPlugin
    from grader.nbgrader.feedback import Mask
    from grader.nbgrader.points import Points
    from grader.nbgrader.preprocessors import Clear, Judge, Mend, Remark, configure

__all__ = ["Clear", "ExportPlugin", "Judge", "Mask", "Mend", "Points", "Remark", "ask", "configure", "handed_in"]

_ELSEWHERE = {"ExportPlugin": "export", "Mask": "feedback", "Points": "points"}


def __getattr__(name: str) -> Any:
    if name in __all__:
        module = importlib.import_module(f"grader.nbgrader.{_ELSEWHERE.get(name, 'preprocessors')}")
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
