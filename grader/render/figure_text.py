r"""Figures as lines of plain text, and read back from them: what a terminal shows and what a lesson records.

A line `Figure (grid): its title` comes first; what follows is indented. The numbers are in the text as they are drawn,
so that the text is the data: `read` makes the same figure of it.

>>> from grader.render.figure_data import figure_of, made
>>> data = figure_of("matrix", {"values": [[8, 2], [1, 9]], "rows": ["cat", "dog"]})
>>> shown = made("matrix", "Who is taken for whom", data)
>>> print(text(shown))
Figure (matrix): Who is taken for whom
  \    0  1
  cat  8  2
  dog  1  9
>>> read(text(shown)) == shown
True
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import assert_never, get_args

from grader.model.figures import (
    DRAWS,
    Bars,
    Branch,
    Cells,
    Chart,
    Content,
    Draw,
    Figure,
    Graph,
    Grid,
    Grids,
    Matrix,
    MemoryReader,
    MemoryRow,
    Node,
    Tree,
)

WIDTH = 60
"""No line of a figure is longer, unless a single table is."""

GAP = "    "
"""Between tables that stand side by side."""

BLOCK = re.compile(rf"^(Figure \((?:{'|'.join(DRAWS)})\): .*\n(?:  +\S.*(?:\n|\Z))+)", re.MULTILINE)
"""Finds figures in an output that has more in it."""

_HEADER = re.compile(rf"Figure \(({'|'.join(get_args(Draw))})\): ?(.*)")
_RULE = re.compile(r"-{3,}")


def text(figure: Figure) -> str:
    """The figure with its title, as a pin records it. Charts have a text of their own, see `figures`."""
    return "\n".join(
        [f"Figure ({figure.draw}): {figure.title}".rstrip(), *(f"  {one}" for one in lines(figure.content))]
    )


def lines(content: Content) -> list[str]:
    """What is drawn, as lines of text; of a chart its numbers, a line a curve."""
    match content:
        case Cells():
            return [line for row in content.rows for line in _memory(row)]
        case Graph():
            return _graph(content)
        case Tree():
            return _tree(content)
        case Bars():
            return _bars(content)
        case Matrix():
            return _matrix(content)
        case Chart():
            return _curves(content)
        case tuple():
            return _grids(content)
        case _:
            assert_never(content)


def _curves(chart: Chart) -> list[str]:
    """The numbers of each curve; where they are on the x axis stands before them, once where that is the same."""
    said: list[tuple[str, tuple[float, ...]]] = []
    for place, curve in enumerate(chart.curves):
        if curve.at and (not place or curve.at != chart.curves[place - 1].at):
            said.append((chart.x, curve.at))
        said.append((curve.name, curve.values))
    return [f"{name}: {' '.join(f'{value:.3g}' for value in values)}" for name, values in said]


def read(given: str) -> Figure | None:
    """The figure whose text this is; None where it is something else."""
    first, *rest = given.rstrip("\n").split("\n")
    header = _HEADER.fullmatch(first)
    if not header or not rest:
        return None
    body = [line.removeprefix("  ").rstrip() for line in rest]
    draw: Draw = next(one for one in DRAWS if one == header[1])
    try:
        return Figure(draw, header[2], _READERS[draw](body))
    except (ValueError, IndexError, KeyError):
        return None


# ---------------------------------------------------------------- tables side by side


def _grids(grids: Grids) -> list[str]:
    """Tables beside each other, as many as fit; a marked cell stands in square brackets."""
    found: list[str] = []
    for band in _bands([_block(grid) for grid in grids]):
        height = max(map(len, band))
        padded = [block + [""] * (height - len(block)) for block in band]
        widths = [max(map(len, block)) for block in band]
        rows = zip(*padded, strict=True)
        found += [GAP.join(part.ljust(width) for part, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return found


def _bands(blocks: list[list[str]]) -> Iterator[list[list[str]]]:
    band: list[list[str]] = []
    width = 0
    for block in blocks:
        own = max(map(len, block))
        if band and width + len(GAP) + own > WIDTH - 2:
            yield band
            band, width = [], 0
        width += own + (len(GAP) if band else 0)
        band.append(block)
    if band:
        yield band


def _block(grid: Grid) -> list[str]:
    """A title, a rule as wide as the table, and the rows."""
    rows = []
    widths = column_widths(grid)
    for row, entries in enumerate(grid.rows):
        cells = [
            f"[{cell.rjust(width)}]" if (row, column) in grid.marked else f" {cell.rjust(width)} "
            for column, (cell, width) in enumerate(zip(entries, widths, strict=False))
        ]
        rows.append("".join(cells))
    rule = "-" * max(3, len(grid.title), *map(len, rows))
    return [grid.title or "-", rule, *rows]


def column_widths(grid: Grid) -> list[int]:
    """The longest entry of each column, in characters."""
    columns = max(map(len, grid.rows), default=0)
    return [max((len(row[place]) for row in grid.rows if place < len(row)), default=1) for place in range(columns)]


def _read_grids(body: list[str]) -> Grids:
    starts = [place - 1 for place, line in enumerate(body) if line.startswith("-") and _RULE.match(line)]
    if not starts or starts[0] != 0:
        raise ValueError("tables begin with their titles")
    found: list[Grid] = []
    for start, end in zip(starts, [*starts[1:], len(body)], strict=True):
        for rule in _RULE.finditer(body[start + 1]):
            first, last = rule.span()
            title = body[start][first:last].strip()
            rows: list[tuple[str, ...]] = []
            marked: set[tuple[int, int]] = set()
            for line in body[start + 2 : end]:
                cells = re.findall(r"\[ *(\S+)\]|(\S+)", line[first:last])
                if cells:
                    marked |= {(len(rows), column) for column, cell in enumerate(cells) if cell[0]}
                    rows.append(tuple(cell[0] or cell[1] for cell in cells))
            found.append(Grid("" if title == "-" else title, tuple(rows), frozenset(marked)))
    return tuple(found)


# ---------------------------------------------------------------- memory


def _memory(row: MemoryRow) -> list[str]:
    """Memory as columns: the number of each place, what it holds, and which entry of each tensor reads it."""
    places = [str(row.first + place) for place in range(len(row.memory))]
    table = [("place", places), ("holds", row.memory), *((one.name, one.reads) for one in row.readers)]
    label = max(len(name) for name, _ in table)
    widths = [max(len(cells[place]) for _, cells in table) for place in range(len(places))]
    found: list[str] = []
    start = 0
    while start < len(places):
        end, width = start, label
        while end < len(places) and (end == start or width + 2 + widths[end] <= WIDTH - 2):
            width += 2 + widths[end]
            end += 1
        for name, cells in table:
            shown = [(cells[place] or ".").rjust(widths[place]) for place in range(start, end)]
            found.append("  ".join([name.ljust(label), *shown]))
        start = end
    return found + [f"{one.name}: {one.about}" for one in row.readers]


def _read_memory(body: list[str]) -> Cells:
    rows: list[MemoryRow] = []
    table: dict[str, list[str]] = {}
    about: dict[str, str] = {}

    def end() -> None:
        readers = [MemoryReader(name, about[name], tuple(table[name])) for name in list(table)[2:]]
        rows.append(MemoryRow(int(table["place"][0]), tuple(table["holds"]), tuple(readers)))
        table.clear()
        about.clear()

    for line in body:
        name, *cells = re.split(r" {2,}", line.strip())
        if cells:
            if about:
                end()
            table.setdefault(name, []).extend("" if cell == "." and name != "holds" else cell for cell in cells)
        else:
            name, colon, said = line.strip().partition(": ")
            if not colon:
                raise ValueError("a tensor has shape, strides and offset")
            about[name] = said
    end()
    return Cells(tuple(rows))


# ---------------------------------------------------------------- graphs and trees


def _graph(graph: Graph) -> list[str]:
    """Each step with a number, and the numbers of those that it leads to."""
    wide = len(str(len(graph.nodes)))
    found = []
    for number, node in enumerate(graph.nodes, 1):
        to = f"  -> {', '.join(str(place + 1) for place in node.leads_to)}" if node.leads_to else ""
        found.append(f"{number:>{wide}}  {node.name}{to}")
    return found


def _read_graph(body: list[str]) -> Graph:
    nodes = []
    for line in body:
        _, said = line.strip().split("  ", 1)
        name, _, to = said.partition("  -> ")
        nodes.append(Node(name, tuple(int(number) - 1 for number in to.split(", ")) if to else ()))
    return Graph(tuple(nodes))


def _tree(tree: Tree) -> list[str]:
    said = ["  " * one.depth + (f"{one.name}: {one.kind}" if one.name else one.kind) for one in tree.branches]
    width = max(map(len, said))
    return [
        f"{line:{width}}  {one.parameters:>10,}" if one.parameters else line
        for line, one in zip(said, tree.branches, strict=True)
    ] + ([f"{'':{width}}  parameters"] if any(one.parameters for one in tree.branches) else [])


def _read_tree(body: list[str]) -> Tree:
    branches = []
    for line in body:
        if line.strip() == "parameters":
            continue
        depth = (len(line) - len(line.lstrip())) // 2
        said, *count = re.split(r" {2,}", line.strip())
        name, _, kind = said.rpartition(": ")
        branches.append(Branch(depth, name, kind, int(count[0].replace(",", "")) if count else 0))
    return Tree(tuple(branches))


# ---------------------------------------------------------------- numbers


def shown(value: float) -> str:
    """A number of a figure: `12`, `0.25`.

    >>> shown(12.0), shown(0.25), shown(123456.0), shown(float("inf"))
    ('12', '0.25', '123456', 'inf')
    """
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)


def shares(bars: Bars) -> list[float]:
    """Each number as a share of the largest one, with its sign; of what is no number 0."""
    finite = [abs(value) for _, value in bars.bars if math.isfinite(value)]
    largest = max(finite, default=0) or 1
    return [0.0 if math.isnan(value) else max(-1.0, min(value / largest, 1.0)) for _, value in bars.bars]


def _bars(bars: Bars) -> list[str]:
    """A line each: the name, the number, and a bar, of minus signs where the number is below 0."""
    label = max(len(name) for name, _ in bars.bars)
    said = [shown(value) for _, value in bars.bars]
    width = max(map(len, said))
    room = max(4, WIDTH - 6 - label - width)
    found = []
    for (name, _), text_of_it, share in zip(bars.bars, said, shares(bars), strict=True):
        length = max(round(room * abs(share)), 1 if share else 0)
        found.append(f"{name:{label}}  {text_of_it:>{width}}  {('#' if share > 0 else '-') * length}".rstrip())
    return found


def _read_bars(body: list[str]) -> Bars:
    rows = [re.split(r" {2,}", line.strip()) for line in body]
    return Bars(tuple((row[0], float(row[1])) for row in rows))


def _matrix(matrix: Matrix) -> list[str]:
    """The table with its labels, as many columns as fit, the others below."""
    head = [f"{matrix.down}\\{matrix.across}", *matrix.columns]
    rows = [[label, *map(shown, values)] for label, values in zip(matrix.rows, matrix.values, strict=True)]
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    found, start = [], 1
    while start < len(head):
        end = start + 1
        while end < len(head) and widths[0] + sum(widths[start : end + 1]) + 2 * (end + 1 - start) <= WIDTH - 2:
            end += 1
        for row in [head, *rows]:
            cells = [row[place].rjust(widths[place]) for place in range(start, end)]
            found.append("  ".join([row[0].ljust(widths[0]), *cells]))
        start = end
    return found


def _read_matrix(body: list[str]) -> Matrix:
    lines_of_it = [re.split(r" {2,}", line.strip()) for line in body]
    corner = lines_of_it[0][0]
    many = next((place for place, row in enumerate(lines_of_it) if place and row[0] == corner), len(lines_of_it))
    columns: list[str] = []
    values: list[list[float]] = [[] for _ in range(many - 1)]
    for start in range(0, len(lines_of_it), many):
        head, *rows = lines_of_it[start : start + many]
        columns += head[1:]
        for own, row in zip(values, rows, strict=True):
            own.extend(map(float, row[1:]))
    if any(len(row) != len(columns) for row in values):
        raise ValueError("a row has other columns than the head")
    down, _, across = corner.partition("\\")
    names = tuple(row[0] for row in lines_of_it[1:many])
    return Matrix(names, tuple(columns), tuple(map(tuple, values)), down, across)


def _no_curve(body: Sequence[str]) -> Content:
    raise ValueError("a chart has a text of its own")


_READERS: dict[Draw, Callable[[list[str]], Content]] = {
    "grid": _read_grids,
    "cells": _read_memory,
    "graph": _read_graph,
    "tree": _read_tree,
    "bars": _read_bars,
    "matrix": _read_matrix,
    "curve": _no_curve,
}
