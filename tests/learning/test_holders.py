"""Who holds a misconception is told so by one test: simulated learners who answer by it wherever an item can show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import pytest

from grader.content.verify import PendingProof
from grader.judging.running_answers import Marker
from grader.learning import test_plan, verdict
from grader.learning.question import Question
from grader.model import Bank, Item, Outcome, Result, Score
from tests.support.answers import Oracle

MAIN = {
    "tensors": "tensor-cap-t-int tensor-copies-numpy tensor-scalar-is-list tensor-equality-bool "
    "tensor-underscore-returns-new",
    "shapes": "pairs-column-with-row lines-up-from-the-left square-hides-the-axis view-transposes dim-is-what-stays",
    "indexing": "index-slice-copies index-list-is-view index-chained-mask-assign index-two-lists-is-block "
    "index-reshape-always-view",
    "dtypes": "dtype-literal-is-float dtype-numpy-float64 dtype-to-in-place dtype-uint8-wraps dtype-float-labels",
    "autograd": "autograd-grad-replaces autograd-intermediate-grad autograd-vector-backward autograd-second-backward "
    "autograd-argmax-differentiable",
    "gradients": "grad-no-grad-is-eval grad-detach-copies grad-clip-is-elementwise grad-accumulate-without-dividing "
    "grad-where-hides-nan",
    "modules": "module-list-of-layers module-tensor-is-parameter module-buffer-is-attribute module-same-layer-twice "
    "module-train-returns-flag",
    "layers": "layer-two-linears-deeper layer-zeros-init layer-constant-init layer-randn-keeps-scale "
    "layer-sigmoid-saturates",
    "losses": "loss-softmax-twice loss-uniform-is-one loss-bce-takes-logits loss-mean-of-batches loss-nll-applies-log",
    "optimizers": "optim-momentum-forgets optim-adam-step-is-gradient optim-zero-grad-of-new-parameters "
    "optim-weight-decay-in-loss optim-adam-decay-is-adamw",
    "data": "data-last-batch-dropped data-next-iter-advances data-shuffles-by-default data-shuffles-once "
    "data-normalise-with-test",
    "training-loop": "loop-no-zero-grad loop-order-zero-after-backward loop-loss-tensor-summed loop-eval-forgotten "
    "loop-loss-list-keeps",
    "evaluation": "eval-accuracy-of-logits eval-rare-class-accuracy eval-mean-of-f1 eval-batchnorm-depends-on-batch "
    "eval-accuracy-float-labels",
}  # fmt: skip
"""The five main misconceptions of each topic."""

NAMED = 0.9
"""The share of tests in which a misconception that is held must be named."""

FEW, MANY = 4, 50
"""Seeds, in the first tier and in the slow one."""


@dataclass
class Class:
    """Learners who are asked, each question and belief judged once."""

    bank: Bank
    oracle: Oracle
    judged: dict[tuple[str, int, str], Result | None] = field(default_factory=dict)

    def of(self, item: Item, variant: int, belief: str) -> Result | None:
        """What comes of the answer that a belief leads to; None where it leads to none here."""
        if belief not in {name for name, _ in item.body.recognized()}:
            return None
        key = item.id, variant, belief
        if key not in self.judged:
            runner = self.oracle.runner
            proving = PendingProof.begin(item, item.variants[variant], runner)
            question = Question(item, item.variants[variant], proving, Marker(lambda: runner, 7))
            self.judged[key] = self.oracle.holder(question, belief, self.mistakes)
        return self.judged[key]

    @cached_property
    def mistakes(self) -> dict[str, object]:
        return self.bank.mistakes  # type: ignore[return-value]

    def named(self, topic: str, belief: str, seed: int) -> bool:
        """Whether a test names a belief to somebody who holds it and errs in nothing else."""
        items = [item for item in self.bank.items if item.topic == topic and "test" in item.modes]
        results = []
        for item, variant in test_plan.draw(items, self.bank.mistakes, {}, seed):
            right = Result(item, item.variants[variant], "x", Score(Outcome.CORRECT, 1.0))
            results.append(self.of(item, variant, belief) or right)
        return belief in dict(verdict.judge(results, self.bank.mistakes).mistakes)


@pytest.fixture(scope="module")
def learners(bank: Bank, oracle: Oracle, proven: object) -> Class:
    return Class(bank, oracle)


@pytest.mark.parametrize("topic", [
    pytest.param(topic, marks=() if topic in ("shapes", "dtypes") else pytest.mark.slow) for topic in MAIN
])  # fmt: skip
def test_a_test_names_what_its_learner_believes(topic: str, learners: Class) -> None:
    slow = topic not in ("shapes", "dtypes")
    seeds = range(MANY if slow else FEW)
    shares = {belief: sum(learners.named(topic, belief, seed) for seed in seeds) / len(seeds)
              for belief in MAIN[topic].split()}  # fmt: skip
    print(topic, {belief: round(share, 2) for belief, share in shares.items()})
    assert min(shares.values()) >= NAMED, shares


@pytest.mark.slow
@pytest.mark.parametrize("topic", MAIN)
def test_each_item_that_can_show_a_belief_does(topic: str, learners: Class, bank: Bank) -> None:
    silent = [
        (item.id, belief)
        for item in bank.items
        for belief in MAIN[topic].split()
        if item.topic == topic and belief in {name for name, _ in item.body.recognized()}
        and not any(learners.of(item, variant.index, belief) for variant in item.variants)
    ]  # fmt: skip
    assert not silent
