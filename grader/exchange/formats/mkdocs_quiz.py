"""mkdocs-quiz: `<quiz>` in Markdown, with check boxes or `[[blanks]]`; and its older form, `<?quiz?>` with fields.

A quiz that is quoted in a fenced block is shown, and not asked.
"""

from __future__ import annotations

import re
from typing import Any

from grader.exchange import markdown_quizzes as markdown
from grader.exchange.html_text import is_html, plain_or_html
from grader.exchange.published_questions import PublishedKey, PublishedOption, PublishedQuestion, PublishedQuiz, each
from grader.exchange.quiz_files import QuizFile

TITLE = "mkdocs-quiz"
OPEN = re.compile(r"^\s*<(\??)quiz\??>\s*$")
CLOSE = re.compile(r"^\s*<(\??)/quiz\??>\s*$")
BLANK = re.compile(r"\[\[([^\]\n]+)\]\]")


def recognize(file: QuizFile) -> int:
    """See `Reads`."""
    if file.head.lstrip().startswith("<?xml") or "<question" in file.head:
        return 0
    return 3 if ("<quiz>" in file.text or "<?quiz?>" in file.text) and _blocks(file.text)[0] else 0


def read(file: QuizFile) -> PublishedQuiz:
    """See `Reads`."""
    blocks, rest = _blocks(file.text)
    return PublishedQuiz(tuple(each(blocks, _question)), raw={"lines": [line for line in rest if line.strip()]})


def _blocks(text: str) -> tuple[list[tuple[int, Any]], list[str]]:
    """The quizzes outside of fenced blocks with their lines, and all other lines. One that does not end is told."""
    blocks: list[tuple[int, Any]] = []
    rest: list[str] = []
    fence, start, block = "", 0, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        mark = markdown.FENCE.match(line)
        if start:
            block.append(line)
            if CLOSE.match(line) and not _in_fence(block):
                blocks.append((start, {"lines": block}))
                start = 0
        elif fence:
            rest.append(line)
            if mark and mark[1].startswith(fence) and not line.strip().strip("`~"):
                fence = ""
        elif OPEN.match(line):
            start, block = number, [line]
        else:
            fence = mark[1] if mark else ""
            rest.append(line)
    if start:
        blocks.append((start, {"lines": block}))
    return blocks, rest


def _in_fence(lines: list[str]) -> bool:
    return bool(markdown.fenced(lines)[-1])


def _question(record: dict[str, Any]) -> PublishedQuestion:
    first, *lines = record["lines"]
    if not lines or not CLOSE.match(lines[-1]):
        raise ValueError("the quiz does not end: `</quiz>` is missing")
    lines = lines[:-1]
    if "?" in first:
        return _old(lines)
    boxes = list(markdown.checkboxes(lines))
    if not boxes:
        return _blanks("\n".join(lines))
    options = []
    for ticked, written, _, _ in boxes:
        text, feedback = markdown.without_quotes(written)
        options.append(PublishedOption(_shown(text.strip()), ticked, feedback))
    stem = "\n".join(lines[: boxes[0][2]]).strip("\n")
    if not stem.strip():
        raise ValueError("it has no question")
    many = sum(option.right is True for option in options) > 1
    return PublishedQuestion(
        _shown(stem), "many" if many else "one", options=tuple(options),
        explanation="\n".join(lines[boxes[-1][3] :]).strip(),
    )  # fmt: skip


def _blanks(text: str) -> PublishedQuestion:
    stem, _, content = text.partition("\n---\n")
    keys = BLANK.findall(stem)
    if not keys:
        raise ValueError("it has neither options (`- [x] ...`) nor a blank (`[[...]]`)")
    shown = plain_or_html(BLANK.sub("____", stem).strip("\n"))
    if len(keys) > 1:
        return PublishedQuestion(shown, "other", explanation=content.strip())
    return PublishedQuestion(shown, "typed", keys=(PublishedKey(keys[0].strip()),), explanation=content.strip())


def _shown(text: str) -> str:
    """A text as Markdown, which has entities too: where it has several lines, they alone make it no HTML."""
    return text if "\n" in text.strip() and not is_html(text) else plain_or_html(text)


def _old(lines: list[str]) -> PublishedQuestion:
    """`question:`, `answer:`, `answer-correct:`, then `content:`."""
    stem, options, content = "", list[PublishedOption](), list[str]()
    for place, line in enumerate(lines):
        name, colon, value = line.partition(":")
        match name.strip().lower() if colon else "":
            case "question":
                stem = plain_or_html(value.strip())
            case "answer":
                options.append(PublishedOption(plain_or_html(value.strip()), right=False))
            case "answer-correct":
                options.append(PublishedOption(plain_or_html(value.strip()), right=True))
            case "content":
                content = [value.strip(), *lines[place + 1 :]]
                break
            case _ if line.strip() and not options:
                stem = f"{stem}\n{line}"
    if not stem.strip() or not options:
        raise ValueError("it has no `question:` or no `answer:`")
    many = sum(option.right is True for option in options) > 1
    return PublishedQuestion(
        stem, "many" if many else "one", options=tuple(options), explanation="\n".join(content).strip()
    )
