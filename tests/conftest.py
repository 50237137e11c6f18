"""What tests share: a warm runner, the command in a process of its own, and the cases that are written as text."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.model import Bank
from grader.run.local import LocalRunner

ROOT = Path(__file__).parents[1]
QUIZZES = ROOT / "quizzes"

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
    for block in (Path(__file__).parent / "cases" / name).read_text().split("\n=== ")[1:]:
        title, _, rest = block.partition("\n")
        text, _, expected = rest.rpartition("\n---\n")
        lines = [line for line in expected.splitlines() if line.strip()]
        found.append(pytest.param(Case(title, text + "\n", lines), id=title.replace(" ", "-")))
    return found


@pytest.fixture(scope="session")
def runner() -> Iterator[LocalRunner]:
    with LocalRunner() as runner:
        yield runner


@pytest.fixture(scope="session")
def bank() -> Bank:
    from grader import bank

    found = bank.read(bank.files([ROOT]))
    assert not found.findings
    return found


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables for the command: a cache of the tests' own, no colors."""
    return {**os.environ, "GRADER_CACHE": str(tmp_path_factory.mktemp("cache")), "NO_COLOR": "1", "COLUMNS": "80"}


@pytest.fixture(scope="session")
def grader(environment: dict[str, str]) -> Command:
    """Runs `grader` as a user would."""

    def run(*arguments: str | Path, stdin: str = "", cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "grader", *map(str, arguments)]
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, env=environment, cwd=cwd, timeout=100, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run


@pytest.fixture(scope="session")
def proven(grader: Command) -> None:
    """The cache of the tests knows the whole bank."""
    assert grader("verify").returncode == 0
