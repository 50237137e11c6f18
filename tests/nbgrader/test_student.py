"""A student's side of an assignment: a released notebook, in an installation that has no quiz at all."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from grader.nbgrader import cell_values, manifest
from tests.nbgrader.test_assignments import ITEMS, Course, cell_of, grade_id, make, new_course
from tests.support.common import ROOT, Command
from tests.support.patience import seconds


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the package and what it needs, and without the quizzes and lessons."""
    folder = tmp_path_factory.mktemp("student") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    shutil.copytree(ROOT / "grader", packages / "grader", ignore=shutil.ignore_patterns("__pycache__"))
    others = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (packages / "others.pth").write_text("\n".join(others) + "\n")
    return folder / "bin/python"


@pytest.fixture
def alone(python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder; the kernel `student` is one of that environment, and sees nothing of the tests' own package."""
    spec = tmp_path / "jupyter/kernels/student/kernel.json"
    spec.parent.mkdir(parents=True)
    command = [str(python), "-E", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": command, "display_name": "student"}))
    for name in ("GRADER_BANK", "JUPYTERHUB_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def released(grader: Command, environment: dict[str, str], folder: Path, *options: str) -> Course:
    course = new_course(folder / "course", environment)
    make(grader, course, "--items", ",".join(ITEMS), *options)
    course.run("generate_assignment", "ps1")
    return course


def run(notebook: Any, folder: Path) -> Any:
    client = NotebookClient(
        notebook, kernel_name="student", timeout=int(seconds(600)), startup_timeout=int(seconds(600)), allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip
    return client.execute()


def said(cell: Any) -> str:
    """What a cell printed, showed and raised."""
    parts = [
        output.get("text") or output.get("evalue") or output.get("data", {}).get("text/markdown", "")
        for output in cell.outputs
    ]
    return "".join(parts)


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--per-student", "--seed", "7")], ids=["same numbers", "own numbers"])
def test_a_released_notebook_needs_no_bank(
    grader: Command, environment: dict[str, str], python: Path, alone: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    course = released(grader, environment, tmp_path, *options)
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    topics = [python, "-m", "grader", "topics"]
    done = subprocess.run(topics, cwd=alone, env=clean, capture_output=True, text=True, check=False)
    assert (done.returncode, "there is no bank here, and the package's own is missing" in done.stderr) == (2, True)

    shutil.copytree(course.folder / "release/ps1", alone, dirs_exist_ok=True)
    assert sorted(path.name for path in alone.iterdir()) == ["ps1.ipynb", manifest.NAME]
    as_it_is = nbformat.read(alone / "ps1.ipynb", as_version=4)
    with_answers = copy.deepcopy(as_it_is)
    source = course.notebook("source")
    for name in ITEMS:
        cell_of(with_answers, f"answer-{name}").source = cell_values.region(cell_of(source, f"answer-{name}").source)
    both = [*as_it_is.cells, *with_answers.cells]
    for number, cell in enumerate(both):
        cell.id = f"cell-{number}"
        cell.source = cell.source.replace('STUDENT = ""', 'STUDENT = "ada"')
    cells = run(nbformat.v4.new_notebook(cells=both), alone).cells
    for name in ITEMS:
        empty, answered = (
            next(cell for cell in part if grade_id(cell) == name)
            for part in (cells[: len(cells) // 2], cells[len(cells) // 2 :])
        )
        code = name in {"write-the-factor", "mend-doubling-warmup"}
        assert ("can be read" if code else "there is no answer yet") in said(empty)
        assert said(answered) == f"{name}: your answer can be read. Whether it is right is seen when it is graded.\n"
        if options:
            question = next(cell for cell in cells if grade_id(cell) == f"question-{name}")
            assert said(question).startswith("*The numbers of ada:*")
    assert not re.search(
        r"Traceback|ModuleNotFound|no bank", "".join(said(cell) for cell in cells if cell.cell_type == "code")
    )
