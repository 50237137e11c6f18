"""What is said of a graded answer in a notebook: as plain text, as HTML with colors of its own, as a comment.

All of it may hold text of students; in HTML and in comments, which nbgrader shows as Markdown, no markup of theirs is
left.
"""

from __future__ import annotations

import html
import io
import re

from grader import template
from grader.faces.words import WORDS
from grader.model import Outcome, Result
from grader.render import charts, grids, html_fragments, markdown, templates

COLORS = ("#333333", "#dddddd", "#1f6fb4", "#c8501e", "#4b7f2e")
"""Text, fine lines, and the curves: legible on white, which nbgrader's feedback is on."""

MANUAL = "It is left to be graded by a person."
NO_ANSWER = "No answer was handed in."


def plain(result: Result, note: str = "") -> str:
    """The verdict as plain text, a chart as its numbers."""
    if result.score.outcome is Outcome.SKIPPED:
        return _joined(NO_ANSWER, note)
    from grader.faces.answer_text import AnswerText
    from grader.render import terminal_text

    out = io.StringIO()
    AnswerText(terminal_text.screen(out, terminal=False), plain=True).verdict_of(result)
    return _joined(out.getvalue().strip("\n"), _left(result), note)


def page(result: Result, note: str = "") -> str:
    """The verdict as HTML: the mistake, where the answer departs, which inputs it is right for, the chart."""
    score = result.score
    right = sum(entry.passed for entry in score.checked)
    words = [("right" if entry.passed else "wrong", template.inputs(entry.inputs)) for entry in score.checked]
    chart = score.chart
    return templates.filled(
        __file__,
        "verdict.html",
        color=COLORS[0],
        word=_word(result),
        feedback=markdown.fragment(score.feedback, links=False),
        details=[markdown.phrase_as_html(text) for text in score.details],
        right=right,
        checked=words if 0 < right < len(words) else [],
        table=score.table,
        grids=grids.lines(score.grids) if score.grids else [],
        chart=chart and {"svg": html_fragments.svg(chart, colors=COLORS), "words": charts.describe(chart)},
        remarks=[text for text in (_left(result), note) if text],
    )


def comment(result: Result, note: str = "") -> str:
    """The verdict in a few words."""
    score = result.score
    if score.outcome is Outcome.SKIPPED:
        return safe(_joined("No response.", note, between=" "))
    said = [_word(result), score.feedback, *score.details[:2], _left(result), note]
    flat = filter(None, (" ".join(text.split()) for text in said))
    return safe(" ".join(text if text[-1] in ".:!?" else f"{text}." for text in flat))


def _word(result: Result) -> str:
    outcome = result.score.outcome
    if outcome is Outcome.SKIPPED:
        return NO_ANSWER
    return WORDS[outcome] + (":" if outcome in (Outcome.UNREADABLE, Outcome.NOT_RUN) else "")


def _left(result: Result) -> str:
    return MANUAL if left(result) else ""


def left(result: Result) -> bool:
    """Whether a person has to look at it, since it could not be read or not be run."""
    return result.score.outcome in (Outcome.UNREADABLE, Outcome.NOT_RUN)


def _joined(*texts: str, between: str = "\n\n") -> str:
    return between.join(filter(None, texts))


def safe(text: str) -> str:
    """Text that means the same as Markdown: no HTML, no code, no links and no pictures."""
    bare = re.sub(r"\]\s*([(\[:])", r"] \1", template.printable(text).replace("`", ""))
    return html.escape(bare, quote=False)
