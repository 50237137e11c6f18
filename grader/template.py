"""Text with `{expressions}` in it: split once when it is read, filled with values when it is shown."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, TypeVar

from grader.model import Asked, Expr, Inputs, Span, Text, Value, values

LONGEST_EXPRESSION = 4_000
"""Characters of one expression; longer ones are not looked at."""

MOST_EXPRESSIONS = 200
"""In one text."""

LONGEST_LINE = 1_000
"""Characters of a message in one line, and of one value in a text."""

MOST_BRACES = 24
"""Closing braces that are tried as the end of one expression."""


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
    plain: list[str] = []
    offset = expressions = 0
    while brace := _BRACE.search(source, offset):
        plain.append(source[offset : brace.start()])
        start, found = brace.start(), brace.group()
        if len(found) == 2:
            plain.append(found[0])
            offset = brace.end()
            continue
        if found == "}":
            raise BadTemplateError("a closing brace without an opening one; write `}}` for a plain brace", start)
        if (expressions := expressions + 1) > MOST_EXPRESSIONS:
            raise BadTemplateError(f"a text has at most {MOST_EXPRESSIONS} expressions, and here is one more", start)
        end = _expression_end(source, start)
        pieces += _joined(plain)
        plain = []
        pieces.append(Expr(source[start + 1 : end].strip(), place(start + 1)))
        offset = end + 1
    plain.append(source[offset:])
    return Text((*pieces, *_joined(plain)), at)


_BRACE = re.compile(r"\{\{|\}\}|[{}]")


def _joined(parts: list[str]) -> list[str]:
    text = "".join(parts)
    return [text] if text else []


def _expression_end(source: str, start: int) -> int:
    end, last = start, start + 2 + LONGEST_EXPRESSION
    for _ in range(MOST_BRACES):
        end = source.find("}", end + 1, last)
        if end == -1:
            break
        if is_expression(source[start + 1 : end]):
            return end
    raise BadTemplateError("this brace opens no Python expression; write `{{` for a plain brace", start)


def is_expression(text: str) -> bool:
    """Whether `text` is one Python expression."""
    return bool(text.strip()) and names_in(text) is not None


def names_in(text: str) -> set[str] | None:
    """The names that an expression uses; None where the text is no expression. It may go over several lines."""
    if len(text) > LONGEST_EXPRESSION:
        return None
    try:
        tree = ast.parse(f"({text.strip()}\n)", mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def literal(text: str) -> Asked | None:
    """The value of a Python literal; None for all else. Tuples stay tuples."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None
    return Asked(_plain(value))


def _plain(value: Any) -> Value:
    if isinstance(value, tuple):
        return {"$tuple": [_plain(entry) for entry in value]}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {"$dict": [[_plain(key), _plain(entry)] for key, entry in value.items()]}
    if isinstance(value, complex):
        return {"$complex": [value.real, value.imag]}
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)


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
            return _marked(value)
        case str():
            return printable(value)
        case _:
            return str(value)


def _marked(value: dict[str, Value]) -> str:
    """A value that is no number, text or list, as Python or PyTorch would print it."""
    if (found := values.tensor(value)) is not None:
        return _tensor(found)
    if (named := values.pairs(value)) is not None:
        return "{" + ", ".join(f"{show(key)}: {show(entry)}" for key, entry in named) + "}"
    mark, content = next(iter(value.items()))
    match mark, content:
        case "$tuple", [only]:
            return f"({show(only)},)"
        case "$tuple", list():
            return "(" + ", ".join(map(show, content)) + ")"
        case "$size", list():
            return f"torch.Size({show(content)})"
        case "$set", list():
            return "{" + ", ".join(map(show, content)) + "}" if content else "set()"
        case "$dtype", str():
            return f"torch.{content}"
        case "$complex", [float() | int() as real, float() | int() as imaginary]:
            return f"{real:g}{imaginary:+g}j"
        case "$object", {"text": str() as text}:
            return printable(text)
    return "{" + ", ".join(f"{key}: {show(entry)}" for key, entry in value.items()) + "}"


USUAL = ("float32", "int64", "bool", "complex64")
"""The dtypes that PyTorch does not print."""


def _tensor(found: values.Tensor) -> str:
    usual = ("float64", "int64", "bool", "complex128") if found.array else USUAL
    shown = _entries(found.nested(), found.floating) if found.whole else f"..., size={found.shape}"
    dtype = "" if found.dtype in usual else f", dtype={'' if found.array else 'torch.'}{found.dtype}"
    return f"{'array' if found.array else 'tensor'}({shown}{dtype}{', requires_grad=True' if found.grad else ''})"


def entry(value: Value, floating: bool) -> str:
    """An entry of a tensor: `1.`, `0.25`, `True`, `7`."""
    if isinstance(value, float) and floating:
        text = f"{value:.6g}"
        return f"{text}." if text.lstrip("-").isdigit() else text
    return str(value)


def _entries(value: Value, floating: bool) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_entries(one, floating) for one in value) + "]"
    return entry(value, floating)


CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""A character that steers what shows it: control characters but tab and line feed, other ends of lines, what turns
the direction of writing, halves of characters."""


def printable(text: str) -> str:
    """A text without control characters: what a program or a file says must not steer the terminal that shows it."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in "\n\t" else ascii(character)[1:-1] for character in text
    )


def brief(text: str, most: int = 60) -> str:
    """The first line of a text, at most `most` characters of it."""
    first, *rest = text.splitlines() or [""]
    return first if not rest and len(first) <= most else first[: most - 3] + "..."


def in_a_line(text: str) -> str:
    """A message as one line of a terminal or of a page: printable, and not without end."""
    text = printable(text if len(text) <= LONGEST_LINE else text[:LONGEST_LINE] + "...")
    return text.replace("\n", "\\n").replace("\t", " ")


def inputs(named: Inputs) -> str:
    """Names and values in words; of a long list only the start.

    >>> inputs((("base_lr", 0.1), ("losses", [0.9, 0.8, 0.7, 0.6])))
    'base_lr = 0.1, losses = [0.9, 0.8, ...]'
    """
    return ", ".join(f"{name} = {_short(value)}" for name, value in named)


def _short(value: Value) -> str:
    if values.tensor(value) is not None:
        return values.python(value)
    if isinstance(value, list) and len(value) > 3:
        return "[" + ", ".join(show(entry) for entry in value[:2]) + ", ...]"
    return show(value)


def fill(text: Text, values: Mapping[str, Asked]) -> str:
    """The text with each expression replaced by its value; one without a value stays as it was written."""
    return "".join(
        piece if isinstance(piece, str) else _filled(piece, values.get(piece.text)) for piece in text.pieces
    ).strip()


def _filled(expression: Expr, asked: Asked | None) -> str:
    if asked is None or asked.error:
        return "{" + expression.text + "}"
    shown = show(asked.value)
    return shown if len(shown) <= LONGEST_LINE else shown[:LONGEST_LINE] + "..."


NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
"""Each text is matched in one way only, so that looking for it takes time in proportion to the text."""

LONGEST_SIDE = 200
"""Characters of the side of an equation where something is computed."""

MOST_EQUATIONS = 100
"""In one text."""

_SIDE = frozenset("0123456789.eE()+-*/ ")
_BEGINNING = re.compile(rf"(?<![\w.)\]])(?:{NUMBER}|\()[0-9.eE()+\-*/ ]*[+\-*/]")
_RESULTS = re.compile(rf"=\s*({NUMBER}(?:\s*=\s*{NUMBER})*)")


def equations(text: str) -> list[tuple[str, bool]]:
    """The arithmetic that a text states, such as `0.1 * 3 / 5 = 0.06`, and whether it is true (relative 1e-5).

    Of a text without end only the first part is read: 100 equations, whose computed sides have at most 200 characters.
    """
    found: list[tuple[str, bool]] = []
    read = 0
    for results in _RESULTS.finditer(text):
        first = end = results.start()
        while first > max(read, end - LONGEST_SIDE) and text[first - 1] in _SIDE:
            first -= 1
        if (start := _BEGINNING.search(text, first, end)) is None:
            continue
        sides = [text[start.start() : end].strip(), *(side.strip() for side in results[1].split("="))]
        numbers = [_arithmetic(side) for side in sides]
        read = results.end()
        if all(number is not None for number in numbers):
            value = numbers[0] or 0.0
            true = all(math.isclose(value, number or 0.0, rel_tol=1e-5, abs_tol=1e-12) for number in numbers)
            found.append((text[start.start() : read].strip(), true))
            if len(found) == MOST_EQUATIONS:
                break
    return found


def _arithmetic(text: str) -> float | None:
    """The value of an expression of numbers and + - * / ** and parentheses; None for anything else."""
    try:
        return _evaluate(ast.parse(text, mode="eval").body, float, _power)
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError):
        return None


def _power(one: float, right: ast.expr) -> float:
    other = _evaluate(right, float, _power)
    if abs(other) > 1000:
        raise ValueError("not arithmetic")
    power = one**other
    return math.nan if isinstance(power, complex) else float(power)  # a root of -8 equals no number


LONGEST_CALCULATION = 80
"""Characters of a number that is typed as arithmetic."""

_CALCULATION = re.compile(r"[0-9.eE+\-*/()% \t]+")


def calculated(text: str) -> float:
    """A number that is typed as arithmetic: numbers, + - * / and parentheses, and percent; rounded once, at the end.

    Raises ValueError for anything else, ZeroDivisionError, and OverflowError for what is too large.

    >>> calculated("6/100"), calculated("0.1*0.6"), calculated("6%"), calculated("-(1 - 1/4) / 50%")
    (0.06, 0.06, 0.06, -1.5)
    """
    if len(text) > LONGEST_CALCULATION or not _CALCULATION.fullmatch(text) or "**" in text or "//" in text:
        raise ValueError("not arithmetic")
    try:
        tree = ast.parse(text.strip().replace("%", "**PERCENT"), mode="eval")  # it binds as closely as a power does
        return float(_evaluate(tree.body, _exact, _percent))
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError("not arithmetic") from None


def _exact(number: float) -> Fraction:
    if not math.isfinite(number):
        raise OverflowError("too large")
    return Fraction(repr(number))


def _percent(one: Fraction, right: ast.expr) -> Fraction:
    if isinstance(right, ast.Name) and right.id == "PERCENT":
        return one / 100
    raise ValueError("not arithmetic")


Number = TypeVar("Number", float, Fraction)


def _evaluate(
    node: ast.expr, number: Callable[[float], Number], power: Callable[[Number, ast.expr], Number]
) -> Number:  # fmt: skip
    match node:
        case ast.Constant(value=int() | float() as constant):
            return number(constant)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_evaluate(operand, number, power)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _evaluate(operand, number, power)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return power(_evaluate(left, number, power), right)
        case ast.BinOp(left=left, op=operator, right=right):
            one, other = _evaluate(left, number, power), _evaluate(right, number, power)
            match operator:
                case ast.Add():
                    return one + other
                case ast.Sub():
                    return one - other
                case ast.Mult():
                    return one * other
                case ast.Div():
                    return one / other
    raise ValueError("not arithmetic")
