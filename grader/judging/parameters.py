"""Statements about an item's parameters, and what they make, without a run: `p != 0.5`, `k > 2 and mode == "sum"`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from grader.model import Expr, Value, Variant

COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.In: lambda one, many: one in many, ast.NotIn: lambda one, many: one not in many,
}  # fmt: skip
CALCULATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip


class NotPlainError(ValueError):
    """It says more than comparisons of parameters and numbers."""


def is_true(expression: Expr, variant: Variant) -> bool:
    """Whether a statement is true of a variant's parameters. Raises NotPlainError where it says more than that."""
    return calculated(expression, variant) is True


def calculated(expression: Expr, variant: Variant) -> Value:
    """What parameters and numbers make, such as `2 * n` or `(n, 3)`. Raises NotPlainError for more than that."""
    try:
        tree = ast.parse(f"({expression.text}\n)", mode="eval").body
        found: Value = _value(tree, dict(variant.values))
        return {"$tuple": found} if isinstance(tree, ast.Tuple) else found
    except (SyntaxError, TypeError, ArithmeticError, RecursionError, MemoryError) as error:
        raise NotPlainError(str(error)) from None


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return [_value(part, names) for part in parts]
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return not _value(inner, names)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner, names)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in CALCULATIONS:
            one, other = _value(left, names), _value(right, names)
            if not all(isinstance(part, int | float) for part in (one, other)):
                raise NotPlainError("only numbers are calculated with")
            return CALCULATIONS[type(op)](one, other)
        case ast.BoolOp(op=op, values=parts):
            found = [_value(part, names) for part in parts]
            return all(found) if isinstance(op, ast.And) else any(found)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in COMPARISONS for op in ops):
            sides = [_value(side, names) for side in (left, *others)]
            return all(COMPARISONS[type(op)](one, other) for op, one, other in zip(ops, sides, sides[1:], strict=False))
    raise NotPlainError("it is more than a comparison of parameters and numbers")
