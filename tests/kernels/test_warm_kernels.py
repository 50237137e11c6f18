"""Warm kernels: forked, and yet like any other; started by real clients."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from grader import kernels
from grader.kernels import NOT_WARM, forkserver_client
from tests.support.browser import free_port
from tests.support.common import ROOT
from tests.support.kernels import Kernel, Place, alive, kernel
from tests.support.patience import seconds, until

MANY = 30
"""Kernels that are started one after another. `python -m tests.bench.kernels --many 100` does more."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")


def started(place: Place, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("GRADER_RUNTIME", str(place.folder))
    patch.setenv("GRADER_WARM_IDLE", "120")
    patch.setenv("GRADER_WARM_START", str(seconds()))
    patch.setenv("IPYTHONDIR", str(place.folder / "ipython"))
    patch.setenv("JUPYTER_RUNTIME_DIR", str(place.folder / "jupyter"))


@pytest.fixture(scope="module")
def shared() -> Iterator[Place]:
    """A runtime folder that many tests share, and so a forkserver that has started."""
    place = Place()
    with pytest.MonkeyPatch.context() as patch:
        started(place, patch)
        with kernel() as found:
            assert_warm(found)
    yield place
    place.end()


@pytest.fixture
def place(shared: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    started(shared, monkeypatch)
    return shared


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A runtime folder where nothing has started yet."""
    place = Place()
    started(place, monkeypatch)
    yield place
    place.end()


def assert_warm(found: Kernel) -> int:
    """It was forked from a process with torch; that process's id."""
    said, parent = found.run("import sys, os; print('torch' in sys.modules, os.getppid())").split()
    assert said == "True"
    return int(parent)


def socket_of(place: Place, forkserver: int) -> Path:
    (lock,) = (file for file in place.folder.glob("*.lock") if file.read_text().strip() == str(forkserver))
    return lock.with_suffix(".sock")


def stub(folder: Path, name: str, code: str) -> dict[str, str]:
    """Variables for a kernel that imports this module, and not the one that is installed."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(textwrap.dedent(code))
    return {**os.environ, "PYTHONPATH": str(folder)}


# ---------------------------------------------------------------- like any other kernel

PROBE = """
import gc, json, locale, logging, multiprocessing, os, resource, signal, sys, tempfile, threading, time, warnings
import torch
torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
environment = dict(os.environ); environment.pop('TORCHINDUCTOR_CACHE_DIR', None)
umask = os.umask(0); os.umask(umask)
streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
print(json.dumps({
    "environment": environment, "argv": sys.argv[:2], "orig_argv": sys.orig_argv[1:4], "path": sys.path,
    "cwd": os.getcwd(), "home": os.path.expanduser("~"), "umask": umask,
    "locale": [locale.setlocale(locale.LC_ALL), locale.getencoding()], "zone": [time.tzname, time.localtime(0).tm_hour],
    "signals": {int(number): str(signal.getsignal(number)).partition(" at ")[0] for number in signal.valid_signals()},
    "mask": list(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "flags": list(sys.flags),
    "streams": [[s.encoding, s.errors, s.line_buffering, s.fileno(), s.name, s.mode, s.isatty()] for s in streams],
    "limits": [resource.getrlimit(number) for number in range(16)], "cores": list(os.sched_getaffinity(0)),
    "leader": [os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid()], "nice": os.nice(0),
    "threads": sorted(type(thread).__name__.replace("ParentPollerUnix", "Poller") for thread in threading.enumerate()),
    "torch": [torch.get_num_threads(), torch.get_num_interop_threads(), str(torch.get_default_dtype())],
    "gc": [gc.isenabled(), gc.get_threshold()], "filters": sorted(map(str, warnings.filters)), "hook": str(type(sys.excepthook)),
    "temporary": tempfile.gettempdir(), "start": multiprocessing.get_start_method(), "main": __name__,
    "origin": multiprocessing.process.ORIGINAL_DIR, "executable": [sys.executable, sys.prefix],
    "root": [type(handler).__name__ for handler in logging.getLogger().handlers], "level": logging.getLogger().level,
    "descriptors": [os.path.basename(os.readlink(f"/proc/self/fd/{n}")).partition(":")[0] for n in range(3)],
    "display": str(type(sys.displayhook)), "out": str(type(sys.stdout)), "recursion": sys.getrecursionlimit(),
}))
"""


@pytest.mark.long
@pytest.mark.usefixtures("place")
def test_it_says_of_itself_what_an_ordinary_kernel_says(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in ("LANG", "LC_ALL")}
    environment |= {
        "HOME": str(tmp_path / "home"),
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C.UTF-8",
        "NEW": "x=\udcff\n'",
        "PYTHONPATH": "a::/b",
    }
    said = {}
    mask = os.umask(0o027)
    try:
        for name in ("python3", "torch-warm"):
            with kernel(name, env=dict(environment), cwd=str(tmp_path / "work")) as found:
                said[name] = json.loads(found.run(PROBE))
    finally:
        os.umask(mask)
    assert said["torch-warm"].pop("threads") == said["python3"].pop("threads")
    assert {k: (said["python3"][k], v) for k, v in said["torch-warm"].items() if v != said["python3"][k]} == {}
    assert said["torch-warm"]["environment"]["NEW"] == environment["NEW"]
    assert (said["torch-warm"]["umask"], said["torch-warm"]["cwd"]) == (0o027, str(tmp_path / "work"))


@pytest.mark.long
@pytest.mark.usefixtures("place")
def test_it_computes_with_as_many_threads_as_it_likes() -> None:
    with kernel() as found:
        assert_warm(found)
        said = found.run("""
            import threading, numpy, torch
            from torch.utils.data import DataLoader, TensorDataset
            torch.set_num_threads(2)
            a = torch.randn(3000, 3000)
            a.exp().sum(); (a @ a).sum()
            convolution = torch.nn.Conv2d(3, 16, 3)
            convolution(torch.randn(8, 3, 64, 64)).sum().backward()
            b = numpy.random.rand(800, 800); b @ b
            model = torch.nn.Linear(512, 512)
            threads = [threading.Thread(target=lambda: model(torch.randn(512, 512)).sum().backward()) for _ in range(3)]
            [thread.start() for thread in threads]; [thread.join() for thread in threads]
            data = TensorDataset(torch.arange(64.0))
            for workers in (0, 2):
                print(sum(batch.sum().item() for (batch,) in DataLoader(data, batch_size=8, num_workers=workers)))
            print(torch.get_num_threads(), threading.active_count() > 1)
        """)
    assert said == "2016.0\n2016.0\n2 True\n"


@pytest.mark.usefixtures("place")
def test_an_endless_loop_and_what_it_started_can_be_interrupted() -> None:
    loop = """
        import subprocess, torch
        child = subprocess.Popen(["sleep", "1000"])
        print("running", flush=True)
        weight = torch.nn.Parameter(torch.zeros(2))
        optimizer = torch.optim.SGD([weight], lr=0.1)
        while True:
            weight.sum().backward()
            optimizer.step()
    """
    with kernel() as found:
        number = found.client.execute(loop)
        until(lambda: found.client.get_iopub_msg(timeout=seconds())["msg_type"] == "stream")
        found.manager.interrupt_kernel()
        reply = found.client.get_shell_msg(timeout=seconds())
        assert (reply["parent_header"]["msg_id"], reply["content"].get("ename")) == (number, "KeyboardInterrupt")
        # What is asked for while a kernel still tidies up after an error is passed over, as ever.
        said = []
        until(
            lambda: said.append(found.run("print(child.wait(), len(weight))")) or said[-1] == f"{-signal.SIGINT} 2\n",
            lambda: set(said),
        )


@pytest.mark.long
@pytest.mark.usefixtures("place")
def test_it_restarts_where_the_client_wants_it(tmp_path: Path) -> None:
    with kernel(env={**os.environ, "TURN": "1"}) as found:
        first = found.pid
        assert found.run("import os; x = 1; print(os.environ['TURN'])") == "1\n"
        found.manager.update_env(env={"TURN": "2"})
        found.manager.restart_kernel()
        assert found.pid != first
        assert not Path(f"/proc/{first}").exists()
        found.connect()
        assert_warm(found)
        assert found.run("print(os.environ['TURN'], 'x' in globals())") == "2 False\n"


@pytest.mark.slow
@pytest.mark.usefixtures("place")
def test_it_asks_for_input_and_runs_commands_and_magics() -> None:
    with kernel() as found:
        found.client.allow_stdin = True
        answered = found.run(
            "print(input('Name? ') + '!')", allow_stdin=True, stdin_hook=lambda message: found.client.input("Ada")
        )
        assert answered == "Ada!\n"
        found.hears("import subprocess, os; _ = subprocess.run(['sh', '-c', 'echo $0 out; echo err >&2'])", "sh", "out", "err")  # fmt: skip
        assert found.run("%env COLOR=red\n!echo $COLOR").split() == ["env:", "COLOR=red", "red"]
        assert found.run("%timeit -n1 -r1 pass").startswith(tuple("123456789"))
        assert found.run("1/0").startswith("ZeroDivisionError")
        assert found.client.complete("torch.nn.Lin", reply=True, timeout=seconds())["content"]["status"] == "ok"
        plot = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()"
        assert "image/png" in found.run(plot)
        debugger = found.client.session.msg("debug_request", {"type": "request", "seq": 1, "command": "initialize", "arguments": {"adapterID": "t"}})  # fmt: skip
        found.client.control_channel.send(debugger)
        assert found.client.get_control_msg(timeout=seconds())["content"]["success"]


@pytest.mark.long
def test_its_streams_are_the_client_s(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {**os.environ, "PYTEST_CURRENT_TEST": "set"}  # ipykernel then leaves descriptors alone
    with (place.folder / "out.txt").open("w+b") as out:
        with kernel(env=environment, stdout=out, stderr=subprocess.PIPE) as found:
            assert_warm(found)
            found.run("import os; os.write(1, b'to the file'); os.write(2, b'to the pipe'); print(os.read(0, 1))")
            pipe = found.process.stderr
            seen = b""
            while b"to the pipe" not in seen:
                seen += os.read(pipe.fileno(), 4096)
        out.seek(0)
        assert out.read() == b"to the file"
    assert pipe.closed


@pytest.mark.long
@pytest.mark.parametrize(
    ("code", "expected"),
    [("os._exit(3)", 3), ("os.kill(os.getpid(), 9)", -9), ("os.abort()", -6), ("sys.exit(4)", None), ("quit()", 0)],
)
@pytest.mark.usefixtures("place")
def test_exit_codes_are_told(code: str, expected: int | None) -> None:
    with kernel() as found:
        process = found.process
        if expected is None:  # IPython catches it
            found.run(f"import sys\n{code}")
            assert found.run("print('here')") == "here\n"
            assert process.poll() is None
        else:
            found.client.execute(f"import os\n{code}")
            until(lambda: process.poll() is not None)
            assert process.wait() == process.returncode == expected
            assert not found.manager.is_alive()


@pytest.mark.long
@pytest.mark.usefixtures("place")
def test_what_an_end_promises_is_kept(tmp_path: Path) -> None:
    with kernel(cwd=str(tmp_path)) as found:
        assert_warm(found)
        (tmp_path / "module.py").write_text("kept = open('module.txt', 'w')\nkept.write('from a module')\n")
        found.run("""
            import atexit, builtins, gzip, tempfile, threading, time, module
            open_file = open('mine.txt', 'w'); open_file.write('not closed')
            builtins.hidden = open('hidden.txt', 'wb'); builtins.hidden.write(b'hidden')
            packed = gzip.open('packed.gz', 'wt'); packed.write('packed')
            class Last:
                def __del__(self): open('deleted.txt', 'w').write('deleted')
            last = Last(); last.itself = last
            folder = tempfile.TemporaryDirectory(dir='.')
            atexit.register(lambda: open('exit.txt', 'w').write('handler'))
            def work():
                threading.main_thread().join()
                open('thread.txt', 'w').write('thread')
            threading.Thread(target=work).start()
        """)
    import gzip

    texts = {path.name: path.read_text() for path in tmp_path.glob("*.txt")}
    assert texts == {
        "module.txt": "from a module", "mine.txt": "not closed", "hidden.txt": "hidden", "deleted.txt": "deleted",
        "exit.txt": "handler", "thread.txt": "thread",
    }  # fmt: skip
    assert gzip.decompress((tmp_path / "packed.gz").read_bytes()) == b"packed"
    assert not list(tmp_path.glob("tmp*"))


@pytest.mark.long
@pytest.mark.usefixtures("place")
def test_chance_is_new_in_each_kernel_and_several_run_at_once() -> None:
    draw = """
        import random, uuid, secrets, tempfile, multiprocessing, numpy, torch
        print(torch.rand(1).item(), torch.initial_seed(), numpy.random.rand(), random.random(),
              bytes(multiprocessing.current_process().authkey).hex(), next(tempfile._get_candidate_names()))
    """
    with ExitStack() as stack:
        kernels = [stack.enter_context(kernel()) for _ in range(5)]
        assert len({assert_warm(found) for found in kernels}) == 1
        for found in kernels:  # all are at work at the same time
            found.client.execute("import torch; a = torch.randn(500, 500); a = a @ a @ a")
        drawn = [found.run(draw).split() for found in kernels]
    for values in zip(*drawn, strict=True):
        assert len(set(values)) == 5, values


@pytest.mark.long
def test_thirty_in_a_row_leave_nothing_behind(place: Place) -> None:
    with kernel() as found:
        forkserver = assert_warm(found)
    folder = Path(f"/proc/{forkserver}")
    before = sorted(str(path.readlink()) for path in (folder / "fd").iterdir())
    own = len(list(Path("/proc/self/fd").iterdir()))
    memory = 0
    for number in range(MANY):
        with kernel() as found:
            assert found.run("import torch; print(torch.ones(2).sum().item())") == "2.0\n"
        if number == 4:
            memory = int((folder / "statm").read_text().split()[1])
    assert forkserver in place.forkservers()
    until(lambda: sorted(str(path.readlink()) for path in (folder / "fd").iterdir()) == before, "descriptors stay")
    assert (folder / f"task/{forkserver}/children").read_text() == ""
    assert int((folder / "statm").read_text().split()[1]) - memory < (4 << 20) / os.sysconf("SC_PAGE_SIZE")
    assert len(list(Path("/proc/self/fd").iterdir())) <= own + 5
    assert not list((place.folder / "jupyter").glob("*"))


@pytest.mark.usefixtures("place")
def test_an_unchanged_nbclient_runs_a_notebook(tmp_path: Path) -> None:
    cells = ["import torch, os", "print(torch.ones(3).sum())", "os.getppid(), os.environ.get('GRADER_NOT_WARM')"]
    metadata = {"kernelspec": {"name": "torch-warm", "display_name": "x", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=metadata)
    patient = {"timeout": seconds(), "startup_timeout": seconds()}
    NotebookClient(notebook, **patient, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert notebook.cells[1].outputs[0].text == "tensor(3.)\n"
    assert "None" in notebook.cells[2].outputs[0].data["text/plain"]
    notebook.cells.append(nbformat.v4.new_code_cell("print(open(f'/proc/{os.getppid()}/cmdline').read())"))
    NotebookClient(notebook, **patient, shutdown_kernel="immediate").execute()
    assert "grader.kernels.forkserver" in notebook.cells[3].outputs[0].text


# ---------------------------------------------------------------- when somebody dies

CLIENT = """
import sys
from jupyter_client.manager import KernelManager
manager = KernelManager(kernel_name="torch-warm")
manager.start_kernel()
print(manager.provisioner.pid, type(manager.provisioner.process).__name__, flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
def test_a_kernel_ends_with_its_client_even_where_others_hold_its_descriptors(place: Place) -> None:
    fork = "import os\nif os.fork() == 0:\n    import time\n    time.sleep(1000)\n"
    code = CLIENT.replace("print(", fork + "print(")
    client = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)  # fmt: skip
    try:
        assert client.stdout
        pid, kind = client.stdout.readline().split()
        assert kind == "Forked"
        assert alive(int(pid))
        client.kill()
        client.wait()
        until(lambda: not Path(f"/proc/{pid}").exists() or not alive(int(pid)), "the kernel outlives its client")
    finally:
        os.killpg(client.pid, signal.SIGKILL)
        for pipe in (client.stdin, client.stdout):
            assert pipe
            pipe.close()
    assert place.forkservers()
    until(lambda: not Path(f"/proc/{pid}").exists(), "nobody reaps it")


@pytest.mark.long
def test_a_kernel_goes_on_without_its_forkserver(alone: Place) -> None:
    with kernel() as found, ExitStack() as stack:
        forkserver = assert_warm(found)
        os.kill(forkserver, signal.SIGKILL)
        until(lambda: not alive(forkserver))
        assert found.manager.is_alive()
        assert found.run("import torch; print(torch.ones(2).sum().item())") == "2.0\n"
        other = stack.enter_context(kernel())
        assert assert_warm(other) != forkserver
        found.manager.interrupt_kernel()
        assert found.run("print('here')") == "here\n"
        found.manager.restart_kernel()
        found.connect()
        assert assert_warm(found) in alone.forkservers()
        os.kill(found.pid, signal.SIGKILL)
        until(lambda: not found.manager.is_alive())


@pytest.mark.long
def test_the_end_is_noticed_after_the_forkserver_s(alone: Place) -> None:
    with kernel() as found:
        forkserver = assert_warm(found)
        os.kill(forkserver, signal.SIGKILL)
        until(lambda: not alive(forkserver))
        process = found.process
        found.client.execute("import os; os._exit(3)")
        until(lambda: process.poll() is not None)


@pytest.mark.long
def test_two_starters_make_one_forkserver(alone: Place) -> None:
    clients = [
        subprocess.Popen([sys.executable, "-c", CLIENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    try:
        parents = set()
        for client in clients:
            assert client.stdout
            pid, kind = client.stdout.readline().split()
            assert kind == "Forked"
            parents.add(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        assert parents == {str(pid) for pid in alone.forkservers()}
        assert len(parents) == 1
    finally:
        for client in clients:
            client.communicate()


@pytest.mark.long
def test_a_forkserver_leaves_when_it_has_been_idle(alone: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_WARM_IDLE", "0.5")
    with kernel() as found:
        forkserver = assert_warm(found)
        time.sleep(1.5)  # longer than it stays idle
        assert alive(forkserver)
    until(lambda: not alive(forkserver))
    assert not list(alone.folder.glob("*.sock"))


@pytest.mark.long
def test_what_is_installed_anew_is_what_the_next_kernel_has(alone: Place, tmp_path: Path) -> None:
    ask = "import tabulate; print(tabulate.version)"
    with kernel(env=stub(tmp_path / "a", "tabulate", "version = 1")) as old, ExitStack() as stack:
        before = assert_warm(old)
        assert old.run(ask) == "1\n"
        stub(tmp_path / "a", "tabulate", "version = 'two'")
        new = stack.enter_context(kernel(env=stub(tmp_path / "a", "tabulate", "version = 'two'")))
        after = assert_warm(new)
        assert new.run(ask) == "two\n"
        assert old.run(ask) == "1\n"
        assert after != before
    until(lambda: not alive(before), "the old one stays")
    assert alive(after)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "value"), [("OMP_NUM_THREADS", "1"), pytest.param("SYMPY_USE_CACHE", "no", marks=pytest.mark.slow)]
)
def test_variables_that_matter_have_a_forkserver_of_their_own(place: Place, name: str, value: str) -> None:
    """One that is read by a library in C, one that only Python code reads."""
    with kernel() as usual, kernel(env={**os.environ, name: value}) as other:
        first, second = assert_warm(usual), assert_warm(other)
        assert first != second
        threads = "import torch; print(torch.get_num_threads())"
        assert other.run(threads) == "1\n" if name == "OMP_NUM_THREADS" else usual.run(threads)
        cached = "from sympy.core.cache import USE_CACHE; print(USE_CACHE)"
        assert other.run(cached) == ("no\n" if name == "SYMPY_USE_CACHE" else "yes\n")
    with kernel(env={**os.environ, name: value}) as again:
        assert assert_warm(again) == second
    with kernel(env={**os.environ, "SOMETHING": "else"}) as again:
        assert assert_warm(again) == first


# ---------------------------------------------------------------- where it cannot be


def ordinary(caplog: pytest.LogCaptureFixture, **start: Any) -> str:
    """Start a kernel that cannot be warm: the reason, which it was told and which is in the log."""
    logging.getLogger("traitlets").propagate = True
    caplog.clear()
    with kernel(**start) as found:
        assert isinstance(found.process, subprocess.Popen)
        assert found.run("print(6 * 7)") == "42\n"
        reason = found.run(f"import os; print(os.environ[{NOT_WARM!r}])").strip()
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert said == [f"This kernel is an ordinary one, torch is not loaded yet: {reason}"]
    return reason


def test_without_torch(alone: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    variables = stub(tmp_path / "a", "torch", "raise ImportError('no torch here')")
    assert ordinary(caplog, env=variables) == "ImportError: no torch here"
    assert not alone.forkservers()


def test_without_our_package(alone: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert "ended at its start" in ordinary(caplog, env=stub(tmp_path / "a", "grader", "raise SystemExit(1)"))


@pytest.mark.long
def test_with_a_second_thread(alone: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    code = "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,), daemon=True).start()"
    assert "2 threads" in ordinary(caplog, env=stub(tmp_path / "a", "tabulate", code))
    assert not alone.forkservers()


@pytest.mark.long
def test_when_the_start_takes_too_long(
    alone: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("GRADER_WARM_START", "0.2")
    assert "did not start within 0.2 s" in ordinary(caplog)
    monkeypatch.setenv("GRADER_WARM_START", str(seconds()))
    until(lambda: list(alone.folder.glob("*.sock")))
    with kernel() as found:
        assert_warm(found)


@pytest.mark.slow
def test_when_the_forkserver_does_not_answer(
    alone: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from grader.kernels import provisioner

    with kernel() as found:
        forkserver = assert_warm(found)
    monkeypatch.setattr(provisioner, "ANSWER_SECONDS", 0.3)
    os.kill(forkserver, signal.SIGSTOP)
    try:
        assert "does not answer" in ordinary(caplog)
    finally:
        os.kill(forkserver, signal.SIGCONT)
    monkeypatch.undo()
    until(
        lambda: not (Path(f"/proc/{forkserver}/task/{forkserver}/children").read_text()),
        "it forked a kernel for nobody",
    )


def test_where_others_could_look_in(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setenv("GRADER_RUNTIME", str(tmp_path))
    assert "not a folder of this user's alone" in ordinary(caplog)
    monkeypatch.setenv("GRADER_RUNTIME", "/proc/nowhere")
    assert "no folder for its socket" in ordinary(caplog)
    (tmp_path / ("long" * 30)).mkdir(mode=0o700)
    monkeypatch.setenv("GRADER_RUNTIME", str(tmp_path / ("long" * 30)))
    assert "too long" in ordinary(caplog)


def test_on_a_system_that_is_not_linux(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            forkserver_client,
            "possible",
            lambda: (_ for _ in ()).throw(forkserver_client.NotWarmError("warm kernels need Linux")),
        )
        assert ordinary(caplog) == "warm kernels need Linux"
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(forkserver_client.NotWarmError, match="need Linux"):
        forkserver_client.possible()


@pytest.mark.usefixtures("place")
def test_with_orders_that_only_a_new_process_can_carry_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert "preexec_fn" in ordinary(caplog, preexec_fn=os.getpid)
    manager = KernelManager(kernel_name="torch-warm")
    with pytest.raises(FileNotFoundError):
        manager.start_kernel(cwd=str(tmp_path / "nowhere"))
    manager.cleanup_resources()
    with pytest.raises(forkserver_client.NotWarmError, match="does not start ipykernel"):
        forkserver_client.origin([sys.executable, "-m", "xeus", "-f", "x"], os.environ, "/")


@pytest.mark.slow
@pytest.mark.usefixtures("place")
def test_one_that_is_to_outlive_its_client_does(tmp_path: Path) -> None:
    code = CLIENT.replace("start_kernel()", "start_kernel(independent=True, stdout=-3, stderr=-3)").replace(
        "sys.stdin.read()", "import os; os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    pid, kind = done.stdout.split()[-2:]
    try:
        assert kind == "Forked"
        time.sleep(0.5)
        assert alive(int(pid))
    finally:
        os.kill(int(pid), signal.SIGKILL)
    until(lambda: not Path(f"/proc/{pid}").exists())


# ---------------------------------------------------------------- who may ask


def test_other_users_are_not_served(place: Place) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can pretend to be somebody else")
    with kernel() as found:
        path = socket_of(place, assert_warm(found))
    ask = f"""
import os, socket
os.setgroups([]); os.setgid(65534); os.setuid(65534)
sock = socket.socket(socket.AF_UNIX)
try:
    sock.connect({str(path)!r})
    sock.sendall(b"\\0\\0\\0\\2{{}}")
    print("closed" if not sock.recv(100) else "served")
except OSError as error:
    print(type(error).__name__)
"""
    run = [sys.executable, "-c", ask]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "PermissionError\n"
    path.chmod(0o777)
    place.folder.chmod(0o755)
    try:
        said = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    finally:
        place.folder.chmod(0o700)
    assert said in ("closed\n", "ConnectionResetError\n", "BrokenPipeError\n")


def test_nonsense_does_not_end_the_forkserver(place: Place) -> None:
    with kernel() as found:
        forkserver = assert_warm(found)
    for sent in (b"", b"\0", b"\xff" * 8, b"\0\0\0\2[]", b"\0\0\0\2{}", b'\0\0\0\x0b{"env": 13}', b"\0\0\1\0{"):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(socket_of(place, forkserver)))
            sock.sendall(sent)
    with kernel() as found:
        assert assert_warm(found) == forkserver


# ---------------------------------------------------------------- what is installed


def test_the_kernelspec_is_installed_and_can_be_copied(tmp_path: Path) -> None:
    found = KernelSpecManager().get_kernel_spec(kernels.KERNEL)
    assert (found.display_name, found.language) == ("Python 3 (PyTorch, warm)", "python")
    source = ROOT / "grader/kernels/kernelspec"
    assert {path.name for path in Path(found.resource_dir).iterdir()} == {path.name for path in source.iterdir()}
    there = kernels.install(tmp_path)
    assert there == tmp_path / "share/jupyter/kernels/torch-warm"
    times = {path.name: path.stat().st_mtime_ns for path in there.iterdir()}
    (there / "logo-svg.svg").write_text("changed")
    kernels.install(tmp_path)
    assert {path.name: path.read_bytes() for path in there.iterdir()} == {
        path.name: path.read_bytes() for path in source.iterdir()
    }
    assert [name for name, time in times.items() if (there / name).stat().st_mtime_ns != time] == ["logo-svg.svg"]
    names = KernelSpecManager(kernel_dirs=[str(there.parent)]).find_kernel_specs()
    assert names.get("torch-warm") == str(there)


class Server:
    """A Jupyter server of its own, and its REST interface."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.address, self.log = f"http://127.0.0.1:{port}", folder / "log.txt"
        home = {name: str(folder / name.lower()) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
        options = [
            "--no-browser",
            "--allow-root",
            f"--port={port}",
            "--ServerApp.port_retries=0",
            "--IdentityProvider.token=t",
        ]
        (folder / "home").mkdir()
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyter_server", *options],
                stdout=log,
                stderr=log,
                cwd=folder,
                env={**os.environ, **home},
            )
        until(self.answers)

    def answers(self) -> bool:
        try:
            return bool(self.ask("api"))
        except OSError:
            assert self.process.poll() is None, self.log.read_text()
            return False

    def ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/{path}", data, {"Authorization": "token t"})
        with urllib.request.urlopen(request, timeout=seconds()) as answer:
            return json.loads(answer.read())


@pytest.mark.slow
def test_a_server_starts_the_forkserver_and_its_kernels_end_with_it(alone: Place, tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        until(lambda: list(alone.folder.glob("*.sock")), "the server starts no forkserver")
        (forkserver,) = alone.forkservers()
        spec = server.ask("api/kernelspecs")["kernelspecs"]["torch-warm"]
        assert {"logo-svg", "logo-32x32", "logo-64x64"} <= spec["resources"].keys()
        server.ask("api/kernels", {"name": "torch-warm"})
        children = Path(f"/proc/{forkserver}/task/{forkserver}/children")
        (kernel_pid,) = children.read_text().split()
        assert "torch-warm" in server.log.read_text()
    finally:
        server.process.kill()
        server.process.wait()
    until(lambda: not Path(f"/proc/{kernel_pid}").exists(), "the kernel outlives the server")
    assert alive(forkserver)


@pytest.mark.long
def test_a_server_starts_all_the_same_where_there_can_be_no_forkserver(
    alone: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_RUNTIME", "/proc/nowhere")
    server = Server(tmp_path)
    try:
        assert server.ask("api/kernels", {"name": "torch-warm"})["name"] == "torch-warm"
        until(lambda: "will not start warm: there is no folder for its socket" in server.log.read_text())
        assert "This kernel is an ordinary one" in server.log.read_text()
        assert "Traceback" not in server.log.read_text()
    finally:
        server.process.terminate()
        server.process.wait()


def test_importing_it_loads_nothing_slow() -> None:
    code = "import sys, grader.kernels, grader.kernels.forkserver_client, grader.kernels.extension; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "grader" in loaded
    assert not loaded & {
        "torch",
        "jupyter_client",
        "zmq",
        "traitlets",
        "ipykernel",
        "tornado",
        "asyncio",
        "platformdirs",
    }
