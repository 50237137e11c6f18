"""A Dask cluster that somebody runs: what there is to know of it before anything is sent there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from grader import __version__
from grader.errors import GraderError, InputError

SCHEME = "dask://"
CONNECT_SECONDS = 10
"""How long to wait for the scheduler."""

T = TypeVar("T")


class ClusterError(GraderError):
    """Something was not done there, although it was tried more than once."""


class Cluster:
    """A connection to the scheduler of a cluster whose workers have this version of torch-grader."""

    def __init__(self, url: str) -> None:
        """`url` is `dask://HOST:PORT`. Raises InputError where nothing can be run there, and says why."""
        if not url.startswith(SCHEME) or not url.removeprefix(SCHEME):
            raise InputError(f"`{url}` is not the address of a cluster", f"give the scheduler's, as {SCHEME}HOST:8786")
        try:
            from distributed import Client
        except ImportError:
            raise InputError("Dask is not installed here", "pip install 'torch-grader[cluster]'") from None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is told by whoever waits
        made: Any = Client  # untyped
        address = f"tcp://{url.removeprefix(SCHEME)}"
        try:
            self.client: Any = made(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            hint = "is it running, and is the address right? `dask scheduler` prints it"
            raise InputError(f"the scheduler at {url} cannot be reached: {said}", hint) from None
        try:
            self._look()
        except BaseException:
            self.close()
            raise

    def _look(self) -> None:
        try:
            versions: dict[str, str] = self.client.run(version)
        except Exception as error:  # noqa: BLE001  (whatever a worker says to a function that it does not have)
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            hint = f"install torch-grader {__version__} where the workers run"
            raise InputError(f"the workers cannot load torch-grader: {said}", hint) from None
        if not versions:
            raise InputError("the cluster has no workers", "start one: `dask worker SCHEDULER`")
        here = version()
        for name, there in versions.items():
            if there != here:
                raise InputError(
                    f"the worker {name} has {there}, and here is {here}", "install the same on all of them"
                )

    @property
    def threads(self) -> int:
        """How many tasks its workers take at a time."""
        counts: dict[str, int] = self.client.nthreads()
        return max(1, sum(counts.values()))

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Run a function of this package there; a worker that dies costs a retry. Raises GraderError."""
        try:
            result: T = self.client.submit(function, *arguments, pure=False, retries=2).result()
        except GraderError:
            raise
        except Exception as error:  # noqa: BLE001  (a worker's, a scheduler's or a connection's end has many names)
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ClusterError(f"the cluster did not do it: {said}", "see the logs of its workers") from None
        return result

    def everywhere(self, function: Callable[[], T]) -> list[T]:
        """Run a function of this package once on each worker. Raises ClusterError."""
        try:
            results: dict[str, T] = self.client.run(function)
        except Exception as error:  # noqa: BLE001  (as above)
            raise ClusterError(f"the cluster did not do it: {error}", "see the logs of its workers") from None
        return list(results.values())

    def alive(self) -> bool:
        """Whether there are a scheduler and a worker that answer."""
        try:
            return bool(self.client.nthreads())
        except Exception:  # noqa: BLE001  (as above)
            return False

    def close(self) -> None:
        """Hang up."""
        self.client.close(timeout=CONNECT_SECONDS)


def version() -> str:
    """What results depend on, as it is installed where this runs."""
    from importlib.metadata import version as installed

    return f"torch-grader {__version__} with torch {installed('torch').partition('+')[0]}"
