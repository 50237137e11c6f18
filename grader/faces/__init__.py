"""Where questions are shown and answered, one folder each. A face is a package with what `Face` names.

Adding a folder adds a face; other packages add theirs, a module each, through the entry-point group `grader.faces`.
`grader show ITEM --face NAME` shows a question as any of them does. A face of another package is opened by
`grader quiz TOPIC --face NAME`; ours have commands of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from grader.plugins import Seam

if TYPE_CHECKING:
    from grader.faces.desk import Desk
    from grader.model import Prompt


class Face(Protocol):
    """What one face has."""

    TITLE: str
    """Where it asks, in a few words."""
    OPENED_BY: str
    """The command that opens it, such as `grader serve`. Where that is empty, `ask` opens it."""

    def draw(self, prompt: Prompt) -> str:
        """A question as this face shows it before it is answered: as text, HTML, or data for what draws it.

        Everything that a learner needs is in it: the stem, what comes before the program, the program, and all of the
        six sorts of inputs, whatever kind the question is of.
        """
        ...

    def ask(self, desk: Desk) -> None:
        """Ask the questions that are open, until all are answered or the learner leaves. Not there with `OPENED_BY`.

        It may end at any time, by an exception too: what was answered is on record.
        """
        ...


SEAM = Seam("face", __name__, __path__, ("TITLE", "OPENED_BY", "draw"), folders=True)
"""Where faces are found."""


def names() -> tuple[str, ...]:
    """All faces, those of other packages included."""
    return SEAM.names()


def named(name: str) -> Face:
    """The face of this name. Raises InputError for one that is not there."""
    return cast("Face", SEAM.module(name))
