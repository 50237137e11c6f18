"""What tests share that is no fixture: places, texts, cases that are written as text, the files that wait."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
QUIZZES = ROOT / "quizzes"


def alone(topic: str) -> str:
    """The file of a shipped topic as it can stand alone: with the mistakes that it shares with other topics."""
    text = (QUIZZES / f"{topic}.yaml").read_text()
    shared = dict(re.findall(r"^  ([\w-]+):\n((?: {4}.*\n)+)", (QUIZZES / "mistakes.yaml").read_text(), re.MULTILINE))
    named = sorted({*re.findall(r"mistake: ([\w-]+)", text)} & shared.keys())
    return text.replace("\nmistakes:\n", "\nmistakes:\n" + "".join(f"  {name}:\n{shared[name]}" for name in named), 1)


PATHS = f"{ROOT}{os.pathsep}{ROOT / 'tests/support/stubs'}"
"""Where processes of the tests find the package, and what they do without."""

STEP_FIRST = """\
import torch
from torch.optim.lr_scheduler import LambdaLR
weight = torch.nn.Parameter(torch.zeros(2))
optimizer = torch.optim.SGD([weight], lr=0.1)
scheduler = LambdaLR(optimizer, lambda e: min((e + 1) / 5, 1))
for epoch in range(5):
    scheduler.step()
    print(f"Epoch {epoch + 1}: {scheduler.get_last_lr()[0]:.2f}")
"""
"""The published loop: it steps the scheduler first and prints the rate of the next epoch."""

EXERCISES = """\
format: 1
topic: t
title: T
items:
- id: factor
  kind: code
  level: medium
  skill: s
  stem: Write `factor(epoch)`.
  program: |
    import torch
    from torch.optim.lr_scheduler import LambdaLR

    ...answer...

    weight = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.SGD([weight], lr=base_lr)
    scheduler = LambdaLR(optimizer, factor)
    for epoch in range(12):
        optimizer.step()
        scheduler.step()
  counts: epoch
  starter: |
    def factor(epoch):
        return 1
  reference: |
    def factor(epoch):
        return min((epoch + 1) / ramp, 1)
  cases:
    given: [{base_lr: 0.1, ramp: 5}]
    hidden: {base_lr: {from: 0.01, to: 0.5}, ramp: {from: 3, to: 9}}
  mistakes:
  - mistake: late
    code: |
      def factor(epoch):
          return min(epoch / ramp, 1)
  - mistake: no-cap
    code: |
      def factor(epoch):
          return (epoch + 1) / ramp
  solution: ["{run.lr_used}"]
- id: blanks
  kind: fill
  level: easy
  skill: s
  stem: Fill.
  program: |
    import torch
    from torch.optim.lr_scheduler import LambdaLR

    weight = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    scheduler = LambdaLR(optimizer, lambda epoch: min((epoch + ...1...) / 4, ...2...))
    for epoch in range(8):
        optimizer.step()
        scheduler.step()
  counts: epoch
  holds: approx(run.lr_used, [0.025, 0.05, 0.075] + [0.1] * 5)
  fills: ["1", "1"]
  mistakes: [{mistake: late, fills: ["0", "1"]}]
  solution: ["{run.lr_used}"]
mistakes:
  late: {says: It comes an epoch late.}
  no-cap: {says: Nothing caps it.}
"""
"""A small quiz whose answers are run."""

TOGETHER = (
    "test_kinds.py",
    "[both walls",
    "[second wall alone",
    "test_warnings_are_those_of_plain_python",
    "test_lab.py",
    "test_experiment.py",
    "test_book.py",
    "test_site.py",
    "test_widget.py",
    "test_warm_kernels.py",
    "test_confined_manager.py",
    "test_assignments.py",
    "test_engine_bank.py",
    "test_wrong_loops.py",
    "test_observers.py",
    "test_generated_class.py",
    "test_points_and_export.py",
    "test_hostile_cells.py",
    "test_kernel_differences.py",
    "test_student.py",
    "test_golden.py",
    "test_page",
    "postgresql",
)
"""What is in the names of tests that share a fixture which is costly to make: one process runs all that have it."""

CLASSES = {"test_assignments.py": ("course", "small", "each"), "test_points_and_export.py": ("course",)}
"""Fixtures, by file, that are a whole class which real nbgrader grades: what needs them is of the second tier."""

PAIRS = int(os.environ.get("GRADER_PAIRS", "1000"))
"""Of simultaneous answers, in each of the tests marked `long` that have them."""

WAITS = (
    "test_local.py",
    "test_hostile.py",
    "test_batches.py",
    "test_lab.py",
    "test_jupyter_plain.py",
    "test_experiment.py",
    "test_book.py",
    "test_site.py",
    "test_widget.py",
    "test_warm_kernels.py",
    "test_confined_manager.py",
    "test_assignments.py",
    "test_generated_class.py",
    "test_batch.py",
    "test_points_and_export.py",
)
"""Files whose tests wait for other processes or look at a clock, all but a few. They are marked `waits`, and so are tests of
`process`; single tests of other files say so themselves."""

Command = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Case:
    """A case of `tests/cases/*.txt`: a title, an input, the lines that are expected."""

    title: str
    input: str
    expected: list[str]


def cases(name: str) -> list[object]:
    """The cases of a file, as parameters. A case is `=== title`, its input, `---`, and the expected lines."""
    found = []
    for block in (ROOT / "tests/cases" / name).read_text().split("\n=== ")[1:]:
        title, _, rest = block.partition("\n")
        text, _, expected = rest.rpartition("\n---\n")
        lines = [line for line in expected.splitlines() if line.strip()]
        found.append(pytest.param(Case(title, text + "\n", lines), id=title.replace(" ", "-")))
    return found


def text_of(cell: dict[str, Any]) -> str:
    """What a cell of a notebook printed, charts as their text, as a pin records it."""
    parts = []
    for output in cell["outputs"]:
        if output["output_type"] == "error":
            parts.append(f"{output['ename']}: {output['evalue']}".splitlines()[0] + "\n")
        elif output["output_type"] == "stream":
            parts.append("".join(output["text"]))
        else:
            parts.append("".join(output["data"]["text/plain"]) + "\n")
    return "".join(parts)
