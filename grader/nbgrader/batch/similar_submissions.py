"""Which submissions of an assignment are alike: what students wrote, and what anyone would have written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from grader.content import bank_files
from grader.judging.bodies import Written, written
from grader.model import Item
from grader.nbgrader import cell_values, manifest
from grader.nbgrader.batch.jobs import Setup
from grader.nbgrader.similarity import SimilarGroup, clusters

PREFIX = "answer-"


def found(setup: Setup, submissions: Mapping[str, Path], bank: Path | None) -> list[SimilarGroup]:
    """The clusters of a class, the most notable first. What cannot be read is passed over: grading tells of it."""
    rows = setup.rows
    solutions = {row["id"] for row in rows["solution_cells"]}
    cells = {row["name"] for row in rows["base_cell"] if row["id"] in solutions}
    starters = {row["name"]: row["source"] or "" for row in rows["source_cell"] if row["name"] in cells}
    written = {student: _written(folder, cells) for student, folder in submissions.items()}
    items = _items(setup, bank)
    expected = {f"{PREFIX}{name}": _expected(item) for name, item in items.items()}
    around = {f"{PREFIX}{name}": _around(item) for name, item in items.items()}
    return clusters(written, starters, expected, around)


def _written(folder: Path, cells: set[str]) -> dict[str, str]:
    """The sources of the solution cells of a submission."""
    sources: dict[str, str] = {}
    for path in sorted(folder.glob("*.ipynb")):
        try:
            for cell in json.loads(path.read_bytes())["cells"]:
                name, source = cell["metadata"].get("nbgrader", {}).get("grade_id"), cell["source"]
                if cell["cell_type"] == "code" and name in cells:
                    text = "".join(source) if isinstance(source, list) else str(source)
                    sources[name] = cell_values.region(text)[: cell_values.LONGEST]
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue
    return sources


def _items(setup: Setup, bank: Path | None) -> dict[str, Item]:
    if setup.manifest is None or bank is None:
        return {}
    known = manifest.by_grade_id(bank_files.recall(bank_files.files([bank])))
    asked = {entry.grade_id: known.get(entry.grade_id) for entry in setup.manifest.items}
    return {name: item for name, item in asked.items() if item and isinstance(item.body, Written)}


def _expected(item: Item) -> list[str]:
    """What many are expected to write: the reference, and the known mistakes."""
    return ["\n".join(parts) for parts in (written(item).reference, *(wrong.parts for wrong in written(item).wrong))]


def _around(item: Item) -> str:
    """What stands around an answer where it is run, with the names of all inputs."""
    names = {name for inputs in written(item).given for name, _ in inputs} | {one.name for one in written(item).hidden}
    preludes = [variant.prelude for variant in item.variants]
    return "\n".join([item.program, written(item).observe.text, *preludes, *sorted(names)])
