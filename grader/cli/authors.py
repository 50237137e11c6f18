"""The commands of authors: proving the bank, running a program, the schema, the machine."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path

import click

from grader.cli.shared import bank_option, json_option, plain_option, print_findings, print_json, read_text


@click.command()
@click.argument("paths", nargs=-1, type=Path, metavar="[PATH]...")
@bank_option
@json_option
@click.option("--cache/--no-cache", default=True, show_default=True, help="Use what was proven before.")
def verify(paths: tuple[Path, ...], bank: Path | None, as_json: bool, cache: bool) -> None:
    """Prove every claim of the bank in real PyTorch."""
    from grader import bank as banks
    from grader.run.local import LocalRunner
    from grader.run.remembered import RememberingRunner, Store, installed_torch
    from grader.ui.documents import verify_document
    from grader.verify import Report
    from grader.verify import verify as prove

    started = time.monotonic()
    store = Store()
    with contextlib.ExitStack() as stack:
        runner: LocalRunner | RememberingRunner
        if cache:
            runner = RememberingRunner(store, LocalRunner)
        else:
            runner = LocalRunner()
            runner.start()  # torch loads while the files are read
        stack.callback(runner.close)
        read = banks.read(banks.files(paths or [banks.home(bank)]), store if cache else None)
        report = Report(len(read.items), 0, 0, 0, read.findings) if read.malformed else prove(read, runner)
        store.forget_old()
    seconds = time.monotonic() - started
    torch = installed_torch().partition("+")[0]
    if as_json:
        print_json(verify_document(report, torch, seconds))
    else:
        print_findings(report.findings)
        if read.malformed:
            print(f"{len(read.findings)} problems in the files; nothing was run.")
        else:
            found = f", {report.errors} findings" if report.errors else ""
            print(f"{report.items} items, {report.variants} variants, {report.claims} claims in torch {torch}:")
            print(f"{report.proven} items proven, {report.items - report.proven} not{found}, in {seconds:.1f} s.")
    if read.malformed:
        raise SystemExit(2)
    if any(finding.code == "not-run" for finding in report.findings):
        raise SystemExit(3)
    if report.errors:
        raise SystemExit(1)


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
