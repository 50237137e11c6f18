"""The inputs that an answer is run with, and what is compared of its runs."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

from grader.judging.bodies import Draw, TensorDraw, Written
from grader.model import Inputs, Observation, Value, Variant, assignments, values

PROBES = 6
"""Cases beside those of a check, on which a mutant must not differ that passes the check."""


SPECIAL = ("zeros", "ones", "repeated", "nan", "inf", "smallest")
"""What a drawn tensor may also be: all zeros, all ones, with entries that occur twice, with one NaN or infinity, or
with each dimension as small as it may be."""


def draw(exercise: Written, seed: str, count: int) -> list[Inputs]:
    """Hidden inputs: the same seed draws the same. After `count` of them comes one for each special tensor."""
    chance = random.Random(seed)  # noqa: S311  (to be reproduced, not to be secret)
    special = {name: None for one in exercise.hidden if one.tensor for name in one.tensor.also}
    cases = [_drawn_case(exercise.hidden, chance, name) for name in (*([""] * count), *(special if count else ()))]
    ties = sizes(exercise)
    return [tuple((name, value) for name, value in case if name not in ties) for case in cases]


def sizes(exercise: Written) -> frozenset[str]:
    """What is drawn only to give tensors one size: no given case has it, and no program is told of it."""
    named = {size for one in exercise.hidden if one.tensor for size in one.tensor.shape if isinstance(size, str)}
    return frozenset(named - {name for inputs in exercise.given for name, _ in inputs})


def _drawn_case(hidden: Sequence[Draw], chance: random.Random, special: str) -> Inputs:
    """One case. Numbers come first: a tensor's size may be one of them."""
    found: dict[str, Value] = {one.name: _drawn(one, chance) for one in hidden if one.tensor is None}
    for one in hidden:
        if one.tensor is not None:
            found[one.name] = _drawn_tensor(one.tensor, chance, found, special if special in one.tensor.also else "")
    return tuple((one.name, found[one.name]) for one in hidden)


def _drawn(one: Draw, chance: random.Random) -> Value:
    if one.values:
        return chance.choice(one.values)
    return _number(one.low, one.high, chance, whole=isinstance(one.low, int) and isinstance(one.high, int))


def _number(low: float, high: float, chance: random.Random, *, whole: bool) -> int | float:
    if whole:
        return chance.randint(int(low), int(high))
    return float(f"{chance.uniform(low, high):.3g}")


def _drawn_tensor(one: TensorDraw, chance: random.Random, known: Mapping[str, Value], special: str) -> Value:
    sizes = [_size(size, chance, known, smallest=special == "smallest") for size in one.shape]
    count = math.prod(sizes)
    floating = one.dtype.startswith(("float", "bfloat"))
    if one.dtype == "bool":
        entries: list[Value] = [chance.random() < 0.5 for _ in range(count)]
    else:
        entries = [_number(one.low, one.high, chance, whole=not floating) for _ in range(count)]
    if special in ("zeros", "ones"):
        filled = special == "ones"
        entries = [filled if one.dtype == "bool" else float(filled) if floating else int(filled)] * count
    elif special == "repeated":
        entries = [entries[chance.randrange((count + 1) // 2)] for _ in entries]
    elif special in ("nan", "inf") and entries:
        entries[chance.randrange(count)] = math.nan if special == "nan" else math.inf
    shape: list[Value] = list(sizes)
    return {"$tensor": {"shape": shape, "dtype": one.dtype, "device": "cpu", "grad": one.grad, "data": entries}}


def _size(
    size: int | str | tuple[int, ...], chance: random.Random, known: Mapping[str, Value], *, smallest: bool
) -> int:
    if isinstance(size, str):
        named = known[size]
        assert isinstance(named, int)
        return named
    if isinstance(size, tuple):
        return min(size) if smallest else chance.choice(size)
    return size


def probes(exercise: Written, seed: str) -> list[Inputs]:
    """More inputs: drawn ones, or the neighbors of those given where none are drawn."""
    if exercise.hidden:
        return draw(exercise, f"{seed}\0probes", PROBES)[:PROBES]
    found: list[Inputs] = []
    for inputs in exercise.given:
        for place, (name, value) in enumerate(inputs):
            found += [(*inputs[:place], (name, near), *inputs[place + 1 :]) for near in _near(value)]
    return found[: 2 * PROBES]


def _near(value: Value) -> list[Value]:
    if (tensor := values.tensor(value)) is not None:
        return _near_tensor(tensor)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return []
    return [value + 1, value - 1, value * 3, value // 3] if isinstance(value, int) else [value * 1.5]


def _near_tensor(tensor: values.Tensor) -> list[Value]:
    """The same with other entries: reversed, and each changed a little."""
    if tensor.dtype == "bool" or tensor.complex:
        changed: list[list[Value]] = [list(tensor.data[::-1])]
    else:
        changed = [list(tensor.data[::-1]), [entry * 3 - place % 2 for place, entry in enumerate(tensor.data)]]
    return [_tensor_like(tensor, data) for data in changed]


def _tensor_like(tensor: values.Tensor, data: Sequence[Value], shape: Sequence[int] | None = None) -> Value:
    about: dict[str, Value] = {"dtype": tensor.dtype, "device": "cpu", "grad": tensor.grad}
    return {"$tensor": {**about, "shape": list(tensor.shape if shape is None else shape), "data": list(data)}}


# ---------------------------------------------------------------- smaller inputs


def smaller(inputs: Inputs, exercise: Written) -> list[Inputs]:
    """The same inputs with fewer entries, or with zeros in place of some: the smallest first.

    Sizes that follow from a number among the inputs stay as they are, and neither a size nor an entry leaves what may
    be drawn: where that is from 1 to 4, entries become 1.
    """
    draws = {one.name: one.tensor for one in exercise.hidden if one.tensor}
    found: list[Inputs] = []
    for place, (name, value) in enumerate(inputs):
        tensor = values.tensor(value)
        if tensor is None or not tensor.whole or tensor.complex or not tensor.data:
            continue

        def with_it(changed: Value, place: int = place, name: str = name) -> Inputs:
            return (*inputs[:place], (name, changed), *inputs[place + 1 :])

        if (one := draws.get(name)) is not None:
            for dimension, size in enumerate(one.shape):
                if (
                    isinstance(size, tuple)
                    and (less := max(min(size), tensor.shape[dimension] // 2)) < tensor.shape[dimension]
                ):
                    found.append(with_it(_cut(tensor, dimension, less)))
        half = len(tensor.data) // 2
        least = type(tensor.data[0])(0 if one is None or tensor.dtype == "bool" else _nearest_to_zero(one))
        for kept in (range(0), range(half), range(half, len(tensor.data))):
            data = [entry if number in kept else least for number, entry in enumerate(tensor.data)]
            if tuple(data) != tensor.data:
                found.append(with_it(_tensor_like(tensor, data)))
    return found


def _nearest_to_zero(one: TensorDraw) -> float:
    return 0 if "zeros" in one.also else min(max(0, one.low), one.high)


def _cut(tensor: values.Tensor, dimension: int, size: int) -> Value:
    """The first entries along a dimension."""
    data = [entry for place, entry in enumerate(tensor.data) if tensor.index(place)[dimension] < size]
    shape = (*tensor.shape[:dimension], size, *tensor.shape[dimension + 1 :])
    return _tensor_like(tensor, data, shape)


def preludes(variant: Variant, cases: Sequence[Inputs]) -> tuple[str, ...]:
    """The assignments that each case puts before the program; an empty line where there are none."""
    return tuple(variant.prelude + assignments(inputs) or "\n" for inputs in cases)


def seen(run: Observation, place: int = 0) -> Value:
    """What is compared of a run: what an expression gave, the first by default, or what was raised."""
    if run.error:
        return {"raised": str(run.error)}
    if len(run.asked) <= place:
        return {"ended": run.status.value}
    asked = run.asked[place]
    return asked.value if asked.error is None else {"raised": asked.error}
