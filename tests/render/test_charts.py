"""Charts: in words, as specs that Vega-Lite draws, and in characters; all from the same numbers."""

from __future__ import annotations

import json
import math
import re

import pytest
import vl_convert

from grader.model import Chart, Curve, Observation, Status
from grader.render import charts, plots

YOURS, RIGHT = [0.02, 0.04, 0.06, 0.08, 0.1], [0.02, 0.04, 0.05, 0.05, 0.05]
BOTH = charts.comparison(YOURS, RIGHT, "rate", "epoch")
WAVE = Chart("A wave", "step", "rate", (Curve("rate", tuple(0.05 * (1 + math.cos(n / 3)) for n in range(30))),))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], "There is no rate to show."),
        ([0.1], "The rate is 0.1 in its one step."),
        ([0.1, 0.1], "The rate stays at 0.1 until step 2."),
        ([0.1, 0.05, 0.05, 0.2], "The rate falls from 0.1 (step 1) to 0.05 (step 2), then stays at 0.05 until step 3, then rises to 0.2 (step 4)."),
        ([0.1, 0.2] * 4, "The rate moves between 0.1 and 0.2 over 8 steps, 4 up and 3 down, and ends at 0.2."),
        ([0.1, 0.2, math.inf, math.nan], "The rate rises from 0.1 (step 1) to 0.2 (step 2). From step 3 on it is not a finite number (inf, nan)."),
        ([0.1, math.nan], "The rate is 0.1 in step 1. From step 2 on it is not a finite number (nan)."),
        ([math.nan, math.nan], "From step 1 on the rate is not a finite number (nan)."),
        ([math.inf], "From step 1 on the rate is not a finite number (inf)."),
        ([0.1, 0.2, math.inf, 0.3], "The rate rises from 0.1 (step 1) to 0.2 (step 2). In 1 of 4 steps it is not a finite number (inf), first in step 3. It ends at 0.3."),
        ([0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1], "The rate falls from 0.8 (step 1) to 0.1 (step 7), in 3 drops."),
    ],
)  # fmt: skip
def test_curves_are_described_in_words(values: list[float], text: str) -> None:
    assert charts.describe_curve(values) == text


def test_a_long_table_keeps_the_rows_where_something_happens() -> None:
    rates = tuple((0.1 if step < 50 else 0.01,) for step in range(100))
    rows = plots.rows(Observation(Status.OK, lr_used_by_group=rates))
    assert [row[:2] for row in rows] == [
        ("1", "0.1"),
        ("...", "..."),
        ("50", "0.1"),
        ("51", "0.01"),
        ("...", "..."),
        ("100", "0.01"),
    ]
    falling = tuple((0.9**step,) for step in range(100))
    assert len(plots.rows(Observation(Status.OK, lr_used_by_group=falling))) == plots.MOST_ROWS


def test_plots_fit_and_need_no_more_than_ascii_where_asked() -> None:
    for chart in (WAVE, BOTH):
        for width in (30, 60, 200):
            lines = plots.plot(chart, width).splitlines()
            assert len(lines) > 5
            assert max(map(len, lines)) <= min(width, 60)
        assert plots.plot(chart, 60, ascii_only=True).isascii()
    for flat in ((0.1,) * 3, (math.nan,) * 5, (0.1, 0.2)):
        assert plots.plot(Chart("", "step", "rate", (Curve("rate", flat),)), 60) == ""


def test_a_logarithmic_plot_has_a_height_for_each_power_of_ten() -> None:
    falling = Curve("loss", (1000.0, 100.0, 10.0, 1.0, 0.1))
    lines = plots.plot(Chart("", "step", "loss", (falling,), log=True), 60, ascii_only=True).splitlines()
    assert [line.split("|")[0].strip() for line in lines if line.split("|")[0].strip()][:3] == ["1000", "10", "0.1"]
    broken = Curve("loss", (1000.0, 0.0, 0.1, math.inf))
    assert plots.plot(Chart("", "step", "loss", (broken,), log=True), 60)


def test_two_curves_are_told_apart_without_color() -> None:
    drawn = plots.plot(BOTH, 60, ascii_only=True)
    assert drawn.splitlines()[-1].split("   ") == ["o yours", "* should be"]
    assert sum("o" in line for line in drawn.splitlines()[:-2]) == len(YOURS)


def test_three_curves_are_told_apart_without_color() -> None:
    three = Chart("", "step", "value", (*BOTH.curves, Curve("third", tuple(0.1 - value for value in YOURS))))
    for ascii_only, marks in ((True, "ox*"), (False, "•+▀")):
        *drawn, names = plots.plot(three, 60, ascii_only).splitlines()
        assert names.split("   ") == [f"{mark} {curve.name}" for mark, curve in zip(marks, three.curves, strict=True)]
        assert all(any(mark in line for line in drawn[:-2]) for mark in marks[:2])


def test_a_spec_holds_the_numbers_and_draws() -> None:
    spec = charts.spec(BOTH)
    assert [row["value"] for row in spec["data"]["values"]] == YOURS + RIGHT
    assert spec["description"] == charts.describe(BOTH)
    drawn = vl_convert.vegalite_to_svg(json.dumps(spec), vl_version="5.20")
    assert drawn.startswith("<svg")
    assert {"yours", "should be", "epoch"} <= set(re.findall(r"<text[^>]*>([^<]+)<", drawn))


@pytest.mark.parametrize("steps", range(1, 13))
def test_the_axis_lists_each_step_once(steps: int) -> None:
    chart = Chart("", "epoch", "rate", (Curve("rate", tuple(1.0 + step**2 for step in range(steps))),))
    drawn = vl_convert.vegalite_to_svg(charts.spec(chart))
    shown = re.findall(r"<text[^>]*>([^<]+)<", drawn)
    assert shown[: shown.index("epoch")] == [str(step) for step in range(1, steps + 1)]


def test_a_run_that_did_nothing_has_no_chart_and_one_that_broke_has_gaps() -> None:
    nothing = Observation(Status.OK)
    assert charts.rate_chart(nothing) is None
    assert charts.loss_chart(nothing) is None
    broken = charts.loss_chart(Observation(Status.OK, losses=(1.0, math.inf, math.nan)))
    assert broken is not None
    assert [row["value"] for row in charts.spec(broken)["data"]["values"]] == [1.0, None, None]
    json.dumps(charts.spec(broken), allow_nan=False)


def test_a_comparison_says_both_curves_in_words() -> None:
    assert charts.describe(BOTH) == (
        "Yours: the rate rises from 0.02 (epoch 1) to 0.1 (epoch 5). Should be: the rate rises from 0.02 (epoch 1)"
        " to 0.05 (epoch 3), then stays at 0.05 until epoch 5."
    )
