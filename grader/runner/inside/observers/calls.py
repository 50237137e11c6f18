"""`calls`: each call of a module."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from grader.runner.inside.observers import Kept, Observer, Record, Shape, quiet, wrapped

MOST_TENSORS = 32
"""Tensors of one call whose shapes are kept, and as many of what it returns."""

DEEPEST = 4
"""How deep lists, tuples and dicts of tensors are looked into."""

_WRAPPER = """
def wrapper(original, called, returned):
    @functools.wraps(original)
    def _call_impl(self, *args, **kwargs):
        place = called(self, args, kwargs)
        try:
            result = original(self, *args, **kwargs)
        except BaseException:
            returned(place)
            raise
        returned(place, result)
        return result
    return _call_impl
"""


@dataclass(frozen=True, slots=True)
class ModuleCall(Record):
    """One call of a module, in the order in which calls begin: a model comes before its layers."""

    path: str
    """Its name by `named_modules()` of the module that the program called, such as `0` or `encoder.linear`. Where that
    has no name for it (it is that module itself, or is not registered), the name of its class."""
    kind: str
    """The name of its class."""
    inputs: tuple[Shape, ...]
    """The shapes of the tensors that it was called with, also of those in lists, tuples and dicts, in order."""
    outputs: tuple[Shape, ...] | None
    """The shapes of what it returned; None where it raised."""
    training: bool
    """Its mode when it was called."""
    grad: bool
    """Whether operations were recorded for `backward()` then."""


class _Calls:
    """The calls that are under way."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._depth = 0
        self._outermost: Any = None
        self._paths: dict[int, str] | None = None

    def called(self, module: Any, args: Any, kwargs: Any) -> int:
        import torch

        self._depth += 1
        if self._depth == 1:
            self._outermost, self._paths = module, None
        place = -1
        with suppress(Exception):
            grad, kind = torch.is_grad_enabled(), type(module).__name__
            with quiet():
                inputs = _shapes((args, kwargs))
                path = self._path(module) or kind
            place = self._kept.add(ModuleCall(path, kind, inputs, None, bool(module.training), grad))
        return place

    def returned(self, place: int, *result: Any) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._outermost = self._paths = None
        if place >= 0 and result:  # else it raised
            with suppress(Exception), quiet():
                call: Any = self._kept.records[place]
                self._kept.records[place] = dataclasses.replace(call, outputs=_shapes(result))

    def _path(self, module: Any) -> str:
        if module is self._outermost:
            return ""
        if self._paths is None or id(module) not in self._paths:  # they may change while it runs
            self._paths = {id(known): name for name, known in self._outermost.named_modules()}
        return self._paths.get(id(module), "")


def _shapes(value: Any) -> tuple[Shape, ...]:
    import torch

    found: list[Shape] = []

    def look(part: Any, depth: int) -> None:
        if isinstance(part, torch.Tensor):
            if len(found) < MOST_TENSORS:
                found.append(tuple(int(size) for size in part.shape))
        elif isinstance(part, (list, tuple, dict)) and depth < DEEPEST:
            for entry in list(part.values() if isinstance(part, dict) else part)[:MOST_TENSORS]:
                look(entry, depth + 1)

    look(value, 0)
    return tuple(found)


def begin(kept: Kept) -> Callable[[], None]:
    from torch.nn import Module

    calls = _Calls(kept)
    # No hooks: they add a frame that is counted, which moves the lines of warnings.
    return wrapped(Module, "_call_impl", _WRAPPER, calls.called, calls.returned)


OBSERVER = Observer(
    record=ModuleCall,
    says="each call of a module: path, class, shapes of inputs and outputs, modes",
    cost="0.8 ms",
    begin=begin,
    example="import torch\ntorch.nn.Linear(2, 1)(torch.ones(3, 2))\n",
    shares=("torch.nn.Module._call_impl",),
)
