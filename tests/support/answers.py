"""Answers that are known to be right, or to show a mistake: what simulated learners type."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from grader import kinds
from grader.faces.backend import backend
from grader.judging.bodies import Written
from grader.learning.question import Question, mixed_input
from grader.learning.recorder import now
from grader.learning.records import Records
from grader.learning.sitting import Sittings
from grader.model import LETTERS, Bank, Mistake, OrderInput, Response, Result
from grader.runner.cached import RememberingRunner


@dataclass(frozen=True)
class Oracle:
    """Knows what PyTorch says."""

    runner: RememberingRunner

    def sittings(self, bank: Bank, store: Records, clock: Callable[[], datetime]) -> Sittings:
        """Sittings on record, at a time of the test's own."""
        return Sittings(bank, store, backend(self.runner), clock=clock)

    def right(self, question: Question) -> str:
        """A right answer, with options as they are written."""
        return kinds.of(question.item).samples(question.item, question.proof)["right"]

    def typed(self, bank: Bank, db: Path, place: int, *, right: bool = True) -> str:
        """What is typed at a question of the sitting that was begun last, as its options are mixed there."""
        with Records(str(db), write=False) as store:
            sitting = max(store.sittings(), key=lambda one: one.started)
            question = self.sittings(bank, store, now).show(sitting.id, place).question
            if not right:
                return "s"
            written = question.as_written()
            raw = self.right(question)
            response = written.read(raw)
        if isinstance(response, Response) and (letters := question.letters(response.picked)):
            return ", ".join(letters)
        return f"{raw.rstrip()}\n." if kinds.of(question.item).TRAITS.runs_code and "\n" in raw else raw

    def topic_of(self, bank: Bank, db: Path, place: int) -> str:
        """The topic of a question of the sitting that was begun last."""
        with Records(str(db), write=False) as store:
            name, _ = max(store.sittings(), key=lambda one: one.started).plan[place]
        return next(item.topic for item in bank.items if item.id == name)

    def mistaken(self, question: Question, mistake: str) -> list[str]:
        """What somebody with a misconception may answer, options as they are written; nothing where none shows it.

        An option of theirs, the number, value or row that it leads to, the code that it makes them write.
        """
        item, proof, body = question.item, question.proof, question.item.body
        samples = kinds.of(item).samples
        found = []
        if isinstance(body, Written):
            only = question.prompt().inputs[0]
            if isinstance(only, OrderInput):  # numbers of the lines as this question shows them
                proof = replace(proof, mixed=only.lines)
            for wrong in body.wrong:
                if wrong.mistake == mistake:
                    own = replace(item, body=replace(body, reference=wrong.parts))
                    found.append(samples(own, proof)["right"])
            return found
        right = samples(item, proof)["right"]
        if mixed_input(question.prompt()):
            several = {letter.strip() for letter in right.split(",")} if "," in right else set[str]()
            for letter, option in zip(LETTERS, proof.options, strict=False):
                if option.mistake == mistake:
                    found.append(", ".join(sorted({letter, *several})))
                    found.append(letter)
            return found
        own_values = [option.value for option in proof.options if option.mistake == mistake]
        found = [samples(item, replace(proof, answer=value))["right"] for value in own_values]
        if not proof.options:  # rows, each with a letter
            rows = right.split("; ")
            places = itertools.product(range(len(rows)), LETTERS)
            found += ["; ".join([*rows[:row], letter, *rows[row + 1 :]]) for row, letter in places]
        return found

    def holder(self, question: Question, mistake: str, mistakes: Mapping[str, Mistake]) -> Result | None:
        """What comes of the answer of somebody with a misconception; None where none of their answers names it."""
        for raw in self.mistaken(question, mistake):
            result = question.answer(raw, dict(mistakes))
            if result.score.mistake == mistake:
                return result
        return None
