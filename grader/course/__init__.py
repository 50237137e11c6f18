"""Assignments for nbgrader whose items are judged outside of the student's kernel.

    handed_in, ask                   for the notebooks of students: can an answer be read; a student's own numbers
    configure                        for nbgrader_config.py: `from grader.course import configure; configure(c)`
    Clear, Mend, Judge, Remark       what that puts among nbgrader's preprocessors

`grader notebook TOPIC --assignment` writes the assignments, see `assignment`. nbgrader is imported only by what needs
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader.course.student import ask, handed_in

if TYPE_CHECKING:
    from grader.course.preprocessors import Clear, Judge, Mend, Remark, configure

__all__ = ["Clear", "Judge", "Mend", "Remark", "ask", "configure", "handed_in"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from grader.course import preprocessors

        return getattr(preprocessors, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
