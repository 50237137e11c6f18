"""One sitting: which questions are asked, in which order, and what becomes of each answer.

No input, output, clock or chance of its own: questions and seeds are given, proofs are asked for when they are needed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from grader import kinds, template
from grader.judging import reading_answers
from grader.judging.comparison import equal
from grader.judging.own_code import OwnCode, own_code
from grader.judging.running_answers import Marker
from grader.learning import mixing
from grader.model import (
    LETTERS,
    Bank,
    ChooseMany,
    ChooseOne,
    Item,
    Mistake,
    Outcome,
    Prompt,
    Proof,
    Response,
    Result,
    Score,
    Unreadable,
    Variant,
)
from grader.template import show


class AwaitedProof(Protocol):
    """Runs that are under way."""

    def done(self) -> bool: ...

    def proof(self) -> Proof: ...


class NotProvenError(Exception):
    """A question's claims do not hold (or could not be run), so that no answer can be judged."""

    def __init__(self, proof: Proof) -> None:
        super().__init__(str(proof.errors[0]))
        self.proof = proof


@dataclass(slots=True)
class Question:
    """One item being asked."""

    item: Item
    variant: Variant
    proving: AwaitedProof
    marker: Marker
    mix: int | None = None
    """The seed of the sitting for the order of options; None keeps the written order."""
    hints_used: int = 0
    by_variant: bool = True
    """Other numbers have another order; in sittings of version 0001 they had not."""
    _proof: Proof | None = field(default=None)
    _solved: tuple[str, ...] = ()
    _made: tuple[Proof | None, Prompt] | None = None
    """The prompt as written, and what was proven when it was made."""

    @property
    def proof(self) -> Proof:
        """What was proven of this variant. Raises NotProvenError where that is not all of it."""
        if self._proof is None:
            proof = self.proving.proof()
            if proof.errors:
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
        return kinds.of(self.item).prompt(self.item, self.variant, None) is None

    @property
    def order(self) -> tuple[int, ...]:
        """The places of the options in the order in which they are shown; none where there are none to mix."""
        pick = mixed_input(self._asked())
        return self._order(pick) if pick else ()

    def _order(self, pick: ChooseOne | ChooseMany) -> tuple[int, ...]:
        variant = self.variant.index if self.by_variant else None
        return mixing.order(len(pick.options), self.mix, self.item.first_id, variant, pick.last)

    def prompt(self) -> Prompt:
        """What the learner sees. Waits for the runs only where numbers to be shown come from them."""
        prompt = self._asked()
        pick = mixed_input(prompt)
        return in_order(prompt, self._order(pick)) if pick else prompt

    def as_written(self) -> Question:
        """The same question with its options in the written order."""
        return self if self.mix is None else replace(self, mix=None)

    def letters(self, choice: tuple[int, ...]) -> tuple[str, ...]:
        """What options are called here that were picked, by their places as written; none where that fits no longer.

        Raises NotProvenError where they cannot be shown.
        """
        order = self.order
        if not set(choice) <= set(order):
            return ()
        return tuple(LETTERS[place] for place in sorted(map(order.index, choice)))

    def _asked(self) -> Prompt:
        """What is asked, options as written."""
        if self._made is None or self._made[0] is not self._proof:
            kind = kinds.of(self.item)
            made = kind.prompt(self.item, self.variant, self._proof) or kind.prompt(self.item, self.variant, self.proof)
            assert made is not None
            self._made = self._proof, made
        return self._made[1]

    def hint(self) -> str | None:
        """The next hint, or None where there are no more."""
        if self.hints_used >= len(self.item.hints):
            return None
        self.hints_used += 1
        return self.proof.hints[self.hints_used - 1]

    def read(self, raw: str) -> Response | Unreadable:
        """Understand an answer; places of options are those of the item as written."""
        asked = self._asked()
        pick = mixed_input(asked)
        if pick is None:
            return kinds.of(self.item).read(asked, raw)
        order = self._order(pick)
        response = kinds.of(self.item).read(in_order(asked, order), raw)
        if isinstance(response, Response):
            return replace(response, picked=tuple(sorted(order[place] for place in response.picked)))
        return response

    def answer(self, raw: str, mistakes: dict[str, Mistake], choice: tuple[int, ...] | None = None) -> Result:
        """Judge an answer. What cannot be read or run has an outcome of its own, and no points.

        Of one that was given before, `choice` has the places of what was picked, as written: they count.
        """
        response: Response | Unreadable | None = None
        try:
            known = choice if choice and self.letters(choice) else None
            response = Response(raw, known) if known else self.read(raw)
            if isinstance(response, Unreadable):
                return self._result(raw, Score(Outcome.UNREADABLE, None, feedback=response.why))
            score = kinds.of(self.item).grade(self.item, self.proof, response, self.marker)
            self._solved = response.parts if score.outcome is Outcome.CORRECT else ()
        except NotProvenError as error:
            return self._result(raw, Score(Outcome.NOT_RUN, None, feedback=str(error)), response)
        said = mistakes[score.mistake].says if score.mistake in mistakes else ""
        told = replace(score, feedback=" ".join(part for part in (said, score.feedback) if part))
        return self._result(raw, told, response)

    def follow_up(self) -> FollowUp | None:
        """A question about the learner's own code, once that is right; None for other kinds."""
        if not (kinds.of(self.item).TRAITS.asks_back and self._solved):
            return None
        asked = own_code(self.item, self.proof, self._solved, self.marker)
        return FollowUp(self.item, self.variant, asked) if asked else None

    def skip(self) -> Result:
        """Give the question up."""
        return self._result(None, Score(Outcome.SKIPPED, 0.0))

    def _result(self, raw: str | None, score: Score, response: Response | Unreadable | None = None) -> Result:
        picked = response.picked if isinstance(response, Response) else ()
        return Result(
            self.item, self.variant, raw, score, self._proof, self.hints_used,
            options=self.options(), choice=picked or None,
        )  # fmt: skip

    def options(self) -> tuple[str, ...] | None:
        """What there is to choose from, as it is shown; None where there is nothing, or runs would be waited for."""
        prompt = kinds.of(self.item).prompt(self.item, self.variant, self._proof)
        pick = mixed_input(prompt) if prompt else None
        return tuple(pick.options[place] for place in self._order(pick)) if pick else None


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
        place = f"{self.asked.counts} {self.asked.place + 1} (counted from 1)"
        return f"{again} Which {self.asked.shows} did it give for {place}?"

    def answer(self, raw: str) -> Result:
        """Judge a number (relative tolerance 0.5 %); one that belongs to a neighboring place is named as such."""
        values, place, counts = self.asked.values, self.asked.place, self.asked.counts
        number = reading_answers.read_number(raw)
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


def mixed_input(prompt: Prompt) -> ChooseOne | ChooseMany | None:
    """The input whose options may stand in another order: where it is all that is asked for."""
    only = prompt.inputs[0] if len(prompt.inputs) == 1 and not prompt.reveals else None
    return only if isinstance(only, ChooseOne | ChooseMany) else None


def in_order(prompt: Prompt, order: tuple[int, ...]) -> Prompt:
    """A prompt with its options in another order, given by their places as written."""
    pick = mixed_input(prompt)
    assert pick is not None
    last = tuple(shown for shown, place in enumerate(order) if place in pick.last)
    shown = replace(pick, options=tuple(pick.options[place] for place in order), last=last)
    return replace(prompt, inputs=(shown,))


def choose(bank: Bank, topic: str, mode: str, count: int) -> list[Item]:
    """The first `count` items of a topic that are asked in this mode, as written."""
    return [item for item in bank.items if item.topic == topic and mode in item.modes][:count]
