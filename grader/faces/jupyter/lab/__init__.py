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

import zmq
from platformdirs import user_cache_path, user_data_path

from grader import kernels
from grader.errors import InputError
from grader.exchange import ipynb
from grader.model import Lesson

CONFIG = Path(__file__).parent / "config"
EXTENSIONS = Path(__file__).parent / "labextensions"
"""What JupyterLab loads besides what is installed: it runs the first cell of the start page when that is opened."""


@dataclass(frozen=True, slots=True)
class FolderPlan:
    """What is to be written into a folder, and the notebooks that are there and stay as they are."""

    new: dict[Path, str]
    kept: list[Path]


def must_be_installed() -> None:
    """Raises InputError where there is no JupyterLab."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise InputError("JupyterLab is not installed here", f"{sys.executable} -m pip install 'torch-grader[jupyter]'")


def plan(folder: Path, lessons: Sequence[Lesson], kernel: str) -> FolderPlan:
    """The notebooks that a folder lacks. Whatever is there stays, but for a start page that nobody changed."""
    new: dict[Path, str] = {}
    kept = []
    pages = ipynb.places(lessons)
    for lesson in lessons:
        path = folder / pages[ipynb.name(lesson)]
        if os.path.lexists(path):
            kept.append(path)
        else:
            new[path] = ipynb.convert(lesson, pages, kernel, setup=False)
    first, text = folder / ipynb.START, ipynb.start_page(lessons, kernel)
    if not os.path.lexists(first) or _may_be_renewed(first, text):
        new[first] = text
    return FolderPlan(new, kept)


def _may_be_renewed(path: Path, text: str) -> bool:
    try:
        before = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return before != text and ipynb.untouched(before)


def environment(banks: Sequence[Path]) -> dict[str, str]:
    """Variables for JupyterLab and its kernels: our configuration, folders of our own, the banks of the questions."""
    own = user_data_path("torch-grader", appauthor=False) / "jupyter"
    ours = {
        "JUPYTER_CONFIG_PATH": _before(_prefix() / "etc" / "jupyter", CONFIG, os.environ.get("JUPYTER_CONFIG_PATH")),
        "JUPYTER_PATH": _before(_prefix() / "share" / "jupyter", os.environ.get("JUPYTER_PATH")),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "GRADER_BANK": os.pathsep.join(str(bank.resolve()) for bank in banks),
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
    if not kernels.registered():
        return None
    if not (Path(sys.prefix) / "share" / "jupyter" / "kernels" / kernels.KERNEL / "kernel.json").is_file():
        try:
            kernels.install(_prefix())
        except OSError as error:
            print(f"grader: notice: the warm kernel cannot be installed: {error}", file=sys.stderr)
            return None
    return kernels.KERNEL


def arguments(folder: Path, kernel: str, port: int | None, *, browser: bool, more: Sequence[str]) -> list[str]:
    """What JupyterLab is started with. `more` goes to it as it is."""
    found = [
        f"--ServerApp.root_dir={folder.resolve()}",
        f"--LabApp.default_url=/lab/tree/{ipynb.START}",
        f"--LabApp.extra_labextensions_path={EXTENSIONS}",
        f"--MultiKernelManager.default_kernel_name={kernel}",
    ]
    if zmq.has("curve"):
        found.append("--KernelManager.transport_encryption=auto")  # else each kernel warns that it has none
    found += [] if browser else ["--no-browser"]
    found += [] if port is None else [f"--port={port}"]
    if os.geteuid() == 0 and "--allow-root" not in more:
        found.append("--allow-root")  # in a container; it listens on this machine only, and asks for a token
    return [*found, *more]


def become(arguments: Sequence[str], variables: Mapping[str, str]) -> NoReturn:
    """End this program and be JupyterLab: signals, exit code and terminal are its own from here on."""
    sys.stdout.flush()
    sys.stderr.flush()
    command = [sys.executable, "-P", "-m", "grader.faces.jupyter.lab", *arguments]
    os.execve(sys.executable, command, dict(variables))
