"""Cells of a lesson that ask: what they ask, and whether that is about the cell whose output they hold back.

    quiz(items=["third-epoch-rate"])                    asked where it stands
    predict(items=["third-epoch-rate"], variant=0)      asked before the output of the next cell is shown

A topic's practice (`quiz("warmup")`) and an experiment are cells tagged `quiz` too; they are asked where there are
widgets, and other faces pass them over.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from grader.errors import did_you_mean
from grader.model import (
    ASKING,
    Asks,
    Cell,
    Finding,
    Item,
    Lesson,
    LessonQuestion,
    Prediction,
    Proof,
    Prose,
    Span,
    Value,
)
from grader.model import values as model_values
from grader.template import NUMBER

EXAMPLE = '`{name}(items=["ITEM"])`'
ROUNDED = 0.005
"""Relative, for a number of an answer that a cell prints rounded."""


class Problem(NamedTuple):
    """What is wrong with a cell, and what to do."""

    message: str
    hint: str


def read(source: str, tags: Sequence[str]) -> tuple[Asks | None, Problem | None]:
    """What a cell with these tags asks; None where that is no list of items. Nothing is run."""
    name = next((tag for tag in ASKING if tag in tags), None)
    if name is None:
        return None, None
    example = EXAMPLE.format(name=name)
    try:
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    except (SyntaxError, ValueError, RecursionError):
        return None, Problem(f"this cell is tagged `{name}` and is not Python", f"write {example}")
    asking = {node.func.id: node for node in calls if isinstance(node.func, ast.Name)}
    if name not in asking:
        if name == "predict" or "predict" in asking:
            return None, Problem(f"this cell is tagged `{name}` and does not call `{name}`", f"write {example}")
        return None, None
    given = {word.arg: _literal(word.value) for word in asking[name].keywords}
    if "items" not in given:
        if name == "predict":
            return None, Problem("`predict` asks items by their ids", f"write {example}")
        return None, None
    items, variant = given["items"], given.get("variant", 0)
    if not isinstance(items, list) or not items or not all(isinstance(one, str) for one in items):
        return None, Problem("`items` is not a list of ids", f"write {example}")
    if type(variant) is not int or variant < 0:
        return None, Problem("`variant` is not the number of a variant", "they are counted from 0")
    return Asks(tuple(items), variant, name == "predict"), None


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None


def nothing_held(blocks: Sequence[Prose | Cell], path: str) -> list[Finding]:
    """Predictions that no output follows which could be held back."""
    cells = [block for block in blocks if isinstance(block, Cell)]
    found = []
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        if not (cell.asks and cell.asks.predicts) or (after and not after.is_asking):
            continue
        hint = "put it right before the cell that it is about; one `predict` may ask several items"
        found.append(Finding("bad-lesson", "no code cell follows to be predicted", Span(path, cell.line), hint))
    return found


# ---------------------------------------------------------------- is it about that cell?


def asked(lesson: Lesson) -> Iterator[LessonQuestion | Prediction]:
    """The parts of a lesson that ask items."""
    return (part for part in lesson.parts if isinstance(part, LessonQuestion | Prediction))


def unknown(lesson: Lesson, items: Mapping[str, Item], elsewhere: Collection[str] = ()) -> list[Finding]:
    """Findings where an item that is asked is not there, or has no such variant; `elsewhere` are of other torches."""
    found = []
    for part in asked(lesson):
        for name in part.asks.items:
            at = Span(lesson.path, part.cell.line)
            if name in elsewhere:
                continue
            if name not in items:
                hint = did_you_mean(name, items) or "`grader topics` lists what there is"
                found.append(Finding("unknown-item", f"there is no item `{name}`", at, hint))
            elif part.asks.variant >= len(items[name].variants):
                count = len(items[name].variants)
                message = f"`{name}` has no variant {part.asks.variant}"
                found.append(Finding("unknown-item", message, at, f"it has {count}, counted from 0"))
    return found


def not_about(lesson: Lesson, part: Prediction, item: Item, proof: Proof) -> Finding | None:
    """A finding where neither the answer of an item occurs in the cell that it holds back, nor its program."""
    held = part.held
    printed = held.pin.text if held.pin else ""
    if not printed.strip():
        message, hint = "the next cell prints nothing that could be predicted", "print what is asked"
    elif answer_occurs(proof, f"{held.source}\n{printed}") or program_occurs(item, proof, held.source):
        return None
    else:
        variant = f" (variant {part.asks.variant})" if len(item.variants) > 1 else ""
        message = f"neither the answer of `{item.id}`{variant} nor its program occurs in the next cell"
        hint = "ask an item, or a variant, that is about this cell; or print what it asks"
    return Finding("not-in-cell", message, Span(lesson.path, part.cell.line), hint)


def answer_occurs(proof: Proof, text: str) -> bool:
    """Whether all numbers of an answer stand in a text, in order and as rounded there; or all texts of it."""
    keys = [option for option in proof.options if option.key]
    if proof.answer is None and not keys:
        return False
    said = [_words(option.shown) for option in keys] or [_words(str(proof.answer))]
    held = _words(text)
    if all(one and re.search(rf"(?<![\w.])(?:torch\.)?{re.escape(one)}(?![\w.])", held) for one in said):
        return True
    numbers = _numbers(keys[0].value if keys else proof.answer)
    return bool(numbers) and len(keys) <= 1 and _in_order(numbers, re.findall(rf"(?<![\w.]){NUMBER}(?!\w)", text))


def _words(text: str) -> str:
    return " ".join(text.replace("`", "").split())


def _numbers(value: Value) -> list[float]:
    """The numbers of a value; none where there is anything else in it."""
    flat = model_values.flat(model_values.simple(value))
    numbers = [one for one in flat if isinstance(one, int | float) and not isinstance(one, bool)]
    return [float(one) for one in numbers] if len(numbers) == len(flat) else []


def _in_order(wanted: Sequence[float], printed: Sequence[str]) -> bool:
    """Whether numbers stand among others in this order, each to the last place that is printed of it."""
    there = iter(printed)
    return all(any(_is(number, text) for text in there) for number in wanted)


def _is(number: float, text: str) -> bool:
    mantissa, _, exponent = text.lower().partition("e")
    places = len(mantissa.partition(".")[2])
    half = 0.5 * 10.0 ** (int(exponent or 0) - places) if "." in mantissa else 0.0
    return math.isclose(number, float(text), rel_tol=ROUNDED, abs_tol=half + 1e-12)


def program_occurs(item: Item, proof: Proof, source: str) -> bool:
    """Whether every statement of an item's program, imports and printing aside, stands in a cell.

    Its parameters may stand there as their values.
    """
    given = dict(proof.variant.values)
    try:
        own, cell = ast.parse(item.own_program), ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return False
    there = {ast.dump(node) for node in ast.walk(cell) if isinstance(node, ast.stmt)}
    wanted = [node for node in own.body if not isinstance(node, ast.Import | ast.ImportFrom) and not _prints(node)]

    def stands(node: ast.stmt) -> bool:
        filled = ast.unparse(_Filled(given).visit(ast.parse(ast.unparse(node))))
        return ast.dump(node) in there or ast.dump(ast.parse(filled).body[0]) in there

    return bool(wanted) and all(map(stands, wanted))


def _prints(node: ast.stmt) -> bool:
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "print"


class _Filled(ast.NodeTransformer):
    """Puts the values of parameters where their names are read."""

    def __init__(self, given: Mapping[str, Value]) -> None:
        self.given = given

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A name that is a parameter is its value."""
        if node.id in self.given and isinstance(node.ctx, ast.Load):
            return ast.parse(model_values.python(self.given[node.id]), mode="eval").body
        return node
