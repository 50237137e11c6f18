"""The commands for a class: autograde."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli import extras
from grader.cli.shared import cluster_at, gathered, json_option, on_option, print_json
from grader.errors import InputError

if TYPE_CHECKING:
    from grader.nbgrader.batch.course_folder import Course
    from grader.nbgrader.batch.dask_workers import Remote
    from grader.nbgrader.batch.jobs import Setup
    from grader.nbgrader.batch.journal import Journal


WAITING = 3
"""Submissions in flight on each core where notebooks are run: most of that time is waiting for a kernel."""

SECONDS_BETWEEN = 10.0
"""Between two lines that say how far it is, where nobody looks at a terminal."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where a class is graded, and how many submissions at a time."""

    jobs: int | None
    on: str | None


@click.command()
@click.argument("assignment")
@click.option("--course", type=Path, default=Path(), metavar="DIR", help="The nbgrader course.  [default: here]")
@click.option("--student", "only", multiple=True, metavar="ID", help="Only this one; may be given again.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Submissions at a time.  [default: by cores]")
@click.option("--force", is_flag=True, help="Also grade what has not changed.")
@click.option("--similar", is_flag=True, help="Also list answers that are alike: a hint, not a verdict.")
@click.option("--dry-run", is_flag=True, help="Say what would be graded, and grade nothing.")
@on_option
@json_option
@gathered(Where, "where")
def autograde(
    assignment: str,
    course: Path,
    only: tuple[str, ...],
    force: bool,
    similar: bool,
    dry_run: bool,
    where: Where,
    as_json: bool,
) -> None:
    """Grade a class: what was handed in for an assignment of an nbgrader course."""
    extras.must_have("nbgrader")
    from grader.nbgrader.batch import similar_submissions
    from grader.nbgrader.batch.course_folder import Course
    from grader.nbgrader.batch.journal import Journal
    from grader.nbgrader.similarity import data, report

    if not course.is_dir():
        raise InputError(f"{course}: there is no such folder", "give the folder of the course with --course")
    if not assignment or "/" in assignment:
        raise InputError(f"`{assignment}` is not the name of an assignment", "it is the folder's name in source/")
    there = Course(course.resolve(), assignment)
    setup = there.setup()
    longer = there.ledger.extensions(assignment)
    there.close()  # nothing may be open while a process is forked
    journal = Journal(there.root, assignment)
    with journal.held(), contextlib.closing(there):
        submissions = _chosen(there.submissions(), assignment, only)
        common = there.digest(setup)
        digests = {name: _digest(path, common + longer.get(name, "")) for name, path in submissions.items()}
        reasons = {name: _reason(journal, name, digests[name], there, force) for name in submissions}
        wanted = [name for name, reason in reasons.items() if reason]
        if dry_run:
            _print_plan(assignment, reasons, as_json)
            return
        chosen = {name: submissions[name] for name in wanted}
        try:
            reports = _graded(there, setup, journal, chosen, digests, where, quiet=as_json)
        except KeyboardInterrupt:
            print("\ngrader: stopped\n  hint: the same command goes on from here", file=sys.stderr)
            raise SystemExit(130) from None
        clusters = similar_submissions.found(setup, submissions, there.bank if setup.bank else None) if similar else []
    kept = {name: journal.entries[name].report for name in submissions if name not in reports}
    if as_json:
        listed = {"similar": data(clusters)} if similar else {}
        print_json({"format": 1, "assignment": assignment, "graded": reports, "unchanged": kept, **listed})
    else:
        _print_reports(assignment, reports, kept)
        if similar:
            print(f"\n{report(clusters)}", end="")
    if any(report["state"] == "failed" for report in reports.values()):
        raise SystemExit(1)


def _graded(
    there: Course,
    setup: Setup,
    journal: Journal,
    wanted: Mapping[str, Path],
    digests: Mapping[str, str],
    where: Where,
    *,
    quiet: bool,
) -> dict[str, dict[str, Any]]:
    """Grade these submissions; their reports."""
    from grader.nbgrader.batch.jobs import GradingJob
    from grader.nbgrader.batch.journal import JournalEntry
    from grader.nbgrader.batch.pool import graded
    from grader.nbgrader.batch.workers import LocalWorkers
    from grader.runner.local import available_cores

    if not wanted:
        return {}
    reports: dict[str, dict[str, Any]] = {}

    def begin(name: str) -> GradingJob:
        journal.write(name, JournalEntry("begun", digests[name], {}))
        return there.job(name, wanted[name])

    for text in (*there.changes(), *there.warnings(setup)):
        print(f"grader: {text}", file=sys.stderr)
    with contextlib.ExitStack() as stack:
        grading: LocalWorkers | Remote
        if cluster := cluster_at(where.on):
            from grader.nbgrader.batch.dask_workers import Remote

            stack.callback(cluster.close)
            grading, count = Remote(cluster, setup), where.jobs or cluster.threads
        else:
            results = stack.enter_context(journal.workshop())
            count = where.jobs or available_cores() * (WAITING if setup.needs_kernels else 1)
            grading = stack.enter_context(LocalWorkers(setup, count, there.bank if setup.bank else None, results))
            grading.begin()
        with _progress(len(wanted), quiet=quiet) as advance:
            for name, outcome in graded(grading, count, wanted, begin):
                there.save(name, outcome)
                journal.write(name, JournalEntry(outcome.report["state"], digests[name], outcome.report))
                reports[name] = outcome.report
                advance(name, outcome.report)
    return reports


def _chosen(submissions: dict[str, Path], assignment: str, only: Sequence[str]) -> dict[str, Path]:
    """The submissions that are asked for. Raises InputError where there are none."""
    if not submissions:
        raise InputError(f"nobody has handed in `{assignment}`", "submissions are submitted/STUDENT/ASSIGNMENT/*.ipynb")
    if missing := [name for name in only if name not in submissions]:
        raise InputError(f"there is no submission of `{missing[0]}`", f"there are {len(submissions)} of others")
    return {name: path for name, path in submissions.items() if not only or name in only}


def _digest(submission: Path, common: str) -> str:
    """Of all that a grade depends on."""
    from grader.nbgrader.batch.journal import digest_of

    return digest_of(submission, more=common)


def _reason(journal: Journal, name: str, digest: str, there: Course, force: bool) -> str:
    """Why a submission is to be graded now; empty where it is not."""
    entry = journal.entries.get(name)
    if entry is None:
        return "new"
    if entry.state == "begun":
        return "was cut off"
    if entry.state == "failed":
        return "failed before"
    if entry.digest != digest:
        return "it has changed, or what it is graded with"
    if not there.autograded(name).exists():
        return "its result is gone"
    return "asked for" if force else ""


@contextlib.contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[str, Mapping[str, Any]], None]]:
    """A bar with the time left at a terminal, else a line from time to time; and a line a submission in a file."""
    started = said = time.monotonic()
    done = 0
    told = not quiet and not (sys.stdout.isatty() and sys.stderr.isatty())  # a bar would be torn by lines

    def tell(name: str, report: Mapping[str, Any]) -> None:
        nonlocal said, done
        done += 1
        if told:
            print(f"{name}: {_said(report)}", flush=True)
        now = time.monotonic()
        if not sys.stderr.isatty() and now - said >= SECONDS_BETWEEN and done < total:
            said = now
            left = (now - started) / done * (total - done)
            print(f"grader: {done} of {total} graded, about {left / 60:.1f} min left", file=sys.stderr, flush=True)

    if not sys.stderr.isatty():
        yield tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False) as bar:
        task = bar.add_task("", total=total)

        def show(name: str, report: Mapping[str, Any]) -> None:
            tell(name, report)
            bar.update(task, advance=1, description=f"{name}: {report['state']}")

        yield show


def _said(report: Mapping[str, Any]) -> str:
    if report["state"] == "failed":
        return f"failed: {report['failure']}; it is left to a person"
    manual = ", needs manual grading" if report["needs_manual_grade"] else ""
    return f"{report['score']:g} of {report['max_score']:g}{manual}"


def _print_plan(assignment: str, reasons: Mapping[str, str], as_json: bool) -> None:
    if as_json:
        print_json({"format": 1, "assignment": assignment, "would_grade": {n: r for n, r in reasons.items() if r}})
        return
    for name, reason in reasons.items():
        print(f"{name}: {reason or 'unchanged, stays as it is'}")
    print(f"{sum(map(bool, reasons.values()))} of {len(reasons)} submissions would be graded.")


def _print_reports(assignment: str, reports: Mapping[str, Mapping[str, Any]], kept: Mapping[str, object]) -> None:
    remarked = {name: report["remarks"] for name, report in reports.items() if report["remarks"]}
    if remarked:
        print("\nWhat to look at:")
    for name, remarks in remarked.items():
        for remark in remarks[:5]:
            print(f"  {name}: {remark}")
        if len(remarks) > 5:
            print(f"  {name}: and {len(remarks) - 5} more")
    failed = sum(report["state"] == "failed" for report in reports.values())
    manual = sum(bool(report.get("needs_manual_grade")) for report in reports.values())
    parts = [f"{len(reports) - failed} graded"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{manual} need manual grading"] if manual else []
    parts += [f"{len(kept)} unchanged"] if kept else []
    print(f"{assignment}: {', '.join(parts)}.")
