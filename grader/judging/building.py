"""How the body of an item is built of its fields, with a reader that notes which of them were asked for."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from grader.judging.bodies import Check, Claimed, Draw, Option, Pattern, Reader, TensorDraw, Written, Wrong
from grader.judging.comparison import USUAL, Compare
from grader.model import Expr, Inputs, Span, Value


def build_claimed(reader: Reader, listed: str = "options", *, typed: bool = True) -> Claimed:
    """The usual fields of a kind with options, or with wrong values that are listed under another name.

    `typed`: the key is a Python literal.
    """
    return Claimed(
        answer=reader.expression("answer"),
        holds=reader.expression("holds"),
        options=tuple(_option(reader, listed, index) for index in range(len(reader.get(listed, default=())))),
        key=reader.expression("key") if typed else None,
        compare=build_compare(reader),
        unit=reader.get("unit", default=""),
        shows=reader.get("shows", default="rate"),
        counts=reader.get("counts", default="step"),
        cells=reader.expression("cells"),
        exists=_listed(reader, "exists"),
        runs=_listed(reader, "runs"),
    )


def _listed(reader: Reader, name: str) -> tuple[Expr, ...]:
    """Texts of a list, as they stand."""
    found = (reader.verbatim(name, index) for index in range(len(reader.get(name, default=()))))
    return tuple(one for one in found if one)


RATES = re.compile(r"(?<![^\W_])(?:lr|rates?)(?![^\W_])")
"""Rates, by their name in an expression: `run.lr_used`, `rates`, `group["lr"]`."""


def shows(reader: Reader, observed: Expr | None) -> str:
    """What a list of numbers holds, in a word: what its author says, else rates where those are observed."""
    rates = observed is not None and RATES.search(observed.text)
    return str(reader.get("shows", default="rate" if rates else "value"))


def build_compare(reader: Reader) -> Compare:
    """How the values of an item are compared."""
    return Compare(tolerance=reader.get("tolerance", default=USUAL), **reader.get("compare", default={}))


def _option(reader: Reader, *path: str | int) -> Option:
    return Option(
        at=reader.at(*path),
        key=reader.get(*path, "key", default=False),
        text=reader.text(*path, "text"),
        value=reader.expression(*path, "value"),
        code=reader.get(*path, "code"),
        holds=reader.expression(*path, "holds"),
        says=reader.verbatim(*path, "says"),
        program=reader.get(*path, "program"),
        mistake=reader.get(*path, "mistake"),
        instead=tuple(reader.get(*path, "instead", default={}).items()),
        yields=reader.expression(*path, "yields"),
        because=reader.expression(*path, "because"),
        where=reader.expression(*path, "where"),
        last=reader.get(*path, "last", default=False),
    )


def build_written(reader: Reader, answer: str, part: str) -> Written:
    """The usual fields of a kind whose answers are run: `answer` names a right one, `part` the same in a mistake."""
    cases = reader.get("cases") or {"given": [{}]}
    hidden = cases.get("hidden", {})
    wrong = [
        Wrong(
            entry["mistake"],
            _parts(entry[part]),
            reader.at("mistakes", index),
            next(iter(_patterns(reader, "mistakes", index, "looks")), None),
            reader.expression("mistakes", index, "where"),
        )
        for index, entry in enumerate(reader.get("mistakes", default=()))
    ]
    listed = tuple(_check(reader, "checks", index) for index in range(len(reader.get("checks", default=()))))
    own = replace(_check(reader), at=reader.at(answer, key=True))
    shown = own.observe or next((check.observe for check in listed if check.observe), None)
    observe = shown or Expr("run.lr_used", reader.at(answer))
    if not listed and own.holds is None:
        own = replace(own, observe=observe)
    return Written(
        reference=_parts(reader.get(answer)),
        observe=observe,
        at=own.at,
        checks=listed or (own,),
        starter=reader.get("starter", default=""),
        wrong=tuple(wrong),
        given=tuple(build_inputs(inputs) for inputs in cases["given"]),
        hidden=tuple(_draw(name, entry) for name, entry in hidden.items()),
        draws=cases.get("draws", 3) if hidden else 0,
        compare=build_compare(reader),
        shows=shows(reader, observe),
        counts=reader.get("counts", default="step"),
    )


def _check(reader: Reader, *path: str | int) -> Check:
    """A check, or the item's own fields of one."""
    own = not path
    return Check(
        at=reader.at(*path) if path else reader.at("id"),
        name="" if own else reader.get(*path, "name"),
        observe=_observe(reader, *path, "observe"),
        holds=reader.expression(*path, "holds"),
        forbid=_patterns(reader, *path, "forbid"),
        require=_patterns(reader, *path, "require"),
        says="" if own else reader.get(*path, "says", default=""),
        points=1.0 if own else float(reader.get(*path, "points", default=1)),
    )


def _observe(reader: Reader, *path: str | int) -> Expr | None:
    """What is observed: an expression, or several by name, which is a dict of them."""
    named = reader.get(*path)
    if not isinstance(named, dict):
        return reader.expression(*path)
    parts = [(name, reader.expression(*path, name)) for name in named]
    listed = ", ".join(f"{name!r}: ({one.text})" for name, one in parts if one)
    return Expr("{" + listed + "}", reader.at(*path))


def _patterns(reader: Reader, *path: str | int) -> tuple[Pattern, ...]:
    """Patterns of source: one as text or with `before` and `after`, or a list of those."""
    written, at = reader.get(*path, default=[]), reader.at(*path)
    return tuple(_pattern(one, at) for one in (written if isinstance(written, list) else [written]))


def _pattern(written: str | dict[str, Any], at: Span) -> Pattern:
    if isinstance(written, str):
        return Pattern(written, at)
    if "any" in written:
        first, *others = (_pattern(one, at) for one in written["any"])
        return replace(first, others=tuple(others))
    return Pattern(written["pattern"], at, written.get("before", ""), written.get("after", ""))


def _parts(answer: str | list[str]) -> tuple[str, ...]:
    return (answer,) if isinstance(answer, str) else tuple(part.strip("\n") for part in answer)


def build_inputs(written: dict[str, Any]) -> Inputs:
    """Inputs by name as values: `{tensor: [[1, 2], [3, 4]], dtype: float32}` is a tensor."""
    return tuple((name, build_input(entry)) for name, entry in written.items())


def build_input(entry: Any) -> Value:
    """An input as a value."""
    if not isinstance(entry, dict):
        read: Value = entry
        return read
    made = made_tensor(entry["tensor"], entry.get("dtype", ""))
    return {"$tensor": made | {"grad": entry.get("grad", False)}}


def made_tensor(nested: Any, dtype: str = "") -> dict[str, Value]:
    """A tensor from nested lists, all rows equally long, as data; by default of the dtype that PyTorch would choose."""
    shape, entries = [], [nested]
    while entries and isinstance(entries[0], list):
        shape.append(len(entries[0]))
        entries = [entry for row in entries for entry in row]
    usual = "float32" if any(type(entry) is float for entry in entries) or not entries else "int64"
    dtype = dtype or ("bool" if entries and all(type(entry) is bool for entry in entries) else usual)
    floating = dtype.startswith(("float", "bfloat"))
    data: list[Value] = [float(entry) if floating else entry for entry in entries]
    return {"shape": [*shape], "dtype": dtype, "device": "cpu", "grad": False, "data": data}


def _draw(name: str, entry: list[Any] | dict[str, Any]) -> Draw:
    if isinstance(entry, list):
        return Draw(name, tuple(map(build_input, entry)))
    if "shape" not in entry:
        return Draw(name, (), entry["from"], entry["to"])
    shape = tuple(map(_sizes, entry["shape"]))
    low, high = entry.get("from", -1), entry.get("to", 1)
    also, grad = tuple(entry.get("also", ())), entry.get("grad", False)
    return Draw(name, tensor=TensorDraw(shape, entry.get("dtype", "float32"), low, high, also, grad))


def _sizes(size: Any) -> int | str | tuple[int, ...]:
    """A size, the name of an input, or the sizes of which one is drawn."""
    if isinstance(size, dict):
        return tuple(range(size["from"], size["to"] + 1))
    return tuple(size) if isinstance(size, list) else size
