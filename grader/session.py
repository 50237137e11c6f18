"""One sitting: which questions are asked, in which order, and what becomes of each answer.

No input, output, clock or chance of its own: questions and seeds are given, proofs are asked for when they are needed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Protocol

from grader import kinds, marking, picking, template
from grader.judging import equal
from grader.marking import Marker, OwnCode
from grader.model import (
    Bank,
    Item,
    Mistake,
    Outcome,
    Pick,
    Prompt,
    Proof,
    Response,
    Result,
    Score,
    Unreadable,
    Variant,
)
from grader.template import show


class Proving(Protocol):
    """Runs that are under way."""

    def done(self) -> bool: ...

    def proof(self) -> Proof: ...


class NotProvenError(Exception):
    """A question's claims do not hold (or could not be run), so that no answer can be judged."""

    def __init__(self, proof: Proof) -> None:
        super().__init__(str(proof.findings[0]))
        self.proof = proof


@dataclass(slots=True)
class Question:
    """One item being asked."""

    item: Item
    variant: Variant
    proving: Proving
    marker: Marker
    shuffle: int | None = None
    """Seed for the order of options; None keeps the written order."""
    hints_used: int = 0
    _proof: Proof | None = field(default=None)
    _solved: tuple[str, ...] = ()

    @property
    def proof(self) -> Proof:
        """What was proven of this variant. Raises NotProvenError where that is not all of it."""
        if self._proof is None:
            proof = self.proving.proof()
            if proof.findings:
                raise NotProvenError(proof)
            self._proof = proof
        return self._proof

    @property
    def ready(self) -> bool:
        """Whether the proof is there without waiting."""
        return self._proof is not None or self.proving.done()

    @property
    def waits(self) -> bool:
        """Whether the question cannot be shown before its runs have ended."""
        return kinds.get(self.item.kind).prompt(self.item, self.variant, None) is None

    @property
    def order(self) -> tuple[int, ...]:
        """The places of the options in the order in which they are shown."""
        places = list(range(len(self.item.options)))
        if self.shuffle is not None:
            random.Random(f"{self.shuffle}\0{self.item.id}").shuffle(places)  # noqa: S311  (reproducible, no secret)
        return tuple(places)

    def prompt(self) -> Prompt:
        """What the learner sees. Waits for the runs only where numbers to be shown come from them."""
        kind = kinds.get(self.item.kind)
        prompt = kind.prompt(self.item, self.variant, self._proof) or kind.prompt(self.item, self.variant, self.proof)
        assert prompt is not None
        if isinstance(prompt.interaction, Pick):
            shown = tuple(prompt.interaction.options[place] for place in self.order)
            return replace(prompt, interaction=replace(prompt.interaction, options=shown))
        return prompt

    def hint(self) -> str | None:
        """The next hint, or None where there are no more."""
        if self.hints_used >= len(self.item.hints):
            return None
        self.hints_used += 1
        return self.proof.hints[self.hints_used - 1]

    def read(self, raw: str) -> Response | Unreadable:
        """Understand an answer; places of options are those of the item as written."""
        response = kinds.get(self.item.kind).read(self.prompt(), raw)
        if isinstance(response, Response):
            return replace(response, picked=tuple(self.order[place] for place in response.picked))
        return response

    def answer(self, raw: str, mistakes: dict[str, Mistake]) -> Result:
        """Judge an answer. What cannot be read or run has an outcome of its own, and no points."""
        try:
            response = self.read(raw)
            if isinstance(response, Unreadable):
                return self._result(raw, Score(Outcome.UNREADABLE, None, feedback=response.why))
            score = kinds.get(self.item.kind).grade(self.item, self.proof, response, self.marker)
            self._solved = response.parts if score.outcome is Outcome.CORRECT else ()
        except NotProvenError as error:
            return self._result(raw, Score(Outcome.NOT_RUN, None, feedback=str(error)))
        said = mistakes[score.mistake].says if score.mistake in mistakes else ""
        return self._result(raw, replace(score, feedback=" ".join(part for part in (said, score.feedback) if part)))

    def follow_up(self) -> FollowUp | None:
        """A question about the learner's own code, once that is right; None for other kinds."""
        if self.item.kind != "code" or not self._solved:
            return None
        asked = marking.own_code(self.item, self.proof, self._solved, self.marker)
        return FollowUp(self.item, self.variant, asked) if asked else None

    def skip(self) -> Result:
        """Give the question up."""
        return self._result(None, Score(Outcome.SKIPPED, 0.0))

    def _result(self, raw: str | None, score: Score) -> Result:
        return Result(self.item, self.variant, raw, score, self._proof, self.hints_used)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question about the learner's own program, keyed by what that did when it was run once more."""

    item: Item
    variant: Variant
    asked: OwnCode

    @property
    def stem(self) -> str:
        inputs = template.inputs(self.asked.inputs)
        again = f"Your code has been run once more, with `{inputs}`." if inputs else "Look at your code once more."
        place = f"{self.item.counts} {self.asked.place + 1} (counted from 1)"
        return f"{again} Which {self.item.shows} did it give for {place}?"

    def answer(self, raw: str) -> Result:
        """Judge a number (relative tolerance 0.5 %); one that belongs to a neighboring place is named as such."""
        values, place, counts = self.asked.values, self.asked.place, self.item.counts
        number = picking.read_number(raw)
        if isinstance(number, Unreadable):
            score = Score(Outcome.UNREADABLE, None, feedback=number.why)
        elif equal(number, values[place], 0.005):
            score = Score(Outcome.CORRECT, 1.0)
        else:
            near = [k for k in (place - 1, place + 1) if 0 <= k < len(values) and equal(number, values[k], 0.005)]
            named = f" {show(number)} is what it gave for {counts} {near[0] + 1}." if near else ""
            said = f"It gave {show(values[place])} for {counts} {place + 1}.{named}"
            score = Score(Outcome.INCORRECT, 0.0, feedback=said)
        return Result(self.item, self.variant, raw, score)


def choose(bank: Bank, topic: str, mode: str, count: int) -> list[Item]:
    """The first `count` items of a topic that are asked in this mode, as written."""
    return [item for item in bank.items if item.topic == topic and mode in item.modes][:count]
