"""Lists of dictionaries in JSON or Python, such as `[{"question": ..., "options": [...], "answer": ...}]`."""

from __future__ import annotations

from typing import Any

from grader.errors import InputError
from grader.exchange import dictionaries
from grader.exchange.published_questions import PublishedQuestion, PublishedQuiz, each
from grader.exchange.quiz_files import QuizFile

TITLE = "a list of dictionaries"


def recognize(file: QuizFile) -> int:
    """See `Reads`."""
    if _is_json(file):
        return 2 if next(dictionaries.questions_in(file.json), None) is not None else 0
    if file.is_xml or file.suffix in (".md", ".qmd", ".csv", ".tsv", ".gift", ".toml"):
        return 0
    if "{" not in file.text or not any(
        name in file.text for name in ('"question"', "'question'", "'q'", '"q"', "stem", "prompt")
    ):
        return 0
    return 2 if _records(file)[0] else 0


def read(file: QuizFile) -> PublishedQuiz:
    """See `Reads`."""
    records, rest = _records(file)
    if not records:
        raise InputError(f"{file.name}: there is no list of questions in it", "each is a dictionary with a `question`")
    first = dictionaries.counts_from([record for _, record in records])

    def one(record: Any) -> PublishedQuestion:
        return dictionaries.read(record, first)

    return PublishedQuiz(tuple(each(records, one)), title=_title(rest), raw=rest)


def _is_json(file: QuizFile) -> bool:
    return file.text.lstrip()[:1] in ("[", "{") and file.suffix != ".py"


def _title(rest: Any) -> str:
    title = rest.get("title") or rest.get("name") if isinstance(rest, dict) else ""
    return title if isinstance(title, str) else ""


def _records(file: QuizFile) -> tuple[list[tuple[int, Any]], Any]:
    """The records with their lines, and what else is in the file."""
    if _is_json(file):
        data = file.json
        found = list(dictionaries.questions_in(data))
        beside = _siblings(data, {id(record) for record in found})
        lines = line_finder(file.text)
        return [(lines(record), record) for record in beside], _without(data, {id(record) for record in beside})
    try:
        values = dictionaries.literals(file.text)
    except SyntaxError as error:
        message = f"{file.name}:{error.lineno or 1}: this is not Python: {error.msg}"
        raise InputError(message, "the file may have been cut off") from None
    records, seen = [], set[str]()
    lines = line_finder(file.text)
    for _, value in values:
        inside = _siblings(value, {id(record) for record in dictionaries.questions_in(value)})
        fresh = [record for record in inside if repr(record) not in seen]  # a list in a call in an assignment
        seen |= {repr(record) for record in fresh}
        records += [(lines(record), record) for record in fresh]
    return records, {"source": file.text.split("\n")}


def _siblings(data: Any, known: set[int], depth: int = 0) -> list[Any]:
    """The records that look like questions and what stands in a list beside them, in order: odd ones are told."""
    if depth > 30:
        return []
    if id(data) in known:
        return [data]
    parts = list(data.values()) if isinstance(data, dict) else data if isinstance(data, list) else []
    if isinstance(data, list) and sum(id(part) in known for part in parts) * 2 > len(parts):
        return list(parts)
    return [one for part in parts for one in _siblings(part, known, depth + 1)]


def _without(data: Any, taken: set[int]) -> Any:
    """JSON data without the records that were taken as questions."""
    if isinstance(data, dict):
        return {name: _without(part, taken) for name, part in data.items() if id(part) not in taken}
    if isinstance(data, list):
        return [_without(part, taken) for part in data if id(part) not in taken]
    return data


def line_finder(text: str) -> Any:
    """Says on which line a record of a text begins, by its first text; each call looks further on."""
    import json

    at = 0

    def find(record: Any) -> int:
        nonlocal at
        parts = record.values() if isinstance(record, dict) else ()
        said = next((part for part in parts if isinstance(part, str) and part), "")
        first = next(iter(said.split("\n")))
        for form in (json.dumps(said, ensure_ascii=False), json.dumps(said), said, first):
            place = text.find(form, at) if form.strip() else -1
            if place >= 0:
                at = place + len(form)
                return text.count("\n", 0, place) + 1
        return text.count("\n", 0, at) + 1

    return find
