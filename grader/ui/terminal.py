"""The terminal: questions as plain lines, one answer a line.

Nothing is drawn over: every line stays where it was printed, so a screen reader, a pipe and a log read the same. Colors
only repeat what the words say. Without a terminal there are no colors, and in `plain` mode no plots either.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import IO, assert_never

from rich.console import Console
from rich.text import Text

from grader.model import Mistake, Observation, Outcome, Pick, Prompt, Proof, ProvenOption, Result, Type
from grader.session import NotProvenError, Question, mean
from grader.template import show

LETTERS = "ABCDEFGH"
WORDS = {
    Outcome.CORRECT: ("Right.", "bold green"),
    Outcome.PARTLY: ("Partly right.", "bold yellow"),
    Outcome.INCORRECT: ("Not right.", "bold red"),
    Outcome.UNREADABLE: ("That could not be read", "bold yellow"),
    Outcome.NOT_RUN: ("This question could not be judged", "bold yellow"),
    Outcome.SKIPPED: ("Skipped.", "bold"),
}


def screen(stream: IO[str] | None = None) -> Console:
    """A console of at most 80 columns that prints text as it is."""
    stream = stream or sys.stdout
    console = Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=False)
    console.width = min(80, console.width)
    return console


class Terminal:
    """Asks the questions of a sitting, in order."""

    def __init__(self, console: Console, read: Callable[[], str | None], plain: bool = False) -> None:
        self.console, self.read = console, read
        self.plain = plain or os.environ.get("TERM") == "dumb"
        self.interactive = False

    # ------------------------------------------------------------ asking

    def ask(self, question: Question, place: str, mistakes: dict[str, Mistake]) -> Result | None:
        """Ask until there is an answer, a skip (a result each), or an end (None)."""
        try:
            prompt = self._prompt(question)
        except NotProvenError as error:
            result = question.answer("", mistakes)
            self._say(f"{question.item.id}: {WORDS[Outcome.NOT_RUN][0]}: {error}", WORDS[Outcome.NOT_RUN][1])
            return result
        self.show(prompt, place)
        while True:
            self._footer(question, prompt)
            raw = self.read()
            command = raw.strip().casefold() if raw is not None else "q"
            match command:
                case "q" | "quit":
                    return None
                case "s" | "skip":
                    result = question.skip()
                case "h" | "hint":
                    self._hint(question)
                    continue
                case _:
                    if self.interactive and not question.ready:
                        self.console.print("Starting PyTorch to check ...", style="dim")
                    result = question.answer(raw or "", mistakes)
            self._verdict(result)
            if result.score.outcome is Outcome.UNREADABLE and self.interactive:
                continue
            self.explain(question, result, mistakes)
            return result

    def pause(self) -> bool:
        """Wait for the learner before the next question; False where they want to stop."""
        if not self.interactive:
            return True
        self.console.print()
        self.console.print("Enter for the next question   q quit", style="dim")
        self.console.print("> ", end="")
        raw = self.read()
        return raw is not None and raw.strip().casefold() not in ("q", "quit")

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

    def _footer(self, question: Question, prompt: Prompt) -> None:
        left = prompt.hints - question.hints_used
        match prompt.interaction:
            case Pick(many=True) as pick:
                answer = f"letters of all that hold ({pick.letters[0]}-{pick.letters[-1]})"
            case Pick() as pick:
                answer = f"{pick.letters[0]}-{pick.letters[-1]}"
            case Type(unit=unit):
                answer = f"a number ({unit})" if unit else "a number"
            case _:
                assert_never(prompt.interaction)
        hints = f"h hint ({left} left)   " if left else ""
        self.console.print()
        self.console.print(f"Answer: {answer}   {hints}s skip   q quit", style="dim")
        self.console.print("> ", end="")

    # ------------------------------------------------------------ drawing a question

    def show(self, prompt: Prompt, place: str) -> None:
        """The question: where we are, the stem, the program, the options."""
        self.console.print()
        header = Text(place, style="bold")
        header.append(f"   {prompt.level}   {prompt.skill.replace('-', ' ')}", style="dim")
        self.console.print(header)
        self.console.print()
        self._markdown(prompt.stem)
        if prompt.program:
            self.console.print()
            self._code(prompt.program)
        if isinstance(prompt.interaction, Pick):
            self.console.print()
            for letter, option in zip(LETTERS, prompt.interaction.options, strict=False):
                self._option(letter, option, prompt.interaction.code)

    def _option(self, letter: str, option: str, code: bool) -> None:
        self._hanging(f"  {letter}  ", "bold cyan", Text(option) if code else _inline(option))

    def _hanging(self, label: str, style: str, text: Text) -> None:
        """A text with a label before its first line and as much space before the others."""
        for number, line in enumerate(text.wrap(self.console, self.console.width - len(label))):
            start = (label, style) if number == 0 else " " * len(label)
            self.console.print(Text.assemble(start, line))

    def _markdown(self, text: str) -> None:
        """The paragraphs of a stem, each as one flowing text."""
        for number, paragraph in enumerate(text.split("\n\n")):
            if number:
                self.console.print()
            self.console.print(_inline(_flowing(paragraph)))

    def _code(self, code: str) -> None:
        text = Text(code)
        if self.console.is_terminal and not self.console.no_color and not self.plain:
            from rich.syntax import Syntax

            text = Syntax(code, "python", theme="ansi_dark").highlight(code)
            text.rstrip()
        for line in text.split("\n", allow_blank=True):
            self.console.print(Text.assemble("    ", line) if line else line, soft_wrap=True)

    def _say(self, text: str, style: str = "") -> None:
        self.console.print()
        self.console.print(_inline(text), style=style)

    # ------------------------------------------------------------ after an answer

    def _verdict(self, result: Result) -> None:
        """Right, or which mistake it was."""
        word, style = WORDS[result.score.outcome]
        self.console.print()
        colon = ":" if result.score.outcome in (Outcome.UNREADABLE, Outcome.NOT_RUN) else ""
        line = Text.assemble((word + colon, style))
        if result.score.feedback:
            line = Text.assemble(line, " ", _inline(_flowing(result.score.feedback)))
        self.console.print(line)

    def explain(self, question: Question, result: Result, mistakes: dict[str, Mistake]) -> None:
        """What PyTorch did, the solution, the answer, the other mistakes."""
        try:
            proof = question.proof
        except NotProvenError:
            return
        self.rates(proof)
        self._heading("Solution")
        for number, step in enumerate(proof.solution, 1):
            self._hanging(f"  {number}. ", "", _inline(_flowing(step)))
        order = {place: LETTERS[shown] for shown, place in enumerate(question.order)}
        pairs = list(enumerate(proof.options))
        keys = [(order[place], option) for place, option in pairs if option.key]
        self._heading("Final answer")
        if keys:
            for letter, option in keys:
                self._option(letter, option.shown, False)
        else:
            self.console.print(f"  {show(proof.answer)} {question.item.unit}".rstrip())
        said = {result.score.mistake}
        others: list[tuple[str, ProvenOption]] = []
        for place, option in sorted(pairs, key=lambda pair: order[pair[0]]):
            if not option.key and option.mistake in mistakes and option.mistake not in said:
                others.append((order[place] if keys else show(option.value), option))
                said.add(option.mistake)
        if others:
            self._heading("Common mistakes")
            for label, option in others:
                says = mistakes[option.mistake or ""].says
                self._hanging(f"  {label}  ", "bold cyan", _inline(_flowing(says)))

        see = [mistakes[result.score.mistake].see if result.score.mistake in mistakes else "", question.item.see]
        for page in dict.fromkeys(filter(None, see)):
            self._say(f"Read on: {page}")

    def rates(self, proof: Proof) -> None:
        """The rates as PyTorch gave them: in words, as a table, as a plot."""
        rates(self.console, proof.observation, self.plain)

    def _heading(self, text: str) -> None:
        self.console.print()
        self.console.print(text, style="bold")

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
                self.console.print(_inline(f"  {mistake}: {_flowing(mistakes[mistake].says)}"))
        self.console.print(f"Again with other numbers: grader quiz {topic} --seed 1", style="dim")


def rates(console: Console, run: Observation, plain: bool) -> None:
    """The rates of a run; see `Terminal.rates`."""
    from grader.ui import curves

    values, name = (run.lr_used, "rate used") if run.lr_used else (run.lr_after_step, "rate after each step")
    if not values:
        return
    console.print()
    console.print("The rates, as PyTorch gave them", style="bold")
    console.print(curves.describe(values, name))
    rows = [("step", "rate used", "after scheduler.step()"), *curves.rows(run)]
    columns = [0] + [column for column in (1, 2) if any(row[column] not in ("-", "...") for row in rows[1:])]
    widths = {column: max(len(row[column]) for row in rows) for column in columns}
    console.print()
    for row in rows:
        console.print("  " + "   ".join(row[column].rjust(widths[column]) for column in columns))
    ascii_only = "utf" not in (console.encoding or "").lower()
    picture = "" if plain else curves.plot(values, console.width - 2, ascii_only)
    if picture:
        console.print()
        _indented(console, picture)


def _indented(console: Console, text: str) -> None:
    for line in text.splitlines():
        console.print(Text(f"  {line}"), soft_wrap=True)


def _flowing(text: str) -> str:
    """A text as one line; lines of a block in YAML are no lines of a screen."""
    return " ".join(text.split())


def _inline(text: str) -> Text:
    """A line of Markdown: what stands in backticks is marked as code."""
    result = Text()
    for number, part in enumerate(text.split("`")):
        result.append(part, style="cyan" if number % 2 else "")
    if text.count("`") % 2:
        return Text(text)
    return result


def show_run(console: Console, run: Observation, plain: bool) -> None:
    """What `grader run` shows of a program: how it ended, its rates, what it printed, warned and raised."""
    from grader.model import Status

    style = "bold green" if run.status is Status.OK else "bold red"
    peak = run.peak_bytes / 2**20
    console.print(f"{run.status.value}: {run.seconds:.3f} s, {peak:.1f} MiB on top of the worker", style=style)
    if run.note:
        console.print(run.note)
    if run.error:
        console.print(Text(str(run.error), style="red"))
        if run.error.line:
            console.print(Text(f"  at line {run.error.line}: {run.error.code}"))
    for warning in run.warnings:
        place = f" (line {warning.line})" if warning.line else ""
        console.print(Text(f"{warning.category}{place}: {warning.message}", style="yellow"))
    rates(console, run, plain)
    for name, text in (("Output", run.stdout), ("Standard error", run.stderr)):
        if text:
            console.print()
            console.print(name, style="bold")
            _indented(console, text.rstrip("\n"))
