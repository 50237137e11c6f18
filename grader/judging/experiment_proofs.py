"""Whether an experiment does what its author says, at every point that is tried. Pure: runs nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from grader import template
from grader.judging import claims, figures, knobs
from grader.judging.experiments import NOT_EVALUATED, answers, figure
from grader.model import Asked, Experiment, Expr, Finding, Inputs, Knob, Observation, Solved, Span, Status, Text, Value
from grader.render.figure_data import NotAFigureError
from grader.template import show

Report = Callable[[str, str, Span, str], None]


def points(experiment: Experiment) -> list[Inputs]:
    """Where it is run: the start, the corners and drawn points of its knobs, and the steps of its solution."""
    return list(dict.fromkeys([*knobs.points(experiment), *(step.values for step in experiment.solution)]))


@dataclass(frozen=True, slots=True)
class Judged:
    """What the runs of one point say: findings, and the places of the words that were said."""

    findings: tuple[Finding, ...] = ()
    said: frozenset[int] = frozenset()


def judge(experiment: Experiment, values: Inputs, runs: Sequence[Observation]) -> Judged:
    """Whether the program ends at a point, does the same with each seed, and gives what is to be drawn and said."""
    findings: list[Finding] = []
    shown = knobs.there(experiment, values)
    point = template.inputs(tuple((name, value) for name, value in values if name in shown))

    def report(code: str, message: str, at: Span, hint: str) -> None:
        findings.append(Finding(code, f"with {point}: {message}", at, hint, variant=values))

    first = runs[0]
    if first.status is not Status.OK:
        _report_end(experiment, first, report)
        return Judged(tuple(findings))
    if len({run.essence for run in runs}) > 1:
        hint = "seed it in the program: torch.manual_seed(0)"
        report("not-deterministic", "two runs of the program did different things", experiment.program_at, hint)
        return Judged(tuple(findings))
    if first.warnings:
        message = f"the program warns: {template.brief(first.warnings[0].message)}"
        report("program-warns", message, experiment.program_at, "fix the program, or make the knob's range smaller")
    asked = answers(experiment, first)
    for drawing in experiment.drawings:
        try:
            figure(drawing, asked.get(drawing.source.ask.text, NOT_EVALUATED))
        except NotAFigureError as error:
            hint = f"give {figures.FORMS[drawing.source.draw]}"
            report("bad-figure", f"this cannot be drawn ({drawing.source.draw}): {error}", drawing.source.at, hint)
    said = _words(experiment, asked, report)
    for step in experiment.solution:
        if step.values == values:
            _check_step(step, asked, report)
    return Judged(tuple(findings), said)


def _words(experiment: Experiment, asked: Mapping[str, Asked], report: Report) -> frozenset[int]:
    """The places of the words that are said of a run."""
    said = set()
    for place, saying in enumerate(experiment.words):
        when = asked.get(saying.when.text, NOT_EVALUATED)
        if when.error is not None or type(when.value) is not bool:
            message = f"`{template.brief(saying.when.text)}` is {when.error or show(when.value)}"
            report("step-fails", message, saying.when.at, "it must be true or false in every run")
        elif when.value:
            said.add(place)
            _check_text(saying.say, asked, report)
    return frozenset(said)


def _check_step(step: Solved, asked: Mapping[str, Asked], report: Report) -> None:
    """Whether a step of the solution is true of its run."""
    _check_text(step.say, asked, report)
    if step.holds is None:
        return
    holds = asked.get(step.holds.text, NOT_EVALUATED)
    if holds.error is not None or holds.value is not True:
        value = "false" if holds.value is False else show(holds.value)
        message = f"`{template.brief(step.holds.text)}` is {holds.error or value}"
        report("step-fails", message, step.holds.at, "it must be true of the run that the step sets")


def _check_text(text: Text, asked: Mapping[str, Asked], report: Report) -> None:
    for one in text.expressions:
        if (why := asked.get(one.text, NOT_EVALUATED).error) is not None:
            report("step-fails", f"`{one.text}` cannot be evaluated: {why}", one.at, "use names of the program")


def _report_end(experiment: Experiment, run: Observation, report: Report) -> None:
    at = experiment.program_at
    if run.status is Status.NOT_RUN:
        report("not-run", f"the program could not be run: {claims.ending(run)}", at, "see `grader doctor`")
    elif run.status is Status.ERROR:
        report("program-raises", f"the program raises {run.error}", at, "fix it, or make the knob's range smaller")
    else:
        hint = "make it smaller, or the knob's range"
        report("over-limit", f"the program did not end: {claims.ending(run)}", at, hint)


def never_said(experiment: Experiment, tried: Sequence[Inputs], judged: Sequence[Judged]) -> list[Finding]:
    """A finding for each sentence that was said at no point: nobody has seen whether it is true."""
    said = frozenset().union(*(one.said for one in judged))
    return [
        Finding(
            "never-said",
            f"`{template.brief(saying.when.text)}` is true at none of the {len(judged)} points tried"
            f" ({_tried(experiment, saying.when, tried)})",
            saying.when.at,
            "widen it or a knob's range, let a step of the `solution` set such values, or remove the sentence",
        )
        for place, saying in enumerate(experiment.words)
        if place not in said
    ]


def _tried(experiment: Experiment, when: Expr, points: Sequence[Inputs]) -> str:
    """The values at which the knobs were tried that a statement names, or all of them where it names none."""
    names = template.names_in(when.text) or set()
    named = [knob for knob in experiment.knobs if knob.name in names] or list(experiment.knobs)
    given = [dict(point) for point in points]
    return "; ".join(f"{knob.name}: {_listed([one[knob.name] for one in given], knob)}" for knob in named)


def _listed(tried: Sequence[Value], knob: Knob) -> str:
    """The values of a knob that are among those that were tried, in the order of the knob."""
    return ", ".join(show(value) for value in knob.values if value in tried)
