"""The runner, through its protocol: what it observes, and how it and its programs die."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader.model import Limits, Observation, Program, Status, values
from grader.runner.local import NOT_STARTED, LocalRunner
from tests.support.common import ROOT, STEP_FIRST
from tests.support.patience import seconds
from tests.support.running import run_all

TIGHT = Limits(cpu_seconds=1, waiting_seconds=2.0, memory_bytes=128 << 20, output_bytes=1 << 16)

SETUP = """\
import torch
from torch.optim.lr_scheduler import *
weight = torch.nn.Parameter(torch.zeros(2))
optimizer = torch.optim.SGD([weight], lr=0.1)
"""
TRAIN = "for _ in range({n}):\n    optimizer.step()\n    scheduler.step()\n"


def see(runner: LocalRunner, source: str, *asks: str, limits: Limits | None = None, seed: int = 0) -> Observation:
    return runner.submit(Program(source, asks, seed, limits or Limits())).result()


def rounded(values: tuple[float, ...]) -> list[float]:
    return [round(value, 6) for value in values]


# ---------------------------------------------------------------- what is observed


def test_the_published_loop_prints_the_rate_of_the_next_epoch(runner: LocalRunner) -> None:
    seen = see(runner, STEP_FIRST)
    assert seen.status is Status.OK
    assert rounded(seen.lr_after_step) == [0.04, 0.06, 0.08, 0.1, 0.1]
    assert seen.lr_used == ()
    assert seen.lr_at_start == pytest.approx(0.02)
    assert seen.stdout.splitlines()[2] == "Epoch 3: 0.08"
    assert [(warning.category, warning.line) for warning in seen.warnings] == [("UserWarning", 7)]
    assert "`lr_scheduler.step()` before `optimizer.step()`" in seen.warnings[0].message


def test_every_parameter_group_is_observed(runner: LocalRunner) -> None:
    source = SETUP.replace("[weight], lr=0.1", "[{'params': [weight]}, {'params': [bias], 'lr': 1.0}], lr=0.1")
    source = source.replace("optimizer =", "bias = torch.nn.Parameter(torch.zeros(1))\noptimizer =")
    seen = see(runner, source + "scheduler = ExponentialLR(optimizer, 0.5)\n" + TRAIN.format(n=2))
    assert seen.lr_used_by_group == ((0.1, 1.0), (0.05, 0.5))
    assert seen.lr_after_step_by_group == ((0.05, 0.5), (0.025, 0.25))
    assert seen.lr_used == (0.1, 0.05)


def test_only_steps_of_the_program_itself_count(runner: LocalRunner) -> None:
    """Not the step inside construction, nor those that a compound scheduler makes on its parts."""
    source = SETUP + (
        "parts = [LinearLR(optimizer, 0.5, total_iters=2), ExponentialLR(optimizer, 0.9)]\n"
        "scheduler = SequentialLR(optimizer, parts, milestones=[2])\n"
    )
    seen = see(runner, source + TRAIN.format(n=4))
    assert len(seen.lr_after_step) == 4
    assert rounded(seen.lr_used) == [0.05, 0.075, 0.1, 0.09]
    assert seen.lr_at_start == pytest.approx(0.05)
    chained = SETUP + "scheduler = ChainedScheduler([StepLR(optimizer, 1, 0.5), ExponentialLR(optimizer, 0.5)])\n"
    assert rounded(see(runner, chained + TRAIN.format(n=2)).lr_after_step) == [0.025, 0.00625]


def test_schedulers_of_the_program_s_own_are_observed(runner: LocalRunner) -> None:
    source = SETUP + textwrap.dedent("""\
        class Halving(LRScheduler):
            def get_lr(self):
                return [base * 0.5 ** self.last_epoch for base in self.base_lrs]
            def step(self, epoch=None):
                super().step()
        scheduler = Halving(optimizer)
    """)
    assert see(runner, source + TRAIN.format(n=3)).lr_after_step == (0.05, 0.025, 0.0125)


@pytest.mark.parametrize(
    "build",
    [
        "LambdaLR(optimizer, lambda e: 0.9 ** e)",
        "MultiplicativeLR(optimizer, lambda e: 0.9)",
        "StepLR(optimizer, 2)",
        "MultiStepLR(optimizer, [1, 3])",
        "ConstantLR(optimizer)",
        "LinearLR(optimizer)",
        "ExponentialLR(optimizer, 0.9)",
        "PolynomialLR(optimizer)",
        "CosineAnnealingLR(optimizer, 4)",
        "CosineAnnealingWarmRestarts(optimizer, 2)",
        "CyclicLR(optimizer, 0.01, 0.1, step_size_up=2)",
        "OneCycleLR(optimizer, 0.1, total_steps=9)",
    ],
)
def test_observing_changes_nothing(runner: LocalRunner, build: str) -> None:
    """A scheduler's rates are those that the optimizer itself reports, for each of torch's schedulers."""
    source = (
        SETUP + f"scheduler = {build}\nown_used, own_after = [], []\nrate = lambda: optimizer.param_groups[0]['lr']\n"
    )
    source += (
        "start = rate()\nfor _ in range(6):\n    own_used.append(rate())\n    optimizer.step()\n    scheduler.step()\n"
    )
    seen = see(runner, source + "    own_after.append(rate())\n", "own_used", "own_after", "start")
    assert seen.status is Status.OK, seen.error
    assert list(seen.lr_used) == seen.asked[0].value
    assert list(seen.lr_after_step) == seen.asked[1].value
    assert seen.lr_at_start == seen.asked[2].value


def test_plateau_is_observed(runner: LocalRunner) -> None:
    source = SETUP + "scheduler = ReduceLROnPlateau(optimizer, patience=0)\nfor loss in (1.0, 2.0, 3.0):\n"
    seen = see(runner, source + "    optimizer.step()\n    scheduler.step(loss)\n")
    assert rounded(seen.lr_after_step) == [0.1, 0.01, 0.001]


WARNING_PROGRAMS = {
    "step order": STEP_FIRST,
    "epoch argument": SETUP + "scheduler = StepLR(optimizer, 1)\noptimizer.step()\nscheduler.step(2)\nscheduler.step(3)\n",
    "get_lr outside": SETUP + "scheduler = StepLR(optimizer, 1)\nscheduler.get_lr()\n",
    "plateau with epoch": SETUP + "scheduler = ReduceLROnPlateau(optimizer)\nscheduler.step(1.0, 3)\n",
    "own warnings in a loop": "import warnings\nfor n in range(3):\n    warnings.warn('same place')\n    warnings.warn(f'n {n}')\n",
    "deprecation": "import warnings\nwarnings.warn('old', DeprecationWarning)\ndef f():\n    warnings.warn('up', stacklevel=2)\nf()\n",
    "overridden step": STEP_FIRST.replace("for epoch", "optimizer.step = lambda: None\nfor epoch"),
}  # fmt: skip


PLAIN = """\
import os, runpy, sys
import torch
torch.optim.SGD([torch.zeros(1)], lr=0.1)
for path in sys.argv[1:]:
    if not os.fork():
        for stream in (1, 2):
            os.dup2(os.open(f"{path}.{stream}", os.O_WRONLY | os.O_CREAT), stream)
        runpy.run_path(path, run_name="__main__")
        sys.exit()
    os.wait()
"""
"""Plain Python, which has imported torch once and runs each of the files in a fork of its own."""


@pytest.fixture(scope="module")
def plainly(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of the programs, each beside what it printed without us."""
    folder = tmp_path_factory.mktemp("plain")
    files = {name: folder / f"{name.replace(' ', '-')}.py" for name in WARNING_PROGRAMS}
    for name, path in files.items():
        path.write_text(WARNING_PROGRAMS[name])
    subprocess.run([sys.executable, "-c", PLAIN, *map(str, files.values())], check=True, timeout=seconds(100))
    return files


@pytest.mark.slow
@pytest.mark.parametrize("name", WARNING_PROGRAMS)
def test_warnings_are_those_of_plain_python(name: str, runner: LocalRunner, plainly: dict[str, Path]) -> None:
    """The same warnings, as often, with the same text and at the same line as without us."""
    program = plainly[name]
    stdout, stderr = (Path(f"{program}.{stream}").read_text() for stream in (1, 2))
    shown = re.findall(r"^(/\S+):(\d+): (\w+Warning): (.*)$", stderr, re.MULTILINE)
    plain = [(int(line) if path == str(program) else None, kind, text) for path, line, kind, text in shown]
    seen = see(runner, WARNING_PROGRAMS[name])
    assert [(w.line, w.category, w.message.splitlines()[0]) for w in seen.warnings] == plain
    assert plain
    assert seen.stdout == stdout


def test_an_error_has_the_program_s_own_line(runner: LocalRunner) -> None:
    seen = see(runner, SETUP + "\ndef train():\n    optimizer.step(closure=3)\n\ntrain()\n")
    assert seen.status is Status.ERROR
    assert seen.error is not None
    assert (seen.error.type, seen.error.line, seen.error.code) == ("TypeError", 7, "optimizer.step(closure=3)")
    syntax = see(runner, "x = 1\ny = (\n").error
    assert syntax is not None
    assert (syntax.type, syntax.line, syntax.code) == ("SyntaxError", 2, "y = (")


def test_values_are_evaluated_in_the_program_s_names(runner: LocalRunner) -> None:
    asks = (
        "x + k",
        "torch.arange(3)",
        "run.lines",
        "nothing",
        "approx(0.1 + 0.2, 0.3)",
        "[x for _ in range(2)]",
        "1 +\n1",
    )
    seen = see(runner, "import torch\nx = 1\nk = 2\nprint('a')\nprint('b')\n", *asks)
    found = [asked.error or values.simple(asked.value) for asked in seen.asked]
    assert found == [3, [0, 1, 2], ["a", "b"], "NameError: name 'nothing' is not defined", True, [1, 1], 2]


def test_losses_time_and_memory_are_measured(runner: LocalRunner) -> None:
    source = "import time\nlosses = [3.0, 2.0]\ndata = bytearray(64 << 20)\ndata[::4096] = b'x' * len(data[::4096])\ntime.sleep(0.2)\n"
    seen = see(runner, source)
    assert seen.losses == (3.0, 2.0)
    assert 0.2 <= seen.seconds < 2
    assert 60 << 20 < seen.peak_bytes < 160 << 20


def test_a_program_is_a_main_module(runner: LocalRunner) -> None:
    source = textwrap.dedent("""\
        import pickle, sys, inspect
        class Thing: pass
        def f(): return 1
        copied = pickle.loads(pickle.dumps(Thing()))
        assert __name__ == "__main__" and sys.modules["__main__"].f is f
        print(inspect.getsource(f).strip())
        sys.exit()
    """)
    seen = see(runner, source)
    assert (seen.status, seen.stdout) == (Status.OK, "def f(): return 1\n")
    assert see(runner, "raise SystemExit(3)").status is Status.ERROR


def test_a_seed_repeats_and_no_seed_does_not(runner: LocalRunner) -> None:
    source = "import torch, random\nprint(torch.rand(1).item(), random.random())"
    assert see(runner, source, seed=1).stdout == see(runner, source, seed=1).stdout
    assert see(runner, source, seed=1).stdout != see(runner, source, seed=2).stdout
    unseeded = {runner.submit(Program(source)).result().stdout for _ in range(3)}
    assert len(unseeded) == 3


def test_programs_do_not_see_each_other(runner: LocalRunner) -> None:
    marks = "import torch, builtins, os\nprint(hasattr(torch, 'mark'), hasattr(builtins, 'mark'), os.listdir())\n"
    spoil = (
        marks + "torch.mark = builtins.mark = 1\nopen('mark', 'w').close()\ntorch.set_default_dtype(torch.float64)\n"
    )
    assert {see(runner, spoil).stdout for _ in range(3)} == {"False False []\n"}


def test_a_program_may_train_on_more_threads(runner: LocalRunner) -> None:
    source = "import torch\ntorch.set_num_threads(2)\nx = torch.randn(600, 600)\ny = (x @ x).exp().sum()\nprint(torch.get_num_threads())"
    assert see(runner, source).stdout == "2\n"


# ---------------------------------------------------------------- how programs die

DEATHS = {
    "an endless loop": ("while True: pass", Status.TIMEOUT),
    "a loop that catches everything": (
        "import signal\nfor s in range(1, 64):\n    try: signal.signal(s, signal.SIG_IGN)\n    except Exception: pass\n"
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        Status.TIMEOUT,
    ),
    "sleep": ("import time\ntime.sleep(60)", Status.TIMEOUT),
    "os._exit": ("import os\nos._exit(0)", Status.KILLED),
    "100 GB of bytes": ("data = bytearray(100 * 10**9)", Status.MEMORY),
    "100 GB of torch": ("import torch\ntorch.empty(10**11, dtype=torch.uint8)", Status.MEMORY),
    "memory in small pieces": ("data = []\nwhile True: data.append(bytearray(1 << 20))", Status.MEMORY),
    "1 GB of output": ("for _ in range(1 << 20): print('x' * 1023)", Status.OUTPUT),
    "1 GB past Python": ("import os\nfor _ in range(1 << 14): os.write(2, b'x' * 65536)", Status.OUTPUT),
    "a crash in native code": ("import ctypes\nctypes.string_at(0)", Status.KILLED),
    "an abort": ("import os\nos.abort()", Status.KILLED),
    "deep recursion": ("def f(): return f()\nf()", Status.ERROR),
    "an exception that cannot be shown": (
        "class Bad(Exception):\n    def __str__(self): raise ValueError\nraise Bad",
        Status.ERROR,
    ),
    "a huge exception": ("raise ValueError('x' * 10**8)", Status.ERROR),
    "a huge value": ("x = list(range(10**6))", Status.OK),
    "closed descriptors": ("import os\nos.closerange(0, 100)", Status.KILLED),
    "a forged frame": ("import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'\\0\\0\\0\\2{}')\n    except OSError: pass", Status.KILLED),
}  # fmt: skip


@pytest.fixture
def own_runner() -> Iterator[LocalRunner]:
    with LocalRunner() as runner:
        yield runner


def test_each_death_has_its_status_and_the_next_program_runs(own_runner: LocalRunner) -> None:
    """All in flight together, each followed by a program that must run as usual."""
    assert see(own_runner, "pass").status is Status.OK  # its start is not what is timed
    futures = {}
    for name, (source, status) in DEATHS.items():
        dying = own_runner.submit(Program(source, ("x",) if "value" in name else (), limits=TIGHT))
        futures[name] = (dying, own_runner.submit(Program(f"print({name!r})")), status)
    for name, (dying, following, status) in futures.items():
        seen = dying.result()
        assert seen.status is status, (name, seen)
        assert seen.status is Status.OK or seen.note or seen.error, name
        assert len(seen.stdout) + len(seen.stderr) <= TIGHT.output_bytes
        assert following.result().stdout == f"{name}\n", following.result()


def test_partial_output_of_a_stopped_program_is_kept(runner: LocalRunner) -> None:
    seen = see(runner, "print('before', flush=True)\nwhile True: pass", limits=TIGHT)
    assert (seen.status, seen.stdout) == (Status.TIMEOUT, "before\n")


def test_many_threads_may_submit_at_once(runner: LocalRunner) -> None:
    def square(number: int) -> object:
        return see(runner, f"x = {number} ** 2", "x").asked[0].value

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(square, range(60))) == [number**2 for number in range(60)]


def test_results_come_in_the_order_of_the_programs(runner: LocalRunner) -> None:
    programs = [Program(f"import time\ntime.sleep({0.2 if n % 3 == 0 else 0})\nprint({n})") for n in range(12)]
    assert [seen.stdout for seen in run_all(runner, programs)] == [f"{n}\n" for n in range(12)]


@pytest.mark.slow
def test_a_program_that_ends_its_worker_is_not_run_for_ever() -> None:
    """Possible without a sandbox alone: it is tried twice, alone the second time, and the others run as usual."""
    with LocalRunner(sandbox=False) as runner:
        killer = runner.submit(Program("import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(9)"))
        others = [runner.submit(Program(f"print({number})")) for number in range(4)]
        assert [other.result().stdout for other in others] == [f"{number}\n" for number in range(4)]
        assert killer.result().status is Status.NOT_RUN
        assert killer.result().note == "the worker died, twice"


def test_a_killed_worker_costs_one_more_run(own_runner: LocalRunner) -> None:
    slow = own_runner.submit(Program("import time\ntime.sleep(1.5)\nprint('done')"))
    while not own_runner.worker_pid:
        time.sleep(0.01)
    see(own_runner, "pass")
    os.kill(own_runner.worker_pid, signal.SIGKILL)
    seen = slow.result()
    assert (seen.status, seen.stdout) == (Status.OK, "done\n")
    assert "run twice" in seen.note


# ---------------------------------------------------------------- nothing is left behind


def _descendants(pid: int) -> set[int]:
    """Processes below `pid`, by their parents in /proc."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def _alive(pids: set[int]) -> set[int]:
    def running(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    return {pid for pid in pids if running(pid)}


def _wait_until_gone(pids: set[int], seconds: float) -> set[int]:
    end = time.monotonic() + seconds
    while (left := _alive(pids)) and time.monotonic() < end:
        time.sleep(0.05)
    return left


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


@linux
@pytest.mark.parametrize("sandbox", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_closing_leaves_no_process_descriptor_or_folder(
    sandbox: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with LocalRunner() as warm:
        see(warm, "pass")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  (counts, and opens nothing of its own)
    others = _descendants(os.getpid())
    with LocalRunner(sandbox=sandbox) as runner:
        see(runner, "import subprocess\nsubprocess.Popen(['sleep', '300'])")
        busy = [runner.submit(Program("while True: pass")) for _ in range(3)]
        time.sleep(0.3)
        below = _descendants(os.getpid()) - others
        assert runner.worker_pid in below
        assert sandbox or list(tmp_path.glob("grader-*"))
        assert len(below) >= 4
    assert {future.result().status for future in busy} == {Status.NOT_RUN}
    assert not _wait_until_gone(below, 5)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
    assert not list(tmp_path.iterdir())


@linux
@pytest.mark.parametrize("moment", [0.2, 3.5])
def test_a_killed_parent_leaves_no_process(moment: float, tmp_path: Path) -> None:
    """At once, while the worker imports torch, and later, while a program runs."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from grader.model import Program\n"
        "from grader.runner.local import LocalRunner\n"
        "runner = LocalRunner()\n"
        "runner.submit(Program('print(1)'))\n"
        "runner.submit(Program('while True: pass')).result()\n"
    )
    parent = subprocess.Popen([sys.executable, str(script)])
    end = time.monotonic() + 60
    while not _descendants(parent.pid) and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(moment)
    below = _descendants(parent.pid)
    parent.kill()
    parent.wait()
    assert below
    assert not _wait_until_gone(below, 20)


@linux
def test_hundreds_of_programs_leave_no_descriptor_behind(runner: LocalRunner) -> None:
    see(runner, "pass")
    ours = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    theirs = len(os.listdir(f"/proc/{runner.worker_pid}/fd"))  # noqa: PTH208
    assert all(seen.status is Status.OK for seen in run_all(runner, [Program("x = 1")] * 200))
    time.sleep(0.5)
    assert len(os.listdir("/proc/self/fd")) <= ours + 4  # noqa: PTH208
    assert len(os.listdir(f"/proc/{runner.worker_pid}/fd")) <= theirs + 4  # noqa: PTH208


def test_a_closed_runner_refuses_programs() -> None:
    from grader.errors import GraderError

    runner = LocalRunner()
    runner.close()
    runner.close()
    seen = runner.submit(Program("pass")).result()
    assert (seen.status, seen.note) == (Status.NOT_RUN, "the runner is closed")
    with pytest.raises(GraderError, match="closed"):
        runner.start()


def test_a_worker_that_cannot_start_is_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Such as where torch is missing: said once, with the reason, and without trying for ever."""
    (tmp_path / "torch.py").write_text("raise ImportError('no torch here')")
    from grader.runner import processes

    real = processes.worker_environment
    monkeypatch.setattr(
        processes, "worker_environment", lambda scratch: real(scratch) | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    )
    with LocalRunner(sandbox=False) as runner:
        seen = see(runner, "pass")
    assert seen.status is Status.NOT_RUN
    assert seen.note == f"{NOT_STARTED}: ImportError: no torch here"


def test_the_worker_s_environment_has_no_secrets(runner: LocalRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_DB", "postgresql://user:secret@host/db")
    with LocalRunner() as own:
        names = see(own, "import os", "sorted(os.environ)", "os.environ['HOME']").asked
    assert isinstance(names[0].value, list)
    assert "GRADER_DB" not in names[0].value
    assert names[1].value != os.environ.get("HOME")
