"""The one reader of Markdown: stems, hints, options, solutions, feedback and lessons as tokens, and those as HTML.

Authors write CommonMark with tables; lessons also MyST (roles, directives, targets). `terminal_markdown` draws the same
tokens on a terminal. Raw HTML is text everywhere. A page shows pictures that lie beside it or are in the text itself
(`data:`), never some of another host, and links only to what a browser opens without running it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from grader.render.html_fragments import code
from grader.template import printable

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode

PYTHON = frozenset({"python", "py", "python3", "ipython3"})
"""What a fence of Python may say that it is."""

LINKS = ("image", "link", "autolink")
"""Rules of the parser; off where a text may hold words of somebody else."""

_SCHEME = re.compile(r"\s*(?:([a-z][a-z0-9+.-]*):|//)", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml)[;,]", re.IGNORECASE)
_OPTION = re.compile(r":([\w-]+):\s*(.*)")
_DIRECTIVE = re.compile(r"\{([\w:-]+)\}\s*(.*)")


@cache
def parser(*, lesson: bool = False, links: bool = True) -> MarkdownIt:
    """What makes tokens of a text: of an item, or of a lesson with its MyST."""
    from markdown_it import MarkdownIt

    if not lesson:
        made = MarkdownIt("js-default", {"html": False, "linkify": False})
        made.validateLink = _may_lead  # type: ignore[method-assign,assignment]  # as markdown-it says to
        for rule in ("fence", "image", "link_open", "link_close"):
            made.add_render_rule(rule, _RULES[rule])
        return made if links else made.disable(list(LINKS))
    from mdit_py_plugins.colon_fence import colon_fence_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from mdit_py_plugins.front_matter import front_matter_plugin
    from mdit_py_plugins.myst_blocks import myst_block_plugin
    from mdit_py_plugins.myst_role import myst_role_plugin

    made = MarkdownIt("commonmark").enable("table")
    for plugin in (front_matter_plugin, myst_block_plugin, myst_role_plugin, colon_fence_plugin, dollarmath_plugin):
        made.use(plugin)
    return made


def lesson_tokens(text: str, *, front: bool = False) -> list[Token]:
    """The tokens of a lesson; `front` is whether the text may begin with front matter."""
    reader = parser(lesson=True)
    if front:
        return reader.parse(text)
    with reader.reset_rules():
        reader.disable("front_matter")
        return reader.parse(text)


def tree(text: str, *, lesson: bool = False) -> SyntaxTreeNode:
    """The blocks of a text, each with its parts."""
    from markdown_it.tree import SyntaxTreeNode

    return SyntaxTreeNode(lesson_tokens(text) if lesson else parser().parse(text))


def phrase(text: str, *, lesson: bool = False) -> SyntaxTreeNode:
    """One line of Markdown: what would begin a block is text."""
    from markdown_it.tree import SyntaxTreeNode

    return SyntaxTreeNode(parser(lesson=lesson).parseInline(" ".join(text.split())))


def has_blocks(text: str) -> bool:
    """Whether a text is more than a paragraph. A single line never is: values are shown too, such as `- 0.5`."""
    if "\n" not in text.strip():
        return False
    return [token.type for token in parser().parse(text)] != ["paragraph_open", "inline", "paragraph_close"]


# ---------------------------------------------------------------- MyST


@dataclass(frozen=True, slots=True)
class Directive:
    """A block of MyST: `name` says what it is, `folded` whether it is to be opened first."""

    name: str
    title: str
    folded: bool
    body: tuple[str, ...]


def directive(info: str, content: str) -> Directive | None:
    """What a fence says that it is, such as `{admonition} Hint`; None where it is only code."""
    said = _DIRECTIVE.fullmatch(info.strip())
    if not said:
        return None
    body, folded = content.removesuffix("\n").split("\n"), False
    while body and (option := _OPTION.fullmatch(body[0])):
        folded = folded or (option[1] == "class" and "dropdown" in option[2].split())
        body = body[1:]
    return Directive(said[1], said[2], folded, tuple(body))


def role(name: str, content: str) -> tuple[str, str]:
    """What a role shows, as plain Markdown, and where it leads, if anywhere."""
    text, opened, to = content.rstrip(">").rpartition("<")
    named = (text.rstrip(), to) if content.endswith(">") and opened and text.strip() and to else None
    match name:
        case "math":
            return f"${content}$", ""
        case "code" | "eval":
            return f"`{content}`", ""
        case "ref" | "numref":
            return (named[0], f"#{named[1]}") if named else (content, f"#{content}")
        case "doc":
            text, to = named or (content, content)
            return text, to if to.endswith(".md") else f"{to}.md"
        case _:
            return content, ""


# ---------------------------------------------------------------- Markdown for other readers


def without_html(text: str) -> str:
    """The same Markdown for a reader that lets HTML through, as notebooks do: its tags are spelled out."""
    from markdown_it import MarkdownIt

    if "<" not in text:
        return text
    lines = text.split("\n")
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if not token.map:
            continue
        first, end = token.map
        if token.type == "html_block":
            lines[first:end] = [line.replace("<", "&lt;") for line in lines[first:end]]
        elif any(part.type == "html_inline" for part in token.children or ()):
            lines[first:end] = _spelled(lines[first:end], token)
    return "\n".join(lines)


def _spelled(lines: Sequence[str], token: Token) -> list[str]:
    """The lines of a block with its tags spelled out, and with its code as it is."""
    source, done, place = "\n".join(lines), [], 0
    for part in token.children or ():
        if part.type not in ("html_inline", "code_inline"):
            continue
        words = re.escape(part.content).replace("\\\n", r"\s+").replace("\\ ", r"\s+")  # code is told without line ends
        found = re.compile(words).search(source, place)
        if not found:
            continue
        shown = found[0].replace("<", "&lt;") if part.type == "html_inline" else found[0]
        done += [source[place : found.start()], shown]
        place = found.end()
    return "".join([*done, source[place:]]).split("\n")


# ---------------------------------------------------------------- HTML


@lru_cache(1024)
def as_html(text: str) -> str:
    """Markdown as HTML; what looks like HTML in it is shown as text."""
    return str(parser().render(printable(text))).strip()


@lru_cache(4096)
def fragment(text: str, *, links: bool = True) -> str:
    """A text that stands inside of something: one line without a paragraph around it, or blocks in a `div`.

    `links` is off where somebody else's words may be in it: no link and no picture is made then.
    """
    text = printable(text)
    reader = parser(links=links)
    if has_blocks(text):
        return f'<div class="tg-blocks">{str(reader.render(text)).strip()}</div>'
    return str(reader.renderInline(" ".join(text.split()))).strip()


def as_plain_html(text: str, *, within: bool = False) -> str:
    """Markdown as HTML for other programs: no classes of ours, and well-formed as XML. `within` a line where it is one.

    Of a picture that is not in the text itself only its words remain: it would be missing there.
    """
    text, reader = printable(text), _plain_parser()
    if within and not has_blocks(text):
        return str(reader.renderInline(" ".join(text.split()))).strip()
    return str(reader.render(text)).strip()


@cache
def _plain_parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    made = MarkdownIt("js-default", {"html": False, "linkify": False, "xhtmlOut": True})
    made.validateLink = _may_lead  # type: ignore[method-assign,assignment]  # as markdown-it says to
    made.add_render_rule("image", _plain_image)
    return made


def _plain_image(renderer: Any, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    token = tokens[place]
    to, words = str(token.attrs.get("src", "")), renderer.renderInlineAsText(token.children or [], options, env)
    return f'<img src="{html.escape(to)}" alt="{html.escape(words)}" />' if _PICTURE.match(to) else html.escape(words)


def phrase_as_html(text: str) -> str:
    """One line of what we say of an answer, which may quote it."""
    return str(parser(links=False).renderInline(printable(" ".join(text.split())))).strip()


def _may_lead(to: str) -> bool:
    """Whether this is where a link or a picture may lead: beside the page, the web, mail, a picture as data."""
    scheme = _SCHEME.match(to)
    if not scheme:
        return True
    return (scheme[1] or "").lower() in ("http", "https", "mailto") or bool(_PICTURE.match(to))


def _fence(_: Any, tokens: Sequence[Token], place: int, *__: Any) -> str:
    token = tokens[place]
    if token.info.strip().partition(" ")[0].lower() in PYTHON:
        made = code(token.content)
    else:
        made = f'<pre class="tg-code"><code>{html.escape(token.content.strip(chr(10)), quote=False)}</code></pre>'
    return made.replace("<pre ", '<pre tabindex="0" ', 1) + "\n"  # who has no mouse scrolls it by keys


def _image(renderer: Any, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    token = tokens[place]
    to, words = str(token.attrs.get("src", "")), renderer.renderInlineAsText(token.children or [], options, env)
    if _SCHEME.match(to) and not _PICTURE.match(to):
        return html.escape(words)  # of another host: who reads the page would be told to it
    title = f' title="{html.escape(str(token.attrs["title"]))}"' if "title" in token.attrs else ""
    return f'<img src="{html.escape(to)}" alt="{html.escape(words)}"{title}>'


def _link_open(renderer: Any, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    if str(tokens[place].attrs.get("href", "")).lower().startswith("data:"):
        tokens[place].attrs.pop("href")
    else:
        tokens[place].attrSet("rel", "noreferrer")
    return str(renderer.renderToken(tokens, place, options, env))


def _link_close(renderer: Any, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    return str(renderer.renderToken(tokens, place, options, env))


_RULES: dict[str, Callable[..., str]] = {
    "fence": _fence,
    "image": _image,
    "link_open": _link_open,
    "link_close": _link_close,
}
