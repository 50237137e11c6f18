"""Values of a program as data that may leave its process, and back: the worker's side.

JSON scalars, strings and lists stand for themselves. All else is an object with one key that begins with `$`: a dict
is `$dict`, so that nothing a program returns can pass for a tensor. `grader.model.values` reads what is written here.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import re
import sys
from typing import Any

from grader.model import Record

LONGEST_TEXT = 20_000
"""Characters of one text that are kept."""

MOST_ENTRIES = 4096
"""Entries of a tensor that are sent one by one; of a larger one a digest, a sample and sums of its blocks are."""

SAMPLE = 256
"""Entries of a sample, and blocks of a large tensor."""

DEEPEST = 6
"""How deep containers may be nested; what lies deeper is sent as text."""

ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


def encode(value: Any, depth: int = 0) -> Any:
    """A value as JSON data. Never an address: those differ from run to run."""
    kind = type(value)
    if kind is int:
        return value if abs(value) < 1 << 1000 else math.inf if value > 0 else -math.inf
    if value is None or kind in (bool, float):
        return value
    if isinstance(value, str):
        return str(value)[:LONGEST_TEXT]
    if isinstance(value, (bool, int, float)):
        return float(value) if isinstance(value, float) else int(value)
    if kind is complex:
        return {"$complex": [value.real, value.imag]}
    if (special := _of_libraries(value)) is not None:
        return special
    if isinstance(value, Record):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if depth < DEEPEST:
        if isinstance(value, list):
            return [encode(entry, depth + 1) for entry in value]
        if isinstance(value, tuple):
            return {"$tuple": [encode(entry, depth + 1) for entry in value]}
        if isinstance(value, dict):
            return {"$dict": [[encode(key, depth + 1), encode(entry, depth + 1)] for key, entry in value.items()]}
        if isinstance(value, (set, frozenset)):
            return {"$set": sorted((encode(entry, depth + 1) for entry in value), key=repr)}
    text = ADDRESS.sub("0x...", repr(value))[:LONGEST_TEXT]
    return {"$object": {"type": kind.__name__[:LONGEST_TEXT], "text": text}}


def _of_libraries(value: Any) -> Any:
    """A value of torch or NumPy, where they have been imported; None for any other."""
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if torch is not None:
        if isinstance(value, torch.Tensor):
            return _tensor(value, torch)
        if isinstance(value, torch.Size):
            return {"$size": [int(entry) for entry in value]}
        if isinstance(value, torch.dtype):
            return {"$dtype": _name(value)}
    if numpy is not None:
        if isinstance(value, numpy.ndarray):
            return _array(value)
        if isinstance(value, numpy.generic):
            return encode(value.item())
    return None


def _name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


def _tensor(value: Any, torch: Any) -> Any:
    with torch.no_grad():
        if value.layout is not torch.strided or value.is_quantized or value.is_nested or value.device.type == "meta":
            return {"$object": {"type": "Tensor", "text": repr(value)[:LONGEST_TEXT]}}
        about = {
            "shape": list(value.shape),
            "dtype": _name(value.dtype),
            "device": value.device.type,
            "grad": bool(value.requires_grad),
        }
        flat = value.detach().resolve_conj().resolve_neg().cpu().reshape(-1)
        if flat.is_complex():
            flat = torch.view_as_real(flat).reshape(-1)
        if flat.numel() <= MOST_ENTRIES:
            return {"$tensor": about | {"data": flat.tolist()}}
        content = flat.contiguous().view(torch.uint8).numpy().tobytes()
        block = -(-flat.numel() // SAMPLE)
        wide = torch.nn.functional.pad(flat.to(torch.float64), (0, block * SAMPLE - flat.numel())).reshape(SAMPLE, -1)
        more = {
            "digest": hashlib.sha256(content).hexdigest(),
            "sample": flat[::block].tolist(),
            "sums": wide.sum(dim=1).tolist(),
        }
        return {"$tensor": about | more}


def _array(value: Any) -> Any:
    about: dict[str, Any] = {"shape": list(value.shape), "dtype": str(value.dtype)}
    plain = str(value.dtype).rstrip("0123456789") in ("bool", "int", "uint", "float")
    if not plain or value.size > MOST_ENTRIES:
        text = f"an array of {value.dtype} with shape {value.shape}"
        return {"$object": {"type": "ndarray", "text": text[:LONGEST_TEXT]}}
    return {"$array": about | {"data": value.reshape(-1).tolist()}}


def decode(data: Any) -> Any:
    """The value again, for expressions about a run of another process; what was only a text stays one."""
    if isinstance(data, list):
        return [decode(entry) for entry in data]
    if not isinstance(data, dict):
        return data
    ((mark, content),) = data.items()
    torch = sys.modules["torch"]
    match mark:
        case "$tensor" if "data" in content:
            return _made(content, torch)
        case "$array":
            dtype = getattr(torch, content["dtype"])
            return torch.tensor(content["data"], dtype=dtype).reshape(content["shape"]).numpy()
        case "$tuple":
            return tuple(decode(entry) for entry in content)
        case "$size":
            return torch.Size(content)
        case "$dict":
            return {_key(decode(key)): decode(entry) for key, entry in content}
        case "$set":
            return {_key(decode(entry)) for entry in content}
        case "$dtype":
            return getattr(torch, content)
        case "$complex":
            return complex(*content)
        case "$object":
            return content["text"]
    return content


def _key(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def _made(content: dict[str, Any], torch: Any) -> Any:
    dtype = getattr(torch, content["dtype"])
    if dtype.is_complex:
        pairs = torch.tensor(content["data"], dtype=torch.float64).reshape(-1, 2)
        made = torch.view_as_complex(pairs).to(dtype)
    else:
        made = torch.tensor(content["data"], dtype=dtype)
    return made.reshape(content["shape"]).requires_grad_(content["grad"])
