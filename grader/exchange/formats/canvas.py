"""Canvas' classic export: QTI 1.2 with Canvas' own question types; `assessment_meta.xml` beside it has more."""

from __future__ import annotations

from pathlib import PurePosixPath

from grader.errors import InputError
from grader.exchange import qti_one, xml_elements
from grader.exchange.formats import qti_1
from grader.exchange.published_questions import PublishedQuiz
from grader.exchange.quiz_files import QuizFile

TITLE = "Canvas (classic quizzes)"
LABELS = ("cc_maxattempts", "original_answer_ids", "assessment_question_identifierref")
"""What Canvas, and whoever writes for it, says of items beside what QTI has."""


def recognize(file: QuizFile) -> int:
    """See `Reads`."""
    if not qti_1.recognize(file):
        return 0
    marked = "canvas.instructure.com" in file.head or any(
        one.text in LABELS for one in file.xml.root.iter("fieldlabel")
    )
    return 3 if marked else 0


def read(file: QuizFile) -> PublishedQuiz:
    """See `Reads`."""
    if file.xml.root.tag != "questestinterop":
        return qti_1.read(file)
    quiz = qti_1.read(file)
    about = _about(file)
    if about is None:
        return quiz
    title = xml_elements.text(about.xml.root.find("title")).strip()
    rest = {"qti": qti_one.rest(file.xml.root), "assessment_meta": xml_elements.raw(about.xml.root)}
    return PublishedQuiz(quiz.questions, title=title or quiz.title, raw=rest)


def _about(file: QuizFile) -> QuizFile | None:
    """What the archive says of the quiz, in a file beside it; None where that is not there or cannot be read."""
    for path, data in file.beside.items():
        if (
            path.endswith("assessment_meta.xml")
            and PurePosixPath(file.name).parent.name == PurePosixPath(path).parent.name
        ):
            found = QuizFile(f"{path}", data)
            try:
                _ = found.xml
            except InputError:
                return None
            return found
    return None
