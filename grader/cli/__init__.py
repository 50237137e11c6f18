"""The command `grader`: reads arguments, calls the rest of the house, prints, and gives an exit code.

0 fine; 1 something fell short; 2 wrong usage or bad input; 3 our fault. What is slow to import is imported by the
command that needs it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys

import click

from grader import __version__, plugins
from grader.cli import (
    ask,
    authors,
    exporting,
    extras,
    foreign,
    items,
    learners,
    notebooks,
    placing,
    progress_commands,
    record_commands,
    serve,
    shared,
    teachers,
    writers,
)
from grader.errors import GraderError
from grader.template import in_a_line

GROUPS: dict[str, list[tuple[str, *tuple[click.Command, ...]]]] = {
    "Learn": [
        (
            "What there is to learn; what you know and what is due.",
            learners.topics,
            progress_commands.progress,
        ),
        ("Read a lesson; answer questions, with hints and reasons.", learners.learn, ask.quiz),
        ("All of it as a page, in your browser.", serve.serve),
        ("Lessons or assignments as notebooks; lessons in JupyterLab.", notebooks.notebook, notebooks.lab),
        ("Where to begin; a test and its verdict; what is due.", placing.place, ask.test, ask.review),
    ],
    "Write": [
        ("Start a question, a lesson, or a bank of your own.", writers.new),
        (
            "Prove a bank, or somebody's quiz; record lessons.",
            authors.verify,
            foreign.prove,
            foreign.import_,
            writers.pin,
        ),
        ("A question as a learner sees it; what a bank has and lacks.", items.show, items.coverage),
        ("Questions for Moodle, Anki, paper and others.", exporting.export),
        ("Run programs and see what they do; the schema of quiz files.", authors.run, authors.schema),
    ],
    "Teach": [
        ("Grade what a class has handed in, in an nbgrader course.", teachers.autograde),
        ("Grade one answer; how questions do in a class.", learners.grade, record_commands.stats),
        ("Move records, or delete them.", record_commands.export_records, record_commands.import_records),
    ],
    "Machine": [
        ("What works here, and what does not.", authors.doctor),
    ],
}
"""What `grader --help` says: a line each for one command or several that belong together, and these commands."""


class Grouped(click.Group):
    """Lists commands by who needs them, learners first, so that all fit a screen."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section a group."""
        for heading, rows in GROUPS.items():
            formatter.write(f"{heading}:\n")
            for text, *commands in rows:
                names = ", ".join(command.name or "" for command in commands)
                formatter.write(f"  {names:17} {text}\n" if len(names) <= 17 else f"  {names}  {text}\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands; the two options have a line below them."""
        formatter.write_paragraph()
        self.format_commands(ctx, formatter)
        formatter.write_paragraph()
        formatter.write("`grader COMMAND --help` says more of each; `grader --version` is there too.\n")


@click.group(
    cls=Grouped,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    options_metavar="",
    subcommand_metavar="COMMAND ...",
    invoke_without_command=True,
)
@click.version_option(__version__, package_name="torch-grader", message="torch-grader %(version)s")
@click.pass_context
def app(context: click.Context) -> None:
    """Quizzes and lessons for PyTorch: every answer is proven by running it."""
    if context.invoked_subcommand is None:
        progress_commands.hello(os.environ.get("GRADER_LEARNER") or "me")


for rows in GROUPS.values():
    for _, *commands in rows:
        for command in commands:
            app.add_command(command)


def main() -> None:
    """The entry point: turns our exceptions into one message and an exit code. No traceback reaches a user."""
    gc.set_threshold(100_000)  # looking for cycles at every 700 objects takes an eighth of a short command
    try:
        try:
            app()
        finally:
            if sys.stdout:
                sys.stdout.flush()  # what cannot be written is told while it can be
    except GraderError as error:
        shared.complain(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        _print_no_more()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get("GRADER_DEBUG"):
            raise
        if isinstance(error, ImportError) and (lacking := extras.missing_extra(error)):
            shared.complain(lacking)
            sys.exit(lacking.exit_code)
        if isinstance(error, OSError) and error.errno in shared.NO_SPACE:
            _print_no_more()
            shared.complain(shared.no_space(error))
            sys.exit(2)
        said = in_a_line(f"{type(error).__name__}: {error}")
        to = " to those who wrote it" if plugins.whose(error) else ""
        print(f"grader: {plugins.blame(error)}: {said}", file=sys.stderr)
        print(f"  hint: please report it{to}, with what GRADER_DEBUG=1 shows", file=sys.stderr)
        sys.exit(3)


def _print_no_more() -> None:
    """Let nothing that is still to be printed fail again as Python ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
