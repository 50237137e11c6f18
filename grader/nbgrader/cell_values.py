"""Answers as Python values: how an empty and a right one look in a cell, and how a value becomes an answer as typed."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from grader.errors import InputError
from grader.model import (
    LETTERS,
    ChooseMany,
    ChooseOne,
    CodeInput,
    Input,
    NumberInput,
    OrderInput,
    TextInput,
    Value,
)

LONGEST = 64 << 10
"""Bytes that a cell with an answer may have."""

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
"""Around what only the instructor's notebook has; nbgrader knows these words."""


def grade_id(item: str) -> str:
    """What nbgrader calls an item: it allows no colon, and no id of ours has two hyphens."""
    return item.replace(":", "--")


def item_of(grade_id: str) -> str:
    """The id of an item by what nbgrader calls it."""
    return grade_id.replace("--", ":")


def variable(name: str) -> str:
    """The name that an answer is assigned to, by what nbgrader calls the item."""
    return f"answer_{name.replace('-', '_')}"


def empty(inputs: Sequence[Input]) -> str:
    """The answer that is there at first, as Python; for code, the starter."""
    match inputs:
        case (ChooseOne() | ChooseMany(),):
            return '""'
        case (NumberInput(label=""),):
            return "None"
        case (CodeInput(starter=starter),):
            return starter.strip("\n")
        case (OrderInput(),) | (NumberInput(), *_):
            return "[]"
        case _:
            return str([""] * len(inputs)).replace("'", '"')


def literal(inputs: Sequence[Input], raw: str) -> str:
    """An answer as it would be typed, as Python; code stays as it is."""
    match inputs:
        case (ChooseOne() | ChooseMany(),):
            return f'"{raw}"'
        case (NumberInput(label=""),):
            return raw
        case (CodeInput(),):
            return raw.strip("\n")
        case (OrderInput(),):
            return f"[{', '.join(raw.split())}]"
        case (NumberInput(cell=(first, _)), *_):
            numbers = raw.split()
            width = sum(
                isinstance(one, NumberInput) and one.cell is not None and one.cell[0] == first for one in inputs
            )
            rows = [numbers[start : start + width] for start in range(0, len(numbers), width)]
            return f"[{', '.join(f'[{row}]' for row in map(', '.join, rows))}]"
        case _ if all(isinstance(one, NumberInput) for one in inputs):
            return f"[{', '.join(raw.split())}]"
        case _:
            return f"[{', '.join(_quoted(part.strip()) for part in raw.split(';'))}]"


def _quoted(text: str) -> str:
    return f'"{text}"' if '"' not in text and "\\" not in text else repr(text)


def blank(value: Value) -> bool:
    """Whether a value is no answer yet."""
    if isinstance(value, list):
        return all(map(blank, value))
    return value is None or (isinstance(value, str) and not value.strip())


def typed(inputs: Sequence[Input], value: Value) -> str:
    """A value as it would be typed in answer to these inputs."""
    if not isinstance(value, list):
        return value if isinstance(value, str) else repr(value)
    if all(isinstance(one, NumberInput) for one in inputs) and not all(type(entry) in (int, float) for entry in value):
        return json.dumps(value)  # rows of numbers, or texts such as "1 / 3"
    match inputs:
        case (OrderInput(),) if all(isinstance(entry, str) for entry in value):
            between = "\n"
        case (ChooseOne() | ChooseMany(),):
            between = ", "
        case (OrderInput(),):
            between = " "
        case _:
            between = " " if all(isinstance(one, NumberInput) for one in inputs) else "; "
    return between.join(entry if isinstance(entry, str) else repr(entry) for entry in value)


def form(inputs: Sequence[Input]) -> tuple[str, Any]:
    """Inputs as a released notebook names them, in two values that `of_form` takes: a word, and how much there is."""
    match inputs:
        case (ChooseOne(options=options),):
            return "choice", len(options)
        case (ChooseMany(options=options),):
            return "multi", len(options)
        case (NumberInput(label=""),):
            return "number", 1
        case (OrderInput(lines=lines),):
            return "order", len(lines)
        case (CodeInput(starter=starter),):
            return "code", defined(starter)
        case (TextInput(python=False),):
            return "text", 1
    if all(isinstance(one, NumberInput) for one in inputs):
        return "sequence", len(inputs)
    if all(isinstance(one, TextInput) and one.python for one in inputs):
        return "fill", len(inputs)
    return "inputs", [list(form((replace(one, label=""),))) for one in inputs]


def of_form(word: str, count: Any, values: Value) -> tuple[Input, ...]:
    """As much of the inputs as is needed to read an answer. Without a count there are as many as values."""
    if count is None:
        count = len(values) if isinstance(values, list) else 1
    match word:
        case "choice":
            return (ChooseOne(tuple(LETTERS[:count])),)
        case "multi":
            return (ChooseMany(tuple(LETTERS[:count])),)
        case "number":
            return (NumberInput(),)
        case "sequence":
            return tuple(NumberInput(f"number {number}") for number in range(1, count + 1))
        case "fill":
            return tuple(TextInput(python=True) for _ in range(count))
        case "text":
            return (TextInput(),)
        case "order":
            return (OrderInput(tuple(f"line {number}" for number in range(1, count + 1))),)
        case "inputs":
            return tuple(one for part in count for one in of_form(part[0], part[1], None))
        case _:
            raise InputError(f"answers of the form `{word}` cannot be read here", "tell your instructor")


def defined(source: str) -> list[str]:
    """The names of functions and classes that a starter defines."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return []
    return [node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def region(source: str) -> str:
    """A cell without the lines that mark a solution: what is between them, where there are any."""
    inside = re.search(rf"^{BEGIN}$\n(.*?)^{END}$", source, re.MULTILINE | re.DOTALL)
    return inside[1] if inside else source


class NotLiteral(Exception):  # noqa: N818  (no error: the cell has to be run)
    """A cell does more than to assign values."""


def assigned(source: str, name: str) -> Value:
    """What a cell assigns to a name, where it assigns nothing but values that stand there.

    Raises NotLiteral where it has to be run, SyntaxError where it is no Python.
    """
    try:
        body = ast.parse(source).body
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error)) from None
    found: Value = None
    there = False
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=value):
                known = _value(value)
                if target == name:
                    found, there = known, True
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                pass
            case _ if _is_stub(statement):
                pass
            case _:
                raise NotLiteral
    if not there:
        raise NotLiteral
    return found


def _value(node: ast.expr) -> Value:
    try:
        return plain(ast.literal_eval(node))
    except (ValueError, TypeError, RecursionError, MemoryError):
        raise NotLiteral from None


def plain(value: object) -> Value:
    """A value as JSON data; tensors and arrays are lists, as in what is observed of a run."""
    from grader.model import values
    from grader.runner.inside.values import encode

    return values.simple(encode(value))


def _is_stub(statement: ast.stmt) -> bool:
    """`raise NotImplementedError()`, which nbgrader leaves where a solution was."""
    match statement:
        case ast.Raise(exc=ast.Call(func=ast.Name(id="NotImplementedError"))):
            return True
        case _:
            return False


def unlisted(names: Sequence[str]) -> str:
    """Names for a sentence."""
    return ", ".join(f"`{name}`" for name in names)
