"""Confined kernels: attacks as cells, through an unchanged nbclient, and ordinary work that must go on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from traitlets.config import Config

from grader.errors import InputError
from grader.kernels import NOT_WARM, confined_manager, guard
from grader.kernels.confined_manager import ConfinedError, Manager
from grader.kernels.kernel_limits import contained
from grader.runner.inside import sandbox
from tests.support.common import ROOT
from tests.support.kernels import Place, alive, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are confined on Linux only")


def client(folder: Path, *cells: str, manager: type[Manager] = Manager, **options: Any) -> NotebookClient:
    """An unchanged nbclient for these cells."""
    sources = [nbformat.v4.new_code_cell(textwrap.dedent(cell)) for cell in cells]
    book = nbformat.v4.new_notebook(cells=sources, metadata={"kernelspec": {"name": "nonsense", "display_name": "x"}})
    resources = {"metadata": {"path": str(folder)}}
    options = {"timeout": 60, "shutdown_kernel": "immediate", **options}
    return NotebookClient(book, kernel_manager_class=manager, resources=resources, **options)


def said(book: Any) -> list[str]:
    """What each cell printed, and `Error: text` where it raised."""
    return [
        "".join(
            output.get("text") or output.get("data", {}).get("text/plain") or f"{output.ename}: {output.evalue}"
            for output in cell.outputs
        ).strip()
        for cell in book.cells
    ]


def run(folder: Path, *cells: str, **options: Any) -> list[str]:
    return said(client(folder, *cells, **{"allow_errors": True, **options}).execute())


@dataclass
class Live:
    """A confined kernel that stays, and runs one cell after another."""

    client: NotebookClient
    loop: asyncio.AbstractEventLoop
    stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    def __enter__(self) -> Self:
        self.client.create_kernel_manager()
        self.loop.run_until_complete(self.stack.enter_async_context(self.client.async_setup_kernel(cleanup_kc=True)))
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.run_until_complete(self.stack.aclose())

    def run(self, code: str) -> str:
        cell = nbformat.v4.new_code_cell(textwrap.dedent(code))
        self.client.nb.cells.append(cell)
        self.loop.run_until_complete(self.client.async_execute_cell(cell, len(self.client.nb.cells) - 1))
        return said(nbformat.v4.new_notebook(cells=[cell]))[0]

    @property
    def guard(self) -> int:
        return self.client.km.provisioner.pid


@contextlib.contextmanager
def live(folder: Path, **options: Any) -> Iterator[Live]:
    loop = asyncio.new_event_loop()
    try:
        with Live(client(folder, allow_errors=True, **options), loop) as found:
            yield found
    finally:
        loop.close()


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """A runtime folder for all these tests, and a secret beside it that no kernel may see."""
    place = Place()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_RUNTIME", str(place.folder))
        patch.setenv("GRADER_WARM_IDLE", "120")
        patch.setenv("SECRET_TOKEN", "42-secret")
        patch.setenv("NBGRADER_EXECUTION", "autograde")
        patch.delenv("PYTEST_CURRENT_TEST", raising=False)
        yield place
        assert list(place.folder.glob("k-*")) == []
    place.end()


@pytest.fixture(scope="module")
def folder(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course") / "submitted" / "alice" / "ps1"
    folder.mkdir(parents=True)
    other = folder.parents[1] / "bob" / "ps1"
    other.mkdir(parents=True)
    (other / "ps1.ipynb").write_text("42-secret")
    (folder.parents[2] / "gradebook.db").write_text("42-secret")
    return folder


@pytest.fixture(scope="module")
def kernel(folder: Path) -> Iterator[Live]:
    """A kernel that many attacks share: each of them fails, so they do not disturb each other."""
    with live(folder) as found:
        assert found.run("import sys, os, socket, ctypes, pathlib; print('torch' in sys.modules)") == "True"
        yield found


@pytest.fixture(scope="module")
def neighbor(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("neighbor")) as found:
        yield found


# ---------------------------------------------------------------- ordinary work


def test_ordinary_cells_work(folder: Path) -> None:
    outputs = run(
        folder,
        "import os, numpy, torch; print(os.getcwd(), os.environ['NBGRADER_EXECUTION'], numpy.ones(3).sum())",
        """
        model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
        for _ in range(20):
            loss = (model(torch.ones(16, 4)) - 1).square().mean()
            optimizer.zero_grad(); loss.backward(); optimizer.step()
        print(loss.item() < 1)
        """,
        """
        from torch.utils.data import DataLoader, TensorDataset
        data = TensorDataset(torch.arange(64.0))
        print(sum(batch.sum().item() for (batch,) in DataLoader(data, batch_size=8, num_workers=2)))
        """,
        """
        import multiprocessing
        with multiprocessing.Pool(2) as pool:
            print(pool.map(abs, [-1, -2]), multiprocessing.Queue().empty())
        """,
        "!echo from a shell",
        "%%bash\npwd; echo $((6 * 7)) > made.txt; cat made.txt",
        "import subprocess, sys; print(subprocess.run([sys.executable, '-c', 'print(7)'], capture_output=True).stdout)",
        """
        import tempfile, threading, pathlib
        with tempfile.NamedTemporaryFile() as file: print(file.name.startswith('/kernel/tmp/'))
        thread = threading.Thread(target=print, args=('thread',)); thread.start(); thread.join()
        pathlib.Path('~/.cache').expanduser().mkdir(); pathlib.Path('kept').mkdir(); print(pathlib.Path.home())
        """,
        "input('name?')",
        """
        import socket
        server = socket.create_server(('127.0.0.1', 0))
        socket.create_connection(server.getsockname()).close(); print('loopback')
        """,
        "import grader.trace, grader.render.figures; print(grader.trace.__name__)",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()",
    )  # fmt: skip
    assert outputs[0] == f"{folder} autograde 3.0"
    assert outputs[1:8] == [
        "True", "2016.0", "[1, 2] True", "from a shell", f"{folder}\n42", "b'7\\n'", "True\nthread\n/kernel",
    ]  # fmt: skip
    assert outputs[8].startswith("StdinNotImplementedError")
    assert outputs[9:11] == ["loopback", "grader.trace"]
    assert outputs[11].startswith("<Figure size")
    assert (folder / "made.txt").read_text() == "42\n"
    assert (folder / "kept").is_dir()


def test_a_cell_that_takes_too_long_is_interrupted(folder: Path) -> None:
    cells = ("while True: pass", "import subprocess; subprocess.run(['sleep', '1000'])", "print('goes on')")
    book = client(folder, *cells, timeout=1, interrupt_on_timeout=True, allow_errors=True).execute()
    assert [text.partition(":")[0] for text in said(book)] == ["KeyboardInterrupt", "KeyboardInterrupt", "goes on"]
    with pytest.raises(CellTimeoutError):
        run(folder, "import time\ntime.sleep(1000)", timeout=1)


def test_errors_are_those_of_any_kernel(folder: Path) -> None:
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        run(folder, "1 / 0", allow_errors=False)
    with pytest.raises(DeadKernelError):
        run(folder, "import os; os._exit(3)")
    with pytest.raises(DeadKernelError):
        run(folder, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")


@pytest.mark.slow
def test_several_at_a_time(place: Place, tmp_path: Path) -> None:
    outputs: dict[str, list[str]] = {}

    def one(name: str) -> None:
        (tmp_path / name).mkdir()
        book = client(tmp_path / name, f"open('x', 'w').write({name!r}); print(open('x').read())")
        outputs[name] = said(asyncio.run(book.async_execute()))

    threads = [threading.Thread(target=one, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outputs == {name: [name] for name in "abc"}
    assert len(place.forkservers()) == 1


# ---------------------------------------------------------------- attacks on files


def refused(
    kernel: Live, code: str, words: tuple[str, ...] = ("PermissionError", "FileNotFoundError", "OSError")
) -> str:
    """Run an attack that must raise one of these, or print `refused`."""
    found = kernel.run(code)
    assert found.startswith((*words, "refused")), found
    return found


def test_files_of_others_cannot_be_read(kernel: Live, folder: Path) -> None:
    secrets = [
        folder.parents[1] / "bob" / "ps1" / "ps1.ipynb", folder.parents[2] / "gradebook.db", ROOT / "quizzes" / "warmup.yaml",
        ROOT / "tests", Path.home() / ".bashrc", "/etc/passwd", "/etc/shadow", "/root", "/home", "/var", "/run", "/proc/1/environ",
    ]  # fmt: skip
    for path in secrets:
        refused(kernel, f"p = pathlib.Path({str(path)!r}); print(list(p.iterdir()) if p.is_dir() else p.read_bytes())")
    assert "42-secret" not in kernel.run("!cat /proc/*/environ /proc/*/cmdline ../../bob/ps1/* 2>/dev/null; env; set")
    hidden = sandbox.SHARED
    refused(kernel, f"print(os.listdir({str(hidden)!r}) or 'refused')")


def test_nothing_of_the_user_is_in_memory(kernel: Live) -> None:
    """All of its memory is searched for a variable of its user. The pattern is no match of itself."""
    found = kernel.run("""
        import re
        patterns = [re.compile(rb"GRADER_CONFINE[D]"), re.compile(rb"SECRET_TOKE[N]")]
        hits = [0, 0]
        with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
            for line in maps:
                span, access, *_ = line.split(maxsplit=5)
                if not access.startswith("rw"): continue
                first, last = (int(end, 16) for end in span.split("-"))
                for start in range(first, last, 1 << 22):
                    try:
                        memory.seek(start); chunk = memory.read(min(1 << 22, last - start))
                    except (OSError, ValueError): break
                    hits = [hit + len(pattern.findall(chunk)) for hit, pattern in zip(hits, patterns)]
        print(hits[0] > 0, hits[1])
    """)
    assert found == "True 0"


def test_nothing_is_written_outside(kernel: Live, folder: Path) -> None:
    before = sorted(path.name for path in folder.parent.iterdir())
    for path in (
        "/x",
        "/dev/x",
        "/usr/x",
        f"{sys.prefix}/x",
        sandbox.PACKAGE / "x",
        "/proc/sys/kernel/hostname",
    ):
        refused(kernel, f"open({str(path)!r}, 'w').write('x')")
    kernel.run(f"open({str(folder.parent / 'x')!r}, 'w').write('x')")  # in its own /tmp, where its folder is mounted
    assert sorted(path.name for path in folder.parent.iterdir()) == before


def test_what_stays_in_its_folder_leads_nobody_astray(kernel: Live, folder: Path) -> None:
    refused(kernel, "os.symlink('/etc/passwd', 'link')")
    refused(kernel, "os.mkfifo('pipe')")
    refused(kernel, "socket.socket(socket.AF_UNIX).bind('socket')")
    refused(kernel, "os.symlink('/etc/passwd', '/kernel/link'); os.rename('/kernel/link', 'link')")
    refused(kernel, "open('run', 'w').close(); os.chmod('run', 0o4755)")
    refused(kernel, "os.open('run2', os.O_CREAT | os.O_WRONLY, 0o6755)")
    refused(kernel, "os.mknod('device', 0o600 | 0o20000, os.makedev(1, 3))")
    assert all(path.is_file() or path.is_dir() for path in folder.rglob("*"))
    assert not any(path.is_symlink() or path.stat().st_mode & 0o6000 for path in folder.rglob("*"))


@pytest.mark.slow
def test_links_where_nobody_follows_them_reach_what_the_kernel_reaches(place: Place, tmp_path: Path) -> None:
    (tmp_path / "beside.txt").write_text("42-secret")
    folder = tmp_path / "ps1"
    folder.mkdir()
    (folder / "data.txt").write_text("data")
    outputs = run(
        folder,
        "import os, socket; os.symlink('data.txt', 'link'); print(open('link').read())",
        "os.mkdir('made'); os.symlink('../data.txt', 'made/link'); print(open('made/link').read())",
        f"os.symlink({str(tmp_path / 'beside.txt')!r}, 'out'); open('out').read()",
        "os.symlink('/etc/passwd', 'users'); open('users').read()",
        f"os.symlink({str(ROOT)!r}, 'course'); os.listdir('course/quizzes')",
        f"os.symlink({str(tmp_path / 'new')!r}, 'new'); open('new', 'w').write('x')",
        "os.mkfifo('pipe')",
        "socket.socket(socket.AF_UNIX).bind('socket')",
        **small(links=True),
    )
    assert outputs[:2] == ["data", "data"]
    refused = ("FileNotFoundError", "PermissionError")
    assert all(text.startswith(refused) for text in (*outputs[2:5], *outputs[6:])), outputs
    assert not (tmp_path / "new").exists()
    assert os.readlink(folder / "link") == "data.txt"  # noqa: PTH115
    assert not (folder / "pipe").exists()


def test_names_lead_to_its_own_network(kernel: Live) -> None:
    assert kernel.run("print(socket.gethostbyname('localhost'), socket.gethostbyname(socket.gethostname()))") == (
        "127.0.0.1 127.0.0.1"
    )
    found = kernel.run("""
        server = socket.create_server(('localhost', 0))
        socket.create_connection(('localhost', server.getsockname()[1])).close(); server.close(); print('loopback')
    """)
    assert found == "loopback"
    assert "localhost" in kernel.run("print(open('/etc/hosts').read())")
    refused(kernel, "socket.getaddrinfo('example.org', 80)", ("gaierror",))
    refused(kernel, "open('/etc/hosts', 'w')")


# ---------------------------------------------------------------- attacks on others


def test_no_network(kernel: Live) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    unix = Path(f"/tmp/outside-{os.getpid()}")
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0outside-{os.getpid()}")
    abstract.listen()
    with listening, abstract, socket.socket(socket.AF_UNIX) as named:
        named.bind(str(unix))
        named.listen()
        try:
            refused(kernel, f"socket.create_connection(('127.0.0.1', {port}), 5)", ("ConnectionRefusedError",))
            refused(kernel, "socket.create_connection(('192.0.2.1', 80), 5)", ("OSError: [Errno 101]",))
            refused(kernel, "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))")
            refused(kernel, f"socket.socket(socket.AF_UNIX).connect({str(unix)!r})")
            refused(
                kernel,
                f"socket.socket(socket.AF_UNIX).connect('\\0outside-{os.getpid()}')",
                ("ConnectionRefused", "Perm"),
            )
            for family in ("AF_NETLINK", "AF_PACKET", "AF_VSOCK"):
                refused(kernel, f"socket.socket(socket.{family}, socket.SOCK_DGRAM)")
        finally:
            unix.unlink()


def test_other_kernels_are_out_of_reach(kernel: Live, neighbor: Live, place: Place) -> None:
    sockets = Path(neighbor.client.km.ip).parent
    assert len(list(sockets.iterdir())) >= 5
    refused(kernel, f"os.listdir({str(sockets)!r})")
    refused(kernel, f"open({neighbor.client.km.connection_file!r}).read()")
    refused(kernel, f"socket.socket(socket.AF_UNIX).connect({str(sockets / 's-1')!r})")
    listed = kernel.run(f"!ls {place.folder} /proc")
    assert neighbor.client.km.kernel_id not in listed
    (forkserver,) = place.forkservers()
    theirs = int(Path(f"/proc/{neighbor.guard}/task/{neighbor.guard}/children").read_text().split()[-1])
    for pid in (theirs, neighbor.guard, forkserver, os.getpid(), kernel.guard):
        refused(kernel, f"os.kill({pid}, 0)", ("ProcessLookupError", "PermissionError"))
    ptrace = "ctypes.CDLL(None, use_errno=True).ptrace(16, {}, 0, 0) == -1 and print('refused', ctypes.get_errno())"
    assert refused(kernel, ptrace.format(1)) == "refused 1"
    assert neighbor.run("print(1)") == "1"


def test_its_own_sockets_cannot_be_replaced(kernel: Live) -> None:
    """By a link to somebody else's: its client would connect there."""
    refused(kernel, f"os.symlink('/etc', {str(Path(kernel.client.km.ip).parent / 'x')!r})")
    refused(kernel, f"os.symlink('/etc', '/kernel/x'); os.rename('/kernel/x', {kernel.client.km.ip + '-1'!r})")


def test_no_fork_can_be_ordered(kernel: Live, place: Place) -> None:
    (order,) = place.folder.glob("*.sock")
    refused(kernel, f"socket.socket(socket.AF_UNIX).connect({str(order)!r})")
    links = kernel.run("""
        for name in sorted(map(int, os.listdir("/proc/self/fd"))):
            try: print(os.readlink(f"/proc/self/fd/{name}"))
            except OSError: pass
    """)
    inherited = {line for line in links.splitlines() if not line.startswith(("socket:", "anon_inode:[event", "pipe:"))}
    assert inherited <= {"/dev/null", "/dev/pts/ptmx", "/dev/ptmx"}, inherited
    # A socket whose other end is not this process's own would be a way out. All of its pairs are.
    peers = kernel.run("""
        import psutil, stat
        strangers = 0
        for name in os.listdir("/proc/self/fd"):
            try:
                if not stat.S_ISSOCK(os.fstat(int(name)).st_mode): continue
                with socket.socket(fileno=os.dup(int(name))) as found:
                    if found.family != socket.AF_UNIX or found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN): continue
                    import struct
                    pid, *_ = struct.unpack("3i", found.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
                    strangers += pid == 0 and not found.getsockname()
            except OSError: continue
        print(strangers)
    """)
    assert peers == "0"


def test_namespaces_mounts_and_rights_stay_closed(kernel: Live) -> None:
    call = "ctypes.CDLL(None, use_errno=True).{} == -1 and print('refused', ctypes.get_errno())"
    for attempt in (
        "unshare(0x10000000)", "setns(0, 0)", "mount(b'none', b'/tmp', b'tmpfs', 0, None)", "umount2(b'/tmp', 2)",
        "chroot(b'/tmp')", "syscall(425, 1, None)", "syscall(323, 0)", "syscall(321, 0, None, 0)", "syscall(298, 0, 0, 0, 0, 0)",
        "syscall(250, 0, 0, 0)", "syscall(428, -100, b'/', 1)", "process_vm_readv(1, None, 0, None, 0, 0)",
    ):  # fmt: skip
        assert refused(kernel, call.format(attempt)) == "refused 1", attempt
    assert kernel.run("!unshare --user id 2>&1 | grep -c uid=") == "0"
    assert "CapEff:\t0000000000000000" in kernel.run("!cat /proc/self/status")


# ---------------------------------------------------------------- attacks on the machine


def small(**bounds: int) -> dict[str, Any]:
    return {"config": Config(Manager=bounds)}


@pytest.mark.slow
def test_memory_and_files_are_bounded(folder: Path) -> None:
    bounds = small(memory_bytes=512 << 20, file_bytes=1 << 20, scratch_bytes=4 << 20)
    outputs = run(
        folder,
        "x = bytearray(1 << 30)",
        "import torch; torch.ones(1 << 28)",
        "!python -c 'x = bytearray(8 << 30)' 2>&1 | tail -1",
        "open('big', 'wb').write(bytes(2 << 20))",
        "[open(f'/dev/shm/{n}', 'wb').write(bytes(1 << 20)) for n in range(8)]",
        "[open(f'/tmp/{n}', 'wb').write(bytes(1 << 20)) for n in range(8)]",
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
        "print('goes on')",
        **bounds,
    )
    starts = ["MemoryError", "RuntimeError", "MemoryError", "OSError: [Errno 27]", "OSError: [Errno 28]",
              "OSError: [Errno 28]", "ValueError: not allowed", "goes on"]  # fmt: skip
    assert [text[: len(start)] for text, start in zip(outputs, starts, strict=True)] == starts
    (folder / "big").unlink()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("attack", "bound"),
    [
        ("import os\nwhile True: os.fork()", "processes; 20 are allowed"),
        (":(){ :|:& };:", "processes; 20 are allowed"),
        ("import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(99,)).start()", "threads; 100"),
    ],
    ids=["forks", "shells", "threads"],
)
def test_a_bomb_ends_its_kernel_and_nothing_else(folder: Path, attack: str, bound: str, kernel: Live) -> None:
    cell = f"%%bash\n{attack}\nsleep 100" if attack.startswith(":") else attack
    attacker = client(folder, cell, **small(processes=20, threads=100))
    manager = attacker.create_kernel_manager()
    with pytest.raises(DeadKernelError):
        attacker.execute(reset_kc=False)
    assert bound in manager.ended_because
    assert kernel.run("print(1)") == "1"


def test_a_bomb_has_a_bound_that_needs_no_guard(kernel: Live) -> None:
    """For an ordinary user RLIMIT_NPROC; for root the namespace's own `pid_max`, where Linux has that."""
    most = 32768 if os.geteuid() == 0 and guard.release() < guard.PID_MAX_OF_ITS_OWN else 512
    said = kernel.run(
        "import resource; print(open('/proc/sys/kernel/pid_max').read(), *resource.getrlimit(resource.RLIMIT_NPROC))"
    )
    ids, soft, hard = map(int, said.split())
    assert (soft, hard) == (512, 512)
    assert ids <= most or os.geteuid() != 0
    assert int(Path("/proc/sys/kernel/pid_max").read_text()) > 512


def marked(mark: str) -> list[int]:
    """Processes that have this mark in their command lines."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (process / "cmdline").read_text():
                found.append(int(process.name))
    return [pid for pid in found if pid != os.getpid() and alive(pid)]


DAEMON = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import os,signal,time; os.setsid(); [signal.signal(n, signal.SIG_IGN) for n in (1,2,15)]; os.fork() and os._exit(0); time.sleep(1000) # {}"])
time.sleep(0.5)
"""


def test_no_daemon_outlives_its_kernel(folder: Path) -> None:
    mark = f"daemon-{os.getpid()}"
    with live(folder) as found:
        assert found.run(DAEMON.format(mark)) == ""
        assert len(until(lambda: marked(mark))) == 1
        guard = found.guard
    until(lambda: not marked(mark) and not Path(f"/proc/{guard}").exists())


CLIENT = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from tests.kernels.test_confined_manager import run, DAEMON
run(Path({folder!r}), DAEMON.format({mark!r}) + "\\nopen('ready', 'w').close(); time.sleep(1000)")
"""


@pytest.mark.slow
def test_nothing_is_left_of_a_client_that_was_killed(place: Place, tmp_path: Path) -> None:
    mark = f"orphan-{os.getpid()}"
    code = CLIENT.format(tests=str(ROOT), folder=str(tmp_path), mark=mark)
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    before = set(place.folder.glob("k-*"))
    until((tmp_path / "ready").exists)
    assert len(set(marked(mark)) - {process.pid}) == 1
    (run_folder,) = set(place.folder.glob("k-*")) - before
    process.kill()
    process.wait()
    until(lambda: not marked(mark) and not run_folder.exists())
    until(lambda: not any(str(tmp_path) in Path(f"/proc/{pid}/cmdline").read_text() for pid in marked("bwrap")))


def test_nothing_is_left_of_a_guard_that_was_killed(folder: Path) -> None:
    mark = f"unguarded-{os.getpid()}"
    with live(folder) as found:
        found.run(DAEMON.format(mark))
        until(lambda: marked(mark))
        os.kill(found.guard, signal.SIGKILL)
        until(lambda: not marked(mark))


# ---------------------------------------------------------------- where not everything is to be had


def test_what_stands_is_said() -> None:
    found = confined_manager.walls()
    assert contained(found)
    assert found.namespaces
    assert found.missing == ()


def test_an_ordinary_kernel_is_confined_as_well(folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    monkeypatch.setenv("GRADER_RUNTIME", str(Path(os.environ["GRADER_RUNTIME"]) / "cold"))
    monkeypatch.setenv("GRADER_WARM_START", "0")
    outputs = run(
        folder,
        "import sys, os; print('torch' in sys.modules, os.getcwd())",
        "open('/etc/passwd')",
        "!ls /proc | grep -c '^[0-9]'",
        "import socket; socket.create_connection(('192.0.2.1', 80), 5)",
        f"print(os.environ['{NOT_WARM}'])",
    )
    assert outputs[0] == f"False {folder}"
    assert outputs[1].startswith("FileNotFoundError")
    assert int(outputs[2]) < 10
    assert outputs[3].startswith("OSError")
    assert "did not start" in outputs[4]


def test_landlock_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "usable_bubblewrap", lambda: (None, "bubblewrap is not installed"))
    assert any("bubblewrap is not installed" in text for text in confined_manager.walls().missing)
    refused = ("PermissionError", "BlockingIOError", "OSError", "ProcessLookupError")
    outputs = run(
        folder,
        "import sys, os, socket, torch; print(os.getcwd(), (torch.ones(300, 300) @ torch.ones(300, 300)).sum().item())",
        "open('kept.txt', 'w').write('1'); open(os.path.expanduser('~/x'), 'w').write('2')",
        *(attack for attack in (
            "open('/etc/passwd')",
            f"open({str(folder.parents[1] / 'bob' / 'ps1' / 'ps1.ipynb')!r})",
            f"os.listdir({str(ROOT / 'quizzes')!r})",
            f"open({str(folder.parent / 'x')!r}, 'w')",
            "import warnings; warnings.simplefilter('ignore'); os.fork()",  # Python 3.12 warns of threads
            "import subprocess; subprocess.run(['/bin/true'])",
            "socket.create_connection(('127.0.0.1', 80), 5)",
            "socket.socket(socket.AF_UNIX).connect('/run/x')",
            "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)",
            f"os.kill({os.getpid()}, 0)",
            "os.listdir('/proc')",
            "os.listdir('/tmp')",
        )),
        "print('goes on')",
    )  # fmt: skip
    assert outputs[:2] == [f"{folder} 27000000.0", "1"]
    assert all(text.startswith(refused) for text in outputs[2:-1]), outputs
    assert outputs[-1] == "goes on"


def test_it_refuses_where_nothing_would_contain_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "usable_bubblewrap", lambda: (None, "bubblewrap is not installed"))
    monkeypatch.setattr(sandbox.Landlock, "__init__", lambda self: self.__dict__.update(version=0, _rules=[], every=0))
    with pytest.raises(ConfinedError, match="bubblewrap is not installed"):
        run(folder, "1")


@pytest.mark.parametrize("path", ["/", Path.home(), Path(sys.prefix).parent, "/nowhere"])
def test_some_folders_are_refused(path: Path | str, place: Place) -> None:
    with pytest.raises(InputError):
        run(Path(path), "1")


@pytest.mark.slow
def test_without_the_rights_of_root(tmp_path: Path) -> None:
    """As an ordinary user: one without any capability, in a user namespace where it is not root."""
    program, why = sandbox.usable_bubblewrap()
    if program is None:
        pytest.skip(why)
    ordinary = [program, "--unshare-user", "--uid", "1001", "--gid", "1001", "--cap-drop", "ALL", "--die-with-parent"]
    chosen = "no_network or files_of_others or no_daemon or forks or needs_no_guard"
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "base")]
    done = subprocess.run(
        [*ordinary, "--dev-bind", "/", "/", "--", *tests, "-k", chosen, __file__],
        capture_output=True, text=True, check=False, timeout=220, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
