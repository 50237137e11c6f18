"""Where the boxes and lines of a graph go: layers from top to bottom, and few crossings.

A line that passes a layer has a place of its own there, so that it goes through no box.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from grader.model import Graph

BOX = 26
"""Height of a box, in pixels."""

DOWN, ACROSS = 26, 18
"""Between two layers, and between two boxes of one."""

NARROW = 10
"""What a line takes that passes a layer."""

SWEEPS = 4


@dataclass(frozen=True, slots=True)
class Box:
    """Where a node is drawn."""

    left: float
    top: float
    width: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A box for each node, and for each edge the points that its line goes through, from above to below."""

    boxes: tuple[Box, ...]
    edges: tuple[tuple[tuple[float, float], ...], ...]


def layout(graph: Graph, widths: Sequence[float]) -> Layout:
    """Places for a graph whose boxes are so wide."""
    layers = [list(layer) for layer in graph.layers]
    depth = {node: number for number, layer in enumerate(layers) for node in layer}
    wide = dict(enumerate(map(float, widths)))
    chains: list[list[int]] = []
    for node, one in enumerate(graph.nodes):
        for other in one.leads_to:
            passing = []
            for layer in range(depth[node] + 1, depth[other]):
                passed = len(wide)
                wide[passed] = NARROW
                layers[layer].append(passed)
                passing.append(passed)
            chains.append([node, *passing, other])
    middle = _placed(layers, wide, chains)
    tops = {node: number * (BOX + DOWN) for number, layer in enumerate(layers) for node in layer}
    boxes = [Box(middle[node] - wide[node] / 2, tops[node], wide[node]) for node in range(len(graph.nodes))]
    edges = []
    for chain in chains:
        points = [(middle[chain[0]], tops[chain[0]] + BOX)]
        for passed in chain[1:-1]:
            points += [(middle[passed], tops[passed]), (middle[passed], tops[passed] + BOX)]
        edges.append((*points, (middle[chain[-1]], float(tops[chain[-1]]))))
    return Layout(tuple(boxes), tuple(edges))


def _placed(layers: list[list[int]], wide: dict[int, float], chains: list[list[int]]) -> dict[int, float]:
    """The middle of each box: near those that it is joined to, and apart from those beside it."""
    above: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    for chain in chains:
        for upper, lower in itertools.pairwise(chain):
            above.setdefault(lower, []).append(upper)
            below.setdefault(upper, []).append(lower)
    middle: dict[int, float] = {}
    for layer in layers:
        _spread(layer, wide, middle, dict.fromkeys(layer, 0.0))
    for sweep in range(SWEEPS):
        joined, order = (above, layers) if sweep % 2 == 0 else (below, layers[::-1])
        for layer in order:
            wanted = {
                node: sum(middle[other] for other in near) / len(near) if (near := joined.get(node)) else middle[node]
                for node in layer
            }
            layer.sort(key=lambda node: wanted[node])
            _spread(layer, wide, middle, wanted)
    left = min(middle[node] - wide[node] / 2 for layer in layers for node in layer)
    return {node: at - left for node, at in middle.items()}


def _spread(layer: list[int], wide: dict[int, float], middle: dict[int, float], wanted: dict[int, float]) -> None:
    """Put the boxes of a layer where they are wanted, in their order, and move them apart where they would overlap."""
    groups: list[tuple[list[int], float, float]] = []  # nodes, left edge, width
    for node in layer:
        group = ([node], wanted[node] - wide[node] / 2, wide[node])
        while groups and groups[-1][1] + groups[-1][2] + ACROSS > group[1]:
            before = groups.pop()
            nodes, width = before[0] + group[0], before[2] + ACROSS + group[2]
            center = sum(wanted[one] for one in nodes) / len(nodes)
            group = (nodes, center - width / 2, width)
        groups.append(group)
    for nodes, left, _ in groups:
        at = left
        for node in nodes:
            middle[node] = at + wide[node] / 2
            at += wide[node] + ACROSS
