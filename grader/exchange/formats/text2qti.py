"""text2qti: numbered questions in plain text, options as `a)` and `*b)`, `[ ]` and `[*]`; `=` and `*` are typed.

Programs inside a file (fenced blocks with `.python .run`) are text, and never run at import.
"""

from __future__ import annotations

import re
from typing import Any

from grader.exchange.published_questions import PublishedKey, PublishedOption, PublishedQuestion, PublishedQuiz, each
from grader.exchange.quiz_files import QuizFile

TITLE = "text2qti"
NUMBER = re.compile(r"^(\d+)[.)]\s*(.*)$")
OPTION = re.compile(r"^(\*?)([a-zA-Z])\)\s*(.*)$")
BOX = re.compile(r"^\[(\*| ?)\]\s*(.*)$")
TYPED = re.compile(r"^=\s*(.*)$")
SHORT = re.compile(r"^\*\s+(.*)$")
OPEN = re.compile(r"^(?:_{3,}|\^{3,})\s*$")
FEEDBACK = re.compile(r"^(\.\.\.|\+|-)\s+(.*)$")
FENCE = re.compile(r"^\s*(`{3,}|~{3,})(.*)$")


def recognize(file: QuizFile) -> int:
    """See `Reads`."""
    if file.is_xml or file.text.lstrip()[:1] in ("{", "["):
        return 0
    lines = file.text.split("\n")
    numbered = any(NUMBER.match(line) for line in lines)
    marked = any((found := OPTION.match(line)) and found[1] for line in lines)
    marked = marked or any((found := BOX.match(line)) and found[1] == "*" for line in lines)
    titled = any(line.startswith("Quiz title:") for line in lines)
    typed = any(TYPED.match(line) for line in lines)
    return 3 if numbered and titled else 2 if numbered and marked else 1 if numbered and typed else 0


def read(file: QuizFile) -> PublishedQuiz:
    """See `Reads`."""
    records: list[tuple[int, Any]] = []
    rest: list[str] = []
    block: list[str] | None = None
    fence = ""
    title = ""
    before: list[str] = []
    for number, line in enumerate(file.text.split("\n"), 1):
        mark = FENCE.match(line)
        if fence:
            (rest if block is None else block).append(line)
            fence = "" if mark and mark[1].startswith(fence) and not mark[2].strip() else fence
            continue
        if mark:
            fence = mark[1]
            if not line.startswith((" ", "\t")):  # a program that makes questions, or a comment: text
                rest.append(line)
                block = None
                continue
        if NUMBER.match(line):
            block = [*before, line]
            before = []
            records.append((number, {"lines": block}))
        elif not line.strip():
            if block is not None:
                block.append(line)
        elif line.startswith(("Title:", "Points:")):
            before, block = [*before, line], None
        elif block is not None and not _outside(line):
            block.append(line)
        else:
            block = None
            if line.startswith("Quiz title:"):
                title = line.partition(":")[2].strip()
            rest.append(line)
    return PublishedQuiz(tuple(each(records, _question)), title=title, raw={"lines": [*rest, *before]})


def _outside(line: str) -> bool:
    """Whether a line of the wrapper belongs to no question."""
    return bool(
        re.match(r"(?:Quiz title|Quiz description|Text title|Text|pick|points per question|shuffle answers"
                 r"|show correct answers|one question at a time|can't go back|feedback is solution"
                 r"|solutions sample groups|solutions randomize groups):|GROUP$|END_GROUP$|%|COMMENT$|END_COMMENT$",
                 line)
    )  # fmt: skip


def _question(record: dict[str, Any]) -> PublishedQuestion:
    """A block of lines; what is indented goes on with what stands before it."""
    parts: list[tuple[str, bool, list[str]]] = []
    for line in record["lines"]:
        if line.startswith(("Title:", "Points:")):
            continue
        kind, marked, text = _kind(line, begun=bool(parts))
        if kind == "more":
            parts[-1][2].append(line)
        else:
            parts.append((kind, marked, [text]))
    stem = "\n\n".join(_text(lines) for kind, _, lines in parts if kind == "stem")
    if not stem.strip():
        raise ValueError("it has no question")
    keys = [_text(lines) for kind, _, lines in parts if kind in ("typed", "short")]
    options: list[PublishedOption] = []
    explanation: list[str] = []
    for kind, marked, lines in parts:
        if kind in ("option", "box"):
            options.append(PublishedOption(_text(lines), marked))
        elif kind == "feedback":
            if options:
                last = options.pop()
                options.append(PublishedOption(last.text, last.right, f"{last.feedback}\n{_text(lines)}".strip()))
            else:
                explanation.append(_text(lines))
    kinds = {kind for kind, _, _ in parts}
    common: dict[str, Any] = {"explanation": "\n".join(explanation)}
    if options:
        return PublishedQuestion(stem, "many" if "box" in kinds else "one", options=tuple(options), **common)
    if keys:
        made = [_typed(key) if "typed" in kinds else PublishedKey(key) for key in keys]
        return PublishedQuestion(stem, "typed", keys=tuple(made), **common)
    return PublishedQuestion(stem, "other", **common)


def _kind(line: str, *, begun: bool) -> tuple[str, bool, str]:
    """What a line begins, whether it is marked as right, and its text."""
    if begun and (not line.strip() or line.startswith((" ", "\t"))):
        return "more", False, ""
    if found := BOX.match(line):
        return "box", found[1] == "*", found[2]
    if found := OPTION.match(line):
        return "option", bool(found[1]), found[3]
    if found := TYPED.match(line):
        return "typed", True, found[1]
    if OPEN.match(line):
        return "open", False, line
    if begun and (found := FEEDBACK.match(line)):
        return "feedback", False, found[2]
    if begun and (found := SHORT.match(line)):
        return "short", True, found[1]
    if found := NUMBER.match(line):
        return "stem", False, found[2]
    return ("more", False, "") if begun else ("stem", False, line)


def _text(lines: list[str]) -> str:
    """The text of a chunk: its first line, and the others without what they are all indented by."""
    import textwrap

    return (
        "\n".join([lines[0], *textwrap.dedent("\n".join(lines[1:])).split("\n")]).strip()
        if lines[1:]
        else lines[0].strip()
    )


def _typed(text: str) -> PublishedKey:
    """`1.41 +- 0.01`, `[1, 2]`, or a number."""
    text = text.strip()
    if found := re.fullmatch(r"\[\s*([^,\[\]]+?)\s*,\s*([^,\[\]]+?)\s*\]", text):
        return PublishedKey(f"{found[1]} to {found[2]}")
    value, _, margin = (part.strip() for part in text.partition("+-"))
    if not margin:
        return PublishedKey(value)
    number = float(margin.rstrip("%"))
    return PublishedKey(value, abs(float(value) * number / 100) if margin.endswith("%") else number)
