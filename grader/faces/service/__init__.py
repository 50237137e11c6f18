"""Questions for faces that ask by messages. All that goes in and out is plain JSON data."""

from __future__ import annotations

import json

from grader.model import Prompt

TITLE = "by messages, as JSON with HTML in it"
OPENED_BY = "python -m grader.faces.service"


def draw(prompt: Prompt) -> str:
    """See `Face`: a JSON document."""
    from grader.faces.service import html_documents

    return json.dumps(html_documents.prompt(prompt), ensure_ascii=False)
