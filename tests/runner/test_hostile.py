"""Every program of `tests/hostile/` is contained and earns its status; see `grader/runner/inside/sandbox.py` for the threat model.

The programs are run behind both walls, and behind the second wall alone. What they try to reach is made here: a file, a
folder, listeners, an environment variable. A program that reaches something prints REACHED, or leaves a file.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.model import Limits, Observation, Program, Status
from grader.runner import processes
from grader.runner.inside import sandbox
from grader.runner.local import LocalRunner
from tests.support.common import ROOT
from tests.support.running import run_all

CORPUS = sorted((ROOT / "tests/hostile").glob("*.py"))
LIMITS = Limits(cpu_seconds=2, waiting_seconds=3.0, memory_bytes=256 << 20, output_bytes=1 << 18)
SECRET = "a-password-of-the-user"
EXPECTED = "only-the-supervisor-knows"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is made of features of Linux")


def earns(path: Path) -> list[str]:
    """The status that a program of the corpus must earn, as its first lines say; several where Python's version matters."""
    found = re.search(r"^# earns: (\S+(?: or \S+)*)$", path.read_text(), re.MULTILINE)
    assert found, path
    return found.group(1).split(" or ")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """What the programs try to reach, all of it the test's own."""
    folder = tmp_path_factory.mktemp("host")
    marker = folder / "marker"
    marker.write_text("a file of the host")
    (folder / "quiz.yaml").write_text("key: true")
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams,
    ):
        datagrams.bind(f"{marker}.datagrams")
        Path(f"{marker}.datagrams").chmod(0o666)
        os.utime(marker, (10**9, 10**9))
        before = _outside(marker)
        unix.bind(f"{marker}.sock")
        unix.listen()
        abstract.bind(f"\0{marker}")
        abstract.listen()
        port = tcp.getsockname()[1]
        yield {"MARKER": str(marker), "PORT": port, "HOME": str(folder), "SECRET": SECRET}
        for listener in (tcp, unix, abstract):
            listener.setblocking(False)
            with pytest.raises(BlockingIOError):
                listener.accept()
        datagrams.setblocking(False)
        with pytest.raises(BlockingIOError):
            datagrams.recv(100)
        assert _outside(marker) == before
    assert sorted(path.name for path in folder.iterdir()) == ["marker", "marker.datagrams", "marker.sock", "quiz.yaml"]
    assert not Path("/tmp/reached-by-a-program").exists()
    assert not Path("/dev/shm/reached-by-a-program").exists()


def _outside(marker: Path) -> list[object]:
    """What a program could change of files that it does not see: modes, owners, times, attributes."""
    found: list[object] = []
    for path in (marker, marker.parent, *map(Path, ("/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "/tmp"))):
        stat = path.stat()
        found.append((path, stat.st_mode, stat.st_uid, os.listxattr(path) if path.is_file() else []))
        if path.is_char_device() or path == marker:
            found.append((stat.st_ctime_ns, stat.st_mtime_ns if path == marker else 0))
    return found


@pytest.fixture(scope="module", params=["both walls", pytest.param("second wall alone", marks=pytest.mark.slow)])
def walled(request: pytest.FixtureRequest) -> Iterator[LocalRunner]:
    patch = pytest.MonkeyPatch()
    patch.setenv("GRADER_DB", SECRET)
    if request.param == "second wall alone":
        patch.setattr(processes, "around_worker", lambda *_: None)
    elif sandbox.usable_bubblewrap()[0] is None:
        pytest.skip(sandbox.usable_bubblewrap()[1])
    with LocalRunner() as runner:
        assert runner.submit(Program("pass")).result().status is Status.OK
        if not runner.walls.contained:
            pytest.skip("; ".join(runner.walls.missing))
        assert runner.walls.namespaces == (request.param == "both walls")
        yield runner
    patch.undo()


@pytest.fixture(scope="module")
def seen(walled: LocalRunner, target: dict[str, object]) -> dict[str, Observation]:
    """All programs, in flight together, each followed by eight innocent ones."""
    prelude = "".join(f"{name} = {value!r}\n" for name, value in target.items())
    programs = []
    for path in CORPUS:
        programs.append(Program(prelude + path.read_text(), ("answer",), limits=LIMITS))
        programs += [INNOCENT] * INNOCENTS
    pid = walled.worker_pid
    found = list(run_all(walled, programs))
    assert walled.worker_pid == pid  # none of them has cost the worker its life
    attacks = found[:: INNOCENTS + 1]
    for number, path in enumerate(CORPUS):
        for innocent in found[number * (INNOCENTS + 1) + 1 : (number + 1) * (INNOCENTS + 1)]:
            must_be_unharmed(path.stem, innocent)
    return dict(zip([path.stem for path in CORPUS], attacks, strict=True))


INNOCENT = Program(
    "import os, torch\n"
    "here, cores = os.listdir('.'), len(os.sched_getaffinity(0))\n"
    "space = os.statvfs('.')\n"
    "free = space.f_bavail * space.f_frsize >> 20\n"
    "mode = os.stat('.').st_mode & 0o777\n"
    "answer = torch.arange(4).sum().item()\n"
    "open('secret', 'w').write('mine' * 1000)\n",
    ("answer", "here", "cores", "free >= 120", "oct(mode)"),
)
INNOCENTS = 8


def must_be_unharmed(name: str, innocent: Observation) -> None:
    """An innocent program found all as it should be: its folder, its space, its cores."""
    assert innocent.status is Status.OK, (name, innocent)
    assert not innocent.note, (name, innocent)
    cores = len(os.sched_getaffinity(0))
    assert [asked.value for asked in innocent.asked] == [6, [], cores, True, "0o700"], (name, innocent)


def test_the_corpus_is_large() -> None:
    assert len(CORPUS) >= 40


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_an_attack_is_contained_and_earns_its_status(path: Path, seen: dict[str, Observation]) -> None:
    found = seen[path.stem]
    assert found.status.value in earns(path), found
    assert "REACHED" not in found.stdout
    assert len(found.stdout) + len(found.stderr) <= LIMITS.output_bytes


def test_no_attack_gets_the_expected_value(seen: dict[str, Observation]) -> None:
    """What came back is plain data about the program itself; nothing in it equals a value that only we know."""
    from grader.judging.comparison import equal

    for name, found in seen.items():
        for asked in found.asked:
            assert type(asked.value) in (type(None), bool, int, float, str, list, dict), name
            assert not equal(asked.value, EXPECTED, 1e-6), name
            assert EXPECTED not in str(asked.value), name


def test_nothing_is_left_of_the_programs(walled: LocalRunner, seen: dict[str, Observation]) -> None:
    """After all of them the worker has no child but those that wait for a program."""
    assert seen
    assert walled.submit(Program("pass")).result().status is Status.OK
    time.sleep(0.5)
    below = [path for path in Path("/proc").glob("[0-9]*/stat") if _parent(path) == _worker(walled)]
    assert len(below) <= 2 * walled.in_flight + 1


LEAVING = [path for path in CORPUS if path.stem.startswith(("leave_", "fill_", "shut_", "change_", "pin_"))]


@pytest.mark.parametrize("path", LEAVING, ids=lambda path: path.stem)
def test_what_comes_after_an_attack_is_unharmed(path: Path, walled: LocalRunner, target: dict[str, object]) -> None:
    """One after another on the same worker, so that what one leaves is there for the next."""
    pid = walled.worker_pid
    prelude = "".join(f"{name} = {value!r}\n" for name, value in target.items())
    walled.submit(Program(prelude + path.read_text(), limits=LIMITS)).result()
    for _ in range(INNOCENTS):
        must_be_unharmed(path.stem, walled.submit(INNOCENT).result())
    assert walled.worker_pid == pid


def _parent(path: Path) -> int:
    try:
        return int(path.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _worker(runner: LocalRunner) -> int:
    """The process that forks: below bubblewrap's two, where there is bubblewrap."""
    pid = runner.worker_pid
    assert pid is not None
    for _ in range(2 if runner.walls.namespaces else 0):
        (pid,) = (int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if _parent(path) == pid)
    return pid


def test_a_learner_may_do_what_learners_do(walled: LocalRunner) -> None:
    """The walls are not in the way of honest work."""
    honest = {
        "threads": "import threading\nt = threading.Thread(target=print, args=('hi',))\nt.start()\nt.join()",
        "more torch threads": "import torch\ntorch.set_num_threads(2)\nprint((torch.randn(500, 500) @ torch.randn(500, 500)).shape)",
        "files": "open('notes', 'w').write('x')\nimport os\nprint(open('notes').read(), os.listdir('.'))\nos.remove('notes')",
        "temporary files": "import tempfile\nwith tempfile.NamedTemporaryFile() as file:\n    file.write(b'x')",
        "save and load": "import torch\ntorch.save({'a': torch.ones(2)}, 'x.pt')\nprint(torch.load('x.pt')['a'])",
        "data loaders": "from torch.utils.data import DataLoader\nprint(len(list(DataLoader(range(10), batch_size=2))))",
        "convolutions": "import torch\ntorch.nn.Conv2d(1, 4, 3)(torch.randn(2, 1, 8, 8)).sum().backward()",
        "imports": "import json, sqlite3, asyncio, decimal, zoneinfo, torch.fft, torch.distributions, numpy.linalg",
        "copies": "import os, shutil\nopen('a', 'w').write('x')\nshutil.copy2('a', 'b')\nshutil.copytree('.', '../' + os.path.basename(os.getcwd()) + '/c', ignore=lambda *_: ['c'])\nprint(open('c/b').read())",
        "archives": "import tarfile, zipfile\nopen('a', 'w').write('x')\nwith tarfile.open('t.tar', 'w') as t: t.add('a')\nwith tarfile.open('t.tar') as t: t.extractall('out')\nprint(open('out/a').read())",
        "modes of its own files": "import os, pathlib\npathlib.Path('a').touch()\npathlib.Path('a').chmod(0o600)\nos.utime('a', (1, 1))",
        "locks": "import fcntl\nfcntl.flock(open('a', 'w'), fcntl.LOCK_EX)",
        "databases": "import sqlite3\nc = sqlite3.connect('x.db')\nc.execute('create table t (a)')\nc.execute('insert into t values (1)')\nc.commit()\nprint(list(c.execute('select * from t')))",
        "its own core": "import os\nos.sched_setaffinity(0, os.sched_getaffinity(0))",
        "asyncio": "import asyncio\nasyncio.run(asyncio.sleep(0))",
        "time": "import time, datetime\ntime.sleep(0.01)\nprint(datetime.datetime.now())",
        "the user's name": "import getpass\nassert getpass.getuser() == 'learner'",
        "signals to itself": "import os, signal\nsignal.signal(signal.SIGUSR1, lambda *_: print('hi'))\nos.kill(os.getpid(), signal.SIGUSR1)",
        "reading source": "import inspect, torch\nprint(len(inspect.getsource(torch.optim.SGD)))",
    }
    for name, source in honest.items():
        found = walled.submit(Program(source)).result()
        assert found.status is Status.OK, (name, found)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="runs the corpus without root's rights, where the other tests have them")
def test_the_corpus_without_the_rights_of_root(tmp_path: Path) -> None:
    """As an ordinary user: one without any capability, in a user namespace where it is not root.

    (Its files are still root's, so that it may read this Python wherever that lies.)
    """
    program, why = sandbox.usable_bubblewrap()
    if program is None:
        pytest.skip(why)
    ordinary = [program, "--unshare-user", "--uid", "1001", "--gid", "1001", "--cap-drop", "ALL", "--die-with-parent"]
    tests = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--basetemp",
        str(tmp_path / "base"),
        __file__,
    ]
    done = subprocess.run(
        [*ordinary, "--dev-bind", "/", "/", "--", *tests], capture_output=True, text=True, check=False, timeout=1000,
        cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert "1 skipped" in done.stdout, done.stdout[-300:]


def test_what_is_not_its_own_is_refused_in_so_many_words(walled: LocalRunner, target: dict[str, object]) -> None:
    """Success is pretended for a program's own files alone."""
    for change in ("os.chmod(x, 0)", "os.utime(x, (1, 1))", "os.chmod(x + '/none', 0)"):
        for place in (target["MARKER"], "..", "../0/none", "/usr", "/dev/null"):
            found = walled.submit(Program(f"import os\nx = {place!r}\n{change}")).result()
            assert found.error, (change, place)
            assert found.error.type in ("PermissionError", "FileNotFoundError", "NotADirectoryError"), found
