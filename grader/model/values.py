"""Values as they come out of a program: what `grader.runner.inside.values` writes, read and checked.

Strings, numbers, truth values, None and lists stand for themselves; all else is an object with one `$` key.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grader.model.programs import Value

MARKS = ("$tensor", "$array", "$dict", "$tuple", "$size", "$dtype", "$complex", "$set", "$object")
KNOWN_DTYPES = frozenset(
    [
        *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
        *("float16", "float32", "float64", "bfloat16", "bool", "complex32", "complex64", "complex128"),
        *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"),
    ]
)


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor, or a NumPy array, as it was observed."""

    shape: tuple[int, ...]
    dtype: str
    """Without the name of its library: `float32`."""
    data: tuple[float, ...]
    """All entries in order, real and imaginary parts in turn; of a large tensor a sample of them."""
    device: str = "cpu"
    grad: bool = False
    """Whether it requires a gradient."""
    array: bool = False
    """It is NumPy's."""
    digest: str = ""
    """Of its bytes, where it is too large to be sent entry by entry."""
    sums: tuple[float, ...] = ()
    """Of 256 blocks of it, where it is too large."""

    @property
    def whole(self) -> bool:
        """Whether `data` has all entries."""
        return not self.digest

    @property
    def floating(self) -> bool:
        return self.dtype.startswith(("float", "bfloat", "complex"))

    @property
    def complex(self) -> bool:
        return self.dtype.startswith("complex")

    def nested(self) -> Value:
        """The entries as nested lists; of one without dimensions the number."""
        entries: list[Value] = (
            [f"{real:g}{imaginary:+g}j" for real, imaginary in zip(self.data[::2], self.data[1::2], strict=True)]
            if self.complex
            else list(self.data)
        )
        for size in reversed(self.shape[1:]):
            entries = [entries[start : start + size] for start in range(0, len(entries), size)] if size else []
        if not self.shape:
            return entries[0] if entries else None
        return entries if math.prod(self.shape) else [[] for _ in range(self.shape[0])] if self.shape[0] else []

    def index(self, place: int) -> tuple[int, ...]:
        """Where an entry of `data` stands, an index for each dimension."""
        place = place // 2 if self.complex else place
        found: list[int] = []
        for size in reversed(self.shape):
            place, rest = divmod(place, size)
            found.insert(0, rest)
        return tuple(found)


def tensor(value: Value) -> Tensor | None:
    """The tensor or array that a value is; None for all else."""
    if not isinstance(value, dict) or not (content := value.get("$tensor") or value.get("$array")):
        return None
    assert isinstance(content, dict)
    read: dict[str, Any] = content
    return Tensor(
        tuple(read["shape"]),
        read["dtype"],
        tuple(read["data"] if "data" in read else read["sample"]),
        read.get("device", "cpu"),
        read.get("grad", False),
        "$array" in value,
        read.get("digest", ""),
        tuple(read.get("sums", ())),
    )


USUAL = ("float32", "int64", "bool", "complex64")
"""The dtypes that PyTorch gives to plain numbers and does not print."""


def python(value: Value) -> str:
    """A value as Python writes it: `torch.tensor([[1.0, 2.0]])`."""
    found = tensor(value)
    if found is None:
        return repr(value)
    dtype = "" if found.dtype in USUAL else f", dtype=torch.{found.dtype}"
    if not found.data and found.dtype != "float32":
        dtype = f", dtype=torch.{found.dtype}"
    grad = ", requires_grad=True" if found.grad else ""
    entries = _nested_source(found.nested()) if math.prod(found.shape) or not found.shape else "[]"
    made = f"torch.tensor({entries}{dtype}{grad})"
    return made if math.prod(found.shape) or not found.shape else f"torch.empty({found.shape}{dtype}{grad})"


def _nested_source(value: Value) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_nested_source, value)) + "]"
    if isinstance(value, float):
        if not math.isfinite(value):
            return f'float("{value}")'
        text = repr(value)
        return text.removesuffix("0") if text.endswith(".0") else text
    return repr(value)


def entries(value: Value) -> list[Value] | None:
    """What a list or a tuple holds, a `torch.Size` included; None for all else."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        for mark in ("$tuple", "$size"):
            if isinstance(content := value.get(mark), list):
                return content
    return None


def pairs(value: Value) -> list[tuple[Value, Value]] | None:
    """Keys and values of a dict; None for all else."""
    content = value.get("$dict") if isinstance(value, dict) else None
    return [(entry[0], entry[1]) for entry in content if isinstance(entry, list)] if isinstance(content, list) else None


def flat(value: Value) -> list[Value]:
    """The entries of nested lists in order; of anything else itself."""
    return [entry for part in value for entry in flat(part)] if isinstance(value, list) else [value]


def simple(value: Value) -> Value:
    """Tensors, arrays and tuples as numbers and nested lists, all else as it is."""
    if (found := tensor(value)) is not None:
        return found.nested()
    if (held := entries(value)) is not None:
        return [simple(entry) for entry in held]
    return value


def numbers(value: Value) -> Iterator[float]:
    """All numbers in a value, however deep."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        yield value
    elif (found := tensor(value)) is not None:
        yield from (number for number in found.data if not isinstance(number, bool))
    elif (held := entries(value)) is not None:
        for entry in held:
            yield from numbers(entry)
    elif (named := pairs(value)) is not None:
        for _, entry in named:
            yield from numbers(entry)


def sort_of(value: Value) -> str:
    """What a value is, in words: `a float32 tensor`, `a list`."""
    if (found := tensor(value)) is not None:
        article = "an" if found.dtype.startswith("int") else "a"
        return f"a numpy.ndarray ({found.dtype})" if found.array else f"{article} {found.dtype} tensor"
    match value:
        case None:
            return "None"
        case bool():
            return "a truth value"
        case int():
            return "an int"
        case float():
            return "a float"
        case str():
            return "a text"
        case list():
            return "a list"
    assert isinstance(value, dict)
    mark = next(iter(value), "")
    if mark == "$object":
        content = value["$object"]
        assert isinstance(content, dict)
        if content["type"] == "Tensor":
            return "a tensor without plain entries (sparse, nested, quantized, or on the device `meta`)"
        return f"of the type {content['type']}"
    named = {"$dict": "a dict", "$tuple": "a tuple", "$size": "a torch.Size", "$dtype": "a dtype", "$set": "a set"}
    return named.get(mark, "a complex number")


# ---------------------------------------------------------------- what comes from a child


def check(mark: str, content: Any) -> None:
    """Whether what a child says under a mark has the form that it must have. Raises ValueError."""
    if mark not in MARKS:
        raise ValueError(f"there is no value of the kind {mark[:40]}")
    if mark in ("$tensor", "$array"):
        _check_tensor(content)
    elif mark == "$object":
        _need(type(content) is dict and set(content) == {"type", "text"})
        _need(all(type(text) is str for text in content.values()))
    elif mark == "$dtype":
        _need(content in KNOWN_DTYPES)
    elif mark == "$dict":
        _need(type(content) is list and all(type(entry) is list and len(entry) == 2 for entry in content))
    elif mark == "$complex":
        _need(type(content) is list and len(content) == 2 and all(type(part) in (int, float) for part in content))
    else:
        _need(type(content) is list)
        _need(mark != "$size" or all(type(entry) is int for entry in content))


def _check_tensor(content: Any) -> None:
    _need(type(content) is dict)
    shape, dtype = content.get("shape"), content.get("dtype")
    _need(type(shape) is list and len(shape) <= 64 and all(type(size) is int and 0 <= size < 1 << 40 for size in shape))
    _need(type(dtype) is str and dtype in KNOWN_DTYPES)
    _need(content.get("device", "cpu") in ("cpu", "cuda", "mps", "xpu") and type(content.get("grad", False)) is bool)
    data = content.get("data", content.get("sample"))
    _need(type(data) is list and all(map(_is_entry, data)))
    count = math.prod(shape) * (2 if dtype.startswith("complex") else 1)
    if "data" in content:
        _need(len(data) == count)
    else:
        sums, digest = content.get("sums"), content.get("digest")
        _need(type(digest) is str and len(digest) == 64 and len(data) <= count)
        _need(type(sums) is list and all(map(_is_entry, sums)))


def _is_entry(entry: Any) -> bool:
    return type(entry) in (bool, float) or (type(entry) is int and abs(entry) < 1 << 64)


def _need(right: bool) -> None:
    if not right:
        raise ValueError("a value has not the form that it says it has")
