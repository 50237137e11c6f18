"""One sitting, whichever face, process or tab asks: ask, answer, hint, skip, turn, solution, draft, again, finish.

All of its state is on record, as events and attempts; `sitting_state` adds them up, and here are the rules. So a
sitting goes on after its process has ended, in any other. An answer says what it answers: the sitting, the place, how
often that was tried, and a token of its own. Of two answers to the same the first counts, and both are shown that one.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

from grader import __version__
from grader.errors import InputError
from grader.learning import digests, modes, placement
from grader.learning.placement import Placement
from grader.learning.question import NotProvenError, Question
from grader.learning.recorder import ON_RECORD, Recorder, now
from grader.learning.shared_work import Backend, Judged
from grader.learning.sitting_log import Log, new_id
from grader.learning.sitting_questions import Questions
from grader.learning.sitting_state import QuestionState, SittingState, answers_of, choice_of, fold
from grader.learning.sitting_view import OpenSitting, SittingQuestion
from grader.model import Attempt, Bank, Event, Item, Outcome, Proof, Response, Result, Sitting, Variant, by_name

LONGEST = 100_000
"""Characters of a draft."""


class Sittings:
    """All sittings of a process: one bank, one log, one runner. Any number of threads may use it."""

    def __init__(
        self,
        bank: Bank,
        log: Log,
        backend: Backend,
        *,
        torch: str = "",
        clock: Callable[[], datetime] = now,
        no_follow_up_in: Container[str] | None = None,
        look_back: bool = False,
        queue: Callable[[str], str] = str,
    ) -> None:
        """Solved code is asked about except in some modes, or never (None); `look_back`: earlier answers are shown.

        `queue`: whose turn it is when a learner's code is run, by the learner's name.
        """
        self._bank, self._log, self._torch, self._clock = bank, log, torch, clock
        self._items = by_name(bank.items)
        self._mistakes = bank.mistakes
        self._digests = digests.BankDigests(bank)
        self._questions = Questions(
            log, backend, bank.mistakes, clock, no_follow_up_in=no_follow_up_in, look_back=look_back, queue=queue
        )
        self._locks: WeakValueDictionary[str, Any] = WeakValueDictionary()
        self._mutex = threading.Lock()

    # ------------------------------------------------------------ sittings

    def begin(
        self, learner: str, topic: str, mode: str, drawn: Sequence[tuple[Item, int]], *,
        seed: int | None = None, mix: int | None = None, face: str | None = None,
    ) -> str:  # fmt: skip
        """Begin a sitting of these items and variants, options mixed by `mix`; its id."""
        plan = tuple((item.id, variant) for item, variant in drawn)
        return self.begin_planned(Sitting(new_id(), learner, topic, mode, self._clock(), plan, mix, seed), face)

    def begin_placement(
        self, learner: str, name: str, seed: int, *, mix: int | None = None, face: str | None = None
    ) -> str | None:  # fmt: skip
        """Begin a sitting that says where to begin, in a block or in all topics (no name); None without questions."""
        first = placement.following(self._bank, name, [], seed)
        if first is None:
            return None
        return self.begin(learner, name, placement.MODE, [first], seed=seed, mix=mix, face=face)

    def begin_planned(self, sitting: Sitting, face: str | None = None, clock: float = 1.0) -> str:
        """Begin a sitting that was planned, with `clock` times the usual limits; its id."""
        self._log.begin(replace(sitting, version=__version__, face=face))
        if clock != 1:
            self.set_clock(sitting.id, clock)
        for name, variant in sitting.plan:
            self._questions.proofs.of(self._items[name], self._items[name].variants[variant])
        return sitting.id

    def set_clock(self, name: str, clock: float) -> None:
        """Give a sitting so many times the usual limits from now on."""
        state = self._state(name)
        self._log.note(state.sitting.learner, self._event(state, None, "clock", {"times": clock}))

    def view(self, name: str, learner: str | None = None) -> OpenSitting:
        """A sitting as it stands, without running anything. Raises InputError where it cannot go on."""
        return self._view(self._state(name, learner))

    def around(self, entry: SittingQuestion) -> OpenSitting:
        """The sitting of a question as it stood when that was shown, without asking the records again."""
        assert entry.state is not None
        return self._view(entry.state, entry)

    def _state(self, name: str, learner: str | None = None) -> SittingState:
        logged = self._log.logged(name)
        if logged is None or learner not in (None, logged.sitting.learner) or not logged.sitting.plan:
            raise InputError("these questions are no longer open", "run the cell that asks them again")
        state = fold(logged, self._items)
        if state is None:
            raise InputError("these questions have changed since they were asked", "begin again")
        return state

    def _view(self, state: SittingState, full: SittingQuestion | None = None) -> OpenSitting:
        sitting = state.sitting
        asked = [
            full if full and full.place == place else self._questions.light(state, place)
            for place in range(len(state.shown))
        ]
        alone = len(asked) == 1 and sitting.mode not in modes.SAID_AT_END
        title = asked[0].question.item.id if alone else sitting.topic
        placed = self._placed(state) if sitting.mode == placement.MODE and sitting.ended else None
        return OpenSitting(sitting.id, title, sitting.mode, sitting.topic, asked, placed)

    def proof(self, item: Item, variant: Variant) -> Proof:
        """What the runs of a variant prove. Raises NotProvenError where that is not all of it."""
        return self._questions.by_itself(item, variant).proof

    def judge_again(self, item: Item, variant: Variant, answer: Attempt) -> Result:
        """What an answer on record is worth by this item. Nothing is put on record."""
        question = self._questions.by_itself(item, variant, answer.learner)
        return question.answer(answer.response or "", self._mistakes, choice_of(answer))

    def alone(self, item: Item, variant: Variant) -> OpenSitting:
        """A question by itself, options as written, before anybody has begun to answer it; nothing of it is kept."""
        asked = [SittingQuestion(0, self._questions.by_itself(item, variant))]
        return OpenSitting("", item.id, "practice", item.topic, asked)

    # ------------------------------------------------------------ one question

    def show(self, name: str, place: int, learner: str | None = None) -> SittingQuestion:
        """A question with all that may be known of it now, of this learner if given; nothing is put on record."""
        state, _ = self._at(name, place, learner)
        return self._questions.full(state, place)

    def ask(self, name: str, place: int, learner: str | None = None) -> SittingQuestion:
        """The same, and its clock begins when it is asked first."""
        return self._questions.full(self._asked(name, place, learner), place)

    def hint(self, name: str, place: int) -> SittingQuestion:
        """Give one more hint. Raises NotProvenError where there can be none."""
        state, one = self._at(name, place)
        if state.sitting.mode in modes.SAID_AT_END:
            message = f"a {modes.SAID_AT_END[state.sitting.mode]} has no hints"
            raise InputError(message, "answer what you know; the explanations come at its end")
        if one.hints < len(one.item.hints) and not one.final(state.sitting.mode):
            _ = self._questions.of(state, one).proof
            state = self._noted(state, one, "hint")
        return self._questions.full(state, place)

    def turn(self, name: str, place: int) -> SittingQuestion:
        """Turn a card over."""
        state, one = self._at(name, place)
        if state.sitting.mode in modes.SAID_AT_END:
            message = f"in a {modes.SAID_AT_END[state.sitting.mode]} no card is turned over"
            raise InputError(message, "answer what you know; the explanations come at its end")
        return self._questions.full(self._noted(state, one, "turned", once=True), place)

    def draft(self, name: str, place: int, text: str) -> SittingQuestion:
        """Keep what was typed so far."""
        state, one = self._at(name, place)
        if text != one.draft and len(text) <= LONGEST and not one.final(state.sitting.mode):
            state = self._noted(state, one, "draft", {"text": text})
        return self._questions.full(state, place)

    def solution(self, name: str, place: int) -> SittingQuestion:
        """Give a question up: it is skipped where it was not tried, and takes no more answers."""
        with self._one_at_a_time(name):
            state, one = self._at(name, place)
            if one.final(state.sitting.mode):
                return self._questions.full(state, place)
            after = None
            if one.tries:
                self._noted(state, one, "solution", once=True)
            else:
                question = self._questions.of(state, one)
                if one.hints or one.turned or question.waits:  # what PyTorch did has been shown in part
                    with contextlib.suppress(NotProvenError):
                        _ = question.proof
                after = self._record(state, one, Judged(question, question.skip()), one.seconds(self._clock()), None)
            return self._questions.full(after or self._finished(name), place)

    def recall(self, name: str, place: int) -> SittingQuestion:
        """Show what was said of the answer of an earlier sitting; no answer is put on record."""
        state, one = self._at(name, place)
        if not one.attempts and self._questions.earlier(state, one):
            state = self._noted(state, one, "solution", {"recalled": True}, once=True)
        return self._questions.full(state, place)

    def again(self, name: str, place: int, variant: int | None = None) -> SittingQuestion:
        """Ask a question once more, as a new one at the old place; with the numbers of another variant if given."""
        with self._one_at_a_time(name):
            state, one = self._at(name, place)
            if state.sitting.mode in modes.ONE_TRY:
                raise InputError(f"a question of a {state.sitting.mode} takes one answer", "begin a new one")
            if one.place == state.first[place] or one.attempts or one.given_up:
                event = self._event(state, state.first[place], "again")
                self._log.extend(
                    state.sitting.learner, event, (one.item.id, one.variant if variant is None else variant)
                )
            self._questions.forget_passing(name, place)
            return self.ask(name, place)

    def follow(self, name: str, place: int, raw: str) -> SittingQuestion:
        """Answer the question about one's own code."""
        state, one = self._at(name, place)
        if self._questions.full(state, place).follow_up and len(raw) <= LONGEST:
            state = self._noted(state, one, "followed", {"text": raw})
        return self._questions.full(state, place)

    def answer(
        self, name: str, place: int, raw: str, *, tries: int | None = None, token: str | None = None,
        seen: SittingQuestion | None = None,
    ) -> SittingQuestion:  # fmt: skip
        """Judge an answer, and put it on record before anything is said of it.

        `tries` says how often the question had been tried when it was shown, `token` is the answer's own (at most 64
        characters): sent again, it is shown what came of it the first time. `seen` is the question as it was read a
        moment ago, if it was. Raises InputError where neither is given and the question takes no more answers.
        """
        if tries is None or token is None:
            state, one = self._at(name, place)
            if token is None and tries is None and one.final(state.sitting.mode):
                raise InputError("this question has been answered", "its sheet shows how")
            tries = one.tries if tries is None else tries
        with self._one_at_a_time(name) as waited:
            state = (seen.state if seen and not waited else None) or self._at(name, place)[0]
            one = state.at(place)
            if one.asked is None and not one.attempts:
                state = self._asked(name, place)  # and read anew: another process may have answered meanwhile
                one = state.at(place)
            known = token is not None and any(attempt.token == token for attempt in one.attempts)
            if known or one.tries != tries or one.final(state.sitting.mode):
                return self._taken(state, place, token)
            return self._judge(state, place, raw, token)

    def _judge(self, state: SittingState, place: int, raw: str, token: str | None) -> SittingQuestion:
        sitting, one = state.sitting, state.at(place)
        seconds = round(one.seconds(self._clock()), 3)
        question = self._questions.of(state, one)
        repeated = self._given_before(state, question, one, raw)
        self._questions.forget_passing(sitting.id, place)
        if repeated:
            entry = replace(self._questions.full(state, place), result=repeated, repeated=True)
            return self._questions.pass_by(sitting.id, place, entry)
        result = question.answer(raw, self._mistakes)
        if sitting.mode == "challenge":
            result = modes.in_time(result, seconds, state.clock)
        if result.score.outcome not in ON_RECORD:
            return self._questions.pass_by(
                sitting.id, place, replace(self._questions.full(state, place), result=result)
            )
        after = self._record(state, one, Judged(question, result), seconds, token)
        return self._questions.full(after, place) if after else self._taken(self._state(sitting.id), place, token)

    def _taken(self, state: SittingState, place: int, token: str | None) -> SittingQuestion:
        """A question whose answer was another one, or this very one before."""
        same = token is not None and any(attempt.token == token for attempt in state.at(place).attempts)
        return replace(self._questions.full(state, place), elsewhere=not same)

    def _given_before(self, state: SittingState, question: Question, one: QuestionState, raw: str) -> Result | None:
        """What was said of the same wrong answer before; None where it is another one, or counts each time."""
        if state.sitting.mode not in modes.SAID_TWICE or not one.attempts:
            return None
        with contextlib.suppress(NotProvenError):
            response = question.read(raw)
            for attempt in one.attempts if isinstance(response, Response) else ():
                wrong = attempt.outcome in (Outcome.INCORRECT, Outcome.PARTLY) and attempt.response is not None
                before = question.read(attempt.response or "") if wrong else None
                if isinstance(before, Response) and replace(before, raw=response.raw) == response:
                    return self._questions.result(state, attempt, one).result
        return None

    # ------------------------------------------------------------ putting on record

    def _record(
        self, state: SittingState, one: QuestionState, judged: Judged, seconds: float, token: str | None
    ) -> SittingState | None:
        """Put an answer on record; the state after it. None where its place or its token was taken in the meantime."""
        writes = Recorder(self._log, state.sitting, self._bank, self._torch, self._clock, self._digests)
        writes.begun()

        def ends(attempt: Attempt) -> Event | None:
            return self._event(state, None, "finished") if self._ends(state.answered(attempt)) else None

        attempt = writes(judged.result, one.place, one.tries, seconds, token, ends)
        if attempt is None:
            return None
        self._questions.judged(state, one, judged)
        after = state.answered(attempt)
        return after if self._ends(after) else self._finished(state.sitting.id)

    @staticmethod
    def _ends(state: SittingState) -> bool:
        """Whether a sitting ends here; one that places its learner may go on with another question."""
        return state.over and state.sitting.ended is None and state.sitting.mode != placement.MODE

    def _event(self, state: SittingState, place: int | None, kind: str, data: dict[str, Any] | None = None) -> Event:
        return Event(state.sitting.id, 0, place, self._clock(), kind, json.dumps(data or {}))

    def _noted(
        self, state: SittingState, one: QuestionState, kind: str, data: dict[str, Any] | None = None, *,
        once: bool = False,
    ) -> SittingState:  # fmt: skip
        """Put an event on record; the state after it."""
        self._log.note(state.sitting.learner, self._event(state, one.place, kind, data), once=once)
        return self._state(state.sitting.id)

    def _asked(self, name: str, place: int, learner: str | None = None) -> SittingState:
        """The state once a question's clock runs, and its hidden inputs have their seed."""
        state, one = self._at(name, place, learner)
        if one.asked is not None:
            return state
        event = self._event(state, one.place, "asked", {"inputs": secrets.randbits(63)})
        written = self._log.note(state.sitting.learner, event, once=True)
        return state.noted(event) if written else self._state(name)

    def _finished(self, name: str) -> SittingState:
        """The state, and where its last question has been answered the sitting's end; or the question that follows."""
        state = self._state(name)
        if not state.over or state.sitting.ended is not None:
            return state
        sitting, data = state.sitting, None
        if sitting.mode == placement.MODE:
            if following := placement.following(self._bank, sitting.topic, answers_of(state), sitting.seed or 0):
                item, variant = following
                self._log.extend(sitting.learner, self._event(state, None, "added"), (item.id, variant))
                self._questions.proofs.of(item, item.variants[variant])
                return self._state(name)
            data = self._placed(state).data
        self._log.finish(sitting.learner, self._event(state, None, "finished", data))
        return self._state(name) if data else state

    def _placed(self, state: SittingState) -> Placement:
        return placement.place(self._bank, state.sitting.topic, answers_of(state))

    @contextlib.contextmanager
    def _one_at_a_time(self, name: str) -> Iterator[bool]:
        """Answers to one sitting follow one another, so that of two only one is run; the records would refuse it.

        Whether this one had to wait.
        """
        with self._mutex:
            lock = self._locks.setdefault(name, threading.RLock())
        waited = not lock.acquire(blocking=False)
        if waited:
            lock.acquire()
        try:
            yield waited
        finally:
            lock.release()

    # ------------------------------------------------------------ what is there

    def _at(self, name: str, place: int, learner: str | None = None) -> tuple[SittingState, QuestionState]:
        state = self._state(name, learner)
        if type(place) is not int or not 0 <= place < len(state.shown):
            raise InputError(f"there is no question {place!r}", f"there are {len(state.shown)}, counted from 0")
        return state, state.at(place)
