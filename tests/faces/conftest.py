"""What tests of the page share: one that is served through HTTP, with the tests' runner behind it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from grader.faces.web import assets
from grader.runner.local import LocalRunner

if TYPE_CHECKING:
    from tests.support.page import Served


@pytest.fixture(scope="session")
def page(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str], runner: LocalRunner
) -> Iterator[Served]:
    """The page over the shipped bank, with records of its own; one for all tests of it. Code is written in a plain field."""
    from tests.support.page import served

    place = tmp_path_factory.mktemp("page")
    with contextlib.ExitStack() as stack:
        with patch.dict(os.environ, {"GRADER_CACHE": environment["GRADER_CACHE"]}):
            found = stack.enter_context(served(place / "records.sqlite", runner=runner, author=True))
        stack.enter_context(patch.object(assets, "editor", str))
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for the tests of a file; where it is open, nothing else of the process may have an event loop."""
    from tests.support.browser import browser

    with browser() as found:
        yield found
