"""The children of a worker, as the supervisor has them: what they are given, what comes back, and how they end.

Each has a socket to us, on which it takes one program and returns one frame, and two pipes for what it prints.
Only the supervisor's thread calls what is here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

from grader.model import Observation, Status
from grader.runner.inside import codec, wire
from grader.runner.processes import BEGIN_SECONDS, Child, Job, Worker, how_it_ended, texts
from grader.runner.progress import LOOK_SECONDS, Look

LEAVE_SECONDS = 0.1
"""How long a child may live on after its result, before it is killed. An honest one leaves at once."""

SEND_SECONDS = 5.0
"""How long a child may take to take in its program, which a buffer of the system's holds unless it is very long."""


class Children:
    """The children of one worker.

    `again` is called with a program that could not be run, and why; `begun` when one begins.
    """

    def __init__(
        self,
        worker: Worker,
        selector: selectors.BaseSelector,
        numbers: Iterator[int],
        again: Callable[[Job, str], None],
        begun: Callable[[], None],
    ) -> None:
        self.worker, self._selector, self._numbers = worker, selector, numbers
        self._again, self._begun = again, begun

    def give(self, child: Child, job: Job) -> None:
        """Have a child that waits run a program."""
        program = job.program
        child.job, child.started = job, time.monotonic()
        child.deadline = child.started + BEGIN_SECONDS
        try:
            frame = wire.pack(codec.document(program))
        except (ValueError, UnicodeEncodeError) as error:
            child.job = None
            settle(job, Observation(Status.NOT_RUN, note=f"the program cannot be sent: {error}"))
            self._kill(child)
            return
        try:
            child.sock.sendall(frame)
        except OSError:  # it has gone, or does not listen: the worker tells how it ended, and then it is run again
            self._kill(child)

    def _kill(self, child: Child) -> None:
        with contextlib.suppress(OSError):  # a worker that has gone is seen at its socket
            self.worker.control.sendall(wire.COMMAND.pack(wire.KILL, child.number))

    def _look(self, child: Child) -> None:
        """Have the worker tell what a child has used."""
        child.next_look = time.monotonic() + LOOK_SECONDS
        with contextlib.suppress(OSError):  # a worker that has gone is seen at its socket
            self.worker.control.sendall(wire.COMMAND.pack(wire.LOOK, child.number))

    def saw(self, number: int, look: Look) -> None:
        """Take in what a child has used: does it go on, or wait for something that does not come?"""
        child = self.worker.children.get(number)
        if child is None or not (child.job and child.begun) or child.stopped:
            return
        limits = child.job.program.limits
        child.progress.add(look, limits.waiting_seconds)
        child.asleep = child.progress.naps()
        if child.progress.is_stuck(limits):
            child.stuck = True
            self._stop(child, Status.TIMEOUT)

    def jobs(self) -> list[Job]:
        """The programs that children have."""
        return [child.job for child in self.worker.children.values() if child.job]

    def drop(self) -> list[Job]:
        """Forget all children; the programs that they had and no result of."""
        held = []
        for child in list(self.worker.children.values()):
            if child.job and not self.collect(child):
                held.append(child.job)
            self.forget(child)
        return held

    def moments(self) -> list[float]:
        """When children have to be looked at."""
        found = []
        for child in self.worker.children.values():
            if child.leaving:
                found.append(child.deadline)
            elif child.job and child.stopped is None:
                found.append(min(child.deadline, child.next_look) if child.begun else child.deadline)
        return found

    def check(self, now: float) -> None:
        """Look at children whose moment has come, and stop those that are over their time."""
        for child in self.worker.children.values():
            if child.leaving:
                if now >= child.deadline:
                    child.leaving = False
                    self._kill(child)
            elif child.job and child.stopped is None:
                if now >= child.deadline:
                    self._stop(child, Status.TIMEOUT)
                elif child.begun and now >= child.next_look:
                    self._look(child)

    def _stop(self, child: Child, why: Status) -> None:
        child.stopped = why
        self._kill(child)

    def beget(self, *, warm: bool) -> None:
        """Have the worker fork a child. It can be given a program at once: that waits for it in its socket."""
        ours, theirs = socket.socketpair()
        (out, its_out), (err, its_err) = os.pipe(), os.pipe()
        child = Child(next(self._numbers), ours, out, err)
        child.printed = {out: bytearray(), err: bytearray()}
        ours.settimeout(SEND_SECONDS)
        command = wire.COMMAND.pack(wire.FORK_WARM if warm else wire.FORK, child.number)
        with contextlib.suppress(OSError):  # a worker that has gone is seen at its socket
            socket.send_fds(self.worker.control, [command], [theirs.fileno(), its_out, its_err])
        theirs.close()
        os.close(its_out)
        os.close(its_err)
        self.worker.children[child.number] = child
        self.worker.idle.append(child)
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._take_frame(child))
        for pipe in child.printed:
            os.set_blocking(pipe, False)
            self._selector.register(pipe, selectors.EVENT_READ, self._reader(child, pipe))

    def _reader(self, child: Child, pipe: int) -> Callable[[], bool]:
        return lambda: self._take_output(child, pipe)

    def _take_output(self, child: Child, pipe: int) -> bool:
        """Read what was printed; False at the end, or where there is nothing now."""
        if child.hung_up:  # by an earlier event of the same round
            return False
        try:
            chunk = os.read(pipe, 65536)
        except BlockingIOError:
            return False
        if not chunk:
            self._unregister(pipe)
            return False
        if child.job is None:
            child.printed[pipe] += chunk[: 4096 - len(child.printed[pipe])]  # before it has one: why it cannot begin
            return True
        most = child.job.program.limits.output_bytes
        room = most - sum(map(len, child.printed.values()))
        child.printed[pipe] += chunk[:room]
        if len(chunk) > room and child.stopped is None:
            self._stop(child, Status.OUTPUT)
        return child.stopped is None

    def _take_frame(self, child: Child) -> None:
        if child.hung_up:
            return
        try:
            chunk = child.sock.recv(1 << 20)
        except OSError:
            chunk = b""
        if not chunk:
            self._unregister(child.sock)  # how it ended is the worker's to say
            return
        child.received += chunk
        if self.collect(child):
            child.leaving, child.deadline = True, time.monotonic() + LEAVE_SECONDS
            self._hang_up(child)

    def _has_begun(self, child: Child) -> bool:
        """Whether the child has said that it begins with its program."""
        if child.begun or not child.job or not child.received:
            return child.begun
        child.begun = child.received[:1] == wire.BEGUN
        if child.begun:
            del child.received[:1]
            now = time.monotonic()
            child.next_look, child.deadline = now + LOOK_SECONDS, now + child.job.program.limits.wall_seconds
            self._begun()
        return child.begun

    def collect(self, child: Child) -> bool:
        """Settle the child's job from its frame, where a whole one is there."""
        if not self._has_begun(child) or child.job is None or child.stopped is not None or child.garbled:
            return False
        try:
            frame = wire.unpack(child.received)
            if frame is None:
                return False
            observation = codec.decode_for(child.job.program, frame)
        except Exception as error:  # noqa: BLE001  (whatever a child sends is its own trouble, never ours)
            child.garbled = str(error)[:200]
            self._kill(child)
            return False
        if not self._drain(child):  # its last words were too many
            return False
        note = observation.note
        if child.job.trouble:
            note = f"{note}; run twice: {child.job.trouble} the first time".lstrip("; ")
        out, err = texts(child)
        self._done(child, dataclasses.replace(observation, stdout=out, stderr=err, note=note))
        return True

    def _drain(self, child: Child) -> bool:
        """Read what is left in the child's pipes; whether it stayed within its limit."""
        for pipe in child.printed:
            while pipe in self._selector.get_map() and self._take_output(child, pipe):
                pass
        return child.stopped is None

    def bury(self, number: int, code: int, cpu: float, rss: int) -> None:
        """A child has ended: settle its job by how it ended, where no frame did."""
        child = self.worker.children[number]
        if not child.hung_up:
            with contextlib.suppress(OSError):
                while chunk := child.sock.recv(1 << 20, socket.MSG_DONTWAIT):
                    child.received += chunk
        if child.job and not self.collect(child):
            self._drain(child)
            if not child.begun:
                self._could_not_begin(child)
                return
            if child.stopped is Status.TIMEOUT and not child.stuck and child.progress.starved():
                self._take_back(child, "it got no core to run on")
                return
            status, note = how_it_ended(child, code, cpu)
            seconds = time.monotonic() - child.started
            peak = max(0, rss - self.worker.rss)
            out, err = texts(child)
            seen = Observation(status, stdout=out, stderr=err, seconds=seconds, peak_bytes=peak, note=note)
            self._done(child, seen)
        elif child.job is None and not child.hung_up and child.started == 0:
            self._could_not_begin(child)
            return
        self.forget(child)

    def _could_not_begin(self, child: Child) -> None:
        """A child ended before its program began: no program's doing, so the worker is replaced."""
        said = "".join(texts(child)).strip()
        self.worker.broken = said.splitlines()[-1] if said else "its processes end before they begin"
        self._take_back(child, "its process ended before it began")

    def _take_back(self, child: Child, trouble: str) -> None:
        """Forget a child that has ended; what it was to run is tried once more."""
        job, child.job = child.job, None
        self.forget(child)
        if job:
            self._again(job, trouble)

    def _done(self, child: Child, observation: Observation) -> None:
        job, child.job = child.job, None
        if job:
            settle(job, observation)

    def forget(self, child: Child) -> None:
        del self.worker.children[child.number]
        with contextlib.suppress(ValueError):
            self.worker.idle.remove(child)
        self._hang_up(child)

    def _hang_up(self, child: Child) -> None:
        """Stop listening to a child: what it still says is nobody's."""
        if child.hung_up:
            return
        child.hung_up = True
        self._unregister(child.sock)
        child.sock.close()
        for pipe in child.printed:
            self._unregister(pipe)
            os.close(pipe)

    def _unregister(self, thing: Any) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(thing)


def settle(job: Job, observation: Observation) -> None:
    """Say what became of a program to whoever waits for it."""
    if not job.future.done():
        with contextlib.suppress(Exception):  # a done-callback that fails is not the runner's to end on
            job.future.set_result(observation)
