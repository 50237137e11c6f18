"""Every runner that is installed keeps what `Runner` promises, and is what it says of itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from grader.errors import InputError
from grader.model import Limits, Program, Status
from grader.runner import CAN, Runner, runners
from grader.runner.inside import observers
from tests.support.patience import seconds

NAMES = [name for name in runners.names() if name != "dask"]
"""A cluster is somebody's: tests/runner/test_cluster.py makes one."""


@pytest.fixture(scope="module", params=NAMES)
def at(request: pytest.FixtureRequest) -> Iterator[Runner]:
    with contextlib.closing(runners.make(request.param)) as made:
        yield made


@pytest.mark.parametrize("name", runners.names())
def test_a_runner_has_a_title(name: str) -> None:
    assert runners.named(name).TITLE


def test_a_runner_is_chosen_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no runner `nowhere`"):
        runners.make("nowhere://x")
    monkeypatch.setenv("GRADER_RUNNER", "local://x")
    with pytest.raises(InputError, match="takes no address"):
        runners.make()


def test_it_runs_a_program_and_says_what_was_seen(at: Runner) -> None:
    source = "import torch, warnings\nx = torch.ones(2).sum().item()\nprint(x)\nwarnings.warn('careful')\n1 / 0\n"
    seen = at.submit(Program(source, ("x", "nothing"), 0), "learner").result()
    assert seen.status is Status.ERROR
    assert seen.stdout == "2.0\n"
    assert [(one.category, one.message, one.line) for one in seen.warnings] == [("UserWarning", "careful", 4)]
    assert seen.error
    assert (seen.error.type, seen.error.line) == ("ZeroDivisionError", 5)
    assert seen.asked[0].value == 2.0
    assert "NameError" in str(seen.asked[1].error)


def test_seeds_cases_cells_modules_and_observers_are_what_a_program_says(at: Runner) -> None:
    draw = Program("import torch\nx = torch.rand(1).item()", ("x",), 3)
    cases = Program("import helpers\ny = helpers.double(x)", ("y",), 0, cases=("x = 1\n", "x = 2\n"),
                    modules=(("helpers", "def double(x):\n    return 2 * x\n"),))  # fmt: skip
    cells = Program("", cells=(("a = 1\na", False), ("a + 1", False)))
    watched = Program("import torch\ntorch.nn.Linear(1, 1)(torch.ones(1))", ("len(run.calls)",), 0, watch=("calls",))
    first, again, found, told, calls = (run.result() for run in at.submit_all([draw, draw, cases, cells, watched]))
    assert first.asked[0].value == again.asked[0].value
    assert [case.asked[0].value for case in found.cases] == [2, 4]
    assert [cell.stdout for cell in told.cases] == ["1\n", "2\n"]
    assert calls.asked[0].value == 1
    assert calls.watched[0][1] == (
        observers.named("calls").record(
            path="Linear", kind="Linear", inputs=((1,),), outputs=((1,),), training=True, grad=True
        ),
    )
    replayed = at.submit(Program("", ("run.stdout", "len(run.calls)"), 0, replay=calls)).result()
    assert [one.value for one in replayed.asked] == ["", 1]


@pytest.mark.waits
def test_its_limits_hold(at: Runner) -> None:
    small = Limits(
        cpu_seconds=2, waiting_seconds=2.0, wall_seconds=seconds(20), memory_bytes=256 << 20, output_bytes=1000
    )
    ends = {
        "while True: pass": {Status.TIMEOUT},
        "import time\ntime.sleep(1e9)": {Status.TIMEOUT},
        "x = bytearray(1 << 40)": {Status.MEMORY},
        "print('x' * 100000)": {Status.OUTPUT},
        "import os\nos._exit(3)": {Status.KILLED},
    }
    runs = [at.submit(Program(source, limits=small)) for source in ends]
    for run, source, wanted in zip(runs, ends, ends.values(), strict=True):
        seen = run.result(seconds(600))
        assert seen.status in wanted, (source, seen)
        assert seen.note or seen.error, source


def test_what_it_says_of_itself_is_true(at: Runner) -> None:
    """A runner that contains programs keeps files and the network from them; what programs can do, they can."""
    assert at.can <= CAN
    tries = {
        "processes": "import subprocess\nsubprocess.run(['true'], check=True)",
        "loopback": "import socket\nwith socket.create_server(('127.0.0.1', 0)): pass",
    }
    for what, source in tries.items():
        seen = at.submit(Program(source)).result()
        if what in at.can:
            assert seen.status is Status.OK, (what, seen.error)
        elif at.contained():
            assert seen.status is Status.ERROR, what
    home = at.submit(Program("import os\nnames = os.listdir('/etc')", ("len(names)",))).result()
    assert (home.status is Status.ERROR) == at.contained()


@pytest.mark.waits
@pytest.mark.parametrize("name", NAMES)
def test_a_runner_that_is_closed_says_so_of_what_had_not_ended(name: str) -> None:
    made = runners.make(name)
    made.start()
    waiting = [made.submit(Program("import time\ntime.sleep(1e9)"), f"learner {place}") for place in range(20)]
    assert made.before("nobody") == 0
    made.close()
    made.close()
    for run in [*waiting, made.submit(Program("pass"))]:
        assert run.result(seconds(600)).status is Status.NOT_RUN
