"""What a face asks through: the questions of one sitting. What may be done, and what is kept, is the sitting's.

Plug-ins may import from here what `__all__` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grader.errors import InputError
from grader.faces.service.documents import remark
from grader.faces.words import WORDS
from grader.learning.explanation import explain
from grader.learning.modes import JUDGED
from grader.learning.question import NotProvenError
from grader.learning.sitting import Sittings
from grader.learning.sitting_view import SittingQuestion
from grader.model import (
    LETTERS,
    ChooseMany,
    ChooseOne,
    CodeInput,
    Input,
    Labeled,
    Mistake,
    NumberInput,
    OrderInput,
    Outcome,
    Prompt,
    TextInput,
)

__all__ = [
    "LETTERS",
    "ChooseMany",
    "ChooseOne",
    "CodeInput",
    "Desk",
    "Input",
    "Labeled",
    "NumberInput",
    "OrderInput",
    "Prompt",
    "TextInput",
    "Told",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What may be said of an answer now. Texts are Markdown."""

    outcome: str
    """`correct`, `partly`, `incorrect`, `unreadable`, `not-run`, `skipped`; `noted` in a test before its end."""
    word: str
    """The same for people: `Right.`"""
    points: float | None = None
    """From 0 to 1; None where nothing was judged, or it is not said yet."""
    mistake: str | None = None
    """The id of the misconception that was recognized."""
    feedback: str = ""
    details: tuple[str, ...] = ()
    """More to say, a paragraph each."""
    remark: str = ""
    """Why the answer does not count, where it does not."""
    final: bool = False
    """The question takes no more answers."""
    solution: tuple[str, ...] = ()
    """The steps to the answer, once there are no more answers."""
    answer: tuple[Labeled, ...] = ()
    """The right answer, once there are no more answers."""


class Desk:
    """The questions of one sitting, by their places from 0. Methods raise InputError for what cannot be done."""

    def __init__(self, sittings: Sittings, sitting: str, mistakes: Mapping[str, Mistake]) -> None:
        self._sittings, self._name, self._mistakes = sittings, sitting, dict(mistakes)

    @property
    def title(self) -> str:
        """What is asked: the name of a topic, or of the only question."""
        return self._sittings.view(self._name).title

    def open(self) -> list[int]:
        """The places of questions that take answers; after an answer there may be more of them, or fewer."""
        return [entry.place for entry in self._sittings.view(self._name).asked if not entry.final]

    def prompt(self, place: int) -> Prompt:
        """A question as it is asked; its time begins."""
        try:
            return self._sittings.ask(self._name, place).question.prompt()
        except NotProvenError as error:
            raise InputError(f"question {place + 1} cannot be asked: {error}", "`grader verify` says more") from None

    def tries(self, place: int) -> int:
        """How often a question has been answered."""
        return self._sittings.show(self._name, place).tries

    def hint(self, place: int) -> str | None:
        """One more hint, as Markdown; None where there are no more, or none are given in this sitting."""
        before = self._sittings.show(self._name, place).hints
        if self._sittings.view(self._name).exam:
            return None
        after = self._sittings.hint(self._name, place).hints
        return after[-1] if len(after) > len(before) else None

    def turn(self, place: int) -> tuple[str, ...]:
        """The back of a card (a prompt that `reveals`), as paragraphs of Markdown."""
        return self._sittings.turn(self._name, place).question.proof.solution

    def answer(self, place: int, raw: str, token: str | None = None) -> Told:
        """Judge an answer, and put it on record; one that cannot be read is told as `unreadable` and not counted.

        `token` is the answer's own, at most 64 characters: sent again, it is told the same and counts once.
        """
        tries = self.tries(place) if token is not None else None
        return self._told(self._sittings.answer(self._name, place, raw, tries=tries, token=token))

    def give_up(self, place: int) -> Told:
        """Skip a question, or end it after wrong answers, and explain it."""
        return self._told(self._sittings.solution(self._name, place))

    def _told(self, entry: SittingQuestion) -> Told:
        view, result = self._sittings.view(self._name), entry.result
        if result is None:
            return Told("skipped", WORDS[Outcome.SKIPPED], final=entry.final, remark=remark(entry))
        score = result.score
        if view.exam and not view.over and score.outcome in (*JUDGED, Outcome.SKIPPED):
            return Told("noted", "Noted.", final=entry.final, remark=remark(entry))
        said = explain(entry.question, result, self._mistakes) if entry.final else None
        return Told(
            score.outcome.value, WORDS[score.outcome], score.points, score.mistake, score.feedback, score.details,
            remark(entry), entry.final, said.solution if said else (), said.answer if said else (),
        )  # fmt: skip
