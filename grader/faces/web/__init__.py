"""The page: what most learners meet first. Plain forms over the one sitting; one module of our own on top of them."""

from __future__ import annotations

from grader.model import Prompt

TITLE = "on a page in a browser"
OPENED_BY = "grader serve"


def draw(prompt: Prompt) -> str:
    """See `Face`: HTML, as a form that is not sent."""
    from grader.faces.web import question_view

    return question_view.drawn(prompt)
