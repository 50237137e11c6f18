"""What the topics of banks share: ids are unique, mistakes are known and mean one thing, items hold in this PyTorch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from grader.errors import did_you_mean
from grader.model import Bank, Finding, Item, LeftOut, Mistake, Topic


def across(bank: Bank) -> Bank:
    """What topics share: item ids are unique, mistakes are known and mean one thing. What does not fit is left out."""
    findings: list[Finding] = []
    items: dict[str, Item] = {}
    unfit: list[Item] = []
    known: dict[str, Mistake] = {}
    for mistake in (*bank.shared, *(mistake for topic in bank.topics for mistake in topic.mistakes)):
        first = known.setdefault(mistake.id, mistake)
        if first.says != mistake.says:
            message = f"the mistake `{mistake.id}` is described in another way at {first.at}"
            findings.append(Finding("duplicate-id", message, mistake.at, "keep one of the two"))
    for item in bank.items:
        if (first_item := items.setdefault(item.id, item)) is not item:
            message = f"the id `{item.id}` is taken: {first_item.at}"
            findings.append(Finding("duplicate-id", message, item.at, "a new meaning needs a new id"))
            unfit.append(item)
        for name, at in item.body.recognized():
            if name and name not in known and not bank.unread:  # what could not be read may describe it
                hint = did_you_mean(name, known) or "describe it under `mistakes:`"
                findings.append(Finding("unknown-mistake", f"there is no mistake `{name}`", at, hint, item=item.id))
                unfit.append(item)
    for item in bank.items:
        for alias in item.aliases:
            if (other := items.setdefault(alias, item)) is not item or alias == item.id:
                message = f"the alias `{alias}` is an id that is in use: {other.at}"
                findings.append(
                    Finding("duplicate-id", message, item.at, "an alias is an id that nothing has any more")
                )
                unfit.append(item)
    topics = tuple(_without(topic, unfit) for topic in bank.topics) if unfit else bank.topics
    topics = tuple(map(_for_this_torch, topics)) if any(item.torch for item in bank.items) else topics
    return replace(bank, topics=topics, findings=(*bank.findings, *findings))


def _without(topic: Topic, unfit: Iterable[Item]) -> Topic:
    """A topic without these items."""
    out = {id(item) for item in unfit}
    kept = tuple(item for item in topic.items if id(item) not in out)
    left = tuple(LeftOut(item.at.path, item.id) for item in topic.items if id(item) in out)
    return replace(topic, items=kept, left_out=(*topic.left_out, *left))


def _for_this_torch(topic: Topic) -> Topic:
    """A topic without the items that hold in other versions of PyTorch only."""
    from packaging.specifiers import SpecifierSet

    from grader.runner.cached import installed_torch

    here = installed_torch().partition("+")[0]
    out = {item.id for item in topic.items if item.torch and here not in SpecifierSet(item.torch, prereleases=True)}
    kept = tuple(item for item in topic.items if item.id not in out)
    return replace(topic, items=kept, elsewhere=tuple(sorted(out))) if out else topic
