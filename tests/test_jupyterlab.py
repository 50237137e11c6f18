"""The lessons in a real JupyterLab: each opens as a notebook, runs in a fresh kernel, and prints what is recorded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import browser, free_port
from conftest import ROOT
from kernels import Place

from grader import lesson, pins
from grader.model import Inline

PAGES = sorted(path.relative_to(ROOT / "lessons") for path in lesson.files([ROOT]))
TOKEN = "of-this-test"
RUN_ALL = """async (path) => {
  await jupyterapp.restored;
  const panel = await jupyterapp.commands.execute('docmanager:open', {path, factory: 'Jupytext Notebook'});
  await panel.context.ready;
  await panel.sessionContext.ready;
  await jupyterapp.commands.execute('notebook:run-all-cells');
  const cells = [];
  for (const cell of panel.content.model.cells) cells.push(cell.toJSON());
  return cells;
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """JupyterLab on a copy of the lessons; its address and the folder."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "lessons", home / "lessons")
    settings = home / "settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"windowingMode": "none"}')  # all of a page is in the browser's page
    port, place = free_port(), Place()
    environment = {
        **os.environ,
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "PYTHONPATH": str(ROOT),
        "GRADER_RUNTIME": str(place.folder),  # the server starts a zygote
    }
    options = ["--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}",
               f"--ServerApp.root_dir={home / 'lessons'}", "--LabApp.expose_app_in_browser=True", f"--LabApp.user_settings_dir={home / 'settings'}"]  # fmt: skip
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
        yield address, home / "lessons"
    finally:
        server.terminate()
        server.wait(timeout=30)
        place.end()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as found:
        yield found


def text_of(cell: dict[str, Any]) -> str:
    """What a cell printed, charts as their text, as a pin records it."""
    parts = []
    for output in cell["outputs"]:
        if output["output_type"] == "error":
            parts.append(f"{output['ename']}: {output['evalue']}".splitlines()[0] + "\n")
        elif output["output_type"] == "stream":
            parts.append("".join(output["text"]))
        else:
            parts.append("".join(output["data"]["text/plain"]) + "\n")
    return "".join(parts)


@pytest.mark.parametrize("page", PAGES, ids=str)
@pytest.mark.timeout(300)
def test_a_page_opens_runs_and_prints_what_is_recorded(page: Path, lab: tuple[str, Path], chromium: Any) -> None:
    address, folder = lab
    (written,), findings = lesson.read([folder / page])
    assert not findings
    tab = chromium.new_page()
    tab.set_default_timeout(100_000)
    try:
        tab.goto(f"{address}/lab?reset&token={TOKEN}")
        tab.wait_for_function("() => window.jupyterapp?.restored")
        cells = [cell for cell in tab.evaluate(RUN_ALL, str(page)) if cell["cell_type"] == "code"]
        assert tab.locator(".jp-Notebook h1").first.inner_text().strip().rstrip("¶") == written.title
        tab.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
        if any("chart(" in cell.source or "sheet(" in cell.source for cell in written.cells):
            tab.locator(".vega-embed canvas, .vega-embed svg").first.wait_for(state="attached")
        tab.wait_for_function("() => !document.querySelector('.jp-Notebook').innerText.includes('{eval}')")
    finally:
        tab.evaluate("async () => jupyterapp.shell.currentWidget?.sessionContext?.shutdown()")
        tab.close()
    assert len(cells) == len(written.cells)
    for ours, shown in zip(written.cells, cells, strict=True):
        printed = text_of(shown)
        assert shown["execution_count"], ours.source
        assert "Traceback" not in printed
        if "quiz" in ours.tags:
            assert "Answer in a cell" in printed
            continue
        recorded = ours.pin.text if ours.pin else ""
        assert pins.differing(recorded, printed) is None, printed
    (saved,), findings = lesson.read([folder / page])
    assert not findings
    assert (saved.title, saved.topic, saved.mode, saved.minutes) == (
        written.title,
        written.topic,
        written.mode,
        written.minutes,
    )
    assert [(cell.source, cell.pin and cell.pin.text) for cell in saved.cells] == [
        (cell.source, cell.pin and cell.pin.text) for cell in written.cells
    ]
    assert [step.pin for step in saved.steps if isinstance(step, Inline)] == [
        step.pin for step in written.steps if isinstance(step, Inline)
    ]
