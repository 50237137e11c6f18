"""`local`: a sandbox on this machine."""

from __future__ import annotations

from collections.abc import Sequence

from grader.errors import InputError
from grader.runner import Runner

TITLE = "in a sandbox on this machine"


def make(rest: str, preload: Sequence[str] = ()) -> Runner:
    """See `Place`."""
    if rest:
        raise InputError(f"the runner `local` takes no address, and was given `{rest}`", "write `local`")
    from grader.runner.local import LocalRunner

    return LocalRunner(preload=preload)
