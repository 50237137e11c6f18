"""Questions and lessons on a terminal."""

from __future__ import annotations

import io

from grader.model import Prompt

TITLE = "on a terminal, or in a pipe, a line an answer"
OPENED_BY = "grader quiz"


def draw(prompt: Prompt) -> str:
    """See `Face`: plain text of 80 columns."""
    from grader.faces.terminal import dialog
    from grader.render.terminal_text import screen

    out = io.StringIO()
    dialog.draw(screen(out, terminal=False), prompt)
    return out.getvalue().strip("\n")
