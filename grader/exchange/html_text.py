"""HTML of a question as Markdown: code stays code, and the white space in it counts."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

LONGEST = 30_000
"""Characters of a text that are looked at; a longer one stays as it is."""

BLOCKS = frozenset(
    ("p", "div", "ul", "ol", "table", "tr", "blockquote", "section", "figure", "h1", "h2", "h3", "h4", "h5", "h6")
)
DROPPED = frozenset(("script", "style", "head", "title"))
"""What is in these is no text."""


class _Reader(HTMLParser):
    """Collects Markdown."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.code: list[str] | None = None
        self.language = ""
        self.inline = 0
        self.dropped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in DROPPED:
            self.dropped += 1
        elif tag == "pre":
            self._end_code()
            self.code, self.language = [], _language(attrs)
        elif self.code is not None:
            if tag in ("br", "p", "div", "li") and self.code:
                self.code.append("\n")
            self.language = self.language or _language(attrs)
        elif tag in ("code", "tt", "kbd", "samp"):
            self.inline += 1
            self.out.append("\x02")
        elif tag == "br":
            self.out.append("\n")
        elif tag == "li":
            self.out.append("\n- ")
        elif tag == "img":
            about = dict(attrs)
            self.out.append(f"![{about.get('alt') or 'picture'}]({(about.get('src') or '')[:200]})")
        elif tag in BLOCKS:
            self.out.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in DROPPED:
            self.dropped = max(0, self.dropped - 1)
        elif tag == "pre":
            self._end_code()
        elif self.code is not None:
            return
        elif tag in ("code", "tt", "kbd", "samp") and self.inline:
            self.inline -= 1
            self.out.append("\x03")
        elif tag in BLOCKS:
            self.out.append("\n\n")

    def handle_data(self, data: str) -> None:
        if self.dropped:
            return
        data = data.replace("\xa0", " ")
        if self.code is not None:
            self.code.append(data)
        elif self.inline:
            self.out.append(data)
        else:
            self.out.append(re.sub(r"[ \t\n]+", " ", data))

    def _end_code(self) -> None:
        if self.code is not None:
            source = "".join(self.code).strip("\n").rstrip()
            fence = "````" if "```" in source else "```"
            self.out.append(f"\n\n{fence}{self.language}\n{source}\n{fence}\n\n" if source else "")
        self.code = None

    def text(self) -> str:
        self._end_code()
        return "".join(self.out)


def _language(attrs: list[tuple[str, str | None]]) -> str:
    named = " ".join(value or "" for name, value in attrs if name in ("class", "data-language", "lang"))
    found = re.search(r"\b(?:language-|lang-|brush:\s*)?(python|py|pycon|output|text|console|bash)\b", named)
    return found[1] if found else ""


TAG = re.compile(
    r"</?(?:p|div|br|pre|code|span|b|i|em|strong|ul|ol|li|img|table|tr|td|th|h[1-6]|a|sub|sup|tt|font|u|blockquote|hr)"
    r"\b[^<>]*>",
    re.IGNORECASE,
)


FENCED = re.compile(r"^[ \t]*(`{3,}|~{3,})(\w*)[^\n]*\n(.*?)^[ \t]*\1[ \t]*$", re.MULTILINE | re.DOTALL)


def is_html(text: str) -> bool:
    """Whether a text has elements of HTML in it; `a < b` and `<class 'int'>` are none."""
    return len(text) <= LONGEST and bool(TAG.search(text))


def markdown(text: str) -> str:
    """HTML as Markdown. What is no markup of HTML (`<class 'int'>`) stays as it is."""
    if len(text) > LONGEST:
        return text
    reader = _Reader()
    text = FENCED.sub(r'<pre class="language-\2">\3</pre>', text)  # Markdown in places for HTML
    kept = re.sub(r"<(?!/?[a-zA-Z!])|<(?=class '|[A-Z]\w*Backward)", "&lt;", text)
    try:
        reader.feed(kept)
        reader.close()
    except (AssertionError, ValueError, RecursionError):
        return html.unescape(re.sub(r"<[^<>]*>", " ", text)).strip()
    found = re.sub(r"\x02\s*(.*?)\s*\x03", _inline, reader.text(), flags=re.DOTALL)
    found = found.replace("\x02", "").replace("\x03", "")
    outside = re.split(r"(^(`{3,}).*?^\2$)", found, flags=re.MULTILINE | re.DOTALL)
    parts = []
    for place in range(0, len(outside), 3):
        parts.append(re.sub(r"\n{3,}", "\n\n", re.sub(r" *\n *", "\n", outside[place])))
        parts += outside[place + 1 : place + 2]
    return re.sub(r"\n{3,}(?=`{3})", "\n\n", "".join(parts)).strip()


def _inline(found: re.Match[str]) -> str:
    """Code within a line; code of several lines is a block, which many editors mark as `<code>` with `<br>`."""
    source = found[1].strip("\n")
    if not source.strip():
        return ""
    if "\n" in source:
        return f"\n\n```python\n{source}\n```\n\n"
    return f"`` {source} ``" if "`" in source else f"`{source}`"


def plain_or_html(text: str) -> str:
    """A text that may be HTML as Markdown."""
    return markdown(text) if is_html(text) or re.search(r"&(?:[a-z]+|#\d+);", text) else text
