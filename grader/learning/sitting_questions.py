"""What is shown of the questions of a sitting: what is on record, what was judged here, what may be known by now."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Container
from dataclasses import replace
from datetime import datetime

from grader.judging.running_answers import Marker
from grader.learning import digests, modes
from grader.learning.question import NotProvenError, Question
from grader.learning.shared_work import Backend, Judged, Proofs, Recent
from grader.learning.sitting_log import Log
from grader.learning.sitting_state import QuestionState, SittingState, choice_of, result_of, shown_in
from grader.learning.sitting_view import SittingQuestion
from grader.model import Attempt, Item, Mistake, Outcome, Response, Score, Sitting, Variant

POOL = 32
"""Of so many draws an item's hidden inputs come, so that it is soon known what the reference does with each."""


class Questions:
    """The questions of all sittings of a process. Nothing is put on record here."""

    def __init__(
        self,
        log: Log,
        backend: Backend,
        mistakes: dict[str, Mistake],
        clock: Callable[[], datetime],
        *,
        no_follow_up_in: Container[str] | None,
        look_back: bool,
        queue: Callable[[str], str],
    ) -> None:
        """See `Sittings`."""
        self.proofs = Proofs(backend)
        self._log, self._backend, self._mistakes, self._clock = log, backend, mistakes, clock
        self._no_follow_up_in, self._look_back, self._queue = no_follow_up_in, look_back, queue
        self._judged: Recent[Judged] = Recent(256)
        self._passing: Recent[SittingQuestion] = Recent(256)
        """What was said of answers that are not on record, until there is one that is."""

    def by_itself(self, item: Item, variant: Variant, learner: str = "") -> Question:
        """A question of no sitting, options as written."""
        marker = Marker(self._backend.runner, 0, self._queue(learner), self._backend.recall)
        return Question(item, variant, self.proofs.of(item, variant), marker)

    def judged(self, state: SittingState, one: QuestionState, judged: Judged) -> None:
        """Remember what was said of the answer to a question that is put on record now."""
        self._judged.put((state.sitting.id, state.sitting.id, one.place, one.tries), judged)

    def pass_by(self, name: str, place: int, entry: SittingQuestion) -> SittingQuestion:
        """Remember what was said of an answer that is not on record."""
        return self._passing.put((name, place), entry)

    def forget_passing(self, name: str, place: int) -> None:
        """From now on another answer is what was said last."""
        self._passing.drop((name, place))

    def of(self, state: SittingState, one: QuestionState) -> Question:
        """A question as its sitting asks it."""
        variant = one.item.variants[one.variant]
        marker = Marker(
            self._backend.runner, one.inputs % POOL, self._queue(state.sitting.learner), self._backend.recall
        )
        return shown_in(state.sitting, one.item, variant, self.proofs.of(one.item, variant), marker, one.hints)

    def light(self, state: SittingState, place: int) -> SittingQuestion:
        """A question with what is on record of it."""
        one, mode = state.at(place), state.sitting.mode
        left = None
        if mode == "challenge":
            left = max(0.0, modes.limit(one.item, state.clock) - one.seconds(self._clock()))
        return SittingQuestion(
            place,
            self.of(state, one),
            tries=one.tries,
            result=result_of(one.last, one.item) if one.last else None,
            final=one.final(mode),
            turned=one.turned,
            seconds_left=left,
            tries_left=modes.TRIES - one.tries if mode == "try" else None,
            draft=one.draft,
            state=state,
        )

    def full(self, state: SittingState, place: int) -> SittingQuestion:
        """A question with all that may be known of it; an answer that was judged elsewhere is judged once more."""
        one, sitting = state.at(place), state.sitting
        entry = self.light(state, place)
        if one.hints:
            with contextlib.suppress(NotProvenError):
                entry = replace(entry, hints=entry.question.proof.hints[: one.hints])
        if one.last is None:
            entry = self._of_earlier(state, one, entry)
        elif judged := self._judged_now(state, one.last, one):
            entry = replace(entry, result=judged.result)
            if self._asks_about(sitting, entry) and (about := judged.follow_up()):
                followed = about.answer(one.followed) if one.followed is not None else None
                entry = replace(entry, follow_up=about, followed=followed)
        passing = self._passing.get((sitting.id, place))
        if passing and not entry.final and passing.tries == entry.tries:
            return replace(entry, result=passing.result, repeated=passing.repeated)
        return entry

    def _asks_about(self, sitting: Sitting, entry: SittingQuestion) -> bool:
        """Whether there may be a question about the learner's own code."""
        right = entry.final and entry.result is not None and entry.result.score.outcome is Outcome.CORRECT
        return right and self._no_follow_up_in is not None and sitting.mode not in self._no_follow_up_in

    def _of_earlier(self, state: SittingState, one: QuestionState, entry: SittingQuestion) -> SittingQuestion:
        """A question that was not answered in this sitting, with what was answered before."""
        earlier = self.earlier(state, one) if one.place in state.first else None
        if earlier is None or not one.recalled:
            return replace(entry, earlier=earlier)
        return replace(entry, earlier=earlier, result=self.result(state, earlier, one).result)

    def earlier(self, state: SittingState, one: QuestionState) -> Attempt | None:
        """The last answer to this very question, in a sitting before."""
        if not self._look_back or state.sitting.mode not in modes.SAID_TWICE:
            return None
        earlier = self._log.earlier(state.sitting, (one.item.id, *one.item.aliases), one.variant)
        if earlier is None or digests.same(one.item, earlier.digest) is False:
            return None
        if earlier.choice is None and earlier.response is not None and (then := self._log.logged(earlier.sitting)):
            before = self.of(replace(state, sitting=then.sitting), one)
            with contextlib.suppress(NotProvenError):
                response = before.read(earlier.response) if before.order else None
                if isinstance(response, Response) and response.picked:
                    return replace(earlier, choice=json.dumps(response.picked))
        return earlier

    def _judged_now(self, state: SittingState, attempt: Attempt, one: QuestionState) -> Judged | None:
        """What is known of an answer; before the end of a test nothing is run for that."""
        if state.sitting.mode not in modes.SAID_AT_END or state.over:
            return self.result(state, attempt, one)
        return self._judged.get((state.sitting.id, attempt.sitting, attempt.place, attempt.tries))

    def result(self, state: SittingState, attempt: Attempt, one: QuestionState) -> Judged:
        """What was said of an answer on record. What was judged elsewhere is judged again; the record decides."""
        key = state.sitting.id, attempt.sitting, attempt.place, attempt.tries
        if known := self._judged.get(key):
            return known
        question = self.of(state, one)
        if attempt.response is None:
            result = question.skip()
        else:
            result = question.answer(attempt.response, self._mistakes, choice_of(attempt))
            if attempt.mode == "challenge":
                result = modes.in_time(result, attempt.seconds, state.clock)
        if (result.score.outcome.value, result.score.points) != (attempt.outcome, attempt.points):
            result = replace(result, score=Score(Outcome(attempt.outcome), attempt.points, attempt.mistake))
        judged = Judged(question, replace(result, hints_used=attempt.hints))
        return judged if result.proof is None and attempt.response else self._judged.put(key, judged)
