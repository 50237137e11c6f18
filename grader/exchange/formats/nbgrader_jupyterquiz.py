"""nbgrader-jupyterquiz: Markdown between `#### Quiz` and `#### End Quiz`, in a notebook's cell or a file.

A question is `* (SC) "text"` with fields for code, precision and points; its answers are `+ "text"` or `- <1.5> (why)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from grader.exchange import markdown_quizzes
from grader.exchange.formats import jupyterquiz
from grader.exchange.published_questions import PublishedQuestion, PublishedQuiz, each
from grader.exchange.quiz_files import QuizFile

TITLE = "nbgrader-jupyterquiz"
BEGIN, END = "#### Quiz", "#### End Quiz"
LONGEST = 5_000
"""Characters of a question or an answer over several lines."""

TYPES = {"NM": "numeric", "SC": "multiple_choice", "MC": "many_choice"}
PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">", '"': '"', "```": "```"}


def recognize(file: QuizFile) -> int:
    """See `Reads`."""
    return 3 if BEGIN in file.text and any(record for _, record in _regions(file)[0]) else 0


def read(file: QuizFile) -> PublishedQuiz:
    """See `Reads`."""
    records, rest = _regions(file)
    return PublishedQuiz(tuple(each(records, _question)), raw=rest)


def _regions(file: QuizFile) -> tuple[list[tuple[int, Any]], Any]:
    """The questions of all regions with their lines, and what stands around them."""
    if file.text.lstrip().startswith("{") and '"cells"' in file.text:
        data = file.json
        found: list[tuple[int, Any]] = []
        cells = []
        for cell in data["cells"]:
            source = "".join(cell.get("source", ""))
            inside, rest = _of_text(source)
            found += [(1, record) for _, record in inside]
            cells.append(cell | {"source": rest} if inside else cell)
        return found, data | {"cells": cells}
    inside, rest = _of_text(file.text)
    return inside, {"lines": rest}


def _of_text(text: str) -> tuple[list[tuple[int, Any]], list[str]]:
    found: list[tuple[int, Any]] = []
    rest: list[str] = []
    asking, logical = False, list[tuple[int, str]]()
    fence = ""
    for number, line in enumerate(text.split("\n"), 1):
        mark = markdown_quizzes.FENCE.match(line) if not asking else None
        if fence or mark:  # a quiz that is quoted is shown, and not asked
            ends = mark and fence and mark[1].startswith(fence) and not line.strip().strip("`~")
            fence = "" if ends else fence or (mark[1] if mark else "")
            rest += [line] if line.strip() else []
        elif line.strip().startswith(END):
            found += list(_grouped(logical))
            asking, logical = False, []
            rest.append(line)
        elif line.strip().startswith(BEGIN):
            asking = True
            rest.append(line)
        elif not asking:
            rest += [line] if line.strip() else []
        elif (logical and _open("\n".join(part for _, part in logical[-1:]))) or (
            logical and line.strip().startswith("```")
        ):
            logical[-1] = (logical[-1][0], f"{logical[-1][1]}\n{line}")
        elif line.strip().startswith(("*", "+", "-")):
            logical.append((number, line.strip()))
        elif line.strip():
            if logical and line.startswith((" ", "\t")):
                logical[-1] = (logical[-1][0], f"{logical[-1][1]}\n{line}")
            else:
                rest.append(line)
    found += list(_grouped(logical))
    return found, rest


def _grouped(lines: list[tuple[int, str]]) -> Iterator[tuple[int, Any]]:
    """A question and its answers each."""
    block: list[str] = []
    start = 1
    for number, line in lines:
        if line.startswith("*"):
            if block:
                yield start, {"lines": block}
            block, start = [line], number
        elif block:
            block.append(line)
    if block:
        yield start, {"lines": block}


def _open(text: str) -> bool:
    """Whether a field of a line still waits for its end; one that grows without end is given up."""
    if len(text) > LONGEST:
        return False
    try:
        list(_fields(text.lstrip("*+- ")))
    except ValueError:
        return True
    return False


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """The fields of a line, each with the sign that opens it. Raises ValueError for one that does not end."""
    rest = text.strip()
    while rest:
        left = next((sign for sign in ("```", *PAIRS) if rest.startswith(sign)), None)
        if left is None:
            yield "", rest
            return
        held, rest = _scanned(rest, left, PAIRS[left])
        yield left, held
        rest = rest.strip()


def _scanned(text: str, left: str, right: str) -> tuple[str, str]:
    """What a field holds, and what follows it: brackets of its own sort may be nested in it."""
    depth, out, place = 1, list[str](), len(left)
    while place < len(text):
        if len(left) == 1 and text[place] == "\\" and text[place + 1 : place + 2] in (right, left, "\\"):
            out.append(text[place + 1])
            place += 2
            continue
        if text.startswith(right, place):
            depth -= 1
            if not depth:
                return "".join(out), text[place + len(right) :]
        elif left != right and text[place] == left:
            depth += 1
        out.append(text[place])
        place += 1
    raise ValueError(f"a field that begins with {left} does not end")


def _question(record: dict[str, Any]) -> PublishedQuestion:
    first, *answers = record["lines"]
    made: dict[str, Any] = {"question": "", "answers": []}
    for sign, held in _fields(first.lstrip("* ")):
        match sign:
            case "(":
                if held.strip() not in TYPES:
                    raise ValueError(f"the type is ({held}), and not one of {', '.join(TYPES)}")
                made["type"] = TYPES[held.strip()]
            case '"':
                made["question"] = held
            case "```":
                made["code"] = _code(held)
            case "[":
                made["precision"] = int(held)
            case "":
                raise ValueError(f"`{held[:40]}` belongs to no field; a text stands in quotes")
    if "type" not in made:
        raise ValueError("its type is missing: (SC), (MC) or (NM)")
    made["answers"] = [_answer(line, made["type"]) for line in answers]
    return jupyterquiz.question(made)


def _answer(line: str, sort: str) -> dict[str, Any]:
    made: dict[str, Any] = {"correct": line.startswith("+")}
    for sign, held in _fields(line.lstrip("+- ")):
        match sign:
            case '"':
                made["answer"] = held
            case "```":
                made["code"] = _code(held)
            case "(":
                made["feedback"] = held
            case "<":
                made |= {"value": held.strip(), "type": "value"}
            case "[":
                made |= {"range": [part.strip() for part in held.split(",", 1)], "type": "range"}
            case "" if held.strip():
                raise ValueError(f"`{held[:40]}` belongs to no field; a text stands in quotes")
    return made


def _code(held: str) -> str:
    return held.replace("\\n", "\n").removeprefix("python").strip("\n")
