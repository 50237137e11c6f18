r"""A lesson's prose without MyST, for notebooks: Markdown that any reader knows, written as its `Style` says.

What is a block is said by `render.markdown`; here texts are changed in place, so that all else stays as its author
wrote it. Roles become what they stand for ({eval} its recorded value), comments go, and targets, blocks and links are
left to the style. What stands in fences and code spans is left as it is.

>>> quoted = Style(lambda name: [], lambda title, folded, lines: [f"> {title}", *lines], lambda text, to: text)
>>> print(plain("(three)=\nEpoch {eval}`n + 1`<!-- 3 -->, see [Counting](#counting).", quoted))
Epoch 3, see Counting.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.content.lesson_files import INLINE
from grader.render import markdown

if TYPE_CHECKING:
    from markdown_it.token import Token

_HEADING = re.compile(r"#{1,6}\s")
_SPAN = re.compile(
    rf"{INLINE.pattern}"  # groups 1 to 3
    r"|\{(?P<role>[\w:-]+)\}`(?P<content>[^`]+)`"
    r"|(?P<code>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<comment><!--.*?-->)"
    r"|(?<!!)\[(?P<text>[^\[\]]+)\]\((?P<to>[^)\s]+)\)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Style:
    """How a reader is shown what plain Markdown has no sign for: a place, a block (folded or not), a link."""

    target: Callable[[str], list[str]]
    block: Callable[[str, bool, list[str]], list[str]]
    link: Callable[[str, str], str]


def quote(title: str, lines: Sequence[str]) -> list[str]:
    """A block as a quotation with its title."""
    return [f"> **{title}**", ">", *(f"> {line}".rstrip() for line in lines), ""]


def plain(text: str, style: Style) -> str:
    """Prose as plain Markdown."""
    found: list[str] = []
    running: list[str] = []

    def end_of_text() -> None:
        while running and not running[0].strip() and found and not found[-1]:
            running.pop(0)  # one free line is enough
        if running:
            shown = _SPAN.sub(lambda span: _span(span, style), "\n".join(running))
            found.extend(markdown.without_html(shown).split("\n"))
            running.clear()

    for token, lines in _pieces(text):
        match token.type if token else "":
            case "":
                running += lines
            case "myst_target":
                end_of_text()
                found += style.target(str(token and token.content))
            case "fence" | "colon_fence":
                end_of_text()
                found += _fence(token, lines, style)
    end_of_text()
    return "\n".join(found)


def sections(text: str) -> list[str]:
    """The same prose in pieces: each begins with a heading, or the target before it, or after a `+++`."""
    found: list[list[str]] = [[]]
    pending = False  # a target stands there, whose heading follows
    for token, lines in _pieces(text):
        kind = token.type if token else ""
        starts = kind == "myst_target" or bool(token is None and _HEADING.match(lines[0]))
        if (starts and not pending) or kind == "myst_block_break":
            found.append([])
        if kind or lines[0].strip():
            pending = kind == "myst_target"
        found[-1] += lines
    return [piece for lines in found if (piece := "\n".join(lines).strip("\n"))]


_WHOLE = ("fence", "colon_fence", "myst_target", "myst_block_break", "myst_line_comment")
"""What the reader of Markdown says that is no text of a paragraph, and is taken with all of its lines."""


def _pieces(text: str) -> Iterator[tuple[Token | None, list[str]]]:
    """Each fence, target, break and comment with all of its lines, and each other line by itself."""
    lines, place = text.split("\n"), 0
    for token in markdown.lesson_tokens(text):
        if token.type in _WHOLE and token.map and token.map[0] >= place:
            first, end = token.map
            yield from ((None, [line]) for line in lines[place:first])
            yield token, lines[first:end]
            place = end
    yield from ((None, [line]) for line in lines[place:])


def _fence(fence: Token | None, lines: list[str], style: Style) -> list[str]:
    """Code as it is; a directive as a block, a formula or code."""
    made = fence and markdown.directive(fence.info, fence.content)
    if not made:
        return lines
    match made.name:
        case "math":
            return ["$$", *made.body, "$$"]
        case "code" | "code-block":
            return [f"```{made.title}", *made.body, "```"]
        case _:
            heading = _SPAN.sub(lambda span: _span(span, style), made.title) or made.name.capitalize()
            return style.block(heading, made.folded, plain("\n".join(made.body), style).strip("\n").split("\n"))


def _span(span: re.Match[str], style: Style) -> str:
    """What one role, comment or link becomes; a code span stays."""
    if span["code"]:
        return span[0]
    if span["comment"]:
        return ""
    if span["text"]:
        return style.link(_SPAN.sub(lambda inner: _span(inner, style), span["text"]), span["to"])
    if span["role"]:
        return _role(span["role"], span["content"], style)
    return (span[3] or "").strip() or f"`{span[1]}`"


def _role(role: str, content: str, style: Style) -> str:
    text, to = markdown.role(role, content)
    return style.link(text, to) if to else text
