from __future__ import annotations

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import template
from grader.model import Asked, Expr, Observation, Span, Status
from grader.ui import curves

AT = Span("f")


def _split(text: str) -> tuple[object, ...]:
    pieces = template.split(text, AT, lambda offset: Span("f", 1, offset + 1)).pieces
    return tuple(piece.text if isinstance(piece, Expr) else [piece] for piece in pieces)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("plain", (["plain"],)),
        ("{k}", ("k",)),
        ("a {k - 1} b", (["a "], "k - 1", [" b"])),
        ("{ {1: 2}[1] }", ("{1: 2}[1]",)),
        ("{f'{x}'}", ("f'{x}'",)),
        ("{{k}}", (["{k}"],)),
        ("{xs[1:2]}{d['}']}", ("xs[1:2]", "d['}']")),
    ],
)
def test_text_is_split_at_its_expressions(text: str, pieces: tuple[object, ...]) -> None:
    assert _split(text) == pieces


@pytest.mark.parametrize("text", ["{", "}", "{}", "{ }", "a {k +} b", "{import os}", "{x = 1}"])
def test_a_brace_without_an_expression_is_refused(text: str) -> None:
    with pytest.raises(template.BadTemplateError):
        template.split(text, AT, lambda offset: AT)


@given(st.text(alphabet="ab{} '\"[:]", max_size=30))
def test_any_text_is_split_or_refused(text: str) -> None:
    try:
        split = template.split(text, AT, lambda offset: AT)
    except template.BadTemplateError as error:
        assert 0 <= error.offset < len(text)
    else:
        assert isinstance(template.fill(split, {}), str)


def test_values_are_filled_in_and_rounded() -> None:
    text = template.split("{a} of {b}, {c}", AT, lambda offset: AT)
    values = {"a": Asked(0.1 + 0.2), "b": Asked([0.020000000000000004, 1e-05]), "c": Asked(error="NameError")}
    assert template.fill(text, values) == "0.3 of [0.02, 1e-05], {c}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0.1 * 3 / 5 = 0.06", [True]),
        ("The rate: 0.1 * 3 / 5 = 0.07.", [False]),
        ("(2 + 1) / 5 = 0.6 and 0.1 * 0.6 = 0.06", [True, True]),
        ("0.02 * 0.5 ** 2 = 0.005", [True]),
        ("1 / 3 = 0.333333", [True]),
        ("2 * 3 = 6 = 7", [False]),
        ("gamma=0.9, step_size=10", []),
        ("epoch = 0", []),
        ("1 / 0 = 3", []),
        ("-1 * 2 = -2", [True]),
    ],
)
def test_stated_arithmetic_is_checked(text: str, found: list[bool]) -> None:
    assert [true for _, true in template.equations(text)] == found


def test_the_examples_in_docstrings_are_true() -> None:
    for module in (template, curves):
        failed, tried = doctest.testmod(module)
        assert tried
        assert not failed


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], "There is no rate to show."),
        ([0.1], "The rate is 0.1 in its one step."),
        ([0.1, 0.1], "The rate stays at 0.1 until step 2."),
        ([0.1, 0.05, 0.05, 0.2], "The rate falls from 0.1 (step 1) to 0.05 (step 2), then stays at 0.05 until step 3, then rises to 0.2 (step 4)."),
        ([0.1, 0.2] * 4, "The rate moves between 0.1 and 0.2 over 8 steps, 4 up and 3 down."),
        ([0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1], "The rate falls from 0.8 (step 1) to 0.1 (step 7), in 3 drops."),
    ],
)  # fmt: skip
def test_curves_are_described_in_words(values: list[float], text: str) -> None:
    assert curves.describe(values) == text


def test_a_long_table_keeps_the_rows_where_something_happens() -> None:
    rates = tuple((0.1 if step < 50 else 0.01,) for step in range(100))
    rows = curves.rows(Observation(Status.OK, lr_used_by_group=rates))
    assert [row[:2] for row in rows] == [
        ("1", "0.1"),
        ("...", "..."),
        ("50", "0.1"),
        ("51", "0.01"),
        ("...", "..."),
        ("100", "0.01"),
    ]
    falling = tuple((0.9**step,) for step in range(100))
    assert len(curves.rows(Observation(Status.OK, lr_used_by_group=falling))) == curves.MOST_ROWS


def test_plots_fit_and_need_no_more_than_ascii_where_asked() -> None:
    wave = [0.05 * (1 + math.cos(n / 3)) for n in range(30)]
    for width in (30, 60, 200):
        lines = curves.plot(wave, width).splitlines()
        assert len(lines) > 5
        assert max(map(len, lines)) <= min(width, 60)
    assert curves.plot(wave, 60, ascii_only=True).isascii()
    assert curves.plot([0.1, 0.1, 0.1], 60) == ""
    assert curves.plot([math.nan] * 5, 60) == ""
