"""The commands of authors: proving the bank, running a program, the schema, the machine."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.shared import (
    Banks,
    bank_option,
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
    from grader.content.claim_records import ClaimRecord
    from grader.content.schema import Shape
    from grader.content.verify import Report
    from grader.model import Bank, Item, Lesson
    from grader.runner import Runner
    from grader.runner.cached import Store


@click.command()
@click.argument("paths", nargs=-1, type=Path, metavar="[PATH]...")
@bank_option
@json_option
@click.option("--cache/--no-cache", default=True, show_default=True, help="Use what was proven before.")
@click.option("--watch", is_flag=True, help="Stay, and prove what is saved.")
@click.option("--claims", is_flag=True, help="With --json: list each claim with what was observed.")
@click.option(
    "--against", type=Path, metavar="REPORT", help="Say what changed since a report made with --json --claims."
)
@on_option
def verify(
    paths: tuple[Path, ...], bank: Banks, as_json: bool, cache: bool, watch: bool, claims: bool,
    against: Path | None, on: str | None,
) -> None:  # fmt: skip
    """Prove every claim of the bank and the lessons in real PyTorch."""
    from grader.content import bank_homes, claim_records, lesson_files, recorded_outputs
    from grader.runner import runners
    from grader.runner.cached import RememberingRunner, Store, installed_torch

    if watch and (as_json or not cache):
        raise InputError("--watch goes with neither --json nor --no-cache", "leave one of them out")
    if (claims and not as_json) or (against and watch):
        raise InputError("--claims goes with --json, and --against not with --watch", "see `grader verify --help`")
    before = _report_of(against)
    started = time.monotonic()
    wanted = paths or (bank_homes.every(bank) if bank else (bank_homes.home(),))
    with contextlib.ExitStack() as stack:
        store = Store()
        stack.callback(store.close)
        preload = recorded_outputs.LIBRARIES if len(lesson_files.files(wanted)) > 1 else ()
        made = functools.partial(runners.make, on, preload)
        inner = made() if on or not cache else None  # what was named must be there, though nothing may have to run
        runner = RememberingRunner(store, lambda: inner or made()) if cache else made()
        if not cache:
            runner.start()  # torch loads while the files are read
        stack.callback(runner.close)
        report, malformed = _prove(wanted, runner, store if cache else None, listing=claims or before is not None)
        store.forget_old()
        seconds = time.monotonic() - started
        torch = installed_torch().partition("+")[0]
        changed = claim_records.changes(before[1], report.listed) if before else []
        if as_json:
            from grader.cli.json_documents import verify_document

            since = (before[0], changed) if before else None
            print_json(verify_document(report, torch, seconds, claims=claims, since=since))
        else:
            _print_report(report, malformed, torch, seconds)
            if before:
                _print_changes(before[0], torch, changed)
        if watch:
            if isinstance(runner, RememberingRunner):
                runner.inner()  # torch loads while the author types
            _watch(wanted, runner, store, torch)
            return
    if malformed:
        raise SystemExit(2)
    if any(finding.code == "not-run" for finding in report.findings):
        raise SystemExit(3)
    if report.errors or changed:
        raise SystemExit(1)


def _report_of(path: Path | None) -> tuple[str, dict[str, ClaimRecord]] | None:
    """The torch and the claims of a report that was made elsewhere. Raises InputError where it is none."""
    if path is None:
        return None
    import json

    from grader.content import claim_records

    try:
        document = json.loads(read_text(path))
    except (ValueError, RecursionError):
        document = None
    return claim_records.read(document, str(path))


def _print_changes(since: str, torch: str, changed: Sequence[tuple[ClaimRecord | None, ClaimRecord | None]]) -> None:
    """What is observed now, and was not in another environment."""
    for before, now in changed:
        one = now or before
        assert one is not None
        variant = ", ".join(f"{name} = {value!r}" for name, value in one.variant.items())
        print(in_a_line(f"{one.path}:{one.line}: {one.claim} [{one.item}{f', {variant}' if variant else ''}]"))
        for name, record in ((since, before), (torch, now)):
            expected = f" (expected: {record.expected})" if record and record.expected else ""
            said = f"{record.observed}{expected}" if record else "it is not there"
            print(in_a_line(f"  torch {name}: {said}"))
    count = "1 claim has" if len(changed) == 1 else f"{len(changed) or 'no'} claims have"
    print(f"{count} changed since the report of torch {since}.")


def _prove(
    wanted: Sequence[Path], runner: Runner, store: Store | None, *, listing: bool = False
) -> tuple[Report, bool]:
    """Prove the quizzes and lessons among some paths, as far as they can be read; whether files are malformed."""
    from grader.content import bank_files, lesson_files
    from grader.content.verify import verify as prove

    quizzes, pages = _files(wanted)
    read = bank_files.read(quizzes, store)
    written, found = lesson_files.read(pages)
    read = dataclasses.replace(read, findings=(*read.findings, *found))
    asked = _asked(written, read, store)
    return prove(read, runner, written, store, asked, listing=listing), read.malformed


def _asked(lessons: Sequence[Lesson], read: Bank, store: Store | None) -> list[Item]:
    """The items of the banks that lessons lie in, where the lessons ask others than those that were read."""
    from grader.content import asking_cells, bank_files

    known = {item.id for item in read.items}
    homes = {
        Path(lesson.path).resolve().parent.parent.parent
        for lesson in lessons
        if any(not known.issuperset(part.asks.items) for part in asking_cells.asked(lesson))
    }
    files = [file for home in sorted(homes) for file in bank_files.inside(home)]
    return list(bank_files.read(files, store).items) if files else []


def _files(wanted: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The quizzes and the lessons among files and folders."""
    from grader.content import bank_files, lesson_files

    pages = lesson_files.files(wanted)
    quizzes = [path for path in wanted if path.suffix != ".md" and not (pages and lesson_files.only_lessons(path))]
    return (bank_files.files(quizzes) if quizzes else []), pages


def _print_report(report: Report, malformed: bool, torch: str, seconds: float) -> None:
    print_findings(report.findings)
    if malformed and not (report.variants or report.lessons):
        print(f"{len(report.findings)} problems in the files; nothing was run.")
        return
    parts = [f"{report.items} items, {report.variants} variants"] if report.items else []
    parts += [f"{report.lessons} lessons"] if report.lessons else []
    if report.experiments:
        parts.append(f"{report.experiments} {'experiment' if report.experiments == 1 else 'experiments'}")
    print(f"{', '.join(parts)}, {report.claims} claims in torch {torch}:")
    proven = f"{report.proven} items proven, {report.items - report.proven} not, " if report.items else ""
    if untested := report.options.untested:
        print(f"{untested} of the wrong options name a mistake or none, and no run shows that it leads there.")
    if report.elsewhere:
        print(f"{report.elsewhere} more are for other versions of torch, and were not tried.")
    findings = "1 finding" if report.errors == 1 else f"{report.errors or 'no'} findings"
    print(f"{proven}{findings}, in {seconds:.1f} s.")


def _watch(wanted: Sequence[Path], runner: Runner, store: Store, torch: str) -> None:
    """Prove each file that is saved, until Ctrl-C. The worker stays warm, and what did not change is not run again."""
    from watchfiles import watch

    def is_ours(_: object, path: str) -> bool:
        return path.endswith((".yaml", ".yml", ".md", "helpers.py")) and not Path(path).name.startswith(".")

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
                saved = _touched([*quizzes, *pages], changed)
                if not saved:
                    continue
                print(f"\n{in_a_line(', '.join(map(str, saved)))}:")
                report, malformed = _prove(saved, runner, store)
                _print_report(report, malformed, torch, time.monotonic() - started)
            except GraderError as error:
                print(f"grader: {in_a_line(error.message)}")
            sys.stdout.flush()


def _touched(files: Sequence[Path], changed: set[Path]) -> list[Path]:
    """The files that were saved, and those that rest on what was: on their topic's `topic.yaml` or its module."""
    from grader.content.bank_files import helpers_of
    from grader.content.bank_homes import HEAD

    own = {path for path in files if changed & {path.resolve(), *(one.resolve() for one in helpers_of(path))}}
    folders = {path.parent for path in own if path.name == HEAD}
    return [path for path in files if path in own or path.parent in folders]


@click.command()
@click.argument("files", type=Path, nargs=-1, required=True, metavar="FILE...")
@json_option
@click.option("--seconds", type=click.FloatRange(min=0.1), default=10.0, show_default=True,
              help="How long it may compute, and how long it may wait.")  # fmt: skip
@click.option("--memory", type=click.IntRange(min=16), default=1024, show_default=True, help="Limit in MiB.")
@plain_option
def run(files: tuple[Path, ...], as_json: bool, seconds: float, memory: int, plain: bool) -> None:
    """Run programs in the sandbox and show what was observed.

    FILE may be a folder, which stands for the programs in it, or -, which reads one from standard input.
    """
    from grader.cli.json_documents import run_document, runs_document
    from grader.model import Limits, Program, Status
    from grader.runner import runners

    limits = Limits(
        cpu_seconds=max(1, math.ceil(seconds)), waiting_seconds=seconds, wall_seconds=max(60.0, 3 * seconds),
        memory_bytes=memory << 20,
    )  # fmt: skip
    paths = list(dict.fromkeys(path for given in files for path in _programs(given)))
    sources = [read_text(path) for path in paths]
    one = len(files) == 1 and not files[0].is_dir()
    with contextlib.closing(runners.make()) as runner:
        runs = [runner.submit(Program(source, limits=limits)) for source in sources]
        seen = [run.result() for run in runs]
        ended = {run.status for run in seen}
        contained = not ended - {Status.NOT_RUN} or runner.contained()
    if not contained:
        print("grader: notice: no sandbox here; `grader doctor` says why", file=sys.stderr)
    if as_json:
        shown = dict(zip(map(str, paths), seen, strict=True))
        print_json(run_document(seen[0]) if one else runs_document(shown))
    else:
        from grader.render.terminal_text import screen, show_run

        console = screen()
        for path, run in zip(paths, seen, strict=True):
            if not one:
                print(in_a_line(f"{path}:"), flush=True)
            show_run(console, run, plain)
    if Status.NOT_RUN in ended:
        raise SystemExit(3)
    if ended != {Status.OK}:
        raise SystemExit(1)


def _programs(path: Path) -> list[Path]:
    """A file, or the programs of a folder. Raises InputError where it has none."""
    if not path.is_dir():
        return [path]
    if found := sorted(path.glob("*.py")):
        return found
    raise InputError(f"{path}: there is no program in this folder", "a program is a file that ends in .py")


SHAPES: dict[str, Shape] = {
    "TOPIC.yaml": "topic", "topic.yaml": "head", "part": "part", "mistakes.yaml": "mistakes", "bank.yaml": "bank",
}  # fmt: skip
"""Names of the files of a bank, and what each holds."""


@click.command()
@click.option("--of", "name", type=click.Choice(list(SHAPES)), default="TOPIC.yaml", show_default=True,
              help="Of which file; `part` is one beside a topic.yaml.")  # fmt: skip
def schema(name: str) -> None:
    """Print the JSON Schema of a bank's files, for editors."""
    from grader.content.schema import schema as quiz_schema

    print_json(quiz_schema(SHAPES[name]))


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """What works on this machine, and what does not."""
    from grader.cli.doctor import examine

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
