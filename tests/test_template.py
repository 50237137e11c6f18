from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import template
from grader.judging import diagnosis
from grader.model import Asked, Expr, Span
from grader.render import charts

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
    for module in (template, charts, diagnosis):
        failed, tried = doctest.testmod(module)
        assert tried
        assert not failed
