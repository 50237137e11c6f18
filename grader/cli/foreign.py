"""The commands for quizzes of others: read one into a quiz of ours, and prove one as it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.shared import complain, json_option, print_json, proof_runner, write_files
from grader.errors import GraderError, InputError
from grader.template import brief, in_a_line

if TYPE_CHECKING:
    from grader.exchange.imported_files import Imported
    from grader.exchange.proving import Judged, Report

FILES = click.argument("files", type=Path, nargs=-1, required=True, metavar="FILE...")
FROM = click.option("--from", "format_name", metavar="FORMAT", help="The format; by default found by content.")


@click.command("import")
@FILES
@click.option("-o", "--output", type=Path, metavar="FILE", help="Where to write; by default the terminal.")
@click.option("--topic", help="The topic's name; by default the output file's.")
@click.option(
    "--license", "license_name", default="", metavar="NAME", help="The license of the questions, such as CC-BY-4.0."
)
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@FROM
def import_(
    files: tuple[Path, ...],
    output: Path | None,
    topic: str | None,
    license_name: str,
    force: bool,
    format_name: str | None,
) -> None:
    """Convert other people's quizzes into a quiz file; none of their code is run.

    FILE may be a folder or a zip archive. What a quiz file has no field for is kept under `imported:`.
    """
    from grader.exchange import imported_files

    quizzes, troubles = imported_files.read(files, format_name)
    name = imported_files.slug(topic or (output.stem if output else Path(quizzes[0].path).stem))
    texts = imported_files.documents(quizzes, name, license_name)
    if output is None:
        print("---\n".join(texts), end="")
    else:
        paths = [output, *(output.with_stem(f"{output.stem}-{number}") for number in range(2, len(texts) + 1))]
        if there := next((path for path in paths if path.exists() and not force), None):
            raise InputError(f"{there}: the file is there already", "add --force to write over it")
        write_files(dict(zip(paths, texts, strict=True)))
        _tell(quizzes, paths)
    _complain(troubles)
    if troubles:
        raise SystemExit(2)


def _tell(quizzes: Sequence[Imported], paths: Sequence[Path]) -> None:
    for quiz in quizzes:
        odd = sum(bool(one.trouble) for one in quiz.quiz.questions)
        said = f", {odd} of which could not be read" if odd else ""
        print(in_a_line(f"{quiz.path}: {len(quiz.items)} questions ({quiz.format}){said}"))
    wanted = sum("wanted" in item for quiz in quizzes for item in quiz.items)
    print(
        in_a_line(f"written to {', '.join(map(str, paths))}; {wanted} have a line `wanted:` that says what is missing")
    )


def _complain(troubles: Sequence[GraderError]) -> None:
    for trouble in troubles:
        complain(trouble, "left out: ")


@click.command()
@FILES
@json_option
@click.option("--html", "report_path", type=Path, metavar="REPORT", help="Also write a report, as one HTML file.")
@FROM
def prove(files: tuple[Path, ...], as_json: bool, report_path: Path | None, format_name: str | None) -> None:
    """Say which answers of somebody's quiz PyTorch contradicts.

    FILE may be a folder or a zip archive, or what `grader import` wrote. Exit code 1 where an answer is
    contradicted, names something that is not there, or does not run.
    """
    from grader.exchange import imported_files, proving
    from grader.runner.cached import installed_torch

    started = time.monotonic()
    quizzes, troubles = imported_files.read(files, format_name)
    with proof_runner() as (runner, store):
        report = proving.prove(quizzes, runner)
        store.forget_old()
    seconds = time.monotonic() - started
    torch = installed_torch().partition("+")[0]
    if report_path is not None:
        from grader.exchange.proof_pages import page

        write_files({report_path: page(report, torch)})
    if as_json:
        from grader.exchange.proof_pages import document

        print_json(document(report, torch, seconds))
    else:
        _print(report, torch, seconds)
        if report_path is not None:
            print(in_a_line(f"The report: {report_path}"))
    _complain(troubles)
    if report.not_run:
        print(in_a_line(f"grader: {report.not_run}"), file=sys.stderr)
        raise SystemExit(3)
    if troubles:
        raise SystemExit(2)
    if any(report.counts[state] for state in proving.FALSE):
        raise SystemExit(1)


def _print(report: Report, torch: str, seconds: float) -> None:
    """The report for a terminal: what is wrong first, what is proven only counted."""
    from grader.exchange.proving import STATES

    for state in STATES:
        found = [one for one in report.questions if one.state == state]
        if not found or state == "proven":
            continue
        print(f"{state} ({len(found)})")
        for one in found:
            _print_question(one)
        print()
    counts = ", ".join(f"{number} {state}" for state, number in report.counts.items() if number)
    questions = "1 question" if len(report.questions) == 1 else f"{len(report.questions)} questions"
    print(f"{questions}, {report.runs} runs in torch {torch}: {counts}, in {seconds:.1f} s.")
    if report.missing:
        lines = "1 line is" if report.missing == 1 else f"{report.missing} lines are"
        print(f"{lines} missing: where, is marked `wanted:` in what `grader import FILE -o quiz.yaml` writes.")


def _print_question(one: Judged) -> None:
    first = next((line for line in one.stem.split("\n") if line.strip()), "")
    print(in_a_line(f"  {one.path}:{one.line} {brief(first, 90)}"))
    if one.said:
        print(in_a_line(f"    {one.said}"))
    if one.expression and one.state in ("contradicted", "ambiguous"):
        what = "what the program prints" if one.expression.startswith("run.stdout") else f"`{one.expression}`"
        print(in_a_line(f"    decided by {what}: {' '.join(one.gives.split()) or 'nothing'}"))
    for remark in one.remarks:
        print(in_a_line(f"    {remark}"))
    if one.wanted:
        print(in_a_line(f"    missing: {one.wanted}"))
