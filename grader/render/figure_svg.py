"""Figures as SVG, from the same data as their text: described in words, and in the colors of the page.

A page gives the colors (`figure.css`, with variables); `image` has its own, for light and for dark, so that it can
stand alone. What is drawn is text and boxes; all text is escaped.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from typing import assert_never

from grader.model import Bars, Cells, Chart, Content, Figure, Graph, Grid, Grids, Matrix, MemoryRow, Tree
from grader.render import figure_text, graph_layout

CELL = 28
"""Height of a cell, in pixels."""

CHARACTER = 8
"""Width of a character, in pixels; a little more than it takes."""

ROOM = 640
"""No drawing is wider, unless one table is."""

GAP = 32
LIGHT = {
    "ink": "#1b1f24", "paper": "#ffffff", "quiet": "#57606a", "soft": "#f3f4f6", "edge": "#6e7781", "line": "#a8b0b9",
    "1": "#1c5fa5", "2": "#b34700", "3": "#7a3aa8",
}  # fmt: skip
DARK = {
    "ink": "#e6edf3", "paper": "#161b22", "quiet": "#a5b1bd", "soft": "#22272e", "edge": "#8b949e", "line": "#59636e",
    "1": "#6cb6ff", "2": "#ffa657", "3": "#d2a8ff",
}  # fmt: skip


@dataclass(slots=True)
class _Sheet:
    """What is drawn so far, and how far it reaches."""

    parts: list[str] = field(default_factory=list)
    width: float = 0
    height: float = 0

    def text(self, x: float, y: float, said: str, look: str = "", anchor: str = "start") -> None:
        """A text whose middle is at height `y`."""
        if not said:
            return
        wide = len(said) * CHARACTER
        end = x + {"start": wide, "middle": wide / 2, "end": 0}[anchor]
        self._reach(end, y + 8)
        kind = f' class="{look}"' if look else ""
        at = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self.parts.append(f'<text x="{x:g}" y="{y + 4.5:g}"{kind}{at}>{escape(said)}</text>')

    def box(self, x: float, y: float, width: float, height: float, look: str, more: str = "") -> None:
        self._reach(x + width, y + height)
        size = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
        self.parts.append(f'<rect {size} class="{look}"{more}/>')

    def path(self, commands: str, look: str) -> None:
        self.parts.append(f'<path d="{commands}" class="{look}"/>')

    def _reach(self, x: float, y: float) -> None:
        self.width, self.height = max(self.width, x), max(self.height, y)


def svg(figure: Figure) -> str:
    """The figure as an SVG element, without its title, for a page with the colors of `figure.css`; no charts."""
    sheet = _drawn(figure.content, _Sheet(), 0)
    return _element(sheet, figure, "")


def image(figure: Figure, *, dark: bool = True) -> str:
    """The figure as the text of an SVG file of its own, with its title and colors for light, and those for dark."""
    sheet = _Sheet()
    sheet.text(0, 10, figure.title, "tgf-title")
    sheet = _drawn(figure.content, sheet, 30 if figure.title else 0)
    return _element(
        sheet, figure, f"<style>{_style(dark=dark)}</style>", 10, '<rect class="tgf-paper" x="-10" y="-10" '
    )


def data_uri(figure: Figure) -> str:
    """The same as an address that a picture may have."""
    return f"data:image/svg+xml;base64,{base64.b64encode(image(figure).encode()).decode()}"


def _element(sheet: _Sheet, figure: Figure, style: str, margin: int = 1, paper: str = "") -> str:
    width, height = sheet.width + 2 * margin, sheet.height + 2 * margin
    size = f'width="{width:g}" height="{height:g}" viewBox="{-margin} {-margin} {width:g} {height:g}"'
    said = f'xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(words(figure))}" focusable="false"'
    ground = f'{paper}width="{width:g}" height="{height:g}"/>' if paper else ""
    return f'<svg {said} class="tgf" {size}>{style}{ground}{"".join(sheet.parts)}</svg>'


@cache
def css() -> str:
    """What a page needs that shows figures: its own colors are the variables `--tgf-...`."""
    return Path(__file__).with_name("figure.css").read_text(encoding="utf-8")


@cache
def _style(*, dark: bool) -> str:
    """The same with colors in it, which every reader of SVG understands."""
    plain = re.sub(r"/\*.*?\*/\s*|\n", "", css())
    if not dark:
        return _with(LIGHT, plain)
    return f"{_with(LIGHT, plain)}@media (prefers-color-scheme: dark) {{{_with(DARK, plain)}}}"


def _with(colors: dict[str, str], plain: str) -> str:
    return re.sub(r"var\(--tgf-(\w+)\)", lambda name: colors[name[1]], plain)


def _drawn(content: Content, sheet: _Sheet, top: float) -> _Sheet:
    match content:
        case Cells():
            for row in content.rows:
                top = _memory(sheet, row, top) + 16
        case Graph():
            _graph(sheet, content, top)
        case Tree():
            _tree(sheet, content, top)
        case Bars():
            _bars(sheet, content, top)
        case Matrix():
            _matrix(sheet, content, top)
        case Chart():
            raise ValueError("a chart is drawn by Vega-Lite, see `html_fragments`")
        case tuple():
            _grids(sheet, content, top)
        case _:
            assert_never(content)
    return sheet


# ---------------------------------------------------------------- tables and memory


def _wide(texts: Sequence[str], least: int = CELL) -> int:
    return max(least, max(map(len, texts), default=1) * CHARACTER + 12)


def _grids(sheet: _Sheet, grids: Grids, top: float) -> None:
    left, lowest = 0.0, top
    for grid in grids:
        widths = [max(CELL, characters * CHARACTER + 12) for characters in figure_text.column_widths(grid)]
        width = max(sum(widths), len(grid.title) * CHARACTER)
        if left and left + width > ROOM:
            left, top = 0.0, lowest + 16
        sheet.text(left, top + 10, grid.title, "tgf-title")
        start = top + (24 if any(one.title for one in grids) else 0)
        _grid(sheet, grid, left, start, widths)
        left += width + GAP
        lowest = max(lowest, start + len(grid.rows) * CELL)


def _grid(sheet: _Sheet, grid: Grid, left: float, top: float, widths: Sequence[int]) -> None:
    marks = []
    for row, entries in enumerate(grid.rows):
        x, y = left, top + row * CELL
        for column, (_, width) in enumerate(zip(entries, widths, strict=False)):
            sheet.box(x, y, width, CELL, "tgf-cell")
            if (row, column) in grid.marked:
                marks.append((x, y, width))
            x += width
    for x, y, width in marks:  # over the edges of all others
        sheet.box(x + 1.5, y + 1.5, width - 3, CELL - 3, "tgf-marked")
    for row, entries in enumerate(grid.rows):
        x = left
        for entry, width in zip(entries, widths, strict=False):
            sheet.text(x + width / 2, top + row * CELL + CELL / 2, entry, "", "middle")
            x += width


def _memory(sheet: _Sheet, row: MemoryRow, top: float) -> float:
    """Memory in a row, a row of boxes below it for each tensor; as many rows as it takes. Returns where it ends."""
    label = _wide([*(one.name for one in row.readers), "memory"]) + 4
    texts = [*row.memory, *(text for one in row.readers for text in one.reads)]
    width = _wide([*texts, str(row.first + len(row.memory) - 1)], CELL + 4)
    many = max(1, int((ROOM - label) // width))
    for start in range(0, len(row.memory), many):
        places = range(start, min(start + many, len(row.memory)))
        sheet.text(0, top + 18 + CELL / 2, "memory", "tgf-quiet")
        for column, place in enumerate(places):
            x = label + column * width
            sheet.text(x + width / 2, top + 8, str(row.first + place), "tgf-quiet", "middle")
            sheet.box(x, top + 18, width, CELL, "tgf-cell")
            sheet.text(x + width / 2, top + 18 + CELL / 2, row.memory[place], "", "middle")
        top += 18 + CELL + 8
        for number, one in enumerate(row.readers, 1):
            sheet.text(0, top + CELL / 2, one.name, "tgf-name")
            for column, place in enumerate(places):
                x, read = label + column * width, one.reads[place]
                sheet.box(x + 2, top, width - 4, CELL, f"tgf-reader-{number}" if read else "tgf-none")
                sheet.text(x + width / 2, top + CELL / 2, read, "", "middle")
            top += CELL + 6
        top += 6
    for one in row.readers:
        sheet.text(0, top + 6, f"{one.name}: {one.about}", "tgf-quiet")
        top += 18
    return top


# ---------------------------------------------------------------- graphs and trees


def _graph(sheet: _Sheet, graph: Graph, top: float) -> None:
    placed = graph_layout.layout(graph, [len(node.name) * CHARACTER + 16 for node in graph.nodes])
    for points in placed.edges:
        xs = [(x, top + y) for x, y in points]
        start, *rest = xs
        commands = [f"M{start[0]:g} {start[1]:g}"]
        for (x0, y0), (x1, y1) in zip(xs, rest, strict=False):
            half = (y0 + y1) / 2
            commands.append(f"L{x1:g} {y1:g}" if x0 == x1 else f"C{x0:g} {half:g} {x1:g} {half:g} {x1:g} {y1:g}")
        x, y = xs[-1]
        sheet.path(" ".join(commands), "tgf-line")
        sheet.path(f"M{x - 4:g} {y - 7:g} L{x:g} {y:g} L{x + 4:g} {y - 7:g} Z", "tgf-head")
    for node, box in zip(graph.nodes, placed.boxes, strict=True):
        leaf = not node.leads_to
        sheet.box(
            box.left, top + box.top, box.width, graph_layout.BOX, "tgf-reader-1" if leaf else "tgf-cell", ' rx="5"'
        )
        sheet.text(box.left + box.width / 2, top + box.top + graph_layout.BOX / 2, node.name, "", "middle")


ROW, INDENT = 24, 24


def _tree(sheet: _Sheet, tree: Tree, top: float) -> None:
    """A line a module, with a line from each to the one that it lies in; numbers of parameters to the right."""
    named = [(f"{one.name}: " if one.name else "", one.kind) for one in tree.branches]
    right = max(
        one.depth * INDENT + (len(name) + len(kind)) * CHARACTER
        for one, (name, kind) in zip(tree.branches, named, strict=True)
    )
    counts = [f"{one.parameters:,}" if one.parameters else "" for one in tree.branches]
    column = right + GAP + max(map(len, [*counts, "parameters"])) * CHARACTER
    if any(counts):
        sheet.text(column, top + 8, "parameters", "tgf-quiet", "end")
        top += 20
    above: dict[int, float] = {}
    beside: dict[int, float] = {}
    for place, (one, (name, kind)) in enumerate(zip(tree.branches, named, strict=True)):
        x, y = one.depth * INDENT, top + place * ROW + ROW / 2
        if one.depth:
            start = max(above[one.depth - 1] + 10, beside.get(one.depth, 0))
            sheet.path(f"M{x - INDENT + 6.5:g} {start:g} V{y:g} H{x - 4:g}", "tgf-line")
        sheet.text(x, y, name, "tgf-name")
        sheet.text(x + len(name) * CHARACTER, y, kind)
        sheet.text(column, y, counts[place], "", "end")
        above[one.depth] = beside[one.depth] = y


# ---------------------------------------------------------------- numbers

LONGEST_BAR = 320


def _bars(sheet: _Sheet, bars: Bars, top: float) -> None:
    label = max(len(name) for name, _ in bars.bars) * CHARACTER + 12
    shown = [figure_text.shown(value) for _, value in bars.bars]
    shares = figure_text.shares(bars)
    left = max([0.0, *(-share for share in shares)]) * LONGEST_BAR
    room = (max(map(len, shown)) * CHARACTER + 12) if left else 0
    zero = label + left + room
    for place, ((name, _), said, share) in enumerate(zip(bars.bars, shown, shares, strict=True)):
        y = top + place * CELL
        sheet.text(label - 12, y + CELL / 2, name, "tgf-name", "end")
        length = max(abs(share) * LONGEST_BAR, 2 if share else 0)
        start = zero if share >= 0 else zero - length
        sheet.box(start, y + 4, length, CELL - 8, "tgf-bar" if share >= 0 else "tgf-below")
        at, anchor = (zero + length + 8, "start") if share >= 0 else (start - 8, "end")
        sheet.text(at, y + CELL / 2, said, "", anchor)
    sheet.path(f"M{zero:g} {top:g} V{top + len(bars.bars) * CELL:g}", "tgf-line")


def _matrix(sheet: _Sheet, matrix: Matrix, top: float) -> None:
    """Cells that are the darker the larger their number is, between the least (or 0) and the largest."""
    label = max(map(len, [*matrix.rows, matrix.down])) * CHARACTER + 12
    texts = [[figure_text.shown(value) for value in row] for row in matrix.values]
    width = _wide([*matrix.columns, *(text for row in texts for text in row)], 40)
    middle = label + width * len(matrix.columns) / 2
    if matrix.across:
        sheet.text(middle, top + 8, matrix.across, "tgf-title", "middle")
        top += 22
    if matrix.down:
        sheet.text(label - 12, top + 10, matrix.down, "tgf-title", "end")
    for column, name in enumerate(matrix.columns):
        sheet.text(label + width * (column + 0.5), top + 10, name, "", "middle")
    top += 24
    finite = [value for row in matrix.values for value in row if abs(value) < float("inf")]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    for row, (name, values) in enumerate(zip(matrix.rows, matrix.values, strict=True)):
        y = top + row * CELL
        sheet.text(label - 12, y + CELL / 2, name, "", "end")
        for column, value in enumerate(values):
            x = label + column * width
            share = min(max((value - low) / (high - low), 0), 1) if high > low and abs(value) < float("inf") else 0
            sheet.box(x, y, width, CELL, "tgf-shade", f' fill-opacity="{0.04 + 0.46 * share:.2f}"')
            sheet.box(x, y, width, CELL, "tgf-line")
            sheet.text(x + width / 2, y + CELL / 2, texts[row][column], "", "middle")


# ---------------------------------------------------------------- in words


def words(figure: Figure) -> str:
    """The figure in sentences, for who cannot see it."""
    said = _said(figure.content)
    return f"{figure.title}. {said}" if figure.title else said


def _said(content: Content) -> str:
    match content:
        case Cells():
            return " ".join(_said_of_memory(row) for row in content.rows)
        case Graph():
            named = [f"{number} {node.name}" for number, node in enumerate(content.nodes, 1)]
            ways = [
                f"{name} leads to {', '.join(str(place + 1) for place in node.leads_to)}"
                if node.leads_to
                else f"{name} ends"
                for name, node in zip(named, content.nodes, strict=True)
            ]
            return f"{'; '.join(ways)}."
        case Tree():
            return " ".join(
                f"{f'{one.name}: ' if one.name else ''}{one.kind} at depth {one.depth}"
                f"{f', {one.parameters:,} parameters' if one.parameters else ''}."
                for one in content.branches
            )
        case Bars():
            return f"{'; '.join(f'{name}: {figure_text.shown(value)}' for name, value in content.bars)}."
        case Matrix():
            heading = f"{content.down or 'Rows'} by {content.across or 'columns'}. "
            rows = [
                f"{name}: {', '.join(f'{column} {figure_text.shown(value)}' for column, value in one)}"
                for name, values in zip(content.rows, content.values, strict=True)
                if (one := list(zip(content.columns, values, strict=True)))
            ]
            return f"{heading}{'; '.join(rows)}."
        case Chart():
            from grader.render import charts

            return charts.describe(content)
        case tuple():
            return _said_of_grids(content)
        case _:
            assert_never(content)


def _said_of_grids(grids: Grids) -> str:
    said = [
        f"{grid.title}: " * bool(grid.title) + "; ".join(", ".join(row) for row in grid.rows) + "." for grid in grids
    ]
    marked = sum(len(grid.marked) for grid in grids[:1])
    return " ".join(said) + (f" {marked} of the entries differ." if marked else "")


def _said_of_memory(row: MemoryRow) -> str:
    said = [f"Memory from place {row.first} on holds {', '.join(row.memory)}."]
    for one in row.readers:
        places = [str(row.first + place) for place, read in enumerate(one.reads) if read]
        said.append(f"{one.name} ({one.about}) reads the places {', '.join(places)}.")
    return " ".join(said)
