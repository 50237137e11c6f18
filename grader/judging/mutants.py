"""Mechanical mistakes: a program with one thing changed, as a check that does its work would notice.

Each mutant is the source with a single edit: a number off by one or doubled, a comparison or an operator turned round,
a cap or a floor dropped, two neighboring statements swapped. The edits are those that mutation testing has found to
stand for real faults (DeMillo, Lipton, Sayward 1978: the coupling effect), cut down to what matters for schedules.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div, ast.Mod: ast.FloorDiv,
}  # fmt: skip
MOST = 24
"""Mutants of one program, at most; spread over the whole of it."""

MOST_WRITTEN = 1_000_000
"""Characters that are written for all mutants of one program; of a long one not every change is tried."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed source, and what was changed in which line."""

    source: str
    what: str
    line: int


@lru_cache(256)
def mutants(source: str) -> tuple[Mutant, ...]:
    """The mutants of a source, each different from it and from the others, in the order of its lines."""
    try:
        found = list(_changed(source))
    except (RecursionError, MemoryError, ValueError):  # nested too deeply to be written out, a number without end
        return ()
    found.sort(key=lambda mutant: mutant.line)
    kept = min(MOST, len(found))
    return tuple(found[place * len(found) // kept] for place in range(kept))


def _changed(source: str) -> Iterator[Mutant]:
    tree = ast.parse(source)
    seen = {ast.unparse(tree)}
    places = [(place, number) for place, node in enumerate(ast.walk(tree)) for number in range(len(list(_edits(node))))]
    tried = min(len(places), max(MOST, MOST_WRITTEN // len(source)))
    for place, number in (places[one * len(places) // tried] for one in range(tried)):
        changed = ast.parse(source)
        target = next(itertools.islice(ast.walk(changed), place, None))
        what, edit = list(_edits(target))[number]
        edit()
        text = ast.unparse(changed)
        if text not in seen:
            seen.add(text)
            yield Mutant(text + "\n", what, getattr(target, "lineno", 1))


def _edits(node: ast.AST) -> Iterator[tuple[str, _Edit]]:
    """What may be changed at one node: a word for it, and the edit."""
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() as value):
            yield f"{value + 1} in place of {value}", _Edit(node, "value", value + 1)
            if value:
                yield f"{value - 1} in place of {value}", _Edit(node, "value", value - 1)
        case ast.Constant(value=float() as value):
            yield f"{2 * value:g} in place of {value:g}", _Edit(node, "value", 2 * value)
        case ast.Compare(ops=[operator]) if type(operator) in COMPARISONS:
            yield "another comparison", _Edit(node, "ops", [COMPARISONS[type(operator)]()])
        case ast.BinOp(op=operator):
            if type(operator) in OPERATORS:
                yield "another operator", _Edit(node, "op", OPERATORS[type(operator)]())
        case ast.Call(func=ast.Name(id="min" | "max" as cap), args=[one, other], keywords=[]):
            for kept in (one, other):
                yield f"a missing `{cap}`", _Edit(node, "func", ast.Name("float", ast.Load()), "args", [kept])
        case ast.IfExp(body=body, orelse=orelse):
            yield "branches swapped", _Edit(node, "body", orelse, "orelse", body)
    for name in ("body", "orelse"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            for place in range(len(block) - 1):
                if all(isinstance(entry, ast.Expr | ast.Assign | ast.AugAssign) for entry in block[place : place + 2]):
                    swapped = [*block[:place], block[place + 1], block[place], *block[place + 2 :]]
                    yield "two statements swapped", _Edit(node, name, swapped)


class _Edit:
    """Sets attributes of a node when it is called."""

    def __init__(self, node: ast.AST, *pairs: object) -> None:
        self.node, self.pairs = node, pairs

    def __call__(self) -> None:
        for name, value in zip(self.pairs[::2], self.pairs[1::2], strict=True):
            setattr(self.node, str(name), value)
