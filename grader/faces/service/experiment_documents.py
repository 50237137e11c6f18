"""An experiment as JSON documents: what its knobs offer, and what a run with them shows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from grader.errors import InputError
from grader.faces.service import html_documents
from grader.judging import experiments, knobs
from grader.model import Chart, Experiment, Figure, Inputs, Knob, Observation
from grader.render import charts, figure_text, html_fragments
from grader.render.markdown import as_html, fragment
from grader.runner import Runner
from grader.template import show

MOST_KEPT = 2
"""How many runs can be kept beside the one that is shown."""

WIDTHS = (200, 900)
"""The narrowest and the widest chart, in pixels."""


def offer(experiment: Experiment) -> dict[str, Any]:
    """What there is to turn."""
    return {
        "topic": experiment.topic,
        "title": experiment.title,
        "about": as_html(experiment.about) if experiment.about else "",
        "task": as_html(experiment.task) if experiment.task else "",
        "solved": bool(experiment.solution),
        "knobs": [_knob(knob) for knob in experiment.knobs],
        "there": list(knobs.there(experiment, experiment.default)),
        "kept": MOST_KEPT if experiment.compare else 0,
    }


def _knob(knob: Knob) -> dict[str, Any]:
    """A knob: its places, what is shown at each, and where it starts."""
    return {
        "name": knob.name,
        "label": knob.label,
        "choice": knob.choice,
        "values": list(knob.values),
        "texts": [knobs.text(knob, value) for value in knob.values],
        "start": knob.start,
    }


def turned(experiment: Experiment, runner: Runner, settings: Sequence[dict[str, Any]], width: int) -> dict[str, Any]:
    """What runs show, the first of which is now and the others are kept; `problem` says why there is nothing.

    Raises InputError for settings that no knob has.
    """
    if not all(isinstance(one, dict) for one in settings):
        raise InputError("settings have names and values", "such as {'lr': 0.1}")
    points = [knobs.read(experiment, one) for one in settings[: 1 + MOST_KEPT]]
    first, *kept = _runs(experiment, runner, points)
    source = experiments.source(experiment, points[0])
    document = {
        "there": list(knobs.there(experiment, points[0])),
        "labels": [knobs.label(experiment, point) for point in points[1:]],
        "code": source,
        "colored": html_fragments.code(source),
    }
    shown = experiments.shown(experiment, first)
    if shown.trouble:
        return document | {"problem": f"This could not be run: {shown.trouble}"}
    beside = [(f"kept {place}", experiments.shown(experiment, run)) for place, run in enumerate(kept, 1)]
    drawn = experiments.together([("now", shown), *((name, one) for name, one in beside if not one.trouble)])
    return document | {
        "figures": [_figure(figure, width) for figure in drawn],
        "said": [fragment(text) for text in shown.said],
        "plain": [*map(_plain, shown.figures), *shown.said],
    }


def solution(experiment: Experiment, runner: Runner) -> dict[str, Any]:
    """The steps of a solution: where the knobs stand for each, in words and as settings, and what it says."""
    steps = experiment.solution
    runs = _runs(experiment, runner, [step.values for step in steps])
    return {
        "steps": [
            {
                "settings": dict(step.values),
                "label": knobs.label(experiment, step.values),
                "said": fragment(experiments.solved(experiment, step, run)),
            }
            for step, run in zip(steps, runs, strict=True)
        ]
    }


def _runs(experiment: Experiment, runner: Runner, points: Sequence[Inputs]) -> list[Observation]:
    runs = [runner.submit(experiments.program(experiment, point)) for point in points]
    return [run.result() for run in runs]


def _plain(figure: Figure) -> str:
    """A figure as text, of a chart what it says in words."""
    if isinstance(figure.content, Chart):
        return charts.describe(figure.content)
    return "\n".join(["```text", figure.title, *figure_text.lines(figure.content), "```"])


def _figure(figure: Figure, width: int) -> dict[str, Any]:
    """A drawing that fits into a width, in words, and its numbers."""
    if not isinstance(figure.content, Chart):
        return html_documents.figure(figure)
    wide = min(max(int(width), WIDTHS[0]), WIDTHS[1])
    drawn = {"svg": html_fragments.svg(figure.content, wide), "table": _table(figure.content)}
    return html_documents.chart(figure.content) | drawn


def _table(chart: Chart) -> str:
    """The numbers of a chart, a row a step; a curve that is shorter ends in gaps."""
    curves = [curve.values for curve in chart.curves]
    rows = [
        (step, ["" if value is None else show(value) for value in values])
        for step, values in enumerate(itertools.zip_longest(*curves), 1)
    ]
    return html_fragments.numbers([chart.x, *(curve.name for curve in chart.curves)], rows, chart.title)
