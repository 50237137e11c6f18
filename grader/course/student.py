"""What a student's notebook calls: whether an answer can be read, and which numbers are theirs.

Nothing here knows a key; whether an answer is right is seen when the assignment is graded, outside of the notebook.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grader import kinds
from grader.course import answers, manifest
from grader.errors import InputError
from grader.model import Unreadable


class NotReadableError(InputError):
    """There is no answer, or none that can be read."""


def handed_in(item: str, kind: str, count: int | Sequence[str] | None, names: Mapping[str, Any]) -> None:
    """Say that the answer to an item can be read; raise NotReadableError where it cannot.

    `count` is the number of options, cells, blanks or lines; for code, what it should define. `names` are those of the
    notebook.
    """
    if isinstance(count, Sequence):
        if missing := [name for name in count if name not in names]:
            said = f"{item}: there is no {answers.unlisted(missing)} yet"
            raise NotReadableError(said, "run the cell with your code, then this one")
    else:
        _must_be_readable(item, kind, count, names)
    print(f"{item}: your answer can be read. Whether it is right is seen when it is graded.")


def _must_be_readable(item: str, kind: str, count: int | None, names: Mapping[str, Any]) -> None:
    name = answers.variable(item)
    if name not in names:
        raise NotReadableError(f"{item}: there is no `{name}` yet", "run the cell with your answer, then this one")
    value = answers.plain(names[name])
    if answers.blank(value):
        raise NotReadableError(f"{item}: there is no answer yet", f"write one for `{name}`, and run that cell")
    read = kinds.get(kind).read(answers.prompt(kind, count, value), answers.typed(kind, value))
    if isinstance(read, Unreadable):
        raise NotReadableError(f"{item}: your answer cannot be read", read.why)


def ask(item: str, names: Mapping[str, Any]) -> None:
    """Show the question with the numbers of the student: `STUDENT` in the notebook, else JupyterHub's name.

    Raises InputError where it is not known who that is, or the file that came with the assignment is not there.
    """
    student = str(names.get("STUDENT") or os.environ.get("JUPYTERHUB_USER") or "").strip()
    if not student:
        raise InputError(
            "who are you?", 'write your name in the course between the quotes of `STUDENT = ""`, at the top'
        )
    found = manifest.read(Path())
    entries = {entry.grade_id: entry for entry in found.items} if found else {}
    if found is None or item not in entries:
        raise InputError(f"`{manifest.NAME}` is not beside this notebook", "put all files of the assignment together")
    entry = entries[item]
    drawn = entry.questions[found.variant(entry, student, len(entry.questions))]
    from IPython import display

    shown: Any = display
    shown.display(shown.Markdown(f"*The numbers of {student}:*\n\n{drawn}"))
