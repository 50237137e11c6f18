"""Lessons as notebooks: what is in the files, that they run, and JupyterLab in a folder of them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import nbformat
import pytest
import websocket
from nbclient import NotebookClient
from nbformat import NotebookNode

from grader.content import lesson_files, recorded_outputs
from grader.exchange import ipynb
from grader.faces.jupyter import lab
from grader.judging.bodies import claimed
from grader.model import Bank, Chart, Lesson, Prediction
from grader.render import charts, figures
from tests.content.test_lesson import TEXT
from tests.support.browser import free_port
from tests.support.common import ROOT, Command, alone, text_of
from tests.support.items import exercise
from tests.support.patience import seconds, until

TOPICS = sorted(path.name for path in (ROOT / "lessons").iterdir() if path.is_dir())
MYST = re.compile(
    r"\{[\w:-]+\}`"  # roles
    r"|^\([\w-]+\)=|^\s*:::|^\+\+\+|^% |^\s*(```|~~~)\{"  # targets, blocks, marks
    r"|<!--|^```output",  # pins
    re.MULTILINE,
)
MORE = """\
:::{note}
As [said](#counting) {math}`x^2` times, see {ref}`there <counting>` and [elsewhere](why.md).
:::

```{math}
y = x
```

```python
"[no link](why.md) {eval}`1`"
```

+++

The end. `[no link](why.md)` <!-- a remark -->
"""


@pytest.fixture(scope="module")
def lessons() -> list[Lesson]:
    read, findings = lesson_files.read(lesson_files.files([ROOT]))
    assert not findings
    assert len(read) == len(list((ROOT / "lessons").glob("*/*.md"))) >= 15
    return read


@pytest.fixture(scope="module")
def made(grader: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the notebooks of all topics, made by the command."""
    folder = tmp_path_factory.mktemp("made")
    for topic in TOPICS:
        done = grader("notebook", topic, "-o", folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert len(done.stdout.splitlines()) == len(lesson_files.of_topic(ROOT, topic))
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A bank with one small page in it."""
    (tmp_path / "bank/quizzes").mkdir(parents=True)
    (tmp_path / "bank/quizzes/warmup.yaml").write_text(alone("warmup"))
    (tmp_path / "bank/lessons/warmup").mkdir(parents=True)
    (tmp_path / "bank/lessons/warmup/learn.md").write_text(f"{TEXT}\n{MORE}")
    return tmp_path / "bank"


def read(path: Path) -> NotebookNode:
    return nbformat.reads(path.read_text(), as_version=nbformat.NO_CONVERT)


def prose(notebook: NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


# ---------------------------------------------------------------- the files


def test_all_lessons_become_valid_notebooks_in_the_order_of_reading(made: Path, lessons: list[Lesson]) -> None:
    names = [f"{number:02}-{mode}.ipynb" for number, mode in enumerate(lesson_files.MODES, 1)]
    for page in lessons:
        path = made / page.topic / names[lesson_files.MODES.index(page.mode)]
        notebook = read(path)
        nbformat.validate(notebook)
        assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
        assert notebook.metadata.kernelspec == {"name": "python3", "display_name": "Python 3", "language": "python"}
        assert notebook.metadata.language_info.name == "python"
        assert set(notebook.metadata) == {"kernelspec", "language_info", "torch_grader"}
        about = {"title": page.title, "topic": page.topic, "mode": page.mode, "minutes": page.minutes}
        assert notebook.metadata.torch_grader == about
        assert prose(notebook)[0].startswith(f"# {page.title}\n") or prose(notebook)[0] == f"# {page.title}"
        assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    expected = sorted(names[lesson_files.MODES.index(page.mode)] for page in lessons)
    assert sorted(path.name for path in made.rglob("*.*")) == expected


def test_cells_tags_and_outputs_are_those_of_the_lesson(made: Path, lessons: list[Lesson]) -> None:
    drawn = 0
    for page in lessons:
        setup, *cells = code(read(made / page.topic / Path(ipynb.places(lessons)[ipynb.name(page)]).name))
        assert setup.metadata.tags == ["setup"]
        assert setup.outputs == []
        held = [part.held for part in page.parts if isinstance(part, Prediction)]
        for ours, cell in zip(page.cells, cells, strict=True):
            assert cell.source == ours.source
            assert tuple(cell.metadata.get("tags", ())) == ours.tags
            if ours in held:
                assert cell.outputs == []
                continue
            if ours.is_asking:
                folded = "remove-input" in ours.tags
                assert cell.metadata.get("jupyter", {}).get("source_hidden", False) == folded
                assert ("Shift-Enter" in str(cell.outputs)) == folded
                continue
            assert text_of(cell).rstrip("\n") == (ours.pin.text if ours.pin else "")
            shown = [output.data for output in cell.outputs if output.output_type == "display_data"]
            found = [drawing for data in shown for _, drawing in figures.parts(data["text/plain"])]
            recorded = [drawing for _, drawing in figures.parts(ours.pin.text) if drawing] if ours.pin else []
            assert found == recorded
            for drawing, data in zip(found, shown, strict=True):
                if isinstance(drawing, Chart):
                    assert data[figures.VEGA_LITE] == json.loads(json.dumps(charts.spec(drawing)))
                else:
                    assert data[figures.SVG].startswith("<svg")
                drawn += 1
    assert drawn >= 6


def test_no_myst_is_left_in_the_prose(made: Path, lessons: list[Lesson]) -> None:
    written = "\n".join(page_text for page in lessons for page_text in page.lines)
    assert len(MYST.findall(written)) > 100
    for path in made.rglob("*.ipynb"):
        for text in prose(read(path)):
            assert not MYST.search(text), text
    text = "\n".join(prose(read(made / "warmup/01-learn.ipynb")))
    assert "the loss climbs above its start in\n16 of 20 runs." in text


def test_a_small_page_with_all_that_myst_has(grader: Command, home: Path, tmp_path: Path) -> None:
    assert grader("notebook", "warmup", "--bank", home, "-o", tmp_path).returncode == 0
    notebook = read(tmp_path / "warmup/01-learn.ipynb")
    raised = code(notebook)[2]
    assert raised.metadata.tags == ["raises-exception"]
    (output,) = raised.outputs
    assert (output.output_type, output.ename) == ("error", "RuntimeError")
    assert output.evalue == "size mismatch, got input (2), mat (2x3), vec (2)"
    text = "\n\n".join(prose(notebook))
    for part in (
        "Epoch 3 trains with 0.06, epoch 2 with 0.04.",
        '<a id="counting"></a>\n\n## Counting',
        "<details>\n<summary>Hint</summary>\n\nCount from **zero**.\n\n</details>",
        "> **Note**\n>\n> As [said](#counting) $x^2$ times, see [there](#counting) and elsewhere.",
        "$$\ny = x\n$$",
        '```python\n"[no link](why.md) {eval}`1`"\n```',
        "The end. `[no link](why.md)`",
    ):
        assert part in text, part
    assert "a remark" not in text


def test_links_lead_to_the_notebooks_that_are_there(made: Path, lessons: list[Lesson], tmp_path: Path) -> None:
    pages = ipynb.places(lessons)
    for page in lessons:
        path = tmp_path / pages[ipynb.name(page)]
        path.parent.mkdir(exist_ok=True)
        path.write_text(ipynb.convert(page, pages))
    followed = set()
    for folder in (made, tmp_path):
        for path in folder.rglob("*.ipynb"):
            for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", "\n".join(prose(read(path))))):
                target, _, anchor = link.partition("#")
                found = path.parent / target if target else path
                assert found.is_file(), (path, link)
                assert not anchor or f'<a id="{anchor}"></a>' in "\n".join(prose(read(found))), (path, link)
                followed.add(link)
    assert {"#watching-a-metric", "01-learn.ipynb#combining", "02-why.ipynb", "../warmup/01-learn.ipynb"} <= followed
    alone = "\n".join(prose(read(made / "schedulers/02-why.ipynb")))
    assert "  Warmup is for that." in alone  # the other topic was not asked for


def test_no_key_is_in_the_files(made: Path, bank: Bank) -> None:
    """Sentences and code that only an answer has; a number may stand in a lesson by itself."""
    found = " ".join(json.dumps(read(path), ensure_ascii=False).replace("\\n", " ") for path in made.rglob("*.ipynb"))
    found = " ".join(found.replace('\\"', '"').split())
    predicted = {"lines-that-leave-the-loss"}  # its wrong order of three lines is what a page warns of
    predicted |= set(
        re.findall(r'predict\(items=\["([\w-]+)"', found)
    )  # their lines stand in the cell that is predicted
    looked = 0
    for item in bank.items:
        texts = [step.text for step in item.solution]
        texts += [option.text for option in claimed(item).options if option.key and option.text]
        parts = [piece for text in texts for piece in text.pieces if isinstance(piece, str)]
        parts += ["\n".join(exercise(item).reference)] if exercise(item) else []
        parts += [
            option.code for option in claimed(item).options if option.key and option.code and item.id not in predicted
        ]
        for part in parts:
            secret = " ".join(part.split())
            if len(secret) >= 40:
                looked += 1
                assert secret not in found, (item.id, secret)
    assert looked > 100


# ---------------------------------------------------------------- writing them


def test_the_same_lesson_gives_the_same_bytes_and_is_left_alone(grader: Command, made: Path, tmp_path: Path) -> None:
    assert grader("notebook", "warmup", "-o", tmp_path).returncode == 0
    for path in (tmp_path / "warmup").iterdir():
        assert path.read_bytes() == (made / "warmup" / path.name).read_bytes()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "warmup").iterdir()}
    (tmp_path / "warmup/03-deep.ipynb").unlink()
    document = json.loads(grader("notebook", "warmup", "-o", tmp_path, "--json").stdout)
    assert (document["format"], document["topic"]) == (1, "warmup")
    assert [entry["mode"] for entry in document["notebooks"]] == list(lesson_files.MODES)
    states = {Path(entry["path"]): entry["state"] for entry in document["notebooks"]}
    for path, changed in before.items():
        new = path.name == "03-deep.ipynb"
        assert states[path] == ("written" if new else "unchanged")
        assert new or path.stat().st_mtime_ns == changed
    assert set(before) == set((tmp_path / "warmup").iterdir())


def test_a_notebook_that_differs_is_not_overwritten(grader: Command, tmp_path: Path) -> None:
    mine = tmp_path / "warmup/06-experiment.ipynb"
    mine.parent.mkdir()
    mine.write_text("my work")
    done = grader("notebook", "warmup", "-o", tmp_path)
    assert done.returncode == 2
    assert f"{mine}: it is there already, and differs" in done.stderr
    assert "--force" in done.stderr
    assert [path.name for path in mine.parent.iterdir()] == ["06-experiment.ipynb"]
    assert mine.read_text() == "my work"
    assert grader("notebook", "warmup", "-o", tmp_path, "--force").returncode == 0
    assert read(mine).metadata.torch_grader["mode"] == "experiment"
    assert len(list(mine.parent.iterdir())) == 6


def test_one_page(grader: Command, tmp_path: Path) -> None:
    done = grader("notebook", "warmup", "--mode", "deep", cwd=tmp_path)
    assert done.stdout == "warmup/03-deep.ipynb\n"
    assert [path.name for path in (tmp_path / "warmup").iterdir()] == ["03-deep.ipynb"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["warmpu"], "did you mean `warmup`?"),
        (["warmup", "--mode", "dep"], "did you mean `deep`?"),
        (["warmup", "-o", "file"], "it cannot be"),
        (["warmup", "--mode", "learn", "--bank", "bank"], "the front matter has no `title`"),
        (["warmup", "--bank", "nowhere"], "there is no quiz here"),
    ],
)
def test_what_cannot_be_written_is_told(
    arguments: list[str], said: str, grader: Command, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("a file")
    page = home / "lessons/warmup/learn.md"
    page.write_text(page.read_text().replace("title: A page\n", ""))
    done = grader("notebook", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bank", "file"]


def test_a_full_disk_leaves_nothing_behind(grader: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if "05-metrics" in path.name:
            real(path, data[:100])
            raise OSError(28, "No space left on device")
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    done = grader("notebook", "warmup", "-o", tmp_path)
    assert done.returncode == 2
    assert "05-metrics.ipynb: it cannot be written: No space left on device" in done.stderr
    assert list((tmp_path / "warmup").iterdir()) == []


# ---------------------------------------------------------------- running them


@pytest.fixture
def own_jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> Path:
    """A home folder with nothing in it, for kernels and servers."""
    monkeypatch.delenv("GRADER_BANK", raising=False)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "IPYTHONDIR"):
        place = tmp_path / "own" / name.lower()
        place.mkdir(parents=True)
        monkeypatch.setenv(name, str(place))
    for name in (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "JUPYTER_PATH",
        "JUPYTER_CONFIG_PATH",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("GRADER_CACHE", "GRADER_DB"):
        monkeypatch.setenv(name, environment[name])
    return tmp_path / "own"


@pytest.mark.waits
@pytest.mark.usefixtures("own_jupyter")
@pytest.mark.parametrize(
    "page", ["warmup/01-learn.ipynb", pytest.param("schedulers/03-deep.ipynb", marks=pytest.mark.slow)]
)
def test_a_notebook_runs_from_top_to_bottom_and_prints_what_it_recorded(made: Path, page: str, tmp_path: Path) -> None:
    recorded, run = read(made / page), read(made / page)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    patient = {"timeout": seconds(), "startup_timeout": seconds()}
    NotebookClient(run, **patient, resources={"metadata": {"path": str(elsewhere)}}).execute()
    predicted = False
    for before, after in zip(code(recorded), code(run), strict=True):
        assert after.execution_count
        tags = before.metadata.get("tags", ())
        if {"quiz", "predict"} & set(tags):
            assert "text/plain" in str(after.outputs) or text_of(after).strip()
            predicted = "predict" in tags
            continue
        if predicted:
            assert before.outputs == []
            assert text_of(after).strip()
            predicted = False
            continue
        assert recorded_outputs.differing(text_of(before), text_of(after)) is None, after.source


@pytest.mark.parametrize(("there", "said"), [(True, ""), (False, "pip install --quiet torch-grader\n")])
def test_the_first_cell_installs_what_is_missing(there: bool, said: str, made: Path, own_jupyter: Path) -> None:
    first = code(read(made / "warmup/01-learn.ipynb"))[0].source
    script = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.register_magic_function(lambda line: print('pip', line), magic_name='pip')\n"
        f"sys.modules.update({ ({} if there else {'grader': None})!r})\n"
        f"shell.run_cell({first!r}).raise_error()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout == said


# ---------------------------------------------------------------- grader lab, without JupyterLab


class Became(Exception):  # noqa: N818
    """What the command would have become."""


@pytest.fixture
def prepared(grader: Command, monkeypatch: pytest.MonkeyPatch, own_jupyter: Path) -> Callable[..., Any]:
    """Runs `grader lab` up to where it becomes JupyterLab; what it said, the arguments and the variables."""
    became: list[tuple[list[str], dict[str, str]]] = []

    def become(arguments: list[str], variables: dict[str, str]) -> NoReturn:
        became.append((arguments, variables))
        raise SystemExit(0)

    def run(*arguments: str | Path, cwd: Path) -> Any:
        done = grader("lab", *arguments, cwd=cwd)
        assert (done.returncode, done.stderr) == (0, "")
        return (done.stdout, *became[-1])

    monkeypatch.setattr(lab, "become", become)
    monkeypatch.setattr("grader.kernels.registered", lambda: False)
    return run


def test_the_folder_has_all_lessons_and_a_page_that_lists_them(
    prepared: Callable[..., Any], lessons: list[Lesson], tmp_path: Path
) -> None:
    said, arguments, _ = prepared(cwd=tmp_path)
    assert said.startswith(f"torch-grader: {len(lessons)} lessons are new. The page to start from is START.ipynb.\n")
    folder = tmp_path / "torch-grader"
    start = read(folder / "START.ipynb")
    nbformat.validate(start)
    links = re.findall(r"\]\(([^)]+)\)", "\n".join(prose(start)))
    assert links == list(ipynb.places(lessons).values())
    for link in links:
        assert read(folder / link).metadata.kernelspec.name == "python3"
    for page in lessons:
        assert f"| {page.mode} | [{page.title}](" in "\n".join(prose(start))
    assert f"--ServerApp.root_dir={folder}" in arguments


def test_what_is_there_is_kept_and_what_is_missing_is_added(
    prepared: Callable[..., Any], lessons: list[Lesson], tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    prepared("mine", cwd=tmp_path)
    work = {"warmup/01-learn.ipynb": "my work", "schedulers/mine.txt": "my notes"}
    for name, text in work.items():
        (folder / name).write_text(text)
    (folder / "warmup/02-why.ipynb").unlink()
    (folder / "warmup/03-deep.ipynb").unlink()
    (folder / "warmup/03-deep.ipynb").symlink_to("nowhere")
    said, *_ = prepared("mine", cwd=tmp_path)
    assert said.startswith(f"mine: 1 lesson is new, {len(lessons) - 1} are there and stay as they are. ")
    assert {name: (folder / name).read_text() for name in work} == work
    assert (folder / "warmup/02-why.ipynb").is_file()
    assert (folder / "warmup/03-deep.ipynb").is_symlink()


def test_the_start_page_lists_new_lessons_unless_it_was_changed(
    prepared: Callable[..., Any], home: Path, tmp_path: Path
) -> None:
    start = tmp_path / "torch-grader/START.ipynb"
    prepared("--bank", home, cwd=tmp_path)
    ran = read(start)
    code(ran)[0].outputs = [nbformat.v4.new_output("stream", text="it was run")]
    ran.metadata.kernelspec.display_name = "as JupyterLab writes it"
    start.write_text(nbformat.writes(ran))
    (home / "lessons/warmup/why.md").write_text(TEXT.replace("mode: learn", "mode: why"))
    prepared("--bank", home, cwd=tmp_path)
    assert "02-why.ipynb" in start.read_text()
    changed = read(start)
    changed.cells[0].source += "\n\nMy remark."
    start.write_text(nbformat.writes(changed))
    (home / "lessons/warmup/deep.md").write_text(TEXT.replace("mode: learn", "mode: deep"))
    prepared("--bank", home, cwd=tmp_path)
    assert "My remark." in start.read_text()
    assert "03-deep.ipynb" not in start.read_text()
    assert (tmp_path / "torch-grader/warmup/03-deep.ipynb").is_file()


ODD = ("[]", "{}", '{"cells": 3}', '{"cells": [{"cell_type": "code"}]}', "\xff")


def slow(parameter: object) -> object:
    """A parameter of the second tier."""
    return pytest.param(parameter, marks=pytest.mark.slow)


@pytest.mark.parametrize("text", ["", '{"cells": [1]}', *map(slow, ODD)])
def test_a_start_page_that_is_something_else_is_kept(text: str, prepared: Callable[..., Any], tmp_path: Path) -> None:
    start = tmp_path / "torch-grader/START.ipynb"
    start.parent.mkdir()
    start.write_bytes(text.encode("latin-1"))
    prepared(cwd=tmp_path)
    assert start.read_bytes() == text.encode("latin-1")


def test_options_and_what_follows_them_reach_jupyterlab(
    prepared: Callable[..., Any], home: Path, tmp_path: Path
) -> None:
    _, arguments, variables = prepared(
        "--no-browser", "--port", "8123", "--bank", home, "--", "--debug", "--", "x", cwd=tmp_path
    )
    assert {"--no-browser", "--port=8123"} <= set(arguments)
    assert arguments[-3:] == ["--debug", "--", "x"]
    assert variables["GRADER_BANK"] == str(home)
    assert str(lab.CONFIG) in variables["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    _, arguments, _ = prepared(cwd=tmp_path)
    assert not {"--no-browser", "--debug"} & set(arguments)


def test_notebooks_start_with_the_warm_kernel_where_there_is_one(
    prepared: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("grader.kernels.registered", lambda: True)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    _, arguments, variables = prepared(cwd=tmp_path)
    assert "--MultiKernelManager.default_kernel_name=torch-warm" in arguments
    notebook = read(tmp_path / "torch-grader/warmup/01-learn.ipynb")
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "torch-warm"
    found = [Path(place, "kernels/torch-warm/kernel.json") for place in variables["JUPYTER_PATH"].split(os.pathsep)]
    assert any(path.is_file() for path in found)


def test_without_jupyterlab_nothing_is_made(grader: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "jupyterlab", None)
    done = grader("lab", cwd=tmp_path)
    assert done.returncode == 2
    assert "JupyterLab is not installed here" in done.stderr
    assert "pip install 'torch-grader[jupyter]'" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_told(grader: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = grader("lab", "file", cwd=tmp_path)
    assert done.returncode == 2
    assert "file: this is a file" in done.stderr


# ---------------------------------------------------------------- grader lab, with JupyterLab


class Server:
    """`grader lab` in a process of its own, spoken to as a browser does."""

    def __init__(self, folder: Path) -> None:
        self.mark = f"GRADER_TEST_MARK={folder}"
        self.port = free_port()
        self.log = (folder / "log.txt").open("w+")
        command = [sys.executable, "-m", "grader", "lab", "lessons", "--no-browser", f"--port={self.port}"]
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env={**os.environ, "GRADER_TEST_MARK": str(folder), "GRADER_RUNTIME": tempfile.mkdtemp(), "GRADER_WARM_IDLE": "1", "PYTHONPATH": str(ROOT)}, start_new_session=True,
        )  # fmt: skip

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def token(self) -> str:
        """The token, as it is printed with the address."""
        pattern = rf"http://127\.0\.0\.1:{self.port}/lab/tree/START\.ipynb\?token=(\w+)"
        return until(lambda: self.process.poll() is not None or re.search(pattern, self.said()), self.said)[1]

    def call(self, path: str, token: str, body: object = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/{path}", headers={"Authorization": f"token {token}"},
            data=None if body is None else json.dumps(body).encode(),
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=seconds()) as answer:
            return json.load(answer)

    def run(self, kernel: str, source: str, token: str) -> str:
        """Run a cell in a kernel; what it printed."""
        address = f"ws://127.0.0.1:{self.port}/api/kernels/{kernel}/channels"
        channel = websocket.create_connection(address, timeout=seconds(), header=[f"Authorization: token {token}"])
        header = {"msg_id": "1", "msg_type": "execute_request", "username": "", "session": "1", "version": "5.3"}
        content = {
            "code": source,
            "silent": False,
            "store_history": False,
            "user_expressions": {},
            "allow_stdin": False,
        }
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        printed = ""
        try:
            channel.send(json.dumps(message))
            while True:
                answer = json.loads(channel.recv())
                if answer["parent_header"].get("msg_id") != "1":
                    continue
                match answer["msg_type"]:
                    case "stream":
                        printed += answer["content"]["text"]
                    case "error":
                        raise AssertionError(answer["content"])
                    case "status" if answer["content"]["execution_state"] == "idle":
                        return printed
        finally:
            channel.close()

    def processes(self) -> list[str]:
        """The command lines of all processes that it started, itself among them."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (path / "environ").read_bytes().split(b"\0"):
                    found.append((path / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return found


@pytest.fixture
def server(tmp_path: Path, own_jupyter: Path) -> Iterator[Server]:
    running = Server(tmp_path)
    yield running
    if running.process.poll() is None:
        os.killpg(running.process.pid, signal.SIGKILL)
    running.process.wait()
    running.log.close()


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="processes are found through /proc, as Linux has it"
)
@pytest.mark.waits
def test_jupyterlab_starts_lists_the_lessons_runs_a_cell_and_ends_on_ctrl_c(server: Server, own_jupyter: Path) -> None:
    token = server.token()
    with pytest.raises(urllib.error.HTTPError, match="403"):
        server.call("api/contents", "wrong")
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/lab?token={token}", timeout=seconds()) as page:
        assert b"announcements" in page.read()  # is turned off: nobody is asked about news
    listed = {entry["path"] for topic in TOPICS for entry in server.call(f"api/contents/{topic}", token)["content"]}
    assert len(listed) == len(list((ROOT / "lessons").glob("*/*.md")))
    assert server.call("api/contents/START.ipynb", token)["type"] == "notebook"
    body = {"path": "warmup/01-learn.ipynb", "type": "notebook", "name": "", "kernel": {}}
    kernel = server.call("api/sessions", token, body)["kernel"]["id"]
    cell = (
        "import os, grader.content.bank_homes\nprint(os.path.basename(os.getcwd()), grader.content.bank_homes.home())"
    )
    assert server.run(kernel, cell, token) == f"warmup {ROOT}\n"
    assert len(server.processes()) >= 2
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(timeout=seconds()) == 0
    until(lambda: not server.processes(), server.processes)
    assert "Traceback" not in server.said()
    assert not (own_jupyter / "home/.jupyter").exists()
    assert not (own_jupyter / "home/.local").exists()
    left = [path.name for path in own_jupyter.rglob("*.json") if path.name.startswith(("kernel-", "jpserver-"))]
    assert left == []
