"""A learner's progress on a terminal: in words and a bar, by topic, by skill, by misconception; and the greeting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from rich.text import Text

from grader.faces import progress_words
from grader.faces.answer_text import AnswerText
from grader.faces.progress_words import STANDINGS
from grader.faces.words import VERDICTS, count_of
from grader.learning.progress import SkillProgress, Standing, TopicProgress
from grader.render import terminal_text
from grader.render.terminal_markdown import phrase

BAR = 10
"""Characters of a bar."""

PLACED = "you begin behind it"
"""Of a topic that questions on where to begin said to hold."""

STYLES = {Standing.HOLDS: "green", Standing.GETTING_THERE: "yellow", Standing.NOT_YET: "red"}


class ProgressPage(AnswerText):
    """Draws how far a learner is."""

    def greet(self, topics: Sequence[TopicProgress], now: datetime) -> None:
        """What this is, and where the learner is, in a few lines."""
        self.console.print("torch-grader: PyTorch by questions; every answer was proven by running it.", style="bold")
        self.console.print()
        begun = [one for one in topics if one.answered or one.placed]
        if not begun:
            questions = sum(one.items for one in topics)
            here = f"Nothing is answered yet. There are {count_of(questions, 'question')} on "
            self.console.print(f"{here}{count_of(len(topics), 'topic')}, and lessons to read first.")
            return
        width = max(len(one.title) for one in begun)
        for one in begun:
            said = PLACED if one.placed else f"{one.holding} of {len(one.skills)} skills hold"
            self._row(one.title, width, 1.0 if one.placed else one.share, said, "")
        self.console.print()
        self.console.print(self._due(topics, now))

    def progress(self, topics: Sequence[TopicProgress], now: datetime) -> None:
        """Each topic that was begun, with its skills and misconceptions."""
        for one in topics:
            if one.answered:
                self._topic(one, now)
        if placed := [one.title for one in topics if one.placed and not one.answered]:
            self._say(f"Not to be learned, since {PLACED}: {', '.join(placed)}.")
        others = [one.title for one in topics if not one.answered and not one.placed]
        if others:
            self._say(f"Not begun: {', '.join(others)}.")
        self._say(self._due(topics, now))

    def _topic(self, one: TopicProgress, now: datetime) -> None:
        test = f"; {PLACED}" if one.placed else f"; last test: {VERDICTS[one.verdict]}" if one.verdict else ""
        self._say(one.title, "bold")
        self.console.print(f"{one.answered} of {count_of(one.items, 'question')} answered{test}")
        self.console.print()
        asked = sorted((skill for skill in one.skills if skill.asked), key=lambda skill: skill.chance)
        width = min(max((len(skill.words) for skill in asked), default=0), self.console.width - BAR - 30)
        for skill in asked:
            said = STANDINGS[skill.standing] + (", due" if _is_due(skill, now) else "")
            self._row(skill.words, width, skill.chance, said, STYLES[skill.standing])
        if new := [skill.words for skill in one.skills if not skill.asked]:
            self._say(f"Not asked yet: {', '.join(new)}.", "dim")
        if one.misconceptions:
            terminal_text.heading(self.console, "Misconceptions met")
            for met in one.misconceptions:
                text = phrase(self.console, f"{met.says} ({progress_words.misconception(met)})")
                terminal_text.hanging(self.console, "  - ", "", text)

    def _row(self, name: str, width: int, share: float, said: str, style: str) -> None:
        """A name, a bar and a word; a name that is too long goes on below."""
        bar = "" if self.plain else f"{self._bar(share)}  "
        first, *rest = Text(name).wrap(self.console, width)
        self.console.print(Text.assemble("  ", f"{first.plain:{width}}  ", bar, (said, style)))
        for line in rest:
            self.console.print(Text.assemble("  ", line))

    def _bar(self, share: float) -> str:
        full = round(share * BAR)
        one, other = ("█", "░") if "utf" in (self.console.encoding or "").lower() else ("#", ".")
        return one * full + other * (BAR - full)

    @staticmethod
    def _due(topics: Sequence[TopicProgress], now: datetime) -> str:
        """What is due, in a sentence."""
        due = sum(one.due for one in topics)
        if due:
            return f"Due now: {count_of(due, 'skill')} and cards."
        following = min((one.next_due for one in topics if one.next_due), default=None)
        return f"Nothing is due now; the next is due {when(following, now)}." if following else "Nothing is due."


def _is_due(skill: SkillProgress, now: datetime) -> bool:
    return skill.due is not None and skill.due <= now


def when(then: datetime, now: datetime) -> str:
    """A moment to come, as a person would say it.

    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 29, 12, tzinfo=UTC)
    >>> when(at + timedelta(minutes=4), at), when(at + timedelta(days=9), at)
    ('in 4 minutes', 'in 9 days')
    """
    minutes = max(1, round((then - now) / timedelta(minutes=1)))
    days = (then.astimezone().date() - now.astimezone().date()).days
    if minutes < 60:
        return f"in {count_of(minutes, 'minute')}"
    if days == 0:
        return f"today at {then.astimezone():%H:%M}"
    return "tomorrow" if days == 1 else f"in {count_of(days, 'day')}"
