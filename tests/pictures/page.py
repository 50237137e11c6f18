"""Every kind of page, in light, dark, on a phone and as printed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.pictures import Picture
from tests.support.browser import browser
from tests.support.page import Served, served

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 375, "height": 800}},
    "print": {"color_scheme": "light", "viewport": {"width": 800, "height": 900}},
}

PAGES = {
    "home": "/", "topic": "/t/warmup", "lesson": "/t/warmup/learn", "test": "/t/warmup/test", "review": "/review",
    "choice": "/q/third-epoch-rate", "code": "/q/write-the-factor", "order": "/q/order-the-resume",
    "table": "/q/steplr-table", "match": "/q/logs-and-schedulers", "author": "/author/third-epoch-rate",
    "progress": "/progress", "data": "/data", "refused": "/nope",
}  # fmt: skip


def _walk(page: Served, tab: Any, shoot: Callable[[str], None]) -> None:
    """Go to each page, and make the states that follow an answer."""
    tab.goto(f"/?token={page.token}")
    for name, path in PAGES.items():
        tab.goto(path)
        shoot(name)
    tab.goto("/q/third-epoch-rate")
    tab.check("input[value=B]")
    for name in ("choice", "code"):
        if name == "code":
            tab.goto("/q/write-the-factor")
            tab.click("button[value=hint]")
            tab.wait_for_selector("#hint")
        tab.click("button.first[value=check]")
        tab.wait_for_selector("#told")
        shoot(f"{name}-answered")
    sitting = page.site.begin("warmup", "test")
    assert sitting
    for entry in page.site.sittings.view(sitting).asked:
        page.site.sittings.answer(sitting, entry.place, "A", tries=0, token=str(entry.place))
        page.site.sittings.solution(sitting, entry.place)
    tab.goto(f"/s/{sitting}")
    shoot("verdict")


def take(folder: Path) -> list[Picture]:
    """See `tests.pictures`."""
    taken: list[Picture] = []
    with tempfile.TemporaryDirectory() as place, browser() as chromium:
        for look, options in LOOKS.items():
            with served(Path(place) / f"{look}.sqlite", author=True) as page:
                context = chromium.new_context(base_url=page.url, **options)
                tab = context.new_page()

                def shoot(name: str, tab: Any = tab, look: str = look) -> None:
                    file = f"page-{name}-{look}.png"
                    tab.emulate_media(media="print" if look == "print" else "screen")
                    tab.screenshot(path=folder / file, full_page=True)
                    tab.emulate_media(media="screen")
                    taken.append(Picture(f"Page, {look}", name, file))

                _walk(page, tab, shoot)
                context.close()
    return taken
