"""What works on this machine and what does not, found out by trying it."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import Literal

from grader.content import bank_homes
from grader.errors import GraderError
from grader.model import Limits, Program, Status
from grader.runner.inside.sandbox import Walls

OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried: `fail` stops work, `warn` limits it."""

    name: str
    word: Literal["ok", "warn", "fail"]
    found: str
    hint: str = ""

    def document(self) -> dict[str, str]:
        return {"name": self.name, "result": self.word, "found": self.found, "hint": self.hint}


def examine() -> list[Check]:
    """All checks, in the order in which one would fix them."""
    from grader.runner.cached import Store, installed_torch

    checks = [_python()]
    torch = installed_torch()
    hint = "" if torch else "run `make setup`, or pip install torch"
    checks.append(Check("torch", "ok" if torch else "fail", torch or "not installed", hint))
    store = Store()
    found = store.trouble or str(store.path)
    hint = "proofs are made again each time; set GRADER_CACHE to a folder that can be written" if store.trouble else ""
    checks.append(Check("cache", "warn" if store.trouble else "ok", found, hint))
    try:
        checks += [Check("bank", "ok", str(folder.resolve())) for folder in bank_homes.every()]
    except GraderError as error:
        checks.append(Check("bank", "fail", error.message, error.hint))
    checks += _worker() if torch else []
    return [*checks, *_notebooks(), *_page(), *_plugins()]


def _plugins() -> list[Check]:
    """What other packages add, where they add anything, and whether each of it can be used."""
    from grader import faces, kinds
    from grader.exchange import formats
    from grader.runner import runners
    from grader.runner.inside import observers

    checks = []
    for seam in (kinds.SEAM, faces.SEAM, formats.SEAM, runners.SEAM, observers.SEAM):
        for name, module in sorted(seam.plugins().items()):
            try:
                seam.module(name)
                checks.append(Check(f"{seam.member} {name}", "ok", f"of {module}"))
            except GraderError as error:
                checks.append(Check(f"{seam.member} {name}", "warn", error.message, error.hint))
    lost = set(observers.SEAM.plugins()) - set(observers.usable())
    hint = "it must be one file: a folder is not brought into the sandbox"
    return [*checks, *(Check(f"observer {name}", "warn", "it is not one file", hint) for name in sorted(lost))]


def _python() -> Check:
    good = sys.version_info >= OLDEST_PYTHON
    hint = "" if good else "install Python 3.11 or newer"
    return Check("python", "ok" if good else "fail", sys.version.split()[0], hint)


def _notebooks() -> list[Check]:
    """Whether lessons open in JupyterLab, with charts, and whether their kernels start warm."""
    from importlib.util import find_spec

    from grader import kernels

    there = find_spec("jupyterlab") is not None
    hint = "" if there else f"for `grader lab`: {sys.executable} -m pip install 'torch-grader[jupyter]'"
    checks = [Check("notebooks", "ok" if there else "warn", "JupyterLab" if there else "no JupyterLab", hint)]
    if find_spec("jupyter_client") is None:
        return checks  # kernels are Jupyter's
    if find_spec("vl_convert") is None:
        hint = "curves are told in words and as tables; pip install vl-convert-python draws them"
        checks.append(Check("charts", "warn", "vl-convert is not installed", hint))
    if sys.platform != "linux":
        checks.append(Check("warm kernels", "warn", "they need Linux", "kernels start as usual, and import torch"))
    elif not kernels.registered():
        checks.append(Check("warm kernels", "warn", "torch-grader is not installed here", "pip install torch-grader"))
    else:
        checks.append(Check("warm kernels", "ok", "Python 3 (PyTorch, warm)"))
    return [*checks, _confined()]


def _page() -> list[Check]:
    """Whether code is written in an editor on the page."""
    from importlib.util import find_spec

    if find_spec("starlette") is None:
        return []
    from grader.faces.web import assets

    there = bool(assets.editor())
    hint = "" if there else "code is written in a plain field; `make page` makes the editor where there is npm"
    return [Check("code editor", "ok" if there else "warn", "on the page" if there else "not made", hint)]


def _confined() -> Check:
    """Whether notebooks of a class can be run."""
    from grader.kernels.confined_manager import walls
    from grader.kernels.kernel_limits import contained

    found = walls()
    if not contained(found):
        hint = "do not run notebooks of people whom you do not trust here"
        return Check("confined kernels", "warn", "; ".join(found.missing), hint)
    word: Literal["ok", "warn"] = "warn" if found.missing else "ok"
    hint = "notebooks are contained all the same, by one wall instead of two" if found.missing else ""
    return Check("confined kernels", word, _standing(found), hint)


def _worker() -> list[Check]:
    """Start a worker, run programs in it, and see whether its limits hold."""
    from grader.runner.local import LocalRunner

    if not hasattr(os, "fork"):
        return [Check("worker", "fail", "this system cannot fork", "use Linux, macOS or WSL")]
    with LocalRunner() as runner:
        started = time.monotonic()
        first = runner.submit(Program("import torch", ("torch.__version__",))).result()
        start = time.monotonic() - started
        if first.status is not Status.OK:
            return [Check("worker", "fail", first.note or str(first.error), "see whether `import torch` works")]
        times = []
        for _ in range(10):
            before = time.monotonic()
            runner.submit(Program("pass")).result()
            times.append(time.monotonic() - before)
        found = (
            f"starts in {start:.1f} s, then {sorted(times)[5] * 1000:.0f} ms a program, {runner.in_flight} at a time"
        )
        checks = [Check("worker", "ok", found)]
        small = Limits(cpu_seconds=1, memory_bytes=64 << 20)
        greedy = runner.submit(Program("data = bytearray(256 << 20)", limits=small)).result()
        endless = runner.submit(Program("while True: pass", limits=small)).result()
        walls = runner.walls
    for name, run, wanted in (("memory limit", greedy, Status.MEMORY), ("time limit", endless, Status.TIMEOUT)):
        held = run.status is wanted
        hint = "" if held else "this system does not enforce it; programs are still stopped by the clock"
        checks.append(Check(name, "ok" if held else "warn", "held" if held else f"not held ({run.status})", hint))
    return [*checks, _sandbox(walls)]


def _standing(walls: Walls) -> str:
    """Which walls stand and which do not, in words."""
    standing = [f"Landlock {walls.landlock}"] if walls.landlock else []
    standing += ["seccomp"] if walls.seccomp else []
    standing += ["namespaces"] if walls.namespaces else []
    found = ", ".join(standing) or "none"
    if walls.missing:
        found += "; missing: " + "; ".join(walls.missing)
    return found


def _sandbox(walls: Walls) -> Check:
    found = _standing(walls)
    if not walls.contained:
        return Check("sandbox", "warn", found, "run your own code and the bank's; do not grade other people's here")
    hint = "programs are contained all the same, by one wall instead of two" if walls.missing else ""
    return Check("sandbox", "warn" if walls.missing else "ok", found, hint)
