"""What figures show, as plain data: charts, tables, memory, graphs. `grader.render` draws each as text and as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Draw = Literal["grid", "cells", "graph", "tree", "bars", "matrix", "curve"]
DRAWS: tuple[Draw, ...] = get_args(Draw)
"""The sorts of figure that authors may ask for."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A list of numbers with a name."""

    name: str
    values: tuple[float, ...]
    at: tuple[float, ...] = ()
    """Where they are on the x axis, rising; empty where they are counted from 1."""

    @property
    def places(self) -> tuple[float, ...]:
        """Where each number is on the x axis."""
        return self.at or tuple(range(1, len(self.values) + 1))


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves over one axis: steps counted from 1, unless they say where their numbers are.

    `grader.render.charts` describes it in words and as Vega-Lite.
    """

    title: str
    x: str
    y: str
    curves: tuple[Curve, ...]
    log: bool = False
    """Whether the numbers are drawn on a logarithmic axis."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Entries of a table as text, and which of them (row, column) are marked."""

    title: str
    rows: tuple[tuple[str, ...], ...]
    marked: frozenset[tuple[int, int]] = frozenset()


Grids = tuple[Grid, ...]
"""Grids side by side. `grader.render.grids` draws them as text and as SVG."""


@dataclass(frozen=True, slots=True)
class MemoryReader:
    """A tensor over memory: which entry of it (its indices) reads each place, empty where none does."""

    name: str
    about: str
    """Its shape, strides and offset, in words."""
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """What memory holds from a place on, and the tensors that read it."""

    first: int
    memory: tuple[str, ...]
    readers: tuple[MemoryReader, ...]


@dataclass(frozen=True, slots=True)
class Cells:
    """Memory and who reads it: a row for tensors that share theirs, another one for those that do not."""

    rows: tuple[MemoryRow, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A step of a graph, and the places (in the graph) of the steps that it leads to."""

    name: str
    leads_to: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Graph:
    """Steps in an order in which none leads back: a step only leads to later ones."""

    nodes: tuple[Node, ...]

    @property
    def layers(self) -> tuple[tuple[int, ...], ...]:
        """The places of the nodes, layer by layer: each node is below all that lead to it."""
        depth = [0] * len(self.nodes)
        for place, node in enumerate(self.nodes):
            for other in node.leads_to:
                depth[other] = max(depth[other], depth[place] + 1)
        deepest = max(depth, default=-1)
        places = range(len(depth))
        return tuple(tuple(one for one in places if depth[one] == layer) for layer in range(deepest + 1))


@dataclass(frozen=True, slots=True)
class Branch:
    """A module in a tree: how deep it lies, its name there, its class, its parameters and those of all below it."""

    depth: int
    name: str
    kind: str
    parameters: int


@dataclass(frozen=True, slots=True)
class Tree:
    """Modules, each before those inside of it."""

    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """Numbers with names."""

    bars: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Numbers with labels for rows and columns; `down` and `across` say what these are."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    down: str = ""
    across: str = ""


Content = Grids | Cells | Graph | Tree | Bars | Matrix | Chart
"""The closed union of what can be drawn."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Something to look at, and what it is called."""

    draw: Draw
    title: str
    content: Content
