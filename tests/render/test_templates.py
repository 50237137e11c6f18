"""HTML from templates: values are text, and the templates are beside the code that fills them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from grader.render import templates
from tests.support.common import ROOT

TEMPLATES = sorted((ROOT / "grader").rglob("*.html"))


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "page.html").write_text("<p>\n  {{ words }}\n  {{ made | safe }}\n</p>\n")
    return tmp_path / "code.py"


def test_a_value_is_text_and_what_is_html_already_is_marked_so(page: Path) -> None:
    shown = templates.filled(str(page), "page.html", words="<i>'a' & \"b\"</i>", made="<b>c</b>")
    assert shown == "<p>&lt;i&gt;&#x27;a&#x27; &amp; &quot;b&quot;&lt;/i&gt;<b>c</b></p>"


def test_a_value_that_is_missing_is_an_error(page: Path) -> None:
    with pytest.raises(UndefinedError):
        templates.filled(str(page), "page.html", words="a")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_each_template_is_used_by_code_beside_it(path: Path) -> None:
    """Beside it, or above where templates have a folder of their own; or by another template."""
    above = [path.parent.parent] if path.parent.name == "templates" else []
    users = [one for folder in [path.parent, *above] for one in folder.glob("*.py")]
    users += [one for one in path.parent.glob("*.html") if one != path]
    assert any(f'"{path.name}"' in one.read_text() for one in users)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_only_what_the_house_makes_is_marked_as_html(path: Path) -> None:
    """A list to look at when a template changes: everything else is escaped."""
    known = {
        "question.stem",
        "question.program",
        "option",
        "question.table",
        "asked.cases",
        "feedback",
        "text",
        "chart.svg",
        "css",
        "given.code",
        # of the page: HTML of the service's documents, of `render`, and of lessons
        "about.stem",
        "about.told.feedback",
        "drawn.svg",
        "entry.shown",
        "drawn.table",
        "drawn.words",
        "figure.svg",
        "figure.table",
        "figure.text",
        "figure.words",
        "g.cases",
        "g.title",
        "m.title",
        "o.html",
        "o.says",
        "hint",
        "one",
        "one.code",
        "one.html",
        "one.says",
        "part",
        "part.cell",
        "part.held",
        "part.text",
        "q.program",
        "q.stem",
        "row.mistake",
        "row.says",
        "why",
        "row.stem",
        "said",
        "step",
        "svg",
        "t.feedback",
        "t.grids",
        "table",
        "told.feedback",
        "told.grids",
        "tried.about",
        "tried.program",
        "message",
        # of the report on a quiz of others: Markdown of a file, drawn by `render.markdown`
        "one.stem",
        "one.said",
        "one.wanted",
        "one.program",
        "remark",
    }
    assert set(re.findall(r"([\w.]+) \| safe", path.read_text())) <= known
