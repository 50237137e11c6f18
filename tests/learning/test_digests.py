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

from grader.content import bank_files
from grader.judging.bodies import Check, Claimed, Draw, Option, Pattern, TensorDraw, Written, Wrong, written
from grader.judging.comparison import Compare
from grader.learning import digests
from grader.learning.records import Records
from grader.model import (
    Bank,
    Body,
    Expr,
    FigureSource,
    Given,
    Item,
    Mistake,
    Span,
    Step,
    Text,
    Variant,
)
from tests.support.make_0001 import BANK, DATA, unpacked

CLAIMS, WORDS, NEITHER = "run and asked", "words", "neither"

DECIDED: dict[type, dict[str, str]] = {
    Item: {
        "id": NEITHER, "topic": NEITHER, "kind": CLAIMS, "level": NEITHER, "skill": NEITHER, "stem": WORDS, "at": NEITHER,
        "modes": NEITHER, "variants": CLAIMS, "program": CLAIMS, "program_at": NEITHER, "body": CLAIMS, "raises": CLAIMS, "warns": CLAIMS, "watch": CLAIMS, "hints": WORDS, "solution": WORDS, "see": WORDS,
        "figures": CLAIMS, "given": NEITHER, "modules": CLAIMS, "seconds": NEITHER, "memory": NEITHER,
        "torch": NEITHER, "wanted": NEITHER, "imported": NEITHER, "aliases": NEITHER, "retired": NEITHER,
        "source": NEITHER, "license": NEITHER, "origin": NEITHER,
    },
    Given: {"name": NEITHER, "source": NEITHER, "at": NEITHER},  # it is a part of the program
    FigureSource: {
        "draw": CLAIMS, "data": CLAIMS, "at": NEITHER, "title": WORDS, "x": WORDS, "y": WORDS, "reveals": NEITHER,
    },
    Claimed: {
        "answer": CLAIMS, "holds": CLAIMS, "options": CLAIMS, "key": CLAIMS, "compare": CLAIMS, "unit": WORDS, "shows": WORDS, "counts": WORDS,
        "cells": CLAIMS, "runs": CLAIMS, "exists": CLAIMS,
    },
    Option: {
        "at": NEITHER, "key": CLAIMS, "text": WORDS, "value": CLAIMS, "code": CLAIMS, "holds": CLAIMS, "program": CLAIMS,
        "mistake": WORDS, "instead": CLAIMS, "yields": CLAIMS, "because": CLAIMS, "where": CLAIMS, "last": CLAIMS, "says": CLAIMS,
    },
    Compare: {field.name: CLAIMS for field in fields(Compare)},
    Written: {
        "reference": CLAIMS, "observe": CLAIMS, "at": NEITHER, "starter": CLAIMS, "wrong": CLAIMS, "given": CLAIMS,
        "hidden": CLAIMS, "draws": CLAIMS, "checks": CLAIMS, "compare": CLAIMS, "shows": WORDS, "counts": WORDS,
    },
    Wrong: {"mistake": WORDS, "parts": CLAIMS, "at": NEITHER, "looks": CLAIMS, "where": CLAIMS},
    Draw: {"name": CLAIMS, "values": CLAIMS, "low": CLAIMS, "high": CLAIMS, "tensor": CLAIMS},
    TensorDraw: {field.name: CLAIMS for field in fields(TensorDraw)},
    Check: {
        "at": NEITHER, "name": CLAIMS, "observe": CLAIMS, "holds": CLAIMS, "forbid": CLAIMS, "require": CLAIMS, "says": WORDS,
        "points": CLAIMS,
    },
    Pattern: {"text": CLAIMS, "at": NEITHER, "before": CLAIMS, "after": CLAIMS, "others": CLAIMS},
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
    program="import y\nx = 1\n", program_at=AT, given=(Given("y", "import y\n", AT),), modules=(("helpers", "z = 1"),), seconds=3,
    memory=64, torch=">=2.9", wanted="a key", imported=True, aliases=("old-id",), retired=True,
    source="an issue", license="CC0-1.0", origin="A bank", body=Claimed(answer=Expr("x", AT), holds=Expr("x == 1", AT), options=(
        Option(AT, True, SAID, Expr("1", AT), "x = 1", Expr("x", AT), Expr("2", AT), "x = 2"),
        Option(AT, mistake="slip", text=SAID, instead=(("1", "2"),), yields=Expr("2", AT), because=Expr("x > 1", AT), where=Expr("a > 1", AT)),
    ), key=Expr("2", AT), compare=Compare(0.01, 0.1, 0.2), unit="s", shows="loss", counts="epoch", cells=Expr("a", AT), exists=(Expr("torch.cat", AT),), runs=(Expr("x + 1", AT),)), raises=Expr("ValueError", AT),
    warns=Expr("lr", AT), watch=("steps",), hints=(SAID,), solution=(Step(SAID, Expr("x == 1", AT)),), see="lesson.md#x",
    figures=(FigureSource("grid", Expr("x", AT), AT, "A title", "epoch", "loss"),),
)  # fmt: skip
"""Every field has something in it, though no author could write all of this into one item."""

TASK = replace(
    FULL, kind="code",
    body=Written(
        reference=("x = 1",), observe=Expr("run.lr_used", AT), at=AT, starter="x = 0", wrong=(
            Wrong("slip", ("x = 2",), AT, Pattern("$X = 2", AT), Expr("a > 1", AT)),
        ),
        given=((("c", 1),),), hidden=(Draw("c", (1, 2), 3, 4), Draw("t", tensor=TensorDraw((2, "c"), also=("nan",)))), draws=5,
        checks=(
            Check(AT, "value", Expr("x", AT), says="No.", points=2.0),
            Check(AT, "source", None, Expr("x == 1", AT), (Pattern("$X = 2", AT, "a", "b"),), (Pattern("$X", AT, others=(Pattern("$Y", AT),)),)),
        ), compare=Compare(0.01, 0.1, 0.2), shows="loss",
        counts="epoch",
    ),
)  # fmt: skip
MISTAKES = {name: Mistake(name, "You slipped.", AT, "lesson.md", "slips") for name in ("slip", "slipx")}


@pytest.fixture(scope="module")
def frozen() -> Bank:
    return bank_files.read(bank_files.files([BANK]))


def both(item: Item, mistakes: dict[str, Mistake] = MISTAKES) -> dict[str, str]:
    return {CLAIMS: digests.claims(item), WORDS: digests.words(item, mistakes)}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]} or {NEITHER}


# ---------------------------------------------------------------- every field is decided


def reached(kind: type) -> set[type]:
    """The classes of data that an item is made of; one may hold others of its own."""
    found: set[type] = set()
    waiting: list[Any] = [kind]
    while waiting:
        part = waiting.pop()
        waiting += get_args(part)
        if isinstance(part, type) and is_dataclass(part) and part not in found:
            found.add(part)
            waiting += get_type_hints(part).values()
    return found


def test_of_every_field_it_is_decided_what_it_is() -> None:
    """A new field fails here until somebody says: is it run and asked, or words, or neither? (And digests.py does so.)"""
    parts = (reached(Item) | reached(Claimed) | reached(Written) | {Mistake}) - {Body}
    for kind in parts:
        known = LEAVES.get(kind) or set(DECIDED.get(kind, {}))
        assert {field.name for field in fields(kind)} == known, kind
    assert parts == set(DECIDED) | set(LEAVES)


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
        case Claimed():
            return replace(value, holds=other(value.holds))
        case Compare():
            return replace(value, rtol=0.3)
        case Pattern():
            return replace(value, text="$X = 3")
        case TensorDraw():
            return replace(value, low=-7)
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
            one_more = isinstance(given[0], tuple | Body)  # such as an option, with claims and words of its own
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
    drawn = [replace(written(TASK), hidden=(Draw("c", (), low, 2),)) for low in (0, 0.0)]
    assert len({digests.claims(replace(TASK, body=one)) for one in drawn}) == 2


# ---------------------------------------------------------------- what changes nothing


@functools.cache
def elsewhere(kind: type) -> Any:
    """A class in another place, by another name, its fields in another order, and one more, with a default."""
    kept = [(field.name, Any, dataclasses.field(kw_only=True)) for field in reversed(fields(kind))]
    new = ("added", Any, dataclasses.field(default="something", kw_only=True))
    bases = (
        (kind,) if issubclass(kind, Body) or hasattr(kind, "canonical") else ()
    )  # a body says by itself what of it counts
    return make_dataclass(
        f"Other{kind.__name__}", [new, *([] if bases else kept)], frozen=True, bases=bases, kw_only=bool(bases),
        namespace={"__module__": "elsewhere"},
    )  # fmt: skip


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
    before, after = (bank_files.read([path]) for path in (BANK / "quizzes/warmup.yaml", tmp_path / "warmup.yaml"))
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
