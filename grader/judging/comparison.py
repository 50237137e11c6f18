"""Whether two values are the same, and where they differ first.

Numbers are compared within tolerances, shapes and dtypes exactly. The relative tolerance is that of
`torch.testing.assert_close` for the dtype (four units in the last place for the 16-bit ones); the absolute one is the
same fraction of the largest magnitude in the whole expected value, so that rounding next to a zero counts no more than
rounding elsewhere, and small values are still told apart. NaN and infinities are equal at the same places.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from grader.model import Value, values
from grader.model.values import Tensor

RTOL = {
    "float16": 4 * 2.0**-10, "bfloat16": 4 * 2.0**-7, "float32": 1.3e-6, "float64": 1e-7,
    "complex32": 4 * 2.0**-10, "complex64": 1.3e-6, "complex128": 1e-7,
}  # fmt: skip
"""Relative tolerances by dtype: those of `torch.testing.assert_close`, and four units in the last place."""

TINIEST = {"float16": 4 * 2.0**-24, "bfloat16": 4 * 2.0**-133, "complex32": 4 * 2.0**-24}
"""Four of the smallest numbers of a dtype: what is near zero has no more digits."""

USUAL = 1e-6
"""The relative tolerance of numbers that no tensor holds."""

NOISE = 1e-9
"""Their absolute tolerance, as a fraction of the largest of them."""


@dataclass(frozen=True, slots=True)
class Compare:
    """How values are compared."""

    tolerance: float = USUAL
    """Relative, for numbers that no tensor holds; where it is not the usual one, for all."""
    rtol: float | None = None
    atol: float | None = None
    type: bool = True
    """Where a tensor is expected, nothing else will do."""
    dtype: bool = True
    device: bool = False
    grad: bool = False
    """Whether it requires a gradient counts."""

    def bounds(self, dtype: str, scale: float) -> tuple[float, float]:
        """The relative and the absolute tolerance; `scale` is the largest magnitude of the expected value."""
        usual = RTOL.get(dtype, self.tolerance) if self.tolerance == USUAL else self.tolerance
        relative = usual if self.rtol is None else self.rtol
        noise = (RTOL["float32"] if dtype == "number32" else NOISE) if dtype.startswith("number") else usual
        absolute = max(noise * scale, TINIEST.get(dtype, 1e-12 if dtype.startswith("number") else 0.0))
        return relative, absolute if self.atol is None else self.atol


USUAL_COMPARE = Compare()

What = Literal["kind", "shape", "dtype", "device", "grad", "length", "keys", "value"]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two values part first."""

    what: What
    yours: Value
    right: Value
    """The two parts that differ: whole tensors, where they are ones."""
    path: tuple[str, ...] = ()
    """The way there through dicts and lists, as one would write it in Python."""
    places: tuple[int, ...] = ()
    """Of a tensor, or of a list of numbers: which entries differ, in order."""


def equal(one: Value, other: Value, how: Compare | float = USUAL_COMPARE) -> bool:
    """Whether two values say the same: a list says what a tensor of these numbers does, two tensors are compared whole.

    A truth value is no number.
    """
    return difference(one, other, how, lenient=True) is None


def difference(
    yours: Value, right: Value, how: Compare | float = USUAL_COMPARE, *, lenient: bool = False
) -> Difference | None:
    """Where `yours` parts from `right` first; None where they are the same.

    Where `right` is a tensor, `yours` must be one, unless this is `lenient`.
    """
    how = how if isinstance(how, Compare) else Compare(how)
    return _Walk(how, right, lenient).look(yours, right, ())


def margin(number: float, whole: Value, how: Compare | float = USUAL_COMPARE) -> float:
    """How far an answer may be from an expected number, which is `whole` or stands in it; 0 where it is a count.

    >>> margin(4, 4), margin(0.02, 0.02)
    (0.0, 2.002e-08)
    """
    walk = _Walk(how if isinstance(how, Compare) else Compare(how), whole, lenient=True)
    if walk.exact and type(number) is int and abs(number) < 1 << 53:
        return 0.0
    relative, absolute = walk.how.bounds(walk.number, walk.scale)
    return relative * abs(number) + absolute


def scale_of(value: Value) -> float:
    """The largest finite magnitude in a value; 0 where there is none. Beside fractions, whole numbers do not count.

    A count of samples, which is exact, says nothing of how far a loss beside it may be rounded.
    """
    found = [number for number in values.numbers(value) if _finite(number)]
    fractions = [number for number in found if isinstance(number, float)]
    return max((abs(float(number)) for number in fractions or found), default=0.0)


def _finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number beyond all floats
        return False


class _Walk:
    """Goes through two values side by side."""

    def __init__(self, how: Compare, right: Value, lenient: bool) -> None:
        self.how, self.lenient = how, lenient or not how.type
        self.scale = scale_of(right)
        self.exact = how.tolerance == USUAL and how.rtol is None and how.atol is None
        self.number = "number32" if _from_float32(right) else "number"

    def look(self, yours: Value, right: Value, path: tuple[str, ...]) -> Difference | None:
        mine, its = values.tensor(yours), values.tensor(right)
        if mine and its:
            return self._tensors(mine, its, yours, right, path)
        if its and not self.lenient:
            return Difference("kind", yours, right, path)
        if mine or its:  # numbers are numbers
            return self.look(mine.nested() if mine else yours, its.nested() if its else right, path)
        listed, wanted = values.entries(yours), values.entries(right)
        if listed is not None and wanted is not None:
            return self._lists(listed, wanted, yours, right, path)
        named, known = values.pairs(yours), values.pairs(right)
        if named is not None and known is not None:
            return self._dicts(named, known, yours, right, path)
        return None if self._same(yours, right) else Difference("value", yours, right, path)

    def _same(self, one: Value, other: Value) -> bool:
        if isinstance(one, bool) or isinstance(other, bool):
            return one is other
        if isinstance(one, int | float) and isinstance(other, int | float):
            if self.exact and type(other) is int and abs(other) < 1 << 53 and _finite(one) and one == int(one):
                return one == other  # a count is right or wrong
            return close(one, other, *self.how.bounds(self.number, self.scale))
        return type(one) is type(other) and one == other

    def _tensors(
        self, mine: Tensor, its: Tensor, yours: Value, right: Value, path: tuple[str, ...]
    ) -> Difference | None:
        """Shape first, then dtype, then the rest."""
        if mine.array != its.array and not self.lenient:
            return Difference("kind", yours, right, path)
        if mine.shape != its.shape:
            return Difference("shape", yours, right, path)
        if self.how.dtype and mine.dtype != its.dtype and mine.array == its.array:
            return Difference("dtype", yours, right, path)
        if places := self._places(mine, its):
            return Difference("value", yours, right, path, places)
        if self.how.device and mine.device != its.device:
            return Difference("device", yours, right, path)
        if self.how.grad and mine.grad != its.grad:
            return Difference("grad", yours, right, path)
        return None

    def _places(self, mine: Tensor, its: Tensor) -> tuple[int, ...]:
        """Which entries differ; of large tensors which of a sample, or the first where only a sum of many tells."""
        exact = not (mine.floating or its.floating)
        coarse = mine.dtype if RTOL.get(mine.dtype, 0) > RTOL.get(its.dtype, 0) else its.dtype
        bounds = (0.0, 0.0) if exact else self.how.bounds(coarse, self.scale)
        pairs = zip(mine.data, its.data, strict=False)
        found = tuple(place for place, (a, b) in enumerate(pairs) if not (a == b or close(a, b, *bounds)))
        if found or mine.whole or mine.digest == its.digest:
            return found
        count = math.prod(its.shape) / max(1, len(its.sums))
        relative, absolute = bounds
        wide = relative, absolute * max(1.0, math.sqrt(count))
        return () if not exact and all(close(a, b, *wide) for a, b in zip(mine.sums, its.sums, strict=True)) else (0,)

    def _lists(
        self, listed: list[Value], wanted: list[Value], yours: Value, right: Value, path: tuple[str, ...]
    ) -> Difference | None:
        if len(listed) != len(wanted):
            return Difference("length", yours, right, path)
        parts = [
            self.look(a, b, (*path, f"[{place}]")) for place, (a, b) in enumerate(zip(listed, wanted, strict=True))
        ]
        differing = tuple(place for place, part in enumerate(parts) if part)
        if not differing:
            return None
        first = parts[differing[0]]
        assert first is not None
        plain = first.what == "value" and len(first.path) == len(path) + 1 and values.tensor(first.right) is None
        return Difference("value", yours, right, path, differing) if plain else first

    def _dicts(
        self, named: list[tuple[Value, Value]], known: list[tuple[Value, Value]], yours: Value, right: Value,
        path: tuple[str, ...],
    ) -> Difference | None:  # fmt: skip
        mine = {repr(key): entry for key, entry in named}
        its = {repr(key): entry for key, entry in known}
        if mine.keys() != its.keys():
            return Difference("keys", yours, right, path)
        looked = (self.look(mine[key], entry, (*path, f"[{key}]")) for key, entry in its.items())
        return next((found for found in looked if found), None)


def close(one: float, other: float, relative: float, absolute: float) -> bool:
    """Whether a number is within these tolerances of an expected one; NaN and infinities where they are the same."""
    if one == other:
        return True
    try:
        if not (math.isfinite(one) and math.isfinite(other)):
            return math.isnan(one) and math.isnan(other)
        return abs(one - other) <= relative * abs(other) + absolute
    except OverflowError:  # a whole number beyond all floats
        return False


def _from_float32(value: Value) -> bool:
    """Whether numbers in lists look as if they had been entries of a float32 tensor: each is one, and not all whole."""
    found = [number for number in _plain_numbers(value) if _finite(number)]
    return bool(found) and any(number != int(number) for number in found) and all(map(_is_float32, found))


def _is_float32(number: float) -> bool:
    try:
        (rounded,) = struct.unpack("f", struct.pack("f", number))
    except (OverflowError, struct.error):
        return False
    return bool(rounded == number)


def _plain_numbers(value: Value) -> Sequence[float]:
    """The numbers of a value that no tensor holds."""
    if isinstance(value, bool):
        return []
    if isinstance(value, int | float):
        return [value]
    held = values.entries(value)
    if held is None and (named := values.pairs(value)) is not None:
        held = [entry for _, entry in named]
    return [number for entry in held or [] for number in _plain_numbers(entry)]


# ---------------------------------------------------------------- numbers that somebody typed


def half_unit(literal: str) -> float:
    """Half a unit in the last printed digit of a typed number: `0.4268` is right for what rounds to it.

    0 for whole numbers and for what is no number: they mean what they say.

    >>> half_unit("0.43"), half_unit("1.5e-3"), half_unit("12")
    (0.005, 5e-05, 0.0)
    """
    digits, _, power = literal.lower().lstrip("+-").partition("e")
    whole, point, fraction = digits.replace("_", "").partition(".")
    if not (whole + fraction).isdigit() or not (point or power):
        return 0.0
    try:
        return float(f"5e{int(power or 0) - len(fraction) - 1}")
    except (ValueError, OverflowError):
        return 0.0
