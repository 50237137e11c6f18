"""Where an answer departs from what it should be, in words. Pure: it looks at two values and at nothing else."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import TypeGuard

from grader.judging.comparison import Compare, Difference, close, equal
from grader.model import Grid, Grids, Value, values
from grader.model.values import Tensor
from grader.render.charts import direction
from grader.template import brief, entry, plural, show


def difference(found: Difference, shows: str, counts: str, how: Compare) -> str:
    """A difference in words: what is the matter with the whole, or where the values part first."""
    place = "".join(found.path)
    before = f"In `{place}`: " if place else ""
    mine, its = values.tensor(found.yours), values.tensor(found.right)
    match found.what:
        case "kind":
            return f"{before}It is {values.sort_of(found.yours)}; {values.sort_of(found.right)} is needed."
        case "keys":
            return before + _keys(found)
        case "shape" if mine and its:
            why = _why_shape(mine.shape, its.shape)
            why += "" if why.endswith("?") else "."
            return f"{before}The shape is {_shape(mine.shape)}; it should be {_shape(its.shape)}{why}"
        case "dtype" if mine and its:
            return f"{before}The dtype is `{mine.dtype}`; it should be `{its.dtype}`."
        case "device" if mine and its:
            return f"{before}It is on the device `{mine.device}`; it should be on `{its.device}`."
        case "grad" if mine and its:
            does, should = ("requires", "should not") if mine.grad else ("does not require", "should")
            return f"{before}It {does} a gradient; it {should}."
        case "value" if mine and its:
            return before + _entries(mine, its, found.places, how)
        case "length" if shows in ("rate", "value") and place:
            return before + departure(found.yours, found.right, "entry", "entry", how)
    return before + departure(found.yours, found.right, shows, counts, how)


def _shape(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _why_shape(mine: tuple[int, ...], its: tuple[int, ...]) -> str:
    """What a shape that is not the right one usually comes from."""
    ones = [size for size in mine if size != 1], [size for size in its if size != 1]
    if ones[0] == ones[1] and len(mine) != len(its):
        more = len(mine) > len(its)
        return (
            ": a `keepdim=True` or an `unsqueeze` too many?"
            if more
            else ": a dimension of size 1 is missing (`keepdim=True`, `unsqueeze`)"
        )
    if sorted(mine) == sorted(its):
        two = sum(one != other for one, other in zip(mine, its, strict=True)) == 2
        return ": two dimensions are swapped" if two else ": the dimensions are in another order"
    if len(its) == 1 and mine == its * 2:
        return ": a column and a row were broadcast against each other"
    if math.prod(mine) == math.prod(its):
        return ": the entries are as many, in another arrangement"
    if len(mine) > len(its) and _within(its, mine):
        return ": a dimension is left that should be reduced"
    if len(mine) < len(its) and _within(mine, its):
        return ": a dimension is gone that should stay"
    return ""


def _within(few: Sequence[int], many: Sequence[int]) -> bool:
    """Whether some sizes come in this order among others."""
    rest = iter(many)
    return all(size in rest for size in few)


def _entries(mine: Tensor, its: Tensor, places: Sequence[int], how: Compare) -> str:
    """What is the matter with the entries of a tensor of the right shape."""
    if pattern := _tensor_pattern(mine, its, how):
        return pattern
    if not mine.whole:
        return f"The entries differ, first near [{', '.join(map(str, its.index(places[0])))}]."
    first, count = places[0], len(mine.data)
    one, other = entry(mine.data[first], mine.floating), entry(its.data[first], its.floating)
    if one == other:  # they part behind the digits that are shown
        one, other = repr(mine.data[first]), repr(its.data[first])
    if not its.shape:
        return f"It is {one.rstrip('.')}; it should be {other.rstrip('.')}."
    many = f"{len(places)} of {count} entries differ" if count > 1 else "its one entry differs"
    where = ", ".join(map(str, its.index(first)))
    return f"It differs first at [{where}], where it is {one} and should be {other}; {many}."


def _tensor_pattern(mine: Tensor, its: Tensor, how: Compare) -> str:
    """One word for all that differs: transposed, shifted, too large by a factor, with the other sign, ..."""
    yours, right = list(mine.data), list(its.data)
    if (
        not mine.whole
        or mine.complex
        or len(right) < 2
        or mine.dtype == "bool"
        or not all(map(math.isfinite, [*yours, *right]))
    ):
        return ""
    scale = max(map(abs, right), default=0.0)
    bounds = how.bounds(mine.dtype if mine.floating else its.dtype, scale)

    def same(one: Sequence[float], other: Sequence[float]) -> bool:
        return all(close(a, b, *bounds) for a, b in zip(one, other, strict=True))

    if not any(yours):
        return "All of its entries are 0."
    if same(yours, [-entry for entry in right]):
        return "Each entry has the wrong sign."
    if (
        len(its.shape) == 2
        and its.shape[0] == its.shape[1]
        and its.shape[0] > 1
        and same(yours, _transposed(right, its.shape[0]))
    ):
        return "It is transposed: rows and columns are swapped."
    for dimension, size in enumerate(its.shape):
        for by in (1, -1):
            if size > 2 and same(yours, _rolled(right, its.shape, dimension, by)):
                along = f" along dimension {dimension}" if len(its.shape) > 1 else ""
                return f"Each entry stands one place too {'late' if by > 0 else 'early'}{along}."
        if size > 2 and same(yours, _flipped(right, its.shape, dimension)):
            return f"It is in the opposite order{f' along dimension {dimension}' if len(its.shape) > 1 else ''}."
    ratio = next((a / b for a, b in zip(yours, right, strict=True) if b), 0.0)
    if ratio and same(yours, [ratio * entry for entry in right]):
        return f"Each entry is {show(ratio)} times what it should be."
    offset = yours[0] - right[0]
    if same(yours, [entry + offset for entry in right]):
        return f"Each entry is {show(abs(offset))} too {'large' if offset > 0 else 'small'}."
    if len(set(right)) > 2 and same(sorted(yours), sorted(right)):
        return "The entries are the right ones, in another order."
    return ""


def _transposed(data: Sequence[float], size: int) -> list[float]:
    return [data[row * size + column] for column in range(size) for row in range(size)]


def _along(
    data: Sequence[float], shape: Sequence[int], dimension: int, source: Callable[[int, int], int]
) -> list[float]:
    """The entries taken from other places along a dimension: `source` gives the place for a place and the size."""
    size, inner = shape[dimension], math.prod(shape[dimension + 1 :])
    found = []
    for place in range(len(data)):
        at = place // inner % size
        found.append(data[place + (source(at, size) - at) * inner])
    return found


def _rolled(data: Sequence[float], shape: Sequence[int], dimension: int, by: int) -> list[float]:
    return _along(data, shape, dimension, lambda at, size: (at - by) % size)


def _flipped(data: Sequence[float], shape: Sequence[int], dimension: int) -> list[float]:
    return _along(data, shape, dimension, lambda at, size: size - 1 - at)


def _keys(found: Difference) -> str:
    mine, its = ({show(key) for key, _ in values.pairs(side) or []} for side in (found.yours, found.right))
    missing, more = sorted(its - mine), sorted(mine - its)
    parts = [f"{_list(missing)} {'is' if len(missing) == 1 else 'are'} missing"] if missing else []
    parts += [f"{_list(more)} {'is' if len(more) == 1 else 'are'} too many"] if more else []
    return f"Of its keys {', and '.join(parts)}."


def _list(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


MOST_SHOWN = 8
"""Rows and columns of a grid."""


def grids(found: Difference) -> Grids | None:
    """The two tensors as small tables, what differs marked; of three dimensions one slice."""
    mine, its = values.tensor(found.yours), values.tensor(found.right)
    if not (mine and its and mine.whole and its.whole) or found.what not in ("shape", "value") or mine.complex:
        return None
    pair = [
        _grid(title, one, found.places if found.what == "value" else ())
        for title, one in (("yours", mine), ("expected", its))
    ]
    return (pair[0], pair[1]) if pair[0] and pair[1] and len(its.data) > 1 else None


def _grid(title: str, one: Tensor, places: Sequence[int]) -> Grid | None:
    rows, columns = (one.shape[-2] if len(one.shape) > 1 else 1), (one.shape[-1] if one.shape else 1)
    if not 1 <= rows <= MOST_SHOWN or not 1 <= columns <= MOST_SHOWN:
        return None
    size = rows * columns
    part = places[0] // size if places else 0
    data = one.data[part * size : (part + 1) * size]
    leading = ", ".join(map(str, one.index(part * size)[:-2]))
    named = f"{title} [{leading}, :, :]" if len(one.shape) > 2 else f"{title} {_shape(one.shape)}"
    texts = [entry(number, one.floating) for number in data]
    table = tuple(tuple(texts[row * columns : (row + 1) * columns]) for row in range(rows))
    inside = (place - part * size for place in places)
    marked = frozenset(divmod(place, columns) for place in inside if 0 <= place < size)
    return Grid(named, table, marked)


def curve(value: Value) -> TypeGuard[list[float]]:
    """Whether a value is a list of at least two finite numbers, which can be drawn."""
    return isinstance(value, list) and len(value) > 1 and all(_number(entry) for entry in value)


def _number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def departure(yours: Value, right: Value, shows: str, counts: str, how: Compare | float) -> str:
    """How `yours` differs from `right`: a pattern in the whole, or the first place, in one or two sentences.

    >>> departure([0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.2, 0.2], "rate", "epoch", 1e-6)
    'Correct through epoch 2. In epoch 3 the rate is 0.3; it should be 0.2, and stay there.'
    """
    sides = yours, right
    yours, right = ((held if (held := values.entries(side)) is not None else side) for side in sides)
    if not isinstance(yours, list) or not isinstance(right, list):
        if type(yours) is not type(right) and any(isinstance(side, str | bool) for side in sides):  # 18 and '18'
            one, other = (f"{values.sort_of(side)}, {_shown(side)}" for side in sides)
            return f"It gives {one}; it should be {other}."
        return f"It gives {_shown(sides[0])}; it should be {_shown(sides[1])}."
    first = next((k for k, (a, b) in enumerate(zip(yours, right, strict=False)) if not equal(a, b, how)), None)
    if len(yours) != len(right):
        more = "" if first is None else f" They differ from {counts} {first + 1} on."
        return f"It gives {_many(len(yours), shows)}, and {len(right)} are needed.{more}"
    if first is None:
        return ""
    if curve(yours) and curve(right) and (pattern := _pattern(yours, right, shows, counts, how)):
        return pattern
    start = f"Correct through {counts} {first}. In" if first else "Already in"
    place = f"{counts} {first + 1} the {shows} is {_shown(yours[first])}; it should be {_shown(right[first])}"
    return f"{start} {place}{_then(yours[first:], right[first:])}."


def _shown(value: Value) -> str:
    return brief(show(_as_python(value)), 120)


def _as_python(value: Value) -> Value:
    """Truth values as the learner's code has them, and not as answers to a question."""
    if isinstance(value, list):
        return [_as_python(entry) for entry in value]
    return str(value) if isinstance(value, bool) else value


def _many(count: int, shows: str) -> str:
    return f"no {shows} at all" if count == 0 else f"{count} {shows if count == 1 else plural(shows)}"


def _pattern(yours: list[float], right: list[float], shows: str, counts: str, how: Compare | float) -> str:
    """What is the matter with all of it: early or late by one, or too large or small by one factor."""
    if len(set(right)) > 1 and len(right) > 2:
        before, after = direction(right[0], right[1]), direction(right[-2], right[-1])
        if equal(list(yours[:-1]), list(right[1:]), how) and direction(right[-1], yours[-1]) == after:
            place = next(k for k in range(1, len(right)) if not equal(right[k], right[k - 1], how))
            return f"Each {shows} comes one {counts} too early: {show(right[place])} belongs to {counts} {place + 1}."
        if equal(list(yours[1:]), list(right[:-1]), how) and direction(yours[0], right[0]) == before != 0:
            return f"Each {shows} comes one {counts} too late: {show(right[0])} belongs to {counts} 1."
    ratio = next((a / b for a, b in zip(yours, right, strict=True) if b), 0.0)
    if ratio and equal([ratio * value for value in right], list(yours), how):
        return f"The shape is right, but each {shows} is {show(ratio)} times what it should be."
    return ""


def _then(yours: Sequence[Value], right: Sequence[Value]) -> str:
    """How the two go on from where they part, where that differs and can be said in a word."""
    if not curve(list(yours)) or not curve(list(right)):
        return ""
    mine, its = _way(list(yours)), _way(list(right))
    if mine == its or not its:
        return ""
    goes_on = {"rises": "go on rising", "falls": "go on falling", "stays": "stay there"}[its]
    return f", and {goes_on}" + (f"; yours {mine}" if mine in ("rises", "falls") and its != "stays" else "")


def _way(values: list[Value]) -> str:
    numbers = [value for value in values if isinstance(value, int | float)]
    ways = {direction(a, b) for a, b in itertools.pairwise(numbers)}
    return {1: "rises", -1: "falls", 0: "stays"}[ways.pop()] if len(ways) == 1 else ""
