"""The formats of quizzes, one file each: a module with what `Reads` names, what `Writes` names, or both.

Adding a file adds a format; other packages add theirs through the entry-point group `grader.formats`. Which format a
file has is found by its content: names of files lie about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Protocol, cast

from grader.errors import InputError, did_you_mean
from grader.exchange.exported_questions import ExportedQuiz, Form
from grader.exchange.published_questions import PublishedQuiz
from grader.exchange.quiz_files import QuizFile
from grader.plugins import Seam

MOST_QUESTIONS = 5_000
"""In one file."""


class Reads(Protocol):
    """What a format knows that quizzes are read from. Nothing of a file is ever run."""

    TITLE: str
    """What people call it."""

    def recognize(self, file: QuizFile) -> int:
        """How sure it is that a file has this format: 0 not, 1 perhaps, 2 likely, 3 by its own marks."""
        ...

    def read(self, file: QuizFile) -> PublishedQuiz:
        """The questions of a file, and all else that it says. Raises InputError with the place."""
        ...


class Writes(Protocol):
    """What a format knows that questions are written to."""

    TITLE: str
    """What people call it."""

    WRITES: Mapping[Form, str]
    """What becomes of each form: `SAME` where `read` gives the same claims again, else what it is written as.

    A form that is not in it is not written.
    """

    def write(self, quiz: ExportedQuiz) -> bytes:
        """A file with these questions, none of a form that it does not write. Raises InputError."""
        ...


SEAM = Seam("format", __name__, __path__, ("TITLE",))
"""Where formats are found."""


def readers() -> tuple[str, ...]:
    """The formats that are read, those of other packages included."""
    return tuple(name for name in SEAM.names() if _has(name, "read", "recognize"))


def writers() -> tuple[str, ...]:
    """The formats that are written, those of other packages included."""
    return tuple(name for name in SEAM.names() if _has(name, "write", "WRITES"))


def reader(name: str) -> Reads:
    """The format of this name that files are read from. Raises InputError for one that is not there."""
    return cast("Reads", _one_of(name, readers()))


def writer(name: str) -> Writes:
    """The format of this name that files are written in. Raises InputError for one that is not there."""
    return cast("Writes", _one_of(name, writers()))


def _one_of(name: str, known: tuple[str, ...]) -> ModuleType:
    if name in SEAM.names():
        module = SEAM.module(name)  # says what is wrong with one of another package
        if name in known:
            return module
    hint = did_you_mean(name, known) or f"the formats are {', '.join(known)}"
    raise InputError(f"there is no format `{name}`", hint)


def _has(name: str, *wanted: str) -> bool:
    """Whether a format has these; one that cannot be loaded has nothing."""
    try:
        return all(hasattr(SEAM.module(name), one) for one in wanted)
    except InputError:
        return False


def recognized(file: QuizFile) -> str | None:
    """The format that a file most likely has; None where no format knows it."""
    sure = {name: _sureness(name, file) for name in readers()}
    best = max(sure, key=lambda name: sure[name])
    return best if sure[best] else None


def _sureness(name: str, file: QuizFile) -> int:
    """How sure a format is; not at all of what it cannot read even that far."""
    try:
        return reader(name).recognize(file)
    except (InputError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return 0


def read(file: QuizFile, name: str | None = None) -> tuple[str, PublishedQuiz] | None:
    """The format of a file and its questions; None for a file of a folder that is no quiz. Raises InputError.

    `name` settles the format.
    """
    known = name or recognized(file)
    if known is None:
        if not file.asked:
            return None
        if file.is_xml:
            _ = file.xml  # says what is wrong with it, if something is
        elif file.suffix in (".json", ".ipynb"):
            _ = file.json
        else:
            _ = file.text
        listed = ", ".join(readers())
        raise InputError(
            f"{file.name}: this is not a quiz of a format that is known", f"say which with --from: {listed}"
        )
    try:
        quiz = reader(known).read(file)
    except RecursionError:
        raise InputError(f"{file.name}: it is nested too deeply", "export the file again") from None
    if len(quiz.questions) > MOST_QUESTIONS:
        message = (
            f"{file.name}: there are {len(quiz.questions):,} questions in it, and {MOST_QUESTIONS:,} are read at most"
        )
        raise InputError(message, "export fewer at a time")
    if not quiz.questions and (file.asked or name):
        message = f"{file.name}: there is no question in it, read as {reader(known).TITLE}"
        raise InputError(message, f"say with --from what it is: {', '.join(readers())}")
    return (known, quiz) if quiz.questions else None
