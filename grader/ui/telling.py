"""What is said on a terminal of a question and of an answer: stem, options, verdict, solution, common mistakes.

Colors only repeat what the words say. Without a terminal there are none, and in `plain` mode no plots either.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, assert_never

from rich.text import Text

from grader import explaining, template
from grader.explaining import LETTERS, Labeled
from grader.model import (
    Arrange,
    Fill,
    Flip,
    Mistake,
    Outcome,
    Pick,
    Prompt,
    Result,
    Score,
    Table,
    Type,
    Write,
)
from grader.session import Question
from grader.ui import drawing
from grader.ui.drawing import flowing, inline
from grader.ui.words import WORDS

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


class Teller:
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
            case Type() | Fill() | Flip():
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

    def verdict_of(self, result: Result) -> None:
        """Right, or which mistake it was and where the answer departs from what it should be."""
        score = result.score
        if score.rating:
            self._say(f"Noted: {('again', 'hard', 'good', 'easy')[score.rating - 1]}.", "dim")
            return
        word, style = WORDS[score.outcome], STYLES[score.outcome]
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
        self.verdict_of(result)
        if result.score.outcome is not Outcome.UNREADABLE:
            self.explain(question, result, mistakes)

    def explain(self, question: Question, result: Result, mistakes: dict[str, Mistake]) -> None:
        """What PyTorch did, the solution, the answer, the other mistakes."""
        told = explaining.explain(question, result, mistakes)
        if told is None:
            return
        if told.run:
            drawing.rates(self.console, told.run, self.plain, question.item.counts)
        elif told.observed:
            drawing.chart(self.console, told.observed, self.plain)
        drawing.heading(self.console, "Solution")
        for number, step in enumerate(told.solution, 1):
            drawing.hanging(self.console, f"  {number}. ", "", inline(self.console, flowing(step)))
        drawing.heading(self.console, told.answer_title)
        for part in told.answer:
            self._part(part)
        if told.mistakes:
            drawing.heading(self.console, "Common mistakes")
            for other in told.mistakes:
                drawing.hanging(
                    self.console, f"  {other.label}  ", "bold cyan", inline(self.console, flowing(other.text))
                )
        for page in told.see:
            self._say(f"Read on: {page}")

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
            drawing.code(self.console, part.text, colored=not self.plain)
        else:
            self.console.print(f"  {part.text}")
