"""What a student's notebook calls: whether an answer can be read, and which numbers are theirs.

Nothing here knows a key; whether an answer is right is seen when the assignment is graded, outside of the notebook.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.errors import InputError
from grader.judging.reading_answers import read
from grader.model import Prompt, Unreadable, Variant
from grader.nbgrader import cell_values, manifest

CODE = ("code", "repair")
"""Forms of answers that are programs; assignments of earlier versions have the second one too."""


class NotReadableError(InputError):
    """There is no answer, or none that can be read."""


def handed_in(item: str, form: str, count: Any, names: Mapping[str, Any]) -> None:
    """Say that the answer to an item can be read; raise NotReadableError where it cannot.

    `form` and `count` say what an answer looks like, see `cell_values.form`: how many options, cells, blanks or lines
    there are; for code, what it should define. `names` are those of the notebook.
    """
    if form in CODE:
        if missing := [name for name in count if name not in names]:
            said = f"{item}: there is no {cell_values.unlisted(missing)} yet"
            raise NotReadableError(said, "run the cell with your code, then this one")
    else:
        _must_be_readable(item, form, count, names)
    print(f"{item}: your answer can be read. Whether it is right is seen when it is graded.")


def _must_be_readable(item: str, form: str, count: Any, names: Mapping[str, Any]) -> None:
    name = cell_values.variable(item)
    if name not in names:
        raise NotReadableError(f"{item}: there is no `{name}` yet", "run the cell with your answer, then this one")
    value = cell_values.plain(names[name])
    if cell_values.blank(value):
        raise NotReadableError(f"{item}: there is no answer yet", f"write one for `{name}`, and run that cell")
    inputs = cell_values.of_form(form, count, value)
    answer = read(Prompt("", "", "easy", "", Variant(), "", "", inputs, 0), cell_values.typed(inputs, value))
    if isinstance(answer, Unreadable):
        raise NotReadableError(f"{item}: your answer cannot be read", answer.why)


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
    drawn = found.question(entry, student)
    from IPython import display

    shown: Any = display
    shown.display(shown.Markdown(f"*The numbers of {student}:*\n\n{drawn}"))
