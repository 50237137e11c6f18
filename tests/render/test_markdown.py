"""Markdown, read once: the same text on a terminal, with and without colors, and as HTML."""

from __future__ import annotations

import io
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.text import Text

from grader.render import markdown, terminal_markdown, terminal_text

STEM = """\
Look at ![two boxes](boxes.svg) and *think* of `x`, **not** of y:

| name | size |
|------|-----:|
| `a`  | 1    |
| b    | 22   |

```python
z = 3
if z:
    print(z)
```

1. What is `y`?
2. What is z? This entry is so long that it has to go on in a second line of the screen.
   - of the first kind
   - of the second

> As [the manual](https://pytorch.org/docs) has it."""

ON_A_TERMINAL = """\
Look at [picture: two boxes] and *think* of `x`, **not** of y:

  name   size
  ───────────
  `a`       1
  b        22

    z = 3
    if z:
        print(z)

  1. What is `y`?
  2. What is z? This entry is so long that it has to go on in a second line of
     the screen.
       - of the first kind
       - of the second

> As the manual (https://pytorch.org/docs) has it.
"""


def drawn(text: str, *, terminal: bool = False, lesson: bool = False, width: int = 80) -> str:
    out = io.StringIO()
    console = terminal_text.screen(out, terminal=terminal)
    console.width = width
    terminal_markdown.draw(console, text, lesson=lesson)
    return out.getvalue()


def bare(text: str) -> str:
    """Without spaces at ends of lines."""
    return "\n".join(line.rstrip() for line in text.split("\n"))


@pytest.fixture
def colors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_blocks_stay_blocks_on_a_terminal() -> None:
    assert bare(drawn(STEM)) == ON_A_TERMINAL


def test_colors_stand_for_the_marks(colors: None) -> None:
    shown = drawn("*this*, **that** and `code`", terminal=True)
    assert shown == "\x1b[3mthis\x1b[0m, \x1b[1mthat\x1b[0m and \x1b[36mcode\x1b[0m\n"


def test_without_colors_code_keeps_its_marks_and_stress_is_still_seen(
    colors: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert drawn("*this* and `code`", terminal=True) == "\x1b[3mthis\x1b[0m and `code`\n"


@pytest.mark.parametrize("width", [20, 40, 80])
def test_what_may_wrap_fits(width: int) -> None:
    without_code = STEM.replace("print(z)", "z")
    assert max(len(line.rstrip()) for line in drawn(without_code, width=width).split("\n")) <= width


def test_a_page_shows_the_same_blocks() -> None:
    shown = markdown.as_html(STEM)
    for part in (
        '<img src="boxes.svg" alt="two boxes">',
        "<em>think</em> of <code>x</code>, <strong>not</strong>",
        '<th style="text-align:right">size</th>',
        '<pre tabindex="0" class="tg-code"><code><span class="n">z</span>',
        "<li>of the second</li>",
        '<a href="https://pytorch.org/docs" rel="noreferrer">the manual</a>',
    ):
        assert part in shown


ELEMENTS = frozenset(
    [
        "p",
        "em",
        "strong",
        "s",
        "code",
        "pre",
        "span",
        "a",
        "img",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "br",
        "hr",
        "blockquote",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "div",
    ]
)
ATTRIBUTES = frozenset({"class", "src", "alt", "title", "href", "rel", "style", "start", "tabindex"})


class Elements(HTMLParser):
    """Fails at an element or an attribute that Markdown does not make."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ELEMENTS
        assert {name for name, _ in attrs} <= ATTRIBUTES
        assert not any((value or "").lower().startswith("javascript") for _, value in attrs)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_decl = handle_pi = handle_comment


def assert_harmless(page: str) -> None:
    Elements().feed(page)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "before <img src=x onerror=alert(1)> after",
        "<div onclick='x()'>\n\nblock\n\n</div>",
        "<svg/onload=alert(1)>",
        "<!-- a comment -->",
        '```"><script>alert(1)</script>\ncode\n```',
        "```python\n</code></pre><script>alert(1)</script>\n```",
        '!["><script>alert(1)</script>](x.png)',
        "![a](x.png '\"><script>alert(1)</script>')",
        "| <script>1</script> |\n|---|\n| <iframe src=x> |",
    ],
)  # fmt: skip
def test_raw_html_is_text_on_a_page(text: str) -> None:
    for shown in (markdown.as_html(text), markdown.fragment(text), markdown.phrase_as_html(text)):
        assert_harmless(shown)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("a < b and `<i>` and c > d, <https://example.org>", None),
        ("```html\n<script>\n```\n\n    <script>", None),
        ("a <b onclick=x>b</b> `<b>` <i\nid=x>c", "a &lt;b onclick=x>b&lt;/b> `<b>` &lt;i\nid=x>c"),
        ("`<i>\n<b>` <i>", "`<i>\n<b>` &lt;i>"),
        ("<script>\nalert('<')\n</script>\n\nb", "&lt;script>\nalert('&lt;')\n&lt;/script>\n\nb"),
        ("- <img src=x onerror=y>", "- &lt;img src=x onerror=y>"),
        ("| a |\n|---|\n| <b> |", "| a |\n|---|\n| &lt;b> |"),
    ],
)
def test_for_a_notebook_tags_are_spelled_out_and_code_is_left(text: str, spelled: str | None) -> None:
    shown = markdown.without_html(text)
    assert shown == (text if spelled is None else spelled)
    made = MarkdownIt("commonmark").enable("table").parse(shown)
    assert not [part for token in made for part in (token, *(token.children or ())) if part.type.startswith("html_")]


@given(st.text(alphabet=st.sampled_from("ab \n`<>/!-=\"'*&|"), max_size=60))
def test_no_tag_of_any_text_is_left_for_a_notebook(text: str) -> None:
    made = MarkdownIt("commonmark").enable("table").parse(markdown.without_html(text))
    assert not [part for token in made for part in (token, *(token.children or ())) if part.type.startswith("html_")]


@pytest.mark.parametrize(
    ("to", "shown"),
    [
        ("boxes.png", True),
        ("../pictures/boxes.png", True),
        ("data:image/png;base64,AAAA", True),
        ("data:image/svg+xml;utf8,%3Csvg%3E", True),
        ("https://example.org/seen.png", False),
        ("//example.org/seen.png", False),
        ("data:text/html,x", False),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
    ],
)
def test_a_picture_comes_from_beside_the_page_or_from_the_text(to: str, shown: bool) -> None:
    made = markdown.as_html(f"![words]({to})")
    assert ("<img" in made) is shown
    assert "words" in made


@pytest.mark.parametrize(
    "to", ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "vbscript:x", "data:text/html,x", "file:///x"]
)
def test_a_link_runs_nothing(to: str) -> None:
    assert "href" not in markdown.as_html(f"[words]({to})")
    assert "href" not in markdown.as_html(f"<{to}>")


def test_a_data_picture_is_no_link() -> None:
    assert "href" not in markdown.as_html("[words](data:image/png;base64,AAAA)")


def test_what_may_quote_a_learner_makes_no_link_and_no_picture() -> None:
    text = "You wrote [this](https://example.org) ![that](x.png)"
    assert markdown.phrase_as_html(text) == markdown.fragment(text, links=False) == text


@pytest.mark.parametrize("text", ["- 0.5", "1. ", "# no title", "> 3", "    four spaces", "---"])
def test_one_line_is_no_block(text: str) -> None:
    assert markdown.fragment(text) == text.strip().replace(">", "&gt;")
    out = io.StringIO()
    terminal_markdown.entry(terminal_text.screen(out, terminal=False), "  A  ", "", text)
    assert out.getvalue() == f"  A  {text.strip()}\n"


def test_blocks_behind_a_label_stand_under_each_other() -> None:
    text = "Take both:\n\n- `a`\n- b"
    assert markdown.fragment(text).startswith('<div class="tg-blocks"><p>Take both:</p>\n<ul>')
    out = io.StringIO()
    console = terminal_text.screen(out, terminal=False)
    terminal_markdown.entry(console, "  1. ", "", text)
    terminal_markdown.after(console, Text("Right."), "In\none `line`.")
    terminal_markdown.after(console, Text("Right."), text)
    assert out.getvalue() == (
        "  1. Take both:\n\n       - `a`\n       - b\nRight. In one `line`.\nRight.\n\nTake both:\n\n  - `a`\n  - b\n"
    )


def test_a_list_follows_its_sentence_as_closely_as_it_was_written() -> None:
    assert drawn("Which?\n- a\n- b\n") == "Which?\n  - a\n  - b\n"
    assert drawn("Which?\n\n- a\n\n- b\n") == "Which?\n\n  - a\n\n  - b\n"


def test_control_characters_are_spelled_out() -> None:
    assert "\x1b" not in drawn("a \x1b[31mb\n\n- \x1b]0;c\x07")
    assert "\x1b" not in markdown.as_html("a \x1b[31mb")


def test_a_lesson_has_roles_and_blocks() -> None:
    text = (
        "(counting)=\n# Counting\n\n% a note\nEpoch 3 trains with {eval}`0.1 * 3 / 5`<!-- 0.06 -->, see {ref}`counting`,"
        " {doc}`why` and {math}`x^2`.\n\n+++\n\n:::{admonition} A *hint*\n:class: dropdown\nCount from 1.\n\n- again\n:::\n\n"
        "```{math}\ny = x\n```\n"
    )
    assert drawn(text, lesson=True) == (
        "# Counting\n\nEpoch 3 trains with 0.06, see counting, why (why.md) and $x^2$.\n\n"
        "> A *hint*\n>\n> Count from 1.\n>\n>   - again\n\n    y = x\n"
    )


WORDS = st.lists(
    st.sampled_from(["a", "rate", "`x`", "`a b`", "0.1", "*", "2 * 3", "[0.1, 0.2]", "(b)", "x_y", ",", "-", "\n", "\n\n", "é"]),
    max_size=14,
)  # fmt: skip


@given(WORDS)
def test_what_needs_no_parser_is_read_as_the_parser_reads_it(words: list[str]) -> None:
    text = " ".join(words)
    console = terminal_text.screen(io.StringIO(), terminal=False)
    drawer = terminal_markdown._Drawer(console)
    if terminal_markdown._paragraphs(text):
        parsed = drawer.blocks(markdown.tree(text).children, 80)
        assert [line.plain.rstrip() for line in drawer.lines(text, 80)] == [line.plain.rstrip() for line in parsed]


@given(st.text(alphabet=st.sampled_from("ab \n\t`*_[]()!<>#-+|:~\\&;0.=$\"'/"), max_size=60))
def test_any_text_is_drawn_and_makes_no_element_of_its_own(text: str) -> None:
    drawn(text)
    drawn(text, lesson=True)
    for shown in (markdown.as_html(text), markdown.fragment(text)):
        assert_harmless(shown)
