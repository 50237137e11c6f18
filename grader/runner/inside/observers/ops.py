"""`ops`: the operators that torch runs, forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from grader.runner.inside.observers import Kept, Observer, OperatorCall, Record, operators

DEEPEST = 3
"""How deep lists of tensors among arguments are looked into."""


@dataclass(frozen=True, slots=True)
class OperatorUse(Record):
    """What one operator was used for, in the order in which operators are used first.

    Only what the program's own thread runs, and no more than torch tells: an operator that consists of others is seen
    as these (`linear` as `t` and `addmm`), and none are seen while a profiler of the program is on
    or `torch.jit.trace` traces.
    """

    name: str
    """Its name in torch: `mm`, `add_`, `bernoulli_`."""
    calls: int
    """How often it has run."""
    new_bytes: int
    """The memory of tensors that it has made, in bytes; views and changes in place make none."""
    draws: int
    """How many of these calls have drawn random numbers."""


class _Counts:
    """What is counted of one operator."""

    def __init__(self) -> None:
        self.calls = self.new_bytes = self.draws = 0


def begin(kept: Kept) -> Callable[[], None]:
    counted: dict[str, _Counts] = {}

    def called(call: OperatorCall) -> None:
        counts = counted.setdefault(call.name, _Counts())
        counts.calls += 1
        counts.draws += call.draws
        counts.new_bytes += _new_bytes(call)

    stop = operators(called)

    def end() -> None:
        stop()
        for name, counts in counted.items():
            kept.add(OperatorUse(name, counts.calls, counts.new_bytes, counts.draws))

    return end


def _new_bytes(call: OperatorCall) -> int:
    """The memory of results that share none with an argument; what is on no device has none."""
    given = {storage.data_ptr() for one in _tensors((call.args, dict(call.kwargs))) if (storage := _memory(one))}
    made = {storage.data_ptr(): storage.nbytes() for one in _tensors(call.result) if (storage := _memory(one))}
    return sum(size for address, size in made.items() if address not in given)


def _memory(tensor: Any) -> Any:
    with suppress(Exception):  # sparse tensors have none of their own
        storage = tensor.untyped_storage()
        return storage if storage.nbytes() and tensor.device.type != "meta" else None
    return None


def _tensors(value: Any, depth: int = 0) -> list[Any]:
    import torch

    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (list, tuple, dict)) and depth < DEEPEST:
        parts = value.values() if isinstance(value, dict) else value
        return [tensor for part in parts for tensor in _tensors(part, depth + 1)]
    return []


OBSERVER = Observer(
    record=OperatorUse,
    says="the operators that torch runs: how often, new memory, draws of chance",
    cost="4 ms",
    begin=begin,
    example="import torch\nx = torch.rand(3, 2, requires_grad=True)\nx.mm(x.T).sum().backward()\n",
    shares=("torch.utils._python_dispatch.TorchDispatchMode",),
)
