"""A real Jupyter server for tests, on a folder and a home of its own, and notebooks driven in a browser."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat

from grader import kernels
from tests.support.browser import free_port
from tests.support.common import PATHS
from tests.support.patience import seconds, until

TOKEN = "of-this-test"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
OPEN = """async ([path, factory]) => {
  await jupyterapp.restored;
  const panel = await jupyterapp.commands.execute('docmanager:open', factory ? {path, factory} : {path});
  await panel.context.ready;
  await panel.sessionContext.ready;
}"""


@contextlib.contextmanager
def server(home: Path, folder: Path, more: Mapping[str, str] | None = None, app: str = "jupyterlab") -> Iterator[str]:
    """JupyterLab (or `notebook`) on a folder; yields its address. `more` are variables of its environment."""
    port = free_port()
    environment = {
        **os.environ,
        **(more or {}),
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "PYTHONPATH": PATHS,
        "JUPYTER_DEFAULT_PROVISIONER_NAME": kernels.PROVISIONER,  # fresh kernels, and torch is there
        "OMP_NUM_THREADS": "1",  # two processes of tests on two cores: threads would wait for each other
    }
    settings = home / "settings"
    options = ["--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}",
               f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True", f"--LabApp.user_settings_dir={settings}"]  # fmt: skip
    if app == "notebook":
        options[-2:] = [
            "--JupyterNotebookApp.expose_app_in_browser=True",
            f"--LabServerApp.user_settings_dir={settings}",
        ]
    # All of a page is in the browser's page, and no news are asked about.
    _setting(settings, "notebook-extension/tracker", {"windowingMode": "none"})
    _setting(settings, "apputils-extension/notification", {"fetchNews": "false"})
    with (home / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", app, *options], stdout=log, stderr=log, env=environment, cwd=home
        )
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(f"{address}/api?token={TOKEN}", process, home / "log.txt"), "the server does not answer")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=seconds())


def _answers(address: str, process: subprocess.Popen[bytes], log: Path) -> bool:
    try:
        urllib.request.urlopen(address, timeout=seconds()).close()
    except OSError:
        assert process.poll() is None, log.read_text()
        return False
    return True


def theme(home: Path, name: str) -> None:
    """Choose the light or the dark theme, for pages that are opened from now on."""
    _setting(home / "settings", "apputils-extension/themes", {"theme": THEMES[name]})


def _setting(settings: Path, name: str, content: dict[str, Any]) -> None:
    path = settings / f"@jupyterlab/{name}.jupyterlab-settings"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def notebook(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook of code cells."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, path)


def open_in_lab(tab: Any, address: str, path: str, factory: str = "", *, run: bool = True) -> None:
    """Open a file in JupyterLab as a notebook, with its kernel, and run all of it."""
    tab.goto(f"{address}/lab?reset&token={TOKEN}")
    tab.wait_for_function("() => window.jupyterapp?.restored")
    tab.evaluate(OPEN, [path, factory])
    if run:
        tab.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")


def save(tab: Any) -> None:
    tab.evaluate("() => jupyterapp.commands.execute('docmanager:save')")


def end(tab: Any) -> None:
    """End the kernel of the notebook in front, and close the tab."""
    tab.evaluate("async () => jupyterapp.shell.currentWidget?.sessionContext?.shutdown()")
    tab.close()
