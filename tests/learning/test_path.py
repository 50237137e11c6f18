"""The path through the shipped bank: from nothing to a model that is trained and evaluated, by what is named next."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from grader.learning import progress
from grader.learning.records import Records
from grader.model import Bank
from tests.support.common import ROOT
from tests.support.on_record import Learner

LAST = "evaluation"
MOST = 200
"""Steps; a walk that takes more goes around in circles."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lessons() -> frozenset[str]:
    return frozenset(path.parent.name for path in (ROOT / "lessons").glob("*/learn.md"))


def test_each_next_step_leads_on_from_nothing_to_evaluation(
    bank: Bank, lessons: frozenset[str], tmp_path: Path
) -> None:
    """Whoever takes the first step that is named, and answers rightly, reads, practices and passes every topic in order,
    and the test of each block as soon as its topics hold.
    """  # fmt: skip
    path = [topic.name for topic in progress.in_order(bank)]
    path = path[: path.index(LAST) + 1]
    taken = []
    with Records(str(tmp_path / "records.sqlite")) as store:
        learner = Learner(bank, store, lessons)
        at, begun = "", False
        while not learner.standing(LAST).holds:
            step = learner.next(at=at, begun=begun)[0]
            taken.append((step.do, step.topic))
            assert len(taken) < MOST, taken
            if step.do == "practice":
                learner.practices(step.topic)
            elif step.do == "test":
                learner.takes_a_test(step.topic, right=True)
            at, begun = step.topic, step.do == "learn"
    wanted = []
    for topic in path:
        wanted += [("learn", topic), ("practice", topic), ("practice", topic), ("test", topic)]
        wanted += [
            ("test", block.name)
            for block in bank.about.blocks
            if topic == block.topics[-1] and len(bank.members(block.name)) > 1
        ]
    assert [step for step, _ in itertools.groupby(taken)] == [step for step, _ in itertools.groupby(wanted)]
