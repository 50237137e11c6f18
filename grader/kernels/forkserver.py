"""The process that kernels are forked from: it has imported torch and ipykernel, on one thread, and runs nobody's code.

It is started as `main()` with its folder, its name, how long it stays without kernels, and a pipe on which it says how
its start went. It holds a lock for as long as it takes orders: there is one forkserver of a name. An order is a frame
of `run.wire` with four descriptors; the answer is the kernel's process id, later how it ended.

A kernel that has ended stays a zombie until whoever ordered it has heard so, or has gone: until then its id is its own,
and a signal meant for it reaches nobody else.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from grader.kernels import forkserver_client, shutdown
from grader.kernels.fingerprint import Fingerprint
from grader.kernels.forked_kernel import Order, run
from grader.kernels.guard import keep
from grader.runner.inside import wire
from grader.runner.inside.preload import WARM_UP, pack_memory

TICK_SECONDS = 5.0
"""How often it looks whether it is still wanted."""

OURS_TO_SET = {"JPY_PARENT_PID", "JPY_INTERRUPT_EVENT", "PYTHONPATH"}
"""Variables read while ipykernel is imported, and seen to: in a kernel, or in the name of the forkserver."""

KERNEL_MODULES = (
    "ipykernel_launcher", "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.displayhook",
    "ipykernel.iostream", "ipykernel.debugger", "IPython.core.completerlib", "IPython.core.debugger",
    "IPython.core.logger", "IPython.core.oinspect", "IPython.extensions.storemagic", "IPython.utils.wildcard",
    "tornado.gen", "tornado.queues", "tornado.platform.asyncio", "psutil", "sqlite3", "pdb", "faulthandler",
    "encodings.ascii", "encodings.idna", "encodings.latin_1",
)  # fmt: skip
"""What a kernel imports before its first cell, and at its first cell. ipykernel itself must be there."""

USER_MODULES = ("numpy", "torch.utils.data", "tabulate")
"""What cells import, and torch at the end of a process."""


def main() -> None:
    """Become a forkserver, serve, and leave. In a kernel it returns when that is over."""
    folder, name, idle, report = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    if os.fork():
        os._exit(0)  # whoever started it need not wait for it
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    if not sys.flags.safe_path and sys.path[0] == "":
        del sys.path[0]  # as ipykernel_launcher does
    with contextlib.ExitStack() as stack:
        lock = claim(folder / f"{name}.lock")
        if lock is None:
            say(report, "taken")
            os._exit(0)
        try:
            forkserver = prepare(stack, folder, name, idle, lock)
        except BaseException as error:  # noqa: BLE001  (whatever it was, whoever waits is told)
            say(report, f"{type(error).__name__}: {error}")
            os._exit(1)
        say(report, "ready")
        order = forkserver.serve()
    if order is None:
        os._exit(0)
    if order.confined is not None:
        keep(order)
    run(order)


def say(report: int, text: str) -> None:
    """Tell whoever started this process, if it still waits."""
    with contextlib.suppress(OSError):
        os.write(report, text.encode()[:1000])
    os.close(report)


def claim(path: Path) -> BinaryIO | None:
    """The lock of this forkserver's name, or None where another one has it."""
    file = path.open("ab")
    for _ in range(10):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # perhaps somebody is just looking whether it is held
            time.sleep(0.02)
        else:
            file.truncate(0)
            file.write(f"{os.getpid()}\n".encode())  # for people; and it says when the start began
            file.flush()
            return file
    return None


def prepare(stack: contextlib.ExitStack, folder: Path, name: str, idle: float, lock: BinaryIO) -> Forkserver:
    """Import all that a kernel will want, and listen. Raises where this process could not fork safely."""
    (folder / f"{name}.sock").unlink(missing_ok=True)
    environment = dict(os.environ)  # torch sets some as well
    with watched() as read:
        load(KERNEL_MODULES)
        added = {key: value for key, value in os.environ.items() if environment.get(key) != value}
        import torch

        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        load(USER_MODULES)
        with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
            exec(compile(WARM_UP, "<warm-up>", "exec"), {})  # noqa: S102
    stand = Fingerprint.now()
    shutdown.prepare()
    gc.collect()
    gc.freeze()
    pack_memory()
    one_thread()
    listener = stack.enter_context(socket.socket(socket.AF_UNIX))
    path = folder / f"{name}.sock"
    path.unlink(missing_ok=True)  # of one that was killed
    listener.bind(str(path))
    listener.listen(64)
    listener.setblocking(False)
    return Forkserver(listener, path, lock, idle, threads, environment, added, read - OURS_TO_SET, stand)


def load(modules: Sequence[str]) -> None:
    """Import what is there of these; the kernel's application must be."""
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError:
            if module == "ipykernel.kernelapp":
                raise


def checked(message: dict[str, Any]) -> dict[str, Any]:
    """An order that has all its fields; ValueError where it has not. What is in `confined` is the guard's to read."""
    texts = [message.get("cwd"), *(message.get("argv") or [None]), *(message.get("command") or [None])]
    variables = message.get("env")
    if type(variables) is not dict or any(type(text) is not str for text in [*texts, *variables.values()]):
        raise ValueError("a field is missing, or is of another type")
    return message


@contextlib.contextmanager
def watched() -> Iterator[set[str]]:
    """The names of variables that Python code looks at meanwhile."""
    names: set[str] = set()

    class Watched(dict[bytes, bytes]):
        def __getitem__(self, key: bytes) -> bytes:
            names.add(os.fsdecode(key))
            return super().__getitem__(key)

        def __contains__(self, key: object) -> bool:
            names.add(os.fsdecode(key) if isinstance(key, bytes) else str(key))
            return super().__contains__(key)

    variables: Any = os.environ
    variables._data = Watched(plain := variables._data)  # noqa: SLF001  (both views of the variables share it)
    try:
        yield names
    finally:
        plain.clear()
        plain.update(variables._data)  # noqa: SLF001
        variables._data = plain  # noqa: SLF001


def one_thread() -> None:
    """Raise RuntimeError unless this process has one thread. OpenBLAS ends its own before a fork: so fork once."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    tasks = 0
    for _ in range(50):
        tasks = len(os.listdir("/proc/self/task"))  # noqa: PTH208
        if tasks == 1:
            return
        time.sleep(0.02)
    raise RuntimeError(f"it has {tasks} threads and cannot fork safely")


@dataclass(eq=False)
class Connection:
    """A connection: first the order it sends, then the kernel that it has."""

    sock: socket.socket
    received: bytearray = field(default_factory=bytearray)
    descriptors: list[int] = field(default_factory=list)
    pid: int = 0
    ended: bool = False
    gone: bool = False


def _hung_up(sock: socket.socket) -> bool:
    """Whether nobody listens at the other end any more."""
    try:
        return not sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True


@dataclass
class Forkserver:
    """What `serve` needs to know."""

    listener: socket.socket
    path: Path
    lock: BinaryIO
    idle: float
    threads: int
    """How many threads torch would use by itself."""
    environment: dict[str, str]
    """What it was started with."""
    added: dict[str, str]
    """Variables that ipykernel sets when it is imported."""
    read: set[str]
    """Variables that were looked at while modules were imported."""
    stand: Fingerprint
    clients: set[Connection] = field(default_factory=set)
    open: bool = True

    def __post_init__(self) -> None:
        self.inode = self.path.stat().st_ino
        self.selector = selectors.DefaultSelector()
        self.wake = os.pipe()
        for end in self.wake:
            os.set_blocking(end, False)

    def serve(self) -> Order | None:
        """Fork kernels until nobody needs this process any more. Returns in each of them with its order."""
        signal.set_wakeup_fd(self.wake[1], warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(self.wake[0], selectors.EVENT_READ)
        last = time.monotonic()
        while True:
            for key, _ in self.selector.select(min(TICK_SECONDS, self.idle)):
                if key.fileobj is self.listener:
                    self._accept()
                elif isinstance(key.data, Connection):
                    if order := self._hear(key.data):
                        return order
                else:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self.wake[0], 4096)
            self._reap()
            if self.clients:
                last = time.monotonic()
            if self.open and (time.monotonic() - last >= self.idle or self._replaced() or self.stand.changed()):
                self._retire()
            if not self.open and not self.clients:
                return None

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            sock, _ = self.listener.accept()
            if forkserver_client.peer(sock) != os.getuid():
                sock.close()
                return
            sock.setblocking(False)
            client = Connection(sock)
            self.clients.add(client)
            self.selector.register(sock, selectors.EVENT_READ, client)

    def _hear(self, client: Connection) -> Order | None:
        """Take what a client sends; in a kernel that was forked for it, return its order."""
        try:
            chunk, passed, _, _ = socket.recv_fds(client.sock, 1 << 16, 8)
        except BlockingIOError:
            return None
        except OSError:
            chunk, passed = b"", []
        client.descriptors += passed
        client.received += chunk
        if not chunk or client.pid:
            self._drop(client)
            return None
        try:
            message = wire.unpack(client.received)
            if message is not None:
                return self._answer(client, message)
        except ValueError as error:
            self._tell(client, {"failed": f"its order could not be read: {error}"})
            self._drop(client)
        return None

    def _answer(self, client: Connection, message: dict[str, Any]) -> Order | None:
        """Fork a kernel, or say why not: `stale` (what is installed has changed), `differs` (variables), `failed`."""
        if _hung_up(client.sock):
            self._drop(client)  # it has waited too long, and has another kernel by now
            return None
        if self.stand.changed():
            self._tell(client, {"stale": True})
            self._drop(client)
            self._retire()
            return None
        wanted = checked(message)["env"]
        differs = [name for name in self.read if wanted.get(name) != self.environment.get(name)]
        if differs:
            self._tell(client, {"differs": sorted(differs)})
            self._drop(client)
            return None
        order = Order(
            message["argv"],
            message["command"],
            wanted | self.added,
            message["cwd"],
            client.descriptors,
            client.sock,
            self.threads,
            message.get("confined"),
        )
        try:
            pid = os.fork()
        except OSError as error:
            self._tell(client, {"failed": f"the process could not fork: {error}"})
            self._drop(client)
            return None
        if pid == 0:
            self._forget(client)
            return order
        client.pid = pid
        for descriptor in client.descriptors:
            os.close(descriptor)
        client.descriptors.clear()
        self._tell(client, {"pid": pid})
        return None

    def _forget(self, client: Connection) -> None:
        """In a kernel: let go of all that is the forkserver's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.selector.close()
        self.lock.close()
        for end in self.wake:
            os.close(end)
        for other in self.clients - {client}:
            other.sock.close()
            for descriptor in other.descriptors:
                os.close(descriptor)
        self.clients.clear()

    def _tell(self, client: Connection, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # it has gone, or does not read: then it need not know
            client.sock.sendall(wire.pack(message))

    def _drop(self, client: Connection) -> None:
        """Hang up. A kernel goes on by itself, and is reaped when it ends."""
        if not client.gone:
            self.selector.unregister(client.sock)
            client.sock.close()
            for descriptor in client.descriptors:
                os.close(descriptor)
            client.descriptors.clear()
            client.gone = True
        if client.ended:
            os.waitpid(client.pid, 0)
        if client.ended or not client.pid:
            self.clients.discard(client)

    def _reap(self) -> None:
        for client in [client for client in self.clients if client.pid and not client.ended]:
            ended = os.waitid(os.P_PID, client.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                continue
            client.ended = True
            self._tell(client, {"ended": ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status})
            if client.gone:
                self._drop(client)

    def _replaced(self) -> bool:
        """Whether nobody can find this process's socket any more."""
        try:
            return self.path.stat().st_ino != self.inode
        except OSError:
            return True

    def _retire(self) -> None:
        """Take no more orders, and let another one of this name start. Kernels that run are still looked after."""
        if not self.open:
            return
        self.open = False
        if not self._replaced():
            self.path.unlink(missing_ok=True)
        self.selector.unregister(self.listener)
        self.listener.close()
        fcntl.flock(self.lock, fcntl.LOCK_UN)
