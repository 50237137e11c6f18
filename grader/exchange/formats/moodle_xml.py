"""Moodle XML: `<quiz>` with questions of several types; those of CodeRunner hold an answer and its tests."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from grader.errors import InputError
from grader.exchange import pictures, xml_elements
from grader.exchange.exported_questions import SAME, ExportedQuestion, ExportedQuiz, Form, decimal, shares
from grader.exchange.html_text import markdown
from grader.exchange.published_questions import (
    PublishedKey,
    PublishedOption,
    PublishedQuestion,
    PublishedQuiz,
    Tested,
    each,
)
from grader.exchange.quiz_files import QuizFile
from grader.render import templates
from grader.render.markdown import as_plain_html

TITLE = "Moodle XML"
NO_QUESTIONS = ("category", "description")
WRITES: dict[Form, str] = {
    "one": SAME,
    "many": SAME,
    "number": SAME,
    "text": SAME,
    "match": "matching",
    "table": "a Cloze question",
    "written": "an essay",
}


def recognize(file: QuizFile) -> int:
    """See `Reads`."""
    if not file.is_xml or "<quiz" not in file.head:
        return 0
    return 3 if file.xml.root.tag == "quiz" and file.xml.root.find("question") is not None else 0


def read(file: QuizFile) -> PublishedQuiz:
    """See `Reads`."""
    root = file.xml.root
    if root.tag != "quiz":
        raise InputError(f"{file.name}:1: the outermost element is <{root.tag}>, not <quiz>", "export as Moodle XML")
    asked = [child for child in root if child.tag == "question" and child.get("type") not in NO_QUESTIONS]
    rest = [xml_elements.raw(child) for child in root if child not in asked]
    questions = each(((file.xml.line(one), one) for one in asked), _question)
    return PublishedQuiz(tuple(_with_raw(one) for one in questions), raw=rest)


def _with_raw(question: PublishedQuestion) -> PublishedQuestion:
    from dataclasses import replace

    return replace(question, raw=xml_elements.raw(question.raw))


def _text(element: Element | None) -> str:
    """The text of an element that has a `<text>` in it, as Markdown."""
    if element is None:
        return ""
    inside = element.find("text")
    said = xml_elements.text(element if inside is None else inside).strip("\n")
    return markdown(said) if element.get("format", "html") in ("html", "moodle_auto_format") else said.strip()


def _fraction(answer: Element) -> float:
    return float(answer.get("fraction") or 0)


def _question(record: Element) -> PublishedQuestion:
    sort = record.get("type", "")
    stem = _text(record.find("questiontext"))
    common: dict[str, Any] = {"explanation": _text(record.find("generalfeedback"))}
    answers = record.findall("answer")
    match sort:
        case "multichoice" | "multichoiceset" | "truefalse":
            return _choice(record, stem, answers, common)
        case "shortanswer" | "numerical":
            keys = [
                PublishedKey(
                    _text(one).replace(r"\*", "*")  # a bare star stands for any text
                    if sort == "shortanswer"
                    else xml_elements.text(one.find("text")).strip(),
                    _near(one),
                )
                for one in answers
                if _fraction(one) >= 100
            ]
            return PublishedQuestion(stem, "typed", keys=tuple(keys), **common)
        case "coderunner":
            tests = tuple(
                Tested(_code(test, "testcode"), _code(test, "expected"))
                for test in record.iterfind("testcases/testcase")
            )
            answer = xml_elements.text(record.find("answer")).strip("\n")
            begun = xml_elements.text(record.find("answerpreload")).strip("\n")
            return PublishedQuestion(stem, "code", program=begun, answer=answer, tests=tests, **common)
    return PublishedQuestion(stem, "other", **common)


def _choice(record: Element, stem: str, answers: list[Element], common: dict[str, Any]) -> PublishedQuestion:
    single = xml_elements.text(record.find("single")).strip().lower() not in ("false", "0")
    options = tuple(
        PublishedOption(_text(one).capitalize() if record.get("type") == "truefalse" else _text(one),
                        _fraction(one) > 0 and (not single or _fraction(one) >= 100), _text(one.find("feedback")))
        for one in answers
    )  # fmt: skip
    right = sum(option.right is True for option in options)
    if not right:
        options = tuple(PublishedOption(option.text, None, option.feedback) for option in options)
    several = not single or record.get("type") == "multichoiceset"
    return PublishedQuestion(stem, "many" if several else "one", options=options, **common)


def _near(answer: Element) -> float | None:
    tolerance = answer.find("tolerance")
    said = xml_elements.text(tolerance).strip()
    return float(said) if said else None


def _code(test: Element, name: str) -> str:
    """Text of a test as it stands."""
    inside = test.find(f"{name}/text")
    return xml_elements.text(inside if inside is not None else test.find(name)).strip("\n")


# ---------------------------------------------------------------- writing

TYPES: dict[Form, str] = {
    "one": "multichoice", "many": "multichoice", "number": "numerical", "text": "shortanswer", "match": "matching",
    "table": "cloze", "written": "essay",
}  # fmt: skip
"""What Moodle calls each form."""


def write(quiz: ExportedQuiz) -> bytes:
    """See `Writes`. A category for each topic; figures are files of their question."""
    topics = [
        {"name": f"$course$/{topic.replace('/', '//')}", "questions": list(map(_filled, questions))}
        for topic, questions in quiz.by_topic().items()
    ]
    made = templates.filled(
        __file__, "moodle_xml_quiz.xml", title=quiz.title, origin=quiz.origin.lines, topics=topics,
        about="".join(f"<p>{html.escape(line)}</p>" for line in quiz.origin.lines),
    )  # fmt: skip
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{made}\n'.encode()


def _filled(one: ExportedQuestion) -> dict[str, Any]:
    drawn = pictures.files(one)
    shown = pictures.as_html(one, {name: f"@@PLUGINFILE@@/{name}" for name, _ in drawn})
    if one.form == "table":
        shown += _cloze(one)
    return {
        "type": TYPES[one.form],
        "name": one.name,
        "tags": (one.level, one.skill),
        "text": shown,
        "files": [(name, pictures.base64(svg)) for name, svg in drawn],
        "feedback": as_plain_html(one.explanation) if one.explanation else "",
        "hints": [as_plain_html(hint) for hint in one.hints],
        "single": one.form == "one",
        "shuffle": not one.fixed,
        "answers": list(_answers(one)),
        "pairs": list(_pairs(one)),
        "starter": one.starter,
        "model": as_plain_html(one.model()) if one.form == "written" else "",
    }


def _answers(one: ExportedQuestion) -> Iterator[tuple[float, str, float | None, str]]:
    """Share of the points, text, tolerance and feedback of each answer."""
    share = shares(sum(option.right is True for option in one.options)) if one.form == "many" else 100.0
    wrong = -share if one.form == "many" else 0
    for option in one.options:
        said = as_plain_html(option.feedback) if option.feedback else ""
        yield share if option.right else wrong, as_plain_html(option.text, within=True), None, said
    typed = [(100.0, key, "") for key in one.keys] + [(0.0, key, said) for key, said in one.wrong]
    for points, key, said in typed:
        text = key.text if one.form == "number" else key.text.replace("*", r"\*")
        yield points, text, key.tolerance or 0, as_plain_html(said) if said else ""


def _pairs(one: ExportedQuestion) -> Iterator[tuple[str, str]]:
    """What belongs together; values that nothing has come last, beside nothing. Values are plain text in Moodle."""
    if one.form != "match":
        return
    used = {part.right for part in one.parts}
    for part in one.parts:
        yield as_plain_html(part.label, within=True), _plain(part.options[part.right])
    yield from (("", _plain(text)) for place, text in enumerate(one.parts[0].options) if place not in used)


def _plain(text: str) -> str:
    return re.sub(r"^(`+) ?(.*?) ?\1$", r"\2", text)


def _cloze(one: ExportedQuestion) -> str:
    """A table with a field for each number."""
    fields = [f"{{1:NUMERICAL:={part.key.text}:{decimal(part.key.tolerance or 0)}}}" for part in one.parts]
    columns = list(dict.fromkeys(part.cell[1] for part in one.parts if part.cell))
    if columns:
        rows = list(dict.fromkeys(part.cell[0] for part in one.parts if part.cell))
        width = len(columns)
        table = [(row, fields[place * width : (place + 1) * width]) for place, row in enumerate(rows)]
    else:
        table = [(part.label, [field]) for part, field in zip(one.parts, fields, strict=True)]
    return templates.filled(__file__, "cells.html", columns=columns, rows=table)
