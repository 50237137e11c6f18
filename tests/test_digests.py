"""Digests of items: what changes them and what does not, and the table that says what those of version 1 stand for."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, make_dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from make_0001 import BANK, DATA, unpacked

from grader import bank as banks
from grader import digests
from grader.model import (
    Bank,
    Draw,
    Exercise,
    Expr,
    Item,
    Mistake,
    Option,
    Span,
    Step,
    Text,
    Variant,
    Wrong,
)
from grader.records import Records

CLAIMS, WORDS, NEITHER = "run and asked", "words", "neither"

DECIDED: dict[type, dict[str, str]] = {
    Item: {
        "id": NEITHER, "topic": NEITHER, "kind": CLAIMS, "level": NEITHER, "skill": NEITHER, "stem": WORDS, "at": NEITHER,
        "modes": NEITHER, "variants": CLAIMS, "program": CLAIMS, "program_at": NEITHER, "answer": CLAIMS, "holds": CLAIMS,
        "options": CLAIMS, "tolerance": CLAIMS, "unit": WORDS, "shows": WORDS, "counts": WORDS, "cells": CLAIMS,
        "exercise": CLAIMS, "raises": CLAIMS, "warns": CLAIMS, "hints": WORDS, "solution": WORDS, "see": WORDS,
    },
    Option: {
        "at": NEITHER, "key": CLAIMS, "text": WORDS, "value": CLAIMS, "code": CLAIMS, "holds": CLAIMS, "program": CLAIMS,
        "mistake": WORDS, "instead": CLAIMS, "yields": CLAIMS, "because": CLAIMS,
    },
    Exercise: {
        "reference": CLAIMS, "observe": CLAIMS, "at": NEITHER, "starter": CLAIMS, "wrong": CLAIMS, "given": CLAIMS,
        "hidden": CLAIMS, "draws": CLAIMS,
    },
    Wrong: {"mistake": WORDS, "parts": CLAIMS, "at": NEITHER},
    Draw: {"name": CLAIMS, "values": CLAIMS, "low": CLAIMS, "high": CLAIMS},
    Variant: {"index": NEITHER, "values": CLAIMS},
    Step: {"text": WORDS, "holds": WORDS},
    Text: {"pieces": WORDS, "at": NEITHER},
    Mistake: {"id": WORDS, "says": WORDS, "at": NEITHER, "see": NEITHER, "family": NEITHER},
}  # fmt: skip
"""Of each field: does the digest of what is run and asked change with it, or that of the words, or neither?"""

LEAVES = {Expr: {"text", "at"}, Span: {"path", "line", "column"}}
"""What fields are made of: an expression counts as the field that it stands in, a place nowhere."""

AT = Span("t.yaml", 3, 5)
SAID = Text(("The rate is ", Expr("rate", AT), "."), AT)
FULL = Item(
    "an-id", "topic", "choice", "easy", "skill", SAID, AT,
    variants=(Variant(0, (("a", 1), ("b", 2.5))), Variant(1, (("a", 2), ("b", True)))),
    program="x = 1\n", program_at=AT, answer=Expr("x", AT), holds=Expr("x == 1", AT),
    options=(
        Option(AT, True, SAID, Expr("1", AT), "x = 1", Expr("x", AT), "x = 2"),
        Option(AT, mistake="slip", text=SAID, instead=(("1", "2"),), yields=Expr("2", AT), because=Expr("x > 1", AT)),
    ),
    tolerance=0.01, unit="s", shows="loss", counts="epoch", cells=Expr("a", AT), raises=Expr("ValueError", AT),
    warns=Expr("lr", AT), hints=(SAID,), solution=(Step(SAID, Expr("x == 1", AT)),), see="lesson.md#x",
)  # fmt: skip
"""Every field has something in it, though no author could write all of this into one item."""

TASK = replace(
    FULL, kind="code", options=(),
    exercise=Exercise(
        ("x = 1",), Expr("run.lr_used", AT), AT, "x = 0", (Wrong("slip", ("x = 2",), AT),), ((("c", 1),),),
        (Draw("c", (1, 2), 3, 4),), 5,
    ),
)  # fmt: skip
MISTAKES = {name: Mistake(name, "You slipped.", AT, "lesson.md", "slips") for name in ("slip", "slipx")}


@pytest.fixture(scope="module")
def frozen() -> Bank:
    return banks.read(banks.files([BANK]))


def both(item: Item, mistakes: dict[str, Mistake] = MISTAKES) -> dict[str, str]:
    return {CLAIMS: digests.claims(item), WORDS: digests.words(item, mistakes)}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]} or {NEITHER}


# ---------------------------------------------------------------- every field is decided


def reached(kind: type) -> Iterator[type]:
    """The classes of data that an item is made of."""
    yield kind
    for hint in get_type_hints(kind).values():
        waiting = [hint]
        while waiting:
            part = waiting.pop()
            waiting += get_args(part)
            if isinstance(part, type) and is_dataclass(part):
                yield from reached(part)


def test_of_every_field_it_is_decided_what_it_is() -> None:
    """A new field fails here until somebody says: is it run and asked, or words, or neither? (And digests.py does so.)"""
    for kind in {*reached(Item), Mistake}:
        known = LEAVES.get(kind) or set(DECIDED.get(kind, {}))
        assert {field.name for field in fields(kind)} == known, kind
    assert set(reached(Item)) | {Mistake} == set(DECIDED) | set(LEAVES)


def other(value: Any) -> Any:
    """Another value of the same sort."""
    match value:
        case bool():
            return not value
        case str():
            return f"{value}x"
        case int() | float():
            return value + 1
        case Expr():
            return replace(value, text=f"{value.text} + 1")
        case Text():
            return replace(value, pieces=(*value.pieces, "Really."))
        case Span():
            return replace(value, line=value.line + 1)
        case tuple():
            return (*value, value[-1])
        case None:
            return Expr("1", AT)
    return replace(value, **{name: other(getattr(value, name)) for name in ("reference",)})


def places(item: Item, kind: type) -> Iterator[Callable[[Any], Item]]:
    """For each part of an item that is of a class: what gives the item with another part in its place."""

    def walk(data: Any, put: Callable[[Any], Any]) -> Iterator[tuple[Any, Callable[[Any], Any]]]:
        if type(data) is kind:
            yield data, put
        if isinstance(data, tuple):
            for place, part in enumerate(data):
                yield from walk(part, lambda new, place=place: put((*data[:place], new, *data[place + 1 :])))
        elif is_dataclass(data):
            for field in fields(data):
                yield from walk(
                    getattr(data, field.name), lambda new, name=field.name: put(replace(data, **{name: new}))
                )

    for part, put in walk(item, lambda new: new):
        yield lambda change, part=part, put=put: put(change(part))


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, names in DECIDED.items() if kind is not Mistake for name in names],
    ids=lambda given: given if isinstance(given, str) else given.__name__,
)  # fmt: skip
def test_a_field_changes_the_digest_that_it_belongs_to(kind: type, name: str, frozen: Bank) -> None:
    tried = 0
    one_of_each = {item.kind: item for item in frozen.items}.values()
    for item, mistakes in [(FULL, MISTAKES), (TASK, MISTAKES), *((one, frozen.mistakes) for one in one_of_each)]:
        for with_another in places(item, kind):
            given: list[Any] = []
            with_another(lambda part, given=given: given.append(getattr(part, name)) or part)
            if given[0] is None or given[0] == ():
                continue
            tried += 1
            after = with_another(lambda part: replace(part, **{name: other(getattr(part, name))}))
            found = changed(both(item, mistakes), both(after, mistakes))
            one_more = isinstance(given[0], tuple | Exercise)  # such as an option, with claims and words of its own
            assert DECIDED[kind][name] in found if one_more else found == {DECIDED[kind][name]}, (item.id, found)
    assert tried


@pytest.mark.parametrize("name", list(DECIDED[Mistake]))
def test_a_field_of_a_mistake_changes_the_words_or_nothing(name: str) -> None:
    slip = replace(MISTAKES["slip"], **{name: other(getattr(MISTAKES["slip"], name))})
    for item in (FULL, TASK):
        if name == "id":
            assert changed(both(item), both(item, {"slipx": slip})) == {WORDS}
        else:
            assert changed(both(item), both(item, {"slip": slip})) == {DECIDED[Mistake][name]}


def test_numbers_of_another_type_are_other_numbers() -> None:
    """1, 1.0 and True are equal in Python, and not the same to a program; nor is a range of whole numbers one of all."""
    variants = [(Variant(0, (("a", value),)),) for value in (1, 1.0, True, "1")]
    assert len({digests.claims(replace(FULL, variants=one)) for one in variants}) == 4
    assert TASK.exercise
    drawn = [replace(TASK.exercise, hidden=(Draw("c", (), low, 2),)) for low in (0, 0.0)]
    assert len({digests.claims(replace(TASK, exercise=one)) for one in drawn}) == 2


# ---------------------------------------------------------------- what changes nothing


@functools.cache
def elsewhere(kind: type) -> Any:
    """A class in another place, by another name, its fields in another order, and one more, with a default."""
    kept = [(field.name, Any, dataclasses.field(kw_only=True)) for field in reversed(fields(kind))]
    new = ("added", Any, dataclasses.field(default="something", kw_only=True))
    return make_dataclass(f"Other{kind.__name__}", [new, *kept], frozen=True, namespace={"__module__": "elsewhere"})


def moved(data: Any) -> Any:
    """The same data in other classes."""
    if isinstance(data, tuple):
        return tuple(map(moved, data))
    if not is_dataclass(data):
        return data
    return elsewhere(type(data))(**{field.name: moved(getattr(data, field.name)) for field in fields(data)})


def test_a_new_field_another_order_and_moved_classes_change_no_digest(frozen: Bank) -> None:
    for item, mistakes in [(FULL, MISTAKES), (TASK, MISTAKES), *((one, frozen.mistakes) for one in frozen.items)]:
        others = {name: moved(mistake) for name, mistake in mistakes.items()}
        assert both(moved(item), others) == both(item, mistakes)


def test_what_an_author_does_not_write_counts_as_what_it_means(tmp_path: Path) -> None:
    """A default that is written down, and another place in the file, change nothing."""
    text = (BANK / "quizzes/warmup.yaml").read_text()
    entries = re.split(r"(?m)^(?=- id: )", text)
    plain = "kind: choice\n"
    place = next(
        k for k, one in enumerate(entries) if plain in one and "tolerance:" not in one and "counts:" not in one
    )
    entries[place] = entries[place].replace(plain, f"{plain}  tolerance: 1.0e-6\n  counts: step\n")
    (tmp_path / "warmup.yaml").write_text("# A comment.\n\n" + "".join(entries))
    before, after = (banks.read([path]) for path in (BANK / "quizzes/warmup.yaml", tmp_path / "warmup.yaml"))
    assert not after.findings
    assert [both(item, after.mistakes) for item in after.items] == [
        both(item, before.mistakes) for item in before.items
    ]


def test_all_items_of_a_bank_differ_and_their_order_does_not_count(frozen: Bank) -> None:
    asked = [item for item in frozen.items if item.kind != "card"]
    assert len({digests.claims(item) for item in asked}) > 0.8 * len(asked)  # some ask one program in two ways
    assert digests.of_all(frozen.items) == digests.of_all(frozen.items[::-1]) != digests.of_all(frozen.items[1:])


def test_a_digest_fits_where_it_is_kept() -> None:
    """The column has 16 characters, and PostgreSQL keeps to that."""
    assert {len(digest) for digest in (*both(FULL).values(), digests.of_all((FULL, TASK)))} == {16}
    assert all(digest.startswith("2:") for digest in both(FULL).values())


# ---------------------------------------------------------------- version 1


TABLE: dict[str, list[str]] = json.loads(digests.TABLE.read_text())


def test_the_table_has_the_items_of_then_with_the_digests_of_now(frozen: Bank) -> None:
    """So the digests of these items never change again, whatever becomes of the code."""
    assert {name: row[1:] for name, row in TABLE.items()} == {
        item.id: [digests.claims(item), digests.words(item, frozen.mistakes)] for item in frozen.items
    }


def test_the_table_has_what_was_recorded_then(tmp_path: Path, frozen: Bank) -> None:
    with Records(str(unpacked("records.sqlite", tmp_path)), write=False) as store:
        kept = {(one.item, one.digest) for one in store.attempts()}
    for path in (DATA / "course/source").glob("*/torch-grader.json"):
        kept |= {(entry["grade_id"], entry["digest"]) for entry in json.loads(path.read_text())["items"]}
    assert len(kept) > 20
    assert kept <= {(name, row[0]) for name, row in TABLE.items()}
    items = {item.id: item for item in frozen.items}
    assert all(digests.same(items[name], digest) for name, digest in kept)


def test_what_was_recorded_is_the_same_or_changed_or_nobody_knows(frozen: Bank) -> None:
    item = next(one for one in frozen.items if one.id == "third-epoch-rate")
    then, now, said = TABLE[item.id]
    changed_item = replace(item, program=f"{item.program}\n")
    renamed = replace(item, id="of-another-bank")
    assert digests.same(item, now) is digests.same(item, then) is True
    assert digests.same(renamed, now) is True  # by what it is, not by its name
    assert digests.same(changed_item, now) is digests.same(changed_item, then) is False
    assert digests.same(item, "0" * 16) is False  # ours, as it was before
    assert digests.same(changed_item, "0" * 16) is digests.same(renamed, then) is None
    told = replace(item, see="elsewhere.md")
    assert digests.same(told, then) is True
    assert digests.reworded(told, frozen.mistakes, then, "")
    assert digests.reworded(told, frozen.mistakes, now, said)
    assert not digests.reworded(item, frozen.mistakes, then, "")
    assert not digests.reworded(item, frozen.mistakes, now, said)
    assert not digests.reworded(renamed, frozen.mistakes, "0" * 16, "")
