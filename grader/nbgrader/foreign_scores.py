"""The points of a graded cell, from what it left behind when it ran: nbgrader's rules without its accidents.

nbgrader gives all points for whatever it cannot read as a number from 0 on, so that NaN, -1, False and `tensor(0.1)`
are full marks, and none for a warning. Here points come from a number that can be read, from an error, or from the
fact that a cell ran to its end and showed no value, or one that is clearly no score, such as
`<All keys matched successfully>`; all else is left to a person, with the reason. docs/teaching.md has the table.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbgrader import utils

from grader import template

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_ABOUT_A_TENSOR = r"(?:, (?:dtype=[\w.]+|device='[\w:]+'|requires_grad=True|grad_fn=<\w+>))*"
_SHOWN = re.compile(
    rf"(?P<plain>{_NUMBER})|np\.(?:float|u?int)\d+\((?P<numpy>{_NUMBER})\)"
    rf"|(?:tensor|array)\((?P<tensor>{_NUMBER}){_ABOUT_A_TENSOR}\)",
    re.ASCII,
)
"""A number as Python, NumPy and PyTorch show it: one value, and nothing around it."""

_OBJECT = r"<[^<>]+>"
_QUOTED = r"'[^'\\]*'|\"[^\"\\]*\""
_NO_SCORE = re.compile(
    rf"(?P<figure><Figure size \d+x\d+ with \d+ Axes>|Text\({_NUMBER}, {_NUMBER}, (?:{_QUOTED})\))"
    rf"|{_OBJECT}|\[{_OBJECT}(?:,\s+{_OBJECT})*\]|{_QUOTED}|[A-Z]\w*\(\)"
    r"|(?P<module>[A-Z]\w*\(\n(?: +\(\w+\): .*\n| +\)\n)+\))",
    re.ASCII,
)
"""What is shown of objects, sentences, plots and networks."""

_ADDRESS = re.compile(r"\b0x[0-9a-f]+\b")
_DOUBTFUL = re.compile(
    r"(?<![A-Za-z_])\d|\b(?:true|false|nan|inf|infinity|none|not?|fail\w*|wrong|incorrect\w*|errors?)\b", re.IGNORECASE
)
"""What may be a score, or says that something was not right: a number that is no part of a name, and some words."""

SLACK = 1e-9
"""How far a sum of points may be out of range by rounding, as a share of the most that there is."""

LONGEST = 120
"""Characters of what a cell showed or raised that are told."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What a graded cell is worth, and why."""

    points: float | None
    """None is left to a person."""
    most: float
    reason: str = ""
    """In a few words, where points are lost or a person has to look; empty where there is nothing to say."""

    @property
    def told(self) -> str:
        """Points and reason as one line; empty where there is nothing to say."""
        if not self.reason:
            return ""
        if self.points is None:
            return f"Left to be graded by a person: {self.reason}"
        return f"{self.points:.4g} of {self.most:g} points: {self.reason}"


def score(cell: Mapping[str, Any]) -> Scored:
    """The points of a graded cell with its outputs. Raises ValueError where the cell is not graded."""
    if not utils.is_grade(cell):
        raise ValueError("the cell is not graded")
    marks = cell["metadata"]["nbgrader"]
    most = float(marks["points"])
    if utils.is_solution(cell):  # an answer that a person reads; nobody wrote one where nothing has changed
        empty = "checksum" in marks and marks["checksum"] == utils.compute_checksum(cell)
        return Scored(0.0 if empty else None, most)
    if cell["cell_type"] != "code":
        return Scored(None, most)
    return _of_outputs(cell, most)


def _of_outputs(cell: Mapping[str, Any], most: float) -> Scored:
    outputs: Sequence[Mapping[str, Any]] = cell.get("outputs") or ()
    for output in outputs:
        if output["output_type"] == "error":
            return Scored(0.0, most, error(output))
    if not outputs and cell.get("execution_count") is None and cell["source"].strip():
        return Scored(None, most, "the cell was not run")
    results = [_text(output) for output in outputs if output["output_type"] == "execute_result"]
    if not results:
        return Scored(most, most)
    read = [_points(text, most) for text in results]
    first = read[0]
    if any(one != first for one in read[1:]):
        return Scored(None, most, "the cell shows several values, which are not the same")
    return first


def _text(output: Mapping[str, Any]) -> str:
    """What a result shows as plain text; the lines of a list together."""
    shown = (output.get("data") or {}).get("text/plain") or ""
    return "".join(map(str, shown)) if isinstance(shown, list | tuple) else str(shown)


def _points(text: str, most: float) -> Scored:
    """The points that a shown value stands for."""
    shown = text.strip()
    found = _SHOWN.fullmatch(shown)
    if not found and no_score(shown):
        return Scored(most, most)
    if not found:
        return Scored(
            None, most, f"its value is {brief(shown)}, which is not a number of points" if shown else _NO_TEXT
        )
    points = float(next(filter(None, found.groups())))
    if not math.isfinite(points) or not -SLACK * most <= points <= most * (1 + SLACK):
        return Scored(None, most, f"its value is {brief(shown)}, and the cell has from 0 to {most:g} points")
    points = min(max(points, 0.0), most)
    return Scored(points, most, "" if points == most else "partial credit, from the value of the last line")


def no_score(shown: str) -> bool:
    """Whether a shown value is clearly none, so that the cell has just run to its end: nothing in it may be a score."""
    found = _NO_SCORE.fullmatch(shown)
    if not found:
        return False
    return bool(found["figure"] or found["module"] or not _DOUBTFUL.search(_ADDRESS.sub("", shown)))


_NO_TEXT = "its value has no text"


def error(output: Mapping[str, Any]) -> str:
    """The name of an error, and the first line of its message."""
    name, message = str(output.get("ename") or "Error"), str(output.get("evalue") or "")
    if name == "CellTimeoutError":
        return "the cell was stopped, since it did not come to an end in time"
    said = next((line for line in message.splitlines() if line.strip()), "")
    return brief(f"{name}: {said.strip()}" if said else name)


def brief(text: str) -> str:
    """Text of a notebook on one line, without control characters, cut to what can be read at a glance."""
    line = " ".join(template.printable(text).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
