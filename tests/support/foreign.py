"""Quizzes of others as the tests have them: where they lie, what is to come out, and all the texts in one."""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
import xml.etree.ElementTree as ET
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.common import ROOT

FOLDER = ROOT / "tests/data/quizzes"
FILES = sorted(path for path in FOLDER.glob("*/*") if path.is_file())
CORPUS = ROOT / "tests/data/published_questions.py"

P, C, N, A, X, M = (
    "proven", "contradicted", "not decided", "ambiguous", "does not run as printed",
    "names something that is not there",
)  # fmt: skip
STATES: dict[str, list[str]] = {
    "canvas/groups.zip": [P, P],
    "canvas/reductions.zip": [P, N],
    "canvas/typed.zip": [P, P, P, N, N],
    "csv_table/letters.csv": [P, P],
    "csv_table/semicolons.csv": [P, C],
    "csv_table/tabs.tsv": [P],
    "dictionaries/list.py": [P, C, N],
    "dictionaries/nested.json": [P, P, N],
    "dictionaries/objects.json": [P, P, A],
    "gift/choices.gift": [P, N, N],
    "gift/odd.txt": [N, N, P],
    "gift/typed.gift": [P, P, N, P],
    "jupyterquiz/choices.json": [P, N],
    "jupyterquiz/numbers.json": [P, C],
    "jupyterquiz/page.ipynb": [P, P],
    "mdbook_quiz/choices.toml": [P, N],
    "mdbook_quiz/tracing.toml": [P, P],
    "mdbook_quiz/typed.toml": [P, C],
    "mkdocs_quiz/blanks.md": [P, N],
    "mkdocs_quiz/old.md": [P],
    "mkdocs_quiz/page.md": [P],
    "moodle_xml/choices.xml": [P, N],
    "moodle_xml/coderunner.xml": [P, C],
    "moodle_xml/typed.xml": [P, P, N],
    "nbgrader_jupyterquiz/assignment.ipynb": [P],
    "nbgrader_jupyterquiz/many.md": [N],
    "nbgrader_jupyterquiz/page.md": [P, P],
    "qti_1/nan.xml.qti": [C],
    "qti_1/page.zip": [P],
    "qti_1/two.zip": [N, N, P, P],
    "qti_2/page.zip": [P],
    "qti_2/two.zip": [N, N, P, P],
    "qti_2/typed.xml": [P],
    "quizdown/basics.md": [P, N],
    "quizdown/settings.md": [P, N],
    "quizdown/wrong.qmd": [C, M],
    "text2qti/choices.txt": [P, N],
    "text2qti/group.txt": [P, P],
    "text2qti/typed.txt": [P, P, P, N, N],
}
"""What is found of the questions of each file; of archives, whose items have names of their own, in any order."""


def name_of(path: Path) -> str:
    """A file as the table above has it."""
    return path.relative_to(FOLDER).as_posix()


def leaves(path: Path) -> Counter[str]:
    """Every text of at least three characters in a file, as its format has texts, without white space around it."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".xml")]
            asked = [name for name in names if "imsmanifest" not in name and name != "assessment.xml"]
            return sum((_of_xml(archive.read(name)) for name in asked), Counter())
    data = path.read_bytes()
    if path.suffix in (".xml", ".qti"):
        return _of_xml(data)
    text = data.decode()
    if path.suffix in (".json", ".ipynb"):
        return _counted(_texts(json.loads(text)))
    if path.suffix == ".toml":
        return _counted(_texts(tomllib.loads(text)))
    if path.suffix in (".csv", ".tsv"):
        delimiter = max(",;\t", key=text.split("\n")[0].count)
        return _counted([cell for row in csv.reader(io.StringIO(text), delimiter=delimiter) for cell in row])
    return _counted(text.split("\n"))


def _of_xml(data: bytes) -> Counter[str]:
    root = ET.fromstring(data)
    found: list[str] = []
    for element in root.iter():
        found += [element.text or "", element.tail or "", *element.attrib.values()]
    return _counted(found)


def _texts(data: Any) -> list[str]:
    if isinstance(data, str):
        return [data]
    parts = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return [text for part in parts for text in _texts(part)]


def _counted(texts: list[str]) -> Counter[str]:
    return Counter(text.strip() for text in texts if len(text.strip()) >= 3)


def missing(source: Counter[str], text: str) -> list[str]:
    """What of a file's texts is not, or not so often, in the data of a YAML file."""
    from ruamel.yaml import YAML

    held = "\0".join(_texts(YAML(typ="safe").load(text)))
    flat = re.sub(r"\s+", " ", held)
    lost = []
    for leaf, times in source.items():
        if (
            flat.count(re.sub(r"\s+", " ", leaf)) < times
            and flat.count(re.sub(r"\s+", " ", leaf.replace("{", "{{").replace("}", "}}"))) < times
        ):
            lost.append(leaf)
    return lost
