"""Which submissions of an assignment are alike: what students wrote, and what anyone would have written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from grader import bank as banks
from grader.autograding.jobs import Setup
from grader.course import answers
from grader.course.similar import Cluster, clusters
from grader.errors import InputError
from grader.model import Item

PREFIX = "answer-"


def found(setup: Setup, submissions: Mapping[str, Path], bank: Path | None) -> list[Cluster]:
    """The clusters of a class, the most notable first. What cannot be read is passed over: grading tells of it."""
    rows = setup.rows
    solutions = {row["id"] for row in rows["solution_cells"]}
    cells = {row["name"] for row in rows["base_cell"] if row["id"] in solutions}
    starters = {row["name"]: row["source"] or "" for row in rows["source_cell"] if row["name"] in cells}
    written = {student: _written(folder, cells) for student, folder in submissions.items()}
    items = _items(setup, bank)
    expected = {f"{PREFIX}{item.id}": _expected(item) for item in items}
    around = {f"{PREFIX}{item.id}": _around(item) for item in items}
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
                    sources[name] = answers.region(text)[: answers.LONGEST]
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue
    return sources


def _items(setup: Setup, bank: Path | None) -> list[Item]:
    if setup.manifest is None or bank is None:
        return []
    wanted = {entry.grade_id for entry in setup.manifest.items}
    read = banks.read(banks.files([bank]))
    if read.findings:
        raise InputError(f"the bank has problems: {read.findings[0]}", "`grader verify` shows all of them")
    return [item for item in read.items if item.id in wanted and item.exercise]


def _expected(item: Item) -> list[str]:
    """What many are expected to write: the reference, and the known mistakes."""
    assert item.exercise is not None
    return ["\n".join(parts) for parts in (item.exercise.reference, *(wrong.parts for wrong in item.exercise.wrong))]


def _around(item: Item) -> str:
    """What stands around an answer where it is run, with the names of all inputs."""
    assert item.exercise is not None
    names = {name for inputs in item.exercise.given for name, _ in inputs} | {one.name for one in item.exercise.hidden}
    preludes = [variant.prelude for variant in item.variants]
    return "\n".join([item.program, item.exercise.observe.text, *preludes, *sorted(names)])
