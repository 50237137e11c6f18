"""The commands about what is on record: moving it, deleting it, and what it says about the items."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.shared import NO_SPACE, db_option, json_option, open_records, print_json, read_text, whole_bank
from grader.errors import InputError
from grader.model import Attempt, QuestionReport
from grader.template import in_a_line, printable

if TYPE_CHECKING:
    from grader.learning.records import Records


@click.command("export-records")
@click.argument("file", type=Path)
@db_option
@click.option("--learner", envvar="GRADER_LEARNER", help="Only what this learner answered.")
@click.option("--delete", is_flag=True, help="Delete it from the records when it is written.")
def export_records(file: Path, db: str | None, learner: str | None, delete: bool) -> None:
    """Write the records into a file (JSON Lines); - is standard output."""
    with open_records(db, write=delete) as store:
        learners = store.learners()
        if learner and learner not in learners:
            known = ", ".join(learners) or "no learners"
            raise InputError(f"nothing is on record of `{learner}`", f"there are {known}")
        attempts, sittings = _export(store, file, {"learner": learner} if learner else {})
        if delete:  # just what was written: an answer given in the meantime stays
            try:
                store.forget(attempts, sittings)
            except InputError:  # damaged where it is deleted: then all is as it was, and can be asked for again
                if str(file) != "-":
                    file.unlink()
                raise
            print(f"{len(attempts)} attempts are deleted.", file=sys.stderr)


def _export(store: Records, file: Path, chosen: dict[str, str]) -> tuple[list[str], list[str]]:
    """Write what is chosen; the ids of the attempts and of the sittings that were written."""
    from grader.exchange import records_jsonl

    if str(file) != "-" and file.exists():
        raise InputError(f"{file}: there is such a file already", "give another name")
    attempts: list[str] = []
    sittings = list(store.sittings(**chosen))
    events = store.events([sitting.id for sitting in sittings] if chosen else None)
    lines = records_jsonl.lines(sittings, _noted(store.attempts(**chosen), attempts), events)
    written = attempts, [sitting.id for sitting in sittings]
    if str(file) == "-":
        for line in lines:
            print(line)
        sys.stdout.flush()  # before anything is deleted
        return written
    beside = file.with_name(f".{file.name}.new")
    try:
        with beside.open("w", encoding="utf-8") as out:
            out.writelines(f"{line}\n" for line in lines)
        beside.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        hint = "make room, or write it elsewhere" if error.errno in NO_SPACE else "give another name"
        raise InputError(f"{file}: it cannot be written: {error.strerror}", hint) from None
    return written


def _noted(attempts: Iterator[Attempt], ids: list[str]) -> Iterator[Attempt]:
    for attempt in attempts:
        ids.append(attempt.id)
        yield attempt


@click.command("import-records")
@click.argument("file", type=Path)
@db_option
def import_records(file: Path, db: str | None) -> None:
    """Add records that were exported elsewhere; those that are there already are left alone."""
    from grader.exchange import records_jsonl

    sittings, attempts, events = records_jsonl.read(read_text(file).split("\n"), str(file))
    with open_records(db) as store:
        new = store.take_in(sittings, attempts, events)
    print(f"{new} attempts are new, {len(attempts) - new} were there already.")


@click.command()
@click.argument("files", nargs=-1, type=Path, metavar="[EXPORT]...")
@click.option("--course", type=Path, metavar="DIR", help="From the grades of an nbgrader course.")
@click.option("--assignment", "assignments", multiple=True, metavar="NAME", help="Only this one; may be given again.")
@db_option
@json_option
def stats(
    files: tuple[Path, ...], course: Path | None, assignments: tuple[str, ...], db: str | None, as_json: bool
) -> None:
    """How items do: too easy, too hard, a key in doubt. From the records, or from exported files of a class."""
    from grader.cli.json_documents import stats_document
    from grader.learning import item_statistics

    if course is not None:
        if files:
            raise InputError("the files are not of the course", "give either files or --course")
        _stats_of_course(course, assignments, as_json)
        return
    if assignments:
        raise InputError("--assignment is for courses", "give the folder of the course with --course")
    reports: list[QuestionReport] = []
    if files:
        found = item_statistics.compute(_merged(files))
    else:
        with open_records(db, write=False) as store:
            found = item_statistics.compute(_by_their_ids_of_today(store.attempts()))
            reports = list(store.reports())
    if as_json:
        print_json(stats_document(found, reports))
        return
    print(f"{'item':32} learners  right  discr.  seconds  most frequent mistake")
    for entry in found:
        discrimination = "-" if entry.discrimination is None else f"{entry.discrimination:.2f}"
        mistake = next((f"{name} ({count})" for name, count in entry.mistakes.items()), "-")
        seconds = "-" if entry.seconds is None else f"{entry.seconds:.0f}"
        numbers = f"{entry.learners:8}  {entry.facility:5.0%}  {discrimination:>6}  {seconds:>7}"
        print(f"{printable(entry.item):32} {numbers}  {printable(mistake)}")
        for flag in entry.flags:
            print(f"{'':32} ! {flag}")
    if reports:
        print("\nWhat learners say is wrong:")
    for report in reports:
        response = f", answered `{in_a_line(report.response[:60])}`" if report.response else ""
        print(printable(f"  {report.item} (variant {report.variant}{response}): {report.text}"))


def _by_their_ids_of_today(attempts: Iterable[Attempt]) -> Iterator[Attempt]:
    """Attempts, those at items that have another id by now under that one."""
    from dataclasses import replace

    whole = whole_bank(())
    today = {alias: item.id for item in (whole.items if whole else ()) for alias in item.aliases}
    for attempt in attempts:
        yield replace(attempt, item=today[attempt.item]) if attempt.item in today else attempt


def _stats_of_course(folder: Path, assignments: tuple[str, ...], as_json: bool) -> None:
    """Print what the grades of a course say of its items and of its other graded cells."""
    from grader.cli.json_documents import course_stats_document
    from grader.learning import item_statistics
    from grader.nbgrader import results

    with results.opened(folder) as course:
        rows = list(course.rows(assignments, (), lambda text: print(f"grader: notice: {text}", file=sys.stderr)))
    found = item_statistics.compute(results.answered(rows))
    says = {row.told.mistake: row.told.says for row in rows if row.told and row.told.mistake}
    if as_json:
        print_json(course_stats_document(found, says))
        return
    print(f"{'item':32} students  right  points  discr.  most frequent mistakes")
    for entry in found:
        discrimination = "-" if entry.discrimination is None else f"{entry.discrimination:.2f}"
        numbers = f"{entry.learners:8}  {entry.right:5.0%}  {entry.facility:6.0%}  {discrimination:>6}"
        mistakes = ", ".join(f"{name} ({count})" for name, count in list(entry.mistakes.items())[:3])
        print(f"{printable(entry.item):32} {numbers}  {printable(mistakes) or '-'}")
        for flag in entry.flags:
            print(f"{'':32} ! {flag}")
    if says:
        print("\nWhat the mistakes are:")
    for name in dict.fromkeys(name for entry in found for name in list(entry.mistakes)[:3]):
        print(printable(f"  {name}: {says[name]}"))


def _merged(files: tuple[Path, ...]) -> Iterator[Attempt]:
    """The attempts of several files, each once, oldest first. Learners of two files with one name are told apart."""
    from dataclasses import replace

    from grader.exchange import records_jsonl

    found: dict[str, Attempt] = {}
    for file in files:
        _, attempts, _ = records_jsonl.read(read_text(file).split("\n"), str(file))
        for attempt in attempts:
            named = attempt if attempt.learner != "me" else replace(attempt, learner=f"me in {file}")
            found.setdefault(attempt.id, named)
    yield from sorted(found.values(), key=lambda attempt: attempt.at)
