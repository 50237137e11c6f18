"""What is shipped."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

from grader.faces.web import assets
from tests.support.common import ROOT
from tests.support.patience import COMMAND, seconds

SOURCE_OF_THE_EDITOR = "grader/faces/web/editor/"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, built where no other program can be found: no git, no node."""
    folder = tmp_path_factory.mktemp("dist")
    code = f"from hatchling import build; build.build_sdist({str(folder)!r}); build.build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, env={"PATH": ""})
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    return next(dist.glob("*.whl"))


def tracked() -> list[str]:
    return subprocess.run(["git", "ls-files"], check=True, cwd=ROOT, capture_output=True, text=True).stdout.split("\n")[
        :-1
    ]


def made() -> set[str]:
    """What is shipped and not tracked, where it has been made."""
    path = assets.STATIC / assets.EDITOR
    return {str(path.relative_to(ROOT))} if path.is_file() else set()


def test_the_wheel_holds_the_package_and_the_content_and_nothing_else(wheel: Path) -> None:
    expected = {name for name in tracked() if name.startswith("grader/") and not name.startswith(SOURCE_OF_THE_EDITOR)}
    expected |= made()
    data = next(name for name in zipfile.ZipFile(wheel).namelist() if ".data/data/" in name).partition("/data/")[0]
    expected |= {
        f"{data}/data/{there}/{name.removeprefix(here)}"
        for here, there in (
            ("grader/kernels/kernelspec/", "share/jupyter/kernels/torch-warm"),
            ("grader/kernels/server/", "etc/jupyter/jupyter_server_config.d"),
        )
        for name in tracked()
        if name.startswith(here)
    }
    expected |= {
        f"{data}/data/share/torch-grader/{name}"
        for name in tracked()
        if name.startswith(("bank.yaml", "quizzes/", "lessons/"))
    }
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == expected
    assert not [name for name in names if not name.startswith(f"{data}/") and "quizzes/" in name]
    assert "grader/py.typed" in names


def test_the_sdist_holds_what_is_tracked_of_some_folders_and_nothing_else(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["sdist"]
    parts = [part.removeprefix("/") for part in settings["include"]]
    expected = {name for name in tracked() if name in parts or name.startswith(tuple(f"{part}/" for part in parts))}
    assert names == expected | made() | {"pyproject.toml", "PKG-INFO", ".gitignore"}
    assert not [
        name for name in names if re.search(r"(^|/)(build|dist|node_modules|__pycache__|\.venv)/|\.sqlite$", name)
    ]
    assert {"CITATION.cff", "LICENSE", "README.md"} <= names


@pytest.mark.slow
def test_an_index_takes_both(dist: Path) -> None:
    command = [sys.executable, "-m", "twine", "check", "--strict", *dist.iterdir()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2


def test_what_is_said_of_the_project_is_the_same_everywhere(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        about = files.read(next(name for name in files.namelist() if name.endswith("METADATA"))).decode()
    cited = YAML(typ="safe").load((ROOT / "CITATION.cff").read_text())
    assert f"\nVersion: {cited['version']}\n" in about
    assert cited["license"] == "Apache-2.0"
    assert "\nLicense-Expression: Apache-2.0\n" in about
    assert {line.partition(",")[0] for line in re.findall(r"^Project-URL: (.+)$", about, re.MULTILINE)} >= {
        "Homepage", "Issues",
    }  # fmt: skip


@pytest.mark.slow
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
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    stated = [Requirement(text) for texts in (project["dependencies"], *optional.values()) for text in texts]
    ranges = {requirement.name: requirement.specifier for requirement in stated}
    pinned = re.findall(r"^(\S+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert "torch" in dict(pinned)
    for name, version in pinned:
        assert version in ranges.get(name, SpecifierSet())
    assert str(ranges["nbgrader"]) == "<0.10,>=0.9"


# ---------------------------------------------------------------- the base install


BLOCKER = """
import sys
from importlib.machinery import PathFinder

OUT = {names!r}


class Installed(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in OUT else super().find_spec(name, path, target)


sys.meta_path[:] = [Installed if finder is PathFinder else finder for finder in sys.meta_path]
"""
SMALL = """\
format: 1
topic: small
title: Small
items:
- {{id: sum, kind: number, level: easy, skill: s, stem: How much?, program: "{program}", answer: x, solution: ["{{x}}"],
   mistakes: [{{mistake: off, yields: x + 1}}]}}
mistakes: {{off: {{says: Off by one.}}}}
"""
MISSING = {
    "jupyter": (["notebook", "small", "-o", "out"], ["notebook", "small", "--assignment", "-o", "ps1"], ["lab"]),
    "nbgrader": (["autograde", "ps1"], ["stats", "--course", "."]),
    "serve": (["serve", "--no-browser"],),
    "postgres": (["review", "--db", "postgresql+psycopg://nobody@localhost/nothing"],),
    "cluster": (["verify", "--on", "dask://localhost:1"],),
}
WITHOUT = (
    ["topics"], ["learn", "small", "--no-pager"], ["quiz", "small"], ["test", "small"], ["review"], ["progress"], [],
    ["show", "sum"], ["grade", "sum", "--answer", "3"], ["coverage"], ["schema"], ["stats"], ["doctor"],
    ["export-records", "-"], ["run", "program.py"], ["prove", "quizzes/small.yaml"], ["new", "item", "other", "another"],
    ["show", "sum", "--html"], ["verify", "quizzes"], ["--help"],
)  # fmt: skip


def owned_by_extras(wheel: Path) -> set[str]:
    """The packages, by the names that are imported, that the wheel does not require without an extra."""
    with zipfile.ZipFile(wheel) as files:
        about = files.read(next(name for name in files.namelist() if name.endswith("METADATA"))).decode()
    left, base = re.findall(r"^Requires-Dist: (.+)$", about, re.MULTILINE), set[str]()
    while left:
        one = Requirement(left.pop())
        name = canonicalize_name(one.name)
        if name not in base and (one.marker is None or one.marker.evaluate({"extra": ""})):
            base.add(name)
            with contextlib.suppress(metadata.PackageNotFoundError):
                left += metadata.requires(name) or []
    return {
        package
        for package, owners in metadata.packages_distributions().items()
        if not base.intersection(map(canonicalize_name, owners)) and package not in ("grader", "sitecustomize")
    }


@pytest.mark.slow
def test_the_base_install_asks_and_proves_and_says_what_else_there_is(
    wheel: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    """What is not required without an extra cannot be imported, as where it was never installed."""
    place = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed"]
    subprocess.run([*pip, "--target", str(place), str(wheel)], check=True, capture_output=True)
    out = owned_by_extras(wheel)
    assert {"nbformat", "nbgrader", "jupytext", "starlette", "IPython", "traitlets", "pytest"} <= out
    (tmp_path / "site/sitecustomize.py").write_text(BLOCKER.format(names=out))
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/small.yaml").write_text(SMALL.format(program="x = 1 + 2"))
    lesson = tmp_path / "lessons/small/learn.md"
    lesson.parent.mkdir(parents=True)
    shutil.copy(ROOT / "lessons/warmup/learn.md", lesson)
    (tmp_path / "program.py").write_text("print(1)\n")
    names = {**environment, "PYTHONPATH": str(place), "GRADER_DB": str(tmp_path / "records.sqlite")}

    def run(*words: str, stdin: str = "3\n") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "grader", *words], capture_output=True, text=True, check=False,
            cwd=tmp_path, env=names, timeout=seconds(COMMAND), input=stdin,
        )  # fmt: skip

    for words in WITHOUT:
        done = run(*words)
        assert done.returncode in ((0, 1) if words[:1] in (["doctor"], ["prove"]) else (0,)), (words, done.stderr)
        assert "Traceback" not in done.stderr
    assert "first" in run("quiz", "warmup", "--bank", "torch-grader", stdin="B\n").stdout.lower()
    for extra, commands in MISSING.items():
        for command in commands:
            done = run(*command)
            assert (done.returncode, f"pip install 'torch-grader[{extra}]'" in done.stderr) == (2, True), (
                command,
                done,
            )
            assert len(done.stderr.splitlines()) == 2, done.stderr


# ---------------------------------------------------------------- the page, from a wheel

ASK = """
import contextlib, json, os, re, signal, subprocess, sys
import httpx

command = [sys.executable, "-P", "-c", os.environ["RUN"], "serve", "--port", "0", "--no-browser"]
with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
    url = server.stdout.readline().strip()
    found, hosts = {}, set()
    try:
        with httpx.Client(base_url=url.partition("/?")[0], follow_redirects=True, timeout=None) as client:
            page = client.get(url)
            left = ["/", "/t/warmup", "/t/warmup/learn", "/t/warmup/experiment", "/q/third-epoch-rate", "/progress", "/data", "/review"]
            left += re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
            for path in left:
                answer = client.get(path)
                found[path] = answer.status_code
                hosts |= set(re.findall(r'(?:src|action|href)="(?:https?:)?//([^"/]*)', answer.text)) if "learn" not in path else set()
            key = re.search(r'name="key" value="([^"]+)"', page.text)[1]
            form = {"key": key, "do": "check", "a.0": "B", "tries": "0", "token": "t"}
            told = client.post("/q/third-epoch-rate?v=0", data=form).text
    finally:
        server.send_signal(signal.SIGINT)
print(json.dumps({"found": found, "hosts": sorted(hosts), "told": "You marked B" in told and 'class="why"' in told}))
"""


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder with what the wheel has, and the variables with which Python finds it before anything else."""
    place = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed"]
    subprocess.run([*pip, "--prefix", str(place), str(wheel)], check=True, capture_output=True)
    packages = next(path.parents[1] for path in place.rglob("grader/__init__.py"))
    run = f"import sys; sys.prefix = sys.exec_prefix = {str(place)!r}; from grader.cli import main; main()"
    return place, {**os.environ, "PYTHONPATH": str(packages), "RUN": run, "GRADER_DB": str(place / "records.sqlite"),
                   "XDG_DATA_HOME": str(place / "data")}  # fmt: skip


@pytest.mark.slow
@pytest.mark.waits
def test_an_installed_wheel_serves_the_page_without_a_network(
    installed: tuple[Path, dict[str, str]], environment: dict[str, str]
) -> None:
    """In a network namespace that has nothing but a loopback of its own, where one can be made."""
    place, variables = installed
    alone = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        alone = []
    done = subprocess.run(
        [*alone, sys.executable, "-P", "-c", ASK], capture_output=True, text=True, check=False, cwd=place,
        env={**variables, "GRADER_CACHE": environment["GRADER_CACHE"]}, timeout=seconds(COMMAND),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert set(said["found"].values()) == {200}, said
    assert len([path for path in said["found"] if path.startswith("/static/")]) >= 2
    assert said["hosts"] == []
    assert said["told"]


@pytest.mark.slow
def test_without_the_extra_it_is_said_what_to_install(installed: tuple[Path, dict[str, str]]) -> None:
    place, variables = installed
    hidden = "import sys; sys.modules.update(dict.fromkeys(['starlette', 'uvicorn', 'itsdangerous'])); "
    done = subprocess.run(
        [sys.executable, "-P", "-c", hidden + variables["RUN"], "serve", "--no-browser"], capture_output=True, text=True,
        check=False, cwd=place, env=variables, timeout=seconds(COMMAND),
    )  # fmt: skip
    assert done.returncode == 2
    assert "pip install 'torch-grader[serve]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_all_that_the_page_loads_comes_with_the_extra(installed: tuple[Path, dict[str, str]], wheel: Path) -> None:
    """Each distribution that the page imports is required by `torch-grader[serve]`, by whatever way."""
    place, variables = installed
    code = "import sys; import grader.faces.web.app, grader.faces.web.server, grader.cli.serve; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, cwd=place, env=variables
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    owners = metadata.packages_distributions()
    used = {owners[name][0].lower().replace("_", "-") for name in loaded if name in owners} - {"torch-grader"}
    with zipfile.ZipFile(wheel) as files:
        about = files.read(next(name for name in files.namelist() if name.endswith("METADATA"))).decode()
    left = re.findall(r"^Requires-Dist: (.+)$", about, re.MULTILINE)
    required: set[str] = set()
    while left:
        one = Requirement(left.pop())
        name = one.name.lower().replace("_", "-")
        if name not in required and (
            one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", "serve"))
        ):
            required.add(name)
            try:
                left += metadata.requires(name) or []
            except metadata.PackageNotFoundError:
                continue
    assert "starlette" in used
    assert used <= required | {"setuptools", "pip"}
