"""Marking an answer that is run: right or not, by which mistake, and where it departs from what it should be.

An answer is put into the item's program, and what is observed of it is compared, here and not where it ran, with what
is observed of the author's reference on the same inputs; or, where the item has a `holds`, that is asked of the
observation in a process of its own. Nothing that is expected ever enters the learner's process.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from grader import template
from grader.judging import checks, claims, comparison, diagnosis, exercises, given
from grader.judging.answer_remarks import ended, first_sentence, mishap, overwritten, own_line, raised, unwelcome
from grader.judging.bodies import Check, Written, Wrong, written
from grader.judging.exercises import first_trouble, passes_itself
from grader.judging.inputs import draw, preludes, seen, smaller
from grader.model import (
    Chart,
    Checked,
    CheckScore,
    Expr,
    Grids,
    Inputs,
    Item,
    Limits,
    Observation,
    Outcome,
    Program,
    Proof,
    Response,
    Score,
    Status,
    Variant,
    values,
)
from grader.render import charts
from grader.runner import Runner

LIMITS = Limits(cpu_seconds=4, memory_bytes=1 << 30, output_bytes=256 << 10)
"""What the answer of a learner may use, all its cases together."""

Submit = Callable[[Program], Future[Observation]]

REDRAWS = 5
"""How often hidden inputs are drawn, until the reference can take them."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Where answers are run, and the seed of the hidden inputs: drawn after the answer was read."""

    runner: Callable[[], Runner]
    seed: int
    by: str | None = "me"
    """Whose answers they are, for the runner's queue; None where nobody waits for them, as in grading a class."""
    recall: Callable[[], Runner] | None = None
    """Where the reference is run, if it is to be remembered what that did with the same inputs."""

    @property
    def submit(self) -> Submit:
        """How their programs are run."""
        return functools.partial(self.runner().submit, by=self.by)

    @property
    def submit_reference(self) -> Submit:
        """How the reference is run."""
        return functools.partial((self.recall or self.runner)().submit, by=self.by)


@dataclass(frozen=True, slots=True)
class _Marked:
    """An answer that was run beside the reference."""

    run: Observation
    right: Observation
    checked: tuple[Checked, ...]
    table: list[list[bool]]
    """For each check, whether each case passes it; its source aside."""
    sourced: list[bool]
    """For each check, whether its patterns are content."""
    count: int
    """How many cases there are; some may not have come to an end."""

    def shares(self) -> list[float]:
        """For each check the share of cases that pass it; half of that where its patterns are not content."""
        parts = zip(self.table, self.sourced, strict=True)
        return [sum(row) / self.count * (1.0 if content else 0.5) for row, content in parts]


def _scores(exercise: Written, marked: _Marked) -> tuple[CheckScore, ...]:
    """What each check with a name says, and its points."""
    if exercise.plain:
        return ()
    found = []
    values_of = [row for check, row in zip(exercise.checks, marked.table, strict=True) if check.observe or check.holds]
    works = not values_of or any(map(any, values_of))
    rows = zip(exercise.checks, marked.table, marked.shares(), marked.sourced, strict=True)
    for check, row, share, content in rows:
        patterns = bool(check.forbid or check.require)
        passed = float(content) if patterns else share
        says = check.says if patterns or passed == 1.0 or _judged(exercise, check, marked.run, row) else ""
        earned = passed if works or not patterns else 0.0  # to do nothing without a loop is worth nothing
        found.append(CheckScore(check.name, passed == 1.0, check.points * earned, check.points, says))
    return tuple(found)


def _judged(exercise: Written, check: Check, run: Observation, row: Sequence[bool]) -> bool:
    """Whether a check failed a case for what it did, and not because it did not come so far."""
    for case, passed in zip(run.cases, row, strict=False):
        value = seen(case, checks.observed(exercise).index(check.observe.text)) if check.observe else None
        if not passed and case.status is Status.OK and not (isinstance(value, dict) and "raised" in value):
            return True
    return False


def _points(exercise: Written, marked: _Marked) -> float:
    """Points of all, from 0 to 1."""
    if scores := _scores(exercise, marked):
        return sum(one.points for one in scores) / sum(one.of for one in scores)
    return marked.shares()[0] if exercise.holds is None or all(marked.table[0]) else 0.0


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    """Run an answer beside the reference, and say what is the matter with it."""
    exercise, variant = written(item), proof.variant
    submit = marker.submit
    cases, run, right = _run(item, proof, response, marker)
    for observation in (run, right):
        if observation.status is Status.NOT_RUN:
            return Score(Outcome.NOT_RUN, None, feedback=observation.note or "the answer could not be run")
    if not passes_itself(item, right, len(cases), holds=False):
        return Score(Outcome.NOT_RUN, None, feedback=f"the reference did not run: {first_trouble(right)}")
    trouble = next((case for case in run.cases if case.error), run)
    if trouble.error and trouble.error.before_running:
        line = own_line(item, variant, cases[0], response.parts, trouble.error.line)
        place = f" in line {line}" if line else ""
        # Python names lines of the whole program in its messages, which are not the learner's.
        said = re.sub(r" on line \d+$| \(detected at line \d+\)", "", trouble.error.message)
        pasted = any(re.match(r"\s*(>>>|```)", line) for line in "\n".join(response.parts).split("\n"))
        more = "; paste the code alone, without `>>>` and fences" if pasted else ""
        return Score(Outcome.UNREADABLE, None, feedback=f"this is not Python{place}: {said}{more}")
    source = checks.source_of(response.parts)
    if said := mishap(item, cases[0], response, trouble):
        return Score(Outcome.UNREADABLE, None, feedback=said)
    table: list[list[bool]] = []
    for check in exercise.checks:
        known = zip(preludes(variant, cases), run.cases, strict=False)
        told = [_holds(submit, item, prelude, check.holds, case) if check.holds else None for prelude, case in known]
        if check.holds and None in told:
            return Score(Outcome.NOT_RUN, None, feedback="the answer was run, but what it did could not be judged")
        pairs = zip(run.cases, right.cases, told, strict=False)
        table.append([checks.passes(exercise, check, case, its, holds) for case, its, holds in pairs])
    checked = tuple(
        Checked(inputs, all(row[place] for row in table), seen(case), seen(its), place >= len(exercise.given))
        for place, (inputs, case, its) in enumerate(zip(cases, run.cases, right.cases, strict=False))
    )
    sourced = [checks.looks_right(check, source) for check in exercise.checks]
    marked = _Marked(run, right, checked, table, sourced, len(cases))
    if len(checked) == len(cases) and all(entry.passed for entry in checked) and all(sourced):
        return _right(item, marked)
    return _wrong(item, proof, response, submit, marked, cases)


def _run(item: Item, proof: Proof, response: Response, marker: Marker) -> tuple[list[Inputs], Observation, Observation]:
    """The cases, and what was observed of the answer and of the reference.

    Inputs that the reference itself cannot take are drawn again. A case that raises where the first did not is run once
    more by itself: what an earlier case left in the process may have been in its way.
    """
    exercise, variant, submit = written(item), proof.variant, marker.submit
    for attempt in range(REDRAWS):
        cases = [*exercise.given, *draw(exercise, f"{marker.seed}\0{item.id}\0{attempt}", exercise.draws)]
        answer = start_run(submit, item, variant, response.parts, cases, LIMITS)
        right = start_run(marker.submit_reference, item, variant, exercise.reference, cases, claims.LIMITS).result()
        run = answer.result()
        if right.status is Status.NOT_RUN or passes_itself(item, right, len(cases), holds=False):
            break
    if run.cases and not run.cases[0].error:
        again = {
            place: start_run(submit, item, variant, response.parts, [cases[place]], LIMITS)
            for place, case in enumerate(run.cases)
            if case.error
        }
        alone = {place: future.result().cases for place, future in again.items()}
        mended = [alone[place][0] if alone.get(place) else case for place, case in enumerate(run.cases)]
        run = replace(run, cases=tuple(mended))
    return cases, run, right


def start_run(
    submit: Submit, item: Item, variant: Variant, parts: Sequence[str], cases: Sequence[Inputs], limits: Limits
) -> Future[Observation]:
    asks = checks.observed(written(item))
    source = claims.assemble(item, parts)
    return submit(given.program(item, source, asks, limits, preludes(variant, cases)))


def _holds(submit: Submit, item: Item, prelude: str, holds: Expr, case: Observation) -> bool | None:
    """Whether `holds` is true of an observation and of what was set before, asked where the learner's code never was.

    None where it could not be asked.
    """
    if case.status is not Status.OK:
        return False
    asked = checks.replayed(written(item), holds, case)
    program = Program(f"import torch\n{prelude}", (asked,), claims.SEEDS[0], claims.LIMITS, replay=case)
    judged = submit(program).result()
    if judged.status is not Status.OK:
        return None
    return bool(judged.asked) and judged.asked[0].value is True


def _right(item: Item, marked: _Marked) -> Score:
    exercise = written(item)
    warned = next((warning.message for case in marked.run.cases for warning in case.warnings), "")
    details = [f"It works, but PyTorch warns: {first_sentence(warned)}"] if warned else []
    if other := next(
        (one for one in marked.checked if values.tensor(one.yours) and not values.tensor(one.right)), None
    ):
        wanted = values.sort_of(other.right)
        details.append(
            f"The numbers are right. Yours is {values.sort_of(other.yours)}, where {wanted} would have been enough."
        )
    table = _scores(exercise, marked)
    return Score(Outcome.CORRECT, 1.0, details=tuple(details), checked=marked.checked, run=marked.run, table=table)


def _wrong(
    item: Item, proof: Proof, response: Response, submit: Submit, marked: _Marked, cases: Sequence[Inputs]
) -> Score:
    """Which mistake it is, or where it departs from what it should be."""
    exercise, run, checked = written(item), marked.run, marked.checked
    unchanged = _is_starter(exercise, response.parts)
    points = 0.0 if unchanged else _points(exercise, marked)
    outcome = Outcome.PARTLY if points else Outcome.INCORRECT
    mistake = _mistake(item, proof, submit, marked, cases, checks.source_of(response.parts))
    if not run.cases:
        return Score(outcome, 0.0, mistake, ended(run, given.limits_of(item, LIMITS)), run=run)
    table = _scores(exercise, marked)
    if unchanged:  # what it passes is not the learner's doing
        table = tuple(replace(one, points=0.0) for one in table)
    place = next((place for place, entry in enumerate(checked) if not entry.passed), None)
    if place is None:  # of what it does nothing is wrong
        source = checks.source_of(response.parts)
        pairs = zip(exercise.checks, marked.sourced, strict=True)
        details = [unwelcome(check, source) for check, content in pairs if not content]
        return Score(outcome, points, mistake, "", tuple(details), None, checked, run, table=table)
    if run.cases[place].error is None:
        place, cases, marked = _smallest(item, proof, response, submit, marked, cases, place)
    case, failed = marked.run.cases[place], marked.checked[place]
    details = []
    chart = grids = None
    if case.error:
        line = own_line(item, proof.variant, failed.inputs, response.parts, case.error.line)
        details += raised(case, line, claims.assemble(item, response.parts))
    elif isinstance(failed.yours, dict) and "raised" in failed.yours:
        details.append(f"Your code ran, but what it left cannot be read: {failed.yours['raised']}.")
    else:
        said, chart, grids = _departure(exercise, marked, place)
        details.append(said)
        details += [
            f"PyTorch warns: {first_sentence(warning.message)}" for warning in case.warnings[:1] if mistake is None
        ]
    if failed.inputs and details:
        shown = template.inputs(failed.inputs)
        details[0] = (
            f"With `{shown}`: {details[0]}"
            if "tensor(" in shown
            else f"With {shown}: {details[0][0].lower()}{details[0][1:]}"
        )
    if mistake is None and (name := overwritten(item, failed.inputs, response.parts)):
        details.append(f"Your code gives `{name}` another value, in place of the one that the program starts with.")
    count = sum(entry.passed for entry in checked)
    if count and not case.error and all(entry.passed for entry in checked if not entry.hidden):
        only = "It is right for the inputs that were shown, and not for others."
        details.insert(0, f"{only} Work from the names of the inputs, not from their values.")
    return Score(outcome, points, mistake, "", tuple(details), chart, checked, run, table=table, grids=grids)


def _is_starter(exercise: Written, parts: Sequence[str]) -> bool:
    """Whether an answer is what was shown, as it was."""
    shown, given = (
        [line.rstrip() for line in text.splitlines() if line.strip()]
        for text in (exercise.starter, checks.source_of(parts))
    )
    return bool(shown) and shown == given


def _departure(exercise: Written, marked: _Marked, place: int) -> tuple[str, Chart | None, Grids | None]:
    """What the first check that a case fails has to say of it: its words, and where the values part."""
    case, its = marked.run.cases[place], marked.right.cases[place]
    number = next(number for number, row in enumerate(marked.table) if not row[place])
    check = exercise.checks[number]
    looked = check if check.observe else replace(check, observe=exercise.observe)
    found = checks.departure(exercise, looked, case, its) if looked.observe else None
    says = check.says
    if found is None:
        shown = f"It gives the right {template.plural(exercise.shows)}, but that is not all that is asked."
        return says or shown, None, None
    if check.holds and (exercise.starter or not exercise.plain):  # the reference's value is one of many right ones
        given = template.brief(template.show(seen(case)), 120).removesuffix("...")
        shown = f"`{check.name}` does not hold." if check.name else f"It does not do what is asked. It gives {given}."
        return says or shown, None, None
    mine, wanted = found.yours, found.right
    chart = None
    if not found.path and diagnosis.curve(mine) and diagnosis.curve(wanted):
        chart = charts.comparison(mine, wanted, exercise.shows, exercise.counts)
    if says and isinstance(wanted, bool):
        return says, None, None
    said = diagnosis.difference(found, exercise.shows, exercise.counts, exercise.compare)
    return " ".join(part for part in (says, said) if part), chart, diagnosis.grids(found)


MOST_SHRINKS = 2
"""Rounds of smaller inputs that are tried, where a hidden tensor shows a mistake."""


def _smallest(
    item: Item, proof: Proof, response: Response, submit: Submit, marked: _Marked, cases: Sequence[Inputs], place: int
) -> tuple[int, Sequence[Inputs], _Marked]:
    """The same failure with a smaller input, where the input is a drawn tensor and a smaller one shows it too."""
    exercise = written(item)
    if exercise.holds or not exercise.plain or place < len(exercise.given):
        return place, cases, marked
    for _ in range(MOST_SHRINKS):
        tried = smaller(marked.checked[place].inputs, exercise)
        if not tried:
            break
        answer = start_run(submit, item, proof.variant, response.parts, tried, LIMITS)
        right = start_run(submit, item, proof.variant, exercise.reference, tried, claims.LIMITS).result()
        run = answer.result()
        pairs = list(zip(tried, run.cases, right.cases, strict=False))
        failing = [
            number for number, (_, case, its) in enumerate(pairs)
            if its.status is Status.OK and case.status is Status.OK
            and not checks.passes(exercise, exercise.checks[0], case, its)
        ]  # fmt: skip
        if not failing:
            break
        number = min(failing, key=lambda one: _weight(tried[one]))
        inputs, case, its = pairs[number]
        one = Checked(inputs, False, seen(case), seen(its), hidden=True)
        single = replace(run, cases=(case,)), replace(right, cases=(its,))
        marked = replace(marked, run=single[0], right=single[1], checked=(one,), table=[[False]])
        place, cases = 0, [inputs]
    return place, cases, marked


def _weight(inputs: Inputs) -> tuple[int, int]:
    """How large inputs are: entries, and those that are not 0."""
    found = [tensor for _, value in inputs if (tensor := values.tensor(value))]
    return sum(len(one.data) for one in found), sum(entry != 0 for one in found for entry in one.data)


def _mistake(
    item: Item, proof: Proof, submit: Submit, marked: _Marked, cases: Sequence[Inputs], source: str
) -> str | None:
    """The listed mistake that does the same in every case, and whose source looks like this one, where it says how.

    Of several that do the same, one without a look of its own is not said: it may be another one.
    """
    exercise, listed = written(item), exercises.wrong(item, proof.variant)
    if not listed or not marked.checked:
        return None
    yours = [checks.everything(exercise, case) for case in marked.run.cases]
    # What each gives for the first inputs was seen when the item was proven; only those that agree there are run.
    known = [option.value for option in proof.options] if exercise.given else [yours[0][0]] * len(listed)
    possible = [
        wrong
        for wrong, first in zip(listed, known, strict=True)
        if comparison.equal(first, yours[0][0], exercise.compare) and _as_unwelcome(exercise, wrong, marked.sourced)
    ]
    runs = [start_run(submit, item, proof.variant, wrong.parts, cases, claims.LIMITS) for wrong in possible]
    same = [
        wrong
        for wrong, future in zip(possible, runs, strict=True)
        if exercises.alike(exercise, [checks.everything(exercise, case) for case in future.result().cases], yours)
    ]
    looking = [wrong for wrong in same if wrong.looks and checks.occurs(wrong.looks, source)]
    if looking:
        return looking[0].mistake
    plain = [wrong for wrong in same if not wrong.looks]
    return plain[0].mistake if len(same) == 1 and plain else None


def _as_unwelcome(exercise: Written, wrong: Wrong, sourced: Sequence[bool]) -> bool:
    """Whether an answer fails all the checks of its source that a mistake fails."""
    source = checks.source_of(wrong.parts)
    return not any(
        content and not checks.looks_right(check, source)
        for check, content in zip(exercise.checks, sourced, strict=True)
    )
