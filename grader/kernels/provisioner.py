"""What Jupyter calls to start a kernel, watch over it and end it: a warm one, or an ordinary one with a reason."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Float, default

from grader.kernels import NOT_WARM, forkserver_client
from grader.kernels.forkserver_client import NotWarmError
from grader.runner.inside import wire

if TYPE_CHECKING:
    from jupyter_client.connect import KernelConnectionInfo

WAIT_SECONDS = 0.01
"""How long to wait before looking again for a forkserver that is starting."""

ANSWER_SECONDS = 10.0
"""How long a forkserver may take to fork. It takes milliseconds, unless memory is short or it is stopped."""

READY_SECONDS = 5.0
"""How long to wait for a kernel's sockets, before it is left to its client to wait for it."""

LEAVING_SECONDS = 0.5
"""How long `poll` waits for the end of a kernel that was told to leave, so that nobody has to ask twice."""

HOPS = 4
"""How many forkservers are asked, each with more of the variables in its name that matter."""

KNOWN = {"env", "cwd", "stdin", "stdout", "stderr", "independent", "extra_arguments", "kernel_id"}


class Forked:
    """A kernel forked elsewhere, with what is used of `subprocess.Popen`. Its exit code comes over a socket.

    Where the forkserver died before it, the code is not known: it is then 0, which is what `Popen` says in this case.
    """

    def __init__(self, sock: socket.socket, pid: int, received: bytearray) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin: IO[bytes] | None = None
        self.stdout: IO[bytes] | None = None
        self.stderr: IO[bytes] | None = None
        self._sock: socket.socket | None = sock
        self._received = received
        self.said: dict[str, Any] = {}
        self._pidfd = os.pidfd_open(pid)

    def __del__(self) -> None:
        self._close()

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        if self.returncode is None:
            self._hear()
        if self.returncode is None and self._sock is None and _readable(self._pidfd, 0):
            self._ended(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Block until it has ended."""
        if self.poll() is None and not _readable(self.watched, timeout) and timeout is not None:
            raise subprocess.TimeoutExpired("kernel", timeout)
        return self.wait(timeout) if self.poll() is None else self.returncode or 0

    @property
    def ready(self) -> bool:
        """Whether its sockets are bound."""
        return bool(self.said.get("ready"))

    @property
    def watched(self) -> int:
        """A descriptor that is readable once there may be news."""
        return self._pidfd if self._sock is None else self._sock.fileno()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._pidfd, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def news(self, seconds: float) -> None:
        """Wait until `poll` may say something else, for some seconds at most."""
        loop = asyncio.get_running_loop()
        heard = asyncio.Event()
        descriptor = os.dup(self.watched)  # others may wait as well
        loop.add_reader(descriptor, heard.set)
        try:
            async with asyncio.timeout(seconds):
                await heard.wait()
        except TimeoutError:
            pass
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)

    def _hear(self) -> None:
        while self._sock is not None:
            try:
                chunk = self._sock.recv(4096)
            except BlockingIOError:
                return
            except OSError:
                chunk = b""
            self._received += chunk
            while message := wire.unpack(self._received):
                self.said |= message
                if "ended" in message:
                    self._ended(message["ended"])
                    return
            if not chunk:
                self._sock.close()
                self._sock = None

    def _ended(self, code: int) -> None:
        self.returncode = code
        self._close()

    def _close(self) -> None:
        """Let go: the forkserver then reaps the process."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1


class WarmProvisioner(LocalProvisioner):
    """Starts kernels by forking them from a forkserver; else as `LocalProvisioner` does, and says why."""

    idle_seconds = Float(help="How long the forkserver stays when it has no kernels.").tag(config=True)
    start_seconds = Float(help="How long the forkserver may take to start.").tag(config=True)
    process: Any = None
    _leaving = False

    @default("idle_seconds")
    def _idle_seconds_default(self) -> float:
        return float(os.environ.get("GRADER_WARM_IDLE", forkserver_client.IDLE_SECONDS))

    @default("start_seconds")
    def _start_seconds_default(self) -> float:
        return float(os.environ.get("GRADER_WARM_START", forkserver_client.START_SECONDS))

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel and wait until its sockets are bound, so that a client's first try to connect succeeds."""
        self._leaving = False
        kwargs["env"].pop(NOT_WARM, None)
        try:
            process = await self._fork(cmd, **kwargs)
        except NotWarmError as reason:
            self.log.warning("This kernel is an ordinary one, torch is not loaded yet: %s", reason)
            return await self._ordinary(str(reason), cmd, **kwargs)
        self.process = process
        self.pid = self.pgid = process.pid
        self.cwd = kwargs.get("cwd", Path.cwd())
        return self.connection_info

    async def _ordinary(self, reason: str, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        kwargs["env"][NOT_WARM] = reason
        return await super().launch_kernel(cmd, **kwargs)

    def confined(self) -> dict[str, Any] | None:
        """What the guard of a confined kernel needs to know; None for a kernel that may do what its user may."""
        return None

    async def _fork(self, cmd: list[str], **kwargs: Any) -> Forked:
        if unknown := kwargs.keys() - KNOWN:
            raise NotWarmError(f"it was ordered with {', '.join(sorted(unknown))}")
        cwd = folder_of(kwargs.get("cwd"))
        variables: dict[str, str] = kwargs["env"]
        independent = bool(kwargs.get("independent"))
        if not independent:
            variables["JPY_PARENT_PID"] = str(os.getpid())
        place, argv = forkserver_client.origin(cmd, variables, cwd)
        order = wire.pack({"argv": argv, "command": cmd, "env": variables, "cwd": cwd, "confined": self.confined()})
        with contextlib.ExitStack() as stack:
            streams = Streams(stack, **{name: kwargs.get(name) for name in ("stdin", "stdout", "stderr")})
            descriptors = streams.theirs
            if not independent:
                descriptors.append(os.pidfd_open(os.getpid()))
                stack.callback(os.close, descriptors[3])
            process = await self._order(place, order, descriptors)
            process.stdin, process.stdout, process.stderr = streams.keep()
        for _ in range(20):
            if process.poll() is not None or process.ready:
                break
            await process.news(READY_SECONDS)
        return process

    async def _order(self, place: forkserver_client.Origin, order: bytes, descriptors: Sequence[int]) -> Forked:
        """Ask one forkserver after another: an old one leaves, and one with other variables tells which."""
        for _ in range(HOPS):
            for found in forkserver_client.waiting(place, self.start_seconds, self.idle_seconds):
                if found is None:
                    await asyncio.sleep(WAIT_SECONDS)
                    continue
                received = bytearray()
                answer = await self._exchange(found, order, descriptors, received)
                if "pid" in answer:
                    with contextlib.suppress(OSError):
                        return Forked(found, answer["pid"], received)
                    answer = {"failed": "it ended at once"}
                found.close()
                if "failed" in answer:
                    raise NotWarmError(answer["failed"])
                if "differs" in answer:
                    differing = {*place.differing, *answer["differs"]}
                    place = forkserver_client.Origin(place.command, place.environment, tuple(sorted(differing)))
        raise NotWarmError("no process that kernels are forked from has the variables it needs")

    async def _exchange(
        self, sock: socket.socket, order: bytes, descriptors: Sequence[int], received: bytearray
    ) -> Mapping[str, Any]:
        """Send an order and wait for the answer; empty where the forkserver has gone."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                sent = socket.send_fds(sock, [order[: wire.HEADER.size]], descriptors)
                await loop.sock_sendall(sock, order[sent:])
                while (answer := wire.unpack(received)) is None:
                    chunk = await loop.sock_recv(sock, 4096)
                    if not chunk:
                        return {}
                    received += chunk
        except TimeoutError:
            sock.close()
            raise NotWarmError("the process that kernels are forked from does not answer") from None
        except OSError:
            return {}
        found: Mapping[str, Any] = answer
        return found

    async def poll(self) -> int | None:
        """As ever; while a kernel is leaving, wait a moment for it."""
        if self._leaving and isinstance(self.process, Forked) and self.process.poll() is None:
            await self.process.news(LEAVING_SECONDS)
        return await super().poll()

    async def wait(self) -> int | None:
        """Wait for the end; it is heard at once."""
        while isinstance(self.process, Forked) and self.process.poll() is None:
            await self.process.news(LEAVING_SECONDS)
        return await super().wait()

    async def shutdown_requested(self, restart: bool = False) -> None:
        self._leaving = True
        await super().shutdown_requested(restart=restart)

    async def kill(self, restart: bool = False) -> None:
        self._leaving = True
        await super().kill(restart=restart)

    async def terminate(self, restart: bool = False) -> None:
        self._leaving = True
        await super().terminate(restart=restart)


class Streams:
    """The standard streams of a process to be, from what `Popen` would have been given; by default this process's."""

    def __init__(self, stack: contextlib.ExitStack, *, stdin: Any, stdout: Any, stderr: Any) -> None:
        self._stack = stack
        self._ours: dict[int, int] = {}
        self.theirs: list[int] = []
        if stdin is None:  # as jupyter_client's launcher: a pipe that nobody writes to
            ours, theirs = os.pipe()
            os.close(theirs)
            stack.callback(os.close, ours)
            stdin = ours
        for number, given in enumerate((stdin, stdout, stderr)):
            self.theirs.append(self._end(number, given))

    def _end(self, number: int, given: Any) -> int:
        if given == subprocess.PIPE:
            pair = os.pipe()
            ours, theirs = reversed(pair) if number == 0 else pair
            self._ours[number] = ours
            self._stack.callback(os.close, theirs)
            return theirs
        if given == subprocess.STDOUT:
            return self.theirs[1]
        if given is not None and given != subprocess.DEVNULL:
            return given if isinstance(given, int) else int(given.fileno())
        if given is None:
            with contextlib.suppress(OSError):
                os.fstat(number)
                return number
        nothing = os.open(os.devnull, os.O_RDWR)
        self._stack.callback(os.close, nothing)
        return nothing

    def keep(self) -> list[IO[bytes] | None]:
        """Our ends of the pipes that were asked for."""
        return [
            open(self._ours[number], "wb" if number == 0 else "rb") if number in self._ours else None  # noqa: PTH123
            for number in range(3)
        ]


def folder_of(given: str | Path | None) -> str:
    """The folder that a kernel starts in. Raises NotWarmError where it is none: `Popen` then tells of that."""
    folder = Path(given or Path.cwd()).absolute()
    if not folder.is_dir():
        raise NotWarmError(f"there is no folder {folder}")
    return str(folder)


def _readable(descriptor: int, seconds: float | None) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if seconds is None else seconds * 1000))
