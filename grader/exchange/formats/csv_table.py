"""Tables as CSV: a row a question, with columns such as `question`, `option_a` to `option_d` or `options`, `answer`."""

from __future__ import annotations

import csv
import io
from typing import Any

from grader.errors import InputError
from grader.exchange import dictionaries
from grader.exchange.published_questions import PublishedQuestion, PublishedQuiz, each
from grader.exchange.quiz_files import QuizFile

TITLE = "CSV"
LONGEST_FIELD = 1 << 20


def recognize(file: QuizFile) -> int:
    """See `Reads`."""
    first = file.head.lstrip("\ufeff").split("\n", 1)[0]
    if file.is_xml or first.lstrip()[:1] in ("{", "[", "#", "<"):
        return 0
    names = [name.strip().strip('"').lower() for name in first.replace("\t", ",").replace(";", ",").split(",")]
    if len(names) < 2 or not set(names) & {*dictionaries.STEM}:
        return 0
    return 2 if dictionaries.looks_like(dict.fromkeys(names, "x")) else 0


def read(file: QuizFile) -> PublishedQuiz:
    """See `Reads`."""
    rows = list(_rows(file))
    if not rows:
        return PublishedQuiz(())
    header = [name.strip() for name in rows[0][1]]
    if dictionaries.field(dict.fromkeys(header, "x"), dictionaries.STEM) is None:
        message = f"{file.name}:1: no column is called `question`"
        raise InputError(message, "name the columns in the first row: question, option_a, option_b, ..., answer")
    records = [(line, _record(header, row)) for line, row in rows[1:] if any(cell.strip() for cell in row)]
    first = dictionaries.counts_from([record for _, record in records if isinstance(record, dict)])

    def one(record: Any) -> PublishedQuestion:
        if not isinstance(record, dict):
            counted = f"the row has {len(record)} fields, and the first row names {len(header)}"
            raise ValueError(f"{counted}; a field with a comma in it stands in quotes")  # noqa: TRY004  (of the file, too)
        return dictionaries.read(record, first)

    return PublishedQuiz(tuple(each(records, one)), raw={"columns": header})


def _record(header: list[str], row: list[str]) -> Any:
    """A row by its columns; as a list where it has more of them, or a quote was not closed."""
    if len(row) > len(header) or len(row) < min(2, len(header)):
        return row
    return {name or f"column {place + 1}": cell for place, (name, cell) in enumerate(zip(header, row, strict=False))}


def _rows(file: QuizFile) -> Any:
    """Rows with the line on which each begins. Raises InputError."""
    text = file.text
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t|", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    before = csv.field_size_limit(LONGEST_FIELD)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        message = f"{file.name}:{line}: the row that begins here is not CSV: {error}"
        raise InputError(message, "double a quote within a field, and put that field in quotes") from None
    finally:
        csv.field_size_limit(before)
