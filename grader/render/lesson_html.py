"""A lesson's prose as HTML for a page: MyST roles, directives and targets become what they stand for.

The tokens are those of `render.markdown`, as everywhere. HTML in the text is shown as text; an expression shows the
value that was recorded of it; no attribute is a style, so that a page may forbid those.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from grader.render import markdown
from grader.render.html_fragments import code

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

Link = Callable[[str], str | None]
"""Where a link of a lesson leads on the page; None where that is nowhere, so that only its text is shown."""

_COMMENT = re.compile(r"\s*<!--(.*?)-->\s*", re.DOTALL)
_ALIGNED = re.compile(r"text-align:(left|right|center)")


def as_html(text: str, link: Link) -> str:
    """Prose of a lesson as HTML."""
    made = _renderer()
    env = {"link": link}
    return str(made.renderer.render(markdown.lesson_tokens(text), made.options, env)).strip()


def slug(text: str) -> str:
    """The id of a heading, made of its words."""
    return re.sub(r"[^\w]+", "-", text.casefold()).strip("-")


@cache
def _renderer() -> MarkdownIt:
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark").enable("table")
    for name, rule in _RULES.items():
        made.add_render_rule(name, rule)
    return made


def _role(_: Any, tokens: Sequence[Token], place: int, __: Any, env: Any) -> str:
    token = tokens[place]
    name = str(token.meta["name"])
    following = tokens[place + 1] if place + 1 < len(tokens) else None
    if name == "eval" and following and (pin := _COMMENT.fullmatch(following.content)):
        return html.escape(pin[1].strip())
    text, to = markdown.role(name, token.content)
    if to:
        return _linked(html.escape(text), env["link"](to))
    shown = html.escape(text.strip("`$"))
    return f"<code>{shown}</code>" if text != token.content or name == "math" else html.escape(text)


def _linked(shown: str, to: str | None) -> str:
    return f'<a href="{html.escape(to)}">{shown}</a>' if to else shown


def _link_open(renderer: Any, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    to = env["link"](str(tokens[place].attrs.get("href", "")))
    if to is None:
        return "<span>"
    away = ' rel="noreferrer"' if to.startswith("http") else ""
    return f'<a href="{html.escape(to)}"{away}>'


def _link_close(renderer: Any, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    opened = next(token for token in reversed(tokens[:place]) if token.type == "link_open")
    return "</span>" if env["link"](str(opened.attrs.get("href", ""))) is None else "</a>"


def _image(renderer: Any, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    return html.escape(renderer.renderInlineAsText(tokens[place].children or [], options, env))


def _heading(renderer: Any, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    words = "".join(part.content for part in tokens[place + 1].children or () if part.type != "html_inline")
    before = tokens[place - 1] if place else None
    if before and before.type == "myst_target" and before.content == slug(words):
        return f"<{tokens[place].tag}>"  # that place has the name already
    return f'<{tokens[place].tag} id="{html.escape(slug(words))}">'


def _target(_: Any, tokens: Sequence[Token], place: int, *__: Any) -> str:
    return f'<span class="place" id="{html.escape(tokens[place].content)}"></span>'


def _raw(_: Any, tokens: Sequence[Token], place: int, *__: Any) -> str:
    content = tokens[place].content
    return "" if _COMMENT.fullmatch(content) else html.escape(content)


def _cell(renderer: Any, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    token = tokens[place]
    if aligned := _ALIGNED.search(str(token.attrs.pop("style", ""))):
        token.attrSet("class", aligned[1])
    return str(renderer.renderToken(tokens, place, options, env))


def _table(*_: Any) -> str:
    return '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>'


def _table_end(*_: Any) -> str:
    return "</table></div>"


def _fence(_: Any, tokens: Sequence[Token], place: int, __: Any, env: Any) -> str:
    token = tokens[place]
    said = markdown.directive(token.info, token.content)
    if said is None:
        return _block(token.info, token.content)
    if said.name in ("code", "code-block"):
        return _block(said.title, "\n".join(said.body))
    if said.name == "math":
        return f'<p class="math">{html.escape(" ".join(said.body))}</p>'
    title, body = html.escape(said.title or said.name.capitalize()), as_html("\n".join(said.body), env["link"])
    if said.folded:
        return f"<details><summary>{title}</summary>{body}</details>"
    return f'<aside class="note"><p class="title">{title}</p>{body}</aside>'


def _block(info: str, content: str) -> str:
    if info.strip().partition(" ")[0].lower() in markdown.PYTHON:
        made = code(content)
    else:
        made = f'<pre class="tg-code"><code>{html.escape(content.strip(chr(10)), quote=False)}</code></pre>'
    return made.replace("<pre ", '<pre tabindex="0" ', 1)


def _math(_: Any, tokens: Sequence[Token], place: int, *__: Any) -> str:
    return f'<code class="math">{html.escape(tokens[place].content.strip())}</code>'


def _nothing(*_: Any) -> str:
    return ""


_RULES: dict[str, Callable[..., str]] = {
    "myst_role": _role,
    "myst_target": _target,
    "myst_block_break": _nothing,
    "myst_line_comment": _nothing,
    "link_open": _link_open,
    "link_close": _link_close,
    "image": _image,
    "heading_open": _heading,
    "html_inline": _raw,
    "html_block": _raw,
    "th_open": _cell,
    "td_open": _cell,
    "table_open": _table,
    "table_close": _table_end,
    "fence": _fence,
    "colon_fence": _fence,
    "math_inline": _math,
    "math_inline_double": _math,
    "math_block": _math,
}
