"""The lessons in a real JupyterLab: each opens as a notebook, runs in a fresh kernel, and prints what is recorded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.content import lesson_files, recorded_outputs
from grader.model import Inline
from tests.support.browser import browser
from tests.support.common import ROOT, text_of
from tests.support.lab import TOKEN, server
from tests.support.patience import milliseconds

ALL = sorted(path.relative_to(ROOT / "lessons") for path in lesson_files.files([ROOT]))
PAGES = (
    ALL
    if os.environ.get("GRADER_PAGES") == "all"
    else [page for place, page in enumerate(ALL) if place % 2 == place // 6]
)
"""Each mode once, of either topic in turn, unless `GRADER_PAGES=all`: a page in a browser takes ten seconds and more."""
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
def lab(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[tuple[str, Path]]:
    """JupyterLab on a copy of the lessons; its address and the folder."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "lessons", home / "lessons")
    with server(home, home / "lessons", environment) as address:
        yield address, home / "lessons"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [*PAGES[:2], *(pytest.param(page, marks=pytest.mark.long) for page in PAGES[2:])], ids=str
)
def test_a_page_opens_runs_and_prints_what_is_recorded(page: Path, lab: tuple[str, Path], chromium: Any) -> None:
    address, folder = lab
    (written,), findings = lesson_files.read([folder / page])
    assert not findings
    tab = chromium.new_page()
    tab.set_default_timeout(milliseconds())
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
        if ours.is_asking:
            assert ("Experiment: " if "experiment(" in ours.source else "Answer in a cell") in printed
            continue
        recorded = ours.pin.text if ours.pin else ""
        assert recorded_outputs.differing(recorded, printed) is None, printed
    (saved,), findings = lesson_files.read([folder / page])
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
