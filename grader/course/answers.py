"""Answers as Python values: how an empty and a right one look in a cell, and how a value becomes an answer as typed."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import assert_never

from grader.errors import InputError
from grader.model import Arrange, Fill, Flip, Interaction, Pick, Prompt, Table, Type, Value, Variant, Write

LONGEST = 64 << 10
"""Bytes that a cell with an answer may have."""

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
"""Around what only the instructor's notebook has; nbgrader knows these words."""

_LETTERS = "ABCDEFGH"
_BETWEEN = {"choice": ", ", "multi": ", ", "fill": "; "}


def variable(item: str) -> str:
    """The name that an answer is assigned to."""
    return f"answer_{item.replace('-', '_')}"


def empty(interaction: Interaction) -> str:
    """The answer that is there at first, as Python; for code, the starter."""
    match interaction:
        case Pick():
            return '""'
        case Type():
            return "None"
        case Table() | Arrange():
            return "[]"
        case Fill(blanks=blanks):
            return str([""] * blanks).replace("'", '"')
        case Write(starter=starter):
            return starter.strip("\n")
        case Flip():
            raise InputError("a card has no answer that can be graded", "choose other items")
        case _:
            assert_never(interaction)


def literal(interaction: Interaction, raw: str) -> str:
    """An answer as it would be typed, as Python; code stays as it is."""
    match interaction:
        case Pick():
            return f'"{raw}"'
        case Type():
            return raw
        case Table() | Arrange():
            return f"[{', '.join(raw.split())}]"
        case Fill():
            return f"[{', '.join(_quoted(part.strip()) for part in raw.split(';'))}]"
        case Write():
            return raw.strip("\n")
        case Flip():
            raise InputError("a card has no answer that can be graded", "choose other items")
        case _:
            assert_never(interaction)


def _quoted(text: str) -> str:
    return f'"{text}"' if '"' not in text and "\\" not in text else repr(text)


def blank(value: Value) -> bool:
    """Whether a value is no answer yet."""
    if isinstance(value, list):
        return all(map(blank, value))
    return value is None or (isinstance(value, str) and not value.strip())


def typed(kind: str, value: Value) -> str:
    """A value as it would be typed in answer to an item of this kind."""
    if not isinstance(value, list):
        return value if isinstance(value, str) else repr(value)
    if kind == "order" and all(isinstance(entry, str) for entry in value):
        return "\n".join(map(str, value))
    return _BETWEEN.get(kind, " ").join(entry if isinstance(entry, str) else repr(entry) for entry in value)


def prompt(kind: str, count: int | None, values: Value) -> Prompt:
    """As much of a question as is needed to read an answer to it: `count` options, cells, blanks or lines.

    Without a count there are as many as values.
    """
    if count is None:
        count = len(values) if isinstance(values, list) else 1
    numbered = tuple(f"line {number}" for number in range(1, count + 1))
    interaction: Interaction
    match kind:
        case "choice" | "multi":
            interaction = Pick(tuple(_LETTERS[:count]), many=kind == "multi")
        case "number":
            interaction = Type()
        case "sequence":
            interaction = Table(numbered)
        case "fill":
            interaction = Fill(count)
        case "order":
            interaction = Arrange(numbered)
        case _:
            raise InputError(f"answers to items of the kind `{kind}` cannot be read here", "tell your instructor")
    return Prompt("", kind, "easy", "", Variant(), "", "", interaction, 0)


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
    from grader.run.execute import plain as observed

    found: Value = observed(value)
    return found


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
