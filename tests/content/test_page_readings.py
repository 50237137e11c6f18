"""Each page was read, as it is now, by somebody who did not write it, and at most two of its sentences are left marked."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.common import ROOT

MOST_LEFT = 2


def _pages() -> dict[str, str]:
    paths = sorted((ROOT / "lessons").glob("*/*.md"))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def _readings(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _faults(pages: dict[str, str], readings: list[dict[str, Any]]) -> list[str]:
    """What is missing in the last reading of each page. A page that changed has to be read again."""
    last = {reading["page"]: reading for reading in readings}
    found = [f"{name}: there is no such page" for name in last.keys() - pages.keys()]
    for name, text in pages.items():
        reading = last.get(name, {})
        if reading.get("digest") != hashlib.sha256(text.encode()).hexdigest():
            found.append(f"{name}: nobody has read it as it is now")
            continue
        if len(reading["left"]) > MOST_LEFT:
            found.append(f"{name}: {len(reading['left'])} sentences are left marked")
        marks = [*reading["marks"], *reading["left"]]
        if not all(mark["sentence"] and mark["reason"] for mark in marks):
            found.append(f"{name}: a mark without its sentence or its reason")
        found += [f"{name}: {mark['sentence']}: what was done?" for mark in reading["marks"] if not mark["done"]]
        prose = " ".join(text.split())
        found += [f"{name}: not there: {one['sentence']}" for one in reading["left"] if one["sentence"] not in prose]
    return found


def test_every_page_was_read_as_it_is_now() -> None:
    assert _faults(_pages(), _readings(ROOT / "readings/pages.jsonl")) == []


PAGE = "One. Two\nwords. Three."
READ = {
    "page": "a.md",
    "digest": hashlib.sha256(PAGE.encode()).hexdigest(),
    "reader": "second",
    "marks": [{"sentence": "Oen.", "reason": "not English", "done": "One."}],
    "left": [{"sentence": "Two words.", "reason": "stays"}],
}


@pytest.mark.parametrize(
    ("pages", "reading", "faults"),
    [
        ({"a.md": PAGE}, {}, []),
        ({"a.md": f"{PAGE}."}, {}, ["a.md: nobody has read it as it is now"]),
        ({"a.md": PAGE, "b.md": PAGE}, {}, ["b.md: nobody has read it as it is now"]),
        ({}, {}, ["a.md: there is no such page"]),
        ({"a.md": PAGE}, {"left": READ["left"] * 3}, ["a.md: 3 sentences are left marked"]),
        ({"a.md": PAGE}, {"left": [{"sentence": "Four.", "reason": "stays"}]}, ["a.md: not there: Four."]),
        (
            {"a.md": PAGE},
            {"left": [{"sentence": "One.", "reason": ""}]},
            ["a.md: a mark without its sentence or its reason"],
        ),
        ({"a.md": PAGE}, {"marks": [{"sentence": "Oen.", "reason": "no", "done": ""}]}, ["a.md: Oen.: what was done?"]),
    ],
)
def test_what_is_missing_in_a_reading_is_told(
    pages: dict[str, str], reading: dict[str, Any], faults: list[str]
) -> None:
    assert _faults(pages, [{**READ, **reading}]) == faults
