"""Items that watch more of a run: their expressions see it, in an author's program and in a learner's answer."""

from __future__ import annotations

import pytest

from grader import kinds
from grader.content import bank_files
from grader.content.verify import PendingProof
from grader.judging.running_answers import Marker
from grader.model import Item, Outcome, Proof, Response
from grader.runner.local import LocalRunner

TEXT = """\
format: 1
topic: t
title: T
items:
- id: how-often
  kind: number
  level: easy
  skill: s
  stem: How often is a layer called?
  watch: [calls]
  program: |
    import torch
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
    for _ in range(3):
        model(torch.ones(1, 2))
  answer: len([c for c in run.calls if c.path == "0"])
  mistakes: [{mistake: once, yields: "len({c.path for c in run.calls if c.path == '0'})"}]
  solution: ["The first layer sees {run.calls[1].inputs[0]}, {len([c for c in run.calls if c.path == '0'])} times."]
- id: three-steps
  kind: code
  level: easy
  skill: s
  stem: Step three times with a gradient.
  watch: [steps, saved]
  program: |
    import torch
    w = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([w], lr=0.1)
    ...answer...
  starter: |
    optimizer.step()
  reference: |
    for _ in range(3):
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()
  observe: {steps: len(run.steps), weights: w}
  holds: len(run.steps) == 3 == run.seen["steps"] and not any(s.missing for s in run.steps) and len(run.saved) == 4
  mistakes:
  - mistake: once
    code: |
      (w * w).sum().backward()
      for _ in range(3):
          optimizer.step()
  solution: ["{len(run.steps)}"]
mistakes:
  once: {says: Each step needs a gradient of its own.}
"""


@pytest.fixture(scope="module")
def proven(runner: LocalRunner) -> dict[str, tuple[Item, Proof]]:
    topic, findings = bank_files.parse(TEXT, "t.yaml")
    assert not findings
    assert topic
    found = {item.id: (item, PendingProof.begin(item, item.variants[0], runner).proof()) for item in topic.items}
    assert not [finding for _, proof in found.values() for finding in proof.findings]
    return found


def test_an_author_s_expressions_see_what_is_watched(proven: dict[str, tuple[Item, Proof]]) -> None:
    item, proof = proven["how-often"]
    assert proof.answer == 3
    assert "(1, 2), 3 times" in proof.solution[0]
    assert item.watch == ("calls",)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (
            "for k in range(3):\n    w.grad = None\n    w.pow(2).sum().backward()\n    optimizer.step()\n",
            Outcome.CORRECT,
        ),
        ("w.sum().backward()\nfor k in range(3):\n    optimizer.step()\n", Outcome.INCORRECT),
        ("for k in range(3):\n    optimizer.zero_grad()\n    optimizer.step()\n", Outcome.INCORRECT),
        ("run = 1\nfor k in range(2):\n    w.pow(2).sum().backward()\n    optimizer.step()\n", Outcome.INCORRECT),
    ],
    ids=["otherwise written", "one gradient", "none", "two steps, and a run of its own"],
)
def test_a_learner_s_answer_is_watched_and_holds_is_asked_of_what_was_seen(
    proven: dict[str, tuple[Item, Proof]], runner: LocalRunner, code: str, outcome: Outcome
) -> None:
    item, proof = proven["three-steps"]
    marked = kinds.of(item).grade(item, proof, Response("", parts=(code,)), Marker(lambda: runner, seed=3))
    assert marked.outcome is outcome, marked


def test_without_watch_the_finding_says_what_to_write(runner: LocalRunner) -> None:
    topic, findings = bank_files.parse(TEXT.replace("  watch: [calls]\n", ""), "t.yaml")
    assert topic
    assert not findings
    item = topic.items[0]
    (first, *_) = PendingProof.begin(item, item.variants[0], runner).proof().findings
    assert "there is no `run.calls`; with `watch: [calls]` there is one" in first.message
