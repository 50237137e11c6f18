"""Objects of a program as the plain data of a figure: where a program runs, for items (`figure_of`) and in lessons.

torch is only looked at where a program has imported it. The data has lists, texts and numbers alone, no more than can
be looked at, and never an address; `made` makes a figure of it, and refuses what has not the form.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from grader.model.figures import (
    Bars,
    Branch,
    Cells,
    Chart,
    Content,
    Curve,
    Draw,
    Figure,
    Graph,
    Grid,
    Matrix,
    MemoryReader,
    MemoryRow,
    Node,
    Tree,
)

MOST_ROWS, MOST_COLUMNS, MOST_GRIDS = 16, 12, 6
MOST_PLACES = 24
"""Cells of memory."""

MOST_READERS = 3
MOST_NODES = 40
"""Steps of a graph, modules of a tree, bars."""

MOST_LABELS = 10
"""Rows and columns of a matrix."""

MOST_CURVES, MOST_STEPS = 3, 500
LONGEST_LABEL = 28
"""Characters of a name."""


class NotAFigureError(ValueError):
    """What was given cannot be drawn so; the message says what can."""


def figure_of(draw: str, value: Any) -> list[Any]:
    """The plain data of a figure of this sort. Raises NotAFigureError, which says what the sort takes."""
    if draw not in _ENCODERS:
        raise NotAFigureError(f"there is no figure {draw!r}; it is one of {', '.join(_ENCODERS)}")
    return _ENCODERS[draw](value)


# ---------------------------------------------------------------- small parts


def _label(value: object) -> str:
    """A name as it is shown: in one line, without what parts names from what follows."""
    text = " ".join("".join(one if one.isprintable() else " " for one in str(value)).split())
    text = text.replace(": ", " ").replace("\\", "/")
    text = text.rstrip(": ") or "-"
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 3].rstrip() + "..."


def _labels(values: Sequence[object]) -> list[str]:
    found = [_label(value) for value in values]
    if len(set(found)) < len(found):
        raise NotAFigureError(f"two of the names look alike: {', '.join(found)}")
    return found


def _few(count: int, most: int, what: str) -> None:
    if not 1 <= count <= most:
        raise NotAFigureError(f"a figure has 1 to {most} {what}, this one {count}; draw a part of it")


def _torch() -> Any:
    return sys.modules.get("torch")


def _is_tensor(value: object) -> bool:
    torch = _torch()
    return torch is not None and isinstance(value, torch.Tensor)


def _plain(value: Any) -> Any:
    """Tensors and arrays as numbers and nested lists."""
    if _is_tensor(value):
        return value.detach().cpu().tolist()
    return value.tolist() if hasattr(value, "tolist") else value


def entry(value: object) -> str:
    """An entry of a tensor as a figure shows it: `1.`, `0.25`, `7`, `True`.

    >>> entry(1.0), entry(1 / 3), entry(7), entry(float("inf"))
    ('1.', '0.3333', '7', 'inf')
    """
    if isinstance(value, float):
        text = f"{value:.4g}"
        return f"{text}." if text.lstrip("-").isdigit() else text
    text = "".join(str(value).split())
    return (text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 3] + "...") or "''"


def _number(value: Any, digits: int = 4) -> float:
    """A number to so many significant digits, as the text of a figure has it."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotAFigureError(f"{_label(value)!r} is not a number")
    return float(f"{value:.{digits}g}") if not isinstance(value, int) or abs(value) >= 1 << 53 else float(value)


def _named(value: Any, what: str) -> dict[Any, Any]:
    if not isinstance(value, Mapping) or not value:
        raise NotAFigureError(f"{what}, such as {{'a': ..., 'b': ...}}; this is {_kind(value)}")
    return dict(value)


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"


# ---------------------------------------------------------------- grid, matrix, bars, curve


def _grid(value: Any) -> list[Any]:
    """A tensor or a list, or several by name: up to three dimensions, the first of three as tables side by side."""
    named = dict(value) if isinstance(value, Mapping) else {"": value}
    tables: list[Any] = []
    for name, one in named.items():
        label = _label(name) if name != "" else ""
        for title, rows in _tables(label, one):
            _few(len(rows), MOST_ROWS, "rows")
            _few(max(map(len, rows)), MOST_COLUMNS, "columns")
            tables.append([title, [[entry(cell) for cell in row] for row in rows], []])
    _few(len(tables), MOST_GRIDS, "tables")
    return tables


def _tables(name: str, value: Any) -> list[tuple[str, list[list[Any]]]]:
    plain = _plain(value)
    shape = tuple(value.shape) if hasattr(value, "shape") else None
    title = f"{name} {tuple(shape)}".strip() if shape is not None else name
    if not isinstance(plain, list | tuple):
        return [(title, [[plain]])]
    depth = _depth(plain)
    if shape is not None and 0 in shape:
        return [(title, [["(no entries)"]])]
    if depth == 1:
        return [(title, [list(plain)])]
    if depth == 2:
        return [(title, [list(row) for row in plain])]
    if depth == 3:
        return [(f"{name or 'x'}[{place}]", [list(row) for row in one]) for place, one in enumerate(plain)]
    raise NotAFigureError(f"a grid is a tensor of at most three dimensions, this has {depth}")


def _depth(plain: Any) -> int:
    found = 0
    while isinstance(plain, list | tuple):
        found, plain = found + 1, (plain[0] if plain else None)
    return found


def _matrix(value: Any) -> list[Any]:
    """A table of numbers: a tensor, or `values` with `rows` and `columns` (labels), `down` and `across` (words)."""
    given = dict(value) if isinstance(value, Mapping) else {"values": value}
    if unknown := set(given) - {"values", "rows", "columns", "down", "across"}:
        raise NotAFigureError(f"a matrix has values, rows, columns, down and across, not {min(map(str, unknown))!r}")
    plain = _plain(given.get("values"))
    if not isinstance(plain, list | tuple) or _depth(plain) != 2:
        raise NotAFigureError("a matrix has values in two dimensions")
    values = [[_number(cell, 3) for cell in row] for row in plain]
    _few(len(values), MOST_LABELS, "rows")
    _few(len(values[0]), MOST_LABELS, "columns")
    rows = _labels(given.get("rows") or range(len(values)))
    columns = _labels(given.get("columns") or range(len(values[0])))
    if len(rows) != len(values) or any(len(row) != len(columns) for row in values):
        raise NotAFigureError(
            f"there are {len(rows)} by {len(columns)} labels for {len(values)} by {len(values[0])} values"
        )
    words = [_label(given[word]) if given.get(word) else "" for word in ("down", "across")]
    return [rows, columns, values, *words]


def _bars(value: Any) -> list[Any]:
    named = _named(value, "bars are numbers by name")
    _few(len(named), MOST_NODES, "bars")
    return [[name, _number(one)] for name, one in zip(_labels(list(named)), named.values(), strict=True)]


def _curve(value: Any) -> list[Any]:
    """Lists of numbers by name, over the steps or over an `x` of their own: `{"x": xs, "y": {"loss": losses}}`."""
    named = dict(value) if isinstance(value, Mapping) else {"value": value}
    at: list[list[float]] = []
    if set(named) == {"x", "y"} and isinstance(named["y"], Mapping):
        at = [[_number(place) for place in _plain(named["x"])]]
        if any(one >= other for one, other in itertools.pairwise(at[0])):
            raise NotAFigureError("the `x` of a curve rises from each place to the next")
        named = dict(named["y"])
    _few(len(named), MOST_CURVES, "curves")
    found: list[Any] = []
    for name, one in zip(_labels(list(named)), named.values(), strict=True):
        plain = _plain(one)
        if not isinstance(plain, list | tuple):
            raise NotAFigureError(f"a curve is a list of numbers, `{name}` is {_kind(one)}")
        _few(len(plain), MOST_STEPS, "steps")
        if at and len(at[0]) != len(plain):
            raise NotAFigureError(f"`x` has {len(at[0])} places, and `{name}` has {len(plain)} numbers")
        found.append([name, [_number(number) for number in plain], *at])
    return found


# ---------------------------------------------------------------- memory


def _cells(value: Any) -> list[Any]:
    """Tensors over one storage: which place of it each entry reads, found from offset, shape and strides."""
    named = _named(value, "cells are tensors by name")
    _few(len(named), MOST_READERS, "tensors")
    if not all(map(_is_tensor, named.values())):
        raise NotAFigureError("cells are tensors by name, and one of these is not a tensor")
    by_memory: dict[int, list[tuple[str, Any]]] = {}
    for name, one in zip(_labels(list(named)), named.values(), strict=True):
        by_memory.setdefault(one.untyped_storage().data_ptr(), []).append((name, one))
    return [_memory_row(those) for those in by_memory.values()]


def _memory_row(tensors: list[tuple[str, Any]]) -> list[Any]:
    if len({one.dtype for _, one in tensors}) > 1:
        raise NotAFigureError("two of these tensors read one memory with different dtypes")
    if taken := {"place", "holds"} & {name for name, _ in tensors}:
        raise NotAFigureError(f"no tensor may be called {min(taken)!r} here")
    readers = [_reader(name, one) for name, one in tensors]
    places = [place for _, _, read in readers for place in read]
    if not places:
        raise NotAFigureError(f"`{tensors[0][0]}` has no entries")
    first, last = min(places), max(places)
    _few(last - first + 1, MOST_PLACES, "places")
    whole = tensors[0][1].detach().as_strided((last - first + 1,), (1,), first)
    memory = [entry(one) for one in whole.tolist()]
    rows = [[name, about, [read.get(place, "") for place in range(first, last + 1)]] for name, about, read in readers]
    return [first, memory, rows]


def _reader(name: str, tensor: Any) -> tuple[str, str, dict[int, str]]:
    shape, strides, offset = tuple(tensor.shape), tensor.stride(), tensor.storage_offset()
    if tensor.numel() > 4 * MOST_PLACES:
        raise NotAFigureError(f"`{name}` has {tensor.numel()} entries, too many to be drawn")
    read: dict[int, list[tuple[int, ...]]] = {}
    for number in range(tensor.numel()):
        index: list[int] = []
        rest = number
        for size in reversed(shape):
            rest, own = divmod(rest, size)
            index.insert(0, own)
        place = offset + sum(one * stride for one, stride in zip(index, strides, strict=True))
        read.setdefault(place, []).append(tuple(index))
    about = f"shape {shape}, strides {strides}, offset {offset}"
    return name, about, {place: _index(found, strides) for place, found in read.items()}


def _index(found: list[tuple[int, ...]], strides: tuple[int, ...]) -> str:
    """The entries that read a place as an index; along a dimension with stride 0 all of them do, as a slice says."""
    first = [":" if not stride and len(found) > 1 else str(own) for own, stride in zip(found[0], strides, strict=True)]
    other = {tuple(own for own, stride in zip(one, strides, strict=True) if stride) for one in found}
    return ",".join(first or ["()"]) + (f"+{len(other) - 1}" if len(other) > 1 else "")


# ---------------------------------------------------------------- graphs and trees


def _graph(value: Any) -> list[Any]:
    """The `grad_fn`s behind a tensor, or behind several by name, whose names stand at them."""
    named = dict(value) if isinstance(value, Mapping) else {"": value}
    if not all(map(_is_tensor, named.values())):
        raise NotAFigureError("a graph is drawn of a tensor, or of tensors by name")
    roots = [one.grad_fn for one in named.values() if one.grad_fn is not None]
    if not roots:
        raise NotAFigureError("none of these tensors has a `grad_fn`: no graph was recorded")
    order = _topological(roots)
    _few(len(order), MOST_NODES, "steps")
    names = {one.grad_fn: _label(name) for name, one in named.items() if name != "" and one.grad_fn is not None}
    leaves = {id(one): _label(name) for name, one in named.items() if name != "" and one.grad_fn is None}
    place = {node: number for number, node in enumerate(order)}
    found = []
    for node in order:
        said = f" ({names[node]})" if node in names else ""
        if hasattr(node, "variable"):
            own = leaves.get(id(node.variable))
            said = f" ({own})" if own else f" {tuple(node.variable.shape)}"
        to = sorted({place[other] for other, _ in node.next_functions if other is not None})
        name = _label(node.name().rpartition("::")[2])
        found.append([name + said, to])
    return found


def _topological(roots: list[Any]) -> list[Any]:
    """All nodes that are reached, each before those that it leads to."""
    done: dict[Any, None] = {}
    opened: set[Any] = set()
    waiting = [(root, False) for root in reversed(roots)]
    while waiting:
        node, left = waiting.pop()
        if left:
            done[node] = None
        elif node not in opened:
            opened.add(node)
            if len(opened) > 50 * MOST_NODES:
                raise NotAFigureError(f"a figure has 1 to {MOST_NODES} steps, this one over {len(opened)}")
            waiting.append((node, True))
            waiting += [(other, False) for other, _ in reversed(node.next_functions) if other is not None]
    return list(reversed(done))


def _tree(value: Any) -> list[Any]:
    """A module and those inside of it: names, classes, how many parameters."""
    torch = _torch()
    if torch is None or not isinstance(value, torch.nn.Module):
        raise NotAFigureError(f"a tree is drawn of a module, this is {_kind(value)}")
    found = []
    for name, module in value.named_modules():
        depth = name.count(".") + 1 if name else 0
        count = sum(one.numel() for one in module.parameters())
        found.append([depth, _label(name.rpartition(".")[2]) if name else "", _label(type(module).__name__), count])
        _few(len(found), MOST_NODES, "modules")
    return found


_ENCODERS: dict[str, Callable[[Any], list[Any]]] = {
    "grid": _grid,
    "cells": _cells,
    "graph": _graph,
    "tree": _tree,
    "bars": _bars,
    "matrix": _matrix,
    "curve": _curve,
}


# ---------------------------------------------------------------- plain data as a figure


def made(draw: Draw, title: str, data: Any, x: str = "step", y: str = "value") -> Figure:
    """The figure that plain data of a run describes. Raises NotAFigureError where it has not the form."""
    try:
        return Figure(draw, title, _content(draw, title, data, x, y))
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        raise NotAFigureError(f"this is not the data of a {draw}: {error}") from None


def _content(draw: Draw, title: str, data: Any, x: str, y: str) -> Content:
    match draw:
        case "grid":
            return tuple(
                Grid(name, tuple(map(_texts, rows)), frozenset((row, column) for row, column in marked))
                for name, rows, marked in data
            )
        case "cells":
            return Cells(tuple(_row(*one) for one in data))
        case "graph":
            nodes = tuple(Node(str(name), tuple(map(int, to))) for name, to in data)
            if any(other <= place or other >= len(nodes) for place, one in enumerate(nodes) for other in one.leads_to):
                raise ValueError("a step leads back")
            return Graph(nodes)
        case "tree":
            return Tree(
                tuple(Branch(int(depth), str(name), str(kind), int(count)) for depth, name, kind, count in data)
            )
        case "bars":
            return Bars(tuple((str(name), float(value)) for name, value in data))
        case "matrix":
            rows, columns, values, down, across = data
            return Matrix(
                _texts(rows), _texts(columns), tuple(tuple(map(float, row)) for row in values), str(down), str(across)
            )
        case "curve":
            return Chart(
                title, x, y, tuple(Curve(str(name), *(tuple(map(float, one)) for one in rest)) for name, *rest in data)
            )


def _row(first: Any, memory: Any, readers: Any) -> MemoryRow:
    read = tuple(MemoryReader(str(name), str(about), _texts(places)) for name, about, places in readers)
    if any(len(one.reads) != len(memory) for one in read):
        raise ValueError("a tensor reads other places than there are")
    return MemoryRow(int(first), _texts(memory), read)


def _texts(values: Sequence[Any]) -> tuple[str, ...]:
    return tuple(map(str, values))
