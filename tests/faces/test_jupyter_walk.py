"""A learner's walk through JupyterLab as `grader lab` opens it, with a restart of the kernel in the middle."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import jupyter_walk
from tests.support.browser import browser


@pytest.mark.long
@pytest.mark.waits
@pytest.mark.parametrize("sight", ["light-wide", "dark-620"])
def test_each_station_is_reached(sight: str, tmp_path: Path, environment: dict[str, str]) -> None:
    with browser() as chromium, jupyter_walk.served(tmp_path, environment) as (address, log):
        jupyter_walk.write_notebooks(tmp_path / "lessons")
        with jupyter_walk.opened(chromium, address, tmp_path / "records.sqlite", sight) as walk:
            menus = walk.tab.locator(".lm-MenuBar-itemLabel").all_inner_texts()
            assert not [name for name in menus if "grader" in name.lower()]
            for station in jupyter_walk.WHOLE:
                station(walk)
    said = log.read_text()
    assert "WARNING" not in said
    assert "Traceback" not in said
