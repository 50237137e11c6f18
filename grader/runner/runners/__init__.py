"""Where programs can run, one file each. A member is a module with what `Place` names; adding a file adds one.

Other packages add theirs through the entry-point group `grader.runners`. A runner is chosen by an address, `NAME` or
`NAME://REST`: with `--on` where a command has that, and by `GRADER_RUNNER` for all that is run.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol, cast

from grader.plugins import Seam
from grader.runner import Runner


class Place(Protocol):
    """What the module of a runner has."""

    TITLE: str
    """Where programs run, in a few words."""

    def make(self, rest: str, preload: Sequence[str] = ()) -> Runner:
        """A runner. `rest` is what comes after `NAME://` in its address, `preload` names modules that programs use.

        Raises InputError where it cannot be had here, and says what is missing.
        """
        ...


SEAM = Seam("runner", __name__, __path__, ("TITLE", "make"))
"""Where runners are found."""

LOCAL = "local"
"""The runner where none is named."""


def names() -> tuple[str, ...]:
    """All runners, those of other packages included."""
    return SEAM.names()


def named(name: str) -> Place:
    """The runner of this name. Raises InputError for one that is not there."""
    return cast("Place", SEAM.module(name))


def make(address: str | None = None, preload: Sequence[str] = ()) -> Runner:
    """The runner at an address, else the one that `GRADER_RUNNER` says, else the local one. Raises InputError."""
    name, _, rest = (address or os.environ.get("GRADER_RUNNER") or LOCAL).partition("://")
    return named(name).make(rest, preload)
