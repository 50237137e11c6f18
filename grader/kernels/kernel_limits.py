"""What contains a Jupyter kernel for code of other people: more than a program may do, with the same means.

`kernels/confined_manager.py` has the threat model. `around_kernel` is for the client, `shut_in` for the kernel to be.
Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from grader.kernels.kernel_filters import kernel_program
from grader.runner.inside import sandbox
from grader.runner.inside.sandbox import Walls

KERNEL_NICE = 5
"""How far a kernel steps back, so that its guard has its turn whatever it does."""

HOME = "/kernel"
"""Where a kernel's home is, inside the namespaces: a name that no folder of a course will have."""

KERNEL_READS = (
    "/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives", "/etc/mime.types", "/etc/fonts",
    "/sys/devices/system/cpu",
)  # fmt: skip
"""What a kernel may read beside Python and the system's folders."""

NAMES = {"/etc/hosts": "127.0.0.1 localhost {host}\n::1 localhost\n", "/etc/nsswitch.conf": "hosts: files\n"}
"""Files that a kernel in namespaces has of its own, so that `localhost` and its own name lead to its own network."""

_MAKE_LINK = 1 << 12
"""Landlock's right to make symbolic links."""


IN_MEMORY = (HOME, "/tmp", "/dev/shm")  # noqa: S108  (in a mount namespace of its own)
"""File systems of a kernel's own, which go with it."""

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
"""What bubblewrap mounts into /dev: the machine's own."""

DESCRIPTORS = 1024
"""How many files a process may have open. Each may be a socket with some 200 KiB, which no other limit counts."""

QUEUED = ((resource.RLIMIT_SIGPENDING, 1024), (resource.RLIMIT_MSGQUEUE, 128 << 10), (resource.RLIMIT_MEMLOCK, 1 << 20))
"""What is counted for all processes of a user together, and so would be missing elsewhere: signals, bytes, bytes."""


@dataclass(frozen=True, slots=True)
class Confines:
    """What a kernel for code of other people may have."""

    folder: str
    """Its working folder, an absolute path without links: it may read and write there, and what it writes stays."""
    sockets: str
    """A folder with its connection file, where it may make sockets and nothing else."""
    scratch: str
    """Its home: writable, and gone with it."""
    memory_bytes: int
    """Address space of each process, beyond what the process has mapped when its first cell runs."""
    file_bytes: int
    """Largest file that it may write."""
    scratch_bytes: int
    """Size of each of its file systems in memory: home, /tmp and /dev/shm."""
    processes: int
    """How many processes it may have at a time."""
    threads: int
    """How many threads all of its processes may have at a time."""
    namespaces: bool = True
    """Whether namespaces contain it. Without them it may start no process and connect no socket."""
    links: bool = False
    """Whether it may make symbolic links in its folder: only where nobody follows them later."""

    def places(self) -> dict[str, str]:
        """Folders of its own, by the variables that name them."""
        names = {"HOME": "", "TMPDIR": "/tmp", "IPYTHONDIR": "/ipython"}  # noqa: S108
        return {name: self.scratch + end for name, end in names.items()}


def usable_walls() -> Walls:
    """Which walls a kernel can have here beside namespaces."""
    landlock, seccomp = sandbox.Landlock(), sandbox.Seccomp()
    landlock.close()
    missing = [] if landlock.version else ["Landlock: not in this kernel, or switched off"]
    if not seccomp.works:
        missing.append(f"seccomp: no filter for {sys.platform} on {seccomp.machine}")
    return Walls(False, landlock.version, seccomp.works, tuple(missing))


def contained(found: Walls) -> bool:
    """Whether notebooks of people whom one does not trust may run: one of the two walls is enough."""
    return found.namespaces or found.contained


def around_kernel(confines: Confines) -> list[str] | None:
    """How bubblewrap is called for the namespaces of a kernel, up to the command; None where there are none."""
    program, _ = sandbox.usable_bubblewrap()
    if program is None:
        return None
    mounts = sandbox.libraries()
    for path in (sandbox.PACKAGE, *_packages()):
        mounts.setdefault(path, ["--ro-bind", str(path), str(path)])
    for name in KERNEL_READS:
        mounts[Path(name)] = ["--ro-bind-try", name, name]
    for name in NAMES:
        mounts[Path(name)] = ["--ro-bind-try", str(Path(confines.sockets).parent / Path(name).name), name]
    for name in IN_MEMORY:
        mounts[Path(name)] = ["--perms", "1777", "--size", str(confines.scratch_bytes), "--tmpfs", name]
    for name in (confines.folder, confines.sockets):
        mounts[Path(name)] = ["--bind", name, name]
    mounts[Path("/dev")] = ["--dev", "/dev"]
    mounts[Path("/proc")] = ["--proc", "/proc"]
    sealed = ["--remount-ro", "/dev", "--remount-ro", "/proc", "--remount-ro", "/"]
    return [program, *sandbox.namespaces(), *sandbox.in_order(mounts), *sealed, "--chdir", "/"]


def sees(path: Path) -> bool:
    """Whether a kernel may read what is at this absolute path, or has something of its own there."""
    own = ("/proc", "/dev", HOME, *KERNEL_READS, *NAMES)
    folders = [*sandbox.libraries(), sandbox.PACKAGE, *_packages(), *_programs(), *map(Path, own)]
    found = Path(os.path.normpath(path))
    return any(found.is_relative_to(folder) for folder in folders) and not found.is_relative_to(sandbox.SHARED)


def _packages() -> list[Path]:
    """Folders of installed packages that this process imports from, a user's own too."""
    found = [Path(entry) for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))]
    return [path for path in found if path.is_dir() and not path.is_relative_to("/usr")]


def _programs() -> list[Path]:
    """Where Python's own programs and headers are; not its prefix, which has the quizzes in it, too."""
    prefixes = sorted({Path(sys.prefix), Path(sys.base_prefix)})
    return [Path(sys.prefix) / "pyvenv.cfg", *(prefix / name for prefix in prefixes for name in ("bin", "include"))]


_BOUNDING_DROP, _SET_DUMPABLE, _CAPABILITIES, _CAPABILITIES_VERSION = 24, 4, 64, 0x20080522


def shut_in(confines: Confines) -> None:
    """Shut this process in, which is about to become a kernel, for good. Raises OSError where a wall fails."""
    os.nice(KERNEL_NICE)
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(_CAPABILITIES):
        libc.prctl(_BOUNDING_DROP, capability, 0, 0, 0)  # those that there are, where it may
    header = struct.pack("=Ii", _CAPABILITIES_VERSION, 0)
    if libc.capset(ctypes.c_char_p(header), ctypes.c_char_p(bytes(24))):
        raise OSError(ctypes.get_errno(), "the capabilities could not be dropped")
    libc.prctl(_SET_DUMPABLE, 1, 0, 0, 0)  # else its own /proc/self would be somebody else's
    if libc.prctl(sandbox.NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs was refused")
    most = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    for kind, bound in (
        (resource.RLIMIT_AS, most + confines.memory_bytes),
        (resource.RLIMIT_FSIZE, confines.file_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, DESCRIPTORS),
        *QUEUED,
        *([(resource.RLIMIT_NPROC, confines.threads)] if confines.namespaces else []),  # of its user namespace
    ):
        hard = resource.getrlimit(kind)[1]
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)  # noqa: PLW2901
        resource.setrlimit(kind, (bound, bound))
    landlock, seccomp = sandbox.Landlock(), sandbox.Seccomp()
    if landlock.version:
        for path in (sandbox.PACKAGE, *_packages(), *map(Path, KERNEL_READS), *_programs()):
            landlock.allow(path, sandbox.READ)
        landlock.allow(Path("/proc" if confines.namespaces else "/proc/self"), sandbox.READ)
        landlock.allow(Path(confines.scratch), landlock.every)
        landlock.allow(Path(confines.sockets), sandbox.READ_FILE | sandbox.READ_DIR | sandbox.MAKE_SOCKET)
        if confines.namespaces:
            for name in NAMES:
                landlock.allow(Path(name), sandbox.READ)
            landlock.allow(Path("/dev"), sandbox.READ_DIR)
            for name in ("/dev/pts", "/dev/ptmx", "/dev/tty", "/dev/full"):
                landlock.allow(Path(name), landlock.every)
            for name in ("/tmp", "/dev/shm"):  # noqa: S108
                landlock.allow(Path(name), landlock.every & ~sandbox.SPECIAL)  # its folder may lie in there
        special = sandbox.SPECIAL & ~(_MAKE_LINK if confines.links else 0)
        landlock.restrict(confines.folder, special, network=confines.namespaces)
    if seccomp.works:
        seccomp.apply(kernel_program(os.getpid(), seccomp.machine, confines.namespaces))
