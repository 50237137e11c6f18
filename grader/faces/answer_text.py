"""What is said on a terminal of a question and of an answer: stem, options, verdict, solution, common mistakes.

Colors only repeat what the words say. Without a terminal there are none, and in `plain` mode no plots either.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, assert_never

from rich.text import Text

from grader import template
from grader.faces import words
from grader.faces.words import WORDS, blank_table, one_for_each, row_by_row, run_with
from grader.learning import explanation
from grader.learning.question import Question
from grader.model import (
    LETTERS,
    Chart,
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
    Result,
    Score,
    TextInput,
)
from grader.render import grids, terminal_markdown, terminal_text
from grader.render.terminal_markdown import phrase

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {
    Outcome.CORRECT: "bold green",
    Outcome.PARTLY: "bold yellow",
    Outcome.INCORRECT: "bold red",
    Outcome.UNREADABLE: "bold yellow",
    Outcome.NOT_RUN: "bold yellow",
    Outcome.SKIPPED: "bold",
}


LINES_OF_A_PROMPT = 5
"""Of a screen, for the line that was typed and the keys below what is told."""


class AnswerText:
    """Draws questions and answers on a console."""

    def __init__(self, console: Console, plain: bool = False) -> None:
        self.console = console
        self.plain = plain or os.environ.get("TERM") == "dumb"

    # ------------------------------------------------------------ drawing a question

    def show(self, prompt: Prompt, place: str) -> None:
        """The question: where we are, the stem, the program, what there is to answer with."""
        self.console.print()
        header = Text(place, style="bold")
        header.append(f"   {prompt.level}   {prompt.skill.replace('-', ' ')}", style="dim")
        self.console.print(header)
        if prompt.origin:
            self.console.print(Text(words.from_bank(prompt.origin), style="dim"))
        self.console.print()
        self._markdown(prompt.stem)
        for before in prompt.given:
            terminal_text.heading(self.console, f"Given: {before.label}")
            terminal_text.code(self.console, before.text, colored=not self.plain)
        if prompt.given and prompt.program:
            terminal_text.heading(self.console, "Program")
            terminal_text.code(self.console, prompt.program, colored=not self.plain)
        elif prompt.program:
            self.console.print()
            terminal_text.code(self.console, prompt.program, colored=not self.plain)
        for figure in prompt.figures:
            terminal_text.figure(self.console, figure, self.plain)
        self._inputs(prompt)

    def _inputs(self, prompt: Prompt) -> None:
        """What there is to answer with; of a card, only once it is turned."""
        if prompt.reveals:
            return
        for kind, group in itertools.groupby(prompt.inputs, type):
            inputs = list(group)
            if kind is NumberInput and inputs[0].label:
                self.console.print()
                table = blank_table(inputs)
                self.console.print(row_by_row(inputs) if table else one_for_each([one.label for one in inputs]))
                if table:
                    self.console.print()
                    self._markdown(table)
                continue
            shown: tuple[str, ...] | None = None
            for one in inputs:
                if isinstance(one, ChooseOne | ChooseMany) and one.options == shown:
                    self.console.print(f"  {one.label}")
                    continue
                self._input(one)
                shown = one.options if isinstance(one, ChooseOne | ChooseMany) else None

    def _input(self, one: Input) -> None:
        match one:
            case ChooseOne(options=options, code=code) | ChooseMany(options=options, code=code):
                self.console.print()
                for letter, option in zip(LETTERS, options, strict=False):
                    self._option(letter, option, code)
                if one.label:
                    self.console.print()
                    self.console.print("One letter for each:")
                    self.console.print(f"  {one.label}")
            case OrderInput(lines=lines):
                self.console.print()
                for number, line in enumerate(lines, 1):
                    terminal_text.hanging(self.console, f"  {number}  ", "bold cyan", Text(line))
            case CodeInput(starter=starter, cases=cases, broken=broken, others=others):
                terminal_text.heading(self.console, "Fix this" if broken else "Start from")
                terminal_text.code(self.console, starter.strip("\n"), colored=not self.plain)
                if cases:
                    self.console.print()
                    self.console.print(phrase(self.console, run_with(cases, others=others)))
            case TextInput(wanted=wanted) if wanted:
                self._say(f"Answer with {wanted}.")
            case NumberInput() | TextInput():
                pass
            case _:
                assert_never(one)

    def _option(self, letter: str, option: str, code: bool) -> None:
        label = f"  {letter}  "
        if code:
            terminal_text.hanging(self.console, label, "bold cyan", Text(option))
        else:
            terminal_markdown.entry(self.console, label, "bold cyan", option)

    def _markdown(self, text: str) -> None:
        """A text with all of its blocks."""
        terminal_markdown.draw(self.console, text, colored=not self.plain)

    def _say(self, text: str, style: str = "") -> None:
        self.console.print()
        self.console.print(phrase(self.console, text), style=style)

    # ------------------------------------------------------------ after an answer

    def verdict_of(self, result: Result) -> None:
        """Right, or which mistake it was and where the answer departs from what it should be."""
        score = result.score
        self._word(score, score.feedback)
        if score.rating:
            return
        self._details(score)
        self._checks(score)
        self._table(score)
        self._grids(score)
        if score.chart:
            terminal_text.chart(self.console, score.chart, self.plain)

    def _word(self, score: Score, said: str) -> None:
        """The verdict in a word, and what is said with it."""
        if score.rating:
            self._say(f"Noted: {('again', 'hard', 'good', 'easy')[score.rating - 1]}.", "dim")
            return
        self.console.print()
        colon = ":" if score.outcome in (Outcome.UNREADABLE, Outcome.NOT_RUN) else ""
        line = Text.assemble((WORDS[score.outcome] + colon, STYLES[score.outcome]))
        if said:
            terminal_markdown.after(self.console, line, said)
        else:
            self.console.print(line)

    def _details(self, score: Score) -> None:
        for paragraph in score.details:
            self._say(paragraph)

    def _grids(self, score: Score) -> None:
        """The learner's values and the right ones, side by side."""
        if score.grids:
            self.console.print()
            for row in grids.lines(score.grids):
                self.console.print(f"  {row}", markup=False, highlight=False, soft_wrap=True)

    def refute(self, question: Question, result: Result) -> None:
        """The options that were picked and those that are right, one below the other, where the two differ."""
        if result.score.outcome not in (Outcome.INCORRECT, Outcome.PARTLY):
            return
        yours, right = explanation.both(question, result)
        if not yours:
            return
        self.console.print()
        for name, options in (("yours", yours), ("right", right)):
            for number, option in enumerate(options):
                label = f"  {'' if number else name:5}  {option.label}  "
                if option.code:
                    terminal_text.hanging(self.console, label, "", Text(option.text))
                else:
                    terminal_markdown.entry(self.console, label, "", option.text)

    def tell_shortly(self, question: Question, result: Result, mistakes: dict[str, Mistake]) -> None:
        """An answer in a few lines: of a right one the idea, of a wrong one the mistake, both values and the drawing.

        What would push the verdict off the screen is left out; `tell` has it all.
        """
        score = result.score
        if score.rating:
            self._word(score, "")
        elif score.outcome is Outcome.CORRECT:
            self._word(score, " ".join(filter(None, [score.feedback, explanation.idea(question)])))
            self._details(score)
        elif score.outcome is Outcome.SKIPPED:
            self._word(score, "")
            if told := explanation.explain(question, result, mistakes):
                terminal_text.heading(self.console, told.answer_title)
                for part in told.answer:
                    self._part(part)
        else:
            told = explanation.explain(question, result, mistakes)
            self.in_sight(score, lambda: self.refute(question, result), told.observed if told else None)

    def in_sight(self, score: Score, values: Callable[[], None] = lambda: None, observed: Chart | None = None) -> None:
        """A wrong answer, as far as a screen holds it: the verdict always, then what fits, the drawing last.

        `observed` is drawn where the answer has no chart of its own.
        """
        parts: list[Callable[[], None]] = [
            lambda: self._word(score, score.feedback),
            values,
            lambda: self._details(score),
            lambda: self._grids(score),
            lambda: self._table(score),
            lambda: self._checks(score),
        ]
        if chart := score.chart or observed:
            parts.append(lambda: terminal_text.drawing(self.console, chart, self.plain))
        left = self.console.height - LINES_OF_A_PROMPT
        for number, part in enumerate(parts):
            with self.console.capture() as held:
                part()
            lines = terminal_text.height(held.get(), self.console.width)
            if lines <= left or number == 0:
                self.console.file.write(held.get())
                left -= lines

    def _checks(self, score: Score) -> None:
        """Which inputs an answer was run with, and where it was right; not worth a word where it is all or nothing."""
        right = sum(entry.passed for entry in score.checked)
        if right in (0, len(score.checked)):
            return
        self._say(f"Correct for {right} of {len(score.checked)} inputs:")
        for entry in score.checked:
            said = f"  {'right' if entry.passed else 'wrong'}   {template.inputs(entry.inputs)}"
            self.console.print(said, soft_wrap=True)

    def _table(self, score: Score) -> None:
        """What each check said, and its points."""
        if not score.table:
            return
        self.console.print()
        width = max(len(one.name) for one in score.table)
        for one in score.table:
            passed = "passed" if one.passed else "failed"
            points = f"{one.points:.3g} of {one.of:.3g}"
            self.console.print(
                f"  {passed}  {one.name:<{width}}  {points:>8}", markup=False, highlight=False, soft_wrap=True
            )

    def tell(self, question: Question, result: Result, mistakes: dict[str, Mistake]) -> None:
        """All there is to say of an answer that will not be asked for again."""
        self.verdict_of(result)
        self.refute(question, result)
        if result.score.outcome is not Outcome.UNREADABLE:
            self.explain(question, result, mistakes)

    def explain(self, question: Question, result: Result, mistakes: dict[str, Mistake]) -> None:
        """What PyTorch did, the solution, the answer, the other mistakes."""
        told = explanation.explain(question, result, mistakes)
        if told is None:
            return
        if told.run:
            terminal_text.rates(self.console, told.run, self.plain, told.counts)
        elif told.observed:
            terminal_text.chart(self.console, told.observed, self.plain)
        terminal_text.heading(self.console, "Solution")
        for number, step in enumerate(told.solution, 1):
            terminal_markdown.entry(self.console, f"  {number}. ", "", step)
        terminal_text.heading(self.console, told.answer_title)
        for part in told.answer:
            self._part(part)
        if told.mistakes:
            terminal_text.heading(self.console, "Common mistakes")
            for other in told.mistakes:
                terminal_markdown.entry(self.console, f"  {other.label}  ", "bold cyan", other.text)
        for page in told.see:
            self._say(f"Read on: {page}")
        if told.credit:
            self._say(told.credit)

    def back(self, question: Question) -> None:
        """What is on the back of a card."""
        self.console.print()
        for step in question.proof.solution:
            self._markdown(step)

    def _part(self, part: Labeled) -> None:
        """A part of the final answer: code by itself, a value, or what has a label."""
        if part.label:
            self._option(part.label, part.text, part.code)
        elif part.code:
            terminal_text.code(self.console, part.text, colored=not self.plain)
        else:
            self.console.print(f"  {part.text}")
