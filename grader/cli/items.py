"""The commands that look at a bank as it is written: an item as a learner sees it, what a topic has and lacks."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from grader import kinds
from grader.cli import blind_readings
from grader.cli.shared import (
    Banks,
    bank_option,
    drawn_variant,
    find_item,
    good_bank,
    json_option,
    print_json,
    proof_runner,
    topic_bank,
)
from grader.errors import InputError
from grader.template import in_a_line

if TYPE_CHECKING:
    from grader.content.coverage import Coverage, Group
    from grader.content.readings import Blind, Share
    from grader.model import Item, Prompt, Variant
    from grader.runner.cached import RememberingRunner


@click.command()
@click.argument("item")
@click.option("--variant", type=click.IntRange(min=0), metavar="N", help="The numbers of this variant; 0 is the first.")
@click.option("--html", "as_html", is_flag=True, help="A page that stands alone.")
@click.option("--face", metavar="NAME", help="As this face shows it, such as `web`.")
@bank_option
def show(item: str, variant: int | None, as_html: bool, face: str | None, bank: Banks) -> None:
    """Show a question as a learner sees it before answering."""
    from grader import faces

    shown_by = faces.named(face) if face else None
    if shown_by and as_html:
        raise InputError("--html is a page of its own, whatever --face says", "leave one of them out")
    with proof_runner() as (runner, store):
        found = find_item(good_bank(bank, store), item)
        prompt, unproven = _prompt(found, drawn_variant(found, variant), runner)
    if shown_by:
        print(shown_by.draw(prompt))
    elif as_html:
        from grader.faces.jupyter.static import alone
        from grader.faces.service.html_documents import prompt as document

        print(alone(found.id, document(prompt)))
    else:
        from grader.faces.terminal.dialog import draw
        from grader.render.terminal_text import screen

        draw(screen(), prompt)
    if unproven:
        print(f"grader: notice: this question is not proven: {in_a_line(unproven)}", file=sys.stderr)
        raise SystemExit(1)


def _prompt(item: Item, variant: Variant, runner: RememberingRunner) -> tuple[Prompt, str]:
    """The prompt, and what is not proven where it took a run; nothing is run where it can be had without."""
    from grader.content.verify import PendingProof

    kind = kinds.of(item)
    if prompt := kind.prompt(item, variant, None):
        return prompt, ""
    proof = PendingProof.begin(item, variant, runner).proof()
    prompt = kind.prompt(item, variant, proof)
    assert prompt is not None
    return prompt, str(proof.errors[0]) if proof.errors else ""


@click.command()
@click.argument("topic", required=False)
@bank_option
@json_option
def coverage(topic: str | None, bank: Banks, as_json: bool) -> None:
    """What a bank has and what it lacks, by topic: skills, levels, kinds, misconceptions."""
    from grader.content import bank_files
    from grader.content.coverage import cover
    from grader.runner.cached import Store

    with contextlib.closing(Store()) as memory:
        if topic:
            whole, topic = topic_bank(bank, topic, memory)
        else:
            whole = good_bank(bank, memory)
        places = {one.name: bank_files.find_topic(bank, one.name, memory) for one in whole.topics}
    wanted = [one for one in whole.topics if topic in (None, one.name)]
    with blind_readings.lent() as runner:  # which starts nothing where there is nothing to run
        read = {one.name: blind_readings.of_topic(places[one.name][0], one, runner) for one in wanted}
    found = [
        cover(one, [page.stem for page in bank_files.lessons_of(*places[one.name], one.name)], read[one.name])
        for one in wanted
    ]
    if as_json:
        print_json({"format": 1, "topics": [dataclasses.asdict(one) for one in found]})
        return
    for number, one in enumerate(found):
        print("\n" * bool(number) + "\n".join(map(in_a_line, _lines(one))))


def _lines(one: Coverage) -> list[str]:
    """A topic's coverage in words."""
    said = one.readings
    readings = "none kept" if said is None else f"{one.items - len(said.unread)} of {one.items} items"
    return [
        f"{one.topic}: {one.title}",
        f"  {one.items} items in {one.variants} variants: {_counts(one.levels)}; {_counts(one.kinds)}",
        f"  keys: {_counts(one.keys, 'none')}; without other numbers or inputs: {len(one.fixed)}; readings: {readings}",
        f"  longest stem: {one.longest_stem[0]}, {one.longest_stem[1]} words",
        "  skills:",
        *(f"    {skill.words}: {_group(skill)}" for skill in one.skills),
        "  misconceptions:",
        *(f"    {name.words}: {_group(name)}" for name in one.misconceptions),
        *(_readings(said) if said else []),
        *([f"  skills without code: {', '.join(one.without_code)}"] if one.without_code else []),
        *(f"  nearly the same: {first} and {other}" for first, other in one.near_duplicates),
        *(["  not met:"] if one.not_met else ["  all rules for a topic are met"]),
        *(f"    {rule}" for rule in one.not_met),
    ]


def _readings(said: Blind) -> list[str]:
    """What the readings of a topic say, in words."""
    kinds_said = [f"{kind} {_share(share)}" for kind, share in said.by_kind.items() if share.of]
    lines = [
        f"first readings that disagree with the key: {_share(said.first_round)} ({', '.join(kinds_said)})",
        *([f"of these on a text that was reworded since: {said.of_another_text}"] if said.of_another_text else []),
        f"items with options that a reader answered without PyTorch: {_share(said.without)}",
        *(f"not read as it is shown now: {name}" for name in said.unread),
        *(f"the last reader disagrees with the key: {name}" for name in said.disputed),
        *(f"its readings cannot be judged: {name}" for name in said.not_judged),
    ]
    return [f"  {line}" for line in lines]


def _share(share: Share) -> str:
    return f"{share.disagree} of {share.of}"


def _group(group: Group) -> str:
    return f"{group.items} ({_counts(group.levels)}; {_counts(group.kinds)})"


def _counts(counts: Mapping[str, int], nothing: str = "") -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count) or nothing
