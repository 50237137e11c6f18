"""What is shipped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    code = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_package_and_the_content_and_nothing_else(wheel: Path) -> None:
    tracked = subprocess.run(["git", "ls-files"], check=True, cwd=ROOT, capture_output=True, text=True).stdout.split()
    expected = {name for name in tracked if name.startswith("grader/")}
    data = next(name for name in zipfile.ZipFile(wheel).namelist() if ".data/data/" in name).partition("/data/")[0]
    expected |= {
        f"{data}/data/{there}/{name.removeprefix(here)}"
        for here, there in (
            ("grader/warm/kernelspec/", "share/jupyter/kernels/torch-warm"),
            ("grader/warm/server/", "etc/jupyter/jupyter_server_config.d"),
        )
        for name in tracked
        if name.startswith(here)
    }
    expected |= {
        f"{data}/data/share/torch-grader/{name}" for name in tracked if name.startswith(("quizzes/", "lessons/"))
    }
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == expected


@pytest.mark.parametrize("how", ["--prefix", "--target"])
def test_an_installed_wheel_has_its_own_bank(wheel: Path, tmp_path: Path, how: str) -> None:
    place = str(tmp_path / "site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed"]
    subprocess.run([*pip, how, place, str(wheel)], check=True, capture_output=True)
    packages = next(path.parents[1] for path in Path(place).rglob("grader/__init__.py"))
    code = f"import sys; sys.prefix = sys.exec_prefix = {place!r}; from grader.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "topics"], capture_output=True, text=True, check=False,
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(packages), "GRADER_CACHE": str(tmp_path / "cache")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "warmup: Warmup strategies" in done.stdout


def test_the_constraints_are_within_the_ranges_we_state() -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    stated = [Requirement(text) for text in project["dependencies"] + project["optional-dependencies"]["dev"]]
    ranges = {requirement.name: requirement.specifier for requirement in stated}
    pinned = re.findall(r"^(\S+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert "torch" in dict(pinned)
    for name, version in pinned:
        assert version in ranges[name]
