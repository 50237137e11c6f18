"""The commands of authors: proving the bank, running a program, the schema, the machine."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path

import click

from grader.cli.shared import bank_option, json_option, plain_option, print_findings, print_json, read_text
from grader.errors import InputError


@click.command()
@click.argument("paths", nargs=-1, type=Path, metavar="[PATH]...")
@bank_option
@json_option
@click.option("--cache/--no-cache", default=True, show_default=True, help="Use what was proven before.")
def verify(paths: tuple[Path, ...], bank: Path | None, as_json: bool, cache: bool) -> None:
    """Prove every claim of the bank and the lessons in real PyTorch."""
    from grader import bank as banks
    from grader import lesson as lessons
    from grader.run.local import LocalRunner
    from grader.run.remembered import RememberingRunner, Store, installed_torch
    from grader.ui.documents import verify_document
    from grader.verify import Report
    from grader.verify import verify as prove

    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        store = Store()
        stack.callback(store.close)
        runner: LocalRunner | RememberingRunner
        if cache:
            runner = RememberingRunner(store, LocalRunner)
        else:
            runner = LocalRunner()
            runner.start()  # torch loads while the files are read
        stack.callback(runner.close)
        wanted = paths or (banks.home(bank),)
        pages = lessons.files(wanted)
        quizzes = [path for path in wanted if path.suffix != ".md" and not (pages and lessons.only_lessons(path))]
        read = banks.read(banks.files(quizzes) if quizzes else [], store if cache else None)
        written, found = lessons.read(pages)
        problems = (*read.findings, *found)
        malformed = read.malformed or bool(found)
        report = Report(len(read.items), 0, 0, 0, problems) if malformed else prove(read, runner, written)
        store.forget_old()
    seconds = time.monotonic() - started
    torch = installed_torch().partition("+")[0]
    if as_json:
        print_json(verify_document(report, torch, seconds))
    else:
        print_findings(report.findings)
        if malformed:
            print(f"{len(problems)} problems in the files; nothing was run.")
        else:
            parts = [f"{report.items} items, {report.variants} variants"] if report.items else []
            parts += [f"{report.lessons} lessons"] if report.lessons else []
            print(f"{', '.join(parts)}, {report.claims} claims in torch {torch}:")
            proven = f"{report.proven} items proven, {report.items - report.proven} not, " if report.items else ""
            print(f"{proven}{report.errors or 'no'} findings, in {seconds:.1f} s.")
    if malformed:
        raise SystemExit(2)
    if any(finding.code == "not-run" for finding in report.findings):
        raise SystemExit(3)
    if report.errors:
        raise SystemExit(1)


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
    with LocalRunner() as runner:
        runs = [[runner.submit(program) for program in pins.programs(lesson)][:1] for lesson in written]
        for lesson, futures in zip(written, runs, strict=True):
            for future in futures:
                seen = future.result()
                if seen.status is Status.NOT_RUN or len(seen.cases) < len(lesson.steps):
                    for finding in pins.judge(lesson, [seen]):
                        print(finding, file=sys.stderr)
                    raise InputError(
                        f"{lesson.path}: not all of its cells ran", "mend them first; it was left as it is"
                    )
                before, after = "\n".join(lesson.lines) + "\n", pins.rewritten(lesson, seen)
                if difference := pins.difference(lesson.path, before, after):
                    changed = True
                    print(difference, end="")
                    if not check:
                        _replace(Path(lesson.path), after)
    if not changed:
        print(f"{len(written)} lessons, nothing to change.")
    elif check:
        raise SystemExit(1)


def _replace(path: Path, text: str) -> None:
    """Write a file through a temporary one beside it: it is whole at every moment."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


@click.command()
@click.argument("file", type=Path)
@json_option
@click.option("--seconds", type=click.FloatRange(min=0.1), default=10.0, show_default=True, help="Time limit.")
@click.option("--memory", type=click.IntRange(min=16), default=1024, show_default=True, help="Limit in MiB.")
@plain_option
def run(file: Path, as_json: bool, seconds: float, memory: int, plain: bool) -> None:
    """Run a program in the sandbox and show what was observed. - reads it from standard input."""
    from grader.model import Limits, Program, Status
    from grader.run.local import LocalRunner
    from grader.ui.documents import run_document

    source = read_text(file)
    limits = Limits(wall_seconds=seconds, cpu_seconds=max(1, round(seconds)), memory_bytes=memory << 20)
    with LocalRunner(1) as runner:
        seen = runner.submit(Program(source, limits=limits)).result()
        walls = runner.walls
    if seen.status is not Status.NOT_RUN and not walls.contained:
        print("grader: notice: no sandbox here; `grader doctor` says why", file=sys.stderr)
    if as_json:
        print_json(run_document(seen))
    else:
        from grader.ui.drawing import screen, show_run

        show_run(screen(), seen, plain)
    if seen.status is Status.NOT_RUN:
        raise SystemExit(3)
    if seen.status is not Status.OK:
        raise SystemExit(1)


@click.command()
def schema() -> None:
    """Print the JSON Schema of a quiz file, for editors."""
    from grader.shape import schema as quiz_schema

    print_json(quiz_schema())


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """What works on this machine, and what does not."""
    from grader.doctor import examine

    checks = examine()
    if as_json:
        print_json({"format": 1, "checks": [check.document() for check in checks]})
    else:
        for check in checks:
            print(f"{check.word:4}  {check.name}: {check.found}")
            if check.hint:
                print(f"      {check.hint}")
    if any(check.word == "fail" for check in checks):
        raise SystemExit(1)
