"""The question and its answer that README.md shows, in light and dark: `python -m tests.pictures readme` writes them into docs/pictures."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.pictures import Picture
from tests.support.browser import browser
from tests.support.common import ROOT
from tests.support.page import served

QUESTION, WRONG = "/q/third-epoch-rate?v=0", "B"
WIDTH, HEIGHT = 1100, 1040


def take(folder: Path) -> list[Picture]:
    """See `tests.pictures`."""
    taken = []
    with tempfile.TemporaryDirectory() as place, browser() as chromium:
        for look in ("light", "dark"):
            with served(Path(place) / f"{look}.sqlite") as page:
                context = chromium.new_context(
                    base_url=page.url, color_scheme=look, viewport={"width": WIDTH, "height": HEIGHT}
                )
                tab = context.new_page()
                tab.goto(f"/?token={page.token}")
                tab.goto(QUESTION)
                tab.check(f"input[value={WRONG}]")
                tab.click("button.first[value=check]")
                tab.wait_for_selector("#told")
                tab.evaluate("scrollTo(0, 0)")
                file = f"question-{look}.png"
                for where in (folder, ROOT / "docs/pictures"):
                    tab.screenshot(path=where / file)
                taken.append(Picture("README", look, file))
                context.close()
    return taken
