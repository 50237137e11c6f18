"""Text with `{expressions}` in it: split once when it is read, filled with values when it is shown."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping

from grader.model import Asked, Expr, Inputs, Span, Text, Value


class BadTemplateError(ValueError):
    """A brace that opens no expression; `offset` counts characters from the start of the text."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


def split(source: str, at: Span, place: Callable[[int], Span]) -> Text:
    """The pieces of `source`; `place` gives the span of an offset in it. Doubled braces stand for single ones.

    An expression ends at the first closing brace at which it is whole Python, so that `{ {1: 2}[1] }` works.
    Raises BadTemplateError.
    """
    pieces: list[str | Expr] = []
    plain, offset = "", 0
    while offset < len(source):
        character = source[offset]
        if source[offset : offset + 2] in ("{{", "}}"):
            plain, offset = plain + character, offset + 2
        elif character == "}":
            raise BadTemplateError("a closing brace without an opening one; write `}}` for a plain brace", offset)
        elif character == "{":
            end = _expression_end(source, offset)
            if plain:
                pieces.append(plain)
                plain = ""
            pieces.append(Expr(source[offset + 1 : end].strip(), place(offset + 1)))
            offset = end + 1
        else:
            plain, offset = plain + character, offset + 1
    if plain:
        pieces.append(plain)
    return Text(tuple(pieces), at)


def _expression_end(source: str, start: int) -> int:
    end = source.find("}", start)
    while end != -1:
        if is_expression(source[start + 1 : end]):
            return end
        end = source.find("}", end + 1)
    raise BadTemplateError("this brace opens no Python expression; write `{{` for a plain brace", start)


def is_expression(text: str) -> bool:
    """Whether `text` is one Python expression."""
    return bool(text.strip()) and names_in(text) is not None


def names_in(text: str) -> set[str] | None:
    """The names that an expression uses; None where the text is no expression. It may go over several lines."""
    try:
        tree = ast.parse(f"({text.strip()}\n)", mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def plural(noun: str) -> str:
    """More than one of something: `losses`, `rates`; a word that ends in a single s is one already.

    >>> [plural(noun) for noun in ("epoch", "loss", "steps")]
    ['epochs', 'losses', 'steps']
    """
    if noun.endswith(("ss", "x", "sh", "tch")):
        return f"{noun}es"
    return noun if noun.endswith("s") else f"{noun}s"


def show(value: Value) -> str:
    """A value as a learner reads it: numbers rounded to six significant digits, text without quotes.

    >>> show(0.020000000000000004), show([0.1, 1e-05]), show(True)
    ('0.02', '[0.1, 1e-05]', 'yes')
    """
    match value:
        case bool():
            return "yes" if value else "no"
        case float() if math.isfinite(value):
            return f"{value:.6g}"
        case list():
            return "[" + ", ".join(show(entry) for entry in value) + "]"
        case dict():
            return "{" + ", ".join(f"{key}: {show(entry)}" for key, entry in value.items()) + "}"
        case _:
            return str(value)


def printable(text: str) -> str:
    """A text without control characters: what a program says must not steer the terminal that shows it."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else ascii(character)[1:-1] for character in text
    )


def inputs(named: Inputs) -> str:
    """Names and values in words; of a long list only the start.

    >>> inputs((("base_lr", 0.1), ("losses", [0.9, 0.8, 0.7, 0.6])))
    'base_lr = 0.1, losses = [0.9, 0.8, ...]'
    """
    return ", ".join(f"{name} = {_short(value)}" for name, value in named)


def _short(value: Value) -> str:
    if isinstance(value, list) and len(value) > 3:
        return "[" + ", ".join(show(entry) for entry in value[:2]) + ", ...]"
    return show(value)


def fill(text: Text, values: Mapping[str, Asked]) -> str:
    """The text with each expression replaced by its value; one without a value stays as it was written."""
    return "".join(
        piece if isinstance(piece, str) else _filled(piece, values.get(piece.text)) for piece in text.pieces
    ).strip()


def _filled(expression: Expr, asked: Asked | None) -> str:
    return "{" + expression.text + "}" if asked is None or asked.error else show(asked.value)


NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_EQUATION = re.compile(
    rf"(?<![\w.)\]])(?:{NUMBER}|\()[\d.eE()+\-*/ ]*[+\-*/][\d.eE()+\-*/ ]*=\s*{NUMBER}(?:\s*=\s*{NUMBER})*"
)


def equations(text: str) -> list[tuple[str, bool]]:
    """The arithmetic that a text states, such as `0.1 * 3 / 5 = 0.06`, and whether it is true (relative 1e-5)."""
    found = []
    for match in _EQUATION.finditer(text):
        sides = [side.strip() for side in match.group().split("=")]
        numbers = [_arithmetic(side) for side in sides]
        if all(number is not None for number in numbers):
            first = numbers[0] or 0.0
            true = all(math.isclose(first, number or 0.0, rel_tol=1e-5, abs_tol=1e-12) for number in numbers)
            found.append((match.group().strip(), true))
    return found


def _arithmetic(text: str) -> float | None:
    """The value of an expression of numbers and + - * / ** and parentheses; None for anything else."""
    try:
        return _evaluate(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, ArithmeticError, RecursionError):
        return None


def _evaluate(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_evaluate(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _evaluate(operand)
        case ast.BinOp(left=left, op=operator, right=right):
            one, other = _evaluate(left), _evaluate(right)
            match operator:
                case ast.Add():
                    return one + other
                case ast.Sub():
                    return one - other
                case ast.Mult():
                    return one * other
                case ast.Div():
                    return one / other
                case ast.Pow() if abs(other) <= 1000:
                    return float(one**other)
    raise ValueError("not arithmetic")
