"""Asks the questions of a lesson on a terminal, as those of any other sitting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.faces.words import WORDS
from grader.model import LETTERS, Asks, Bank, Outcome, Result, by_name

if TYPE_CHECKING:
    from grader.faces.terminal.dialog import Terminal
    from grader.learning.sitting import Sittings


@dataclass
class LessonQuestions:
    """What a lesson asks with: see `lesson_page.Ask`."""

    terminal: Terminal
    sittings: Sittings
    bank: Bank
    learner: str
    mix: int

    def __call__(self, asks: Asks) -> Sequence[str] | None:
        """Ask items in a sitting of their own. One that the bank lacks is passed over, and that is said."""
        items = by_name(self.bank.items)
        drawn = [(items[name], asks.variant) for name in asks.items if self._can_be_asked(name, asks.variant)]
        if not drawn:
            return ()
        if asks.predicts:
            self.terminal.console.print()
            self.terminal.console.print("Predict it, before you see what it prints. `s` shows it.", style="bold")
        name = self.sittings.begin(
            self.learner, drawn[0][0].topic, "practice", drawn, mix=self.mix, face="terminal"
        )  # fmt: skip
        said = []
        for place in range(len(drawn)):
            result = self.terminal.ask(self.sittings, name, place, len(drawn), self.bank.mistakes)
            if result is None or self.terminal.leaving:
                return None
            said.append(_said(result))
        if asks.predicts:
            self.terminal.console.print()
            return said
        return said if self.terminal.pause() else None

    def _can_be_asked(self, name: str, variant: int) -> bool:
        found = by_name(self.bank.items).get(name)
        if found is not None and not found.retired and variant < len(found.variants):
            return True
        self.terminal.console.print(f"The question `{name}` cannot be asked; `grader verify` says why.", markup=False)
        return False


def _said(result: Result) -> str:
    """What was predicted, in a line."""
    if result.response is None or result.score.outcome is Outcome.SKIPPED:
        return "You predicted nothing."
    said = " ".join(result.response.split())
    if result.options and len(said) == 1 and said.upper() in LETTERS[: len(result.options)]:
        said = f"{said.upper()}  {result.options[LETTERS.index(said.upper())]}"
    return f"You predicted: {said}   {WORDS[result.score.outcome]}"
