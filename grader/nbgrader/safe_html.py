"""Pages that nbgrader draws of students' notebooks, in which no code of theirs runs: filters for its templates.

`configure` puts them into nbconvert's HTMLExporter, whose own sanitizing leaves Markdown as it is in nbgrader's pages,
and would take our charts out. What our judge has written stands as it is: its text is escaped where it is made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import bleach
from bleach.css_sanitizer import CSSSanitizer
from jinja2 import pass_context
from nbconvert.filters import get_metadata
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbgrader import utils

from grader.nbgrader import results

FILTERS = {
    "clean_html": "grader.nbgrader.safe_html.clean_html",
    "markdown2html": "grader.nbgrader.safe_html.markdown2html",
    "get_metadata": "grader.nbgrader.safe_html.get_metadata_of",
}
"""By the names that templates have for them."""

TAGS = frozenset({
    "a", "abbr", "acronym", "b", "blockquote", "br", "caption", "center", "code", "col", "colgroup", "dd", "del",
    "details", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i",
    "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strike", "strong",
    "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var",
})  # fmt: skip
ATTRIBUTES = frozenset({
    "align", "alt", "border", "class", "colspan", "height", "id", "rowspan", "scope", "start", "style", "title",
    "valign", "width",
})  # fmt: skip
STYLES = (
    "background-color", "border", "border-collapse", "color", "font-family", "font-size", "font-style", "font-weight",
    "height", "margin", "margin-left", "margin-right", "max-width", "padding", "text-align", "text-decoration",
    "vertical-align", "width",
)  # fmt: skip

_IMAGE = re.compile(r"\s*(?:https?://|data:image/(?:png|jpeg|gif|webp|svg\+xml)[;,])", re.IGNORECASE)
_NO_TEXT = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
"""What is code between its tags: it would be left as text."""


def cleaned(html: str) -> str:
    """HTML without anything that runs, or that reaches beyond its place on the page."""
    return str(
        bleach.clean(
            _NO_TEXT.sub("", html),
            tags=TAGS,
            attributes=_allowed,
            protocols={"http", "https", "mailto", "data"},
            css_sanitizer=CSSSanitizer(allowed_css_properties=STYLES),
            strip=True,
        )
    )


def _allowed(tag: str, name: str, value: str) -> bool:
    if tag == "img" and name == "src":
        return bool(_IMAGE.match(value)) or not re.match(r"[^/?#]*:", value)
    if tag == "a" and name == "href":
        return not value.strip().lower().startswith("data:")
    return name in ATTRIBUTES


def _judged(cell: Mapping[str, Any]) -> bool:
    """Whether our judge has written a cell's outputs. `Mend` has removed what a submission claims of that."""
    return results.read(cell.get("metadata", {}).get("torch_grader")) is not None


@pass_context
def clean_html(context: Mapping[str, Any], html: Any) -> str:
    """An output's HTML, as a page may show it."""
    text = html.decode() if isinstance(html, bytes) else "".join(html) if isinstance(html, list) else str(html)
    return text if _judged(context.get("cell") or {}) else cleaned(text)


@pass_context
def markdown2html(context: Mapping[str, Any], source: str) -> str:
    """Markdown as HTML; but for cells that only instructors can have written, what a page may show of it."""
    cell = context.get("cell") or {}
    attachments = cell.get("attachments", {})
    renderer = IPythonRenderer(escape=False, attachments=attachments, embed_images=False, anchor_link_text="¶")
    html = MarkdownWithMath(renderer=renderer).render(source)
    theirs = cell.get("cell_type") == "markdown" and utils.is_locked(cell)
    return html if theirs else cleaned(html)


def get_metadata_of(output: Any, key: str, mimetype: str | None = None) -> Any:
    """What nbconvert's filter finds; a width or height only where it is a number: templates put it in no quotes."""
    found = get_metadata(output, key, mimetype)  # type: ignore[no-untyped-call]  # nbconvert's
    if key in ("width", "height") and not re.fullmatch(r"\d{1,5}(?:\.\d{1,9})?(?:px|%)?", str(found)):
        return None
    return found
