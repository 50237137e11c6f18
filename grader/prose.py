r"""A lesson's prose without MyST: Markdown that any reader knows, drawn as its `Style` says.

Roles become what they stand for ({eval} its recorded value), comments go, and targets, blocks and links are left to
the style: a terminal and a notebook have different ones. What stands in fences and code spans is left as it is.

>>> quoted = Style(lambda name: [], lambda title, folded, lines: [f"> {title}", *lines], lambda text, to: text)
>>> print(plain("(three)=\nEpoch {eval}`n + 1`<!-- 3 -->, see [Counting](#counting).", quoted))
Epoch 3, see Counting.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from grader.lesson import INLINE

_FENCE = re.compile(r"^\s*(`{3,}|~{3,}|:{3,}(?=\s*\{))\s*(?:\{([\w:-]+)\}\s*(.*))?")
_TARGET = re.compile(r"\(([\w:-]+)\)=\s*")
_OPTION = re.compile(r":([\w-]+):\s*(.*)")
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
            found.extend(_SPAN.sub(lambda span: _span(span, style), "\n".join(running)).split("\n"))
            running.clear()

    for fence, lines in _pieces(text.split("\n")):
        if fence:
            end_of_text()
            found += _fence(fence, lines, style)
        elif target := _TARGET.fullmatch(lines[0]):
            end_of_text()
            found += style.target(target[1])
        elif not lines[0].startswith(("+++", "% ")):
            running += lines
    end_of_text()
    return "\n".join(found)


def sections(text: str) -> list[str]:
    """The same prose in pieces: each begins with a heading, or the target before it, or after a `+++`."""
    found: list[list[str]] = [[]]
    pending = False  # a target stands there, whose heading follows
    for fence, lines in _pieces(text.split("\n")):
        starts = not fence and bool(_HEADING.match(lines[0]) or _TARGET.fullmatch(lines[0]))
        if (starts and not pending) or (not fence and lines[0].startswith("+++")):
            found.append([])
        if fence or lines[0].strip():
            pending = not fence and bool(_TARGET.fullmatch(lines[0]))
        found[-1] += lines
    return [piece for lines in found if (piece := "\n".join(lines).strip("\n"))]


def _pieces(lines: Sequence[str]) -> Iterator[tuple[re.Match[str] | None, list[str]]]:
    """Each fence with all of its lines, and each other line by itself."""
    place = 0
    while place < len(lines):
        fence, end = _FENCE.match(lines[place]), place + 1
        if fence:
            closing = re.compile(rf"\s*{fence[1][0]}{{{len(fence[1])},}}\s*")
            while end < len(lines) and not closing.fullmatch(lines[end]):
                end += 1
            end += 1
        yield fence, list(lines[place:end])
        place = end


def _fence(fence: re.Match[str], lines: list[str], style: Style) -> list[str]:
    """Code as it is; a directive as a block, a formula or code."""
    name, title = fence[2], fence[3]
    if name is None:
        return lines
    body, folded = lines[1:-1], False
    while body and (option := _OPTION.fullmatch(body[0])):
        folded = folded or (option[1] == "class" and "dropdown" in option[2].split())
        body = body[1:]
    match name:
        case "math":
            return ["$$", *body, "$$"]
        case "code" | "code-block":
            return [f"```{title}", *body, "```"]
        case _:
            heading = _SPAN.sub(lambda span: _span(span, style), title) or name.capitalize()
            return style.block(heading, folded, plain("\n".join(body), style).strip("\n").split("\n"))


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
    text, opened, to = content.rstrip(">").rpartition("<")
    named = (text.rstrip(), to) if content.endswith(">") and opened and text.strip() and to else None
    match role:
        case "math":
            return f"${content}$"
        case "code":
            return f"`{content}`"
        case "ref" | "numref":
            return style.link(named[0], f"#{named[1]}") if named else style.link(content, f"#{content}")
        case "doc":
            text, to = named or (content, content)
            return style.link(text, to if to.endswith(".md") else f"{to}.md")
        case _:
            return content
