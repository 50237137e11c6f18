"""Measured traces, against what the same steps give by hand; and the plain questions of a notebook."""

from __future__ import annotations

import doctest
import math

import pytest
import torch
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset

from grader import trace
from grader.model import Program, Status
from grader.runner.local import LocalRunner


def test_the_example_is_true() -> None:
    assert doctest.testmod(trace).failed == 0


def test_programs_in_the_sandbox_may_trace(runner: LocalRunner) -> None:
    source = (
        "import torch\nfrom grader import trace\nprint(trace.prediction(torch.nn.Linear(2, 1), torch.zeros(1, 2)))\n"
    )
    seen = runner.submit(Program(source, seed=1)).result()
    assert seen.status is Status.OK, seen
    assert "Linear  (1, 1)" in seen.stdout


def test_a_prediction_is_traced_through_every_layer() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(10, 50), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(50, 2))
    inputs = torch.randn(1, 10)
    table = trace.prediction(model, inputs)
    assert [row[0] for row in table.rows] == ["input", "0 (Linear)", "1 (ReLU)", "2 (Dropout)", "3 (Linear)"]
    assert [row[1] for row in table.rows] == ["(1, 10)", "(1, 50)", "(1, 50)", "(1, 50)", "(1, 2)"]
    assert model.training
    model.eval()
    assert table.rows[-1][2] == trace.sample(model(inputs))
    assert not any(module._forward_hooks for module in model.modules())


def test_training_is_measured_as_by_hand() -> None:
    def parts() -> tuple[torch.nn.Module, torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
        torch.manual_seed(0)
        model = torch.nn.Linear(3, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return model, optimizer, torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)

    torch.manual_seed(1)
    inputs, targets = torch.randn(20, 3), torch.randn(20, 1)
    loader = DataLoader(TensorDataset(inputs, targets), batch_size=8)
    model, optimizer, scheduler = parts()
    measured = trace.train(model, loader, optimizer, mse_loss, 3, scheduler)
    model, optimizer, scheduler = parts()
    losses = []
    for _ in range(3):
        total = 0.0
        for start in (0, 8, 16):
            optimizer.zero_grad()
            loss = mse_loss(model(inputs[start : start + 8]), targets[start : start + 8])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(inputs[start : start + 8])
        scheduler.step()
        losses.append(total / 20)
    assert measured.losses == pytest.approx(losses)
    assert measured.rates == pytest.approx([0.1, 0.05, 0.025])
    assert measured.steps == pytest.approx([0.1] * 3 + [0.05] * 3 + [0.025] * 3)
    assert measured.table.columns == ("epoch", "rate", "loss", "what the numbers show")
    assert measured.chart().chart.curves[0].values == tuple(float(f"{loss:.3g}") for loss in measured.losses)
    with pytest.raises(ValueError, match="step_each"):
        trace.train(model, loader, optimizer, mse_loss, 1, step_each="step")


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([1.0], "start"), ([1.0, 0.5], "50% lower, the best so far"), ([1.0, 0.5, 0.6], "20% higher"), ([1.0, 0.999], "no change"),
        ([0.5, 1.0, 0.8], "20% lower"), ([1.0, math.nan], "diverged"), ([0.0, 1.0], "no change"),
    ],
)  # fmt: skip
def test_remarks_are_made_from_the_numbers(losses: list[float], said: str) -> None:
    assert trace.remark(losses) == said
