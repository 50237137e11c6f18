"""The commands of authors: proving the bank, running a program, the schema, the machine."""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.shared import (
    bank_option,
    cluster_at,
    json_option,
    on_option,
    plain_option,
    print_findings,
    print_json,
    read_text,
)
from grader.errors import GraderError, InputError
from grader.template import in_a_line

if TYPE_CHECKING:
    from grader.run import Runner
    from grader.run.remembered import Store
    from grader.verify import Report


@click.command()
@click.argument("paths", nargs=-1, type=Path, metavar="[PATH]...")
@bank_option
@json_option
@click.option("--cache/--no-cache", default=True, show_default=True, help="Use what was proven before.")
@click.option("--watch", is_flag=True, help="Stay, and prove what is saved.")
@on_option
def verify(paths: tuple[Path, ...], bank: Path | None, as_json: bool, cache: bool, watch: bool, on: str | None) -> None:
    """Prove every claim of the bank and the lessons in real PyTorch."""
    from grader import bank as banks
    from grader import lesson, pins
    from grader.run.cluster import ClusterRunner
    from grader.run.local import LocalRunner
    from grader.run.remembered import RememberingRunner, Store, installed_torch

    if watch and (as_json or not cache):
        raise InputError("--watch goes with neither --json nor --no-cache", "leave one of them out")
    started = time.monotonic()
    wanted = paths or (banks.home(bank),)
    with contextlib.ExitStack() as stack:
        store = Store()
        stack.callback(store.close)
        preload = pins.LIBRARIES if len(lesson.files(wanted)) > 1 else ()
        cluster = cluster_at(on)

        def made() -> LocalRunner | ClusterRunner:
            return ClusterRunner(cluster, preload) if cluster else LocalRunner(preload=preload)

        runner: LocalRunner | ClusterRunner | RememberingRunner
        runner = RememberingRunner(store, made) if cache else made()
        if isinstance(runner, LocalRunner):
            runner.start()  # torch loads while the files are read
        stack.callback(runner.close)
        report, malformed = _prove(wanted, runner, store if cache else None)
        store.forget_old()
        seconds = time.monotonic() - started
        torch = installed_torch().partition("+")[0]
        if as_json:
            from grader.ui.documents import verify_document

            print_json(verify_document(report, torch, seconds))
        else:
            _print_report(report, malformed, torch, seconds)
        if watch:
            if isinstance(runner, RememberingRunner):
                runner.inner()  # torch loads while the author types
            _watch(wanted, runner, store, torch)
            return
    if malformed:
        raise SystemExit(2)
    if any(finding.code == "not-run" for finding in report.findings):
        raise SystemExit(3)
    if report.errors:
        raise SystemExit(1)


def _prove(wanted: Sequence[Path], runner: Runner, store: Store | None) -> tuple[Report, bool]:
    """Prove the quizzes and lessons among some paths; whether nothing was run, as the files are malformed."""
    from grader import bank as banks
    from grader import lesson as lessons
    from grader.verify import Report
    from grader.verify import verify as prove

    quizzes, pages = _files(wanted)
    read = banks.read(quizzes, store)
    written, found = lessons.read(pages)
    if read.malformed or found:
        return Report(len(read.items), 0, 0, 0, (*read.findings, *found)), True
    return prove(read, runner, written), False


def _files(wanted: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The quizzes and the lessons among files and folders."""
    from grader import bank as banks
    from grader import lesson as lessons

    pages = lessons.files(wanted)
    quizzes = [path for path in wanted if path.suffix != ".md" and not (pages and lessons.only_lessons(path))]
    return (banks.files(quizzes) if quizzes else []), pages


def _print_report(report: Report, malformed: bool, torch: str, seconds: float) -> None:
    print_findings(report.findings)
    if malformed:
        print(f"{len(report.findings)} problems in the files; nothing was run.")
        return
    parts = [f"{report.items} items, {report.variants} variants"] if report.items else []
    parts += [f"{report.lessons} lessons"] if report.lessons else []
    print(f"{', '.join(parts)}, {report.claims} claims in torch {torch}:")
    proven = f"{report.proven} items proven, {report.items - report.proven} not, " if report.items else ""
    findings = "1 finding" if report.errors == 1 else f"{report.errors or 'no'} findings"
    print(f"{proven}{findings}, in {seconds:.1f} s.")


def _watch(wanted: Sequence[Path], runner: Runner, store: Store, torch: str) -> None:
    """Prove each file that is saved, until Ctrl-C. The worker stays warm, and what did not change is not run again."""
    from watchfiles import watch

    def is_ours(_: object, path: str) -> bool:
        return path.endswith((".yaml", ".yml", ".md")) and not Path(path).name.startswith(".")

    folders = {path if path.is_dir() else path.parent for path in wanted}
    said = False
    with contextlib.suppress(KeyboardInterrupt):
        for changes in watch(
            *folders, watch_filter=is_ours, debounce=200, step=50, rust_timeout=500, yield_on_timeout=True
        ):
            if not said:  # and not before: what was saved while the watching began would be missed
                print("Watching; Ctrl-C ends it.", flush=True)
                said = True
            if not changes:
                continue
            started = time.monotonic()
            changed = {Path(name).resolve() for _, name in changes}
            try:
                quizzes, pages = _files(wanted)
                saved = [path for path in (*quizzes, *pages) if path.resolve() in changed]
                if not saved:
                    continue
                print(f"\n{in_a_line(', '.join(map(str, saved)))}:")
                report, malformed = _prove(saved, runner, store)
                _print_report(report, malformed, torch, time.monotonic() - started)
            except GraderError as error:
                print(f"grader: {in_a_line(error.message)}")
            sys.stdout.flush()


@click.command()
@click.argument("file", type=Path)
@json_option
@click.option("--seconds", type=click.FloatRange(min=0.1), default=10.0, show_default=True,
              help="How long it may compute, and how long wait.")  # fmt: skip
@click.option("--memory", type=click.IntRange(min=16), default=1024, show_default=True, help="Limit in MiB.")
@plain_option
def run(file: Path, as_json: bool, seconds: float, memory: int, plain: bool) -> None:
    """Run a program in the sandbox and show what was observed. - reads it from standard input."""
    from grader.model import Limits, Program, Status
    from grader.run.local import LocalRunner
    from grader.ui.documents import run_document

    source = read_text(file)
    limits = Limits(
        cpu_seconds=max(1, math.ceil(seconds)), waiting_seconds=seconds, wall_seconds=max(60.0, 3 * seconds),
        memory_bytes=memory << 20,
    )  # fmt: skip
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
