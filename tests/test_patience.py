"""Waiting that no load can make too short, and the run of the tests beside busy processes."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import patience
from tests.support.common import ROOT, WAITS
from tests.support.kernels import alive
from tests.support.patience import until

LITERAL = {
    "classes.py", "make_0001.py", "test_batch.py", "test_generated_class.py", "test_confined_manager.py", "test_hostile.py", "test_local.py", "test_batches.py",
}  # fmt: skip
"""Files in which a bound may be a plain number: so short that something is to be stopped by it, or not looked through yet."""

ENDLESS = """
import pathlib, time, pytest
@pytest.mark.waits
def test_it():
    pathlib.Path(__file__).with_name("begun").touch()
    {}
def test_another():
    raise AssertionError("is not one of those that wait")
"""


def test_a_bound_grows_with_the_work_that_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    cores = patience.available_cores()
    assert patience.slowness() >= 1
    monkeypatch.setattr(patience, "_wanting", lambda: 50 * cores)
    assert patience.seconds(2) >= 100
    assert patience.milliseconds(2) >= 100_000
    monkeypatch.setattr(patience, "_wanting", lambda: 0)
    monkeypatch.setattr(patience, "REFERENCE", 1e-9)
    assert patience.seconds(2) > 1000


def test_waiting_returns_what_is_found_and_ends_what_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([None, "", "it"])
    assert until(lambda: next(found)) == "it"
    with pytest.raises(AssertionError, match="nothing came"):
        until(lambda: False, lambda: "nothing came", quiet=0.05)
    clock = iter(range(1000))  # a second a look
    monkeypatch.setattr(patience.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(patience.time, "sleep", lambda _: None)
    looks = {}
    for slow in (1.0, 4.0):
        monkeypatch.setattr(patience, "slowness", lambda slow=slow: slow)
        seen: list[int] = []
        with pytest.raises(AssertionError, match="did not happen"):
            until(lambda seen=seen: seen.append(1), quiet=10)
        looks[slow] = len(seen)
    assert looks == {1.0: 11, 4.0: 41}


NOT_OURS = ("hostile", "hostile_cells", "bench", "stubs")
"""Folders with files that are attacks, measurements, or stand-ins for other packages."""


def test_every_test_has_a_bound_that_only_ends_hangs(request: pytest.FixtureRequest) -> None:
    bound = request.node.get_closest_marker("timeout").args[0]
    assert bound >= 1200 or request.config.getoption("timeout")


def test_no_bound_is_a_plain_number() -> None:
    ours = [path for path in (ROOT / "tests").rglob("*.py") if path.parent.name not in NOT_OURS]
    for path in sorted(path for path in ours if path.name not in LITERAL):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            given = [word.value for word in node.keywords if word.arg == "timeout"]
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("set_default_timeout", "timeout"):
                given += node.args
            for value in given:
                assert not isinstance(value, ast.Constant) or value.value is None, (
                    f"{path.name}:{value.lineno}: use `seconds()` of patience.py"
                )
    assert {*LITERAL, *WAITS} <= {path.name for path in ours}


@pytest.mark.slow
@pytest.mark.waits
@pytest.mark.skipif(sys.platform != "linux", reason="processes are found through /proc, as Linux has it")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_the_busy_processes_end_however_the_run_does(number: signal.Signals, tmp_path: Path) -> None:
    running = _under_load(tmp_path, "while True: time.sleep(0.01)")
    children: list[int] = []
    try:
        until((tmp_path / "begun").exists, "the test does not begin")
        children = [int(pid) for pid in Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()]
        assert len(children) == 3
        running.send_signal(number)
        if number != signal.SIGTERM:  # a terminal would interrupt it, and who kills the run must see to the tests
            os.kill(children[-1], number)
        out, _ = running.communicate(timeout=patience.seconds())
        assert running.returncode != 0, out
        until(lambda: not any(map(alive, children)), "busy processes stay")
    finally:
        for pid in filter(alive, [running.pid, *children]):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.waits
def test_what_the_run_under_load_finds_is_what_it_says(tmp_path: Path) -> None:
    for line, code in (("pass", 0), ("raise ValueError", 1)):
        done = _under_load(tmp_path, line)
        out, _ = done.communicate(timeout=patience.seconds())
        assert done.returncode == code, out
        assert "1 deselected" in out
        assert "beside 2 busy processes" in out


def _under_load(folder: Path, line: str) -> subprocess.Popen[str]:
    (folder / "test_x.py").write_text(ENDLESS.format(line))
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = waits\n")
    command = [sys.executable, ROOT / "tests/support/under_load.py", "--busy", "2", "-p", "no:cacheprovider", folder]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)
