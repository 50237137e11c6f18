"""Questions as a page without JavaScript: for an export, nbviewer, and wherever a widget cannot be drawn."""

from __future__ import annotations

import html
from typing import Any


def page(sheet: str, questions: list[dict[str, Any]], text: str) -> str:
    """The questions of a sheet as HTML, each with how it is answered in a cell; `text` where there are none to show.

    A widget that is drawn hides the element by its id.
    """
    parts = [_question(question) for question in questions if "interaction" in question]
    inside = "".join(parts) or f"<pre>{html.escape(text)}</pre>"
    return f'<div id="tg-static-{html.escape(sheet)}">{inside}</div>'


def _question(question: dict[str, Any]) -> str:
    place = f"Question {question['place'] + 1} of {question['of']}" if question["of"] > 1 else "Question"
    about = html.escape(f"{place} ({question['level']}, {question['skill']})")
    call = html.escape(f'answer("{question["item"]}", {_example(question["interaction"])})')
    return (
        f"<p><strong>{about}</strong></p>{question['stem']}{question['program']}"
        f"{_choices(question['interaction'])}<p>Answer in a cell: <code>{call}</code></p>"
    )


def _choices(interaction: dict[str, Any]) -> str:
    """What there is to choose from, to fill or to begin with."""
    match interaction:
        case {"type": "pick", "letters": letters, "options": options}:
            rows = "".join(f"<p><strong>{a}</strong> {b}</p>" for a, b in zip(letters, options, strict=True))
            return f"<div>{rows}</div>"
        case {"type": "table", "labels": labels}:
            return f"<p>One number for each, from {html.escape(labels[0])} to {html.escape(labels[-1])}.</p>"
        case {"type": "order", "lines": lines}:
            return "<ol>" + "".join(f"<li><code>{html.escape(line)}</code></li>" for line in lines) + "</ol>"
        case {"type": "code", "starter": starter, "cases": cases}:
            return f"<p>Start from</p><pre><code>{html.escape(starter)}</code></pre><p>{cases}</p>"
    return ""


def _example(interaction: dict[str, Any]) -> str:
    """What the second argument of `answer` looks like."""
    examples = {"pick": '"A"', "number": "0.5", "table": "[...]", "order": "[2, 1, ...]", "card": '"good"'}
    return examples.get(str(interaction["type"]), '"..."')
