"""What was found of somebody's questions, as one HTML page and as a JSON document."""

from __future__ import annotations

from typing import Any

from grader.exchange.proving import STATES, Judged, Report
from grader.judging.published import cleaned
from grader.render import markdown
from grader.render.html_fragments import code
from grader.render.templates import filled
from grader.template import brief, printable

LONGEST = 4_000
"""Characters of a text on the page."""

MARKS = {
    "contradicted": "bad", "does not run as printed": "bad", "names something that is not there": "bad",
    "ambiguous": "odd", "warns": "odd", "proven": "good", "not decided": "open",
}  # fmt: skip


def page(report: Report, torch: str) -> str:
    """One HTML file without scripts and without anything from elsewhere."""
    counts = [(state, MARKS[state], number) for state, number in report.counts.items() if number]
    order = sorted(report.questions, key=lambda one: (STATES.index(one.state), one.path, one.line))
    return filled(
        __file__,
        "proof_page.html",
        torch=torch,
        total=len(report.questions),
        runs=report.runs,
        missing=report.missing,
        counts=counts,
        files=list(dict.fromkeys(one.path for one in report.questions)),
        questions=[_question(one) for one in order],
    )


def _words(text: str) -> str:
    """A sentence with code in it as HTML, without links: it has words of a stranger."""
    return markdown.fragment(printable(text), links=False) if text else ""


def _question(one: Judged) -> dict[str, Any]:
    run = one.run
    output = run.stdout if run else ""
    return {
        "id": one.id,
        "where": f"{one.path}:{one.line}",
        "state": one.state,
        "mark": MARKS[one.state],
        "stem": markdown.fragment(one.stem[:LONGEST], links=False),
        "options": [
            {"text": printable(cleaned(option.text[:LONGEST])), "key": option.key, "word": WORDS[option.holds]}
            for option in one.options
        ],
        "said": _words(one.said),
        "wanted": _words(f"Missing: {one.wanted}" if one.wanted else ""),
        "remarks": [_words(remark) for remark in one.remarks],
        "program": code(printable(one.program[:LONGEST])) if one.program else "",
        "computed": "" if one.expression.startswith("run.stdout") else printable(one.expression),
        "gives": printable(one.gives[:LONGEST]),
        "output": printable(output[:LONGEST]) if output.strip() and output.strip("\n") != one.gives else "",
        "warnings": [printable(f"{w.category}: {brief(w.message, 300)}") for w in run.warnings[:5]] if run else [],
    }  # fmt: skip


WORDS = {True: "holds", False: "does not hold", None: ""}


def document(report: Report, torch: str, seconds: float) -> dict[str, Any]:
    """What `grader prove --json` prints."""
    return {
        "format": 1,
        "torch": torch,
        "runs": report.runs,
        "missing": report.missing,
        "counts": dict(report.counts),
        "seconds": round(seconds, 3),
        "questions": [
            {
                "id": one.id,
                "path": one.path,
                "line": one.line,
                "read_as": one.format,
                "state": one.state,
                "stem": one.stem,
                "keys": list(one.keys),
                "gives": one.gives,
                "expression": one.expression,
                "message": one.said,
                "wanted": one.wanted,
                "remarks": list(one.remarks),
                "options": [{"text": o.text, "key": o.key, "holds": o.holds} for o in one.options],
            }
            for one in report.questions
        ],
    }
