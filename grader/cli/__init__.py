"""The command `grader`: reads arguments, calls the rest of the house, prints, and gives an exit code.

0 fine; 1 something fell short; 2 wrong usage or bad input; 3 our fault. What is slow to import is imported by the
command that needs it.
"""

from __future__ import annotations

import os
import sys

import click

from grader import __version__
from grader.cli import authors, keeping, learners, sittings, writers
from grader.errors import GraderError


class InOrder(click.Group):
    """Lists commands in the order of this file: learners first."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(__version__, package_name="torch-grader", message="torch-grader %(version)s")
def app() -> None:
    """Quizzes and lessons for PyTorch: every answer is proven by running it."""


for command in (
    learners.topics,
    learners.learn,
    sittings.quiz,
    sittings.test,
    sittings.review,
    learners.grade,
    authors.verify,
    writers.pin,
    writers.new,
    keeping.export_records,
    keeping.import_records,
    keeping.stats,
    authors.run,
    authors.schema,
    authors.doctor,
):
    app.add_command(command)


def main() -> None:
    """The entry point: turns our exceptions into one message and an exit code. No traceback reaches a user."""
    try:
        app()
    except GraderError as error:
        print(f"grader: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  hint: {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get("GRADER_DEBUG"):
            raise
        print(f"grader: an error of ours: {type(error).__name__}: {error}", file=sys.stderr)
        print("  hint: please report it, with what GRADER_DEBUG=1 shows", file=sys.stderr)
        sys.exit(3)


if __name__ == "__main__":
    main()
