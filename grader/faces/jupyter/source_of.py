"""The source of what a learner defined in a notebook, with all that it needs: so that it can be judged elsewhere."""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import textwrap
import types
from collections.abc import Iterable, Mapping
from typing import Any

from grader.errors import InputError

DATA = (bool, int, float, str, bytes, type(None))


def source_of(thing: object, given: Iterable[str] = ()) -> str:
    """A program that defines this function or class as the notebook does, and what it uses of the notebook.

    Names in `given` are left open: the question gives them. Raises InputError where the source cannot be had, or where
    it uses something that cannot be sent, such as a tensor of the notebook.
    """
    parts: dict[str, str] = {}
    _add(thing, set(given), parts)
    return "\n".join(parts.values()) + "\n"


def name_of(thing: object) -> str:
    return str(getattr(thing, "__name__", type(thing).__name__))


def _add(thing: object, given: set[str], parts: dict[str, str]) -> None:
    """Put the source of a thing into `parts`, after all that it needs."""
    source = _source(thing)
    for name in _free_names(source):
        if name in given or name in parts or name == name_of(thing):
            continue
        value = _value(thing, name)
        if value is not _MISSING:
            _add_value(name, value, given, parts, name_of(thing))
    parts[name_of(thing)] = source


_MISSING = object()


def _source(thing: object) -> str:
    named = name_of(thing)
    if named == "<lambda>":
        raise InputError("a lambda has no name to judge it by", "define it with `def`, or give the cell to %%exercise")
    if not isinstance(thing, types.FunctionType | type):
        raise InputError(
            f"`{named}` is a {type(thing).__name__}", "give a function or a class that is defined in a cell"
        )
    try:
        return textwrap.dedent(inspect.getsource(thing))
    except (OSError, TypeError):
        raise InputError(
            f"the source of `{named}` cannot be found", "define it in a cell, or give its code as a text"
        ) from None


def _free_names(source: str) -> list[str]:
    """Names that a source reads and does not define itself, in their order."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    bound |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    bound |= {
        (alias.asname or alias.name).partition(".")[0]
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    read = [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    return [name for name in dict.fromkeys(read) if name not in bound and not hasattr(builtins, name)]


def _value(thing: object, name: str) -> object:
    """What a name means where this thing was defined."""
    if isinstance(thing, types.FunctionType):
        closed = inspect.getclosurevars(thing)
        spaces: list[Mapping[str, Any]] = [closed.nonlocals, thing.__globals__]
    else:
        import sys

        module = sys.modules.get(str(getattr(thing, "__module__", "")))
        spaces = [vars(module) if module else {}]
    return next((space[name] for space in spaces if name in space), _MISSING)


def _add_value(name: str, value: object, given: set[str], parts: dict[str, str], user: str) -> None:
    if isinstance(value, types.ModuleType):
        parts[name] = f"import {value.__name__} as {name}"
    elif isinstance(value, types.FunctionType | type) and value.__module__ == "__main__":
        _add(value, given, parts)
        if name_of(value) != name:
            parts[name] = f"{name} = {name_of(value)}"
    elif callable(value) and getattr(value, "__module__", None) and hasattr(value, "__qualname__"):
        parts[name] = f"from {value.__module__} import {value.__qualname__} as {name}"
    elif _is_data(value):
        parts[name] = f"{name} = {_written(value)}"
    else:
        raise InputError(
            f"`{user}` uses `{name}`, which is a {type(value).__name__} of this notebook",
            f"give it to `{user}` as an argument, or make it inside",
        )


def _is_data(value: object) -> bool:
    if isinstance(value, list | tuple | set):
        return all(map(_is_data, value))
    if isinstance(value, dict):
        return all(map(_is_data, value)) and all(map(_is_data, value.values()))
    return isinstance(value, DATA)


def _written(value: object) -> str:
    """A value as Python that gives it back."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    match value:
        case list():
            return f"[{', '.join(map(_written, value))}]"
        case tuple():
            return f"({''.join(f'{_written(entry)}, ' for entry in value)})"
        case dict():
            return f"{{{', '.join(f'{_written(key)}: {_written(entry)}' for key, entry in value.items())}}}"
    return repr(value)
