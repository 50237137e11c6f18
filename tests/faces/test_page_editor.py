"""The editor for code on the page, in a real browser; and the plain field where it does not come."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from axe_playwright_python.sync_playwright import Axe

from grader.faces.web import assets
from grader.faces.web.assets import editor as address
from grader.runner.local import LocalRunner
from tests.support import editor
from tests.support.page import Served, served
from tests.support.patience import milliseconds

pytestmark = [pytest.mark.slow, pytest.mark.waits]

QUESTION = "/q/write-the-factor?v=0"
RIGHT = "def factor(epoch):\n    return min((epoch + 1) / warmup_epochs, 1)"
TYPING_OVER = "Applying inline style violates"
"""Chromium wants to give what replaces colored text its color, and may not; the editor colors it itself."""


@pytest.fixture(scope="module")
def edited(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str], runner: LocalRunner
) -> Iterator[Served]:
    editor.make()
    address.cache_clear()
    assets.content.cache_clear()
    place = tmp_path_factory.mktemp("editor")
    with (
        patch.dict(os.environ, {"GRADER_CACHE": environment["GRADER_CACHE"]}),
        patch.object(assets, "editor", address),  # the page that other tests share is without
        served(place / "records.sqlite", runner=runner) as found,
    ):
        yield found


@pytest.fixture
def opened(chromium: Any, edited: Served) -> Iterator[Callable[..., Any]]:
    """Opens a tab at a question in code, and keeps what it asks for and complains of."""
    contexts, complaints = [], []

    def open_tab(**look: str) -> Any:
        context = chromium.new_context(base_url=edited.url, **look)
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(milliseconds())
        tab.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.goto(f"/?token={edited.token}")
        tab.goto(QUESTION)
        return tab

    yield open_tab
    for context in contexts:
        context.close()
    assert [one for one in complaints if TYPING_OVER not in one and "ERR_FAILED" not in one] == []


def test_it_is_loaded_when_somebody_goes_to_write(opened: Callable[..., Any]) -> None:
    """With a focus, and no sooner; what it holds is the answer, and outlives a reload; a learner leaves it by keys."""
    tab = opened()
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(QUESTION)
    assert asked
    assert not any(assets.EDITOR in one for one in asked)
    tab.get_by_text("Your code", exact=True).click()
    content = tab.get_by_role("textbox", name="Your code")
    tab.locator(".editor").wait_for()
    tab.keyboard.press("Control+a")
    tab.keyboard.type("def factor(epoch):")
    tab.keyboard.press("Enter")
    tab.keyboard.type("return min((epoch + 1) / warmup_epochs, 1)")
    field = tab.locator("textarea.code")
    assert field.input_value() == RIGHT
    assert content.inner_text() == RIGHT
    tab.reload()
    assert field.input_value() == RIGHT
    field.focus()
    tab.locator(".editor").wait_for()
    tab.keyboard.press("Tab")
    assert field.input_value() != RIGHT
    tab.keyboard.press("Control+z")
    assert field.input_value() == RIGHT
    tab.keyboard.press("Escape")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.value") == "check"
    content.click()
    tab.keyboard.press("Control+Enter")
    tab.locator("#told").wait_for()
    assert tab.locator("#told h2").inner_text().split() == ["✓", "Right"]


def test_once_loaded_it_is_there_with_the_next_answer(opened: Callable[..., Any]) -> None:
    tab = opened()
    tab.locator("textarea.code").focus()
    tab.locator(".editor").wait_for()
    tab.locator('button.first[value="check"]').click()
    tab.locator("#told").wait_for()
    assert tab.locator(".editor").count() == 1
    assert tab.locator("textarea.code").is_hidden()


@pytest.mark.parametrize("look", [{}, {"color_scheme": "dark"}, {"forced_colors": "active"}], ids=str)
def test_axe_finds_nothing_in_it(opened: Callable[..., Any], look: dict[str, str]) -> None:
    tab = opened(**look)
    tab.locator("textarea.code").focus()
    tab.locator(".editor").wait_for()
    found = Axe().run(tab, options={"resultTypes": ["violations"]})
    assert found.response["violations"] == []


def test_where_it_does_not_come_the_field_stays(opened: Callable[..., Any]) -> None:
    tab = opened()
    tab.route(f"**/{assets.EDITOR}*", lambda route: route.abort())
    with tab.expect_event("requestfailed"):
        tab.locator("textarea.code").focus()
    tab.locator("textarea.code").fill(RIGHT)
    tab.keyboard.press("Control+Enter")
    tab.locator("#told").wait_for()
    assert tab.locator("#told h2").inner_text().split() == ["✓", "Right"]


def test_a_page_without_it_names_none(page: Served, tmp_path: Path) -> None:
    with patch.object(assets, "STATIC", tmp_path):
        assert address.__wrapped__() == ""
        with pytest.raises(KeyError):
            assets.content.__wrapped__(assets.EDITOR)
    with patch.object(assets, "editor", str):
        assert "data-editor" not in page.client().get(QUESTION).text
