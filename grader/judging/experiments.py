"""What an experiment runs for given values of its knobs, and what a run shows. Pure: runs nothing itself."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from grader import template
from grader.errors import InputError
from grader.judging import claims, figures, knobs
from grader.judging.bodies import Reader
from grader.judging.given import modules
from grader.model import (
    Asked,
    Bars,
    Chart,
    Curve,
    Drawing,
    Experiment,
    Expr,
    Figure,
    FigureSource,
    Finding,
    Given,
    Inputs,
    Observation,
    Program,
    Saying,
    Solved,
    Status,
)  # fmt: skip
from grader.render.figure_data import NotAFigureError

NOT_EVALUATED = Asked(error="it was not evaluated")


@dataclass(frozen=True, slots=True)
class Shown:
    """What one run shows."""

    figures: tuple[Figure, ...] = ()
    said: tuple[str, ...] = ()
    trouble: str = ""
    """Why there is nothing to show."""


# ---------------------------------------------------------------- from YAML


def build(
    reader: Reader, topic: str, given: tuple[Given, ...], own: tuple[tuple[str, str], ...]
) -> tuple[Experiment, list[Finding]]:
    """The experiment of a topic, with its setups and its own modules, and what is wrong with it beside its shape."""
    turned = knobs.build(reader)
    findings = list(knobs.check(turned))
    drawings = tuple(_drawings(reader))
    if not drawings:
        hint = "add `curves: {loss: losses}` or a `figure`"
        findings.append(Finding("bad-field", "this experiment draws nothing", reader.at("program", key=True), hint))
    words = []
    for index in range(len(reader.get("words", default=()))):
        when, say = reader.expression("words", index, "when"), reader.text("words", index, "say")
        if when and say:
            words.append(Saying(when, say))
    made = Experiment(
        topic=topic,
        title=reader.get("title"),
        at=reader.at("title"),
        knobs=turned,
        program="".join(f"{one.source}\n" for one in given) + reader.get("program"),
        program_at=reader.at("program"),
        drawings=drawings,
        words=tuple(words),
        about=reader.get("about", default=""),
        compare=reader.get("compare", default=False),
        task=reader.get("task", default=""),
        modules=modules(given, own),
    )
    return (made, findings) if findings else _with_solution(made, reader)


def _with_solution(experiment: Experiment, reader: Reader) -> tuple[Experiment, list[Finding]]:
    """The same with its solution, each step of which says where the knobs stand."""
    steps, findings = [], []
    for index, step in enumerate(reader.get("solution", default=())):
        say, at = reader.text("solution", index, "say"), reader.at("solution", index)
        try:
            values = knobs.read(experiment, step.get("set") or {})
        except InputError as error:
            findings.append(Finding("bad-field", error.message, reader.at("solution", index, "set"), error.hint))
            continue
        if say:
            steps.append(Solved(values, at, say, reader.expression("solution", index, "holds")))
    if steps and not experiment.task:
        message = "this is the solution of no task"
        findings.append(Finding("bad-field", message, reader.at("solution", key=True), "add `task:`, or remove it"))
    return replace(experiment, solution=tuple(steps)), findings


def _drawings(reader: Reader) -> list[Drawing]:
    """The curves, a chart each, then the figures."""
    found = []
    counts = reader.get("counts", default="step")
    for name, curve in reader.get("curves", default={}).items():
        path = ("curves", name, "data") if isinstance(curve, dict) else ("curves", name)
        if (data := reader.expression(*path)) is None:
            continue
        named = Expr(f"{{{name!r}: ({data.text}\n)}}", data.at)
        source = FigureSource("curve", named, data.at, f"The {name} of each {counts}", counts, name)
        found.append(Drawing(source, isinstance(curve, dict) and curve.get("scale") == "log"))
    return found + [Drawing(source) for source in figures.build(reader)]


# ---------------------------------------------------------------- a run


def source(experiment: Experiment, values: Inputs) -> str:
    """The program as it is run: the knobs as assignments before it."""
    return "".join(f"{name} = {value!r}\n" for name, value in values) + "\n" + experiment.program


def program(experiment: Experiment, values: Inputs, seed: int = claims.SEEDS[0]) -> Program:
    """What is run for these values."""
    asks = tuple(one.text for one in _asks(experiment))
    return Program(source(experiment, values), asks, seed, claims.LIMITS, modules=experiment.modules)


def _asks(experiment: Experiment) -> list[Expr]:
    """All that is asked of any run: so a run of the solution is the one that a learner makes with these knobs."""
    drawn = [drawing.source.ask for drawing in experiment.drawings]
    said = [one for saying in experiment.words for one in (saying.when, *saying.say.expressions)]
    solved = [one for step in experiment.solution for one in (step.holds, *step.say.expressions) if one]
    return list({one.text: one for one in [*drawn, *said, *solved]}.values())


def answers(experiment: Experiment, run: Observation) -> dict[str, Asked]:
    """What a run said, by the expressions that were asked."""
    return {one.text: value for one, value in zip(_asks(experiment), run.asked, strict=False)}


def shown(experiment: Experiment, run: Observation) -> Shown:
    """What a run shows: its figures, and what is said of it. Trouble, where it did not come to its end."""
    if run.status is not Status.OK:
        return Shown(trouble=claims.ending(run))
    asked = answers(experiment, run)
    try:
        drawn = tuple(figure(one, asked.get(one.source.ask.text, NOT_EVALUATED)) for one in experiment.drawings)
    except NotAFigureError as error:
        return Shown(trouble=str(error))
    said = tuple(
        template.fill(saying.say, asked)
        for saying in experiment.words
        if asked.get(saying.when.text, NOT_EVALUATED).value is True
    )
    return Shown(drawn, said)


def solved(experiment: Experiment, step: Solved, run: Observation) -> str:
    """What a step of the solution says of its run, in Markdown."""
    if run.status is not Status.OK:
        return f"This could not be run: {claims.ending(run)}"
    return template.fill(step.say, answers(experiment, run))


def figure(drawing: Drawing, value: Asked) -> Figure:
    """What is drawn of a run. Raises NotAFigureError."""
    made = figures.made(drawing.source, value)
    if drawing.log and isinstance(made.content, Chart):
        chart = Chart(made.title, made.content.x, made.content.y, made.content.curves, log=True)
        return Figure(made.draw, made.title, chart)
    return made


def together(runs: Sequence[tuple[str, Shown]]) -> list[Figure]:
    """What several runs show, each with its name: curves and bars over one scale, other figures one after another."""
    if len(runs) < 2:
        return [figure for _, one in runs for figure in one.figures]
    found = []
    for place, first in enumerate(runs[0][1].figures):
        those = [(name, one.figures[place]) for name, one in runs]
        charts = [(name, one.content) for name, one in those if isinstance(one.content, Chart)]
        bars = [(name, one.content) for name, one in those if isinstance(one.content, Bars)]
        if charts:
            found.append(Figure("curve", first.title, _overlaid(charts)))
        elif bars:
            found.append(Figure("bars", first.title, _side_by_side(bars)))
        else:
            found += [Figure(one.draw, f"{one.title}, {name}".lstrip(", "), one.content) for name, one in those]
    return found


def _overlaid(charts: Sequence[tuple[str, Chart]]) -> Chart:
    first = charts[0][1]
    curves = tuple(Curve(name, one.curves[0].values, one.curves[0].at) for name, one in charts)
    return Chart(first.title, first.x, first.y, curves, first.log)


def _side_by_side(runs: Sequence[tuple[str, Bars]]) -> Bars:
    """The bars of one name of all runs, then those of the next."""
    named: dict[str, list[tuple[str, float]]] = {}
    for run, one in runs:
        for name, value in one.bars:
            named.setdefault(name, []).append((f"{name}, {run}", value))
    return Bars(tuple(itertools.chain(*named.values())))
