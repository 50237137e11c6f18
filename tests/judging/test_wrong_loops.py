"""Training loops that others got wrong: what the grader says of them is true, and most are named.

The items of `training-loop` were written with the reports in `wrong_loops.yaml` at hand. Those in `wrong_loops_2.yaml`
were collected afterward, for items of five topics, by somebody who had not read the items; the head of the file says
how the first run went. A loop whose mistake is not named may be told something vaguer, as long as it is true; to be
told of another mistake is never right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from ruamel.yaml import YAML

from grader.content.verify import PendingProof
from grader.judging.running_answers import Marker
from grader.learning.question import Question
from grader.model import Bank, Outcome, Score
from grader.runner.local import LocalRunner
from tests.support.common import ROOT

LEAST_NAMED = 15
"""Of twenty."""

FIRST = {"named": 13, "named, in other words": 4, "a true check, no mistake named": 3}
"""How the first run of the second table went."""


@dataclass(frozen=True)
class Told:
    """A wrong loop, and what was said of it."""

    loop: dict[str, str]
    score: Score

    @property
    def source(self) -> str:
        return self.loop["source"]


def loops(table: str) -> list[dict[str, str]]:
    """The loops of a table in `tests/data`."""
    found: list[dict[str, str]] = YAML(typ="safe").load((ROOT / "tests/data" / table).read_text())["loops"]
    return found


@pytest.fixture(scope="module", params=["wrong_loops.yaml", pytest.param("wrong_loops_2.yaml", marks=pytest.mark.slow)])
def told(request: pytest.FixtureRequest, runner: LocalRunner, bank: Bank) -> list[Told]:
    items = {item.id: item for item in bank.items}
    proofs: dict[str, Any] = {}
    found = []
    for loop in loops(request.param):
        item = items[loop["item"]]
        if item.id not in proofs:
            proofs[item.id] = PendingProof.begin(item, item.variants[0], runner)
        question = Question(item, item.variants[0], proofs[item.id], Marker(lambda: runner, seed=5))
        found.append(Told(loop, question.answer(loop["code"], dict(bank.mistakes)).score))
    return found


def test_there_are_twenty_reports_each_with_its_address(told: list[Told]) -> None:
    assert len({one.source for one in told}) == 20
    assert all(one.source.startswith("https://github.com/") for one in told)


def test_no_wrong_loop_passes_and_none_is_told_of_another_mistake(told: list[Told]) -> None:
    wrongly = [
        (one.source, one.score.outcome.name, one.score.mistake)
        for one in told
        if one.score.outcome not in (Outcome.PARTLY, Outcome.INCORRECT)
        or one.score.mistake not in (None, one.loop["mistake"])
    ]
    assert not wrongly


def test_most_are_named(told: list[Told]) -> None:
    unnamed = [one.source for one in told if one.score.mistake != one.loop["mistake"]]
    assert len(told) - len(unnamed) >= LEAST_NAMED, unnamed


def test_what_is_said_has_the_words_that_a_teacher_would_use(told: list[Told]) -> None:
    other = [
        (one.source, one.score.feedback)
        for one in told
        if "phrase" in one.loop
        and one.score.mistake
        and not re.search(one.loop["phrase"], str(one.score.feedback), re.IGNORECASE)
    ]
    assert not other


def test_the_tables_share_no_report_and_the_first_run_is_on_record() -> None:
    one, two = loops("wrong_loops.yaml"), loops("wrong_loops_2.yaml")
    assert not {loop["source"] for loop in one} & {loop["source"] for loop in two}
    assert {words: [loop["first"] for loop in two].count(words) for words in FIRST} == FIRST
