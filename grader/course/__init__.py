"""Assignments for nbgrader whose items are judged outside of the student's kernel.

    handed_in, ask                   for the notebooks of students: can an answer be read; a student's own numbers
    configure                        for nbgrader_config.py: `from grader.course import configure; configure(c)`
    Clear, Mend, Judge, Points, Remark, Mask         what that puts among nbgrader's preprocessors
    ExportPlugin                     for `nbgrader export --exporter grader.course.ExportPlugin`

`grader notebook TOPIC --assignment` writes the assignments, see `assignment`. nbgrader is imported only by what needs
it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from grader.course.student import ask, handed_in

if TYPE_CHECKING:
    from grader.course.export import ExportPlugin
    from grader.course.feedback import Mask
    from grader.course.points import Points
    from grader.course.preprocessors import Clear, Judge, Mend, Remark, configure

__all__ = ["Clear", "ExportPlugin", "Judge", "Mask", "Mend", "Points", "Remark", "ask", "configure", "handed_in"]

_ELSEWHERE = {"ExportPlugin": "export", "Mask": "feedback", "Points": "points"}


def __getattr__(name: str) -> Any:
    if name in __all__:
        module = importlib.import_module(f"grader.course.{_ELSEWHERE.get(name, 'preprocessors')}")
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
