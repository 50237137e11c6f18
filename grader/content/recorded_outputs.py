"""Whether what lessons recorded is what their cells print now: what to run, how it is compared, and writing it anew."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Sequence

from grader.model import Cell, Finding, Inline, Lesson, Limits, Observation, Program, Span, Status
from grader.template import CONTROL, NUMBER

LIMITS = Limits(cpu_seconds=100, waiting_seconds=20.0, wall_seconds=240.0, memory_bytes=4 << 30, output_bytes=1 << 20)
"""What all cells of a lesson may use together."""

RECORDING, PROVING = 1, 2
"""The seeds that a lesson is recorded and proven with: one that leaves a seed to chance prints something else then."""

LIBRARIES = ("sklearn.datasets", "sklearn.metrics", "sklearn.preprocessing")
"""What most lessons import, at the price of a second each: a runner of many loads it once."""

TOLERANCE = 1e-4
"""Relative, for numbers in outputs: other processors round otherwise."""

_Report = Callable[[str, str, int, str], None]
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")
_TIME = re.compile(rf"(?<!\d){NUMBER}\s?(?:ns|us|µs|ms|s|sec|seconds?)\b")


def program(lesson: Lesson, seed: int) -> Program:
    """A lesson as a program: its cells and the expressions of its prose, in order."""
    cells = tuple(
        (step.source, step.may_raise) if isinstance(step, Cell) else (step.expression, False) for step in lesson.steps
    )
    return Program("", (), seed, LIMITS, cells=cells)


def printed(step: Cell | Inline, run: Observation) -> str:
    """What a pin records of a step: its output, and the last line of what it raised."""
    lines = [run.stdout.rstrip("\n")] if run.stdout.strip() else []
    if isinstance(step, Cell) and run.error:
        lines.append(str(run.error).splitlines()[0])
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], "\n".join(lines))


def compare(lesson: Lesson, runs: Sequence[Observation]) -> list[Finding]:
    """What is not as it is recorded, in one run of the lesson or several with different seeds."""
    findings: list[Finding] = []

    def report(code: str, message: str, line: int, hint: str) -> None:
        findings.append(Finding(code, message, Span(lesson.path, line), hint))

    steps = lesson.steps
    for run in runs:
        if run.status is Status.NOT_RUN or (steps and not run.cases):
            said = run.note or run.status.value
            code = "not-run" if run.status is Status.NOT_RUN else "over-limit"
            report(code, f"the lesson did not come to its end: {said}", 1, "see `grader doctor`, or make it smaller")
            return findings
    for place, step in enumerate(steps):
        seen = [run.cases[place] for run in runs if place < len(run.cases)]
        if not seen:
            break
        found = len(findings)
        _judge_step(step, seen, report)
        if len(findings) > found and seen[0].error:
            break  # the rest was not run, or follows from this
    return findings


def _judge_step(step: Cell | Inline, seen: Sequence[Observation], report: _Report) -> None:
    first = seen[0]
    outputs = [printed(step, run) for run in seen]
    if first.error and not (isinstance(step, Cell) and step.may_raise):
        line = step.line + (first.error.line or 1) - 1
        code = f" in `{first.error.code}`" if first.error.code else ""
        hint = "fix it, or tag the cell `raises-exception`" if isinstance(step, Cell) else "fix the expression"
        report("program-raises", f"the cell raises {first.error}{code}", line, hint)
        return
    if isinstance(step, Cell) and step.may_raise and not first.error:
        report(
            "program-raises", "the cell is tagged `raises-exception` and raises nothing", step.line, "remove the tag"
        )
    for warning in first.warnings[:1]:
        line = step.line + (warning.line or 1) - 1
        report("program-warns", f"the cell warns: {warning.message.splitlines()[0]}", line, "fix it")
    if any(differing(outputs[0], other) is not None for other in outputs[1:]):
        message = "two runs of the lesson printed different things here"
        report("not-deterministic", message, step.line, "seed it in a cell: torch.manual_seed(0)")
        return
    recorded, line = _recorded(step)
    if recorded is None:
        if outputs[0]:
            what = "the cell prints something" if isinstance(step, Cell) else f"`{step.expression}` has a value"
            report("pin-differs", f"{what}, and nothing is recorded", step.line, "run `grader pin` on this file")
    elif (place := differing(recorded, outputs[0])) is not None:
        hint = "run `grader pin`, and read what changed"
        report("pin-differs", _said(recorded, outputs[0], place), line + place, hint)


def _recorded(step: Cell | Inline) -> tuple[str | None, int]:
    """What is recorded of a step, and the line where that begins."""
    if isinstance(step, Inline):
        return step.pin, step.line
    return (step.pin.text, step.pin.first) if step.pin else (None, step.line)


def _said(recorded: str, output: str, place: int) -> str:
    old, new = (dict(enumerate(text.splitlines())).get(place) for text in (recorded, output))
    if old is None:
        return f"the cell prints one more line: {new}"
    if new is None:
        return f"the cell no longer prints: {old}"
    return f"recorded is `{old.strip()}`, the run says `{new.strip()}`"


def differing(recorded: str, output: str) -> int | None:
    """The first line (from 0) in which two outputs differ, numbers by more than a tolerance; None where none does."""
    ours, its = recorded.rstrip().splitlines(), output.rstrip().splitlines()
    for place in range(max(len(ours), len(its))):
        if place >= len(ours) or place >= len(its) or not _same(ours[place], its[place]):
            return place
    return None


def _same(one: str, other: str) -> bool:
    one, other = (_TIME.sub("(time)", _ADDRESS.sub("(address)", text)).rstrip() for text in (one, other))
    if one == other:
        return True
    pattern = rf"(?<![\w.])({NUMBER})(?!\w)"
    ours, its = re.split(pattern, one), re.split(pattern, other)
    if len(ours) != len(its) or [part.split() for part in ours[::2]] != [part.split() for part in its[::2]]:
        return False
    pairs = zip(map(float, ours[1::2]), map(float, its[1::2]), strict=True)
    return all(math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=1e-6) for a, b in pairs)


def rewritten(lesson: Lesson, run: Observation) -> str:
    """The lesson's text with what a run printed recorded in it: the last one is written first, so that places hold."""
    lines = list(lesson.lines)
    pairs = list(zip(lesson.steps, run.cases, strict=False))
    for step, seen in reversed(pairs):
        output = printed(step, seen)
        if isinstance(step, Inline):
            line = lines[step.line - 1]
            role = line[: step.start]
            if step.pin is None or differing(step.pin, output) is not None:
                lines[step.line - 1] = f"{role}<!-- {output} -->{line[step.end :]}"
        elif step.pin is None:
            if output:
                lines[step.end : step.end] = ["", "```output", *output.splitlines(), "```"]
        elif not output:
            del lines[step.end : step.pin.last + 1]
        elif differing(step.pin.text, output) is not None:
            lines[step.pin.first - 1 : step.pin.last] = output.splitlines()
    return "\n".join(lines) + "\n"


def difference(path: str, before: str, after: str) -> str:
    """What a rewrite changes, as a unified diff; empty where it changes nothing."""
    return "".join(
        difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), path, path, n=1)
    )
