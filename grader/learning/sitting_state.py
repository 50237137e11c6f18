"""A sitting as it stands: what its events and attempts add up to. Pure, and the same for whoever reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from grader.judging.running_answers import Marker
from grader.learning import digests, modes
from grader.learning.question import AwaitedProof, Question
from grader.learning.record_rows import data_of, places_of
from grader.learning.sitting_log import Logged
from grader.model import Attempt, Event, Item, Outcome, Result, Score, Sitting, Variant


@dataclass(frozen=True, slots=True)
class QuestionState:
    """What became of one question so far."""

    place: int
    """In the sitting's plan."""
    item: Item
    variant: int
    asked: datetime | None = None
    """When it was first shown: its clock."""
    inputs: int = 0
    """The seed of hidden inputs; nobody who answers knows it."""
    hints: int = 0
    given_up: bool = False
    recalled: bool = False
    """What was said of an earlier sitting's answer has been shown."""
    turned: bool = False
    """The back of the card has been shown."""
    draft: str = ""
    drafted: datetime | None = None
    """When that was kept; an answer that came later has taken its place."""
    followed: str | None = None
    """The answer to the question about the learner's own code."""
    attempts: tuple[Attempt, ...] = ()

    @property
    def tries(self) -> int:
        return max((attempt.tries + 1 for attempt in self.attempts), default=0)

    @property
    def last(self) -> Attempt | None:
        return self.attempts[-1] if self.attempts else None

    def final(self, mode: str) -> bool:
        """Whether it takes no more answers."""
        if self.given_up:
            return True
        return self.last is not None and modes.is_final(mode, result_of(self.last, self.item), self.tries)

    def seconds(self, now: datetime) -> float:
        """Since it was first shown, never below 0: clocks of computers are set now and then."""
        return max(0.0, (now - self.asked).total_seconds()) if self.asked else 0.0


@dataclass(frozen=True, slots=True)
class SittingState:
    """A sitting and its questions. A question that was asked again stands at its old place for faces."""

    sitting: Sitting
    questions: tuple[QuestionState, ...]
    """In the order of the plan."""
    shown: tuple[int, ...]
    """For each place that faces know, the place in the plan."""
    first: tuple[int, ...]
    """The same before anything was asked again."""
    clock: float = 1.0
    """How many times the usual limit its learner has against a clock."""

    def at(self, place: int) -> QuestionState:
        """The question at a place that faces know."""
        return self.questions[self.shown[place]]

    def noted(self, event: Event) -> SittingState:
        """The state after one more event at a question."""
        assert event.place is not None
        questions = list(self.questions)
        questions[event.place] = _after(questions[event.place], event)
        return replace(self, questions=tuple(questions))

    def answered(self, attempt: Attempt) -> SittingState:
        """The state after one more answer."""
        questions = list(self.questions)
        questions[attempt.place] = _answered(questions[attempt.place], attempt)
        return replace(self, questions=tuple(questions))

    @property
    def over(self) -> bool:
        return all(self.at(place).final(self.sitting.mode) for place in range(len(self.shown)))


def result_of(attempt: Attempt, item: Item) -> Result:
    """An answer on record, as far as it is needed for a verdict."""
    score = Score(Outcome(attempt.outcome), attempt.points, attempt.mistake)
    variant = item.variants[attempt.variant]
    return Result(item, variant, attempt.response, score, None, attempt.hints, choice=choice_of(attempt))


def answers_of(state: SittingState) -> list[tuple[Item, float]]:
    """The questions that were answered or skipped, each with its points in [0, 1]."""
    asked = (state.at(place) for place in range(len(state.shown)))
    return [(one.item, one.last.points or 0.0) for one in asked if one.last]


def choice_of(attempt: Attempt) -> tuple[int, ...] | None:
    """The places of the options that an answer on record picked, as written; None where that is not known."""
    return places_of(attempt.choice) if attempt.choice is not None else None


def shown_in(
    sitting: Sitting, item: Item, variant: Variant, proving: AwaitedProof, marker: Marker, hints: int
) -> Question:
    """A question as a sitting shows it: what is mixed is mixed by the sitting's seed, in each process the same."""
    by_variant = sitting.version is not None  # version 0001 left it open
    return Question(item, variant, proving, marker, sitting.shuffle, hints, by_variant)


def fold(logged: Logged, items: Mapping[str, Item]) -> SittingState | None:
    """The state of a sitting; None where it cannot go on: nothing was planned, or its questions are others by now."""
    sitting = logged.sitting
    if not sitting.plan or not all(
        name in items and 0 <= variant < len(items[name].variants) for name, variant in sitting.plan
    ):
        return None
    for attempt in logged.attempts:
        planned = attempt.place < len(sitting.plan) and sitting.plan[attempt.place]
        if planned != (attempt.item, attempt.variant) or digests.same(items[attempt.item], attempt.digest) is False:
            return None
    questions = [QuestionState(place, items[name], variant) for place, (name, variant) in enumerate(sitting.plan)]
    moved: dict[int, int] = {}
    added: set[int] = set()
    clock = 1.0
    for event in logged.events:
        if event.kind == "clock" and isinstance(times := data_of(event).get("times"), int | float):
            clock = max(1.0, times)
        if event.place is not None and event.place < len(questions):
            if event.kind == "again" and type(to := data_of(event).get("to")) is int and 0 <= to < len(questions):
                moved[event.place] = to
                added.add(to)
            questions[event.place] = _after(questions[event.place], event)
    for attempt in logged.attempts:
        questions[attempt.place] = _answered(questions[attempt.place], attempt)
    first = tuple(place for place in range(len(questions)) if place not in added)
    return SittingState(sitting, tuple(questions), tuple(moved.get(place, place) for place in first), first, clock)


def _answered(one: QuestionState, attempt: Attempt) -> QuestionState:
    draft = "" if one.drafted and one.drafted <= attempt.at else one.draft
    return replace(one, attempts=(*one.attempts, attempt), draft=draft)


def _after(one: QuestionState, event: Event) -> QuestionState:
    """A question after an event; of what can be only once, the first counts."""
    data = data_of(event)
    match event.kind:
        case "asked" if one.asked is None:
            return replace(one, asked=event.at, inputs=data["inputs"] if type(data.get("inputs")) is int else 0)
        case "hint":
            return replace(one, hints=one.hints + 1)
        case "solution":
            return replace(one, given_up=True, recalled=one.recalled or bool(data.get("recalled")))
        case "turned":
            return replace(one, turned=True)
        case "draft":
            return replace(one, draft=str(data.get("text", "")), drafted=event.at)
        case "followed":
            return replace(one, followed=str(data.get("text", "")))
    return one
