"""The command that says where to begin: at most ten questions, each drawn by the answers before it."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING

import click

from grader.cli.asking import Face, ask, end, make_face, make_sittings, say_next, warm
from grader.cli.shared import Asking, asking_options, good_bank, open_records, print_json, proof_runner
from grader.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from grader.learning.records import Records
    from grader.learning.sitting import Sittings
    from grader.model import Bank


@click.command()
@click.argument("block", required=False)
@click.option("--fresh", is_flag=True, help="Begin a new one, even where one was left.")
@asking_options
def place(block: str | None, fresh: bool, asking: Asking) -> None:
    """At most ten questions that say where to begin, in a block or in all. Goes on where it was left."""
    from grader.cli.json_documents import placement_document

    with contextlib.ExitStack() as stack:
        runner, store = stack.enter_context(proof_runner())
        bank = good_bank(asking.bank, store)
        titles = {one.name: one.title for one in bank.about.blocks}
        if block and block not in titles:
            raise InputError(f"there is no block `{block}`", did_you_mean(block, titles) or _blocks(bank))
        face = make_face(runner, asking)
        kept = stack.enter_context(open_records(asking.db))
        sittings = make_sittings(face, bank, kept)
        name = _left_or_new(bank, block or "", kept, sittings, face, asking, fresh=fresh)
        asked = sittings.view(name).asked
        warm(runner, [entry.question.item for entry in asked])
        terminal = face.terminal
        terminal.exam, terminal.hints, terminal.later = True, False, False
        first = next(entry.place for entry in asked if not entry.final)
        terminal.introduce_placement(titles.get(block or "", ""), first)
        results, ended = ask(face, sittings, name, bank)
        found = sittings.view(name).placed
        if found:
            terminal.placed(found)
        else:
            terminal.left(len(results), None)
        say_next(face, bank, asking, kept, (found.begin or "") if found else "", begun=False)
        if asking.as_json:
            print_json(placement_document(block or "", len(sittings.view(name).asked), results, ended, found))
        end(face, results, ended, strict=asking.strict)


def _blocks(bank: Bank) -> str:
    names = [block.name for block in bank.about.blocks]
    return f"there are {', '.join(names)}" if names else "this bank has no blocks; leave the name out"


def _left_or_new(
    bank: Bank, block: str, kept: Records, sittings: Sittings, face: Face, asking: Asking, *, fresh: bool
) -> str:
    """The placement that the learner left; else a new one. Raises InputError where there is nothing to ask."""
    from grader.learning import planning
    from grader.learning.placement import MODE
    from grader.learning.recorder import now

    if not fresh and (left := planning.left(bank, block, MODE, asking.learner, kept, now())):
        return left
    seed = secrets.randbits(31) if asking.seed is None else asking.seed
    mix = asking.mixed_by(seed, interactive=face.interactive)
    name = sittings.begin_placement(asking.learner, block, seed, mix=mix, face=face.name)
    if name is None:
        raise InputError("there are no questions that could place you", "a topic needs two that a test asks")
    return name
