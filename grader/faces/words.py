"""The words that every face says of an answer."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime

from grader.learning.placement import Placement, TopicPlacement
from grader.model import Input, LeftOut, NumberInput, Outcome
from grader.template import plural

WORDS = {
    Outcome.CORRECT: "Right.",
    Outcome.PARTLY: "Partly right.",
    Outcome.INCORRECT: "Not right.",
    Outcome.UNREADABLE: "That could not be read",
    Outcome.NOT_RUN: "This question could not be judged",
    Outcome.SKIPPED: "Skipped.",
}


VERDICTS = {"strong": "strong", "getting there": "getting there", "not yet": "not there yet"}
"""The verdict of a test, by its word."""


def count_of(count: int, noun: str) -> str:
    """A number of things.

    >>> count_of(1, "skill"), count_of(2, "skill")
    ('1 skill', '2 skills')
    """
    return f"{count} {noun if count == 1 else plural(noun)}"


def placed_words(found: Placement) -> str:
    """Where to begin, in a sentence."""
    title = next((one.title for one in found.topics if one.topic == found.begin), "")
    if not title:
        return "You can go on behind all of it."
    return f"Begin with {title}."


def topic_placed(one: TopicPlacement, titles: Mapping[str, str]) -> str:
    """What is known of a topic, and from what.

    >>> topic_placed(TopicPlacement("shapes", "Shapes", 2, 3, True), {})
    'holds: 2 of 3 right'
    >>> topic_placed(TopicPlacement("tensors", "Tensors", 0, 0, True, "shapes"), {"shapes": "Shapes"})
    'holds, since Shapes does'
    """
    if one.holds is None:
        return f"not settled: {one.right} of {one.asked} right" if one.asked else "not asked about"
    word = "holds" if one.holds else "to be learned"
    if not one.by:
        return f"{word}: {one.right} of {one.asked} right"
    return f"{word}, since {titles[one.by]} {'does' if one.holds else 'is'}"


def run_with(cases: Sequence[str], *, others: bool) -> str:
    """What code is run with: the inputs that are shown, and whether there are others; empty where none is shown.

    >>> run_with(["base_lr = 0.1", "base_lr = 0.4"], others=True)
    'It is run with base_lr = 0.1; base_lr = 0.4, and with other numbers that are not shown.'
    >>> run_with(["base_lr = 0.1"], others=False)
    'It is run with base_lr = 0.1.'
    """
    if not cases:
        return ""
    return f"It is run with {'; '.join(cases)}{', and with other numbers that are not shown' if others else ''}."


def span(labels: Sequence[str]) -> str:
    """Labels in words: the first and the last where they count up, else each.

    >>> span(["epoch 1", "epoch 2", "epoch 3"]), span(["mean", "median"]), span(["index 0"])
    ('from epoch 1 to epoch 3', 'mean and median', 'from index 0 to index 0')
    """
    counted = [re.fullmatch(r"(.*?)(\d+)", label) for label in labels]
    if all(counted):
        words = {found[1] for found in counted if found}
        numbers = [int(found[2]) for found in counted if found]
        if len(words) == 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
            return f"from {labels[0]} to {labels[-1]}"
    return " and ".join(filter(None, [", ".join(labels[:-1]), labels[-1]]))


def one_for_each(labels: Sequence[str]) -> str:
    """What is asked for with these labels, in a sentence."""
    said = span(labels)
    return f"One number for each, {said}." if said.startswith("from ") else f"One number for each: {said}."


def blank_table(inputs: Sequence[Input]) -> str:
    """A table of two dimensions to be filled, as Markdown; empty where these inputs are none."""
    cells = [one.cell for one in inputs if isinstance(one, NumberInput) and one.cell]
    if not cells or len(cells) < len(inputs):
        return ""
    columns = list(dict.fromkeys(column for _, column in cells))
    rows = list(dict.fromkeys(row for row, _ in cells))
    lines = [["", *columns], ["---", *["---:"] * len(columns)], *([row, *["?"] * len(columns)] for row in rows)]
    escaped = [[word.replace("|", "\\|") for word in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in escaped)


def row_by_row(inputs: Sequence[Input]) -> str:
    """What is asked for by a table of two dimensions, in a sentence."""
    return f"One number for each of {len(inputs)} cells, row by row."


def from_bank(origin: str) -> str:
    """Whose question it is, where it is of another bank than the one that comes with this package."""
    return f"From another bank: {origin}"


def left_out(left: Sequence[LeftOut]) -> str:
    """What is not asked, since something is wrong with it; empty where there is nothing.

    >>> left_out([LeftOut("t.yaml", "odd"), LeftOut("other.yaml")])
    'left out, since something is wrong: `odd`, other.yaml; `grader verify t.yaml other.yaml` says what'
    """
    if not left:
        return ""
    names = ", ".join(f"`{one.name}`" if one.name else one.path for one in left)
    paths = " ".join(dict.fromkeys(shlex.quote(one.path) for one in left))
    return f"left out, since something is wrong: {names}; `grader verify {paths}` says what"


def nothing_due(next_due: datetime | None) -> str:
    """That there is nothing to review, in a notebook."""
    then = f" The next is due {next_due.astimezone():%A %d %B, %H:%M}." if next_due else ""
    return f"Nothing is due.{then} `review(ahead=True)` asks before that."
