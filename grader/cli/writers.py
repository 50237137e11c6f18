"""The commands that write files of a bank: recording what lessons print, and starting an item, a lesson or a bank."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

from grader.cli.shared import Banks, bank_option, print_findings, write_files
from grader.errors import InputError, did_you_mean
from grader.template import in_a_line


@click.command()
@click.argument("paths", nargs=-1, type=Path, metavar="[PATH]...")
@bank_option
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 where something would change.")
def pin(paths: tuple[Path, ...], bank: Banks, check: bool) -> None:
    """Run lessons again and record what they print, showing the difference."""
    from grader.content import bank_homes, lesson_files, recorded_outputs
    from grader.model import Status
    from grader.runner.local import LocalRunner

    pages = lesson_files.files(paths or (bank_homes.home(bank),))
    if not pages:
        raise InputError("there is no lesson to run", "lessons are lessons/<topic>/<mode>.md")
    written, found = lesson_files.read(pages)
    if found:
        print_findings(tuple(found), to=sys.stderr)
        raise InputError(f"the lessons have {len(found)} problems", "fix them first; nothing was written")
    changed = False
    with LocalRunner(preload=recorded_outputs.LIBRARIES if len(written) > 1 else ()) as runner:
        runs = [runner.submit(recorded_outputs.program(lesson, recorded_outputs.RECORDING)) for lesson in written]
        for lesson, future in zip(written, runs, strict=True):
            seen = future.result()
            if seen.status is Status.NOT_RUN or len(seen.cases) < len(lesson.steps):
                for finding in recorded_outputs.compare(lesson, [seen]):
                    print(in_a_line(str(finding)), file=sys.stderr)
                raise InputError(f"{lesson.path}: not all of its cells ran", "fix them first; it was left as it is")
            before, after = "\n".join(lesson.lines) + "\n", recorded_outputs.rewritten(lesson, seen)
            if difference := recorded_outputs.difference(lesson.path, before, after):
                changed = True
                print(difference, end="")
                if not check:
                    write_files({Path(lesson.path): after})
    if not changed:
        print(f"{len(written)} lessons, nothing to change.")
    elif check:
        raise SystemExit(1)


def _one(banks: Banks) -> Path:
    """Where something new is written: the bank that is given, or here. Raises InputError for several."""
    if len(banks) > 1:
        raise InputError("something new goes into one bank", "give --bank once")
    return banks[0] if banks else Path()


@click.group()
def new() -> None:
    """Start an item, a lesson or a bank of your own from what is proven."""


@new.command()
@click.argument("topic")
@click.argument("name", metavar="ID")
@click.option("--kind", default="choice", show_default=True, help="How it is answered.")
@click.option("--about", help="tensor, gradient, module or loop; else it is about a learning rate.")
@bank_option
def item(topic: str, name: str, kind: str, about: str | None, bank: Banks) -> None:
    """Put an item of this kind into the topic's quiz file."""
    from grader import kinds
    from grader.content import scaffold

    if about is not None and about not in scaffold.subjects():
        hint = did_you_mean(about, scaffold.subjects()) or ", ".join(scaffold.subjects())
        raise InputError(f"there is no starter about a {about}", hint)

    if kind not in kinds.names():
        hint = did_you_mean(kind, kinds.names()) or ", ".join(kinds.names())
        raise InputError(f"there is no kind `{kind}`", hint)
    path, text = scaffold.item(_one(bank), topic, name, kind, about)
    write_files({path: text})
    print(f"{path}: the item `{name}` is in it. Change it, and prove it while you do:")
    print(f"  grader verify --watch {path}")


@new.command()
@click.argument("topic")
@click.argument("mode")
@click.option("--title", help="The page's heading.")
@bank_option
def lesson(topic: str, mode: str, title: str | None, bank: Banks) -> None:
    """Write a lesson page."""
    from grader.content import scaffold

    path, text = scaffold.lesson(_one(bank), topic, mode, title)
    write_files({path: text})
    print(f"{path}: the page is there. Change it, and prove it while you do:")
    print(f"  grader verify --watch {path}")


@new.command("bank")
@click.argument("topic", default="week-1", metavar="[TOPIC]")
@bank_option
def own_bank(topic: str, bank: Banks) -> None:
    """Start a bank of your own, here or in DIR, with two questions to change. TOPIC is `week-1` by default.

    Commands in that folder ask the questions of this bank, and not those that come with torch-grader.
    """
    from grader.content import scaffold

    path, text = scaffold.bank(_one(bank), topic)
    write_files({path: text})
    there = f" --bank {shlex.quote(str(bank[0]))}" if bank else ""
    print(f"{path}: a bank of your own, with two questions. Change them, and prove them while you do:")
    print(f"  grader verify --watch {shlex.quote(str(path))}")
    print("An assignment of them for nbgrader:")
    print(f"  grader notebook {topic} --assignment -o source/NAME{there}")
    if not bank and os.environ.get("GRADER_BANK"):
        print("grader: notice: GRADER_BANK names another bank, which comes first; unset it", file=sys.stderr)
