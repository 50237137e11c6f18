"""jupyterquiz: questions as JSON, in a file of their own, in a hidden element of a notebook, or as a list in its code.

`precision` means decimals before version 2.8 and significant digits since: what is as near as the wider of the two
counts as right.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Iterator
from typing import Any

from grader.errors import InputError
from grader.exchange import dictionaries, pictures
from grader.exchange.exported_questions import SAME, ExportedQuestion, ExportedQuiz, Form, single_cells
from grader.exchange.formats.dictionaries import line_finder
from grader.exchange.html_text import plain_or_html
from grader.exchange.published_questions import PublishedKey, PublishedOption, PublishedQuestion, PublishedQuiz, each
from grader.exchange.quiz_files import QuizFile
from grader.render.markdown import as_plain_html

TITLE = "jupyterquiz"
TYPES = {"multiple_choice": "one", "many_choice": "many", "numeric": "typed", "string": "typed"}
WRITES: dict[Form, str] = {
    "one": SAME,
    "many": SAME,
    "number": SAME,
    "text": SAME,
    "match": "one choice for each row",
    "table": "a number for each cell",
}
HIDDEN = re.compile(r"<(span|div)\b[^<>]{0,300}display\s*:\s*none[^<>]{0,300}>", re.IGNORECASE)


def recognize(file: QuizFile) -> int:
    """See `Reads`."""
    if not any(f'"{name}"' in file.text or f"'{name}'" in file.text or "display_quiz" in file.text for name in TYPES):
        return 0
    return 3 if _records(file)[0] else 0


def read(file: QuizFile) -> PublishedQuiz:
    """See `Reads`."""
    records, rest = _records(file)
    if not records:
        raise InputError(
            f"{file.name}: there is no question of jupyterquiz in it", "each has a `question`, a `type` and `answers`"
        )
    return PublishedQuiz(tuple(each(records, question)), raw=rest)


def _is_ours(record: Any) -> bool:
    return isinstance(record, dict) and record.get("type") in TYPES and "answers" in record


def _records(file: QuizFile) -> tuple[list[tuple[int, Any]], Any]:
    if file.text.lstrip()[:1] not in ("[", "{"):
        return _of_text(file.text), {"source": file.text.split("\n")}
    data = file.json
    if isinstance(data, dict) and isinstance(data.get("cells"), list):
        cells = ["".join(cell.get("source", "")) for cell in data["cells"] if isinstance(cell, dict)]
        return [(1, record) for cell in cells for _, record in _of_text(cell)], data
    listed = data if isinstance(data, list) else next((part for part in data.values() if isinstance(part, list)), [])
    if not any(map(_is_ours, listed)):
        return [], data
    lines = line_finder(file.text)
    rest = {name: part for name, part in data.items() if part is not listed} if isinstance(data, dict) else None
    return [(lines(record), record) for record in listed], rest


def _of_text(text: str) -> list[tuple[int, Any]]:
    """Records in a cell, a page or a Python source."""
    found: list[tuple[int, Any]] = []
    for opened in HIDDEN.finditer(text):
        end = text.find(f"</{opened[1]}>", opened.end())
        if end < 0:
            break
        line = text.count("\n", 0, opened.start()) + 1
        found += [(line, record) for record in _decoded(text[opened.end() : end].strip())]
    if not found and "answers" in text:
        try:
            values = dictionaries.literals(text)
        except SyntaxError:
            values = []
        found = [(line, record) for line, value in values for record in _within(value)]
    return found


def _decoded(text: str) -> list[Any]:
    """Questions as JSON or base64."""
    for form in (text, _base64(text)):
        try:
            data = json.loads(form)
        except (ValueError, RecursionError):
            continue
        return [record for record in data if _is_ours(record)] if isinstance(data, list) else []
    return []


def _base64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""


def _within(value: Any, depth: int = 0) -> Iterator[Any]:
    if _is_ours(value):
        yield value
    elif isinstance(value, list | dict) and depth < 20:
        for part in value if isinstance(value, list) else value.values():
            yield from _within(part, depth + 1)


def question(record: Any) -> PublishedQuestion:
    """A record of jupyterquiz. Raises ValueError, KeyError, TypeError."""
    if not isinstance(record, dict) or record.get("type") not in TYPES:
        kind = record.get("type") if isinstance(record, dict) else record
        raise ValueError(f"`type` is {kind!r}, and not one of {', '.join(TYPES)}")
    stem, code = plain_or_html(record.get("question") or ""), record.get("code") or ""
    if not stem.strip() and not code:
        raise ValueError("it has no question")
    answers = record["answers"]
    if TYPES[record["type"]] == "typed":
        return PublishedQuestion(stem, "typed", keys=tuple(_keys(record, answers)), program=code)
    options = tuple(
        PublishedOption(
            _option(entry),
            bool(entry["correct"]) if "correct" in entry else None,
            plain_or_html(str(entry.get("feedback") or "")),
        )
        for entry in answers
    )
    return PublishedQuestion(stem, "many" if record["type"] == "many_choice" else "one", options=options, program=code)


def _option(entry: dict[str, Any]) -> str:
    text, code = plain_or_html(str(entry.get("answer", "") or "")), entry.get("code") or ""
    if not code:
        return text
    block = f"```python\n{code.rstrip()}\n```" if "\n" in code.strip() else f"`{code.strip()}`"
    return f"{text}\n\n{block}" if text else block


def _keys(record: dict[str, Any], answers: list[dict[str, Any]]) -> Iterator[PublishedKey]:
    """The answers that count as right: values, ranges, texts."""
    precision = record.get("precision")
    for entry in answers:
        if not entry.get("correct"):
            continue
        if entry.get("type") == "range" or ("range" in entry and "value" not in entry):
            low, high = entry["range"]
            yield PublishedKey(f"{low} to {high}")
        elif "value" in entry:
            yield PublishedKey(str(entry["value"]), _tolerance(entry["value"], precision))
        elif "answer" in entry:
            yield PublishedKey(str(entry["answer"]))


def _tolerance(value: Any, precision: Any) -> float | None:
    if type(precision) is not int or not 0 <= precision <= 300 or type(value) not in (int, float):
        return None
    significant = 10.0 ** (math.floor(math.log10(abs(value))) + 1 - precision) / 2 if value else 0.0
    return max(10.0**-precision / 2, significant)


# ---------------------------------------------------------------- writing


def write(quiz: ExportedQuiz) -> bytes:
    """See `Writes`. Texts are HTML, as jupyterquiz takes them; source and license stand in each record."""
    asked = [part for one in quiz.questions for part in (single_cells(one) if one.parts else (one,))]
    about = dict(zip(("source", "license", "notice"), quiz.origin.lines, strict=True))
    records = [_record(one) | about for one in asked]
    return (json.dumps(records, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _record(one: ExportedQuestion) -> dict[str, Any]:
    sort = {"one": "multiple_choice", "many": "many_choice", "number": "numeric", "text": "string"}[one.form]
    stem = _html(pictures.inlined(one))
    common = {"id": one.name, "level": one.level, "skill": one.skill, "question": stem, "type": sort}
    return common | {"answers": [*_answers(one), *_otherwise(one)]}


def _answers(one: ExportedQuestion) -> Iterator[dict[str, Any]]:
    for option in one.options:
        said = _html(as_plain_html(option.feedback, within=True)) if option.feedback else ""
        feedback = {"feedback": said} if said else {}
        yield {"answer": _html(as_plain_html(option.text, within=True)), "correct": bool(option.right), **feedback}
    typed = [(key, True, "Correct.") for key in one.keys]
    typed += [(key, False, _html(as_plain_html(said, within=True))) for key, said in one.wrong if said]
    for key, right, said in typed:
        if one.form == "text":
            yield {"answer": key.text, "correct": right, "match_case": True, "feedback": said}
        elif key.tolerance:
            value = float(key.text)
            ends = [value - key.tolerance, value + key.tolerance]
            yield {"type": "range", "range": ends, "correct": right, "feedback": said}
        else:
            yield {"type": "value", "value": json.loads(key.text), "correct": right, "feedback": said}


def _otherwise(one: ExportedQuestion) -> list[dict[str, Any]]:
    """What is said of every other answer that is typed."""
    if one.form in ("number", "text"):
        said = " ".join(["Not right.", *one.hints[:1]])
        return [{"type": "default", "feedback": _html(as_plain_html(said, within=True))}]
    return []


def _html(text: str) -> str:
    """HTML in which no dollar sign begins a formula."""
    return text.replace("$", "&#36;")
