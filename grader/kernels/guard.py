"""The guard of a confined kernel: it makes the container, puts the kernel in, watches over it, and clears up.

A guard runs no line of a notebook. It is a fork of the forkserver, or a process of its own where there is no forkserver
(`python -c BOOT JSON`); in both cases `keep` returns in the kernel alone, when that is shut in.

    guard -- bwrap -- cat              the container: bubblewrap made it, `cat` keeps it open
      +----- fork, which enters it (setns) and forks the kernel: pid namespaces hold children only
      +----- kernel                    the guard's child then, since that fork leaves

The guard ends everything when the kernel ends, when its client has gone, when it is told to (SIGTERM), and when there
are too many processes or threads. If the guard itself is killed, bubblewrap ends the container. Either way the first
process of a process namespace takes all others with it, whatever they did to hide.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NoReturn

from grader.kernels.cleanup import remove
from grader.kernels.forked_kernel import Order, run
from grader.kernels.kernel_limits import DEVICES, IN_MEMORY, Confines, shut_in
from grader.runner.inside import sandbox, wire

BOOT = "from grader.kernels.guard import main; main()"

TICK_SECONDS = 0.1
"""How often it is looked how many processes there are, and whether the client is there."""

WATCHED = {signal.SIGCHLD, signal.SIGINT, signal.SIGTERM}

_SET_CHILD_SUBREAPER = 36
_READ_ONLY, _REMOUNT, _BIND = 1, 32, 4096
_STAY = os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME
"""Flags of a mount that have the same numbers when one asks for them and when one sets them."""
SCRATCH_BYTES_PER_FILE = 8192
"""A file system in memory may have one file for so many bytes of its size: an empty file takes memory, too."""
TCP_BYTES = 128 << 10
"""How much a connection of a kernel to itself holds at each end, for each direction."""
_MOUNTS, _USERS, _PROCESSES, _NETWORK = 0x00020000, 0x10000000, 0x20000000, 0x40000000
_PARENT = 0xB702
"""NS_GET_PARENT, of ioctl."""
PID_MAX_OF_ITS_OWN = (6, 14)
"""Since when in Linux a process namespace has a `pid_max` of its own. Before, it is the whole machine's."""
LEAST_PID_MAX = 301
"""Linux takes no less."""
_ALL_NAMESPACES = 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000 | 0x00020000


class Container:
    """Namespaces that bubblewrap has made, open for as long as this process lives and has not closed them."""

    def __init__(self, command: list[str]) -> None:
        """Make them. Raises OSError where they cannot be made."""
        told, tell = os.pipe()
        inside, ours = os.pipe()
        theirs, outside = os.pipe()
        complaints, complain = os.pipe()
        try:
            self.process = subprocess.Popen(
                [command[0], "--info-fd", str(tell), *command[1:], "--", "/bin/cat"],
                stdin=inside, stdout=outside, stderr=complain, pass_fds=[tell], env={},
                start_new_session=True,  # signals for the guard and its group are not for the container
            )  # fmt: skip
        finally:
            for end in (tell, inside, outside, complain):
                os.close(end)
        self.open = ours
        os.write(ours, b"\n")
        if os.read(theirs, 1) != b"\n":
            said = os.read(complaints, 1000).decode(errors="replace").strip()
            raise OSError(f"bubblewrap made no container: {said}")
        self.first = int(json.loads(os.read(told, 4096))["child-pid"])
        self.inner = int(Path(f"/proc/{self.first}/task/{self.first}/children").read_text(encoding="ascii").split()[0])
        self.processes = os.open(f"/proc/{self.inner}/root/proc", os.O_RDONLY | os.O_DIRECTORY)
        for end in (told, theirs, complaints):
            os.close(end)

    def enter(self) -> None:
        """Let this process into all of the namespaces but that of processes, which its children will be in.

        Raises OSError.
        """
        libc = ctypes.CDLL(None, use_errno=True)
        inner = os.pidfd_open(self.inner)
        if libc.setns(inner, _ALL_NAMESPACES):
            raise OSError(ctypes.get_errno(), "the container could not be entered")
        os.close(inner)

    def bound(self, tasks: int, files: int | None = None) -> None:
        """Let there be no more processes and threads, and no more `files` in each of its file systems in memory.

        Its devices stay as they are from now on. Raises OSError.
        """
        between = os.fork()
        if between == 0:
            failed = 1
            try:
                self._bound_processes(tasks)
                own = os.open(f"/proc/{self.inner}/ns/user", os.O_RDONLY)
                self._join(fcntl.ioctl(own, _PARENT), _USERS)  # bubblewrap starts in another one than it mounts in
                self._bound_connections()
                self._join(os.pidfd_open(self.inner), _MOUNTS)
                self._seal_devices()
                for name in IN_MEMORY if files else ():
                    mounted(name, _REMOUNT | _flags(name), f"nr_inodes={files}")
                failed = 0
            except OSError as error:
                failed = error.errno or 1
            finally:
                os._exit(failed)
        if failed := os.waitstatus_to_exitcode(os.waitpid(between, 0)[1]):
            raise OSError(failed, "the container could not be bounded")

    def _bound_processes(self, tasks: int) -> None:
        """Bound them for root, whom RLIMIT_NPROC does not bound."""
        if os.geteuid() != 0 or release() < PID_MAX_OF_ITS_OWN:
            return
        self._join(os.pidfd_open(self.inner), _PROCESSES)
        inside = os.fork()
        if inside == 0:
            with contextlib.suppress(OSError):
                Path("/proc/sys/kernel/pid_max").write_text(str(max(LEAST_PID_MAX, tasks)), encoding="ascii")
            os._exit(0)
        os.waitpid(inside, 0)

    def _bound_connections(self) -> None:
        """Bound what its TCP connections hold: all connections of the machine share one bound."""
        self._join(os.pidfd_open(self.inner), _NETWORK)
        for name in ("tcp_rmem", "tcp_wmem"):
            with contextlib.suppress(OSError):  # where a container shows these settings and lets nobody change them
                Path("/proc/sys/net/ipv4", name).write_text(f"4096 {TCP_BYTES} {TCP_BYTES}", encoding="ascii")

    def _seal_devices(self) -> None:
        """Mount device nodes read-only: they are written to as ever, and keep mode and times.

        They are the machine's own, and root, where it starts kernels, is their owner. bubblewrap's `--remount-ro` would
        add `nodev`, and so shut them.
        """
        for device in DEVICES:
            mounted(device, _REMOUNT | _BIND | _READ_ONLY | _flags(device))

    def _join(self, namespace: int, kind: int) -> None:
        if ctypes.CDLL(None, use_errno=True).setns(namespace, kind):
            raise OSError(ctypes.get_errno(), "a namespace could not be joined")

    def count(self) -> tuple[int, int]:
        """How many processes and threads are in it, bubblewrap's two not counted."""
        processes = threads = -2
        for name in os.listdir(self.processes):  # noqa: PTH208  (a descriptor)
            if name.isdecimal():
                with contextlib.suppress(OSError):
                    threads += os.stat(f"{name}/task", dir_fd=self.processes).st_nlink - 2
                    processes += 1
        return processes, threads

    def close(self) -> None:
        """End all that is in it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.first, signal.SIGKILL)
        self.process.kill()


def mounted(path: str, flags: int, options: str = "") -> None:
    """Change how something is mounted. Raises OSError."""
    if ctypes.CDLL(None, use_errno=True).mount(None, path.encode(), None, ctypes.c_ulong(flags), options.encode()):
        raise OSError(ctypes.get_errno(), f"{path} could not be mounted again")


def _flags(path: str) -> int:
    """Those of a mount that are to stay."""
    return os.statvfs(path).f_flag & _STAY


@cache
def tried() -> str:
    """Why containers cannot be used here, found out by entering one in a process of its own; empty where they can."""
    code = "from grader.kernels.guard import attempt; attempt()"
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it ended at once"])[-1]


def attempt() -> None:
    """Make a container and enter it. Raises OSError."""
    program, reason = sandbox.usable_bubblewrap()
    if program is None:
        raise OSError(reason)
    container = Container([program, *sandbox.namespaces(), "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"])
    container.bound(LEAST_PID_MAX)
    container.count()
    container.enter()


def main() -> None:
    """Be the guard of an ordinary kernel: one that imports everything itself."""
    if not sys.flags.safe_path and sys.path[0] == "":
        del sys.path[0]
    message = json.loads(sys.argv[1])
    client = os.pidfd_open(message["client"])
    if os.getppid() != message["client"]:
        sys.exit(1)
    nothing = [os.open(os.devnull, os.O_RDWR) for _ in range(3)]
    silent, gone = socket.socketpair()
    gone.close()  # nobody waits to hear that it is ready
    order = Order(
        message["argv"], message["command"], message["env"], message["cwd"], [*nothing, client], silent, 0,
        message["confined"],
    )  # fmt: skip
    keep(order)
    run(order)


def keep(order: Order) -> None:
    """Be the guard of this kernel until it is over. Returns in the kernel, which is shut in."""
    assert order.confined is not None
    if os.getsid(0) != os.getpid():
        os.setsid()
    confines = Confines(**order.confined["confines"])
    client = order.descriptors.pop(3)
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        container = Container(order.confined["container"]) if confines.namespaces else None
        if container:
            container.bound(confines.threads, confines.scratch_bytes // SCRATCH_BYTES_PER_FILE)
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        kernel = fork(order, confines, container)
        if kernel == 0:
            return
    except (OSError, ValueError, LookupError) as error:
        tell(order, {"failed": str(error)})
        print(f"This kernel could not be confined: {error}", file=sys.stderr)
        leave(1)
    for descriptor in order.descriptors:
        os.close(descriptor)
    ended, why = watch(kernel, client, confines, container)
    if why:
        tell(order, {"why": why})
    with contextlib.suppress(ProcessLookupError):
        os.kill(kernel, signal.SIGKILL)
    if container:
        container.close()
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.wait()  # until nobody is left
            if pid == kernel:
                ended = os.waitstatus_to_exitcode(status)
    if gone(client):
        remove(Path(confines.sockets).parent)
    leave(-signal.SIGKILL if ended is None else ended)


def fork(order: Order, confines: Confines, container: Container | None) -> int:
    """Fork the kernel, in its container; its process id, and 0 in the kernel itself. Raises OSError."""
    if container is None:
        pid = os.fork()
        if pid == 0:
            become_confined(order, confines)
        return pid
    told, tell = os.pipe()
    between = os.fork()
    if between == 0:
        try:
            container.enter()
            pid = os.fork()
        except OSError as error:
            os.write(tell, str(error).encode())
            os._exit(1)
        if pid == 0:
            container.process.returncode = 0  # it is not this process's child
            become_confined(order, confines)
            return 0
        os.write(tell, f"{pid}".encode())
        os._exit(0)
    os.close(tell)
    os.waitpid(between, 0)
    said = os.read(told, 1000).decode()
    os.close(told)
    if not said.isdecimal():
        raise OSError(said or "the container could not be entered")
    return int(said)


def become_confined(order: Order, confines: Confines) -> None:
    """In the kernel to be: keep its streams and its socket, and nothing else; then shut the door."""
    try:
        kept = sorted([*order.descriptors, order.sock.fileno()])
        for last, following in zip([2, *kept], [*kept, os.sysconf("SC_OPEN_MAX")], strict=True):
            os.closerange(last + 1, following)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.chdir(confines.folder)
        for name, path in confines.places().items():
            Path(path).mkdir(parents=True, exist_ok=True)
            order.environment[name] = path
        order.environment.pop("JPY_PARENT_PID", None)
        shut_in(confines)
    except BaseException as error:  # noqa: BLE001  (whatever it was: no line of a notebook may run here)
        tell(order, {"failed": f"{type(error).__name__}: {error}"})
        os._exit(1)


def watch(kernel: int, client: int, confines: Confines, container: Container | None) -> tuple[int | None, str]:
    """Wait for the end of the kernel, or a reason to end it: its exit code if it has ended, and the reason."""
    while True:
        heard = signal.sigtimedwait(WATCHED, TICK_SECONDS)
        pid, status = os.waitpid(kernel, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status), ""
        if gone(client):
            return None, ""
        if heard and heard.si_signo == signal.SIGTERM:
            return None, ""
        if heard and heard.si_signo == signal.SIGINT:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(kernel, signal.SIGINT)
        processes, threads = container.count() if container else (1, len(os.listdir(f"/proc/{kernel}/task")))  # noqa: PTH208
        if processes > confines.processes:
            return None, f"it had {processes} processes; {confines.processes} are allowed"
        if threads > confines.threads:
            return None, f"its processes had {threads} threads; {confines.threads} are allowed"


def release() -> tuple[int, int]:
    """The version of Linux."""
    major, minor, *_ = os.uname().release.split(".")
    return int(major), int("".join(itertools.takewhile(str.isdigit, minor)))


def gone(client: int) -> bool:
    """Whether the process of this descriptor has ended."""
    return bool(select.select([client], [], [], 0)[0])


def tell(order: Order, message: dict[str, str]) -> None:
    """Tell the client, if it still listens."""
    with contextlib.suppress(OSError):
        order.sock.sendall(wire.pack(message))


def leave(code: int) -> NoReturn:
    """End as the kernel did."""
    if code < 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        if code != -signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(abs(code))
