"""quizdown: Markdown in which each heading is a question, with check boxes below it.

Also the older tool of that name, whose questions are parted by lines and whose options are letters: `1. [x] ...`.
"""

from __future__ import annotations

import re
from typing import Any

from grader.exchange import markdown_quizzes as markdown
from grader.exchange.published_questions import PublishedOption, PublishedQuestion, PublishedQuiz, each
from grader.exchange.quiz_files import QuizFile

TITLE = "quizdown"
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
RULE = re.compile(r"^-{3,}\s*$")
NUMBERED = re.compile(r"^\s{0,3}\d+[.)]\s+(?!\[)(.*)$")
BOX = re.compile(r"^(\s{0,3})\d+[.)]\s+(?=\[[xX ]?\])")
"""A check box in a numbered list."""


def recognize(file: QuizFile) -> int:
    """See `Reads`."""
    if file.is_xml or file.text.lstrip()[:1] in ("{", "[") or "<quiz>" in file.text or "#### Quiz" in file.text:
        return 0
    lines = _lines(file.text)
    inside = markdown.fenced(lines)
    boxes = sum(bool(markdown.CHECKBOX.match(line)) and not inside[place] for place, line in enumerate(lines))
    ticked = re.search(r"^[ \t]*[-*+][ \t]*\[[xX]\]", "\n".join(lines), re.MULTILINE)
    return 1 if boxes > 1 and ticked and any(HEADING.match(line) for line in lines) else 0


def read(file: QuizFile) -> PublishedQuiz:
    """See `Reads`."""
    lines = _lines(file.text)
    inside = markdown.fenced(lines)
    starts = [place for place, line in enumerate(lines) if HEADING.match(line) and not inside[place]]
    blocks = list(zip(starts, [*starts, len(lines)][1:], strict=True))
    asked = [(first, end) for first, end in blocks if _asks(lines[first + 1 : end])]
    taken = {place for first, end in asked for place in range(first, end)}
    rest = [line for place, line in enumerate(lines) if place not in taken and line.strip()]
    records = [(first + 1, {"lines": lines[first:end]}) for first, end in asked]
    title = next((found[1] for line in rest if (found := HEADING.match(line))), "")
    return PublishedQuiz(tuple(each(records, _question)), title=title, raw={"lines": rest})


def _lines(text: str) -> list[str]:
    return [BOX.sub(r"\1- ", line) for line in text.split("\n")]


def _asks(lines: list[str]) -> bool:
    return any(True for _ in markdown.checkboxes(lines)) or sum(bool(NUMBERED.match(line)) for line in lines) > 1


def _question(record: dict[str, Any]) -> PublishedQuestion:
    heading, *lines = record["lines"]
    title = HEADING.match(heading)
    lines, _ = _without_settings(lines)
    boxes = list(markdown.checkboxes(lines))
    if not boxes:
        text, hint = markdown.without_quotes("\n".join(line for line in lines if not NUMBERED.match(line)))
        return PublishedQuestion(
            f"{title[1] if title else ''}\n\n{text}".strip(), "other", hints=(hint,) if hint else ()
        )
    stem, hint = markdown.without_quotes("\n".join(lines[: boxes[0][2]]))
    after = "\n".join(line for line in lines[boxes[-1][3] :] if not RULE.match(line)).strip()
    options = []
    for ticked, written, _, _ in boxes:
        text, feedback = markdown.without_quotes(written)
        options.append(PublishedOption(text.strip(), ticked, feedback))
    many = sum(option.right is True for option in options) > 1
    return PublishedQuestion(
        f"{title[1] if title else ''}\n\n{stem}".strip(), "many" if many else "one", options=tuple(options),
        hints=(hint,) if hint else (), explanation=after,
    )  # fmt: skip


def _without_settings(lines: list[str]) -> tuple[list[str], list[str]]:
    """Lines without a block of settings between two rules at their start, and that block."""
    start = next((place for place, line in enumerate(lines) if line.strip()), None)
    if start is None or not RULE.match(lines[start]):
        return lines, []
    end = next((place for place in range(start + 1, len(lines)) if RULE.match(lines[place])), None)
    settings = lines[start + 1 : end] if end else []
    if end is None or not all(not line.strip() or re.match(r"\s*[\w-]+\s*:", line) for line in settings):
        return lines, []
    return lines[end + 1 :], settings
