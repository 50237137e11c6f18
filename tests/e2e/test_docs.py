"""What the documents show is what happens."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import pytest

from grader import kinds
from grader.content import bank_files, lesson_files
from grader.content.verify import Reading, prove_all, verify
from grader.model import DRAWS
from grader.runner.local import LocalRunner
from tests.support import sooner
from tests.support.common import ROOT, Command
from tests.support.lab import TOKEN, server
from tests.support.patience import COMMAND, seconds

PAGES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
DOCUMENTS = (
    "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "lessons/README.md", *PAGES,
)  # fmt: skip

AUTHOR, TERMINAL = "docs/author", "docs/learner/terminal.md"


def _blocks(name: str, language: str) -> list[str]:
    text = re.sub(r"^````.*?^````$", "", (ROOT / name).read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.usefixtures("proven")
def test_the_sessions_of_the_commands_are_true(grader: Command) -> None:
    shown = [block for block in _blocks(TERMINAL, "console") if block.startswith("$ ")]
    assert shown
    for block in shown:
        for part in block.split("$ grader ")[1:]:
            command, _, output = part.partition("\n")
            assert grader(*shlex.split(command)).stdout == output


@pytest.mark.usefixtures("proven")
def test_the_question_of_the_commands_is_what_is_asked(grader: Command) -> None:
    asked = grader("quiz", "tensors", "--plain", stdin="B\nq\n").stdout
    for paragraph in _blocks(TERMINAL, "text")[0].split("\n\n"):
        assert re.sub(r" +$", "", paragraph.strip("\n"), flags=re.MULTILINE) in re.sub(
            r" +$", "", asked, flags=re.MULTILINE
        )


def test_the_quiz_in_proving_a_quiz_is_judged_as_it_says(tmp_path: Path, grader: Command) -> None:
    """And with the line that the page adds; README shows the beginning of the same."""
    page = (ROOT / "docs/proving-a-quiz.md").read_text()
    quiz = re.findall(r"^````csv\n(.*?)^````$", page, re.MULTILINE | re.DOTALL)[0]
    (tmp_path / "quiz.csv").write_text(quiz)
    for text in (_blocks("docs/proving-a-quiz.md", "console")[0], _blocks("README.md", "console")[0]):
        command, _, output = text.partition("\n")
        done = grader(*shlex.split(command.removeprefix("$ grader ")), cwd=tmp_path)
        assert done.stdout.startswith(output)
        assert done.returncode == 1
    assert grader("import", "quiz.csv", "-o", "quiz.yaml", cwd=tmp_path).returncode == 0
    line = re.findall(r"`(answer: sum.*?)`: a Python", page.replace("\n", " "))[0]
    text = (tmp_path / "quiz.yaml").read_text()
    assert len(re.findall(r"^  wanted: 'answer.*$", text, re.MULTILINE)) == 1
    (tmp_path / "quiz.yaml").write_text(re.sub(r"^  wanted: 'answer.*$", f"  {line}", text, flags=re.MULTILINE))
    assert "the key is `50`, PyTorch gives `55`" in grader("prove", "quiz.yaml", cwd=tmp_path).stdout


def test_proving_a_quiz_lists_every_format_and_state() -> None:
    from grader.exchange import formats
    from grader.exchange.proving import STATES

    page = (ROOT / "docs/proving-a-quiz.md").read_text()
    assert all(f"`{name}`" in page for name in formats.readers())
    assert all(f"\n| {state} |" in page for state in STATES)


def test_the_hooks_of_pre_commit_name_commands_that_are_there() -> None:
    from ruamel.yaml import YAML

    from grader.cli import app

    hooks = YAML(typ="safe").load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [hook["entry"].split()[0] for hook in hooks] == ["grader", "grader"]
    assert all(hook["entry"].split()[1] in app.commands for hook in hooks)
    assert "id: grader-prove" in (ROOT / "docs/proving-a-quiz.md").read_text()


@pytest.mark.slow
@pytest.mark.waits
def test_the_course_in_teaching_goes_as_it_says(environment: dict[str, str], tmp_path: Path) -> None:
    """Every command, in one shell, word for word; what stands below a block is what it prints."""
    text = (ROOT / "docs/teaching.md").read_text()
    shown = re.findall(r"^```console\n(.*?)^```$(?:\n```text\n(.*?)^```$)?", text, re.MULTILINE | re.DOTALL)
    assert sum(bool(output) for _, output in shown) >= 15
    script = "set -eu\n" + "\n".join(
        f"{{\n{commands}}} > {tmp_path}/{n}.out\n" for n, (commands, _) in enumerate(shown)
    )
    variables = {**environment, "PYTHONWARNINGS": "ignore", "JUPYTER_DATA_DIR": str(tmp_path / "jupyter")}
    with sooner.nbgrader(variables) as commands:
        path = os.pathsep.join([str(commands), str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env={**variables, "PATH": path},
            capture_output=True, text=True, check=False, timeout=seconds(COMMAND),
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for number, (_, output) in enumerate(shown):
        if output:
            assert (tmp_path / f"{number}.out").read_text() == output
    _formgrader_shows_what_teaching_says(tmp_path / "course", variables)


def _formgrader_shows_what_teaching_says(course: Path, variables: dict[str, str]) -> None:
    """The page of a submission, its comments, and points that are typed there, from the server that is asked for."""

    def asked(path: str, data: object = None) -> str:
        wanted = urllib.request.Request(
            f"{address}/formgrader/{path}",
            None if data is None else json.dumps(data).encode(),
            {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"},
            method="GET" if data is None else "PUT",
        )
        with urllib.request.urlopen(wanted, timeout=seconds(COMMAND)) as answer:
            return str(answer.read().decode())

    others = ("jupyterlab", "notebook", "notebook_shim", "jupyter_lsp", "jupyterlab_jupytext", "jupyterlab_myst")
    (course / "config").mkdir()
    (course / "config/jupyter_server_config.json").write_text(  # formgrader is pages of the server; starts sooner
        json.dumps({"ServerApp": {"jpserver_extensions": dict.fromkeys(others, False)}})
    )
    with server(course, course, variables, "jupyter_server") as address:
        submissions = json.loads(asked("api/submitted_notebooks/ps1/ps1"))
        ada = next(one for one in submissions if one["student"] == "ada")
        assert ada["score"] == pytest.approx(4 + 1 / 3)
        page = html.unescape(asked(f"submissions/{ada['id']}/?index=0"))
        assert "The rate after that step belongs to the next epoch" in page
        assert "Correct through epoch 4. In epoch 5 the rate is 0.25; it should be 0.2" in page
        assert "<svg" in page
        comments = {one["name"]: one for one in json.loads(asked(f"api/comments?submission_id={ada['id']}"))}
        ours = comments["answer-third-epoch-rate"]
        assert "The rate after that step" in ours["auto_comment"]
        assert ours["manual_comment"] == "You explained it well."
        grades = {one["name"]: one for one in json.loads(asked(f"api/grades?submission_id={ada['id']}"))}
        typed = json.loads(
            asked(f"api/grade/{grades['ramp-rate-table']['id']}", {"manual_score": 2, "extra_credit": 0})
        )
        assert typed["manual_score"] == 2
        again = json.loads(asked("api/submitted_notebooks/ps1/ps1"))
        assert next(one for one in again if one["student"] == "ada")["score"] == pytest.approx(5)


@pytest.mark.parametrize(("page", "variants"), [("questions.md", 4), ("code.md", 3)])
def test_the_quizzes_for_authors_are_proven(page: str, variants: int, tmp_path: Path, runner: LocalRunner) -> None:
    (block,) = [block for block in _blocks(f"{AUTHOR}/{page}", "yaml") if block.startswith("format: 1")]
    path = tmp_path / "example.yaml"
    path.write_text(block)
    read = bank_files.read([path])
    assert not read.findings
    report = verify(read, runner)
    assert [str(finding) for finding in report.findings] == []
    assert report.variants == variants


def test_the_figures_for_authors_are_proven(tmp_path: Path, runner: LocalRunner) -> None:
    (block,) = _blocks(f"{AUTHOR}/figures.md", "yaml")
    path = tmp_path / "figures.yaml"
    path.write_text(block)
    read = bank_files.read([path])
    assert not read.findings
    (proof,) = [proof for _, proofs in prove_all(read.items, runner) for proof in proofs]
    assert [str(finding) for finding in proof.findings] == []
    assert [figure.draw for figure in proof.figures] == ["cells", "graph"]
    listed = re.findall(r"^\| `([a-z]+)` \|", (ROOT / AUTHOR / "figures.md").read_text(), re.MULTILINE)
    assert set(DRAWS) == set(listed) - {"draw"}


def test_the_experiment_for_authors_is_proven(tmp_path: Path, runner: LocalRunner) -> None:
    (shown,) = _blocks(f"{AUTHOR}/experiments.md", "yaml")
    path = tmp_path / "example.yaml"
    path.write_text(_blocks(f"{AUTHOR}/questions.md", "yaml")[0] + shown)
    read = bank_files.read([path])
    assert not read.findings
    report = verify(read, runner)
    assert [str(finding) for finding in report.findings] == []
    assert report.experiments == 1


def test_the_bank_for_authors_is_proven(tmp_path: Path, grader: Command) -> None:
    """Every file of it that is shown, under the name that stands in its first line."""
    shown = [*_blocks(f"{AUTHOR}/topics.md", "yaml"), *_blocks(f"{AUTHOR}/topics.md", "python")]
    files = {name[1]: block for block in shown if (name := re.match(r"# (\S+\.(?:yaml|py))\n", block))}
    assert len(files) == 5
    for name, block in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(block)
    done = grader("verify", "--bank", tmp_path)
    assert "2 items proven, 0 not, no findings" in done.stdout, done.stdout
    assert "tensors (not there yet)" in grader("topics", "--bank", tmp_path).stdout
    assert "Given: helpers.py" in grader("show", "mean-of-rows", "--bank", tmp_path).stdout


def test_the_lesson_for_authors_is_proven(runner: LocalRunner) -> None:
    page = (ROOT / AUTHOR / "lessons.md").read_text()
    text = re.findall(r"^````markdown\n(.*?)^````$", page, re.MULTILINE | re.DOTALL)[0]
    read, findings = lesson_files.parse(text, "page.md")
    assert not findings
    assert read
    assert Reading(read, runner).findings() == []
    assert len(read.steps) == 2


def test_every_finding_and_every_kind_is_listed() -> None:
    code = "\n".join(path.read_text() for path in sorted((ROOT / "grader").rglob("*.py")))
    codes = set(re.findall(r'(?:Finding|add|report|_refuse)\(\s*(?:source, )?"([a-z]+(?:-[a-z]+)+)"', code))
    codes |= {"not-run", "over-limit", "noise", "unproven"}
    rows = [line.split("|")[1] for line in (ROOT / AUTHOR / "findings.md").read_text().splitlines() if "|" in line]
    assert len(codes) > 20
    assert codes == set(re.findall(r"`([a-z-]+)`", "".join(rows)))
    assert set(kinds.names()) <= set(re.findall(r"`([a-z-]+)`", (ROOT / AUTHOR / "questions.md").read_text()))


def test_architecture_is_short_and_names_every_room_and_seam() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert len(text.encode()) <= 8192
    for path in sorted((ROOT / "grader").iterdir()):
        assert path.name.startswith("__") or path.name == "py.typed" or f"`{path.name}{'/' * path.is_dir()}`" in text, (
            path.name
        )
    for folder in ("kinds", "faces", "exchange/formats", "runner/runners", "runner/inside/observers"):
        assert f"`grader/{folder}/`" in text
    for path in re.findall(
        r"[ `(]((?:cli|content|exchange|faces|judging|kernels|kinds|learning|model|nbgrader|runner)/[a-z_/.]+)", text
    ):
        name = path.partition(".")[0].rstrip("/")
        assert (ROOT / "grader" / name).is_dir() or (ROOT / "grader" / f"{name}.py").is_file(), path


@pytest.mark.usefixtures("proven")
@pytest.mark.parametrize(
    "command",
    [
        "grade third-epoch-rate --answer 0.06",
        "quiz warmup --count 1",
        "topics",
        "progress",
        "verify quizzes/warmup.yaml",
    ],
)
def test_every_key_of_a_json_document_is_described(command: str, grader: Command) -> None:
    """Those that are printed here; the page may have more, which stand in some documents only."""
    name, *arguments = command.split()
    page = (ROOT / "docs/reference/json.md").read_text()
    table = page.partition(f"| key of `grader {name}` | is |")[2].partition("\n\n")[0]
    described = {key for row in table.splitlines()[2:] for key in re.findall(r"`([a-z_]+)`", row.split("|")[1])}
    printed = json.loads(grader(name, *arguments, "--json", stdin="A\n").stdout)
    assert set(printed) - {"format"} <= described


RUN_BLOCKS = ("python", "console", "bash", "yaml", "markdown", "csv")


def _unmarked(page: str) -> list[str]:
    """The blocks of code of a page of which nothing says whether they are run."""
    found, above, fence, marked, whole = [], "", "", False, False
    for number, line in enumerate((ROOT / page).read_text().splitlines(), 1):
        if fence:
            fence = "" if line.strip() == fence else fence
            continue
        if mark := re.fullmatch(r"<!-- (run by (\S+)|not run: (.+)) -->", line.strip()):
            assert mark[3] or Path(page).stem in (ROOT / mark[2]).read_text(), f"{page}:{number}"
            marked = True
            whole = whole or bool(mark[2] and (not above or above.startswith("# ")))
            continue
        if opened := re.match(r" *(`{3,})(\S*)", line):
            fence = opened[1]
            if opened[2] in RUN_BLOCKS and not (marked or whole):
                found.append(f"{page}:{number}")
            marked = False
        elif line.strip():
            above, marked = line, False
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_code_is_run_or_says_why_not(page: str) -> None:
    assert _unmarked(page) == []


def test_links_and_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for name in DOCUMENTS:
        text = re.sub(r"^```.*?^```$", "", (ROOT / name).read_text(), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (ROOT / name).parent.joinpath(target).exists(), (name, target)
        for target in re.findall(r"\bmake ([a-z]+)`", text):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), (name, target)


def test_the_bank_of_installing_is_the_package_that_is_tried() -> None:
    """In tests/e2e/test_two_banks.py."""
    source = ROOT / "tests/data/linear_bank"
    (settings,), (code,) = (_blocks("docs/installing.md", language) for language in ("toml", "python"))
    assert settings == "# pyproject.toml\n" + (source / "pyproject.toml").read_text()
    assert code == "# linear_bank/__init__.py\n" + (source / "linear_bank/__init__.py").read_text()


def test_each_extra_is_explained() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    told = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/installing.md").read_text(), re.MULTILINE)
    assert set(told) == set(extras) - {"dev", "foreign", "bench"}


def test_each_promise_of_security_names_a_test_that_shows_it() -> None:
    """In every table of SECURITY.md, in the last column of every row: tests that are there."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "SECURITY.md").read_text().splitlines()
        if line.startswith("|") and not line.startswith("|--")
    ]
    promises = [row for row in rows if row[-1] != "shown by"]
    assert len(promises) >= 20
    assert len(rows) > len(promises)
    for row in promises:
        named = re.findall(r"`([\w/.:]+)`", row[-1])
        assert named, row[0]
        for name in named:
            path, _, test = name.partition("::")
            (file,) = (ROOT / "tests").rglob(path)
            text = file.read_text()
            assert not test or f"def {test}(" in text, name
