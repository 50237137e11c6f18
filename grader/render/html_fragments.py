"""Pieces of a page: code and charts as HTML and SVG, for the notebook and whatever else shows HTML.

All text is escaped; no HTML of an item or of an answer goes through. Colors are left to the page: code has the classes
of Pygments, and a drawing uses `currentColor` and the variables `--tg-curve-1` to `--tg-curve-3`.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from grader.render import charts, templates
from grader.template import plural, printable, show

if TYPE_CHECKING:
    from grader.model import Chart

INK, GRID = "#010203", "#010204"
"""Stand in a drawing for the color of the text, and for that of fine lines."""

CURVES = ("#010205", "#010206", "#010207")
"""Stand in a drawing for the colors of the curves."""

PAGE = ("currentColor", "var(--tg-line)", *(f"var(--tg-curve-{number})" for number in range(1, len(CURVES) + 1)))
"""What a page draws these with, in the same order."""

CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": "sans-serif",
    "title": {"color": INK, "fontSize": 13},
    "axis": {"labelColor": INK, "titleColor": INK, "domainColor": INK, "tickColor": INK, "gridColor": GRID},
    "legend": {"labelColor": INK, "titleColor": INK},
    "header": {"labelColor": INK, "titleColor": INK},
    "view": {"stroke": GRID},
    "range": {"category": CURVES},
    "mark": {"color": CURVES[0]},
}


LARGER = {
    "axis": {"labelFontSize": 12, "titleFontSize": 12},
    "legend": {"labelFontSize": 12, "symbolSize": 400, "orient": "bottom"},
}
"""Of a drawing that is made for its place, and so is never scaled down."""


@lru_cache(1024)
def code(source: str) -> str:
    """Python as HTML, each token with its Pygments class."""
    # From where they are: two packages of Pygments replace themselves as they are imported, and a thread that came
    # second would not find them in what it got.
    from pygments import highlight
    from pygments.formatters.html import HtmlFormatter
    from pygments.lexers.python import PythonLexer

    lexer = PythonLexer(stripnl=False, ensurenl=False)
    shown = highlight(printable(source.strip("\n")), lexer, HtmlFormatter(nowrap=True))
    return f'<pre class="tg-code"><code>{shown}</code></pre>'


@lru_cache(64)
def svg(chart: Chart, width: int | None = None, colors: tuple[str, ...] = PAGE) -> str:
    """A chart as an SVG element that is described in words, in the colors of the page unless others are given.

    Empty where it cannot be drawn here (vl-convert is not installed). With a width, in pixels, all of the drawing fits
    into it, and its legend stands below the curves.
    """
    try:
        import vl_convert
    except ImportError:
        return ""
    spec = charts.spec(chart) | {"config": CONFIG}
    if width is not None:
        spec |= {"width": width, "autosize": {"type": "fit-x", "contains": "padding"}}
        spec["config"] = CONFIG | {name: CONFIG[name] | entry for name, entry in LARGER.items()}
    drawn = str(vl_convert.vegalite_to_svg(spec))
    for stands, means in zip((INK, GRID, *CURVES), colors, strict=True):
        drawn = drawn.replace(stands, means)
    said = html.escape(charts.describe(chart))
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{said}" focusable="false" ', 1)


def table(chart: Chart) -> str:
    """The numbers of a chart as an HTML table, a row a curve."""
    longest = max((curve.places for curve in chart.curves), key=len)
    counted = all(curve.places == longest[: len(curve.places)] for curve in chart.curves)
    if counted:
        rows = [(curve.name, [show(value) for value in curve.values]) for curve in chart.curves]
        return numbers([chart.x if chart.curves[0].at else plural(chart.x), *map(show, longest)], rows)
    named = [[(f"{curve.name}, {chart.x}", curve.places), (curve.name, curve.values)] for curve in chart.curves]
    rows = [(name, list(map(show, row))) for pair in named for name, row in pair]
    return numbers(["", *range(1, len(longest) + 1)], rows)


def numbers(head: Sequence[object], rows: Sequence[tuple[object, Sequence[str]]], caption: str = "") -> str:
    """A table of numbers, each row with what it is about; the first of the head stands above that."""
    return templates.filled(__file__, "numbers.html", caption=caption, head=head, rows=rows)


def numbered(shown: str) -> str:
    """A program of `code` with each of its lines in an element of its own, so that a style sheet can number them."""
    opened, _, rest = shown.partition("<code>")
    inside, _, closed = rest.rpartition("</code>")
    lines = "".join('<span class="l">' + (line or " ") + "</span>" for line in inside.rstrip("\n").split("\n"))
    reached = opened.replace("<pre ", '<pre tabindex="0" ', 1)
    return f"{reached}<code>{lines}</code>{closed}"
