"""What a lesson asks, in a book: the question to be read, and the output that it is about folded until it is wanted.

A book cannot judge, so a question says with which command it is answered. The text of a page is changed before MyST
reads it; a page without questions stays as it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grader.content import bank_files, lesson_files
from grader.content.verify import PendingProof
from grader.faces.jupyter import page as pages
from grader.faces.jupyter import static
from grader.faces.service import html_documents
from grader.judging.running_answers import Marker
from grader.learning.question import NotProvenError, Question
from grader.model import Asks, Bank, Cell, Lesson, LessonQuestion, Prediction, by_name
from grader.render import templates
from grader.runner import runners
from grader.runner.cached import RememberingRunner, Store

if TYPE_CHECKING:
    from sphinx.application import Sphinx

Draw = Callable[[Asks], str]
"""The HTML of questions."""


def with_questions(lesson: Lesson, draw: Draw) -> str:
    """The text of a lesson's file with its questions as HTML, and what they ask to predict folded."""
    lines = list(lesson.lines)
    for part in reversed(lesson.parts):  # the last first, so that places hold
        if isinstance(part, Prediction) and part.held.pin:
            first, last = part.held.pin.first - 2, part.held.pin.last + 1
            folded = templates.filled(__file__, "folded.html")
            opened, closed = folded.split("OUTPUT")
            lines[first:last] = [opened, "", *lines[first:last], "", closed]
        if isinstance(part, Prediction | LessonQuestion):
            lines[_fence(lines, part.cell) : part.cell.end] = ["````{raw} html", *draw(part.asks).split("\n"), "````"]
    return "\n".join(lines) + "\n"


def _fence(lines: Sequence[str], cell: Cell) -> int:
    """Where the fence of a cell begins, from 0."""
    return next(place for place in range(cell.line - 1, -1, -1) if lines[place].startswith("```{code-cell}"))


class _Questions:
    """Draws questions of a bank; it is read, and a runner started, with the first one."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._store = Store()
        self._runner = RememberingRunner(self._store, runners.make)
        self._bank: Bank | None = None

    def close(self, *_: object) -> None:
        self._runner.close()
        self._store.close()

    def draw(self, asks: Asks) -> str:
        """The questions as HTML. Raises KeyError where there is no such item: `grader verify` has said so."""
        if self._bank is None:
            self._bank = bank_files.read(bank_files.files([self._home]), self._store)
        items = by_name(self._bank.items)
        drawn = []
        for name in asks.items:
            item, variant = items[name], items[name].variants[asks.variant]
            pending = PendingProof.begin(item, variant, self._runner)
            with contextlib.suppress(NotProvenError):
                prompt = Question(item, variant, pending, Marker(self._runner.inner, 0)).prompt()
                drawn.append({"item": name, "topic": item.topic, "html": static.asked(html_documents.prompt(prompt))})
        return templates.filled(__file__, "questions.html", css=pages.style(), predicts=asks.predicts, drawn=drawn)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx. The lessons lie in a folder of a bank, or `grader_bank` of the configuration names one."""
    app.add_config_value("grader_bank", None, "env")
    made: list[_Questions] = []

    def read(app: Sphinx, name: str, source: list[str]) -> None:
        lesson, _ = lesson_files.parse(source[0], name)
        if lesson and any(isinstance(part, Prediction | LessonQuestion) for part in lesson.parts):
            if not made:
                made.append(_Questions(Path(app.config.grader_bank or Path(app.srcdir).parent)))
            source[0] = with_questions(lesson, made[0].draw)

    def finish(*_: object) -> None:
        for one in made:
            one.close()

    app.connect("source-read", read, priority=100)  # before anything else changes the lines
    app.connect("build-finished", finish)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
