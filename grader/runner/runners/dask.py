"""`dask`: a Dask cluster. Each of its workers has a local runner of its own, with a sandbox of its own."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Sequence

from grader.errors import GraderError
from grader.model import Observation, Program, Status
from grader.runner.dask import SCHEME, Cluster
from grader.runner.local import LocalRunner
from grader.runner.simple import SimpleRunner

TITLE = "on the workers of a Dask cluster"

_lock = threading.Lock()
_runners: dict[tuple[str, ...], LocalRunner] = {}


def _runner(preload: tuple[str, ...] = ()) -> LocalRunner:
    """On a worker: the runner of this process, started when it is first needed."""
    with _lock:
        runner = _runners.get(preload)
        if runner is None:
            runner = _runners[preload] = LocalRunner(preload=preload)
            atexit.register(runner.close)
    return runner


def run_here(program: Program, preload: tuple[str, ...]) -> Observation:
    """On a worker: run a program."""
    return _runner(preload).submit(program).result()


def contained_here() -> bool:
    """On a worker: whether it has a sandbox."""
    return _runner().contained()


class ClusterRunner(SimpleRunner):
    """See `Runner`. Programs go out, observations come back; nothing else is on the workers."""

    def __init__(self, cluster: Cluster, preload: Sequence[str] = ()) -> None:
        super().__init__(2 * cluster.threads)
        self._cluster, self._preload = cluster, tuple(preload)

    def run(self, program: Program) -> Observation:
        """See `SimpleRunner`."""
        try:
            return self._cluster.call(run_here, program, self._preload)
        except GraderError as error:
            return Observation(Status.NOT_RUN, note=str(error))

    def contained(self) -> bool:
        """Whether all workers have a sandbox."""
        return all(self._cluster.everywhere(contained_here))

    def close(self) -> None:
        """See `Runner`."""
        super().close()
        self._cluster.close()


def make(rest: str, preload: Sequence[str] = ()) -> ClusterRunner:
    """See `Place`."""
    return ClusterRunner(Cluster(f"{SCHEME}{rest}"), preload)
