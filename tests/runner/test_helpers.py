"""What expressions may call: the examples of docs/author/questions.md, and what is at the edges."""

from __future__ import annotations

import re

import pytest

from grader.content import bank_files
from grader.model import Program, Value
from grader.runner.inside.helpers import HELPERS
from grader.runner.local import LocalRunner
from tests.support.common import ROOT

SECTION = (
    (ROOT / "docs/author/questions.md").read_text().partition("Helpers, with what they give after this program:\n")[2]
)
SOURCE = SECTION.partition("```python\n")[2].partition("```")[0]
TABLE = SECTION.partition("|---|---|---|\n")[2].partition("\n\n")[0].splitlines()


def answers(runner: LocalRunner, source: str, *asks: str) -> list[Value]:
    seen = runner.submit(Program(source, asks, 0)).result()
    assert seen.error is None
    return [asked.error or asked.value for asked in seen.asked]


def test_the_table_names_each_helper() -> None:
    assert {name for row in TABLE for name in re.findall(r"`(\w+)", row.split("|")[1])} == set(HELPERS)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: re.findall(r"\w+", row)[0])
def test_an_example_gives_what_it_says(row: str, runner: LocalRunner) -> None:
    expression, value = re.search(r"\| `([^`]+)` is `([^`]+)` \|$", row).groups()  # type: ignore[union-attr]
    assert answers(runner, SOURCE, f"({expression}) == ({value})", f"({expression}) != 5") == [True, True]


SETUP = """\
import numpy, torch
x = torch.arange(6.0).reshape(2, 3)
array = numpy.ones((2, 3), dtype="float32")
model = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Linear(1, 1))
model[1].requires_grad_(False).eval()
model(torch.ones(1, 2)).sum().backward()
a = torch.ones(2, requires_grad=True)
deep = a
for _ in range(50):
    deep = deep * 2
nan = torch.tensor([1.0, float("nan")])
"""
EDGES: dict[str, Value] = {
    "shares(x, x.clone())": False,
    "shares(x[0], x[1])": True,  # one storage, though not one entry
    "shares(x, x.reshape(3, 2)), shares(x, x.T.reshape(6))": {"$tuple": [True, False]},
    "shares(torch.from_numpy(array), array[1:, ::2])": True,
    "shares(torch.tensor(array), array)": False,
    "shares(x.numpy(), x[1])": True,
    "shares(torch.empty(0), torch.empty(0))": False,
    "shares(x, [1, 2])": "TypeError: shares() compares tensors and arrays, not list",
    "[name for name, grad in grads(model).items() if grad is None]": ["1.weight", "1.bias"],
    "grads(model)['0.bias'].tolist() == model[1].weight[0].tolist()": True,
    "modes(model)": {"$dict": [["Sequential", True], ["0", True], ["1", False]]},
    "list(names(torch.nn.BatchNorm1d(3)).values())": [{"$tuple": [3]}, {"$tuple": [3]}],
    "graph(a), graph(x.sum())": {"$tuple": [[], []]},
    "graph(a.exp() + a)": [
        {"$tuple": ["AddBackward0", {"$tuple": [1, 2]}]},
        {"$tuple": ["ExpBackward0", {"$tuple": [2]}]},
        {"$tuple": ["AccumulateGrad", {"$tuple": []}]},
    ],
    "graph(deep)": "ValueError: this graph has more than 40 nodes: make the program smaller",
    "close(x, x + 1e-7), close(x, x + 1e-4)": {"$tuple": [True, False]},
    "close(x[0] * 1e-8, x[0] * 2e-8)": False,  # small is not zero
    "close(x, x.tolist()), close(x, array * 0 + x.numpy()), close(1 / 3, 0.3333)": {"$tuple": [True, True, False]},
    "close(x, x[0]), close(x.sum(), x.sum().reshape(1))": {"$tuple": [False, False]},  # nothing is broadcast
    "close(nan, nan), close(nan, nan.nan_to_num())": {"$tuple": [True, False]},
    "close(x.bfloat16() / 3, x / 3), close(x.double() / 3, (x / 3).double())": {"$tuple": [True, True]},
    "close(x.double() / 3, x.double() / 3 * (1 + 1e-6)), close(x, x * 1.01, 0.1)": {"$tuple": [False, True]},
    "close(a.sin(), torch.ones(2).sin()), close(torch.tensor([1j]), [1j]), close([], [])": {"$tuple": [True] * 3},
    "close(torch.tensor([True]), torch.tensor([True])), close('a', x)": "TypeError: new(): invalid data type 'str'",
}


def test_what_is_at_the_edges(runner: LocalRunner) -> None:
    found = dict(zip(EDGES, answers(runner, SETUP, *EDGES), strict=True))
    assert found == EDGES


def test_a_name_of_the_program_comes_first(runner: LocalRunner) -> None:
    assert answers(runner, "names = ['a']\ndef close(): return 1\n", "names", "close()") == [["a"], 1]


QUIZ = """\
format: 1
topic: t
title: T
items:
- id: a
  kind: choice
  level: easy
  skill: s
  stem: Which?
  program: |
    import torch
    x = torch.ones(2)
  options:
  - {text: One, holds: "CLAIM", key: true}
  - {text: Other, holds: x.sum() == 3}
  solution: ["{x.sum()}"]
"""


def test_a_claim_that_calls_nothing_but_a_helper_looks_at_nothing() -> None:
    _, findings = bank_files.parse(QUIZ.replace("CLAIM", "close(1, 1)"), "t.yaml")
    assert "`holds: close(1, 1)` does not look at the program" in findings[0].message
    assert not bank_files.parse(QUIZ.replace("CLAIM", "close(x, [1, 1])"), "t.yaml")[1]
    own = QUIZ.replace("x = ", "close = x = ").replace("CLAIM", "close.sum() == 2")
    assert not bank_files.parse(own, "t.yaml")[1]
