"""Blind readings of a topic, judged: what is shown of each item now, and whether a reader's answer is right."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from grader.cli.shared import proof_runner, read_text

if TYPE_CHECKING:
    from grader.content.readings import Blind, Reading
    from grader.model import Item, Prompt, Topic
    from grader.runner.cached import RememberingRunner

SEED = 21
"""Of the hidden inputs that answers in code are judged with: the same each time, so that nothing is run twice."""


def path_of(home: Path, topic: str) -> Path:
    """Where the readings of a topic are kept."""
    return home / "readings" / f"{topic}.jsonl"


@contextmanager
def lent() -> Iterator[RememberingRunner]:
    """A runner for readings, which remembers."""
    with proof_runner() as (runner, _):
        yield runner


def of_topic(home: Path, topic: Topic, runner: RememberingRunner) -> Blind | None:
    """What the readings of a topic say; None where none are kept. Raises InputError for a line that is no reading."""
    from grader.content import readings
    from grader.content.verify import PendingProof
    from grader.judging.running_answers import Marker
    from grader.learning.question import NotProvenError, Question
    from grader.model import Outcome

    path = path_of(home, topic.name)
    if not path.is_file():
        return None
    found = readings.load(read_text(path), str(path))
    items = {item.id: item for item in topic.items}
    variants = {name: item.variant(None) for name, item in items.items()}
    proving = {name: PendingProof.begin(item, variants[name], runner) for name, item in items.items()}

    def question(item: Item) -> Question:
        marker = Marker(lambda: runner, SEED, by=None)
        return Question(item, variants[item.id], proving[item.id], marker)

    def agrees(reading: Reading) -> bool | None:
        result = question(items[reading.item]).answer(reading.answer, {})
        return None if result.score.outcome is Outcome.NOT_RUN else result.score.outcome is Outcome.CORRECT

    def shown(item: Item) -> str:
        try:
            return readings.digest(as_shown(question(item).prompt()))
        except NotProvenError:
            return ""

    return readings.summarize(topic.items, found, {item.id: shown(item) for item in topic.items}, agrees)


def as_shown(prompt: Prompt) -> str:
    """What `grader show` prints of an item where it is not printed on a terminal."""
    from grader.faces.terminal.dialog import draw
    from grader.render.terminal_text import screen

    out = io.StringIO()
    console = screen(out, terminal=False)
    console.width = 80
    draw(console, prompt)
    return out.getvalue()
