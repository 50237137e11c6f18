"""Commands to go on with, as they can be pasted: each with the options that this one was given."""

from __future__ import annotations

import contextlib
import shlex
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from grader.cli.shared import Banks
    from grader.learning.next_steps import NextStep
    from grader.learning.records import Records
    from grader.model import Bank

KEPT = ("bank", "db", "learner", "plain", "in_order")
"""Options that go on from command to command, where the next one has them."""

COMMANDS = {"learn": "learn", "practice": "quiz", "test": "test", "review": "review"}
"""What does each thing that can come next."""


def command(name: str, *arguments: str) -> str:
    """A command line of `grader`, with the options of this command that it knows."""
    context = click.get_current_context()
    known = {option.name or "" for option in _group(context).commands[name].params}
    return shlex.join(["grader", name, *arguments, *_own_options(context, known)])


def commands(
    bank: Bank, learner: str, store: Records | None, folder: Banks, *,
    at: str = "", begun: bool = False, most: int = 2,
) -> list[tuple[str, str]]:  # fmt: skip
    """What `learning.next_steps` says is next, as command lines with what each does; the best first."""
    from grader.faces.progress_words import next_step
    from grader.learning.next_steps import next_steps
    from grader.learning.recorder import now

    steps = next_steps(bank, learner, store, now(), at=at, begun=begun, lessons=lessons(folder), most=most)
    return [(line(step), next_step(step)) for step in steps]


def progress() -> tuple[str, str]:
    """The command that shows how far one is."""
    return command("progress"), "what holds, what does not, what is due"


def line(step: NextStep) -> str:
    """The command that takes a step."""
    from grader.learning.next_steps import Why

    arguments = [step.topic] if step.topic else []
    arguments += ["--ahead"] if step.why is Why.AHEAD else []
    arguments += ["--resume"] if step.do == "practice" and step.why is Why.LEFT else []
    return command(COMMANDS[step.do], *arguments)


def lessons(banks: Banks) -> frozenset[str]:
    """The topics that have a first lesson."""
    from grader.content import bank_files
    from grader.runner.cached import Store

    with contextlib.closing(Store()) as memory:
        return bank_files.topics_with_lessons(banks, memory)


def _group(context: click.Context) -> click.Group:
    root = context.find_root().command
    assert isinstance(root, click.Group)
    return root


def _own_options(context: click.Context | None, known: set[str]) -> list[str]:
    """The options that were given, here or in the command that invoked this one."""
    found: dict[str, list[str]] = {}
    while context:
        for option in context.command.params:
            name = option.name or ""
            given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
            if given and name in KEPT and name in known and name not in found:
                value = context.params[name]
                values = value if isinstance(value, tuple) else (value,)
                found[name] = [
                    word for one in values for word in (option.opts[0], *([] if one is True else [str(one)]))
                ]
        context = context.parent
    return [word for name in KEPT for word in found.get(name, [])]
