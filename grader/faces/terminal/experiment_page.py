"""An experiment on a terminal: where its knobs stand, the program, what a run with them shows and what is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader import template
from grader.judging import knobs
from grader.judging.experiments import Shown
from grader.render import terminal_markdown, terminal_text
from grader.template import show

if TYPE_CHECKING:
    from rich.console import Console

    from grader.model import Experiment, Figure, Inputs, Knob


@dataclass(frozen=True, slots=True)
class Tried:
    """What is shown of an experiment: where the knobs stand, what that run shows, and what is drawn of all runs."""

    values: Inputs
    shown: Shown
    figures: Sequence[Figure]
    solution: Sequence[str] = ()
    """What each step of the solution says, where it is wanted."""


def show_experiment(console: Console, experiment: Experiment, tried: Tried, plain: bool = False) -> None:
    """The experiment with the knobs as they were set, and what else was wanted."""
    terminal_text.heading(console, f"Experiment: {experiment.title}")
    if experiment.about:
        terminal_markdown.draw(console, experiment.about, colored=not plain)
    if experiment.task:
        console.print()
        terminal_markdown.entry(console, "Task: ", "bold", experiment.task)
    console.print()
    _knobs(console, experiment, tried.values)
    console.print()
    terminal_text.code(console, experiment.program.strip("\n"), colored=not plain)
    if tried.shown.trouble:
        console.print()
        console.print(f"This could not be run: {tried.shown.trouble}", soft_wrap=True)
    for figure in tried.figures:
        terminal_text.figure(console, figure, plain)
    for said in tried.shown.said:
        console.print()
        terminal_markdown.draw(console, said, colored=not plain)
    if tried.solution:
        terminal_text.heading(console, "Solution")
    for step, said in zip(experiment.solution, tried.solution, strict=False):
        console.print()
        terminal_markdown.draw(console, f"{said} ({knobs.label(experiment, step.values)})", colored=not plain)
    console.print()
    solution = "; the solution: --solution" if experiment.solution and not tried.solution else ""
    beside = "; a second run beside it: --beside NAME=VALUE" if experiment.compare else ""
    console.print(f"Other values: --set NAME=VALUE{beside}{solution}.", soft_wrap=True)


def _knobs(console: Console, experiment: Experiment, values: Inputs) -> None:
    """Where the knobs stand, and what they can be."""
    there, given = knobs.there(experiment, values), dict(values)
    shown = [knob for knob in experiment.knobs if knob.name in there]
    width = max(len(f"{knob.name} = {show(given[knob.name])}") for knob in shown)
    for knob in shown:
        stands = f"{knob.name} = {show(given[knob.name])}"
        console.print(f"  {stands:{width}}   {_about(knob)}", soft_wrap=True)


def _about(knob: Knob) -> str:
    shown = [show(value) for value in knob.values]
    listed = ", ".join(shown) if knob.choice else f"{shown[0]} to {shown[-1]}"
    counted = f" {template.plural(knob.unit)}" if knob.unit and not knob.choice else ""
    return f"{knob.label}: {listed}{counted}"
