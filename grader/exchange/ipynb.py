"""Lessons as Jupyter notebooks: plain Markdown, the recorded outputs, and a first cell that makes them run elsewhere.

jupytext reads the cells, `lesson_files` what they recorded. The same lesson gives the same bytes: the ids of cells come
from what they say.
"""

from __future__ import annotations

import hashlib
import html
import json
import posixpath
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, assert_never

import jupytext
import nbformat
from nbformat import NotebookNode, v4

from grader.content import plain_markdown
from grader.content.lesson_files import MODES
from grader.exchange import words
from grader.model import Cell, Chart, Lesson, LessonQuestion, Pin, Prediction, Prose
from grader.render import figure_svg, figures
from grader.render.charts import spec

KERNELS = {"python3": "Python 3", "torch-warm": "Python 3 (PyTorch, warm)"}
"""The kernels that a notebook may name, and how they are shown."""

LANGUAGE = {
    "name": "python",
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "codemirror_mode": {"name": "ipython", "version": 3},
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
SETUP = """\
# Installs torch-grader where it is missing, as on Colab.
try:
    import grader
except ImportError:
    %pip install --quiet torch-grader"""
START = "START.ipynb"

START_CELL = "from grader.jupyter import start\nstart()"
"""What a start page runs. `lab/labextension` runs a cell that says just this when the page is opened."""


def places(lessons: Iterable[Lesson]) -> dict[str, str]:
    """Where lessons go: from `topic/mode.md` to `topic/01-mode.ipynb`, numbered in the order of reading."""
    found = {}
    for lesson in sorted(lessons, key=lambda lesson: (lesson.topic, MODES.index(lesson.mode))):
        path = Path(lesson.path)
        number = MODES.index(lesson.mode) + 1
        found[name(lesson)] = f"{path.parent.name}/{number:02}-{path.stem}.ipynb"
    return found


def name(lesson: Lesson) -> str:
    """A lesson by its file, as links name it: `warmup/learn.md`."""
    path = Path(lesson.path)
    return f"{path.parent.name}/{path.name}"


def convert(lesson: Lesson, pages: Mapping[str, str], kernel: str = "python3", *, setup: bool = True) -> str:
    """A lesson as the text of an .ipynb file. Links to the `pages`, which lie beside it, lead to their notebooks.

    A link to a page that is not among them is only its text. Cells that ask are folded, and what they ask to predict
    has no recorded output. With `setup`, a first cell installs what is missing, as on Colab.
    """

    def link(text: str, to: str) -> str:
        path, _, anchor = to.partition("#")
        if path.endswith(".md") and ":" not in path:
            own = posixpath.dirname(name(lesson))
            place = pages.get(posixpath.normpath(posixpath.join(own, path)))
            if place is None:
                return text
            to = posixpath.relpath(place, own) + (f"#{anchor}" if anchor else "")
        return f"[{text}]({to})"

    style = plain_markdown.Style(lambda target: [f'<a id="{target}"></a>', ""], _block, link)
    code = (cell for cell in jupytext.reads("\n".join(lesson.lines) + "\n", "md:myst").cells if _is_code(cell))
    cells: list[NotebookNode] = []

    def add_prose(block: Prose) -> None:
        parts = (plain_markdown.plain(part, style).strip() for part in plain_markdown.sections(block.text))
        cells.extend(v4.new_markdown_cell(text) for text in parts if text)

    def add_code(cell: Cell, outputs: list[NotebookNode]) -> None:
        read = next(code)
        folded = {"jupyter": {"source_hidden": True}} if cell.is_asking and "remove-input" in cell.tags else {}
        cells.append(v4.new_code_cell(read.source, metadata={**read.metadata, **folded}, outputs=outputs))

    for part in lesson.parts:
        match part:
            case Prose():
                add_prose(part)
            case Cell():
                asks = part.is_asking and "remove-input" in part.tags
                add_code(part, _said(words.PRACTICE) if asks else _outputs(part))
            case LessonQuestion():
                add_code(part.cell, _said(words.QUESTION))
            case Prediction():
                add_code(part.cell, _said(words.PREDICTION))
                for block in part.between:
                    add_prose(block)
                add_code(part.held, [])
            case _:
                assert_never(part)
    if setup:
        first = v4.new_code_cell(SETUP, metadata={"tags": ["setup"]})
        cells.insert(1 if cells and not _is_code(cells[0]) else 0, first)
    about = {"title": lesson.title, "topic": lesson.topic, "mode": lesson.mode, "minutes": lesson.minutes}
    return dumps(cells, about, kernel)


def start_page(lessons: Sequence[Lesson], kernel: str = "python3") -> str:
    """The page to start from: how a notebook is used, how far the learner is, what comes next, and the lessons."""
    pages = places(lessons)
    by_name = {name(lesson): lesson for lesson in lessons}
    topics: dict[str, list[str]] = {}
    for page, place in pages.items():
        lesson = by_name[page]
        rows = topics.setdefault(lesson.topic, [])
        if not rows:
            rows += [f"### {lesson.title}", "", "| | lesson | minutes |", "|---|---|---|"]
        rows.append(f"| {lesson.mode} | [{lesson.title}]({place}) | {lesson.minutes} |")
    hidden = {"jupyter": {"source_hidden": True}}
    cells = [
        v4.new_markdown_cell(words.START),
        v4.new_code_cell(START_CELL, metadata=hidden, outputs=_said(words.BEGIN)),
        v4.new_markdown_cell(words.LESSONS),
    ]
    cells += [v4.new_markdown_cell("\n".join(rows)) for rows in topics.values()]
    return dumps(cells, {"title": "torch-grader"}, kernel)


def untouched(text: str) -> bool:
    """Whether the cells of a notebook are those that we wrote, so that it may be written anew. Outputs do not count."""
    try:
        cells = json.loads(text)["cells"]
        said = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
        return [cell["id"] for cell in cells] == _identities(said)
    except (ValueError, TypeError, KeyError):
        return False


def dumps(cells: list[NotebookNode], about: Mapping[str, Any], kernel: str = "python3") -> str:
    """Cells as the text of an .ipynb file; their ids come from what they say."""
    for cell, identity in zip(cells, _identities((cell.cell_type, cell.source) for cell in cells), strict=True):
        cell.id = identity
    notebook = v4.new_notebook(cells=cells)
    notebook.metadata = {
        "kernelspec": {"display_name": KERNELS[kernel], "language": "python", "name": kernel},
        "language_info": LANGUAGE,
        "torch_grader": dict(about),
    }
    notebook.nbformat_minor = 5
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"


def _identities(cells: Iterable[tuple[str, str]]) -> list[str]:
    """An id for each cell, given its kind and source; the second of two that are alike has another one."""
    seen: Counter[str] = Counter()
    found = []
    for kind, source in cells:
        said = f"{kind}\n{source}"
        found.append(hashlib.sha256(f"{seen[said]} {said}".encode()).hexdigest()[:12])
        seen[said] += 1
    return found


def _is_code(cell: NotebookNode) -> bool:
    return bool(cell.cell_type == "code")


def _said(text: str) -> list[NotebookNode]:
    """What stands where a cell has not been run yet."""
    return [v4.new_output("display_data", data={"text/markdown": text, "text/plain": text.strip("*")})]


def _block(title: str, folded: bool, lines: list[str]) -> list[str]:
    """A hint or a solution stays folded, in HTML that Jupyter, Colab and VS Code know; else a quotation."""
    if folded:
        return ["<details>", f"<summary>{html.escape(title, quote=False)}</summary>", "", *lines, "", "</details>", ""]
    return plain_markdown.quote(title, lines)


def _outputs(cell: Cell) -> list[NotebookNode]:
    """What a cell recorded: its text, charts as drawings, and what it raised."""
    if cell.pin is None or "remove-output" in cell.tags:
        return []
    printed, raised = _raised(cell.pin) if cell.may_raise else (cell.pin.text, None)
    found = []
    for text, drawn in figures.parts(printed):
        if drawn:
            picture = (
                {figures.VEGA_LITE: spec(drawn)} if isinstance(drawn, Chart) else {figures.SVG: figure_svg.image(drawn)}
            )
            found.append(v4.new_output("display_data", data={**picture, "text/plain": text}))
        else:
            found.append(v4.new_output("stream", name="stdout", text=f"{text}\n"))
    return [*found, raised] if raised else found


def _raised(pin: Pin) -> tuple[str, NotebookNode]:
    """The output before an error, and the error, which is the last line of the pin."""
    before, _, last = pin.text.rpartition("\n")
    name, _, message = last.partition(": ")
    return before, v4.new_output("error", ename=name, evalue=message, traceback=[last])
