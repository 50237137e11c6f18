"""What expressions may call beside torch: the worker's side, standard library and torch only."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any


def approx(one: Any, other: Any, tolerance: float = 1e-6) -> bool:
    """Whether two numbers, or two lists of them, are equal within a relative tolerance."""
    one, other = (value.item() if getattr(value, "ndim", None) == 0 else value for value in (one, other))
    if isinstance(one, (int, float)) or isinstance(other, (int, float)):
        return math.isclose(float(one), float(other), rel_tol=tolerance, abs_tol=1e-12)
    one, other = list(one), list(other)
    return len(one) == len(other) and all(approx(a, b, tolerance) for a, b in zip(one, other, strict=True))


def rising(values: Sequence[float]) -> bool:
    """Whether there are at least two values and each is larger than the one before."""
    return len(values) > 1 and all(a < b for a, b in itertools.pairwise(values))


def falling(values: Sequence[float]) -> bool:
    """Whether there are at least two values and each is smaller than the one before."""
    return len(values) > 1 and all(a > b for a, b in itertools.pairwise(values))


def constant(values: Sequence[float]) -> bool:
    """Whether there are at least two values, all equal within a relative tolerance of 1e-6."""
    return len(values) > 1 and all(approx(value, values[0]) for value in values)


# ---------------------------------------------------------------- of tensors, modules and graphs


def shares(one: Any, other: Any) -> bool:
    """Whether two tensors, or arrays of NumPy, lie in the same memory: a change of one may show in the other."""
    (first, last), (start, end) = _memory(one), _memory(other)
    return first < end and start < last


def _memory(value: Any) -> tuple[int, int]:
    """Where the memory of a tensor's storage, or of the array that an array is a view of, begins and ends."""
    import torch

    if isinstance(value, torch.Tensor):
        storage = value.untyped_storage()
        return storage.data_ptr(), storage.data_ptr() + storage.nbytes()
    if not hasattr(value, "__array_interface__"):
        raise TypeError(f"shares() compares tensors and arrays, not {type(value).__name__}")
    while hasattr(value.base, "__array_interface__"):
        value = value.base
    start = int(value.__array_interface__["data"][0])
    return start, start + int(value.nbytes)


def grads(model: Any) -> dict[str, Any]:
    """The gradient of each parameter by its name, None where it has none."""
    return {name: parameter.grad for name, parameter in model.named_parameters()}


def modes(model: Any) -> dict[str, bool]:
    """For each module by its name whether it is in training mode; the model itself goes by the name of its class."""
    return {name or type(module).__name__: module.training for name, module in model.named_modules()}


def names(model: Any) -> dict[str, tuple[int, ...]]:
    """The shape of each parameter by its name."""
    return {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}


MOST_NODES = 40
"""Nodes of a graph that is shown."""


def graph(loss: Any) -> list[tuple[str, tuple[int, ...]]]:
    """What `backward()` goes through: each node's name, and the places in this list of the nodes that come after it.

    Each node stands before those after it. Raises ValueError where there are more than 40.
    """
    order: list[Any] = []
    known: set[Any] = set()
    waiting = [(loss.grad_fn, False)] if loss.grad_fn is not None else []
    while waiting:  # a node is placed when all after it are; that is the order from the end
        node, done = waiting.pop()
        if done:
            order.append(node)
        elif node not in known:
            known.add(node)
            if len(known) > MOST_NODES:
                raise ValueError(f"this graph has more than {MOST_NODES} nodes: make the program smaller")
            waiting.append((node, True))
            waiting += [(following, False) for following in _following(node)]
    order.reverse()
    places = {node: place for place, node in enumerate(order)}
    return [(type(node).__name__, tuple(places[following] for following in _following(node))) for node in order]


def _following(node: Any) -> list[Any]:
    return [following for following, _ in node.next_functions if following is not None]


CLOSE = {"float16": 4 * 2.0**-10, "bfloat16": 4 * 2.0**-7, "float32": 1.3e-6, "complex64": 1.3e-6}
"""Relative tolerances by dtype, as answers are compared; 1e-7 for all else."""


def close(one: Any, other: Any, tolerance: float | None = None) -> bool:
    """Whether two tensors (or numbers, lists, arrays) have one shape and, but for rounding, the same entries.

    The tolerance is relative, that of the coarser dtype, and next to zero the same part of the largest entry.
    NaN is close to NaN. Dtypes are not compared.
    """
    import torch

    with torch.no_grad():
        pair = [value if isinstance(value, torch.Tensor) else torch.as_tensor(value) for value in (one, other)]
        if pair[0].shape != pair[1].shape:
            return False
        written = [value for value in (one, other) if isinstance(value, torch.Tensor)]
        usual = max(
            (CLOSE.get(str(value.dtype).removeprefix("torch."), 1e-7) for value in written or pair), default=0.0
        )
        relative = usual if tolerance is None else tolerance
        wide = torch.complex128 if any(value.is_complex() for value in pair) else torch.float64
        left, right = (value.detach().to("cpu", wide) for value in pair)
        finite = right[torch.isfinite(right)].abs()
        scale = float(finite.max()) if finite.numel() else 0.0
        return torch.allclose(left, right, rtol=relative, atol=relative * scale, equal_nan=True)


HELPERS: dict[str, Any] = {
    "approx": approx,
    "rising": rising,
    "falling": falling,
    "constant": constant,
    "shares": shares,
    "grads": grads,
    "modes": modes,
    "names": names,
    "graph": graph,
    "close": close,
}
"""By the name under which expressions have them; a program's own name comes first."""
