"""The figures of an item: what its YAML asks for, and what the runs say of that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from grader.judging.bodies import Reader
from grader.model import Asked, Figure, FigureSource, Item
from grader.render import figure_data

if TYPE_CHECKING:
    from grader.judging.claims import Findings

FORMS = {
    "grid": "a tensor or a list of up to three dimensions, or several by name",
    "cells": 'tensors by name, such as `{"x": x, "x.T": x.T}`',
    "graph": "a tensor with a `grad_fn`, or tensors by name",
    "tree": "a module",
    "bars": "numbers by name",
    "matrix": "a table of numbers, or `values` with `rows` and `columns`",
    "curve": 'a list of numbers, lists by name, or these over their places: `{"x": xs, "y": {"loss": losses}}`',
}
"""What each sort takes as its data."""


def build(reader: Reader) -> tuple[FigureSource, ...]:
    """The figures of an item: one, or a list of them."""
    written = reader.get("figure", default=())
    if isinstance(written, list):
        return tuple(found for index in range(len(written)) if (found := _figure(reader, "figure", index)))
    found = _figure(reader, "figure") if written else None
    return (found,) if found else ()


def _figure(reader: Reader, *path: str | int) -> FigureSource | None:
    data = reader.expression(*path, "data")
    if data is None:
        return None
    return FigureSource(
        draw=reader.get(*path, "draw"),
        data=data,
        at=reader.at(*path, "data"),
        title=" ".join(reader.get(*path, "title", default="").split()),
        x=reader.get(*path, "x", default="step"),
        y=reader.get(*path, "y", default="value"),
        reveals=reader.get(*path, "reveals", default=False),
    )


def drawn(item: Item, values: Mapping[str, Asked], findings: Findings) -> tuple[Figure, ...]:
    """The figures that a run gives; a `bad-figure` for each whose data has not the form, and then none at all."""
    found = []
    for asked in item.figures:
        try:
            found.append(made(asked, values.get(asked.ask.text, Asked(error="it was not evaluated"))))
        except figure_data.NotAFigureError as error:
            message = f"`data` cannot be drawn ({asked.draw}): {error}"
            findings.add("bad-figure", message, asked.at, f"give {FORMS[asked.draw]}")
    return tuple(found) if len(found) == len(item.figures) else ()


def made(asked: FigureSource, value: Asked) -> Figure:
    """The figure of what a run said. Raises NotAFigureError."""
    if value.error is not None:
        raise figure_data.NotAFigureError(value.error.removeprefix("NotAFigureError: "))
    return figure_data.made(asked.draw, asked.title, value.value, asked.x, asked.y)
