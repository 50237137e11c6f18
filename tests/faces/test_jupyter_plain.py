"""Questions in a kernel and in a console without a widget: what is shown, what is judged, and what is left where it is."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from grader.errors import InputError
from grader.faces.jupyter import schedules, source_of
from tests.support.common import ROOT
from tests.support.patience import seconds

Run = Callable[..., list[Any]]


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, proven: None) -> Run:
    """Run cells in a real kernel, by an unchanged nbclient; the outputs of each."""
    for name, value in {**environment, "PYTHONPATH": str(ROOT), "GRADER_DB": str(tmp_path / "r.sqlite")}.items():
        monkeypatch.setenv(name, value)

    def cells(*sources: str) -> list[Any]:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        patient = {"timeout": seconds(), "startup_timeout": seconds()}
        client = NotebookClient(notebook, **patient, resources={"metadata": {"path": str(tmp_path)}})
        client.allow_errors = True
        done = client.execute()
        nbformat.write(done, tmp_path / "done.ipynb")
        return [cell.outputs for cell in done.cells]

    return cells


def text(outputs: Any) -> str:
    """Everything that a cell shows to somebody without a browser."""
    said = []
    for output in outputs:
        match output.output_type:
            case "stream":
                said.append(output.text)
            case "error":
                said.append("\n".join(output.traceback))
            case _:
                said.append(output.data.get("text/plain", ""))
    return "\n".join(said)


def test_questions_read_and_are_answered_without_javascript(run: Run, tmp_path: Path) -> None:
    shown, wrong, right, hint, solved = run(
        "from grader.jupyter import *\nquiz('third-epoch-rate')",
        "answer('third-epoch-rate', 0.08)",
        "answer('third-epoch-rate', 0.06)",
        "hint('write-the-factor')",
        "solution('write-the-factor')",
    )
    assert "  A  0.06" in text(shown)
    assert "Answer in a cell" in text(shown)
    page = next(output.data["text/html"] for output in shown if "text/html" in output.get("data", {}))
    assert "answer(&quot;third-epoch-rate&quot;" in page
    assert "Solution" not in text(shown) + page
    assert "Not right." in text(wrong)
    assert "Final answer" in text(wrong)
    assert "Right." in text(right)
    assert len(text(hint)) > 10
    assert "One way to write it" in text(solved)
    views = [o for o in shown if "application/vnd.jupyter.widget-view+json" in o.get("data", {})]
    assert len(views) == 1
    state = json.loads((tmp_path / "done.ipynb").read_text())["metadata"].get("widgets", {})
    kept = [
        value
        for model in state.get("application/vnd.jupyter.widget-state+json", {}).get("state", {}).values()
        for name, value in model["state"].items()
        if not name.startswith("_") and isinstance(value, str) and not value.startswith("IPY_MODEL_")
    ]
    assert all(len(value) <= 32 for value in kept), "a widget's state holds no more than the name of its sheet"


def test_a_function_of_the_notebook_is_judged_with_what_it_uses(run: Run) -> None:
    wrong, partly, right, again = run(
        "from grader.jupyter import check\ndef factor(epoch):\n    return epoch / 5\ncheck(factor, 'write-the-factor')",
        "length = 5\ndef factor(epoch):\n    return min((epoch + 1) / length, 1)\ncheck(factor, 'write-the-factor')",
        "import math\ncap = 1\ndef share(epoch):\n    return (epoch + 1) / warmup_epochs\n"
        "def factor(epoch):\n    return math.fsum([min(share(epoch), cap)])\ncheck(factor, 'write-the-factor')",
        "import torch\nw = torch.ones(1)\ndef factor(epoch):\n    return w\ncheck(factor, 'write-the-factor')",
    )
    assert "Not right." in text(wrong)
    assert "Partly right." in text(partly)
    assert text(right).startswith("Right."), text(right)
    assert "`factor` uses `w`, which is a Tensor" in text(again)
    assert "Traceback" not in text(again)


@pytest.mark.slow
def test_a_cell_is_the_answer(run: Run) -> None:
    _, wrong, right, used, unknown, unnamed = run(
        "import grader.jupyter",
        "%%exercise write-the-factor\ndef factor(epoch):\n    return 1",
        "%%exercise write-the-factor\ndef factor(epoch):\n    return min((epoch + 1) / warmup_epochs, 1)",
        "warmup_epochs = 4\nfactor(1)",
        "%%exercise write-the-fcator\nx = 1",
        "%%exercise\nx = 1",
    )
    assert "right" in text(wrong).lower()
    assert "Right." in text(right)
    assert text(used) == "0.5"
    assert "write-the-factor" in text(unknown)
    assert "Traceback" not in text(unknown)
    assert "needs the id of an item" in text(unnamed)


@pytest.mark.slow
def test_a_scheduler_is_drawn_beside_the_reference_and_left_alone(run: Run) -> None:
    _, drawn, alone, refused = run(
        "from grader.jupyter import compare\nimport torch\nfrom torch.optim.lr_scheduler import LambdaLR, StepLR\n"
        "optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)\n"
        "scheduler = LambdaLR(optimizer, lambda epoch: min((epoch + 1) / 5, 1))",
        "compare(scheduler, 'write-the-factor')",
        "print(scheduler.last_epoch, optimizer.param_groups[0]['lr'])",
        "compare(scheduler, 'third-epoch-rate')",
    )
    lines = dict(line.split(": ") for line in text(drawn).splitlines()[1:3])
    assert lines["yours"] == lines["should be"]
    assert text(alone).strip().startswith("0 0.02")
    assert "would be its answer" in text(refused)


@pytest.mark.slow
def test_an_interrupt_does_not_reach_the_service(run: Run) -> None:
    """The service lives on when the learner stops a cell; a reply that nobody waited for is passed over."""
    _, stopped, after = run(
        "from grader.jupyter import answer, quiz\nquiz('third-epoch-rate')\nimport os, signal, threading, time",
        "threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "for _ in range(200):\n    answer('third-epoch-rate', 0.08)",
        "answer('third-epoch-rate', 0.06)",
    )
    assert "KeyboardInterrupt" in text(stopped)
    assert "Right." in text(after)


def test_in_a_console_it_is_text_alone(tmp_path: Path, environment: dict[str, str], proven: None) -> None:
    code = "from grader.jupyter import *\nq = quiz('third-epoch-rate')\nprint(q)\nq.answer(0.06)\nimport sys\nprint('IPython' in sys.modules)"
    more = {**environment, "PYTHONPATH": str(ROOT), "GRADER_DB": str(tmp_path / "r.sqlite")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=more, cwd=tmp_path, check=True
    )
    assert "  A  0.06" in done.stdout
    assert "Right." in done.stdout
    assert done.stdout.endswith("False\n")


def test_a_file_beside_the_notebook_is_not_taken_for_a_module(
    tmp_path: Path, environment: dict[str, str], proven: None
) -> None:
    (tmp_path / "bank.py").write_text("raise SystemExit('taken')")
    (tmp_path / "torch.py").write_text("raise SystemExit('taken')")
    (tmp_path / "random.py").write_text("raise SystemExit('taken')")
    code = "from grader.jupyter import quiz\nprint(quiz('third-epoch-rate'))"
    more = {**environment, "PYTHONPATH": str(ROOT), "GRADER_DB": str(tmp_path / "r.sqlite"), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=more, cwd=tmp_path, check=True
    )
    assert "  A  0.06" in done.stdout


# ---------------------------------------------------------------- the source of what was defined

CAP = 1.0
TABLE = {"a": [1, 2.5, math.inf], "b": (True, None)}


def helper(value: float) -> float:
    return min(value, CAP)


def uses_all(value: float) -> float:
    def inner() -> float:
        return math.floor(value) + TABLE["a"][0]

    return helper(value) + inner()


def test_a_source_holds_all_that_it_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    for thing in (helper, uses_all):
        monkeypatch.setattr(thing, "__module__", "__main__")
    space: dict[str, Any] = {}
    exec(source_of.source_of(uses_all), space)
    assert space["uses_all"](0.5) == uses_all(0.5)
    assert space["TABLE"] == TABLE
    assert "CAP =" not in source_of.source_of(helper, ["CAP"])


@pytest.mark.parametrize(("thing", "said"), [(lambda x: x, "lambda"), (len, "builtin_function"), (3, "int")])
def test_what_has_no_source_is_said(thing: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        source_of.source_of(thing)


def test_rates_ahead_are_those_of_stepping_and_nothing_moves() -> None:
    import torch
    from torch.optim import lr_scheduler

    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    scheduler = lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    ahead = schedules.rates(scheduler, 12)
    stepped = []
    for _ in range(12):
        stepped.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert ahead == stepped
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer)
    with pytest.raises(InputError, match="told a loss"):
        schedules.rates(plateau, 3)
    once = lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=4)
    assert len(schedules.rates(once, 4)) == 4
    with pytest.raises(InputError, match="steps"):
        schedules.rates(once, 9)
    for wrong in (0, 10**9, 1.5, True):
        with pytest.raises(InputError):
            schedules.rates(scheduler, wrong)  # type: ignore[arg-type]
