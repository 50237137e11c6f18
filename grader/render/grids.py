"""Small tables side by side, with what differs marked, as feedback shows them: drawn as figures are."""

from __future__ import annotations

from grader.model import Figure, Grids
from grader.render import figure_svg, figure_text


def lines(grids: Grids) -> list[str]:
    """The grids as lines of text, beside each other; a marked cell stands in square brackets."""
    return figure_text.lines(grids)


def svg(grids: Grids) -> str:
    """The grids as one drawing that is described in words, in the colors of `figure.css`."""
    return figure_svg.svg(Figure("grid", "", grids))


def words(grids: Grids) -> str:
    """The grids in a sentence or two, for who cannot see them."""
    return figure_svg.words(Figure("grid", "", grids))
