"""Questions and experiments in a notebook. `grader.jupyter` is what notebooks import."""

from __future__ import annotations

from grader.model import Prompt

TITLE = "in a notebook"
OPENED_BY = "grader lab"


def draw(prompt: Prompt) -> str:
    """See `Face`: HTML, as it is shown where no widget can be drawn."""
    from grader.faces.jupyter import static
    from grader.faces.service import html_documents

    return static.asked(html_documents.prompt(prompt))
