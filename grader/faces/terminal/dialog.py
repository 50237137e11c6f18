"""The terminal: questions as plain lines, one answer a line; code ends with a line that holds only a dot.

Nothing is drawn over: every line stays where it was printed, so a screen reader, a pipe and a log read the same. Colors
only repeat what the words say. Without a terminal there are no colors, and in `plain` mode no plots either. At a
terminal an answer is told shortly, and the rest on request; a pipe, which cannot ask, is told all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from grader import kinds
from grader.errors import InputError
from grader.faces.answer_text import STYLES, AnswerText
from grader.faces.terminal import keys
from grader.faces.terminal.keys import Keys, takes_code, wanted
from grader.faces.terminal.typing_in import Lines, Typing
from grader.faces.words import WORDS
from grader.learning.modes import JUDGED
from grader.learning.question import FollowUp, NotProvenError, Question
from grader.learning.sitting_view import SittingQuestion
from grader.model import Mistake, Outcome, Prompt, Result, Unreadable
from grader.render import terminal_markdown, terminal_text
from grader.render.terminal_text import flowing

if TYPE_CHECKING:
    from rich.console import Console

    from grader.learning.sitting import Sittings


def draw(console: Console, prompt: Prompt) -> None:
    """A question by itself, as it is asked, with what is to be typed."""
    AnswerText(console).show(prompt, "Card" if prompt.reveals else "Question")
    console.print()
    console.print(f"Answer: {wanted(prompt)}", style="dim")


class Terminal(Typing):
    """Asks the questions of a sitting, in order."""

    def __init__(self, console: Console, keyboard: Lines, plain: bool = False) -> None:
        super().__init__(console, keyboard, plain)
        self.leaving = False
        """The learner has asked to quit."""
        self.exam = False
        """Feedback comes only at the end."""
        self.later = True
        """Of what is explained at the end, questions may be left open for now."""
        self.hints = True
        """There may be hints."""
        self._rest: Callable[[], None] | None = None
        """Tells all there is to say of the last answer, where that was told shortly."""
        self._to_read = False
        """Something was told that is to be read before the next question."""

    # ------------------------------------------------------------ asking

    def ask(
        self, sittings: Sittings, name: str, place: int, of: int | str, mistakes: dict[str, Mistake]
    ) -> Result | None:
        """Ask a question of a sitting until there is an answer, a skip (a result each), or an end (None).

        At a terminal, a table or a program that is not right may be tried again; the last try is the result. None is
        also a question of a test that is left open for now; `leaving` tells the two apart.
        """
        entry = sittings.show(name, place)
        question = entry.question
        named = "Card" if kinds.of(question.item).TRAITS.is_card else "Question"
        self._rest, self._to_read = None, False
        try:
            prompt = self._prompt(question)
        except NotProvenError as error:
            result = question.answer("", mistakes)
            self._say(f"{question.item.id}: {WORDS[Outcome.NOT_RUN]}: {error}", STYLES[Outcome.NOT_RUN])
            return result
        self.show(prompt, f"{named} {place + 1} of {of}")
        entry = sittings.ask(name, place)
        self._announce_limit(entry)
        if prompt.reveals:
            unproven = self._flip(question, mistakes)
            if self.leaving or unproven:
                return unproven
            if not sittings.view(name).exam:
                sittings.turn(name, place)
        return self._answered(sittings, name, entry, prompt, mistakes)

    def _answered(
        self, sittings: Sittings, name: str, entry: SittingQuestion, prompt: Prompt, mistakes: dict[str, Mistake]
    ) -> Result | None:
        """What comes of a question that stands on the screen."""
        question, place = entry.question, entry.place
        tried: Result | None = entry.result
        while True:
            raw = self._typed(self._keys(entry, prompt, tried is not None), lambda line: self._whole(prompt, line))
            match keys.command(raw):
                case "q":
                    self.leaving = True
                    return tried
                case "s" if tried is not None:
                    sittings.solution(name, place)
                    self._to_read = True
                    self.explain(question, tried, mistakes)
                    return tried
                case "s" if self.exam and self.interactive and self.later:
                    self._say("Left open for now.", "dim")
                    return None
                case "s":
                    entry = sittings.solution(name, place)
                case "h" if self.hints:
                    entry = self._hint(sittings, name, entry)
                    continue
                case "e" if self.interactive and takes_code(prompt):
                    edited = self._edited(prompt, tried)
                    if edited is None:
                        continue
                    entry = self._judged(sittings, name, entry, edited)
                case _:
                    entry = self._judged(sittings, name, entry, raw or "")
            result = self._counted(entry)
            if self._goes_on(entry, result):
                tried = result if result.score.outcome is not Outcome.UNREADABLE else tried
                continue
            if not entry.final and result.score.outcome in JUDGED:
                sittings.solution(name, place)  # it is explained now
            self._told(question, result, mistakes)
            return result

    def _keys(self, entry: SittingQuestion, prompt: Prompt, again: bool) -> Keys:
        """What may be typed at a question."""
        left = prompt.hints - len(entry.hints) if self.hints else 0
        found = [keys.Key(wanted(prompt), "", keys.how(prompt))]
        code = takes_code(prompt)
        found += [keys.EDITOR] if code and self.interactive else []
        found += [keys.FILE] if code else []
        found += [keys.hint(left)] if left else []
        later = self.exam and self.interactive and self.later
        found += [keys.SOLUTION if again else keys.LATER if later else keys.SKIP, keys.QUIT, keys.HELP, keys.CLEAR]
        return Keys(f"{'Try again' if again else 'Answer'}: {wanted(prompt)}", tuple(found))

    def _judged(self, sittings: Sittings, name: str, entry: SittingQuestion, raw: str) -> SittingQuestion:
        """What comes of an answer; what cannot be read is said at once, without a word on running it."""
        if not isinstance(entry.question.read(raw), Unreadable):
            self._announce_run(entry.question)
        return sittings.answer(name, entry.place, raw, tries=entry.tries)

    def judge(self, sittings: Sittings, name: str, entry: SittingQuestion, raw: str) -> SittingQuestion:
        """Judge an answer that was not typed here, and say what came of it."""
        entry = self._judged(sittings, name, entry, raw)
        self.verdict_of(self._counted(entry))
        return entry

    def _goes_on(self, entry: SittingQuestion, result: Result) -> bool:
        """Say what came of an answer, and whether the question is asked once more."""
        outcome = result.score.outcome
        again = self.interactive and not entry.final and outcome is not Outcome.NOT_RUN
        if self.exam and outcome in (*JUDGED, Outcome.SKIPPED):
            self._say("Noted." if outcome in JUDGED else "Skipped.", "dim")
            return False
        if again and outcome in JUDGED:
            self.in_sight(result.score)
        elif not self.interactive or outcome not in (*JUDGED, Outcome.SKIPPED):
            self.verdict_of(result)
        if entry.repeated:
            self._say("That is the answer you gave before; it does not count again.")
        if again and outcome is not Outcome.UNREADABLE and entry.tries_left is not None:
            self._say(f"Attempts left: {entry.tries_left}")
        return again

    def _told(self, question: Question, result: Result, mistakes: dict[str, Mistake]) -> None:
        """Explain an answer that is the last: shortly at a terminal, where the rest can be asked for."""
        told = result.score.outcome in (*JUDGED, Outcome.SKIPPED)
        if self.exam and told:
            return
        if not self.interactive or not told:
            self.refute(question, result)
            self.explain(question, result, mistakes)
            return
        self.tell_shortly(question, result, mistakes)
        self._to_read = not result.score.rating
        if self._to_read:
            self._rest = lambda: self.tell(question, result, mistakes)

    @staticmethod
    def _counted(entry: SittingQuestion) -> Result:
        """What came of an answer. Raises InputError where another one counts."""
        if entry.elsewhere:
            message = f"question {entry.place + 1} of this sitting was answered elsewhere in the meantime"
            raise InputError(message, "that answer counts; start the command again to go on")
        assert entry.result is not None
        return entry.result

    def _announce_run(self, question: Question) -> None:
        if self.interactive and kinds.of(question.item).TRAITS.runs_code:
            self.console.print("Running it in PyTorch ...", style="dim")
        elif self.interactive and not question.ready:
            self.console.print("Starting PyTorch to check ...", style="dim")

    def pause(self, *, last: bool = False) -> bool:
        """Let the learner read what was told, or ask for more of it; False where they want to stop."""
        while self.interactive and not self.leaving and self._to_read:
            found = ([keys.WHY] if self._rest else []) + [keys.QUIT, keys.HELP, keys.CLEAR]
            lead = "Enter to finish" if last else "Enter for the next question"
            command = keys.command(self._typed(Keys(lead, (keys.Key("Enter", "", "go on"), *found))))
            if command == "w" and self._rest:
                self._rest()
                self._rest = None
                continue
            self.leaving = command == "q"
            break
        return not self.leaving

    def back_to(self, places: Sequence[int]) -> list[int]:
        """Ask which open question of a test is next; none where the test is to be finished, or left (`leaving`)."""
        shown = ", ".join(str(place + 1) for place in places)
        many = f"Questions {shown} are" if len(places) > 1 else f"Question {shown} is"
        self._say(f"{many} still open.", "bold")
        found = (
            keys.Key("Enter", "", "go back to the first of them"), keys.Key("NUMBER", "", "go to that question"),
            keys.FINISH, keys.QUIT, keys.HELP, keys.CLEAR,
        )  # fmt: skip
        command = keys.command(self._typed(Keys("Enter to go back, or a question's number", found)))
        self.leaving = command == "q"
        if command in ("q", "f"):
            return []
        first = int(command) - 1 if command.isdecimal() and len(command) < 9 else places[0]
        start = places.index(first) if first in places else 0
        return [*places[start:], *places[:start]]

    def _announce_limit(self, entry: SittingQuestion) -> None:
        if entry.seconds_left is not None:
            self._say(f"Time for this problem: {math.ceil(entry.seconds_left)} s", "bold")

    def _flip(self, question: Question, mistakes: dict[str, Mistake]) -> Result | None:
        """Wait, then show the back of a card; a result where that is not proven, None where all is well or left."""
        if self.interactive:
            found = (keys.Key("Enter", "", "turn the card over"), keys.QUIT, keys.HELP, keys.CLEAR)
            lead = "Say to yourself what is on the back. Enter to turn it over"
            self.leaving = keys.command(self._typed(Keys(lead, found))) == "q"
            if self.leaving:
                return None
            if not question.ready:
                self.console.print("Starting PyTorch to check the card ...", style="dim")
        try:
            self.back(question)
        except NotProvenError as error:
            self._say(f"{question.item.id}: {WORDS[Outcome.NOT_RUN]}: {error}", STYLES[Outcome.NOT_RUN])
            return question.answer("again", mistakes)
        return None

    def ask_follow_up(self, asked: FollowUp) -> Result | None:
        """A question about the learner's own code; None where they pass."""
        terminal_text.heading(self.console, "And now your own code")
        self._markdown(asked.stem)
        found = (
            keys.Key("a number", "", "your answer"),
            keys.Key("Enter", "", "go on without it"),
            keys.HELP,
            keys.CLEAR,
        )
        while True:
            raw = self._typed(Keys("Answer: a number   Enter to go on", found))
            if raw is None or not raw.strip():
                return None
            result = asked.answer(raw)
            self.verdict_of(result)
            if result.score.outcome is not Outcome.UNREADABLE or not self.interactive:
                return result

    def _prompt(self, question: Question) -> Prompt:
        if self.interactive and question.waits and not question.ready:
            self.console.print("Starting PyTorch to run the question ...", style="dim")
        return question.prompt()

    def _hint(self, sittings: Sittings, name: str, entry: SittingQuestion) -> SittingQuestion:
        """Give the next hint; the question after it."""
        try:
            after = sittings.hint(name, entry.place)
        except NotProvenError as error:
            self._say(f"Hint {len(entry.hints) + 1}: {error}")
            return entry
        hint = after.hints[-1] if len(after.hints) > len(entry.hints) else None
        if hint:
            self.console.print()
            terminal_markdown.after(self.console, Text(f"Hint {len(after.hints)}:"), hint)
        else:
            self._say("There are no more hints.")
        return after

    # ------------------------------------------------------------ the end of a test

    def review(self, missed: Sequence[tuple[int, Question, Result]], mistakes: dict[str, Mistake]) -> None:
        """At the end of a test: the questions that were not right, each explained as practice would explain it."""
        if not missed:
            return
        self.exam = False
        found = (keys.Key("Enter", "", "see the first of them"), keys.QUIT, keys.HELP, keys.CLEAR)
        lead = f"Enter to see what was not right ({len(missed)})"
        if self.interactive and keys.command(self._typed(Keys(lead, found))) == "q":
            return
        terminal_text.heading(self.console, "What was not right")
        for number, (place, question, result) in enumerate(missed):
            self._rest, self._to_read = None, False
            try:
                self.show(question.prompt(), f"Question {place + 1}")
            except NotProvenError as error:
                self._say(f"{question.item.id}: {error}")
                continue
            if result.response is not None:
                self._say(f"Your answer: {flowing(result.response)}")
            told = question.answer(result.response, mistakes, result.choice) if result.response else result
            if not self.interactive:
                self.verdict_of(told)
            self._told(question, told, mistakes)
            if not self.pause(last=number == len(missed) - 1):
                self.leaving = False  # the test is over; only its explanations are left
                return
