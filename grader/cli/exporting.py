"""The command that writes questions for other programs and for paper."""

from __future__ import annotations

import secrets
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.shared import Banks, bank_option, find_item, good_bank, proof_runner, seed_option, write_files
from grader.errors import InputError, did_you_mean
from grader.template import in_a_line

if TYPE_CHECKING:
    from grader.exchange.exported_questions import ExportedQuestion, Form
    from grader.exchange.exporting import Exported
    from grader.exchange.formats import Writes
    from grader.model import Bank, Item


@click.command("export")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--to", "format_name", required=True, metavar="FORMAT", help="gift, moodle-xml, qti, jupyterquiz, anki, "
              "markdown, html or pdf.")  # fmt: skip
@click.option("-o", "--output", type=Path, required=True, metavar="FILE", help="Where to.")
@seed_option
@click.option("--all-variants", is_flag=True, help="Each question with all of its numbers, not with one set of them.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@bank_option
def export(
    names: tuple[str, ...],
    format_name: str,
    output: Path,
    seed: int | None,
    all_variants: bool,
    force: bool,
    bank: Banks,
) -> None:
    """Write questions for another program, or as worksheets. The file holds their keys.

    NAME is a topic, a block or a question. Each question is proven before it is written. Exit code 1 where some are
    left out.
    """
    from grader.exchange import formats

    form = formats.writer(format_name)
    if output.exists() and not force:
        raise InputError(f"{output}: the file is there already", "add --force to write over it")
    made = _proven(names, bank, seed, all_variants=all_variants)
    written = [one for one in made.quiz.questions if one.form in form.WRITES]
    left = [one for one in made.quiz.questions if one.form not in form.WRITES]
    if not written:
        raise InputError("none of these questions can be written", _why(made, left, form))
    from dataclasses import replace

    write_files({output: form.write(replace(made.quiz, questions=tuple(written)))})
    origin = made.quiz.origin
    count = "1 question" if len(written) == 1 else f"{len(written)} questions"
    print(in_a_line(f"{output}: {count} ({form.TITLE}) with their keys; license: {origin.license}"))
    for line in _as_others(written, form.WRITES):
        print(in_a_line(line))
    for line in _left_out(made, left, form):
        print(in_a_line(f"grader: {line}"), file=sys.stderr)
    if left or made.unproven:
        raise SystemExit(1)


def _proven(names: Sequence[str], banks: Banks, seed: int | None, *, all_variants: bool) -> Exported:
    """The questions of these names, run."""
    from grader.content.verify import PendingProof
    from grader.exchange import exporting
    from grader.judging.running_answers import Marker

    with proof_runner() as (runner, store):
        bank = good_bank(banks, store)
        items = _items(bank, names)
        drawn = [(item, one) for item in items for one in (item.variants if all_variants else (item.variant(seed),))]
        pending = [(item, PendingProof.begin(item, variant, runner)) for item, variant in drawn]
        asked = [(item, one.proof()) for item, one in pending]
        marker = Marker(runner.inner, secrets.randbits(64))
        return exporting.export(bank, asked, marker, _title(bank, names))


def _items(bank: Bank, names: Sequence[str]) -> list[Item]:
    """The items that are named, each once, in the order of the names. Raises InputError."""
    found: dict[str, Item] = {}
    prefix = "" if bank.others else bank.about.prefix  # of one bank alone it may be left out
    for name in names:
        members = bank.members(name) or bank.members(f"{prefix}{name}")
        if members:
            found |= {
                item.id: item for topic in members for item in bank.items if item.topic == topic and not item.retired
            }
        elif {name, f"{prefix}{name}"} & (known := {item.id for item in bank.items}) or bank.trouble(name):
            item = find_item(bank, name)
            found[item.id] = item
        else:
            groups = [*(topic.name for topic in bank.topics), *(block.name for block in bank.about.blocks)]
            hint = did_you_mean(name, [*groups, *known]) or f"the topics are {', '.join(groups)}"
            raise InputError(f"there is no topic, block or question `{name}`", hint)
    return list(found.values())


def _title(bank: Bank, names: Sequence[str]) -> str:
    titles = {topic.name: topic.title for topic in bank.topics} | {one.name: one.title for one in bank.about.blocks}
    return ", ".join(dict.fromkeys(titles.get(name, name) for name in names)) if len(names) <= 3 else "Questions"


def _as_others(written: Sequence[ExportedQuestion], forms: Mapping[Form, str]) -> list[str]:
    """A line for each sort of question that others become."""
    from grader.exchange.exported_questions import SAME

    found: dict[str, Counter[str]] = {}
    for one in written:
        found.setdefault(forms[one.form], Counter())[one.kind] += 1
    return [
        f"  as {what}: {', '.join(f'{count} {kind}' for kind, count in counts.items())}"
        for what, counts in found.items()
        if what != SAME
    ]


def _left_out(made: Exported, left: Sequence[ExportedQuestion], form: Writes) -> list[str]:
    kinds: dict[str, list[str]] = {}
    for one in left:
        kinds.setdefault(one.kind, []).append(one.name)
    lines = [f"left out, since {form.TITLE} has no form for `{kind}`: {', '.join(ids)}" for kind, ids in kinds.items()]
    return [*lines, *(f"left out: {name}: {why}" for name, why in made.unproven)]


def _why(made: Exported, left: Sequence[ExportedQuestion], form: Writes) -> str:
    return "; ".join(_left_out(made, left, form)) or "name a topic or a question that there is"
