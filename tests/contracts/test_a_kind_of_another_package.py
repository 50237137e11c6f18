"""A kind of another package, in one file: it is asked and judged in every face, with no line written for it there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.faces.jupyter import page as pages
from grader.faces.jupyter import static
from tests.support.browser import browser
from tests.support.common import PATHS, ROOT
from tests.support.packages import installed
from tests.support.patience import COMMAND, milliseconds, seconds

RIGHT, PARTLY = "B; A; C", "A; B; C"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bank whose last question is of that kind, as `grader new` starts it."""
    return tmp_path_factory.mktemp("rank")


@pytest.fixture(scope="module")
def variables(home: Path, environment: dict[str, str]) -> dict[str, str]:
    """An environment in which the package is installed."""
    place = installed(ROOT / "tests/data/rank_kind", home)
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"  # nbgrader calls alembic by its name
    return {
        **environment, "PATH": path, "PYTHONPATH": f"{place}:{PATHS}", "GRADER_CACHE": str(home / "cache"), "GRADER_DB": str(home / "records.sqlite"),
        "GRADER_BANK": str(home / "bank"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def run(home: Path, variables: dict[str, str]) -> Run:
    (home / "bank").mkdir()

    def run(
        *command: str, stdin: str = "", cwd: Path | None = None, bank: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        more = {"GRADER_BANK": str(bank)} if bank else {}
        return subprocess.run(
            [sys.executable, "-m", *command], input=stdin, capture_output=True, text=True, check=False, cwd=cwd or home / "bank",
            env=variables | more, timeout=seconds(COMMAND),
        )  # fmt: skip

    del variables["GRADER_BANK"]
    assert run("grader", "new", "bank", "week-1").returncode == 0
    done = run("grader", "new", "item", "week-1", "rank-them", "--kind", "rank")
    assert done.returncode == 0, done.stderr
    variables["GRADER_BANK"] = str(home / "bank")
    return run


def test_it_is_started_by_grader_new_and_proven(run: Run) -> None:
    done = run("grader", "verify")
    assert "3 items proven, 0 not" in done.stdout, done.stdout + done.stderr


def test_it_keeps_the_promises_of_kinds(run: Run) -> None:
    done = run("tests.contracts.kind", "rank")
    assert done.stdout == "1 of rank: held\n", done.stderr


def test_it_is_asked_and_judged_in_a_terminal(run: Run) -> None:
    for raw, outcome in (
        (RIGHT, "correct"),
        (PARTLY, "partly"),
        ('["B", "A", "C"]', "correct"),
        ("2, 1, 3", "correct"),
        ("A; Z; B", "unreadable"),
    ):
        done = run("grader", "grade", "rank-them", "--answer", raw, "--json")
        assert json.loads(done.stdout)["outcome"] == outcome, raw
    shown = run("grader", "quiz", "week-1", "--mode", "test", "--plain", stdin=f"s\ns\n{RIGHT}\n").stdout
    asked = shown[shown.index("compare rates") :]
    assert re.search(r"  A  1\n  B  2\n  C  3\n\nOne letter for each:\n  epoch 1\n  epoch 2\n  epoch 3\n", asked)
    assert "Answer: 3 letters with `;` between" in asked
    assert re.search(r"Final answer\n +epoch 1 +2\n +epoch 2 +1\n +epoch 3 +3\n", asked)


@pytest.mark.parametrize(("line", "said"), [
    ("thinggs: x", "bad-field: there is no field `thinggs` here"),
    ("aside: x", "unproven: the kind `rank` takes the field `aside` and does not read it"),
])  # fmt: skip
def test_a_field_that_nobody_knows_or_reads_is_a_finding(
    run: Run, home: Path, tmp_path: Path, line: str, said: str
) -> None:
    text = (home / "bank/quizzes/week-1.yaml").read_text()
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/week-1.yaml").write_text(text.replace("  things:", f"  {line}\n  things:"))
    done = run("grader", "verify", bank=tmp_path)
    assert said in done.stdout
    assert done.returncode != 0


class Asking:
    """The service, in a process of its own."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "grader.faces.service"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=variables,
            cwd=ROOT,
        )

    def ask(self, **request: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture
def asking(variables: dict[str, str], run: Run) -> Iterator[Asking]:
    made = Asking(variables)
    yield made
    made.process.communicate()


def test_it_is_drawn_without_javascript(asking: Asking) -> None:
    sheet = asking.ask(do="open", name="rank-them")["ok"]["sheet"]
    page = static.page(sheet, [asking.ask(do="show", sheet=sheet, place=0)["ok"]], "")
    assert "<p>epoch 2</p><p><strong>A</strong> 1</p>" in page
    assert "answer(&quot;rank-them&quot;, [&quot;A&quot;, ...])" in page
    told = asking.ask(do="answer", sheet=sheet, place=0, raw=PARTLY)["ok"]["told"]
    assert told["outcome"] == "partly"


PAGE = """async ([source, sheet]) => {
  document.body.innerHTML = '<main id="here"></main>';
  let hear;
  const model = {
    get: () => sheet, on: (name, callback) => { if (name === "msg:custom") hear = callback; }, off: () => {},
    send: async (message) => { hear({ to: message.to, ...JSON.parse(await ask(JSON.stringify(message.request))) }); },
  };
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  await module.default.render({ model, el: document.getElementById("here") });
}"""


@pytest.mark.slow
@pytest.mark.waits
def test_it_is_asked_and_judged_in_the_widget(variables: dict[str, str], run: Run) -> None:
    asking = Asking(variables | {"GRADER_LEARNER": "who has not seen it"})
    sheet = asking.ask(do="open", name="rank-them")["ok"]["sheet"]
    with browser() as chromium:
        tab = chromium.new_page()
        tab.set_default_timeout(milliseconds())
        tab.expose_function("ask", lambda request: json.dumps(asking.ask(**json.loads(request))))
        tab.evaluate(PAGE, [pages.bundle(), sheet])
        for thing, letter in (("epoch 1", "A"), ("epoch 2", "B"), ("epoch 3", "C")):
            tab.get_by_role("group", name=thing, exact=True).get_by_role("radio").nth("ABC".index(letter)).check()
        tab.get_by_role("button", name="Check").click()
        tab.get_by_text("Look at epoch 1 again.").wait_for()
        for thing, letter in (("epoch 1", "B"), ("epoch 2", "A")):
            tab.get_by_role("group", name=thing, exact=True).get_by_role("radio").nth("ABC".index(letter)).check()
        tab.get_by_role("button", name="Check again").click()
        tab.locator("[data-outcome=correct]").wait_for()
        assert "Final answer" in tab.locator(".tg-why").text_content()
    asking.process.communicate()


@pytest.mark.waits
@pytest.mark.slow
def test_it_is_graded_in_an_assignment(run: Run, home: Path) -> None:
    course = home / "course"
    course.mkdir()
    (course / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "c"\nfrom grader.course import configure\nconfigure(c)\n'
    )
    made = run("grader", "notebook", "week-1", "--assignment", "--items", "rank-them", "-o", "source/ps1", cwd=course)
    assert made.returncode == 0, made.stderr
    released = run("nbgrader", "generate_assignment", "ps1", cwd=course)
    assert released.returncode == 0, released.stderr
    for student, answer in (("ann", '["B", "A", "C"]'), ("bob", '["A", "B", "C"]')):
        text = (course / "release/ps1/ps1.ipynb").read_text()
        folder = shutil.copytree(course / "release/ps1", course / f"submitted/{student}/ps1")
        written = text.replace('[\\"\\", \\"\\", \\"\\"]', answer.replace('"', '\\"'))
        assert written != text
        (folder / "ps1.ipynb").write_text(written)
    done = run("grader", "autograde", "ps1", "--json", cwd=course)
    graded = json.loads(done.stdout)["graded"]
    scores = [graded[student]["score"] for student in ("ann", "bob")]
    assert scores == [1.0, pytest.approx(1 / 3, abs=0.01)], graded
