"""`draws`: each time that torch draws random numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grader.runner.inside.observers import Kept, Observer, OperatorCall, Record, Shape, operators


@dataclass(frozen=True, slots=True)
class RandomDraw(Record):
    """One call of an operator that has drawn random numbers."""

    name: str
    """The operator, such as `randn` or `bernoulli_`."""
    shape: Shape
    """The shape of what it gave."""


def begin(kept: Kept) -> Callable[[], None]:
    def called(call: OperatorCall) -> None:
        if call.draws:
            first = call.result[0] if isinstance(call.result, tuple | list) else call.result
            kept.add(RandomDraw(call.name, tuple(map(int, first.shape))))

    return operators(called)


OBSERVER = Observer(
    record=RandomDraw,
    says="each operator that drew random numbers, in order",
    cost="4 ms",
    begin=begin,
    example="import torch\n\ntorch.manual_seed(0)\ntorch.rand(2, 3)\n",
    shares=("torch.utils._python_dispatch.TorchDispatchMode",),
)
