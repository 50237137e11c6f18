"""Jupyter kernels for notebooks of people whom one does not trust: shut in, and warm where that can be. Linux only.

`Manager` is for nbclient and all that uses it, as its `kernel_manager_class`. The notebook's choice of a kernel does
not count: it is this Python with ipykernel.

Threat model. The code of a notebook is hostile: it knows this file, runs anything as machine code in its kernel, and
wants to read what its user can read (keys, gradebook, other submissions, a home), write where somebody else will look,
reach the network, other kernels or the process that forks them, outlive its kernel, or use up the machine. Everything
inside of its kernel is its own, and so is what the kernel says: outputs are claims of whoever wrote the notebook.

Around each kernel, and closed before its first cell:

1. A container of its own, made by bubblewrap: namespaces for processes, network, mounts, IPC and users. It sees
   Python, installed packages and the system's libraries read-only, its working folder, a home, /tmp and /dev/shm in
   memory that go with it, and a folder with its connection file, where it may make sockets and nothing else. Its
   network is its own loopback, which `localhost` and the machine's name lead to.
2. In it, no capability and no new privileges; Landlock with the same view of files, no signal and no abstract socket
   to the outside; a seccomp filter that refuses namespaces, mounts, tracing, keys, other kinds of sockets, files that
   run with their owner's rights, attributes of files, leases and watches on libraries, and memory that no limit counts;
   limits on memory, file size, open files and what a user's processes have in common. Device nodes and /proc are
   read-only: their modes are the machine's.
3. Outside, a guard (`guard.py`), which ends the container as a whole: when the kernel ends, when the client goes,
   however it went, and when there are more processes or threads than allowed. CPU and wall time are the client's to
   bound.

In its folder a notebook can make files and folders, nothing that leads astray who opens it later (links, pipes), unless
its client says that it follows no link there (`Manager.links`). A link reaches what the kernel reaches, no more.

Its streams go nowhere, its environment is made anew, and it is forked from a forkserver whose environment was, so
nothing of its user's is in its memory. Kernels of one forkserver share the layout of memory and the seed of `hash()`,
and may find the names of folders of kernels that were forked before them.

Without namespaces, 2 stands alone: the kernel then starts no process, connects no socket, and only seems to change
modes, owners and times of files, its own among them. It can still see which files and processes there are (`stat` asks
nobody), and listen under an abstract name. Without Landlock and
seccomp, 1 does. Without either, `Manager` refuses. Not covered: bugs of the system's kernel, side channels such as
timing, memory of all processes together, the space that its folder is on, and what it says to its client.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Bool, Dict, Int

from grader.errors import GraderError, InputError
from grader.kernels import NOT_WARM, cleanup, forkserver_client, guard
from grader.kernels.kernel_limits import HOME, NAMES, Confines, around_kernel, contained, usable_walls
from grader.kernels.provisioner import Forked, WarmProvisioner, folder_of
from grader.runner.inside import sandbox
from grader.runner.inside.sandbox import Walls

if TYPE_CHECKING:
    from jupyter_client.connect import KernelConnectionInfo

PASSED = ("LANG", "LC_", "TZ", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "PYTHONHASHSEED", "NBGRADER_")
"""How variables begin that a confined kernel gets from its client."""

END_SECONDS = 5.0
"""How long a guard may take to end a kernel, before it is killed itself."""


class ConfinedError(GraderError):
    """A kernel could not be confined, and so was not started."""

    exit_code = 2


def walls() -> Walls:
    """What would contain a kernel here, found out by trying: some milliseconds, and 0.2 s at the first call."""
    found = usable_walls()
    program, reason = sandbox.usable_bubblewrap()
    if program is not None and (failed := guard.tried()):
        program, reason = None, failed
    if program is not None:
        return dataclasses.replace(found, namespaces=True)
    missing = f"namespaces: {reason}; cells can start no process, and a DataLoader no workers"
    return dataclasses.replace(found, missing=(missing, *found.missing))


class ConfinedProvisioner(WarmProvisioner):
    """Starts the kernel of a `Manager`."""

    process: Any = None
    parent: Manager

    def confined(self) -> dict[str, Any]:
        confines = self.parent.confines
        container = around_kernel(confines) if confines.namespaces else None
        return {"confines": dataclasses.asdict(confines), "container": container}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start it with a clean environment, and with streams that lead nowhere. Raises ConfinedError."""
        variables = {name: value for name, value in kwargs["env"].items() if name.startswith(PASSED)}
        kwargs["env"] = variables | self.parent.own_variables()
        nothing = os.open(os.devnull, os.O_RDWR)
        try:
            streams = {"stdin": nothing, "stdout": nothing, "stderr": nothing}
            found = await super().launch_kernel(cmd, **kwargs | streams)
        finally:
            os.close(nothing)
        if isinstance(self.process, Forked) and (failed := self.process.said.get("failed")):
            raise ConfinedError(f"the kernel could not be confined, and was not started: {failed}")
        return found

    async def _ordinary(self, reason: str, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        variables = kwargs["env"]
        variables.pop("JPY_PARENT_PID", None)
        message = {
            "argv": cmd[cmd.index("-m") + 1 :],
            "command": cmd,
            "env": variables | {NOT_WARM: reason},
            "cwd": folder_of(kwargs.get("cwd")),
            "confined": self.confined(),
            "client": os.getpid(),
        }
        options = {name: value for name, value in kwargs.items() if name in ("cwd", "stdin", "stdout", "stderr")}
        command = [sys.executable, "-c", guard.BOOT, json.dumps(message)]
        return await LocalProvisioner.launch_kernel(self, command, env=variables, **options)

    async def kill(self, restart: bool = False) -> None:
        """Have the guard end it; end the guard, and so all, where that takes too long."""
        await self.terminate(restart=restart)
        for _ in range(int(END_SECONDS / 0.5)):
            if not self.process or self.process.poll() is not None:
                return
            await self.poll()
        await super().kill(restart=restart)

    async def cleanup(self, restart: bool = False) -> None:
        if isinstance(self.process, Forked) and (why := self.process.said.get("why")):
            self.parent.ended_because = why
            self.log.warning("The kernel was ended: %s.", why)
        await super().cleanup(restart=restart)


class Manager(AsyncKernelManager):
    """Starts kernels that are shut in, with `cwd` (by default the current folder) as all that they may write to."""

    memory_bytes = Int(4 << 30, help="Memory of each process, in bytes, beyond what a kernel starts with.").tag(
        config=True
    )
    file_bytes = Int(1 << 30, help="Largest file that may be written, in bytes.").tag(config=True)
    scratch_bytes = Int(1 << 30, help="Bytes in each of home, /tmp and /dev/shm, which are in memory.").tag(config=True)
    processes = Int(64, help="How many processes a kernel may have at a time, itself included.").tag(config=True)
    threads = Int(512, help="How many threads all of them may have at a time.").tag(config=True)
    variables = Dict(help="Variables that kernels get, beyond those that are passed on.").tag(config=True)
    links = Bool(False, help="Let kernels make symbolic links in their folder: whoever reads it must follow none.").tag(
        config=True
    )
    allow_unsandboxed = Bool(False, help="Start kernels where nothing would contain them.").tag(config=True)

    ended_because = ""
    """Why the last kernel was ended, where it was for passing a bound."""
    confines: Confines
    _run: Path | None = None
    _lock = -1

    @property
    def kernel_spec(self) -> KernelSpec:
        """This Python with ipykernel, whatever kernel a notebook names."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3 (confined)", language="python")

    @property
    def ipykernel(self) -> bool:
        return True

    async def _async_pre_start_kernel(self, **kw: Any) -> tuple[list[str], dict[str, Any]]:
        found = walls()
        if not contained(found) and not self.allow_unsandboxed:
            reasons = "; ".join(found.missing)
            raise ConfinedError(f"nothing would contain a notebook's code here: {reasons}", "see `grader doctor`")
        folder = checked(kw.get("cwd"))
        kw["cwd"] = str(folder)
        if self._run is None:
            self._begin()
        assert self._run is not None
        scratch = HOME if found.namespaces else str(self._run / "scratch")
        sockets = self._run / "sockets"
        self.confines = Confines(
            str(folder), str(sockets), scratch,
            self.memory_bytes, self.file_bytes, self.scratch_bytes, self.processes, self.threads, found.namespaces,
            self.links,
        )  # fmt: skip
        if self.provisioner is None:
            self.kernel_id = self.kernel_id or self._run.name
            self.provisioner = ConfinedProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        return await super()._async_pre_start_kernel(**kw)

    pre_start_kernel = _async_pre_start_kernel

    async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
        try:
            await super()._async_launch_kernel(kernel_cmd, **kw)
        except BaseException:
            await self._async_cleanup_resources()  # clients do not, where a kernel never started
            raise

    _launch_kernel = _async_launch_kernel

    def _begin(self) -> None:
        """Make a folder for the connection file and the sockets, and remove those that nobody has any more."""
        home = forkserver_client.folder()
        alone = locked(home, wait=True)  # else one that another manager is just making would look like an old one
        try:
            for old in home.glob("k-*"):
                with contextlib.suppress(OSError):
                    lock = locked(old)
                    cleanup.remove(old)
                    os.close(lock)
            run = Path(tempfile.mkdtemp(prefix="k-", dir=home))
            self._lock, self._run = locked(run), run
        finally:
            os.close(alone)
        for name, text in NAMES.items():
            (run / Path(name).name).write_text(text.format(host=socket.gethostname()), encoding="utf-8")
        sockets = run / "sockets"
        sockets.mkdir()
        self.transport = "ipc"
        self.connection_file = str(sockets / "c.json")
        self.ip = str(sockets / "s")

    def own_variables(self) -> dict[str, str]:
        """The variables that are made for a kernel. Its guard adds where its home is."""
        path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])
        own = {"PATH": path, "HOME": HOME, "USER": "student", "LOGNAME": "student", "GRADER_CONFINED": "1"}
        return own | self.variables

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart=restart)
        if self._run is not None and not restart:
            cleanup.remove(self._run)
            os.close(self._lock)
            self._run = None

    cleanup_resources = _async_cleanup_resources


def checked(given: str | Path | None) -> Path:
    """The folder of a kernel, without links. Raises InputError where it holds what no notebook may write or read."""
    folder = Path(given or Path.cwd()).resolve()
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder that a kernel could start in")
    held = [
        Path.home(),
        sandbox.PACKAGE,
        *map(Path, (sys.prefix, sys.base_prefix)),
        sandbox.SHARED,
        forkserver_client.folder(),
    ]
    for path in held:
        if path.resolve().is_relative_to(folder):
            raise InputError(f"a confined kernel cannot have {folder} as its folder: {path} is in it")
    if folder.is_relative_to(HOME):
        raise InputError(f"a confined kernel cannot have {folder} as its folder: its home will be at {HOME}")
    return folder


def locked(folder: Path, wait: bool = False) -> int:
    """A descriptor that holds a folder's lock. Raises OSError where another one does, unless it is to `wait`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
