"""JupyterLab in a folder of lessons: what is put there, and what JupyterLab is told.

Its settings, its runtime files and the warm kernel lie in folders of our own, so that neither `~/.jupyter` nor a kernel
that somebody else installed decides what a learner sees. `config/` is the same for everybody: one Ctrl-C ends it,
nothing is asked of the network, and the log has only what went wrong.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from platformdirs import user_cache_path, user_data_path

from grader import notebooks, warm
from grader.errors import InputError
from grader.model import Lesson

CONFIG = Path(__file__).parent / "config"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written into a folder, and the notebooks that are there and stay as they are."""

    new: dict[Path, str]
    kept: list[Path]


def must_be_installed() -> None:
    """Raises InputError where there is no JupyterLab."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise InputError("JupyterLab is not installed here", f"install it: {sys.executable} -m pip install jupyter")


def plan(folder: Path, lessons: Sequence[Lesson], kernel: str) -> Plan:
    """The notebooks that a folder lacks. Whatever is there stays, but for a start page that nobody changed."""
    new: dict[Path, str] = {}
    kept = []
    pages = notebooks.places(lessons)
    for lesson in lessons:
        path = folder / pages[notebooks.name(lesson)]
        if os.path.lexists(path):
            kept.append(path)
        else:
            new[path] = notebooks.convert(lesson, pages, kernel)
    first, text = folder / notebooks.START, notebooks.start_page(lessons, kernel)
    if not os.path.lexists(first) or _may_be_renewed(first, text):
        new[first] = text
    return Plan(new, kept)


def _may_be_renewed(path: Path, text: str) -> bool:
    try:
        before = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return before != text and notebooks.untouched(before)


def environment(bank: Path) -> dict[str, str]:
    """Variables for JupyterLab and its kernels: our configuration, folders of our own, the bank of the questions."""
    own = user_data_path("torch-grader", appauthor=False) / "jupyter"
    ours = {
        "JUPYTER_CONFIG_PATH": _before(_prefix() / "etc" / "jupyter", CONFIG, os.environ.get("JUPYTER_CONFIG_PATH")),
        "JUPYTER_PATH": _before(_prefix() / "share" / "jupyter", os.environ.get("JUPYTER_PATH")),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "GRADER_BANK": str(bank.resolve()),
    }
    folders = {"JUPYTER_CONFIG_DIR": str(own / "config"), "JUPYTER_DATA_DIR": str(own / "data")}
    return {**folders, **os.environ, **ours}  # whoever sets such a folder means it


def _before(*folders: Path | str | None) -> str:
    return os.pathsep.join(str(folder) for folder in folders if folder)


def _prefix() -> Path:
    """Where this environment's warm kernel is installed where the package did not bring it."""
    environment = hashlib.sha256(sys.prefix.encode()).hexdigest()[:12]
    return user_cache_path("torch-grader", appauthor=False) / f"jupyter-{environment}"


def kernel() -> str:
    """The kernel that notebooks are to start with."""
    return _warm_kernel() or "python3"


def _warm_kernel() -> str | None:
    """The warm kernel; it is installed where Jupyter would not find it otherwise. None where that cannot be done."""
    if not warm.registered():
        return None
    if not (Path(sys.prefix) / "share" / "jupyter" / "kernels" / warm.KERNEL / "kernel.json").is_file():
        try:
            warm.install(_prefix())
        except OSError as error:
            print(f"grader: notice: the warm kernel cannot be installed: {error}", file=sys.stderr)
            return None
    return warm.KERNEL


def arguments(folder: Path, kernel: str, port: int | None, *, browser: bool, more: Sequence[str]) -> list[str]:
    """What JupyterLab is started with. `more` goes to it as it is."""
    found = [
        f"--ServerApp.root_dir={folder.resolve()}",
        f"--LabApp.default_url=/lab/tree/{notebooks.START}",
        f"--MultiKernelManager.default_kernel_name={kernel}",
    ]
    found += [] if browser else ["--no-browser"]
    found += [] if port is None else [f"--port={port}"]
    if os.geteuid() == 0 and "--allow-root" not in more:
        found.append("--allow-root")  # in a container; it listens on this machine only, and asks for a token
    return [*found, *more]


def become(arguments: Sequence[str], variables: Mapping[str, str]) -> NoReturn:
    """End this program and be JupyterLab: signals, exit code and terminal are its own from here on."""
    sys.stdout.flush()
    sys.stderr.flush()
    command = [sys.executable, "-P", "-m", "grader.lab", *arguments]
    os.execve(sys.executable, command, dict(variables))
