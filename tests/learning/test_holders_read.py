"""A reader who was given a misconception and nothing else took a test of its topic as its holder: is it named?

The answers of `readings/holders.jsonl` were written before their reader saw a key, and are never changed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grader.learning import progress, verdict
from grader.learning.recorder import new_id, now
from grader.learning.records import Records
from grader.model import Bank, Sitting
from tests.learning.test_holders import MAIN
from tests.support.answers import Oracle
from tests.support.common import ROOT

ENOUGH = 4
"""Of the five main misconceptions of a topic so many must be named."""

LINES: list[dict[str, Any]] = [json.loads(line) for line in (ROOT / "readings/holders.jsonl").read_text().splitlines()]


def named(line: dict[str, Any], bank: Bank, oracle: Oracle, store: Records) -> tuple[list[str], list[str]]:
    """The misconceptions that the end of the test names, and those that the learner's progress then does."""
    topic, learner = line["topic"], line["belief"]
    plan = tuple((item, variant) for item, variant in line["plan"])
    sittings = oracle.sittings(bank, store, now)
    sitting = sittings.begin_planned(Sitting(new_id(), learner, topic, "test", now(), plan, None, line["seed"]))
    answered = [sittings.answer(sitting, place, raw).result for place, raw in enumerate(line["answers"])]
    results = [result for result in answered if result]
    assert [result.item.id for result in results if result.score.points is None] == [], "all answers can be judged"
    assert len(results) == len(plan)
    after = next(one for one in progress.of_learner(bank, learner, store, now()) if one.topic == topic)
    told = [one.mistake for one in after.misconceptions if not one.gone]
    return [name for name, _ in verdict.judge(results, bank.mistakes).mistakes], told


def test_each_main_misconception_has_its_reader() -> None:
    assert [(line["topic"], line["belief"]) for line in LINES] == [
        (topic, belief) for topic, beliefs in MAIN.items() for belief in beliefs.split()
    ]
    for topic in MAIN:
        assert sum(line["named"] for line in LINES if line["topic"] == topic) >= ENOUGH, topic


@pytest.mark.slow
@pytest.mark.parametrize("topic", MAIN)
def test_a_test_names_what_its_reader_was_given(topic: str, bank: Bank, oracle: Oracle, tmp_path: Path) -> None:
    with Records(str(tmp_path / "records.sqlite")) as store:
        for line in (line for line in LINES if line["topic"] == topic):
            said, told = named(line, bank, oracle, store)
            belief = line["belief"]
            assert (belief in said) == line["named"], (belief, said)
            assert [name for name in said if name != belief] == line["instead"], belief
            assert (belief in told) == line["named"], (belief, told)
