"""QTI 1.2: `<questestinterop>`, as most learning platforms export it."""

from __future__ import annotations

from grader.errors import InputError
from grader.exchange import qti_one
from grader.exchange.published_questions import PublishedQuiz
from grader.exchange.quiz_files import QuizFile

TITLE = "QTI 1.2"


def recognize(file: QuizFile) -> int:
    """See `Reads`."""
    return 2 if file.is_xml and "questestinterop" in file.head and file.xml.root.tag == "questestinterop" else 0


def read(file: QuizFile) -> PublishedQuiz:
    """See `Reads`."""
    root = file.xml.root
    if root.tag != "questestinterop":
        message = f"{file.name}:1: the outermost element is <{root.tag}>, not <questestinterop>"
        raise InputError(message, "give a QTI 1.2 file")
    assessment = root.find(".//assessment")
    title = assessment.get("title", "") if assessment is not None else ""
    return PublishedQuiz(tuple(qti_one.questions(file)), title=title, raw=qti_one.rest(root))
