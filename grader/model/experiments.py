"""Experiments as their authors write them: knobs, a program that uses their names, what is drawn and said of a run."""

from __future__ import annotations

from dataclasses import dataclass

from grader.model.items import Expr, FigureSource, Inputs, Span, Text
from grader.model.programs import Value


@dataclass(frozen=True, slots=True)
class Knob:
    """Something to turn: a name of the program, and the values that it can have, in order."""

    name: str
    label: str
    values: tuple[Value, ...]
    start: int
    """The place of the value that it has at first."""
    at: Span
    unit: str = ""
    """What its numbers count, such as `epoch`."""
    choice: bool = False
    """Its values are picked from a list."""
    where: Expr | None = None
    """When it is there, by the other knobs alone; else it stands where it starts."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Something that is drawn of each run; curves of several runs are drawn into one chart."""

    source: FigureSource
    log: bool = False


@dataclass(frozen=True, slots=True)
class Saying:
    """A sentence that is said where something is true of the run."""

    when: Expr
    say: Text


@dataclass(frozen=True, slots=True)
class Solved:
    """A step of a task's solution: where the knobs stand for it, what is true of that run, and what it says."""

    values: Inputs
    at: Span
    say: Text
    holds: Expr | None = None


@dataclass(frozen=True, slots=True)
class Experiment:
    """What can be tried in a topic: knobs, and what a run with them shows."""

    topic: str
    title: str
    at: Span
    knobs: tuple[Knob, ...]
    program: str
    """As it is run after the knobs' assignments: the setups that it uses come first."""
    program_at: Span
    drawings: tuple[Drawing, ...]
    words: tuple[Saying, ...] = ()
    about: str = ""
    compare: bool = False
    """Whether runs can be kept beside the one that is shown."""
    task: str = ""
    """What to find out, in Markdown."""
    solution: tuple[Solved, ...] = ()
    modules: tuple[tuple[str, str], ...] = ()
    """Names and sources of modules that it imports, beside those that are installed."""

    @property
    def default(self) -> Inputs:
        """Where the knobs stand at first."""
        return tuple((knob.name, knob.values[knob.start]) for knob in self.knobs)
