"""The pages of docs/ as a site: built without a warning, cells run, links that lead somewhere, nothing from elsewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import built_pages
from tests.support.common import ROOT
from tests.support.patience import COMMAND, seconds

pytestmark = [pytest.mark.slow, pytest.mark.waits]

DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """What `make docs` builds; a warning is an error."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", str(DOCS), str(out)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=seconds(COMMAND)
    )
    assert done.returncode == 0, done.stderr
    return out


def test_the_site_has_every_page_and_its_links_lead_somewhere(site: Path) -> None:
    for page in DOCS.rglob("*.md"):
        assert (site / page.relative_to(DOCS)).with_suffix(".html").exists()
    assert built_pages.followed(site) > 1_000


def test_cells_were_run_and_show_what_they_gave(site: Path) -> None:
    page = (site / "learner/jupyter.html").read_text()
    assert "An epoch trains before the scheduler steps." in page
    assert "Without a cap the factor never stops rising." in page
    fields = (site / "author/schema.html").read_text()
    assert "What PyTorch says; options have a" in fields
    assert fields.count("<tr") > 200
    assert "--no-records" in (site / "reference/commands.html").read_text()


def test_nothing_is_fetched_from_another_host(site: Path) -> None:
    assert built_pages.fetched_from_elsewhere(site) == set()
