"""Packages with plug-ins, installed for a test as users install them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.patience import COMMAND, seconds


def installed(package: Path, home: Path) -> Path:
    """The folder into which pip has built and installed a package: to be put on PYTHONPATH."""
    place = home / "installed"
    source = shutil.copytree(package, home / "source")
    how = ["--quiet", "--no-deps", "--no-build-isolation", "--target", place]
    subprocess.run([sys.executable, "-m", "pip", "install", *how, source], check=True, timeout=seconds(COMMAND))
    return place
