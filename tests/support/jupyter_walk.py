"""A learner's walk through JupyterLab as `grader lab` opens it, in a browser, with a picture of every station.

`pictures(FOLDER)` walks in the light and wide, then dark and narrow, and writes the pictures into a folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grader.learning.records import Records
from tests.support import lab
from tests.support.browser import browser, free_port
from tests.support.common import PATHS, ROOT
from tests.support.patience import milliseconds, seconds, until

SIGHTS = {
    "light-wide": ("light", 1280),
    "dark-620": ("dark", 620),
    "dark-wide": ("dark", 1280),
    "light-620": ("light", 620),
}
"""Theme and width of a walk. The first two are walked whole; they are what differs most."""

MORE = """\
format: 1
topic: sights
title: Sights
setup:
  two-rows: |
    import torch

    x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
items:
- id: doubled-table
  kind: sequence
  level: easy
  skill: read-a-table
  uses: [two-rows]
  stem: What is in `y`?
  shows: entry
  program: |
    y = x * 2
  answer: y
  labels: {rows: [row 0, row 1], columns: [column 0, column 1, column 2]}
  mistakes: [{mistake: swapped, yields: "y.flip(0)"}]
  solution: ["Every entry is doubled: {y.tolist()}."]
- {id: cannot-be-read, kind: nmber, level: easy, skill: s, stem: What?, program: x = 1, answer: x, solution: ["{x}"]}
mistakes: {swapped: {says: The first row comes first.}}
"""
"""A table of two dimensions, a setup to fold, and a question in which something is wrong."""

HALF = """\
class Residual(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.linear = torch.nn.Linear(size, size)

    def forward(self, x):
        return torch.relu(self.linear(x))
"""


def bank(folder: Path) -> Path:
    """A bank with the shipped quizzes and two lessons, and what else there is to see."""
    (folder / "quizzes").mkdir(parents=True)
    for path in [*(ROOT / "quizzes").iterdir(), ROOT / "tests/banks/engine/quizzes/modules.yaml"]:
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, folder / "quizzes" / path.name)
    shutil.copy(ROOT / "bank.yaml", folder)
    (folder / "quizzes/sights.yaml").write_text(MORE)
    for topic in ("warmup", "schedulers"):
        (folder / "lessons" / topic).mkdir(parents=True)
        shutil.copy(ROOT / f"lessons/{topic}/learn.md", folder / f"lessons/{topic}/learn.md")
    return folder


@contextlib.contextmanager
def served(home: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """`grader lab` on a folder; its address with the token, and a file with all that it says."""
    port, log = free_port(), home / "log.txt"
    own = {
        name: str(home / name.lower())
        for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "IPYTHONDIR")
    }
    for path in own.values():
        Path(path).mkdir()
    variables = {
        name: value for name, value in {**os.environ, **environment}.items() if not name.startswith("JUPYTER_")
    }
    variables |= {**own, "GRADER_DB": str(home / "records.sqlite"), "PYTHONPATH": PATHS, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "grader", "lab", "lessons", "--no-browser", f"--port={port}", "--bank", bank(home / "bank"),
               "--", "--LabApp.expose_app_in_browser=True"]  # fmt: skip
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=home, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=variables)
    pattern = rf"http://127\.0\.0\.1:{port}/lab/tree/START\.ipynb\?token=\w+"
    try:
        until(lambda: process.poll() is not None or re.search(pattern, log.read_text()), log.read_text)
        found = re.search(pattern, log.read_text())
        assert found, log.read_text()
        yield found[0], log
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=seconds(20))
        finally:
            process.kill()


class Walk:
    """One learner at one screen."""

    def __init__(self, tab: Any, records: Path, folder: Path | None, name: str) -> None:
        self.tab, self.records, self.folder, self.name = tab, records, folder, name
        self.taken = 0

    def picture(self, of: str) -> None:
        """Take a picture of what is on the screen now."""
        if self.folder:
            self.taken += 1
            self.tab.screenshot(path=self.folder / f"jupyter-{self.name}-{self.taken:02}-{of}.png")

    def section(self, number: int = 0) -> Any:
        """A question of the notebook in front, once it can be answered."""
        found = self.tab.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .tg-question:visible").nth(number)
        found.locator("form, button").first.wait_for()
        found.scroll_into_view_if_needed()
        return found

    def open(self, path: str) -> None:
        self.tab.evaluate(lab.OPEN, [path, ""])
        self.tab.wait_for_function("(path) => jupyterapp.shell.currentWidget?.context?.path === path", arg=path)

    def run_cell(self, text: str) -> None:
        """Select the code cell that says this, and run it."""
        place = self.tab.evaluate(
            """(text) => { const notebook = jupyterapp.shell.currentWidget.content;
            const place = notebook.widgets.findIndex((cell) => cell.model.type === 'code' && cell.model.sharedModel.getSource().includes(text));
            notebook.activeCellIndex = place; return place; }""", text)  # fmt: skip
        assert place >= 0, text
        self.tab.evaluate("() => jupyterapp.commands.execute('notebook:run-cell')")

    def wait_until_idle(self) -> None:
        self.tab.wait_for_function(
            "() => jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"
        )

    def kept(self, text: str) -> bool:
        """Whether this is a draft on record."""
        with Records(str(self.records), write=False) as store:
            return any(event.kind == "draft" and text in event.data for event in store.events())

    def check(self, section: Any) -> Any:
        section.get_by_role("button", name=re.compile("Check")).first.click()
        section.locator(".tg-verdict").first.wait_for()
        section.locator(".tg-told").scroll_into_view_if_needed()
        return section


@contextlib.contextmanager
def opened(chromium: Any, address: str, records: Path, sight: str, folder: Path | None = None) -> Iterator[Walk]:
    """A new browser in front of the start page."""
    theme, width = SIGHTS[sight]
    context = chromium.new_context(viewport={"width": width, "height": 1000})
    tab = context.new_page()
    tab.set_default_timeout(milliseconds())
    tab.goto(address)
    tab.wait_for_function("() => window.jupyterapp?.restored")
    tab.evaluate("(name) => jupyterapp.commands.execute('apputils:change-theme', { theme: name })", lab.THEMES[theme])
    tab.evaluate("() => jupyterapp.shell.collapseLeft()")
    try:
        yield Walk(tab, records, folder, sight)
    finally:
        context.close()


def begin(walk: Walk) -> None:
    """The start page asks by itself; the first answer is judged after one click on an option, and one on Check."""
    walk.tab.locator(".jp-Notebook h2:visible").first.wait_for()
    walk.picture("start-wait")
    section = walk.section()
    walk.picture("start-question")
    section.locator("input").first.check()
    walk.check(section)
    walk.picture("start-judged")


def read_a_lesson(walk: Walk) -> None:
    """A prediction before its output, which comes when the next cell is run."""
    walk.open("warmup/01-learn.ipynb")
    walk.picture("lesson")
    for text in ("import torch", "import mse_loss", "third-epoch-rate"):
        walk.run_cell(text)
    section = walk.section()
    walk.picture("prediction")
    section.get_by_label("0.06", exact=False).check()
    walk.check(section)
    walk.picture("prediction-judged")
    walk.run_cell("step  rate  loss")
    output = walk.tab.get_by_text("3  0.06  9.6124").first
    output.wait_for()
    output.scroll_into_view_if_needed()
    walk.picture("prediction-and-output")


def answer_of_all_sorts(walk: Walk) -> None:
    """A table with a fold, code with checks and a draft, a restart in the middle, cards, and answers by calls."""
    walk.open("sights.ipynb")
    walk.tab.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
    table = walk.section(0)
    table.get_by_text("Given: two rows").click()
    walk.picture("table")
    for place in range(6):
        table.locator("td input").nth(place).fill(str(place + 1))
    walk.check(table)
    walk.picture("table-judged")
    code = walk.section(1)
    code.locator("textarea").fill(HALF)
    walk.check(code)
    walk.picture("checks")
    code.locator("textarea").fill("a draft")
    until(lambda: walk.kept("a draft"), "the draft is not kept")
    restart(walk)


def restart(walk: Walk) -> None:
    """Another kernel: each widget says so, and goes on once its cell is run."""
    walk.tab.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    walk.tab.locator(".tg-stale").nth(1).wait_for()
    stale = walk.tab.locator(".tg-question:has(.tg-stale)").nth(1)
    stale.scroll_into_view_if_needed()
    walk.picture("kernel-restarted")
    walk.wait_until_idle()
    walk.run_cell("from grader.jupyter")
    walk.run_cell("eng-residual")
    walk.tab.wait_for_function(
        "() => [...document.querySelectorAll('.tg-question:not(:has(.tg-stale)) textarea')].some((one) => one.value === 'a draft')"
    )
    code = walk.section(1)
    walk.picture("goes-on")
    code.locator("textarea").fill(HALF.replace("return torch", "return x + torch"))
    code.get_by_role("button", name="Check again").click()
    code.locator('.tg-told[data-outcome="correct"]').wait_for()


def review_and_calls(walk: Walk) -> None:
    """What is due, and answers by calls: each is a card."""
    walk.open("calls.ipynb")
    walk.tab.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
    walk.tab.get_by_text("calls are done").first.wait_for()
    cards = walk.tab.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea .tg-question")
    for number, name in enumerate(("answer", "check", "exercise", "hint")):
        cards.nth(number).scroll_into_view_if_needed()
        walk.picture(f"call-{name}")
    last = walk.tab.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .tg-question").last
    last.scroll_into_view_if_needed()
    walk.picture("review")


def write_notebooks(folder: Path) -> None:
    """The notebooks of the walk that are no lessons."""
    lab.notebook(folder / "sights.ipynb", [
        "from grader.jupyter import quiz", 'quiz("doubled-table")', 'quiz("eng-residual")', 'quiz("sights")',
    ])  # fmt: skip
    lab.notebook(folder / "calls.ipynb", [
        "from grader.jupyter import *", 'answer("third-epoch-rate", 0.08)',
        'def factor(epoch):\n    return epoch / 5\ncheck(factor, "write-the-factor")',
        "%%exercise write-the-factor\ndef factor(epoch):\n    return min((epoch + 1) / warmup_epochs, 1)",
        'hint("cosine-by-hand")', 'print("calls are " + "done")', "review(new=3)",
    ])  # fmt: skip


WHOLE = (begin, read_a_lesson, answer_of_all_sorts, review_and_calls)


def pictures(folder: Path, home: Path, environment: Mapping[str, str]) -> list[str]:
    """Walk in each sight, and write a picture of every station into a folder; what JupyterLab said, line by line."""
    folder.mkdir(parents=True, exist_ok=True)
    with browser() as chromium:
        for sight in SIGHTS:
            place = home / sight
            place.mkdir(parents=True)
            with served(place, environment) as (address, log):
                write_notebooks(place / "lessons")
                with opened(chromium, address, place / "records.sqlite", sight, folder) as walk:
                    for station in WHOLE:
                        station(walk)
    return log.read_text().splitlines()
