"""What a terminal says around the questions of a sitting: how it begins, how it went, what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from grader import kinds
from grader.faces.answer_text import AnswerText
from grader.faces.words import VERDICTS, placed_words, topic_placed
from grader.learning.placement import QUESTIONS, Placement
from grader.learning.verdict import ENOUGH, Verdict, mean
from grader.model import Mistake, Outcome, Result
from grader.render import terminal_markdown, terminal_text
from grader.render.terminal_markdown import phrase


class SittingText(AnswerText):
    """Draws the beginning and the end of sittings on a console."""

    def introduce(self, topic: str, questions: int, place: int, *, at_end: bool) -> None:
        """What a test is, or at which place (from 0) it is taken up again."""
        if place:
            self._say(f"Your test on {topic} goes on with question {place + 1} of {questions}.", "bold")
            return
        when = "at the end" if at_end else "after each answer"
        self._say(f"A test on {topic}: {questions} questions, easy to hard, no hints, explained {when}.", "bold")
        self.console.print("Every answer is kept at once. If you leave, the same command goes on where you were.")

    def summary(self, questions: int, results: Sequence[Result], mistakes: dict[str, Mistake]) -> None:
        """How the sitting went."""
        cards = [result for result in results if kinds.of(result.item).TRAITS.is_card]
        results = [result for result in results if not kinds.of(result.item).TRAITS.is_card]
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
                terminal_markdown.entry(self.console, "  - ", "", mistakes[mistake].says)

    def introduce_placement(self, block: str, place: int) -> None:
        """What questions on where to begin are, or at which place (from 0) they are taken up again."""
        where = f"in {block}" if block else "in all topics"
        if place:
            self._say(f"Where to begin {where}: it goes on with question {place + 1}.", "bold")
            return
        self._say(f"Where to begin {where}: at most {QUESTIONS} questions, as few as your answers allow.", "bold")
        self.console.print("Skip what you do not know. There are no hints. Every answer is kept at once.")

    def placed(self, found: Placement) -> None:
        """Where to begin, and what is known of each topic."""
        titles = {one.topic: one.title for one in found.topics}
        terminal_text.heading(self.console, placed_words(found))
        width = max(len(one.title) for one in found.topics)
        for one in found.topics:
            terminal_text.hanging(self.console, f"  {one.title:{width}}  ", "", Text(topic_placed(one, titles)))

    def left(self, answered: int, questions: int | None) -> None:
        """A test or a placement was left before its end; of that, nobody knows how many questions it will have."""
        of = "" if questions is None else f" of {questions}"
        self._say(f"{answered}{of} answered, and kept.", "bold")

    def verdict(self, topic: str, said: Verdict, mistakes: dict[str, Mistake]) -> None:
        """What a test says about the topic, and how sure that is."""
        terminal_text.heading(self.console, f"{topic}: {VERDICTS[said.word]}")
        points = f"{said.points:g} of {said.asked} points."
        self._say(
            f"{points} With 90 % certainty you answer between {said.low:.0%} and {said.high:.0%} of such questions "
            f"right. That it is more than {ENOUGH:.0%} is {said.certainty:.0%} certain."
        )
        self.console.print()
        parts = said.topics or said.skills
        width = max(len(part.name) for part in parts)
        for skill in parts:
            self.console.print(f"  {skill.name.replace('-', ' '):{width}}  {skill.points:g} of {skill.asked}")
        if said.weakest:
            self._say(f"Weakest: {said.weakest.replace('-', ' ')}.")
        if said.mistakes:
            terminal_text.heading(self.console, "Misconceptions")
            for name, times in said.mistakes:
                often = f" ({times} times)" if times > 1 else ""
                text = phrase(self.console, f"{mistakes[name].says}{often}" if name in mistakes else name)
                terminal_text.hanging(self.console, "  - ", "", text)
        for page in said.read:
            self._say(f"Read next: {page}")

    def nothing_due(self, name: str, next_due: datetime | None) -> None:
        """There is nothing to review."""
        then = f" The next is due {next_due.astimezone():%A %d %B, %H:%M}." if next_due else ""
        self._say(f"Nothing is due in {name}.{then} `grader review --ahead` asks before that.")

    def badge(self, topic: str, problems: int) -> None:
        """All problems of a challenge were right, in time."""
        self._say(f"Badge: {topic} challenge, all {problems} right and in time.", "bold green")

    def next_steps(self, steps: Sequence[tuple[str, str]]) -> None:
        """Commands to go on with, each with what it does; the best first."""
        if not steps:
            return
        terminal_text.heading(self.console, "Next")
        width = max(len(command) for command, _ in steps)
        beside = all(width + 5 + len(words) <= self.console.width for _, words in steps)
        for command, words in steps:
            if beside:
                self.console.print(Text.assemble("  ", (f"{command:{width}}", "bold cyan"), "   ", (words, "dim")))
                continue
            self.console.print(Text.assemble("  ", (command, "bold cyan")), soft_wrap=True)
            terminal_text.hanging(self.console, "      ", "", Text(words, "dim"))
