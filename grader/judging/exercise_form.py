"""What is wrong with an exercise as it is written, before anything is run: its statements, checks, patterns, inputs."""

from __future__ import annotations

import ast
import builtins
import keyword
import math
from collections.abc import Iterable

from grader.judging import checks, claims
from grader.judging.bodies import Pattern, TensorDraw, Written, written
from grader.judging.claim_form import check_where
from grader.judging.claims import Findings
from grader.judging.inputs import sizes
from grader.model import (
    Expr,
    Item,
)
from grader.runner.inside.helpers import HELPERS
from grader.template import brief


def check_holds(item: Item, findings: Findings) -> None:
    """`holds` speaks of the observation alone: it is asked where the program's own names are not."""
    for holds in (check.holds for check in written(item).checks):
        if holds is not None:
            _check_names(item, holds, findings)


def _check_names(item: Item, holds: Expr, findings: Findings) -> None:
    inputs = {name for given in written(item).given for name, _ in given}
    known = {"run", "torch", *HELPERS, *vars(builtins), *(name for name, _ in item.variants[0].values), *inputs}
    tree = ast.parse(f"({holds.text}\n)", mode="eval")
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    known |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
    known |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for name in sorted({node.id for node in names} - known):
        message = f"`holds` uses `{name}`, which is not known outside of the learner's program"
        hint = "use `run`, the parameters and the helpers; what `observe` names is in `run.seen`"
        findings.add("bad-expression", message, holds.at, hint)


def check_checks(item: Item, findings: Findings) -> None:
    """Each check says one thing, under a name of its own, in patterns that can be looked for."""
    exercise = written(item)
    names = [check.name for check in exercise.checks if check.name]
    if len(set(names)) < len(names):
        findings.add("bad-field", "two checks have the same name", exercise.at, "give each its own")
    for check in exercise.checks:
        kinds = [n for n in ("observe", "holds", "forbid", "require") if getattr(check, n)]
        if check.name and len(kinds) != 1:
            message = f"the check `{check.name}` has {' and '.join(kinds) or 'nothing to judge by'}"
            findings.add("bad-field", message, check.at, "give it one of `observe`, `holds`, `forbid`, `require`")
        patterns = (*check.forbid, *check.require)
        _check_patterns(patterns, findings)
    _check_patterns([one.looks for one in exercise.wrong if one.looks], findings)
    for one in exercise.wrong:
        if one.where is not None:
            check_where(item, one.where, findings)


def _check_patterns(patterns: Iterable[Pattern], findings: Findings) -> None:
    for pattern in (one for first in patterns for one in (first, *first.others)):
        for text in (pattern.text, pattern.before, pattern.after):
            if text and not checks.is_pattern(text):
                hint = "write Python with `$NAME` for any one thing and `$$$` for several: `for $X in $Y: $$$`"
                findings.add("bad-field", f"`{brief(text)}` is not a pattern of source", pattern.at, hint)


def check_cases(item: Item, findings: Findings) -> None:
    """Names of inputs are the same in every case, and those that are drawn are among them."""
    check_holds(item, findings)
    check_checks(item, findings)
    exercise = written(item)
    names = [name for name, _ in exercise.given[0]]
    for inputs in exercise.given:
        if {name for name, _ in inputs} != set(names):
            message = "the cases have not all the same names"
            findings.add("bad-field", message, exercise.at, "give each case every name")
    hidden = {one.name for one in exercise.hidden} - sizes(exercise)
    if hidden and hidden != set(names):
        message = f"hidden cases draw {', '.join(sorted(hidden))}; given ones have {', '.join(names) or 'no names'}"
        findings.add("bad-field", message, exercise.at, "draw each name that a given case has")
    for name in names:
        if not name.isidentifier() or keyword.iskeyword(name):
            findings.add("bad-field", f"`{name}` cannot be an input", exercise.at, "use a plain Python name")
    if item.program.count(claims.ANSWER) > 1:
        message = f"`{claims.ANSWER}` stands twice in the program"
        findings.add("bad-field", message, item.program_at or item.at, "keep one of them")
    for one in exercise.hidden:
        if one.tensor is not None:
            _check_tensor_draw(exercise, one.name, one.tensor, findings)
        elif not (math.isfinite(one.low) and math.isfinite(one.high)):
            message = f"`{one.name}` is drawn from {one.low} to {one.high}"
            findings.add("bad-field", message, exercise.at, "give both ends as numbers")
        elif not one.values and one.low >= one.high:
            message = f"`{one.name}` is drawn from {one.low} to {one.high}"
            findings.add("bad-field", message, exercise.at, "write `{from: 2, to: 9}`, the smaller one first")
    if taken := {name for name, _ in item.variants[0].values} & set(names):
        message = f"`{min(taken)}` is a parameter and an input of the cases"
        findings.add("bad-field", message, exercise.at, "give one of them another name")
    try:
        ast.parse(exercise.reference[0])
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        nested = isinstance(error, RecursionError | MemoryError)
        said = "it is nested too deeply" if nested else str(error)
        said = f"{error.msg}, in its line {error.lineno}" if isinstance(error, SyntaxError) else said
        findings.add("reference-fails", f"the reference is not Python: {said}", exercise.at, "fix it")


MOST_ENTRIES = 4096
"""Of a tensor that is drawn."""


def _check_tensor_draw(exercise: Written, name: str, one: TensorDraw, findings: Findings) -> None:
    whole = {
        draw.name for draw in exercise.hidden
        if draw.tensor is None and all(type(v) is int for v in (draw.values or (draw.low, draw.high)))
    }  # fmt: skip
    for size in one.shape:
        if isinstance(size, str) and size not in whole:
            message = f"the shape of `{name}` names `{size}`, which is not a whole number that is drawn"
            findings.add("bad-field", message, exercise.at, "draw it too: `{from: 2, to: 5}`")
    sizes = [max(size) if isinstance(size, tuple) and size else size for size in one.shape]
    if math.prod(size for size in sizes if isinstance(size, int)) > MOST_ENTRIES or () in one.shape:
        message = f"`{name}` is drawn with more than {MOST_ENTRIES:,} entries, or with none to choose a size from"
        findings.add("bad-field", message, exercise.at, "draw a smaller tensor")
    if one.low >= one.high and one.dtype != "bool":
        message = f"the entries of `{name}` are drawn from {one.low} to {one.high}"
        findings.add("bad-field", message, exercise.at, "write the smaller one first")
