"""Every file of `tests/hostile_cells/` is contained as a cell of a notebook; `grader/kernels/confined_manager.py` has the threat model.

The cells go through an unchanged nbclient, with both walls and without namespaces. What they try to reach is made here:
a file with an attribute, sockets, processes. After each attack all of it is as it was, a kernel beside it runs ordinary
cells right, and the attacked kernel goes on, unless it ended itself. Each file says in its first lines what it tries
and what it must earn:

    refused    each way in ended in an error of the system
    pretended  no error, and nothing changed: for those without namespaces, named second
    nothing, held, done    what it prints itself; it prints REACHED where it found more than it may
    ends, anything    it ends its kernel; it may do either
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient.exceptions import DeadKernelError

from grader.kernels import cleanup
from grader.runner.inside import sandbox
from tests.kernels.test_confined_manager import Live, live, said, small
from tests.support.common import ROOT
from tests.support.kernels import Place, alive, until
from tests.support.patience import seconds

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are confined on Linux only")

CORPUS = sorted((ROOT / "tests/hostile_cells").glob("*.py"))

OF_PROGRAMS = [
    ROOT / "tests/hostile" / f"{name}.py"
    for name in (
        "connect_abstract", "connect_tcp", "connect_unix", "follow_a_symlink_out", "link_a_file_in", "load_a_pickle",
        "open_netlink", "open_raw_socket", "raise_its_limits", "read_environment", "read_home", "read_host_file",
        "read_the_parent_s_memory", "resolve_a_name", "save_outside", "search_the_frames",
        "type_into_the_terminal", "write_into_torch", "call_the_other_abi", "trace_the_parent",
        *(["read_the_bank"] if os.environ.get("GRADER_HOSTILE") == "all" else []),  # it looks through all of /usr
    )
]  # fmt: skip
"""Those programs of the other corpus that reach for what is outside of a kernel, too."""

SECRET = "a-password-of-the-user"
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
BOUNDS = small(memory_bytes=1 << 30, scratch_bytes=32 << 20)
LIBRARY = str(Path(os.__file__).with_name("this.py"))
NOBODY = 4_194_300
"""Above every process id that there is."""

TOOLS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)

def call(*arguments):
    found = libc.syscall(*arguments)
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found

def tried(**ways):
    went = []
    for name, way in ways.items():
        try:
            way()
            went.append(name)
        except OSError:
            pass
    print("went through:" if went else "refused", *went)
"""

HARMLESS = {
    "import torch; print(torch.arange(4).sum().item())": "6",
    """
    import os, pathlib, shutil, tarfile
    pathlib.Path("mine.txt").write_text("mine"); os.chmod("mine.txt", 0o640); os.utime("mine.txt")
    shutil.copy2("mine.txt", "copy.txt")
    with tarfile.open("all.tar", "w") as tar: tar.add("copy.txt")
    with tarfile.open("all.tar") as tar: tar.extractall("out", filter="data")
    print(pathlib.Path("out/copy.txt").read_text()); shutil.rmtree("out")
    """: "mine",
    """
    import tempfile, pathlib
    with tempfile.TemporaryDirectory() as place:
        print(pathlib.Path(place, "x").write_bytes(bytes(1 << 20)), open("/dev/null", "w").write("x"), len(open("/dev/urandom", "rb").read(4)))
    """: "1048576 1 4",
    "import socket; a, b = socket.socketpair(); a.send(b'x'); print(b.recv(1).decode(), os.sched_getscheduler(0), os.getpgid(0) > 0)": "x 0 True",
}  # fmt: skip
"""Ordinary cells, and what each prints, with and without namespaces."""


def header(path: Path, name: str, otherwise: str) -> list[str]:
    """What a file says of itself in a line `# name: first, second`."""
    found = re.search(rf"^# {name}: (.+)$", path.read_text(), re.MULTILINE)
    return (found.group(1) if found else otherwise).split(", ")


@dataclass
class Outside:
    """What nothing of a notebook may reach: all of it the test's own, but for devices and a library."""

    folder: Path
    runtime: Path
    datagram: socket.socket
    listeners: tuple[socket.socket, ...]
    others: tuple[int, ...]
    sleeper: subprocess.Popen[bytes]

    def names(self) -> dict[str, Any]:
        """For the cells, in both corpora."""
        return {
            "OUT": str(self.folder), "LIBRARY": LIBRARY, "OTHERS": self.others, "NOBODY": NOBODY, "SECRET": SECRET,
            "MARKER": str(self.folder / "marker"), "PORT": self.listeners[0].getsockname()[1], "HOME": str(self.folder),
        }  # fmt: skip

    def state(self) -> dict[str, Any]:
        """All that can be seen of it from here."""
        found: dict[str, Any] = {}
        for path in (
            self.folder,
            *sorted(self.folder.rglob("*")),
            *map(Path, DEVICES),
            Path(LIBRARY),
            Path("/proc/misc"),
        ):
            seen = path.lstat()
            found[str(path)] = [seen.st_mode, seen.st_uid, seen.st_gid]
            if path != Path("/proc/misc"):  # its times are now
                found[str(path)] += [seen.st_mtime_ns, seen.st_ctime_ns, seen.st_nlink]
        for path in (self.folder / "marker", Path(LIBRARY)):
            found[f"{path} has"] = path.read_bytes(), {name: os.getxattr(path, name) for name in os.listxattr(path)}
        for pid in self.others:
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found[f"process {pid}"] = alive(pid), os.sched_getaffinity(pid), os.sched_getscheduler(pid), stat[15:17]
        return found

    def untouched(self) -> None:
        """Raise AssertionError where something has arrived."""
        for sock in (self.datagram, *self.listeners):
            with pytest.raises(BlockingIOError):
                _ = sock.recv(100) if sock is self.datagram else sock.accept()


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    place = Place()
    folder = tmp_path_factory.mktemp("outside")
    (folder / "marker").write_text("a file of the user")
    (folder / "quiz.yaml").write_text("key: true")
    with contextlib.suppress(OSError):
        os.setxattr(folder / "marker", "user.label", b"1")
    datagram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listeners = (socket.create_server(("127.0.0.1", 0)), *(socket.socket(socket.AF_UNIX) for _ in range(3)))
    with datagram, listeners[0], listeners[1], listeners[2], listeners[3], pytest.MonkeyPatch.context() as patch:
        datagram.bind(str(folder / "datagram"))
        for listener, name in zip(listeners[1:], ("stream", "marker.sock"), strict=False):
            listener.bind(str(folder / name))
            listener.listen()
        listeners[3].bind(f"\0{folder / 'marker'}")
        listeners[3].listen()
        for sock in (datagram, *listeners):
            sock.setblocking(False)
        patch.setenv("GRADER_RUNTIME", str(place.folder))
        patch.setenv("GRADER_WARM_IDLE", "120")
        patch.setenv("GRADER_DB", SECRET)
        patch.delenv("PYTEST_CURRENT_TEST", raising=False)
        sleeper = subprocess.Popen(["/bin/sleep", "100000"])
        yield Outside(folder, place.folder, datagram, listeners, (os.getpid(), sleeper.pid), sleeper)
        sleeper.kill()
        sleeper.wait()
        assert list(place.folder.glob("k-*")) == []
    place.end()


@dataclass
class Stage:
    """A way to contain kernels: two of them that stay, one for attacks and one that is innocent."""

    alone: bool
    attacker: Live
    neighbor: Live
    outside: Outside

    def earned(self, path: Path) -> str:
        """What the attack must earn here."""
        return header(path, "earns", "")[-1 if self.alone else 0]

    def prepared(self, kernel: Live) -> None:
        """Give a kernel the names that attacks use."""
        others = (*self.outside.others, kernel.guard, self.neighbor.guard)
        names = self.outside.names() | {"OTHERS": others, "SOCKETS": str(Path(kernel.client.km.ip).parent)}
        assert kernel.run(TOOLS + "".join(f"{name} = {value!r}\n" for name, value in names.items())) == ""

    def innocent(self) -> None:
        """Raise AssertionError where the other kernel's cells are not right."""
        for cell, expected in HARMLESS.items():
            assert self.neighbor.run(cell) == expected


@pytest.fixture(scope="module", params=["both walls", pytest.param("without namespaces", marks=pytest.mark.slow)])
def stage(
    request: pytest.FixtureRequest, outside: Outside, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    alone = request.param == "without namespaces"
    with pytest.MonkeyPatch.context() as patch:
        if alone:
            patch.setattr(sandbox, "usable_bubblewrap", lambda: (None, "it is not installed"))
        elif sandbox.usable_bubblewrap()[0] is None:
            pytest.skip(sandbox.usable_bubblewrap()[1])
        with (
            live(tmp_path_factory.mktemp("attacker"), **BOUNDS) as one,
            live(tmp_path_factory.mktemp("neighbor")) as two,
        ):
            assert one.client.km.confines.namespaces is not alone
            assert two.run("import os") == ""
            found = Stage(alone, one, two, outside)
            found.prepared(one)
            yield found


def test_the_corpus_is_large_and_says_what_it_earns() -> None:
    assert len(CORPUS) >= 25
    for path in CORPUS:
        assert path.read_text().startswith("# ")
        assert set(header(path, "earns", "")) <= {"refused", "pretended", "nothing", "held", "done", "ends", "anything"}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_an_attack_is_contained(path: Path, stage: Stage, tmp_path: Path) -> None:
    if stage.alone and header(path, "walls", "either") == ["both"]:
        pytest.skip("needs what a kernel has in namespaces only")
    before = stage.outside.state()
    if header(path, "kernel", "shared") == ["its own"]:
        answer = in_a_kernel_of_its_own(path, stage, tmp_path)
    else:
        answer = stage.attacker.run(path.read_text())
        assert stage.attacker.run("print(6 * 7)") == "42"
    earned = {"pretended": "went through:"}.get(stage.earned(path), stage.earned(path))
    assert "REACHED" not in answer
    assert answer.startswith(earned) or earned == "anything", answer
    assert stage.outside.state() == before
    stage.outside.untouched()
    stage.innocent()


def in_a_kernel_of_its_own(path: Path, stage: Stage, tmp_path: Path) -> str:
    """What an attack says that may end its kernel, or leave something in its folder. All of that goes away after it."""
    folder = tmp_path / "own"
    folder.mkdir()
    answer = "ends"
    # a client may also take for an error of its own what cannot be read
    ended = Exception if stage.earned(path) == "anything" else DeadKernelError
    with contextlib.suppress(ended), live(folder, **BOUNDS) as kernel:
        stage.prepared(kernel)
        guard, run_folder = kernel.guard, Path(kernel.client.km.ip).parents[1]
        kernel.client.timeout = 5 if stage.earned(path) == "anything" else 60
        answer = kernel.run(path.read_text())
    until(lambda: not alive(guard) and not run_folder.exists())
    assert len(cleanup.files(folder)) < 10
    cleanup.remove(folder)
    assert not folder.exists()
    return answer


@pytest.mark.parametrize("path", OF_PROGRAMS, ids=lambda path: path.stem)
def test_an_attack_of_a_program_is_contained(path: Path, stage: Stage) -> None:
    before = stage.outside.state()
    assert "REACHED" not in stage.attacker.run(path.read_text())
    assert stage.attacker.run("print(6 * 7)") == "42"
    assert stage.outside.state() == before
    stage.outside.untouched()
    stage.innocent()


def executed(home: Path, *cells: str) -> Any:
    """A notebook with these cells, run as a course's are."""
    from grader.nbgrader.execution import Execution

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    Execution(timeout=int(seconds(60))).preprocess(book, {"metadata": {"path": str(home)}})
    return book


@pytest.mark.parametrize("walls", ["both walls", pytest.param("without namespaces", marks=pytest.mark.slow)])
def test_what_is_left_of_a_graded_notebook(
    outside: Outside, walls: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote in plain sight is kept; nothing that it hid or nested stays, or stops who comes to look for it."""
    if walls == "without namespaces":
        monkeypatch.setattr(sandbox, "usable_bubblewrap", lambda: (None, "it is not installed"))
    (tmp_path / "home").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    names = ("leave_nested_folders", "leave_a_folder_without_rights")  # the second takes the rights of the first
    attacks = [CORPUS[0].with_name(f"{name}.py").read_text() for name in names]
    book = executed(tmp_path / "home", "open('kept.txt', 'w').write('kept')", *attacks)
    assert said(book) == ["4", "done", "done"]
    assert (tmp_path / "home" / "kept.txt").read_text() == "kept"
    assert not list((tmp_path / "temporary").iterdir())


MALFORMED = """
import zmq
from ipykernel.kernelapp import IPKernelApp
app = IPKernelApp.instance()
app.iopub_socket.send_multipart([b"stream", {parts}])
import time; time.sleep(1)
"""


@pytest.mark.parametrize(
    "parts", ["b'x'", "b'<IDS|MSG>', b'', b'{}', b'[', b'{}', b'{}'"], ids=["no message", "unsigned"]
)
def test_a_kernel_that_cannot_be_understood_costs_its_own_cells(outside: Outside, parts: str, tmp_path: Path) -> None:
    book = executed(tmp_path, "print(1)", MALFORMED.format(parts=parts), "print(2)")
    assert book.cells[0].outputs[0].text == "1\n"
    assert [cell.outputs[-1].ename for cell in book.cells[1:]] == ["KernelEnded", "NotRun"]


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="runs the corpus without root's rights, where the other tests have them")
def test_the_corpus_without_the_rights_of_root(tmp_path: Path) -> None:
    """As an ordinary user: one without any capability, in a user namespace where it is not root.

    Those attacks that ask for rights over files, and for what a user has in common; with GRADER_HOSTILE=all, all of them.
    """
    program, why = sandbox.usable_bubblewrap()
    if program is None:
        pytest.skip(why)
    ordinary = [program, "--unshare-user", "--uid", "1001", "--gid", "1001", "--cap-drop", "ALL", "--die-with-parent"]
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "base")]
    chosen = (
        "attack"
        if os.environ.get("GRADER_HOSTILE") == "all"
        else "left or change_ or leave_ or take_ or fill_ or send_ or see_"
    )
    done = subprocess.run(
        [*ordinary, "--dev-bind", "/", "/", "--", *tests, "-k", chosen, __file__],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
