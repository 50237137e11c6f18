"""The terminal: questions as plain lines, one answer a line; code ends with a line that holds only a dot.

Nothing is drawn over: every line stays where it was printed, so a screen reader, a pipe and a log read the same. Colors
only repeat what the words say. Without a terminal there are no colors, and in `plain` mode no plots either.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from rich.text import Text

from grader import diagnosis, template
from grader.model import (
    Arrange,
    Fill,
    Mistake,
    Outcome,
    Pick,
    Prompt,
    Proof,
    ProvenOption,
    Result,
    Score,
    Table,
    Type,
    Write,
)
from grader.session import FollowUp, NotProvenError, Question, mean
from grader.template import show
from grader.ui import drawing
from grader.ui.drawing import flowing, inline

if TYPE_CHECKING:
    from rich.console import Console

LETTERS = "ABCDEFGH"
WORDS = {
    Outcome.CORRECT: ("Right.", "bold green"),
    Outcome.PARTLY: ("Partly right.", "bold yellow"),
    Outcome.INCORRECT: ("Not right.", "bold red"),
    Outcome.UNREADABLE: ("That could not be read", "bold yellow"),
    Outcome.NOT_RUN: ("This question could not be judged", "bold yellow"),
    Outcome.SKIPPED: ("Skipped.", "bold"),
}
END_OF_CODE = "."


class Terminal:
    """Asks the questions of a sitting, in order."""

    def __init__(self, console: Console, read: Callable[[], str | None], plain: bool = False) -> None:
        self.console, self.read = console, read
        self.plain = plain or os.environ.get("TERM") == "dumb"
        self.interactive = False
        self.leaving = False
        """The learner has asked to quit."""

    # ------------------------------------------------------------ asking

    def ask(self, question: Question, place: str, mistakes: dict[str, Mistake]) -> Result | None:
        """Ask until there is an answer, a skip (a result each), or an end (None).

        At a terminal, a table or a program that is not right may be tried again; the last try is the result.
        """
        try:
            prompt = self._prompt(question)
        except NotProvenError as error:
            result = question.answer("", mistakes)
            self._say(f"{question.item.id}: {WORDS[Outcome.NOT_RUN][0]}: {error}", WORDS[Outcome.NOT_RUN][1])
            return result
        self.show(prompt, place)
        tried: Result | None = None
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
                case "h" | "hint":
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
            self._verdict(result)
            if result.score.outcome is Outcome.UNREADABLE and self.interactive:
                continue
            if self.interactive and self._may_try_again(prompt, result):
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
            self._verdict(result)
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

    def _may_try_again(self, prompt: Prompt, result: Result) -> bool:
        wrong = result.score.outcome in (Outcome.INCORRECT, Outcome.PARTLY)
        return wrong and not isinstance(prompt.interaction, Pick | Type)

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
        left = prompt.hints - question.hints_used
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
            case _:
                assert_never(prompt.interaction)
        hints = f"h hint ({left} left)   " if left else ""
        rest = "s solution" if again else "s skip"
        self.console.print()
        again_word = "Try again" if again else "Answer"
        self.console.print(f"{again_word}: {answer}   {hints}{rest}   q quit", style="dim")
        self.console.print("> ", end="")

    # ------------------------------------------------------------ drawing a question

    def show(self, prompt: Prompt, place: str) -> None:
        """The question: where we are, the stem, the program, what there is to answer with."""
        self.console.print()
        header = Text(place, style="bold")
        header.append(f"   {prompt.level}   {prompt.skill.replace('-', ' ')}", style="dim")
        self.console.print(header)
        self.console.print()
        self._markdown(prompt.stem)
        if prompt.program:
            self.console.print()
            drawing.code(self.console, prompt.program, colored=not self.plain)
        match prompt.interaction:
            case Pick(options=options, code=code):
                self.console.print()
                for letter, option in zip(LETTERS, options, strict=False):
                    self._option(letter, option, code)
            case Table(labels=labels):
                self.console.print()
                self.console.print(f"One number for each, from {labels[0]} to {labels[-1]}.")
            case Arrange(lines=lines):
                self.console.print()
                for number, line in enumerate(lines, 1):
                    drawing.hanging(self.console, f"  {number}  ", "bold cyan", Text(line))
            case Write(starter=starter, cases=cases):
                drawing.heading(self.console, "Mend this" if prompt.kind == "repair" else "Start from")
                drawing.code(self.console, starter.strip("\n"), colored=not self.plain)
                if cases:
                    self.console.print()
                    said = "; ".join(cases)
                    self.console.print(
                        inline(self.console, f"It is run with {said}, and with other numbers that are not shown.")
                    )
            case Type() | Fill():
                pass
            case _:
                assert_never(prompt.interaction)

    def _option(self, letter: str, option: str, code: bool) -> None:
        text = Text(option) if code else inline(self.console, option)
        drawing.hanging(self.console, f"  {letter}  ", "bold cyan", text)

    def _markdown(self, text: str) -> None:
        """The paragraphs of a stem, each as one flowing text, and its lists."""
        for number, paragraph in enumerate(text.split("\n\n")):
            if number:
                self.console.print()
            first, *entries = re.split(r"^- ", paragraph, flags=re.MULTILINE)
            if first.strip():
                self.console.print(inline(self.console, flowing(first)))
            for entry in entries:
                drawing.hanging(self.console, "  - ", "", inline(self.console, flowing(entry)))

    def _say(self, text: str, style: str = "") -> None:
        self.console.print()
        self.console.print(inline(self.console, text), style=style)

    # ------------------------------------------------------------ after an answer

    def _verdict(self, result: Result) -> None:
        """Right, or which mistake it was and where the answer departs from what it should be."""
        score = result.score
        word, style = WORDS[score.outcome]
        self.console.print()
        colon = ":" if score.outcome in (Outcome.UNREADABLE, Outcome.NOT_RUN) else ""
        line = Text.assemble((word + colon, style))
        if score.feedback:
            line = Text.assemble(line, " ", inline(self.console, flowing(score.feedback)))
        self.console.print(line)
        for paragraph in score.details:
            self._say(flowing(paragraph))
        self._checks(score)
        if score.chart:
            drawing.chart(self.console, score.chart, self.plain)

    def _checks(self, score: Score) -> None:
        """Which inputs an answer was run with, and where it was right; not worth a word where it is all or nothing."""
        right = sum(entry.passed for entry in score.checked)
        if right in (0, len(score.checked)):
            return
        self._say(f"Right for {right} of {len(score.checked)} inputs:")
        for entry in score.checked:
            said = f"  {'right' if entry.passed else 'wrong'}   {template.inputs(entry.inputs)}"
            self.console.print(said, soft_wrap=True)

    def tell(self, question: Question, result: Result, mistakes: dict[str, Mistake]) -> None:
        """All there is to say of an answer that will not be asked for again."""
        self._verdict(result)
        if result.score.outcome is not Outcome.UNREADABLE:
            self.explain(question, result, mistakes)

    def explain(self, question: Question, result: Result, mistakes: dict[str, Mistake]) -> None:
        """What PyTorch did, the solution, the answer, the other mistakes."""
        try:
            proof = question.proof
        except NotProvenError:
            return
        item = question.item
        solved = item.exercise is not None and result.score.outcome is Outcome.CORRECT
        if not solved and result.score.chart is None:  # the chart has shown them already
            if diagnosis.curve(proof.answer):
                drawing.observed(self.console, tuple(proof.answer), item.shows, item.counts, self.plain)
            else:
                drawing.rates(self.console, proof.observation, self.plain, item.counts)
        drawing.heading(self.console, "Solution")
        for number, step in enumerate(proof.solution, 1):
            drawing.hanging(self.console, f"  {number}. ", "", inline(self.console, flowing(step)))
        drawing.heading(self.console, "One way to write it" if item.exercise else "Final answer")
        self._answer(question, proof)
        self._other_mistakes(question, proof, result, mistakes)
        see = [mistakes[result.score.mistake].see if result.score.mistake in mistakes else "", item.see]
        for page in dict.fromkeys(filter(None, see)):
            self._say(f"Read on: {page}")

    def _answer(self, question: Question, proof: Proof) -> None:
        item = question.item
        keys = [(letter, option) for letter, option in self._lettered(question, proof) if option.key]
        if item.exercise and item.kind == "fill":
            for number, part in enumerate(item.exercise.reference, 1):
                drawing.hanging(self.console, f"  __{number}__  ", "bold cyan", Text(part))
        elif item.exercise:
            drawing.code(self.console, "\n".join(item.exercise.reference).strip("\n"), colored=not self.plain)
        elif keys:
            for letter, option in keys:
                self._option(letter, option.shown, False)
        else:
            said = " ".join(map(show, proof.answer)) if isinstance(proof.answer, list) else show(proof.answer)
            self.console.print(f"  {said} {item.unit}".rstrip())

    def _lettered(self, question: Question, proof: Proof) -> list[tuple[str, ProvenOption]]:
        """The options in the order in which they were shown, each with its letter."""
        if len(question.order) != len(proof.options):
            return [("-", option) for option in proof.options]
        return [(LETTERS[shown], proof.options[place]) for shown, place in enumerate(question.order)]

    def _other_mistakes(self, question: Question, proof: Proof, result: Result, mistakes: dict[str, Mistake]) -> None:
        said = {result.score.mistake}
        picked = any(option.key for option in proof.options)
        others: list[tuple[str, str]] = []
        for letter, option in self._lettered(question, proof):
            if not option.key and option.mistake in mistakes and option.mistake not in said:
                value = show(option.value) if isinstance(option.value, int | float) else option.shown
                if isinstance(option.value, list) and not question.item.exercise:
                    value = " ".join(map(show, option.value[:4])) + (" ..." if len(option.value) > 4 else "")
                label = letter if picked else "-" if len(value) > 32 or "\n" in value else value
                others.append((label, mistakes[option.mistake].says))
                said.add(option.mistake)
        if others:
            drawing.heading(self.console, "Common mistakes")
            for label, says in others:
                drawing.hanging(self.console, f"  {label}  ", "bold cyan", inline(self.console, flowing(says)))

    # ------------------------------------------------------------ the end

    def summary(self, topic: str, questions: int, results: Sequence[Result], mistakes: dict[str, Mistake]) -> None:
        """How the sitting went, and what to do next."""
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
        self.console.print(f"Again with other numbers: grader quiz {topic} --seed 1", style="dim")
