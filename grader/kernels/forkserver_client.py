"""The way to a forkserver: which one, where its socket lies, and how it is started.

A forked process inherits from the forkserver what a process gets at its start and cannot change later: user, limits,
control group, namespaces, the interpreter's flags, variables that libraries read while they are loaded. All of this is
in the forkserver's name, so that one is shared by those alone for whom it would have come out the same.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import resource
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import GraderError

START_SECONDS = 30.0
"""How long a forkserver may take to start, unless `GRADER_WARM_START` says otherwise."""

IDLE_SECONDS = 300.0
"""How long a forkserver stays when it has no kernels, unless `GRADER_WARM_IDLE` says otherwise."""

LAUNCHERS = {"ipykernel_launcher", "ipykernel"}

READ_AT_START = (
    "PYTHON", "LD_", "GLIBC_", "MALLOC_", "LANG", "LC_",
    "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "BLIS_", "GOTO_", "VECLIB_", "NUMEXPR_",
    "TORCH", "PYTORCH_", "ATEN_", "CUDA_", "CUBLAS_", "CUDNN_", "NVIDIA_", "HIP_", "ROCR_", "NCCL_", "GLOO_", "TRITON_",
    "NPY_", "NUMPY_", "GRADER_CONFINED",
)  # fmt: skip
"""How variables begin that the loader, Python and libraries in C read once. Others, which Python code read while the
forkserver imported it, are known to the forkserver alone: it names them where they differ."""

STATUS = ("Uid", "Gid", "Groups", "Umask", "NoNewPrivs", "Seccomp", "Cpus_allowed_list",
          "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")  # fmt: skip

RESTORED = (signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that Python ignores, and no longer where it starts another process."""

BOOT = """\
import atexit
from grader.kernels.shutdown import leave
atexit.register(leave)
from grader.kernels.forkserver import main
main()
"""


class NotWarmError(GraderError):
    """There is no warm kernel to be had; the message says why, as half a sentence."""


@dataclass(frozen=True)
class Origin:
    """What a forkserver is started with: an interpreter and its flags, and variables."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    differing: tuple[str, ...] = ()
    """Variables, beyond `READ_AT_START`, whose values are known to matter."""

    def name(self) -> str:
        """The same for all who may share a forkserver: of this process and its variables, 16 hexadecimal digits."""
        chosen = {
            name: value
            for name, value in self.environment.items()
            if name.startswith(READ_AT_START) or name in self.differing
        }
        text = json.dumps([self.command, chosen, sorted(self.differing), inherited()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def origin(command: Sequence[str], environment: Mapping[str, str], cwd: str) -> tuple[Origin, list[str]]:
    """The origin of the kernel that `command` starts, and the arguments of its launcher (its name first).

    Raises NotWarmError where it is another kernel than ipykernel.
    """
    interpreter = shutil.which(command[0], path=environment.get("PATH"))
    try:
        split = command.index("-m")
    except ValueError:
        split = len(command)
    if interpreter is None or not set(command[split + 1 : split + 2]) & LAUNCHERS:
        raise NotWarmError(f"`{' '.join(command[:4])}` does not start ipykernel")
    environment = dict(environment)
    if given := environment.get("PYTHONPATH"):
        environment["PYTHONPATH"] = os.pathsep.join(os.path.join(cwd, entry) for entry in given.split(os.pathsep))  # noqa: PTH118
    return Origin((os.path.join(cwd, interpreter), *command[1:split]), environment), list(command[split + 1 :])  # noqa: PTH118


def inherited() -> list[object]:
    """What a process that this one starts gets for life, as Linux tells it."""
    lines = dict(line.split(":\t", 1) for line in _read("/proc/self/status").splitlines() if ":\t" in line)
    ignored = int(lines.get("SigIgn", "0"), 16) & ~sum(1 << number - 1 for number in RESTORED)
    spaces = [f"/proc/self/ns/{name}" for name in ("cgroup", "ipc", "mnt", "net", "pid_for_children", "user", "uts")]
    return [
        [lines.get(name, "").strip() for name in STATUS],
        ignored,
        [str(Path(space).readlink()) if os.path.lexists(space) else "" for space in spaces],
        _read("/proc/self/cgroup"),
        _read("/proc/self/attr/current"),
        [resource.getrlimit(getattr(resource, name)) for name in sorted(dir(resource)) if name.startswith("RLIMIT_")],
        os.nice(0),
    ]


def folder() -> Path:
    """Where sockets lie: `GRADER_RUNTIME`, else the user's runtime folder, else the cache. It is nobody else's.

    Raises NotWarmError where there can be no such folder.
    """
    if given := os.environ.get("GRADER_RUNTIME"):
        place = Path(given)
    else:
        from platformdirs import user_cache_path, user_runtime_path

        owned = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
        cache = user_cache_path("torch-grader", appauthor=False) / "runtime"
        place = user_runtime_path("torch-grader", appauthor=False) if Path(owned).is_dir() else cache
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = place.lstat()
    except OSError as error:
        raise NotWarmError(f"there is no folder for its socket: {error}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise NotWarmError(f"{place} is not a folder of this user's alone")
    return place


def possible() -> None:
    """Raise NotWarmError where this system has not what a forkserver needs."""
    if sys.platform != "linux":
        raise NotWarmError("warm kernels need Linux")
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (OSError, AttributeError) as error:
        raise NotWarmError(f"this system has no process descriptors: {error}") from error


def peer(sock: socket.socket) -> int:
    """The user on the other side of a Unix socket, as the kernel tells it."""
    _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return int(uid)


def connect(path: Path) -> socket.socket | None:
    """A socket to the forkserver at `path`, which does not block; None where none listens."""
    sock = socket.socket(socket.AF_UNIX)
    sock.setblocking(False)
    try:
        sock.connect(str(path))
        if peer(sock) == os.getuid():
            return sock
    except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
        pass
    except OSError as error:
        sock.close()
        raise NotWarmError(f"its socket cannot be used: {error}") from error
    sock.close()
    return None


_slow_to_leave: list[subprocess.Popen[bytes]] = []
"""Launchers that had not left when they were let go of, on a busy machine; they are waited for at the next chance."""


@dataclass
class Starter:
    """Sees to it that a forkserver is there, one step at a time, and never waits."""

    origin: Origin
    folder: Path
    seconds: float
    idle: float
    process: subprocess.Popen[bytes] | None = None
    report: int = -1
    heard: bytes = b""
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.seconds
        self.name = self.origin.name()
        self.path = self.folder / f"{self.name}.sock"

    def step(self) -> socket.socket | None:
        """A socket to the forkserver, or None where it is too early. Raises NotWarmError where there will be none."""
        if sock := connect(self.path):
            self.close()
            return sock
        if self.process is None and self._nobody_starts():
            self._start()
        elif self.process is not None:
            self._listen()
        if time.monotonic() > self.deadline:
            self.close()
            raise NotWarmError(f"the process that kernels are forked from did not start within {self.seconds:g} s")
        return None

    def _nobody_starts(self) -> bool:
        """Whether the lock is free. A forkserver takes it first of all, and holds it for life."""
        lock = self.folder / f"{self.name}.lock"
        try:
            with lock.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return True
        except OSError:
            if time.time() - lock.stat().st_mtime > self.seconds:
                self.deadline = 0  # it was started long ago, and still nobody listens
            return False
        return True

    def _start(self) -> None:
        ours, theirs = os.pipe()
        os.set_blocking(ours, False)
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.origin.command, "-c", BOOT, str(self.folder), self.name, str(self.idle), str(theirs)],
                env=dict(self.origin.environment),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs],
                start_new_session=True,
            )
        os.close(theirs)
        self.report, self.heard = ours, b""

    def _listen(self) -> None:
        """What the forkserver says of its start: that it is ready, that another was faster, or why it failed."""
        assert self.process is not None
        ready, _, _ = select.select([self.report], [], [], 0)
        chunk = os.read(self.report, 65536) if ready else None
        self.heard += chunk or b""
        if chunk != b"":
            return
        said = self.heard.decode(errors="replace").strip()
        self.close()
        if said not in ("ready", "taken"):
            raise NotWarmError(said or "the process that kernels are forked from ended at its start")

    def close(self) -> None:
        """Let go of the process that was started here: it lives on by itself."""
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1)  # it forks at once, and what was started here leaves
            _slow_to_leave.append(self.process)
            _slow_to_leave[:] = [process for process in _slow_to_leave if process.poll() is None]
            os.close(self.report)
            self.process = None


def waiting(origin: Origin, seconds: float | None = None, idle: float | None = None) -> Iterator[socket.socket | None]:
    """Yield None while one has to wait (some milliseconds each), then a socket to the forkserver of this origin.

    Starts the forkserver where there is none. Raises NotWarmError where there will be none.
    """
    possible()
    given = os.environ.get
    starter = Starter(
        origin,
        folder(),
        float(given("GRADER_WARM_START", START_SECONDS)) if seconds is None else seconds,
        float(given("GRADER_WARM_IDLE", IDLE_SECONDS)) if idle is None else idle,
    )
    try:
        while (sock := starter.step()) is None:
            yield None
        yield sock
    finally:
        starter.close()


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
