"""Curves drawn in characters."""

from __future__ import annotations

import pytest

from grader.model import Chart, Curve
from grader.render.plots import plot


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("count", range(1, 10))
def test_any_number_of_curves_is_drawn(count: int, ascii_only: bool) -> None:
    """A page of the bank has four; the first six are told apart."""
    curves = tuple(Curve(f"curve {number}", (1.0, 2.0 + number, 3.0 - number)) for number in range(count))
    drawn = plot(Chart("A title", "step", "value", curves), 60, ascii_only)
    assert not ascii_only or drawn.isascii()
    if count == 1:
        return
    legend = drawn.splitlines()[-1]
    marks = [part.strip() for part in legend.replace("curve ", "").split("   ")]
    assert [mark[-1] for mark in marks] == [str(number) for number in range(count)]
    assert len({mark[0] for mark in marks[-6:]}) == min(count, 6)
