"""A real JupyterLab for tests, with settings and a home of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from browser import free_port
from conftest import ROOT

TOKEN = "of-this-test"
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # all of a page is in the browser's page
    "apputils-extension/notification": {"fetchNews": "false"},  # and no question in front of it
}


@contextlib.contextmanager
def jupyterlab(home: Path, folder: Path) -> Iterator[str]:
    """JupyterLab on a folder, with the package of this checkout; gives its address."""
    for plugin, setting in SETTINGS.items():
        path = home / f"settings/@jupyterlab/{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(setting))
    port = free_port()
    environment = {
        **os.environ,
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "PYTHONPATH": str(ROOT),
    }
    options = ["--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}",
               f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True", f"--LabApp.user_settings_dir={home / 'settings'}"]  # fmt: skip
    with (home / "log.txt").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], stdout=log, stderr=log, env=environment, cwd=home
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, (home / "log.txt").read_text()
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def visit(tab: Any, address: str, path: str = "") -> None:
    """Open JupyterLab in a tab, with an empty workspace or a file, and wait until it is there."""
    tab.goto(f"{address}/lab/tree/{path}?reset&token={TOKEN}" if path else f"{address}/lab?reset&token={TOKEN}")
    tab.wait_for_function("() => window.jupyterapp?.restored")
