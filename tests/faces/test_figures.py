"""Figures on a page: the widget's own code in a browser, with a service that we play."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe

from grader.faces import web
from grader.faces.jupyter import page as pages
from grader.faces.jupyter import static
from grader.faces.service import html_documents
from grader.model import ChooseOne, Draw, Figure, OrderInput, Prompt, Variant
from grader.render import figure_svg
from grader.render.figure_data import figure_of, made
from tests.support.browser import browser

X = torch.arange(6.0).reshape(2, 3)
LOSS = (torch.ones(2, requires_grad=True) * 2).sum()
DATA: dict[Draw, Any] = {
    "grid": {"x": X, "y": torch.tensor([10, 20, 30])},
    "cells": {"x": X, "x.T": X.T, "copy": X[0].clone()},
    "graph": LOSS,
    "tree": torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU()),
    "bars": {"a": 0.5, "b": -0.25},
    "matrix": {"values": [[8, 2], [1, 9]], "rows": ["cat", "dog"], "columns": ["cat", "dog"], "down": "true"},
    "curve": {"loss": [2.0, 1.0, 0.5]},
}
FIGURES = tuple(made(draw, f"A {draw}", figure_of(draw, value)) for draw, value in DATA.items())
PLAYED = """async ([source, question]) => {
  const module = await import(URL.createObjectURL(new Blob([source], {type: 'text/javascript'})));
  let hear;
  const state = {sheet: 'sheet', title: 'T', mode: 'practice', places: [{item: 'i', answered: false}], end: null, notice: ''};
  const model = {get: () => 'sheet', set() {}, save_changes() {}, off() {}, on: (name, call) => { if (name === 'msg:custom') hear = call; },
    send: message => setTimeout(() => hear({to: message.to, ok: message.request.do === 'state' ? state : question}))};
  document.body.className = 'tg-page';
  const el = document.createElement('div');
  document.body.append(el);
  module.default.render({model, el});
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as found:
        yield found


@pytest.fixture(params=["light", "dark"])
def tab(request: pytest.FixtureRequest, chromium: Any) -> Iterator[Any]:
    """A page with one question that has every sort of figure."""
    prompt = Prompt("i", "choice", "easy", "s", Variant(), "Which?", "", (ChooseOne(("a", "b")),), 0, figures=FIGURES)
    around = {
        "sheet": "sheet",
        "place": 0,
        "of": 1,
        "item": "i",
        "notice": "",
        "end": None,
        "told": None,
        "earlier": None,
    }
    more = {"hints": [], "hints_left": 0, "seconds": None, "attempts_left": None, "back": [], "tries": 0}
    document = json.loads(json.dumps(html_documents.prompt(prompt) | around | more))
    page = chromium.new_page(color_scheme=request.param, viewport={"width": 900, "height": 1600})
    style = f":root {{ color-scheme: light dark; }} {pages.style()}"
    page.set_content(f"<!doctype html><html lang=en><title>T</title><style>{style}</style><main></main>")
    page.evaluate(PLAYED, [pages.bundle(), document])
    page.wait_for_selector(".tg-figure svg")
    yield page
    page.close()


def test_a_question_shows_each_figure_with_a_name_and_as_text(tab: Any) -> None:
    assert tab.locator(".tg-figure svg[role=img]").count() == len(FIGURES)
    names = [figure.title for figure in FIGURES]
    assert tab.locator(".tg-figure figcaption").all_inner_texts()[:-1] == names[:-1]
    tab.locator(".tg-figure").nth(1).get_by_text("As text").click()
    assert "x.T    0,0  1,0" in tab.locator(".tg-figure").nth(1).locator("pre").inner_text()


def test_axe_finds_nothing_serious(tab: Any) -> None:
    for folded in tab.locator("summary").all():
        folded.click()
    found = Axe().run(tab)
    serious = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in serious] == []


def test_no_text_leaves_its_box_or_its_drawing(tab: Any) -> None:
    """In the font that is there: a text is inside of the drawing, and one in the middle of a box inside of that."""
    outside = tab.evaluate("""() => [...document.querySelectorAll('svg.tgf')].flatMap(svg => {
      const frame = svg.getBoundingClientRect();
      const boxes = [...svg.querySelectorAll('rect')].map(one => one.getBoundingClientRect());
      return [...svg.querySelectorAll('text')].filter(text => {
        const own = text.getBoundingClientRect();
        const x = (own.left + own.right) / 2, y = (own.top + own.bottom) / 2;
        const around = boxes.filter(box => box.left < x && x < box.right && box.top < y && y < box.bottom);
        const cut = box => own.left < box.left - 0.5 || own.right > box.right + 0.5;
        return cut(frame) || own.top < frame.top - 1 || own.bottom > frame.bottom + 1 || around.some(cut);
      }).map(text => text.textContent);
    })""")
    assert outside == []


def test_on_a_narrow_page_a_drawing_scrolls_by_itself(tab: Any) -> None:
    tab.set_viewport_size({"width": 320, "height": 800})
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= 320
    wide = tab.locator(".tg-drawing.tg-scroll").first
    assert wide.get_attribute("tabindex") == "0"
    widths = "all => all.map(one => one.getBoundingClientRect().width - one.width.baseVal.value)"
    assert min(tab.locator(".tg-scroll > svg").evaluate_all(widths)) > -1  # none is made smaller


def test_where_nothing_runs_a_picture_scrolls_by_itself(chromium: Any) -> None:
    """As it is and as on the page, on a phone."""
    wide = made("grid", "", figure_of("grid", [[12345.5] * 12]))
    asked = Prompt("i", "choice", "easy", "s", Variant(), "Which?", "", (ChooseOne(("a", "b")),), 0, figures=(wide,))
    style = Path(web.__file__).with_name("static").joinpath("page.css").read_text()
    drawn = f'<figure class="drawn"><div class="scroll">{figure_svg.svg(wide)}</div></figure>'
    ordered = Prompt("i", "order", "easy", "s", Variant(), "Which?", "", (OrderInput(("for x in xs:", "    f(x)")),), 0)
    assert "<pre><code>    f(x)</code></pre>" in static.alone("i", html_documents.prompt(ordered))
    page = chromium.new_page(viewport={"width": 390, "height": 800})
    for content in (static.alone("i", html_documents.prompt(asked)), f"<style>{style}</style><main>{drawn}</main>"):
        page.set_content(content)
        page.wait_for_selector("img, svg")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        assert page.locator("img, svg").first.evaluate("one => one.parentElement.scrollWidth > 390")
    page.close()


def test_an_image_by_itself_is_drawn(chromium: Any) -> None:
    page = chromium.new_page(color_scheme="dark")
    drawn: list[Figure] = [figure for figure in FIGURES if figure.draw != "curve"]
    page.set_content("".join(f'<img src="{figure_svg.data_uri(figure)}" alt="">' for figure in drawn))
    sizes = page.evaluate("async () => { const all = [...document.images]; await Promise.all(all.map(one => one.decode()));"
                          " return all.map(one => one.naturalWidth); }")  # fmt: skip
    assert len(sizes) == len(drawn)
    assert min(sizes) > 50
    page.close()
