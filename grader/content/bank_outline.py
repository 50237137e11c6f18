"""A bank without its questions: what lists and counts them needs neither their texts nor their programs.

It is remembered for the whole bank by the digest of its files, so that `grader topics` takes as long with 1,000 items
as with a hundred. A bank that something is wrong with is read each time, since what is wrong is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grader.content import bank_files, remembered_topics, schema
from grader.content.bank_files import Memory
from grader.model import Bank, Body, Item, Text, Topic, Variant


def read(paths: Sequence[Path], memory: Memory | None) -> Bank:
    """The bank of these files, with items that have ids, a topic, a kind, a level, a skill, modes, and nothing else.

    Of their variants only how many there are is known.
    """
    key = _key(paths) if memory else ""
    if memory and key and (kept := memory.get(key)) and (known := remembered_topics.load(kept, Bank)):
        return known
    whole = bank_files.read(paths, memory)
    outline = replace(whole, topics=tuple(map(_without_questions, whole.topics)), shared=())
    if memory and key and not whole.findings:
        memory.put(key, remembered_topics.dump(outline))
    return outline


def _without_questions(topic: Topic) -> Topic:
    return replace(topic, items=tuple(map(_entry, topic.items)), mistakes=(), experiment=None)


def _entry(item: Item) -> Item:
    return Item(
        item.id, item.topic, item.kind, item.level, item.skill, Text((), item.at), item.at, item.modes,
        (Variant(),) * len(item.variants), body=Body(), aliases=item.aliases, retired=item.retired,
    )  # fmt: skip


def _key(paths: Sequence[Path]) -> str:
    """A digest of all files that a bank is made of; empty where one cannot be read."""
    found = hashlib.sha256(f"outline {schema.digest()}".encode())
    for path in (one for given in paths for one in (given, *bank_files.helpers_of(given))):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        except OSError:
            return ""
        found.update(f"\0{path}\0{len(data)}\0".encode(errors="surrogateescape"))
        found.update(data)
    return found.hexdigest()
