"""The lessons as a book: an extension of Sphinx, beside myst-nb, that shows what they ask."""

from __future__ import annotations

from grader.model import Prompt

TITLE = "in a book of lessons, to be read"
OPENED_BY = "make book"


def draw(prompt: Prompt) -> str:
    """See `Face`: HTML."""
    from grader.faces.jupyter import static
    from grader.faces.service import html_documents

    return static.asked(html_documents.prompt(prompt))
