"""Measured traces: what goes through a model, what a training run does, what one prediction is made of.

For lessons and for anyone's own models: everything shown was measured, through PyTorch's hooks, on the objects given.
Only torch and the standard library are needed.

>>> import torch
>>> print(data_flow(("inputs", torch.zeros(4, 2)), ("labels", torch.tensor([0, 1]))))
stage   shape   dtype    sample
inputs  (4, 2)  float32  0, 0, 0, ...
labels  (2,)    int64    0, 1
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from grader.render.figures import Shown, chart, figure, sheet

__all__ = [
    "Shown", "Table", "Training", "chart", "data_flow", "figure", "prediction", "remark", "sample", "sheet", "train",
]  # fmt: skip

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from torch.optim import Optimizer

SAMPLE = 3
"""How many numbers of a tensor are shown."""


@dataclass(frozen=True)
class Table:
    """Rows of text. `str()` aligns them; a notebook draws them as a table."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[place]) for line in lines) for place in range(len(self.columns))]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        rule = "|" + "---|" * len(self.columns)
        return "\n".join([f"| {' | '.join(self.columns)} |", rule, *(f"| {' | '.join(row)} |" for row in self.rows)])


def data_flow(*stages: tuple[str, Any]) -> Table:
    """Each stage of a pipeline: its name, and the shape, the dtype and the first numbers of what it holds.

    A stage is a name and a tensor, or anything that `torch.as_tensor` takes.
    """
    import torch

    rows = []
    for name, value in stages:
        tensor = torch.as_tensor(value)
        rows.append((name, str(tuple(tensor.shape)), str(tensor.dtype).removeprefix("torch."), sample(tensor)))
    return Table(("stage", "shape", "dtype", "sample"), tuple(rows))


def sample(tensor: Tensor) -> str:
    """The first numbers of a tensor, to four significant digits."""
    flat = tensor.detach().reshape(-1)
    shown = ", ".join(f"{value:.4g}" for value in flat[:SAMPLE].tolist())
    return shown + (", ..." if flat.numel() > SAMPLE else "")


def prediction(model: Module, inputs: Tensor) -> Table:
    """One forward pass, layer by layer: each innermost module that was called, with its output's shape and values.

    The model runs in evaluation mode, without gradients, and is left in the mode that it was in.
    """
    import torch

    rows: list[tuple[str, ...]] = [("input", str(tuple(inputs.shape)), sample(inputs))]

    def record(name: str) -> Callable[[Module, Any, Any], None]:
        def hook(module: Module, _: Any, output: Any) -> None:
            if torch.is_tensor(output):
                kind = type(module).__name__
                rows.append((f"{name} ({kind})" if name else kind, str(tuple(output.shape)), sample(output)))

        return hook

    inner = [(name, module) for name, module in model.named_modules() if not list(module.children())]
    handles = [module.register_forward_hook(record(name)) for name, module in inner]
    training = model.training
    try:
        model.eval()
        with torch.no_grad():
            model(inputs)
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()
    return Table(("layer", "shape", "values"), tuple(rows))


@dataclass
class Training:
    """What was measured of a training run, an entry an epoch; `steps` has the rate of every optimizer step."""

    losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)

    @property
    def table(self) -> Table:
        """Epoch, rate, loss, accuracy where there is one, and what the numbers show."""
        columns = ["epoch", "rate", "loss", *(["accuracy"] if self.accuracies else []), "what the numbers show"]
        rows = []
        for place, loss in enumerate(self.losses):
            row = [str(place + 1), f"{self.rates[place]:.4g}", f"{loss:.4f}"]
            row += [f"{self.accuracies[place]:.1%}"] if self.accuracies else []
            rows.append((*row, remark(self.losses[: place + 1])))
        return Table(tuple(columns), tuple(rows))

    def chart(self) -> Shown:
        """The loss of each epoch, to look at with `.show()`."""
        return chart("The loss of each epoch", "epoch", "loss", {"loss": self.losses})

    def _repr_markdown_(self) -> str:
        return self.table._repr_markdown_()

    def __str__(self) -> str:
        return str(self.table)

    __repr__ = __str__


def remark(losses: Sequence[float]) -> str:
    """What the last loss says, beside the ones before it."""
    if not math.isfinite(losses[-1]):
        return "diverged"
    if len(losses) == 1:
        return "start"
    before, now = losses[-2], losses[-1]
    change = (now - before) / before if before else 0.0
    if abs(change) < 0.005:
        return "no change"
    word = f"{abs(change):.0%} {'higher' if change > 0 else 'lower'}"
    return f"{word}, the best so far" if now < min(losses[:-1]) else word


def train(
    model: Module,
    loader: Iterable[tuple[Tensor, Tensor]],
    optimizer: Optimizer,
    loss_function: Callable[[Tensor, Tensor], Tensor],
    epochs: int,
    scheduler: Any = None,
    *,
    step_each: str = "epoch",
    accuracy: bool = False,
) -> Training:
    """Train, and measure: the mean loss of each epoch, the rate it began with, and the share of right answers.

    `scheduler` is stepped after each epoch, or after each batch with `step_each="batch"`. `accuracy` compares the
    largest output with the label, on the batches as they are trained on. Raises ValueError for another `step_each`.
    """
    if step_each not in ("epoch", "batch"):
        raise ValueError(f'step_each is "epoch" or "batch", not {step_each!r}')
    measured = Training()
    for _ in range(epochs):
        measured.rates.append(optimizer.param_groups[0]["lr"])
        total, right, count = 0.0, 0, 0
        for inputs, targets in loader:
            optimizer.zero_grad()
            outputs = model(inputs)
            loss = loss_function(outputs, targets)
            loss.backward()  # type: ignore[no-untyped-call]  # torch does not say
            measured.steps.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if scheduler is not None and step_each == "batch":
                scheduler.step()
            total += loss.item() * len(inputs)
            right += int((outputs.argmax(-1) == targets).sum()) if accuracy else 0
            count += len(inputs)
        if scheduler is not None and step_each == "epoch":
            scheduler.step()
        measured.losses.append(total / count)
        if accuracy:
            measured.accuracies.append(right / count)
    return measured
