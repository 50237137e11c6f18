"""A runner on a Dask cluster: each of its workers has a local runner of its own, with a sandbox of its own."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from grader.errors import GraderError
from grader.model import Observation, Program, Status
from grader.run import together

if TYPE_CHECKING:
    from grader.cluster import Cluster
    from grader.run.local import LocalRunner

_lock = threading.Lock()
_runners: dict[tuple[str, ...], LocalRunner] = {}


def run_here(program: Program, preload: tuple[str, ...]) -> Observation:
    """On a worker: run a program with the runner of this process, started when it is first needed."""
    from grader.run.local import LocalRunner

    with _lock:
        runner = _runners.get(preload)
        if runner is None:
            runner = _runners[preload] = LocalRunner(preload=preload)
            atexit.register(runner.close)
    return runner.submit(program).result()


class ClusterRunner:
    """See `Runner`. Programs go out, observations come back; nothing else is on the workers."""

    def __init__(self, cluster: Cluster, preload: Sequence[str] = ()) -> None:
        self._cluster = cluster
        self._preload = tuple(preload)
        self._threads = ThreadPoolExecutor(2 * cluster.threads)

    def submit(self, program: Program, by: str | None = None) -> Future[Observation]:
        return self._threads.submit(self._run, program)

    def submit_all(self, programs: Sequence[Program]) -> list[Future[Observation]]:
        submit: Callable[[Program], Future[Observation]] = self.submit
        return together.submit_all(submit, programs)

    def _run(self, program: Program) -> Observation:
        try:
            return self._cluster.call(run_here, program, self._preload)
        except GraderError as error:
            return Observation(Status.NOT_RUN, note=str(error))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._cluster.close()
