"""A worksheet as one HTML page to print: the questions with room for answers, then the key on a page of its own."""

from __future__ import annotations

from grader.exchange import pictures
from grader.exchange.exported_questions import FORMS, ExportedQuiz, Form
from grader.model import LETTERS
from grader.render import templates
from grader.render.markdown import as_plain_html

TITLE = "HTML"
WRITES: dict[Form, str] = dict.fromkeys(FORMS, "a worksheet question")


def write(quiz: ExportedQuiz) -> bytes:
    """See `Writes`. The page needs nothing else: figures are in it."""
    asked = [
        {
            "one": one,
            "shown": pictures.inlined(one),
            "letters": list(zip(LETTERS, one.options, strict=False)),
            "right": ", ".join(LETTERS[place] for place, option in enumerate(one.options) if option.right),
            "lettered": list(zip(LETTERS, one.parts[0].options, strict=False)) if one.form == "match" else [],
            "picked": [LETTERS[part.right] for part in one.parts] if one.form == "match" else [],
            "model": one.model(),
        }
        for one in quiz.questions
    ]
    page = templates.filled(__file__, "worksheet.html", quiz=quiz, asked=asked, plain=as_plain_html)
    return f"<!doctype html>\n{page}\n".encode()
