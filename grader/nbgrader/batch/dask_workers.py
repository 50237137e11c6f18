"""Submissions graded on a Dask cluster, sent as data. Each of its workers has a station, in a process beside it.

That process is started with the first submission of an assignment, and leaves some minutes after the last one, or with
its worker. `python -m grader.nbgrader.batch.dask_workers DESCRIPTOR...` is the process.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import queue
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import GraderError, InputError
from grader.nbgrader.batch.jobs import GradedSubmission, GradingJob, Setup, failed, read
from grader.runner.dask import Cluster, ClusterError

if TYPE_CHECKING:
    from grader.nbgrader.batch.workers import LocalWorkers

IDLE_SECONDS = 300
"""How long a station stays when nothing is sent to it."""

_lock = threading.Lock()
_beside: dict[str, WorkerSubprocess] = {}


class Remote:
    """See `crew.Grading`."""

    def __init__(self, cluster: Cluster, setup: Setup) -> None:
        """Raises InputError where the course's configuration cannot be sent."""
        import cloudpickle

        self._cluster = cluster
        try:
            packed: bytes = cloudpickle.dumps(setup)
        except Exception as error:  # noqa: BLE001  (anything may be in a configuration, and refuse in its own way)
            reason = f"nbgrader_config.py has something that cannot be sent to the cluster: {error}"
            raise InputError(reason, "name classes and functions by dotted names of installed modules") from None
        self._setup = cluster.client.scatter(packed, broadcast=True)

    def grade(self, job: GradingJob) -> GradedSubmission:
        """Raises GraderError where the cluster is gone. What cannot be graded there is an outcome too."""
        try:
            packed = job.packed()
        except OSError as error:
            return failed(job, f"it cannot be read: {error}")
        try:
            return self._cluster.call(grade_here, self._setup, packed)
        except ClusterError as error:
            if not self._cluster.alive():
                raise
            return failed(job, str(error))  # it has cost several workers: the others need not wait for it


def grade_here(setup: bytes, job: GradingJob) -> GradedSubmission:
    """On a worker: grade a submission at the station beside it. Raises EOFError where that ends meanwhile."""
    key = hashlib.sha256(setup).hexdigest()
    with _lock:
        beside = _beside.get(key)
        if beside is None or beside.gone:
            for other in _beside.values():
                other.let_go()  # of an assignment that was graded before
            _beside.clear()
            beside = _beside[key] = WorkerSubprocess(setup)
    return beside.grade(job)


class WorkerSubprocess:
    """A station in a process of its own, as a worker sees it."""

    def __init__(self, setup: bytes) -> None:
        pairs = [socket.socketpair() for _ in range(_threads())]
        theirs = [pair[1].fileno() for pair in pairs]
        package = str(Path(__file__).resolve().parents[3])
        path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(  # noqa: S603  (this program)
            [sys.executable, "-P", "-m", "grader.nbgrader.batch.dask_workers", *map(str, theirs)],
            pass_fds=theirs,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path},
        )
        self._connections = [Connection(ours.detach()) for ours, _ in pairs]
        for _, end in pairs:
            end.close()
        self._connections[0].send_bytes(setup)
        self._free: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        for connection in self._connections:
            self._free.put(connection)

    @property
    def gone(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def grade(self, job: GradingJob) -> GradedSubmission:
        connection = self._free.get()
        try:
            connection.send(job)
            outcome: GradedSubmission | GraderError = connection.recv()
        except OSError as error:
            raise EOFError(str(error)) from None
        finally:
            self._free.put(connection)
        if isinstance(outcome, GraderError):
            raise outcome
        return outcome

    def let_go(self) -> None:
        """Hang up, upon which it leaves."""
        for connection in self._connections:
            connection.close()
        threading.Thread(target=self._process.wait, daemon=True).start()


def _threads() -> int:
    """How many submissions this worker takes at a time."""
    from distributed import get_worker

    return int(get_worker().state.nthreads)


# ---------------------------------------------------------------- the process beside a worker


def main(descriptors: list[int]) -> None:
    """Serve, each connection in a thread of its own, until the worker hangs up."""
    from grader.nbgrader.batch import without_iris

    without_iris()
    from grader.nbgrader.batch.workers import LocalWorkers

    connections = [Connection(descriptor) for descriptor in descriptors]
    setup: Setup = pickle.loads(connections[0].recv_bytes())  # noqa: S301  (of whoever gives this worker its work)
    results = Path(tempfile.mkdtemp(prefix="grader-results-"))
    try:
        with LocalWorkers(setup, len(connections), None, results) as station:
            ready = Ready(station)
            threads = [threading.Thread(target=serve, args=(ready, connection)) for connection in connections]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        shutil.rmtree(results, ignore_errors=True)


class Ready:
    """A station that gets ready to judge with the first submission; what is in the way is told to each."""

    def __init__(self, station: LocalWorkers) -> None:
        self._station = station
        self._lock = threading.Lock()
        self._begun = False

    def grade(self, job: GradingJob) -> GradedSubmission:
        with self._lock:
            if not self._begun:
                self._station.begin()
                self._begun = True
        outcome = self._station.grade(job)
        if isinstance(outcome.autograded, Path):
            files = read(outcome.autograded)
            shutil.rmtree(outcome.autograded)
            return replace(outcome, autograded=files)
        return outcome


def serve(ready: Ready, connection: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        while connection.poll(IDLE_SECONDS):
            job = connection.recv()
            try:
                connection.send(ready.grade(job))
            except GraderError as error:
                connection.send(error)
    connection.close()


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]])
