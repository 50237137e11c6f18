"""`saved`: the tensors that a graph keeps for `backward()`.

Hooks for saved tensors would see each of them, but with such a hook torch no longer notices that a saved tensor was
changed in place. So the graph is looked through where `backward()` begins, and nothing in it is unpacked.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from grader.runner.inside.observers import Kept, Observer, Record, Shape, quiet, wrapped

MOST_NODES = 5000
"""Nodes of a graph that are looked at."""

MOST_SHAPES = 64
MOST_VALUES = 1000
"""Entries of a list or dict of the program that may hold a loss."""

_WRAPPER = """
def wrapper(original, before):
    @functools.wraps(original)
    def _engine_run_backward(t_outputs, *args, **kwargs):
        before(t_outputs)
        return original(t_outputs, *args, **kwargs)
    return _engine_run_backward
"""


@dataclass(frozen=True, slots=True)
class SavedTensors(Record):
    """What a graph keeps: one for each `backward()` (or `autograd.grad`) when it begins, and one for the program's end.

    What a hook keeps in place of a tensor (checkpointing does) is not counted.
    """

    when: str
    """`backward`; or `end`, for the graphs that the program's own names still hold then, lists and dicts included."""
    count: int
    """How many different tensors."""
    bytes: int
    """Of their memory. What shares memory counts once, a view with all that it keeps alive."""
    leaf_bytes: int
    """The part of it that belongs to leaves that require a gradient (parameters): these would be there anyway."""
    shapes: tuple[Shape, ...]
    """Of the first 64, from the loss backward."""


def begin(kept: Kept) -> Callable[[], None]:
    from torch import autograd

    def look(when: str, roots: Iterable[Any]) -> None:
        with suppress(Exception), quiet():
            kept.add(_seen(when, [node for root in roots if (node := _node(root)) is not None]))

    restore = wrapped(autograd, "_engine_run_backward", _WRAPPER, functools.partial(look, "backward"))

    def end() -> None:
        restore()
        look("end", _tensors(list(vars(sys.modules["__main__"]).values())))

    return end


def _node(root: Any) -> Any:
    return getattr(root, "grad_fn", None) or getattr(root, "node", None)


def _tensors(values: Iterable[Any], depth: int = 0) -> list[Any]:
    """The tensors among values, and in lists, tuples and dicts of them."""
    import torch

    found = []
    for value in values:
        if issubclass(type(value), torch.Tensor):
            found.append(value)
        elif type(value) in (list, tuple, dict) and depth < 3:
            found += _tensors(list(value.values() if type(value) is dict else value)[:MOST_VALUES], depth + 1)
    return found


def _seen(when: str, nodes: list[Any]) -> SavedTensors:
    known, waiting = {id(node): node for node in nodes}, list(nodes)
    shapes: dict[Any, Shape] = {}
    memory: dict[int, tuple[int, bool]] = {}
    for node in waiting:  # it grows
        for tensor in _saved(node):
            storage = tensor.untyped_storage()
            key = storage.data_ptr(), tensor.storage_offset(), tuple(tensor.shape), tuple(tensor.stride())
            shapes.setdefault(key, tuple(int(size) for size in tensor.shape))
            whole = tensor if tensor._base is None else tensor._base
            leaf = whole.is_leaf and whole.requires_grad
            memory[storage.data_ptr()] = storage.nbytes(), leaf or memory.get(storage.data_ptr(), (0, False))[1]
        for following, _ in node.next_functions:
            if following is not None and id(following) not in known and len(known) < MOST_NODES:
                known[id(following)] = following
                waiting.append(following)
    return SavedTensors(
        when,
        len(shapes),
        sum(size for size, _ in memory.values()),
        sum(size for size, leaf in memory.values() if leaf),
        tuple(shapes.values())[:MOST_SHAPES],
    )


_fields: dict[type, list[str]] = {}
"""Where nodes of a class keep tensors: torch's fields that begin with `_raw_saved_`."""


def _saved(node: Any) -> list[Any]:
    """The tensors that a node keeps; none once they are freed."""
    import torch

    kind = type(node)
    if kind not in _fields:
        _fields[kind] = [name for name in dir(kind) if name.startswith("_raw_saved_")]
    found: list[Any] = []
    for name in _fields[kind]:
        with suppress(RuntimeError):  # they are freed
            raw = getattr(node, name)
            ours = [one for one in (raw if isinstance(raw, (list, tuple)) else (raw,)) if one and not one.unpack_hook]
            found += [tensor for one in ours if isinstance(tensor := one.data, torch.Tensor)]
    return found


OBSERVER = Observer(
    record=SavedTensors,
    says="what the graph keeps for each `backward()` and at the program's end: tensors, bytes, shapes",
    cost="0.7 ms",
    begin=begin,
    example="import torch\nx = torch.ones(2, requires_grad=True)\nx.exp().sum().backward()\n",
    shares=("torch.autograd._engine_run_backward",),
)
