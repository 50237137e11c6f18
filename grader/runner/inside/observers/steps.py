"""`steps`: each `optimizer.step()`."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from grader.runner.inside.observers import Kept, Observer, Record, quiet

MOST_NAMES = 200
"""Parameters without a gradient that are named."""


@dataclass(frozen=True, slots=True)
class OptimizerStep(Record):
    """One call of `step`, as things were when it began."""

    rates: tuple[float, ...]
    """The learning rate of each parameter group."""
    norm: float | None
    """The norm of all gradients together, as `clip_grad_norm_` computes it; None where there is no gradient."""
    missing: tuple[str, ...]
    """The parameters without a gradient, by name: `named_parameters()` of the program's model has it, or the program's
    own name for it; where neither does, its place in the optimizer, such as `parameter 2`."""


def begin(kept: Kept) -> Callable[[], None]:
    from torch.optim.optimizer import register_optimizer_step_pre_hook

    def stepped(optimizer: Any, args: Any, kwargs: Any) -> None:
        with suppress(Exception), quiet():
            kept.add(_seen(optimizer))

    remove: Callable[[], None] = register_optimizer_step_pre_hook(stepped).remove
    return remove


def _seen(optimizer: Any) -> OptimizerStep:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    missing = [place for place, parameter in enumerate(parameters) if parameter.grad is None]
    named = [_name(parameters[place], place) for place in missing[:MOST_NAMES]]
    rates = tuple(float(group["lr"]) for group in optimizer.param_groups)
    return OptimizerStep(rates, _norm([one.grad for one in parameters if one.grad is not None]), tuple(named))


def _norm(gradients: list[Any]) -> float | None:
    """The norm of gradients; None where there are none, or where a profiler would see that it is computed."""
    import torch

    if not gradients or vars(torch.autograd)["_profiler_enabled"]():
        return None
    norm = torch.linalg.vector_norm
    parts = [float(norm(one.coalesce().values() if one.is_sparse else one)) for one in gradients]
    return math.sqrt(sum(part * part for part in parts))


def _name(parameter: Any, place: int) -> str:
    import torch

    names = vars(sys.modules["__main__"])
    for value in list(names.values()):
        if isinstance(value, torch.nn.Module):
            for name, known in value.named_parameters():
                if known is parameter:
                    return name
    return next((name for name, value in list(names.items()) if value is parameter), f"parameter {place}")


OBSERVER = Observer(
    record=OptimizerStep,
    says="each `optimizer.step()`: rates, the norm of all gradients, parameters without one",
    cost="0.3 ms",
    begin=begin,
    example="""\
import torch
weight = torch.nn.Parameter(torch.ones(2))
optimizer = torch.optim.SGD([weight], lr=0.1)
weight.sum().backward()
optimizer.step()
""",
)
