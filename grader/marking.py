"""Marking an answer that is run: right or not, by which mistake, and where it departs from what it should be.

An answer is put into the item's program, and what is observed of it is compared, here and not where it ran, with what
is observed of the author's reference on the same inputs; or, where the item has a `holds`, that is asked of the
observation in a process of its own. Nothing that is expected ever enters the learner's process.
"""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from grader import charts, claims, diagnosis, judging, meanings, template
from grader.cases import draw, exercise_of, preludes, seen
from grader.exercises import first_trouble, passes_itself
from grader.model import (
    Checked,
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
)
from grader.run import Runner
from grader.run.processes import WAITED

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

    @property
    def submit(self) -> Submit:
        """How their programs are run."""
        return functools.partial(self.runner().submit, by=self.by)


@dataclass(frozen=True, slots=True)
class _Marked:
    """An answer that was run beside the reference."""

    run: Observation
    checked: tuple[Checked, ...]


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    """Run an answer beside the reference, and say what is the matter with it."""
    exercise, variant = exercise_of(item), proof.variant
    submit = marker.submit
    cases, run, right = _run(item, proof, response, marker.seed, submit)
    for observation in (run, right):
        if observation.status is Status.NOT_RUN:
            return Score(Outcome.NOT_RUN, None, feedback=observation.note or "the answer could not be run")
    if not passes_itself(replace(item, holds=None), right, len(cases)):
        return Score(Outcome.NOT_RUN, None, feedback=f"the reference did not run: {first_trouble(right)}")
    trouble = next((case for case in run.cases if case.error), run)
    if trouble.error and trouble.error.before_running:
        line = _own_line(item, variant, cases[0], response.parts, trouble.error.line)
        place = f" in line {line}" if line else ""
        # Python names lines of the whole program in its messages, which are not the learner's.
        said = re.sub(r" on line \d+$| \(detected at line \d+\)", "", trouble.error.message)
        pasted = any(re.match(r"\s*(>>>|```)", line) for line in "\n".join(response.parts).split("\n"))
        more = "; paste the code alone, without `>>>` and fences" if pasted else ""
        return Score(Outcome.UNREADABLE, None, feedback=f"this is not Python{place}: {said}{more}")
    passed = [
        _holds(submit, item, variant, case) if item.holds else _same(item, case, its)
        for case, its in zip(run.cases, right.cases, strict=False)
    ]
    if None in passed:
        return Score(Outcome.NOT_RUN, None, feedback="the answer was run, but what it did could not be judged")
    checked = tuple(
        Checked(inputs, bool(passed[place]), seen(case), seen(its), place >= len(exercise.given))
        for place, (inputs, case, its) in enumerate(zip(cases, run.cases, right.cases, strict=False))
    )
    if len(checked) == len(cases) and all(entry.passed for entry in checked):
        return _right(item, run, checked)
    return _wrong(item, proof, response, submit, _Marked(run, checked), cases)


def _run(
    item: Item, proof: Proof, response: Response, seed: int, submit: Submit
) -> tuple[list[Inputs], Observation, Observation]:
    """The cases, and what was observed of the answer and of the reference.

    Inputs that the reference itself cannot take are drawn again. A case that raises where the first did not is run once
    more by itself: what an earlier case left in the process may have been in its way.
    """
    exercise, variant = exercise_of(item), proof.variant
    for attempt in range(REDRAWS):
        cases = [*exercise.given, *draw(exercise, f"{seed}\0{item.id}\0{attempt}", exercise.draws)]
        answer = _submit(submit, item, variant, response.parts, cases, LIMITS)
        right = _submit(submit, item, variant, exercise.reference, cases, claims.LIMITS).result()
        run = answer.result()
        if right.status is Status.NOT_RUN or passes_itself(replace(item, holds=None), right, len(cases)):
            break
    if run.cases and not run.cases[0].error:
        again = {
            place: _submit(submit, item, variant, response.parts, [cases[place]], LIMITS)
            for place, case in enumerate(run.cases)
            if case.error
        }
        alone = {place: future.result().cases for place, future in again.items()}
        mended = [alone[place][0] if alone.get(place) else case for place, case in enumerate(run.cases)]
        run = replace(run, cases=tuple(mended))
    return cases, run, right


def _submit(
    submit: Submit, item: Item, variant: Variant, parts: Sequence[str], cases: Sequence[Inputs], limits: Limits
) -> Future[Observation]:
    asks = (exercise_of(item).observe.text,)
    source = claims.assemble(item, parts)
    return submit(Program(source, asks, claims.SEEDS[0], limits, preludes(variant, cases)))


def _holds(submit: Submit, item: Item, variant: Variant, case: Observation) -> bool | None:
    """Whether `holds` is true of an observation, asked where the learner's code never was; None: it could not be."""
    assert item.holds is not None
    if case.status is not Status.OK:
        return False
    program = Program(variant.prelude, (item.holds.text,), claims.SEEDS[0], claims.LIMITS, replay=case)
    judged = submit(program).result()
    if judged.status is not Status.OK:
        return None
    return bool(judged.asked) and judged.asked[0].value is True


def _same(item: Item, case: Observation, its: Observation) -> bool:
    return case.status is Status.OK and judging.equal(seen(case), seen(its), item.tolerance)


def _right(item: Item, run: Observation, checked: tuple[Checked, ...]) -> Score:
    warned = next((warning.message for case in run.cases for warning in case.warnings), "")
    details = (f"It works, but PyTorch warns: {_first_sentence(warned)}",) if warned else ()
    return Score(Outcome.CORRECT, 1.0, details=details, checked=checked, run=run)


def _wrong(
    item: Item, proof: Proof, response: Response, submit: Submit, marked: _Marked, cases: Sequence[Inputs]
) -> Score:
    """Which mistake it is, or where it departs from what it should be."""
    run, checked = marked.run, marked.checked
    count = sum(entry.passed for entry in checked)
    points = 0.0 if item.holds else count / len(cases)
    outcome = Outcome.PARTLY if points else Outcome.INCORRECT
    mistake = _mistake(item, proof, submit, marked, cases)
    if not run.cases:
        return Score(outcome, 0.0, mistake, _ended(run), run=run)
    place, failed = next((place, entry) for place, entry in enumerate(checked) if not entry.passed)
    case = run.cases[place]
    details: list[str] = []
    chart = None
    if case.error:
        line = _own_line(item, proof.variant, failed.inputs, response.parts, case.error.line)
        details += _raised(case, line)
    elif isinstance(failed.yours, dict) and "raised" in failed.yours:
        details.append(f"Your code ran, but what it left cannot be read: {failed.yours['raised']}.")
    else:
        said = diagnosis.departure(failed.yours, failed.right, item.shows, item.counts, item.tolerance)
        details.append(said or f"It gives the right {item.shows}s, but that is not all that is asked.")
        if diagnosis.curve(failed.yours) and diagnosis.curve(failed.right):
            chart = charts.comparison(failed.yours, failed.right, item.shows, item.counts)
        details += [
            f"PyTorch warns: {_first_sentence(warning.message)}" for warning in case.warnings[:1] if mistake is None
        ]
    if failed.inputs and details:
        details[0] = f"With {template.inputs(failed.inputs)}: {details[0][0].lower()}{details[0][1:]}"
    if count and not case.error and all(entry.passed for entry in checked if not entry.hidden):
        only = "It is right for the inputs that were shown, and not for others."
        details.insert(0, f"{only} Work from the names of the inputs, not from their values.")
    return Score(outcome, points, mistake, "", tuple(details), chart, checked, run)


def _first_sentence(text: str) -> str:
    """PyTorch's warnings go on with advice and addresses; what has happened is in their first sentence."""
    sentence = re.split(r"(?<=[.!])\s", text.strip(), maxsplit=1)[0]
    return " ".join(sentence.split())


def _mistake(item: Item, proof: Proof, submit: Submit, marked: _Marked, cases: Sequence[Inputs]) -> str | None:
    """The listed mistake that does the same in every case."""
    exercise = exercise_of(item)
    if not exercise.wrong or not marked.checked:
        return None
    yours = [entry.yours for entry in marked.checked]
    # What each gives for the first inputs was seen when the item was proven; only those that agree there are run.
    seen_first = [option.value for option in proof.options] if exercise.given else []
    known = seen_first or [yours[0]] * len(exercise.wrong)
    possible = [
        wrong
        for wrong, first in zip(exercise.wrong, known, strict=True)
        if judging.equal(first, yours[0], item.tolerance)
    ]
    runs = [_submit(submit, item, proof.variant, wrong.parts, cases, claims.LIMITS) for wrong in possible]
    for wrong, future in zip(possible, runs, strict=True):
        its = [seen(case) for case in future.result().cases]
        if len(its) == len(yours) and all(judging.equal(a, b, item.tolerance) for a, b in zip(its, yours, strict=True)):
            return wrong.mistake
    return None


def _ended(run: Observation) -> str:
    """What to say of an answer whose process came to no end of its own."""
    match run.status:
        case Status.TIMEOUT if run.note == WAITED:
            return f"Your code {WAITED.removeprefix('it ')}."
        case Status.TIMEOUT:
            return f"Your code did not end: it was {run.note}. Look for a loop that never stops."
        case Status.MEMORY:
            return "Your code used up the memory that an answer may have (1 GiB)."
        case Status.OUTPUT:
            return f"Your code printed too much: it was {run.note}."
        case Status.OK | Status.ERROR:
            return "What your code left is too much to keep, so nothing could be read from it."
        case _:
            return f"Your code ended its own process ({run.note}), so nothing could be read from it."


def _raised(case: Observation, line: int | None) -> list[str]:
    """What was raised, at which of the learner's own lines, and what that usually means."""
    error = case.error
    assert error is not None
    code = f": `{error.code}`" if error.code else ""
    place = f"in line {line} of your code{code}" if line else f"when the program used your code{code}"
    first = judging.brief(f"{error}", 240)
    said = [f"Your code raised {first} ({place})."]
    meaning = meanings.meaning(error.type, error.message)
    return [*said, meaning] if meaning else said


def _own_line(item: Item, variant: Variant, inputs: Inputs, parts: Sequence[str], line: int | None) -> int | None:
    """The line of the learner's own code, for a line of the program as it was run; None where it is not theirs."""
    if line is None or claims.blank(1) in item.program:
        return None
    above = (preludes(variant, [inputs])[0] + item.program.partition(claims.ANSWER)[0]).count("\n")
    if claims.ANSWER not in item.program:
        above = (preludes(variant, [inputs])[0] + item.program.rstrip()).count("\n") + bool(item.program.strip())
    own = line - above
    return own if 1 <= own <= "\n".join(parts).rstrip("\n").count("\n") + 1 else None


# ---------------------------------------------------------------- a question about one's own code


@dataclass(frozen=True, slots=True)
class OwnCode:
    """What a learner's own, right program does with other inputs, and the place that is asked about."""

    inputs: Inputs
    values: tuple[float, ...]
    place: int


def own_code(item: Item, proof: Proof, parts: Sequence[str], marker: Marker) -> OwnCode | None:
    """Run a right answer with new inputs, for a question about it; None where it shows no curve to ask about."""
    exercise = exercise_of(item)
    seed = f"{marker.seed}\0{item.id}\0own"
    inputs = draw(exercise, seed, 1) if exercise.hidden else [exercise.given[-1]]
    run = _submit(marker.submit, item, proof.variant, parts, inputs, LIMITS).result()
    values = seen(run.cases[0]) if run.cases else None
    if not diagnosis.curve(values):
        return None
    telling = [k for k in range(1, len(values)) if charts.direction(values[k - 1], values[k])]
    place = random.Random(seed).choice(telling or [len(values) - 1])  # noqa: S311  (to be reproduced)
    return OwnCode((*proof.variant.values, *inputs[0]), tuple(map(float, values)), place)
