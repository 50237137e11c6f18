"""The commands that write files of a bank: recording what lessons print, and starting an item, a lesson or a bank."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

from grader.cli.shared import bank_option, print_findings, write_files
from grader.errors import InputError, did_you_mean
from grader.template import in_a_line


@click.command()
@click.argument("paths", nargs=-1, type=Path, metavar="[PATH]...")
@bank_option
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 where something would change.")
def pin(paths: tuple[Path, ...], bank: Path | None, check: bool) -> None:
    """Run lessons again and record what they print, showing the difference."""
    from grader import bank as banks
    from grader import lesson as lessons
    from grader import pins
    from grader.model import Status
    from grader.run.local import LocalRunner

    pages = lessons.files(paths or (banks.home(bank),))
    if not pages:
        raise InputError("there is no lesson to run", "lessons are lessons/<topic>/<mode>.md")
    written, found = lessons.read(pages)
    if found:
        print_findings(tuple(found), to=sys.stderr)
        raise InputError(f"the lessons have {len(found)} problems", "mend them first; nothing was written")
    changed = False
    with LocalRunner(preload=pins.LIBRARIES if len(written) > 1 else ()) as runner:
        runs = [runner.submit(pins.program(lesson, pins.RECORDING)) for lesson in written]
        for lesson, future in zip(written, runs, strict=True):
            seen = future.result()
            if seen.status is Status.NOT_RUN or len(seen.cases) < len(lesson.steps):
                for finding in pins.judge(lesson, [seen]):
                    print(in_a_line(str(finding)), file=sys.stderr)
                raise InputError(f"{lesson.path}: not all of its cells ran", "mend them first; it was left as it is")
            before, after = "\n".join(lesson.lines) + "\n", pins.rewritten(lesson, seen)
            if difference := pins.difference(lesson.path, before, after):
                changed = True
                print(difference, end="")
                if not check:
                    write_files({Path(lesson.path): after})
    if not changed:
        print(f"{len(written)} lessons, nothing to change.")
    elif check:
        raise SystemExit(1)


@click.group()
def new() -> None:
    """Start an item, a lesson or a bank of your own from what is proven."""


@new.command()
@click.argument("topic")
@click.argument("name", metavar="ID")
@click.option("--kind", default="choice", show_default=True, help="How it is answered.")
@bank_option
def item(topic: str, name: str, kind: str, bank: Path | None) -> None:
    """Put an item of this kind into the topic's quiz file."""
    from grader import scaffold

    if kind not in scaffold.KINDS:
        hint = did_you_mean(kind, scaffold.KINDS) or ", ".join(scaffold.KINDS)
        raise InputError(f"there is no kind `{kind}`", hint)
    path, text = scaffold.item(bank or Path(), topic, name, kind)
    write_files({path: text})
    print(f"{path}: the item `{name}` is in it. Change it, and prove it while you do:")
    print(f"  grader verify --watch {path}")


@new.command()
@click.argument("topic")
@click.argument("mode")
@click.option("--title", help="The page's heading.")
@bank_option
def lesson(topic: str, mode: str, title: str | None, bank: Path | None) -> None:
    """Write a lesson page."""
    from grader import scaffold

    path, text = scaffold.lesson(bank or Path(), topic, mode, title)
    write_files({path: text})
    print(f"{path}: the page is there. Change it, and prove it while you do:")
    print(f"  grader verify --watch {path}")


@new.command("bank")
@click.argument("topic", default="week-1", metavar="[TOPIC]")
@bank_option
def own_bank(topic: str, bank: Path | None) -> None:
    """Start a bank of your own, here or in DIR, with two questions to change. TOPIC is `week-1` by default.

    Commands in that folder ask the questions of this bank, and not those that come with torch-grader.
    """
    from grader import scaffold

    path, text = scaffold.bank(bank or Path(), topic)
    write_files({path: text})
    there = f" --bank {shlex.quote(str(bank))}" if bank else ""
    print(f"{path}: a bank of your own, with two questions. Change them, and prove them while you do:")
    print(f"  grader verify --watch {shlex.quote(str(path))}")
    print("An assignment of them for nbgrader:")
    print(f"  grader notebook {topic} --assignment -o source/NAME{there}")
    if not bank and os.environ.get("GRADER_BANK"):
        print("grader: notice: GRADER_BANK names another bank, which comes first; unset it", file=sys.stderr)
