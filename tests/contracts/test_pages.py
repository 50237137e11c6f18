"""The pages of docs/contributor that say how a member is added: their examples work, and import what the pages list."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.common import PATHS, ROOT
from tests.support.patience import COMMAND, seconds

PAGES = ("kinds", "faces", "formats", "runners", "observers")
FILE = re.compile(r"^File `(.+?)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text_of(page: str) -> str:
    return (ROOT / f"docs/contributor/{page}.md").read_text()


def listed(page: str) -> dict[str, set[str]]:
    """The names that a page allows to be imported, by their modules."""
    table = re.split(r"^## Names that .* may import$", text_of(page), flags=re.MULTILINE)[1].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.*) \|$", table, re.MULTILINE)
    return {module: set(re.findall(r"`(\w+)`", names)) for module, names in rows}


def imported(code: str) -> dict[str, set[str]]:
    """What a file imports of torch-grader."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "grader":
            found.setdefault(str(node.module), set()).update(alias.name for alias in node.names)
        assert not (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "grader" for alias in node.names))
    return found


@pytest.mark.parametrize("page", PAGES)
def test_each_name_that_a_page_lists_is_there_and_none_is_left_out(page: str) -> None:
    assert listed(page)
    for module, names in listed(page).items():
        there = importlib.import_module(module)
        assert all(hasattr(there, name) for name in names), module
        public = getattr(there, "__all__", None)
        assert public is None or set(public) == names, module


@pytest.mark.parametrize("page", PAGES)
def test_an_example_imports_what_its_page_lists(page: str) -> None:
    files = dict(FILE.findall(text_of(page)))
    own = {name: text for name, text in files.items() if name.startswith("grader_")}
    for name, text in own.items():
        for module, names in (imported(text) if name.endswith(".py") else {}).items():
            assert names <= listed(page).get(module, set()), (module, names)


def install(folder: Path) -> None:
    """What pip does with a package, without building it: its entry points and its files stand side by side."""
    about = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    lines = [f"[{group}]\n" + "".join(f"{name} = {module}\n" for name, module in points.items())
             for group, points in about["entry-points"].items()]  # fmt: skip
    where = folder / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    where.mkdir()
    (where / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
    (where / "entry_points.txt").write_text("".join(lines))


def plain(said: str) -> str:
    """What a command says, whatever it took and whichever torch is here."""
    return re.sub(r"\d+\.\d+ s\b|torch [\d.]+\d", "...", said)


@pytest.mark.slow
@pytest.mark.waits
@pytest.mark.parametrize(
    "page", [page if page == "kinds" else pytest.param(page, marks=pytest.mark.long) for page in PAGES]
)
def test_the_example_of_a_page_works_and_keeps_the_contract(
    page: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    """Its files are written, its package is installed, and each command says what the page says."""
    for name, text in FILE.findall(text_of(page)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    install(tmp_path)
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    more = {"PATH": path, "PYTHONPATH": f"{tmp_path}{os.pathsep}{PATHS}", "GRADER_CACHE": str(tmp_path / "cache")}
    commands = 0
    for block in SHELL.findall(text_of(page)):
        for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            if command.startswith("pip install"):
                continue
            ours = "pytest" in command
            done = subprocess.run(
                ["bash", "-c", f"{command} -m 'not slow'" if ours else command], cwd=ROOT if ours else tmp_path,
                env=environment | more, capture_output=True, text=True, check=False, timeout=seconds(10 * COMMAND),
            )  # fmt: skip
            said = done.stdout + done.stderr
            assert ours or plain(done.stdout) == plain(output), said
            assert not ours or (done.returncode == 0 and " passed" in said), said
            commands += 1
            assert shlex.split(command)
    assert commands >= 2
