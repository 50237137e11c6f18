"""One stem with all that Markdown has, and feedback with blocks in it, in every face."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.content import bank_files
from grader.faces.answer_text import AnswerText
from grader.faces.jupyter import page as pages
from grader.faces.jupyter import static
from grader.faces.service import html_documents
from grader.judging import prompts
from grader.model import ChooseOne, CodeInput, NumberInput, Outcome, Prompt, Result, Score, Variant
from grader.nbgrader import assignment, comments
from grader.render import markdown, terminal_markdown, terminal_text
from tests.support.browser import browser
from tests.support.common import Command

PICTURE = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSIxMjAiIGhlaWdodD0iNDAiPjxyZWN0IHg9IjIiIHk9IjIiIHdpZHRoPSI0MCIgaGVpZ2h0PSIzNiIgZmlsbD0iI2MyNCIvPjxyZWN0IHg9Ijc4IiB5PSIyIiB3aWR0aD0iNDAiIGhlaWdodD0iMzYiIGZpbGw9IiMyNmIiLz48L3N2Zz4="
QUIZ = f"""\
format: 1
topic: pictures
title: Pictures
items:
- id: squared
  kind: number
  level: easy
  skill: powers
  stem: |
    Two boxes ![a red box and a blue one]({PICTURE}) stand for two tensors, and $y = x^2$:

    | tensor | `numel()` |
    |--------|----------:|
    | red    |         6 |
    | blue   |         2 |

    ```python
    z = 3
    ```

    1. What is `y`?
    2. What is *not* asked: `z`, <b>at all</b>.
       - Nor this.
  program: |
    x = 3
    y = x ** 2
  answer: y
  solution:
  - "It is {{y}}."
"""

SHOWN = """\
Two boxes [picture: a red box and a blue one] stand for two tensors, and $y =
x^2$:

  tensor   `numel()`
  ──────────────────
  red              6
  blue             2

    z = 3

  1. What is `y`?
  2. What is *not* asked: `z`, <b>at all</b>.
       - Nor this.

    x = 3
    y = x ** 2
"""


@pytest.fixture
def prompt(tmp_path: Path) -> Prompt:
    (tmp_path / "pictures.yaml").write_text(QUIZ)
    bank = bank_files.read([tmp_path / "pictures.yaml"])
    assert not bank.findings
    asked = prompts.prompt(bank.items[0], Variant(), None, (NumberInput(),))
    assert asked
    return asked


def test_a_stem_keeps_its_blocks_on_a_terminal(prompt: Prompt) -> None:
    out = io.StringIO()
    console = terminal_text.screen(out, terminal=False)
    console.width = 80
    AnswerText(console).show(prompt, "Question 1 of 1")
    assert SHOWN in "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def test_the_command_shows_them_too(grader: Command, tmp_path: Path) -> None:
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/pictures.yaml").write_text(QUIZ)
    shown = grader("quiz", "pictures", "--bank", tmp_path, stdin="q\n").stdout
    assert "  red              6\n" in shown
    assert "[picture: a red box and a blue one]" in shown


def test_a_stem_is_the_same_on_a_page(prompt: Prompt) -> None:
    document = html_documents.prompt(prompt)
    for part in (
        f'<img src="{PICTURE}" alt="a red box and a blue one">',
        "<td>red</td>",
        '<code><span class="n">z</span>',
        "<em>not</em>",
        "&lt;b&gt;at all&lt;/b&gt;",
        "<li>Nor this.</li>",
    ):
        assert part in document["stem"]
    document |= {"place": 0, "of": 1, "item": "squared"}
    assert document["stem"] in static.page("sheet", [document], "")


def test_an_option_with_blocks_is_no_paragraph() -> None:
    options = ["`one`", '<div class="tg-blocks"><ul>\n<li>two</li>\n</ul></div>']
    asked = {"type": "choose", "label": "", "many": False, "letters": ["A", "B"], "options": options}
    document = {
        "place": 0,
        "of": 1,
        "item": "i",
        "level": "easy",
        "skill": "s",
        "stem": "",
        "program": "",
        "inputs": [asked],
        "reveals": False,
    }
    shown = static.page("sheet", [document], "")
    assert "<p><strong>A</strong> `one`</p><div><strong>B</strong> <div" in shown


FEEDBACK = "That sums up:\n\n- the rows\n- [not](https://example.org) the columns <i>"


def _result(feedback: str) -> Result:
    return Result(None, Variant(), "3", Score(Outcome.INCORRECT, 0.0, feedback=feedback))  # type: ignore[arg-type]  # the item is not looked at


def test_feedback_with_blocks_is_laid_out_everywhere() -> None:
    out = io.StringIO()
    AnswerText(terminal_text.screen(out, terminal=False)).verdict_of(_result(FEEDBACK))
    assert out.getvalue().startswith("\nNot right.\n\nThat sums up:\n\n  - the rows\n  - not (https://example.org) the")
    page = comments.page(_result(FEEDBACK))
    assert "<p><strong>Not right.</strong></p><div" in page
    assert "<li>the rows</li>" in page
    assert "<i>" not in page
    assert "href" not in page
    assert html_documents.told(_result(FEEDBACK))["feedback"] in page
    assert "<strong>Not right.</strong> One line.</p>" in comments.page(_result("One line."))


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (True, "It is run with rate = 0.1, and with other numbers that are not shown."),
        (False, "It is run with rate = 0.1."),
    ],
)
def test_hidden_inputs_are_spoken_of_where_there_are_some(others: bool, said: str, prompt: Prompt) -> None:
    asked = replace(prompt, inputs=(CodeInput("x = 1", ("rate = 0.1",), others=others),))
    out = io.StringIO()
    AnswerText(terminal_text.screen(out, terminal=False)).show(asked, "")
    assert f"\n{said}\n" in out.getvalue()
    assert html_documents.input_of(asked.inputs[0])["cases"] == said


PAGE = """<!doctype html><html lang="en"><head><title>A stem</title><style>:root {{ color-scheme: {theme}; }} {style}</style></head>
<body><main class="tg"><h1>A stem</h1><div class="tg-question"><div class="tg-stem">{stem}</div>{program}</div></main></body></html>"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_of_it_is_drawn_and_runs_nothing(theme: str, prompt: Prompt, tmp_path: Path) -> None:
    document: dict[str, Any] = html_documents.prompt(prompt)
    style = pages.style()
    path = tmp_path / "stem.html"
    path.write_text(PAGE.format(theme=theme, style=style, **document))
    with browser() as chromium:
        page = chromium.new_page(viewport={"width": 480, "height": 800})
        page.goto(path.as_uri())
        assert page.evaluate("document.querySelector('img').naturalWidth") == 120
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert page.locator("b").count() == 0
        page.screenshot(path=tmp_path / f"stem-{theme}.png")


def test_an_assignment_has_the_blocks_and_no_tags(prompt: Prompt) -> None:
    options = ("`one` < 2", "Two:\n\n- <i>a</i>\n- b")
    shown = assignment.question(replace(prompt, inputs=(ChooseOne(options),)))
    assert "&lt;b>at all&lt;/b>" in shown
    assert "| red    |         6 |" in shown
    assert "- **A**: `one` < 2\n- **B**: \n\n  Two:\n\n  - &lt;i>a&lt;/i>\n  - b" in shown
    made = markdown.as_html(shown)
    assert "<li>b</li>" in made


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        ("`gamma` is *not* the rate, and this goes on for more than the eighty columns that a terminal has.", None),
        ("Look:\n\n- at `a`\n- at b <i>", "Look:\n\n  - at `a`\n  - at b <i>"),
        ("See ![two boxes](boxes.svg).", "See [picture: two boxes]."),
    ],
)
def test_a_hint_in_a_cell_is_plain_text(hint: str, text: str | None) -> None:
    assert terminal_markdown.as_text(hint) == (hint if text is None else text)
