"""The page in a real browser: by mouse, by keys alone, without JavaScript; on a phone, in the dark, with large text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from axe_playwright_python.sync_playwright import Axe

from grader import kinds
from grader.content.verify import PendingProof
from grader.model import Bank, Input, Item, Prompt, Response
from grader.runner.cached import RememberingRunner
from tests.support.common import ROOT
from tests.support.page import Served, filled
from tests.support.patience import milliseconds

SORTS = [sort.__name__ for sort in get_args(Input)]
"""The six sorts of inputs: what a browser has to show is told by the model, not listed here."""


@pytest.fixture
def opened(chromium: Any, page: Served) -> Iterator[Callable[..., Any]]:
    """Opens a tab of the owner; whatever the browser complains of, or asks another host for, fails the test."""
    contexts, complaints = [], []

    def open_tab(*, javascript: bool = True, width: int = 1200, owner: bool = True, **look: str) -> Any:
        context = chromium.new_context(
            base_url=page.url, java_script_enabled=javascript, viewport={"width": width, "height": 900}, **look
        )
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(milliseconds())
        tab.on(
            "console",
            lambda message: (
                complaints.append(message.text) if message.type == "error" and "404" not in message.text else None
            ),
        )
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on(
            "request", lambda asked: None if asked.url.startswith((page.url, "data:")) else complaints.append(asked.url)
        )
        if owner:
            tab.goto(f"/?token={page.token}")
        return tab

    open_tab.complaints = complaints  # type: ignore[attr-defined]  # for what a test provokes
    yield open_tab
    for context in contexts:
        context.close()
    assert complaints == []


def item_with(sort: str, bank: Bank, runner: RememberingRunner) -> tuple[Item, Prompt, str]:
    """The first item of the bank that asks with such an input, and a right answer to it."""
    for item in bank.items:
        kind = kinds.of(item)
        prompt = kind.prompt(item, item.variants[0], None)
        if prompt and not prompt.reveals and any(type(one).__name__ == sort for one in prompt.inputs):
            proof = PendingProof.begin(item, item.variants[0], runner).proof()
            prompt = kind.prompt(item, item.variants[0], proof)
            assert prompt
            return item, prompt, kind.samples(item, proof)["right"]
    raise AssertionError(f"no item of the bank asks with {sort}")


def answer_of(sort: str, bank: Bank, runner: RememberingRunner) -> tuple[Item, dict[str, Any]]:
    item, prompt, raw = item_with(sort, bank, runner)
    response = kinds.of(item).read(prompt, raw)
    assert isinstance(response, Response)
    return item, filled(prompt, response)


def by_mouse(tab: Any, fields: dict[str, Any]) -> None:
    """Fill the form in as somebody with a mouse does, and press the button."""
    for name, value in fields.items():
        found = tab.locator(f'form.answer [name="{name}"]')
        kind = found.first.get_attribute("type")
        if kind in ("radio", "checkbox"):
            for letter in value if isinstance(value, list) else [value]:
                tab.locator(f'label.option:has([name="{name}"][value="{letter}"])').click()
        elif found.first.evaluate("one => one.tagName") == "SELECT":
            if found.is_visible():
                found.select_option(value)
        else:
            found.fill(value)
    if tab.locator("[data-up]").count():
        arrange(tab, fields, lambda button: button.click())
    tab.locator('form.answer button.first[value="check"]').click()


def arrange(tab: Any, fields: dict[str, Any], press: Callable[[Any], None]) -> None:
    """Move lines up until each stands at its place."""
    wanted = [name for name, _ in sorted(fields.items(), key=lambda one: int(one[1]))]
    for place, name in enumerate(wanted):
        while True:
            there = tab.locator(".lines select").evaluate_all("all => all.map(one => one.name)")
            if there.index(name) == place:
                break
            press(tab.locator(".lines [data-up]").nth(there.index(name)))


def by_keys(tab: Any, fields: dict[str, Any]) -> None:
    """The same by keys alone."""
    for name, value in fields.items():
        found = tab.locator(f'form.answer [name="{name}"]').first
        if found.get_attribute("type") in ("radio", "checkbox"):
            for letter in value if isinstance(value, list) else [value]:
                tab.keyboard.press(letter.lower())
            continue
        if found.evaluate("one => one.tagName") == "SELECT":
            continue
        go_to(tab, f'[name="{name}"]')
        tab.keyboard.press("Control+a")
        if found.evaluate("one => one.tagName") == "TEXTAREA":
            tab.keyboard.insert_text(value)
        else:
            tab.keyboard.type(value)
    if tab.locator("[data-up]").count():

        def press(button: Any) -> None:
            go_to(tab, f'[aria-label="{button.get_attribute("aria-label")}"]')
            tab.keyboard.press("Enter")

        arrange(tab, fields, press)
        tab.keyboard.press("Control+Enter")
    elif tab.locator("form.answer textarea").count():
        tab.keyboard.press("Control+Enter")
    else:
        tab.keyboard.press("Enter")


def go_to(tab: Any, what: str) -> None:
    """Press Tab until this has the focus."""
    for _ in range(80):
        if tab.evaluate("what => document.activeElement.matches(what)", what):
            return
        tab.keyboard.press("Escape")  # out of an editor
        tab.keyboard.press("Tab")
    raise AssertionError(f"no Tab leads to {what}")


def has_verdict(tab: Any, *, focus: bool = True) -> str:
    """The verdict's word; it is what the page shows first, and has the focus."""
    told = tab.locator("#told")
    told.wait_for()
    if focus:
        tab.wait_for_function("() => document.activeElement.id === 'told'")
    return " ".join(str(told.locator("h2").inner_text()).split())


@pytest.mark.parametrize("sort", SORTS)
def test_each_input_by_mouse(sort: str, opened: Callable[..., Any], bank: Bank, remembering: RememberingRunner) -> None:
    item, fields = answer_of(sort, bank, remembering)
    tab = opened()
    tab.goto(f"/q/{item.id}?v=0")
    by_mouse(tab, fields)
    assert has_verdict(tab) == "✓ Right"
    assert "s=" in tab.url, "the address leads to the answer"
    tab.reload()
    assert has_verdict(tab, focus=False) == "✓ Right"


@pytest.mark.parametrize(
    "sort", [SORTS[0], pytest.param(SORTS[1]), *[pytest.param(s, marks=pytest.mark.slow) for s in SORTS[2:]]]
)
def test_each_input_by_keys_alone(
    sort: str, opened: Callable[..., Any], bank: Bank, remembering: RememberingRunner
) -> None:
    item, fields = answer_of(sort, bank, remembering)
    tab = opened()
    tab.goto(f"/q/{item.id}?v=0")
    by_keys(tab, fields)
    assert has_verdict(tab) == "✓ Right"


@pytest.mark.parametrize("sort", [SORTS[0], *[pytest.param(s, marks=pytest.mark.slow) for s in SORTS[1:]]])
def test_each_input_without_javascript(
    sort: str, opened: Callable[..., Any], bank: Bank, remembering: RememberingRunner
) -> None:
    item, fields = answer_of(sort, bank, remembering)
    tab = opened(javascript=False)
    tab.goto(f"/q/{item.id}?v=0")
    by_mouse(tab, fields)
    assert has_verdict(tab, focus=False) == "✓ Right"
    assert tab.url.endswith("#told")


def sitting_of(page: Served, *items: str, mode: str = "practice") -> str:
    found = [(page.site.item(item), 0) for item in items]
    return str(page.site.sittings.begin("me", found[0][0].topic, mode, found, mix=5))


def test_a_practice_by_keys_from_first_to_last(opened: Callable[..., Any], page: Served) -> None:
    """Hint, answer, next, solution, the end; Enter goes on, and letters in a field stay letters."""
    name = sitting_of(page, "third-epoch-rate", "warmup-purpose")
    tab = opened()
    tab.goto(f"/s/{name}/1")
    tab.keyboard.press("h")
    tab.locator("#hint").wait_for()
    tab.keyboard.press("b")
    assert tab.locator('input[value="B"]').is_checked()
    tab.keyboard.press("Enter")
    has_verdict(tab)
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"**/s/{name}/2")
    tab.keyboard.press("s")
    assert "Skipped" in has_verdict(tab)
    tab.keyboard.press("p")
    tab.wait_for_url(f"**/s/{name}/1")
    tab.keyboard.press("?")
    assert tab.locator("details.keys").get_attribute("open") is not None
    tab.locator("details.report summary").click()
    tab.locator('input[name="text"]').press_sequentially("nhs?")
    assert tab.locator('input[name="text"]').input_value() == "nhs?"
    tab.goto(f"/s/{name}")
    assert "of 2 right" in tab.locator("h1").inner_text()


def test_single_keys_can_be_turned_off(opened: Callable[..., Any], page: Served) -> None:
    tab = opened()
    tab.goto(f"/s/{sitting_of(page, 'third-epoch-rate')}/1")
    tab.locator("details.keys summary").click()
    tab.get_by_role("button", name="Turn single keys off").click()
    tab.locator('html[data-keys="off"]').wait_for()
    tab.keyboard.press("b")
    assert not tab.locator('input[value="B"]').is_checked()


def test_a_double_click_is_one_answer_and_back_shows_what_came_of_it(opened: Callable[..., Any], page: Served) -> None:
    name = sitting_of(page, "third-epoch-rate")
    tab = opened()
    tab.goto(f"/s/{name}/1")
    tab.locator("label.option").first.click()
    tab.locator('button.first[value="check"]').dblclick()
    verdict = has_verdict(tab)
    assert page.site.records
    assert len(list(page.site.records.attempts(sitting=name))) == 1
    tab.goto("/progress")
    tab.go_back()
    assert has_verdict(tab, focus=False) == verdict


def test_a_draft_outlives_a_reload_and_a_lost_connection(opened: Callable[..., Any], page: Served) -> None:
    name = sitting_of(page, "write-the-factor")
    tab = opened()
    tab.goto(f"/s/{name}/1")
    code = "def factor(epoch):\n    return min((epoch + 1) / warmup_epochs, 1)"
    tab.locator("textarea.code").fill(code)
    tab.reload()
    assert tab.locator("textarea.code").input_value() == code
    tab.route("**/s/**", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    tab.locator('button.first[value="check"]').click()
    tab.get_by_text("The connection is lost").wait_for()
    assert tab.locator("textarea.code").input_value() == code
    tab.unroute("**/s/**")
    assert [complaint for complaint in opened.complaints if "ERR_FAILED" not in complaint] == []  # type: ignore[attr-defined]
    opened.complaints.clear()  # type: ignore[attr-defined]
    tab.locator('button.first[value="check"]').click()
    assert has_verdict(tab) == "✓ Right"


def test_while_others_run_it_is_said_how_many(
    opened: Callable[..., Any], page: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words are a reader's too, the seconds are not."""
    monkeypatch.setattr(page.site, "before", lambda visitor: 2)
    tab = opened()
    tab.goto(f"/s/{sitting_of(page, 'write-the-factor')}/1")
    held: list[Any] = []
    tab.route("**/s/**", lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    tab.locator('button.first[value="check"]').click()
    tab.get_by_text("2 programs are before yours").wait_for()
    assert tab.locator(".wait[role=status] span[aria-hidden]").count() == 1
    held[0].continue_()
    has_verdict(tab)


def test_the_editor_indents_and_lets_go(opened: Callable[..., Any], page: Served) -> None:
    tab = opened()
    tab.goto(f"/s/{sitting_of(page, 'write-the-factor')}/1")
    area = tab.locator("textarea.code")
    area.fill("")
    area.press_sequentially("def f():")
    area.press("Enter")
    area.press_sequentially("x")
    area.press("Enter")
    area.press("Tab")
    area.press_sequentially("y")
    area.press("Shift+Tab")
    assert area.input_value() == "def f():\n    x\n    y"
    area.press("Escape")
    area.press("Tab")
    assert tab.evaluate("document.activeElement.tagName") == "BUTTON"


def test_a_question_page_is_light_and_stands_still(opened: Callable[..., Any], page: Served) -> None:
    tab = opened()
    asked: list[str] = []
    tab.on("request", lambda request: None if request.url.startswith("data:") else asked.append(request.url))
    tab.goto("/q/third-epoch-rate")
    tab.wait_for_load_state("networkidle")
    assert len(asked) <= 4
    shift = """() => new Promise(done => {
        let sum = 0;
        new PerformanceObserver(list => { for (const one of list.getEntries()) sum += one.value; }).observe({type: "layout-shift", buffered: true});
        requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
    })"""
    assert tab.evaluate(shift) == 0


# ---------------------------------------------------------------- accessibility

PAGES = ("/", "/t/warmup", "/t/warmup/test", "/t/warmup/learn", "/review", "/progress", "/data", "/author", "/author/third-epoch-rate", "/nope",
         "/q/third-epoch-rate", "/q/write-the-factor", "/q/order-the-resume", "/q/steplr-table", "ANSWERED", "CODE", "LESSON", "VERDICT")  # fmt: skip
"""One of each kind, and the states of a question."""

LONG = ("/t/warmup/learn", "/author")
"""Pages on which axe takes long; the first is also there in the state LESSON, the second is a list of all items."""


def states(tab: Any, page: Served, *, long: bool = True) -> Iterator[str]:
    """Go to each page, or make the state of one."""
    for path in PAGES:
        if path in LONG and not long:
            continue
        match path:
            case "ANSWERED":
                tab.goto("/q/third-epoch-rate?v=0")
                tab.locator('label.option:has([value="B"])').click()
                tab.locator('button.first[value="check"]').click()
                has_verdict(tab)
            case "CODE":
                tab.goto("/q/write-the-factor?v=0")
                tab.locator('button.first[value="check"]').click()
                has_verdict(tab)
            case "LESSON":
                tab.goto("/t/warmup/learn")
                for anchor in ("q1", "q4"):
                    tab.locator(f"#{anchor} [value=solution]").click()
                    tab.locator(f"#{anchor}-told").wait_for()
            case "VERDICT":
                name = sitting_of(page, "third-epoch-rate", "warmup-purpose", mode="test")
                for place in (1, 2):
                    page.site.sittings.answer(name, place - 1, "A", tries=0, token=f"{name}{place}")
                tab.goto(f"/s/{name}")
            case _:
                tab.goto(path)
        yield path


LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced": {"forced_colors": "active"},
    "phone": {"width": 320},
    "large": {"width": 640},
}


@pytest.mark.parametrize(
    ("look", "long"),
    [
        ("light", False),
        *(
            pytest.param(one, True, marks=pytest.mark.slow if one in ("dark", "phone") else pytest.mark.long)
            for one in LOOKS
        ),
    ],
)
def test_axe_finds_nothing_and_nothing_overflows(
    look: str, long: bool, opened: Callable[..., Any], page: Served
) -> None:
    tab = opened(**LOOKS[look])
    for path in states(tab, page, long=long):
        if look == "large":
            tab.evaluate("document.documentElement.style.fontSize = '200%'")
        found = Axe().run(tab).response
        assert [(one["id"], one["nodes"][0]["target"]) for one in found["violations"]] == [], path
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than the screen"
        assert len(tab.locator("h1").all()) == 1, path


def test_what_is_printed_is_the_question(opened: Callable[..., Any]) -> None:
    tab = opened()
    tab.goto("/q/third-epoch-rate")
    tab.emulate_media(media="print")
    assert not tab.locator(".site").is_visible()
    assert not tab.locator("footer").is_visible()
    assert tab.locator(".stem").is_visible()


def test_the_words_of_the_page_are_told_once(opened: Callable[..., Any]) -> None:
    """One region speaks while an answer is judged; the verdict speaks by having the focus."""
    tab = opened()
    tab.goto("/q/third-epoch-rate?v=0")
    assert tab.locator("[role=status], [aria-live]").count() == 1
    assert tab.locator("#told").count() == 0
    assert tab.title().startswith("Question: ")


@pytest.mark.long
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_first_figure_of_each_lesson_begins_on_the_first_screen(
    width: int, height: int, opened: Callable[..., Any]
) -> None:
    tab = opened(width=width)
    tab.set_viewport_size({"width": width, "height": height})
    below = {}
    pages = sorted((ROOT / "lessons").glob("*/*.md"))
    assert len(pages) > 30
    for page in pages:
        tab.goto(f"/t/{page.parent.name}/{page.stem}")
        top = tab.evaluate("document.querySelector('article.lesson figure')?.getBoundingClientRect().top ?? null")
        if top is None or top >= height:
            below[f"{page.parent.name}/{page.stem}"] = top
    assert not below
