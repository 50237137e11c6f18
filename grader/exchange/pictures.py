"""Figures of exported questions as SVG files, and a question with its figures as HTML for other programs."""

from __future__ import annotations

import html
from base64 import b64encode
from collections.abc import Mapping

from grader.exchange.exported_questions import ExportedQuestion
from grader.model import Chart, Figure
from grader.render import figure_svg, html_fragments
from grader.render.markdown import as_plain_html

LIGHT = ("#1b1f24", "#d0d7de", "#1c5fa5", "#b34700", "#7a3aa8")
"""Colors of a chart: text, fine lines, curves; those of figures in the light."""


def files(one: ExportedQuestion) -> list[tuple[str, str]]:
    """The figures of a question with the names of their files, and their SVG."""
    return [(f"{one.name}-{place}.svg", image(figure)) for place, figure in enumerate(one.figures, 1)]


def image(figure: Figure) -> str:
    """A figure as the text of an SVG file, in colors for paper; a chart where it cannot be drawn is empty."""
    if isinstance(figure.content, Chart):
        return html_fragments.svg(figure.content, colors=LIGHT)
    return figure_svg.image(figure, dark=False)


def base64(svg: str) -> str:
    """An SVG as text of letters and digits."""
    return b64encode(svg.encode()).decode()


def as_html(one: ExportedQuestion, places: Mapping[str, str]) -> str:
    """All that is shown before the answer; `places` has the addresses of its figures by the names of their files."""
    drawn = iter(places.values())
    return "".join(
        as_plain_html(part) if isinstance(part, str) else _element(part, next(drawn)) for part in one.blocks()
    )


def inlined(one: ExportedQuestion) -> str:
    """The same with the figures in the text, for programs that keep no files."""
    return as_html(one, {name: f"data:image/svg+xml;base64,{base64(svg)}" for name, svg in files(one)})


def _element(figure: Figure, address: str) -> str:
    return f'<p><img src="{html.escape(address)}" alt="{html.escape(figure_svg.words(figure))}" /></p>'
