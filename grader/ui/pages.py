"""Pieces of a page: Markdown, code and charts as HTML and SVG, for the notebook and whatever else shows HTML.

All text is escaped; no HTML of an item or of an answer goes through. Colors are left to the page: code has the classes
of Pygments, and a drawing uses `currentColor` and the variables `--tg-curve-1` to `--tg-curve-3`.
"""

from __future__ import annotations

import html
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from grader import charts
from grader.template import plural, printable, show

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

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


def markdown(text: str) -> str:
    """Markdown as HTML; what looks like HTML in it is shown as text."""
    return str(_renderer().render(printable(text))).strip()


def inline(text: str) -> str:
    """One line of Markdown as HTML, without a paragraph around it."""
    return str(_renderer().renderInline(printable(" ".join(text.split())))).strip()


@cache
def _renderer() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("js-default", {"html": False, "linkify": False}).disable(["image", "link", "autolink"])


def code(source: str) -> str:
    """Python as HTML, each token with its Pygments class."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

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
    steps = max(len(curve.values) for curve in chart.curves)
    head = "".join(f'<th scope="col">{step}</th>' for step in range(1, steps + 1))
    rows = "".join(
        f'<tr><th scope="row">{html.escape(curve.name)}</th>'
        + "".join(f"<td>{html.escape(show(value))}</td>" for value in curve.values)
        + "</tr>"
        for curve in chart.curves
    )
    first = html.escape(plural(chart.x))
    return f'<table><thead><tr><th scope="col">{first}</th>{head}</tr></thead><tbody>{rows}</tbody></table>'
