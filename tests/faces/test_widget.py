"""Questions in a real JupyterLab and Notebook 7, in a real browser: by mouse, by keyboard, after a reload, in the dark."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader import kinds
from grader.content.verify import PendingProof
from grader.learning.records import Records
from grader.model import Bank, Item, Proof
from grader.runner.cached import RememberingRunner
from tests.support import lab
from tests.support.browser import browser
from tests.support.items import exercise
from tests.support.patience import milliseconds, until

KINDS = {
    "choice": "warmup-purpose",
    "multi": "",
    "number": "",
    "sequence": "steplr-table",
    "fill": "fill-start-fraction",
    "order": "order-the-resume",
    "code": "write-the-factor",
    "repair": "",
}
"""An item of each kind; the first of the bank where none is named."""


def item_of(bank: Bank, kind: str) -> Item:
    named = KINDS[kind]
    return next(item for item in bank.items if (item.id == named if named else item.kind == kind))


@pytest.fixture(scope="module")
def jupyter(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str], bank: Bank, proven: None
) -> Iterator[tuple[str, Path]]:
    """JupyterLab with notebooks that ask; its address and its home."""
    home = tmp_path_factory.mktemp("widgets")
    folder = home / "notebooks"
    folder.mkdir()
    first = "from grader.jupyter import quiz, answer, check, hint, compare"
    lab.notebook(folder / "practice.ipynb", [first, 'quiz("warmup")'])
    lab.notebook(folder / "test.ipynb", [first, 'quiz("warmup", mode="test", seed=3)'])
    lab.notebook(folder / "card.ipynb", [first, f'quiz("{next(i.id for i in bank.items if i.kind == "card")}")'])
    asked = [f'quiz("{item_of(bank, kind).id}", in_order=True)' for kind in KINDS]
    lab.notebook(folder / "kinds.ipynb", [first, *asked])
    lab.notebook(folder / "mixed.ipynb", [first, 'quiz("third-epoch-rate", mix=1)'])
    drafts = [f'quiz("{item_of(bank, kind).id}", mix=1)' for kind in ("choice", "sequence", "fill", "order", "code")]
    lab.notebook(folder / "drafts.ipynb", [first, *drafts])
    for kind in ("choice", "order", "code"):
        lab.notebook(folder / f"{kind}.ipynb", [first, f'quiz("{item_of(bank, kind).id}")'])
    with lab.server(home, folder, {**environment, "GRADER_DB": str(home / "records.sqlite")}) as address:
        yield address, home


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as found:
        yield found


@pytest.fixture
def tab(chromium: Any, jupyter: tuple[str, Path]) -> Iterator[Any]:
    """A new page, and a learner who has answered nothing yet."""
    for path in jupyter[1].glob("records.sqlite*"):
        path.unlink()
    page = chromium.new_page(viewport={"width": 1200, "height": 1000})
    page.set_default_timeout(milliseconds())
    yield page
    page.close()


def proof_of(item: Item, runner: RememberingRunner) -> Proof:
    return PendingProof.begin(item, item.variants[0], runner).proof()


def plain(text: str) -> str:
    """A text without markup, escapes and spaces, to look for others in it."""
    text = html.unescape(re.sub(r"<[^>]+>|\\\\[nt\"]", "", text)).replace("\\n", "").replace('\\"', '"')
    return re.sub(r"[\s`*]", "", text)


def secrets_of(item: Item, proof: Proof, right: str) -> list[str]:
    """What nobody may read before an answer: the steps of the solution, the hints, and an answer that is no letter."""
    said = [*proof.solution, *proof.hints]
    if exercise(item) and item.kind != "order":
        shown = f"{exercise(item).starter}\n{item.program}"
        said += [line for line in right.split("\n") if line.strip() not in shown]
    if item.kind == "sequence":
        said.append(right)
    return [secret for secret in map(plain, said) if len(secret) > 14]


def question(tab: Any, number: int = 0) -> Any:
    found = tab.locator(".tg-question").nth(number)
    found.locator("form, button").first.wait_for()
    return found


def give(section: Any, item: Item, raw: str) -> None:
    """Put a raw answer into the widget as a person with a mouse would."""
    match item.kind:
        case "choice" | "multi":
            for letter in re.findall(r"[A-H]", raw):
                section.locator(f'input[value="{letter}"]').check()
        case "number":
            section.locator("input").fill(raw)
        case "sequence":
            for place, word in enumerate(raw.split()):
                section.locator("input").nth(place).fill(word)
        case "fill":
            for place, part in enumerate(raw.split("; ")):
                section.locator("input").nth(place).fill(part)
        case "order":
            arrange(section, [int(digit) for digit in raw.split()], lambda button: button.click())
        case _:
            section.locator("textarea").fill(raw)


def arrange(section: Any, wanted: list[int], press: Any) -> None:
    """Move lines up until they stand as wanted (numbers of the lines as they are shown at first)."""
    lines = section.locator(".tg-lines li code").all_inner_texts()
    target = [lines[number - 1] for number in wanted]
    for place, line in enumerate(target):
        now = section.locator(".tg-lines li code").all_inner_texts()
        for step in range(now.index(line, place), place, -1):
            press(section.locator(".tg-lines li").nth(step).locator("button").first)


@pytest.mark.slow
def test_right_and_wrong_answers_of_every_kind_with_the_mouse(
    jupyter: tuple[str, Path], tab: Any, bank: Bank, remembering: RememberingRunner
) -> None:
    address, home = jupyter
    path = home / "notebooks" / "kinds.ipynb"
    lab.open_in_lab(tab, address, path.name)
    question(tab, len(KINDS) - 1)
    lab.save(tab)
    before = [plain(tab.content()), plain(path.read_text())]
    secrets = []
    for number, kind in enumerate(KINDS):
        item = item_of(bank, kind)
        proof = proof_of(item, remembering)
        samples = kinds.named(kind).samples(item, proof)
        secrets += secrets_of(item, proof, samples["right"])
        answer_wrong_then_right(question(tab, number), item, samples)
    assert len(secrets) > 2 * len(KINDS)
    lab.save(tab)
    for text in (*before, plain(path.read_text())):
        assert "Putthelinesof" in text  # the questions themselves are there
        assert [secret for secret in secrets if secret in text] == []
    lab.end(tab)


def answer_wrong_then_right(section: Any, item: Item, samples: dict[str, str]) -> None:
    give(section, item, samples["wrong"])
    section.get_by_role("button", name="Check").click()
    section.locator(".tg-verdict").wait_for()
    assert re.search("Not right|Partly right", section.locator(".tg-verdict").first.inner_text()), item.id
    if section.get_by_role("button", name="Answer again").count():
        assert "Solution" in section.inner_text()
        section.get_by_role("button", name="Answer again").click()
        section.locator(".tg-verdict").wait_for(state="detached")
    else:
        assert "Solution" not in section.inner_text()  # it may be tried again
    if item.kind in ("code", "sequence"):
        assert "Should be" in section.locator("figure svg[role=img]").get_attribute("aria-label")
    if item.kind == "order":
        return  # the lines stand elsewhere now; the test of the keyboard puts them right
    give(section, item, samples["right"])
    section.get_by_role("button", name=re.compile("Check")).first.click()
    section.locator('.tg-told[data-outcome="correct"]').wait_for()
    assert "Right." in section.inner_text()


def test_the_keyboard_alone(jupyter: tuple[str, Path], tab: Any, bank: Bank, remembering: RememberingRunner) -> None:
    """Order, choice and code, answered with Tab, arrows, Space and Enter; the focus goes to what is said."""
    address, _ = jupyter
    item = item_of(bank, "order")
    right = kinds.named("order").samples(item, proof_of(item, remembering))["right"]
    lab.open_in_lab(tab, address, "order.ipynb")
    section = question(tab)

    def press(button: Any) -> None:
        button.focus()
        tab.keyboard.press("Enter")

    arrange(section, [int(digit) for digit in right.split()], press)
    while tab.evaluate("document.activeElement.textContent") != "Check":
        before = tab.evaluate("document.activeElement.outerHTML")
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.outerHTML") != before, "Tab leads nowhere"
    tab.keyboard.press("Enter")
    section.locator('.tg-told[data-outcome="correct"]').wait_for()
    assert tab.evaluate("document.activeElement.classList.contains('tg-told')")
    lab.end(tab)


@pytest.mark.long
def test_radio_buttons_and_letters_stay_with_the_question(jupyter: tuple[str, Path], tab: Any) -> None:
    """JupyterLab's own keys (a adds a cell, arrows change cells) do nothing while a question has the focus."""
    address, _ = jupyter
    lab.open_in_lab(tab, address, "choice.ipynb")
    section = question(tab)
    cells = tab.locator(".jp-CodeCell").count()
    section.locator("input").first.focus()
    tab.keyboard.press("Space")
    tab.keyboard.press("ArrowDown")
    assert section.locator("input").nth(1).is_checked()
    for key in ("a", "b", "x", "d", "d", "m"):
        tab.keyboard.press(key)
    assert tab.locator(".jp-CodeCell").count() == cells
    tab.keyboard.press("Control+Enter")
    section.locator(".tg-verdict").wait_for()
    lab.end(tab)


@pytest.mark.long
def test_an_answer_is_there_after_a_reload_and_after_the_kernel(
    jupyter: tuple[str, Path], tab: Any, bank: Bank
) -> None:
    address, _ = jupyter
    lab.open_in_lab(tab, address, "practice.ipynb")
    question(tab, 4)
    assert tab.locator("[id^=tg-static]").first.is_hidden()
    section = question(tab, 1)
    section.locator('input[value="A"]').check()
    section.get_by_role("button", name="Check").click()
    section.locator(".tg-verdict").wait_for()
    said = section.locator(".tg-verdict").inner_text()
    lab.save(tab)
    tab.goto(f"{address}/lab/tree/practice.ipynb?token={lab.TOKEN}")  # the kernel lives on
    tab.wait_for_function("() => window.jupyterapp?.restored")
    section = question(tab, 1)
    section.locator(".tg-verdict").wait_for()
    assert section.locator(".tg-verdict").inner_text() == said
    assert section.locator('input[value="A"]').is_checked()
    lab.end(tab)


def again(tab: Any, address: str, name: str) -> None:
    """Load the page anew; the kernel lives on."""
    tab.goto(f"{address}/lab/tree/{name}?token={lab.TOKEN}")
    tab.wait_for_function("() => window.jupyterapp?.restored")


@pytest.mark.long
def test_options_are_mixed_and_an_earlier_answer_is_marked_where_it_stands_now(
    jupyter: tuple[str, Path], tab: Any, chromium: Any
) -> None:
    address, home = jupyter
    lab.open_in_lab(tab, address, "mixed.ipynb")
    section = question(tab)
    shown = section.locator(".tg-option span:last-child").all_inner_texts()
    assert sorted(shown) == ["0.04", "0.06", "0.08", "0.1"]
    assert shown != ["0.06", "0.04", "0.1", "0.08"]  # as it is written
    section.get_by_label("0.08", exact=False).check()
    section.get_by_role("button", name="Check").click()
    section.locator(".tg-verdict").wait_for()
    with Records(str(home / "records.sqlite"), write=False) as store:
        (kept,) = store.attempts()
    assert (kept.choice, kept.response) == ("[3]", "ABCD"[shown.index("0.08")])
    cells = json.loads((home / "notebooks/mixed.ipynb").read_text())
    cells["cells"][1]["source"] = 'quiz("third-epoch-rate", mix=2)'
    (home / "notebooks/mixed-2.ipynb").write_text(json.dumps(cells))
    other = chromium.new_page()
    other.set_default_timeout(milliseconds())
    lab.open_in_lab(other, address, "mixed-2.ipynb")
    section = question(other)
    section.get_by_text("Answered on").wait_for()
    assert section.locator(".tg-option span:last-child").all_inner_texts() != shown
    assert section.get_by_label("0.08", exact=False).is_checked()
    assert section.locator("input:checked").count() == 1
    lab.end(other)


@pytest.mark.long
def test_what_is_typed_is_there_after_a_reload(jupyter: tuple[str, Path], tab: Any, bank: Bank) -> None:
    """Of each kind something unfinished, kept without a button; after an answer its own text counts."""
    address, home = jupyter
    lab.open_in_lab(tab, address, "drafts.ipynb")
    choice, table, blanks, lines, code = (question(tab, place) for place in range(5))
    choice.locator("input").nth(2).check()
    table.locator("input").nth(1).fill("1 / 8")
    blanks.locator("input").first.fill("some; thing")
    lines.locator(".tg-lines li").nth(1).locator("button").first.click()
    order = lines.locator(".tg-lines li code").all_inner_texts()
    code.locator("textarea").fill("def factor(epoch):\n    return 7")

    def drafts() -> int:
        if not (home / "records.sqlite").exists():
            return 0
        with Records(str(home / "records.sqlite"), write=False) as store:
            return len({event.sitting for event in store.events() if event.kind == "draft"})

    until(lambda: drafts() == 5, "not all is kept")
    lab.save(tab)
    again(tab, address, "drafts.ipynb")
    choice, table, blanks, lines, code = (question(tab, place) for place in range(5))
    assert [box.is_checked() for box in choice.locator("input").all()] == [False, False, True, False]
    assert [one.input_value() for one in table.locator("input").all()][:3] == ["", "1 / 8", ""]
    assert blanks.locator("input").first.input_value() == "some; thing"
    assert lines.locator(".tg-lines li code").all_inner_texts() == order
    assert code.locator("textarea").input_value() == "def factor(epoch):\n    return 7"
    assert not choice.locator(".tg-verdict").count()
    choice.get_by_role("button", name=re.compile("Hint")).click()  # what was typed stays
    choice.locator(".tg-hints li").wait_for()
    assert choice.locator("input").nth(2).is_checked()
    for place, cell in enumerate(table.locator("input").all()):
        cell.fill(f"{place} + 1/2")
    table.get_by_role("button", name="Check").click()
    table.locator(".tg-verdict").wait_for()
    assert table.locator("input").first.input_value() == "0 + 1/2"
    again(tab, address, "drafts.ipynb")
    table = question(tab, 1)
    table.locator(".tg-verdict").wait_for()
    assert table.locator("input").first.input_value() == "0 + 1/2"
    lab.end(tab)


@pytest.mark.slow
def test_a_new_kernel_shows_what_was_answered(jupyter: tuple[str, Path], tab: Any, chromium: Any) -> None:
    address, _ = jupyter
    lab.open_in_lab(tab, address, "practice.ipynb")
    section = question(tab, 2)
    section.locator("input").first.check()
    picked = ".tg-option:has(input:checked) label > span:last-child"
    option = section.locator(picked).inner_text()
    section.get_by_role("button", name="Check").click()
    section.locator(".tg-verdict").wait_for()
    tab.evaluate("async () => jupyterapp.shell.currentWidget?.sessionContext?.shutdown()")
    other = chromium.new_page()
    other.set_default_timeout(milliseconds())
    lab.open_in_lab(other, address, "practice.ipynb")
    section = question(other, 2)
    section.locator(".tg-verdict").wait_for()  # the practice was left, and goes on
    assert section.locator(picked).inner_text() == option
    assert section.locator("input").first.is_disabled()
    section.get_by_role("button", name="Answer again").click()
    section.get_by_role("button", name="Check").wait_for()
    lab.end(other)


@pytest.mark.long
def test_a_test_asks_one_by_one_and_ends_with_a_verdict(
    jupyter: tuple[str, Path], tab: Any, bank: Bank, remembering: RememberingRunner
) -> None:
    address, _ = jupyter
    lab.open_in_lab(tab, address, "test.ipynb")
    tab.get_by_role("button", name="Start", exact=True).click()
    for number in range(10):
        section = tab.locator(".tg-question:visible")
        section.get_by_text(f"Question {number + 1} of 10").wait_for()
        assert section.count() == 1
        assert not section.get_by_role("button", name=re.compile("Hint")).count()
        section.get_by_role("button", name="Skip").click()
        if number == 3:  # left, and taken up again at that very question
            section.get_by_text("Question 5 of 10").wait_for()
            tab.evaluate("async () => jupyterapp.shell.currentWidget?.sessionContext?.restartKernel()")
            tab.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
            tab.get_by_role("button", name="Go on").click()
    end = tab.locator(".tg-end")
    end.get_by_text("not there yet").wait_for()
    assert "0 of 10 right" in end.inner_text()
    assert tab.locator(".tg-question:visible").count() == 10
    assert tab.get_by_text("Solution", exact=True).count() > 5
    lab.end(tab)


@pytest.mark.slow
def test_a_card_is_turned_over_and_rated(jupyter: tuple[str, Path], tab: Any) -> None:
    address, _ = jupyter
    lab.open_in_lab(tab, address, "card.ipynb")
    section = question(tab)
    assert not section.locator(".tg-back").count()
    section.get_by_role("button", name="Turn it over").click()
    section.locator(".tg-back").wait_for()
    section.get_by_role("button", name="good").click()
    section.get_by_text("Noted: good.").wait_for()
    lab.end(tab)


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_axe_finds_nothing_serious(theme: str, jupyter: tuple[str, Path], tab: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    address, home = jupyter
    lab.theme(home, theme)
    lab.open_in_lab(tab, address, "code.ipynb")
    section = question(tab)

    def violations() -> list[str]:
        found = Axe().run(tab, context=".tg").response["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]

    assert violations() == []
    section.locator("textarea").fill("def factor(epoch):\n    return epoch / 5\n")
    section.get_by_role("button", name=re.compile("Check")).click()
    section.locator("figure svg").wait_for()
    section.get_by_role("button", name=re.compile("Hint")).click()
    section.locator(".tg-hints li").wait_for()
    assert violations() == []
    background = tab.evaluate("() => getComputedStyle(document.querySelector('.tg')).backgroundColor")
    lightness = sum(map(int, re.findall(r"\d+", background)[:3])) / 3
    assert (lightness > 200) == (theme == "light")
    lab.end(tab)


@pytest.mark.long
def test_the_same_widget_in_notebook_7(
    chromium: Any, tmp_path: Path, environment: dict[str, str], proven: None, bank: Bank, remembering: RememberingRunner
) -> None:
    item = item_of(bank, "sequence")
    right = kinds.named("sequence").samples(item, proof_of(item, remembering))["right"]
    lab.notebook(tmp_path / "one.ipynb", ["from grader.jupyter import quiz", f'quiz("{item.id}")'])
    more = {**environment, "GRADER_DB": str(tmp_path / "records.sqlite")}
    with lab.server(tmp_path, tmp_path, more, "notebook") as address:
        tab = chromium.new_page()
        tab.set_default_timeout(milliseconds())
        tab.goto(f"{address}/notebooks/one.ipynb?token={lab.TOKEN}")
        tab.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.sessionContext?.isReady")
        tab.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
        section = question(tab)
        give(section, item, right)
        section.get_by_role("button", name="Check").click()
        section.locator('.tg-told[data-outcome="correct"]').wait_for()
        tab.close()
