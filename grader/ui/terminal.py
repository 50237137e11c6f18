"""The terminal: questions as plain lines, one answer a line; code ends with a line that holds only a dot.

Nothing is drawn over: every line stays where it was printed, so a screen reader, a pipe and a log read the same. Colors
only repeat what the words say. Without a terminal there are no colors, and in `plain` mode no plots either.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from grader import modes
from grader.model import Arrange, Fill, Flip, Mistake, Outcome, Pick, Prompt, Result, Table, Type, Write
from grader.modes import JUDGED
from grader.session import FollowUp, NotProvenError, Question
from grader.ui import drawing
from grader.ui.drawing import flowing, inline
from grader.ui.telling import STYLES, Teller
from grader.ui.words import WORDS
from grader.verdict import ENOUGH, Verdict, mean

if TYPE_CHECKING:
    from rich.console import Console

END_OF_CODE = "."


class Terminal(Teller):
    """Asks the questions of a sitting, in order."""

    def __init__(self, console: Console, read: Callable[[], str | None], plain: bool = False) -> None:
        super().__init__(console, plain)
        self.read = read
        self.interactive = False
        self.leaving = False
        """The learner has asked to quit."""
        self.exam = False
        """No hints, one try, and feedback only at the end."""
        self.tries: int | None = None
        """How often a task may be tried; None is as often as one likes."""
        self.timed = False
        """Each question has a time limit, that of a challenge."""
        self.record: Callable[[Result, int, float], None] | None = None
        """Called with each answer before it is told whether it is right: how often it was tried before, and seconds."""

    # ------------------------------------------------------------ asking

    def ask(self, question: Question, place: str, mistakes: dict[str, Mistake]) -> Result | None:
        """Ask until there is an answer, a skip (a result each), or an end (None).

        At a terminal, a table or a program that is not right may be tried again; the last try is the result.
        """
        try:
            prompt = self._prompt(question)
        except NotProvenError as error:
            result = question.answer("", mistakes)
            self._say(f"{question.item.id}: {WORDS[Outcome.NOT_RUN]}: {error}", STYLES[Outcome.NOT_RUN])
            return result
        self.show(prompt, place)
        self._announce_limit(question)
        started, tries = time.monotonic(), 0
        tried: Result | None = None
        if isinstance(prompt.interaction, Flip):
            unproven = self._flip(question, mistakes)
            if self.leaving or unproven:
                return unproven
        while True:
            self._footer(question, prompt, tried is not None)
            raw = self.read()
            command = raw.strip().casefold() if raw is not None else "q"
            match command:
                case "q" | "quit":
                    self.leaving = True
                    return tried
                case "s" | "skip" if tried is not None:
                    self.explain(question, tried, mistakes)
                    return tried
                case "s" | "skip":
                    result = question.skip()
                case "h" | "hint" if not self.exam:
                    self._hint(question)
                    continue
                case _:
                    answer = self._whole(prompt, raw or "")
                    if answer is None:
                        continue
                    if self.interactive and question.item.exercise:
                        self.console.print("Running it in PyTorch ...", style="dim")
                    elif self.interactive and not question.ready:
                        self.console.print("Starting PyTorch to check ...", style="dim")
                    result = question.answer(answer, mistakes)
                    result = modes.in_time(result, time.monotonic() - started) if self.timed else result
            if result.score.outcome not in (Outcome.UNREADABLE, Outcome.NOT_RUN):
                if self.record:
                    self.record(result, tries, time.monotonic() - started)
                tries += 1
            if self.exam and result.score.outcome in (*JUDGED, Outcome.SKIPPED):
                self._say("Noted." if result.score.outcome in JUDGED else "Skipped.", "dim")
                return result
            self.verdict_of(result)
            if result.score.outcome is Outcome.UNREADABLE and self.interactive:
                continue
            if self.interactive and self._may_try_again(result, tries):
                tried = result
                continue
            self.explain(question, result, mistakes)
            return result

    def pause(self) -> bool:
        """Wait for the learner before the next question; False where they want to stop."""
        if not self.interactive or self.leaving:
            return not self.leaving
        self.console.print()
        self.console.print("Enter for the next question   q quit", style="dim")
        self.console.print("> ", end="")
        raw = self.read()
        self.leaving = raw is None or raw.strip().casefold() in ("q", "quit")
        return not self.leaving

    def _announce_limit(self, question: Question) -> None:
        if self.timed:
            self._say(f"Time for this problem: {modes.limit(question.item)} s", "bold")

    def _flip(self, question: Question, mistakes: dict[str, Mistake]) -> Result | None:
        """Wait, then show the back of a card; a result where that is not proven, None where all is well or left."""
        if self.interactive:
            self.console.print()
            self.console.print("Say to yourself what is on the back. Enter to turn it over   q quit", style="dim")
            self.console.print("> ", end="")
            raw = self.read()
            self.leaving = raw is None or raw.strip().casefold() in ("q", "quit")
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
        drawing.heading(self.console, "And now your own code")
        self._markdown(asked.stem)
        while True:
            self.console.print()
            self.console.print("Answer: a number   Enter to go on", style="dim")
            self.console.print("> ", end="")
            raw = self.read()
            if raw is None or not raw.strip():
                return None
            result = asked.answer(raw)
            self.verdict_of(result)
            if result.score.outcome is not Outcome.UNREADABLE or not self.interactive:
                return result

    def _whole(self, prompt: Prompt, first: str) -> str | None:
        """The whole answer, of which the first line was read; None where there is none after all."""
        if not isinstance(prompt.interaction, Write):
            return first
        if first.startswith("@") and (first.rstrip().endswith(".py") or Path(first[1:].strip()).expanduser().is_file()):
            try:
                return Path(first[1:].strip()).expanduser().read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                self._say(f"{first[1:].strip()} cannot be read: {error}")
                return None
        lines = [first]
        while lines[-1].rstrip() != END_OF_CODE and (line := self.read()) is not None:
            lines.append(line)
        return "\n".join(line for line in lines if line.rstrip() != END_OF_CODE) + "\n"

    def _may_try_again(self, result: Result, tries: int) -> bool:
        """Whether a task is left for another try, after so many of them; says how many are left."""
        again = not self.timed and modes.may_try_again(result, tries, self.tries)
        if again and self.tries:
            self._say(f"Attempts left: {self.tries - tries}")
        return again

    def _prompt(self, question: Question) -> Prompt:
        if self.interactive and question.waits and not question.ready:
            self.console.print("Starting PyTorch to run the question ...", style="dim")
        return question.prompt()

    def _hint(self, question: Question) -> None:
        try:
            hint = question.hint()
        except NotProvenError as error:
            hint = str(error)
        self._say(f"Hint {question.hints_used}: {hint}" if hint else "There are no more hints.")

    def _footer(self, question: Question, prompt: Prompt, again: bool) -> None:
        left = 0 if self.exam else prompt.hints - question.hints_used
        match prompt.interaction:
            case Pick(many=True) as pick:
                answer = f"letters of all that hold ({pick.letters[0]}-{pick.letters[-1]})"
            case Pick() as pick:
                answer = f"{pick.letters[0]}-{pick.letters[-1]}"
            case Type(unit=unit):
                answer = f"a number ({unit})" if unit else "a number"
            case Table(labels=labels):
                answer = f"{len(labels)} numbers with spaces between"
            case Fill(blanks=1):
                answer = "the text for __1__"
            case Fill(blanks=blanks):
                answer = f"{blanks} texts with `;` between"
            case Arrange(lines=lines):
                answer = f"the numbers 1-{len(lines)} in order"
            case Write():
                answer = f"code, end with `{END_OF_CODE}`" + ("" if again else "; or @file.py")
            case Flip():
                answer = "1 again   2 hard   3 good   4 easy"
            case _:
                assert_never(prompt.interaction)
        hints = f"h hint ({left} left)   " if left else ""
        rest = "s solution" if again else "s skip"
        self.console.print()
        again_word = "Try again" if again else "Answer"
        self.console.print(f"{again_word}: {answer}   {hints}{rest}   q quit", style="dim")
        self.console.print("> ", end="")

    # ------------------------------------------------------------ the end

    def summary(self, topic: str, questions: int, results: Sequence[Result], mistakes: dict[str, Mistake]) -> None:
        """How the sitting went, and what to do next."""
        cards = [result for result in results if result.item.kind == "card"]
        results = [result for result in results if result.item.kind != "card"]
        if cards:
            unknown = sum(result.score.outcome is Outcome.INCORRECT for result in cards)
            self._say(f"{len(cards)} of {questions} were cards; {unknown} of them to see again soon.", "bold")
            questions -= len(cards)
            if not results:
                return
        counts = {outcome: sum(result.score.outcome is outcome for result in results) for outcome in Outcome}
        said = [f"{count} {outcome.value}" for outcome, count in counts.items() if count]
        score = mean(results)
        self.console.print()
        self.console.print(
            f"{len(results)} of {questions} questions: {', '.join(said) or 'none answered'}", style="bold"
        )
        if score is not None:
            judged = sum(result.score.points is not None for result in results)
            of = f" of the {judged} that could be judged" if judged < len(results) else ""
            self.console.print(f"Score: {score:.0%}{of}")
        met = [result.score.mistake for result in results if result.score.mistake]
        if met:
            self.console.print("Misconceptions met:")
            for mistake in dict.fromkeys(met):
                self.console.print(inline(self.console, f"  {mistake}: {flowing(mistakes[mistake].says)}"))
        if topic:
            self.console.print(f"Again with other numbers: grader quiz {topic} --seed 1", style="dim")

    # ------------------------------------------------------------ tests and reviews

    def introduce(self, topic: str, questions: int, place: int) -> None:
        """What a test is, or at which place (from 0) it is taken up again."""
        if place:
            self._say(f"Your test on {topic} goes on with question {place + 1} of {questions}.", "bold")
            return
        when = "at the end" if self.exam else "after each answer"
        self._say(f"A test on {topic}: {questions} questions, easy to hard, no hints, explained {when}.", "bold")
        self.console.print("Every answer is kept at once. If you leave, the same command goes on where you were.")

    def left(self, topic: str, answered: int, questions: int) -> None:
        """The test was left before its end."""
        self._say(f"{answered} of {questions} answered, and kept. Go on with: grader test {topic}", "bold")

    def review(self, missed: Sequence[tuple[int, Question, Result]], mistakes: dict[str, Mistake]) -> None:
        """At the end of a test: the questions that were not right, each explained."""
        if missed:
            drawing.heading(self.console, "What was not right")
        for place, question, result in missed:
            try:
                self.show(question.prompt(), f"Question {place + 1}")
            except NotProvenError as error:
                self._say(f"{question.item.id}: {error}")
                continue
            if result.response is not None:
                self._say(f"Your answer: {flowing(result.response)}")
            self.tell(question, question.answer(result.response, mistakes) if result.response else result, mistakes)

    def verdict(self, topic: str, said: Verdict, mistakes: dict[str, Mistake]) -> None:
        """What a test says about the topic, how sure that is, and what to do next."""
        words = {"strong": "strong", "getting there": "getting there", "not yet": "not there yet"}
        drawing.heading(self.console, f"{topic}: {words[said.word]}")
        points = f"{said.points:g} of {said.asked} points."
        self._say(
            f"{points} With 90 % certainty you answer between {said.low:.0%} and {said.high:.0%} of such questions "
            f"right. That it is more than {ENOUGH:.0%} is {said.certainty:.0%} certain."
        )
        self.console.print()
        width = max(len(skill.name) for skill in said.skills)
        for skill in said.skills:
            self.console.print(f"  {skill.name.replace('-', ' '):{width}}  {skill.points:g} of {skill.asked}")
        if said.weakest:
            self._say(f"Weakest: {said.weakest.replace('-', ' ')}.")
        if said.mistakes:
            drawing.heading(self.console, "Misconceptions")
            for name, times in said.mistakes:
                often = f" ({times} times)" if times > 1 else ""
                text = inline(self.console, f"{flowing(mistakes[name].says)}{often}" if name in mistakes else name)
                drawing.hanging(self.console, "  - ", "", text)
        for page in said.read:
            self._say(f"Read next: {page}")
        self.console.print()
        self.console.print(f"Practice: grader quiz {topic}   What is due: grader review {topic}", style="dim")

    def nothing_due(self, name: str, next_due: datetime | None) -> None:
        """There is nothing to review."""
        then = f" The next is due {next_due.astimezone():%A %d %B, %H:%M}." if next_due else ""
        self._say(f"Nothing is due in {name}.{then} `grader review --ahead` asks before that.")

    def badge(self, topic: str, problems: int) -> None:
        """All problems of a challenge were right, in time."""
        self._say(f"Badge: {topic} challenge, all {problems} right and in time.", "bold green")
