"""The commands that bring lessons into Jupyter: as files, and in JupyterLab."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.shared import (
    Banks,
    bank_option,
    find_item,
    good_lessons,
    json_option,
    mix_option,
    print_findings,
    print_json,
    proof_runner,
    seed_option,
    topic_bank,
    write_files,
)
from grader.errors import InputError

if TYPE_CHECKING:
    from grader.model import Item
    from grader.runner.cached import RememberingRunner


@click.command()
@click.argument("topic")
@click.option("--mode", help="Only this page of the topic; of an assignment: practice, try, challenge or test.")
@click.option("-o", "--output", "folder", type=Path, default=Path(), metavar="DIR", help="By default here.")
@click.option("--force", is_flag=True, help="Overwrite notebooks that differ.")
@click.option("--assignment", is_flag=True, help="Write questions for nbgrader: DIR is COURSE/source/NAME.")
@click.option("--items", metavar="A,B,...", help="For an assignment: these items, in this order.")
@click.option("--count", type=click.IntRange(min=1), default=5, show_default=True, help="... or this many of the mode.")
@click.option("--points", type=click.FloatRange(min=0), default=1, show_default=True, help="... of each item.")
@click.option("--per-student", is_flag=True, help="... with other numbers for each student.")
@mix_option
@seed_option
@bank_option
@json_option
@click.pass_context
def notebook(context: click.Context, /, topic: str, assignment: bool, **options: Any) -> None:
    """Write lessons as Jupyter notebooks, into DIR/TOPIC; or an assignment for nbgrader."""
    if assignment:
        _assignment(topic, **options)
        return
    for name in ("items", "count", "points", "per_student", "mix", "seed"):
        if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            raise InputError(f"--{name.replace('_', '-')} is for assignments", "add --assignment")
    _lessons(topic, *(options[name] for name in ("mode", "folder", "force", "bank", "as_json")))


def _assignment(
    topic: str,
    mode: str | None,
    folder: Path,
    force: bool,
    items: str | None,
    count: int,
    points: float,
    per_student: bool,
    mix: int | None,
    seed: int | None,
    bank: Banks,
    as_json: bool,
) -> None:
    """Prove the items, and write the two files of an assignment."""
    from grader.learning.question import choose
    from grader.nbgrader import assignment

    with proof_runner() as (runner, store):
        found, topic = topic_bank(bank, topic, store)
        names = [name.strip() for name in items.split(",")] if items is not None else []
        chosen = (
            [find_item(found, name) for name in names] if names else choose(found, topic, mode or "practice", count)
        )
        name = folder.resolve().name
        assignment.check(chosen, name)
        asked = _proven(chosen, runner)
    about = assignment.describe(
        asked, found.mistakes, name=name, topic=topic, seed=seed, per_student=per_student, points=points, mix=mix
    )  # fmt: skip
    texts = {folder / file: text for file, text in assignment.files(asked, about).items()}
    new = {path: text for path, text in texts.items() if not _is_there(path, text, force)}
    write_files(new)
    for shows, asks in assignment.given_away(asked):
        print(f"grader: notice: `{shows}` shows a line of the answer to `{asks}`", file=sys.stderr)
    if as_json:
        files = [{"path": str(path), "state": "written" if path in new else "unchanged"} for path in texts]
        entries = [{"item": entry.grade_id, "points": entry.points} for entry in about.items]
        print_json({"format": 1, "assignment": name, "topic": topic, "files": files, "items": entries})
        return
    for path in texts:
        print(f"{path}{'' if path in new else ': it is there already'}")


def _proven(items: list[Item], runner: RememberingRunner) -> list[Any]:
    """Items with their proofs. Where one has findings, they are shown, and the command ends."""
    from grader.content.verify import prove_all
    from grader.nbgrader.assignment import AssignedItem

    asked = [AssignedItem(item, proofs) for item, proofs in prove_all(items, runner)]
    findings = tuple(finding for one in asked for proof in one.proofs for finding in proof.errors)
    if findings:
        print_findings(findings, to=sys.stderr)
        print("grader: not all of these items are proven; nothing was written", file=sys.stderr)
        raise SystemExit(1)
    return asked


def _lessons(topic: str, mode: str | None, folder: Path, force: bool, bank: Banks, as_json: bool) -> None:
    from grader.cli.json_documents import notebooks_document
    from grader.content import bank_files, lesson_files
    from grader.exchange import ipynb

    home, prefix = bank_files.find_topic(bank, topic)
    local = topic.removeprefix(prefix)
    read = good_lessons([lesson_files.find(home, local, mode)] if mode else lesson_files.of_topic(home, local))
    pages = ipynb.places(read)
    by_place = {folder / pages[ipynb.name(lesson)]: lesson for lesson in read}
    texts = {path: ipynb.convert(by_place[path], pages) for path in sorted(by_place)}
    new = {path: text for path, text in texts.items() if not _is_there(path, text, force)}
    write_files(new)
    if as_json:
        print_json(notebooks_document(topic, {str(path): by_place[path] for path in texts}, set(map(str, new))))
        return
    for path in texts:
        print(f"{path}{'' if path in new else ': it is there already'}")


def _is_there(path: Path, text: str, force: bool) -> bool:
    """Whether a file is there and has this text. Raises InputError where it has another one and may not be lost."""
    try:
        same = path.read_bytes() == text.encode()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise InputError(f"{path}: it cannot be read: {error.strerror}", "give another folder with -o") from None
    if not same and not force:
        raise InputError(
            f"{path}: it is there already, and differs",
            "nothing was written; give another folder with -o, or --force to write over it",
        )
    return same


class _Passing(click.Command):
    """A command whose arguments after `--` are somebody else's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        ctx.meta["more"] = tuple(args[end + 1 :])
        return super().parse_args(ctx, args[:end])


@click.command(cls=_Passing)
@click.argument("folder", type=Path, required=False, metavar="[DIR] [-- OPTIONS OF JUPYTERLAB]")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--port", type=click.IntRange(1, 65535), help="Where it listens, on this machine only.")
@bank_option
@click.pass_context
def lab(context: click.Context, folder: Path | None, no_browser: bool, port: int | None, bank: Banks) -> None:
    """Open all lessons in JupyterLab. DIR is `torch-grader`, unless you say otherwise.

    What is missing in DIR is put there; what is there stays as it is. Ctrl-C ends it.
    """
    from grader.content import bank_homes, lesson_files
    from grader.exchange import ipynb
    from grader.faces.jupyter import lab as jupyterlab

    jupyterlab.must_be_installed()
    banks = bank_homes.every(bank)
    home = banks[0]
    read = good_lessons(lesson_files.files([home / "lessons"]))
    if not read:
        raise InputError(f"{home}: there are no lessons here", "lessons are lessons/<topic>/<mode>.md")
    folder = folder or Path("torch-grader")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: this is a file", "give the name of a folder")
    kernel = jupyterlab.kernel()
    plan = jupyterlab.plan(folder, read, kernel)
    write_files(plan.new)
    made, kept = len(read) - len(plan.kept), len(plan.kept)
    new = f"{made} lessons are new" if made > 1 else "1 lesson is new"
    stay = f"{kept} are there and stay as they are" if kept > 1 else "1 is there and stays as it is"
    said = ", ".join([new] * bool(made) + [stay] * bool(kept))
    print(f"{folder}: {said}. The page to start from is {ipynb.START}.")
    print("JupyterLab starts; Ctrl-C ends it.")
    variables = jupyterlab.environment(banks)
    more = context.meta["more"]
    jupyterlab.become(jupyterlab.arguments(folder, kernel, port, browser=not no_browser, more=more), variables)
