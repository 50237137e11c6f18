"""Several checks of one answer: what is asked of its runs, which of them it passes, and what its source looks like.

Values are compared with the reference's; a statement (`holds`) is about `run` and what was observed (`run.seen`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from grader.judging.bodies import Check, Pattern, Written
from grader.judging.comparison import Difference, difference
from grader.judging.inputs import seen
from grader.model import Expr, Observation, Status, Value

if TYPE_CHECKING:
    from ast_grep_py import SgNode

MOST_MATCHES = 200
"""Places of a pattern that are looked at."""


def observed(exercise: Written) -> tuple[str, ...]:
    """What is asked of a learner's run: the item's `observe` first, then those of checks, each once."""
    return tuple(
        dict.fromkeys([exercise.observe.text, *(check.observe.text for check in exercise.checks if check.observe)])
    )


def stated(exercise: Written) -> tuple[Expr, ...]:
    """The statements of all checks, as they are asked where the author's own programs run."""
    return tuple(_live(exercise, check.holds) for check in exercise.checks if check.holds)


def asks(exercise: Written) -> tuple[str, ...]:
    """What is asked of the author's own runs: what is observed, then the statements."""
    return (*observed(exercise), *(expression.text for expression in stated(exercise)))


def _live(exercise: Written, holds: Expr) -> Expr:
    """A statement with `run.seen` made of what the program's names are now."""
    if "run.seen" not in holds.text:
        return holds
    named = ", ".join(
        f"{check.name!r}: ({check.observe.text})" for check in exercise.checks if check.observe and check.name
    )
    return Expr(f"[run.see([({exercise.observe.text}), {{{named}}}]), ({holds.text}\n)][1]", holds.at)


def replayed(exercise: Written, holds: Expr, case: Observation) -> str:
    """A statement about an observation, with `run.seen` made of what was observed."""
    if "run.seen" not in holds.text:
        return holds.text
    places = {text: place for place, text in enumerate(observed(exercise))}
    named: list[Value] = [
        [check.name, seen(case, places[check.observe.text])]
        for check in exercise.checks
        if check.observe and check.name
    ]
    data = json.dumps([seen(case), {"$dict": named}])
    return f"[run.see_again({data!r}), ({holds.text}\n)][1]"


# ---------------------------------------------------------------- values


def departure(exercise: Written, check: Check, mine: Observation, right: Observation) -> Difference | None:
    """Where what a check observes parts from the reference's; None where it is the same, or nothing is compared."""
    if check.observe is None:
        return None
    place = observed(exercise).index(check.observe.text)
    return difference(seen(mine, place), seen(right, place), exercise.compare)


def passes(exercise: Written, check: Check, mine: Observation, right: Observation, holds: bool | None = None) -> bool:
    """Whether a case passes a check, its source aside. A statement counts, where there is one, and nothing else then.

    `holds` says whether the statement is true; where it is not given, `mine` was asked it.
    """
    if mine.status is not Status.OK:
        return False
    if check.holds is None:
        return departure(exercise, check, mine, right) is None
    if holds is None:
        place = asks(exercise).index(_live(exercise, check.holds).text)
        holds = place < len(mine.asked) and mine.asked[place].value is True
    return holds


def everything(exercise: Written, run: Observation) -> list[Value]:
    """All that is observed of a case, for telling whether two answers do the same."""
    return [seen(run, place) for place in range(len(observed(exercise)))]


# ---------------------------------------------------------------- source


def looks_right(check: Check, source: str) -> bool:
    """Whether a check's patterns are content with a source."""
    return not any(occurs(pattern, source) for pattern in check.forbid) and all(
        occurs(pattern, source) for pattern in check.require
    )


def occurs(pattern: Pattern, source: str) -> bool:
    """Whether source has this pattern, or another that will do, before or after the one that it may name."""
    if any(occurs(other, source) for other in pattern.others):
        return True
    places = _places(pattern.text, source)
    if pattern.before:
        others = _places(pattern.before, source)
        return bool(places) and bool(others) and min(places)[0] < max(others)[0]
    if pattern.after:
        others = _places(pattern.after, source)
        return bool(places) and bool(others) and max(places)[0] > min(others)[0]
    return bool(places)


def _places(pattern: str, source: str) -> list[tuple[int, int]]:
    """Where a pattern stands in a source: line and column, counted from 0."""
    from ast_grep_py import SgRoot  # parses in bounded time, whatever the source nests

    root = SgRoot(source, "python").root()
    found = [node for one in _with_conditions(pattern) for node in root.find_all(pattern=one)]
    return [(place.line, place.column) for place in (node.range().start for node in found[:MOST_MATCHES])]


def _with_conditions(pattern: str) -> tuple[str, ...]:
    """A pattern, and where it is a comprehension without a condition, the same with one and with two."""
    whole = re.fullmatch(r"([\[({].*\bfor\b.*\bin\b.*)([\])}])", pattern.strip(), re.DOTALL)
    if whole is None or re.search(r"\bif\b", whole[1]):
        return (pattern,)
    return (pattern, *(f"{whole[1]}{conditions}{whole[2]}" for conditions in (" if $_", " if $_ if $_")))


def is_pattern(text: str) -> bool:
    """Whether ast-grep can look for this: it is whole Python, with `$NAME` for any one thing and `$$$` for several."""
    from ast_grep_py import SgRoot

    try:
        root = SgRoot("pass\n", "python").root()
        root.find_all(pattern=text)
        return not _broken(SgRoot(text.replace("$$$", "_any_").replace("$", "_"), "python").root())
    except BaseException:  # noqa: BLE001  (it panics on what it cannot read, which is no Exception)
        return False


def _broken(node: SgNode) -> bool:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one.kind() == "ERROR":
            return True
        waiting += one.children()
    return False


def source_of(parts: Sequence[str]) -> str:
    """What the learner wrote, as it is looked at."""
    return "\n".join(parts)
