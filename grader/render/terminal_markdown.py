"""Markdown on a terminal: the tokens of `markdown`, drawn with rich in the console's width.

Where nothing can be bold or colored, the marks of the author stay: backticks, stars, the signs of a heading. A picture
is its description.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text

from grader.render import markdown, terminal_text
from grader.template import printable

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode
    from rich.console import Console, JustifyMethod

SIDES: dict[str, JustifyMethod] = {"right": "right", "center": "center"}
"""Where cells of a table stand, by the last word of their style."""

_MARKED = re.compile(
    r"``|~~|\*(?!\s)|(?<!\s)\*|(?<!\w)_|_(?!\w)|\\[!-/:-@\[-`{-~\n]|<[A-Za-z/!?]|&[#\w]+;|\][\[(:]|!\[|\||  \n"
    r"|^ {0,3}(?:[-+*>#=]|\d{1,9}[.)](?:\s|$))|^(?: {4}| {0,3}\t)",
    re.MULTILINE,
)
"""What may be more than paragraphs and code in single backticks. Where there is none no parser is loaded, and the first
question of a sitting is shown a tenth of a second sooner."""

_SPAN = re.compile(r"`([^`]+)`")
_FREE = re.compile(r"\n[ \t]*\n")


def draw(console: Console, text: str, *, lesson: bool = False, colored: bool = True) -> None:
    """Print a text with all of its blocks. Code is not `colored` in plain mode."""
    _print(console, _Drawer(console, colored, lesson).lines(printable(text), console.width))


def entry(console: Console, label: str, style: str, text: str) -> None:
    """Print a text with a label before its first line and as much space before the others."""
    width = console.width - len(label)
    shown = _Drawer(console).inside(printable(text), width)
    _print(console, _labeled(label, style, shown))


def after(console: Console, start: Text, text: str) -> None:
    """Print a text that goes on where `start` ends; blocks of it stand below."""
    drawer, text = _Drawer(console), printable(text)
    if "\n" in text.strip() and len(_paragraphs(text)) != 1 and markdown.has_blocks(text):
        _print(console, [start, Text(), *drawer.lines(text, console.width)])
    else:
        console.print(Text.assemble(start, " ", drawer.phrase(text)))


def phrase(console: Console, text: str) -> Text:
    """One line of Markdown."""
    return _Drawer(console).phrase(printable(text))


def as_text(text: str) -> str:
    """A text as plain lines, for where there is no terminal; one line is not wrapped."""
    drawer, text = _Drawer(terminal_text.screen(io.StringIO(), terminal=False)), printable(text)
    if markdown.has_blocks(text):
        return "\n".join(line.plain.rstrip() for line in drawer.lines(text, drawer.console.width))
    return drawer.phrase(text).plain


def _print(console: Console, lines: Iterable[Text]) -> None:
    for line in lines:
        console.print(line, soft_wrap=True)


def _labeled(label: str, style: str, lines: Sequence[Text]) -> list[Text]:
    starts = [(label, style), *[(" " * len(label), "")] * (len(lines) - 1)]
    return [Text.assemble(start, line) if line or number == 0 else Text()
            for number, (start, line) in enumerate(zip(starts, lines or [Text()], strict=False))]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Drawer:
    """Makes lines of blocks, and text with styles of what is inside of them."""

    console: Console
    colored: bool = True
    lesson: bool = False

    def lines(self, text: str, width: int) -> list[Text]:
        """The lines of a text with all of its blocks."""
        if not self.lesson and (paragraphs := _paragraphs(text)):
            shown: list[Text] = []
            for paragraph in paragraphs:
                shown += [Text()] * bool(shown) + self._wrapped(self._spans(paragraph), width)
            return shown
        return self.blocks(markdown.tree(text, lesson=self.lesson).children, width)

    def inside(self, text: str, width: int) -> list[Text]:
        """The lines of what stands behind a label: one line of Markdown, or several of blocks."""
        return self.lines(text, width) if "\n" in text.strip() else self._wrapped(self.phrase(text), width)

    def phrase(self, text: str) -> Text:
        flat = " ".join(text.split())
        if not self.lesson and len(_paragraphs(flat)) == 1:
            return self._spans(flat)
        return self._inline(markdown.phrase(flat, lesson=self.lesson).children)

    def _wrapped(self, text: Text, width: int) -> list[Text]:
        return list(text.wrap(self.console, max(width, 10)))

    # ------------------------------------------------------------ blocks

    def blocks(self, nodes: Sequence[SyntaxTreeNode], width: int) -> list[Text]:
        """Blocks with a free line between them; a list follows its sentence as closely as it was written."""
        shown: list[Text] = []
        before: SyntaxTreeNode | None = None
        for node in nodes:
            lines = self._block(node, width)
            if not lines:
                continue
            close = before is not None and before.type == "paragraph" and node.type.endswith("_list")
            if shown and not (close and _next_to(before, node)):
                shown.append(Text())
            shown += lines
            before = node
        return shown

    def _block(self, node: SyntaxTreeNode, width: int) -> list[Text]:
        match node.type:
            case "paragraph" | "heading" | "inline":
                return self._wrapped(self._titled(node), width)
            case "bullet_list" | "ordered_list":
                return self._list(node, width)
            case "blockquote":
                return _labeled_each("> ", self.blocks(node.children, width - 2))
            case "fence" | "colon_fence":
                made = markdown.directive(node.info, node.content) if self.lesson else None
                return self._directive(made, width) if made else self._code(node.content, node.info, width)
            case "code_block":
                return self._code(node.content, "", width)
            case "table":
                return self._table(node, width)
            case "hr":
                return [Text("-" * min(width, 20))]
            case "math_block" | "amsmath":
                return self._code(node.content, "text", width)
            case "html_block" if not node.content.lstrip().startswith("<!--"):
                return self._wrapped(Text(node.content.strip()), width)
            case _:
                return []  # a comment, a place to link to, where an editor's cell begins

    def _titled(self, node: SyntaxTreeNode) -> Text:
        text = self._inline(node.children[0].children if node.children else [])
        if node.type != "heading":
            return text
        if self.console.is_terminal:
            text.stylize("bold" if node.tag != "h1" else "bold underline")
            return text
        return Text.assemble("#" * int(node.tag[1:]), " ", text)

    def _list(self, node: SyntaxTreeNode, width: int) -> list[Text]:
        start = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else 0
        names = [f"{start + place}. " if node.type == "ordered_list" else "- " for place in range(len(node.children))]
        wide = max(map(len, names)) + 2
        loose = any(part.type == "paragraph" and not part.hidden for item in node.children for part in item.children)
        shown: list[Text] = []
        for name, item in zip(names, node.children, strict=True):
            shown += [Text()] * bool(shown and loose)
            shown += _labeled(name.rjust(wide), "", self.blocks(item.children, width - wide))
        return shown

    def _code(self, source: str, info: str, width: int) -> list[Text]:
        python = info.strip().partition(" ")[0].lower() in markdown.PYTHON
        return terminal_text.code_lines(self.console, source.strip("\n"), colored=self.colored and python, width=width)

    def _directive(self, made: markdown.Directive, width: int) -> list[Text]:
        body = "\n".join(made.body)
        match made.name:
            case "math":
                return self._code(body, "text", width)
            case "code" | "code-block":
                return self._code(body, made.title, width)
            case _:
                title = self.phrase(made.title or made.name.capitalize())
                if self.console.is_terminal:
                    title.stylize("bold")
                return _labeled_each("> ", [title, Text(), *self.lines(body, width - 2)])

    def _table(self, node: SyntaxTreeNode, width: int) -> list[Text]:
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
        head, *bodies = node.children
        for cell in head.children[0].children:
            side = str(cell.attrs.get("style", "")).rpartition(":")[2]
            table.add_column(self._titled(cell), justify=SIDES.get(side, "left"))
        for row in (row for body in bodies for row in body.children):
            table.add_row(*map(self._titled, row.children))
        options = self.console.options.update(width=max(width - 2, 10), height=None)  # it stands two to the right
        lines = self.console.render_lines(table, options, pad=False)
        shown = [Text.assemble(*((part.text, part.style or "") for part in line)) for line in lines]
        for line in shown:
            line.rstrip()
        return [Text.assemble("  ", line) for line in shown if line]

    # ------------------------------------------------------------ inside of a block

    def _spans(self, paragraph: str) -> Text:
        """A paragraph in which there is nothing but text, and code in single backticks."""
        shown = Text()
        for number, part in enumerate(_SPAN.split(" ".join(paragraph.split()))):
            shown.append_text(self._span(part, "`") if number % 2 else Text(part))
        return shown

    def _span(self, code: str, marks: str) -> Text:
        if self.console.is_terminal and not self.console.no_color:
            return Text(code, style="cyan")
        return Text(f"{marks}{code}{marks}")

    def _inline(self, nodes: Sequence[SyntaxTreeNode]) -> Text:
        shown = Text()
        for place, node in enumerate(nodes):
            shown.append_text(self._part(node, nodes[place + 1] if place + 1 < len(nodes) else None))
        return shown

    def _part(self, node: SyntaxTreeNode, following: SyntaxTreeNode | None) -> Text:
        match node.type:
            case "inline":
                return self._inline(node.children)
            case "softbreak":
                return Text(" ")
            case "hardbreak":
                return Text("\n")
            case "code_inline":
                return self._span(node.content, node.markup)
            case "strong" | "em" | "s":
                return self._stressed(node)
            case "link":
                return self._link(self._inline(node.children), str(node.attrs.get("href", "")))
            case "image":
                words = "".join(part.content for part in node.walk() if part.type in ("text", "code_inline"))
                return Text(f"[picture: {words or node.attrs.get('src', '')}]")
            case "math_inline" | "math_inline_double":
                return Text(f"{node.markup}{node.content}{node.markup}")
            case "html_inline":
                return Text("" if node.content.startswith("<!--") else node.content)
            case "myst_role":
                return self._role(node, following)
            case _:
                return Text(re.sub(r"\s+", " ", node.content))

    def _stressed(self, node: SyntaxTreeNode) -> Text:
        text = self._inline(node.children)
        if not self.console.is_terminal:
            return Text.assemble(node.markup, text, node.markup)
        text.stylize({"strong": "bold", "em": "italic"}.get(node.type, "strike"))
        return text

    def _link(self, text: Text, to: str) -> Text:
        """A terminal has no places to jump to; what it cannot open itself is said."""
        if to.startswith("#") or text.plain == to:
            return text
        if self.console.is_terminal:
            text.stylize(Style(underline=True, link=to))
            return text
        return Text.assemble(text, f" ({to})")

    def _role(self, node: SyntaxTreeNode, following: SyntaxTreeNode | None) -> Text:
        name = str(node.meta["name"])
        if name == "eval" and following is not None and following.type == "html_inline":
            recorded = re.fullmatch(r"<!--(.*?)-->", following.content)
            if recorded and recorded[1].strip():
                return Text(recorded[1].strip())
        if name in ("code", "eval"):
            return self._span(node.content, "`")
        text, to = markdown.role(name, node.content)
        return self._link(Text(text), to) if to else Text(text)


def _paragraphs(text: str) -> list[str]:
    """The paragraphs of a text that has nothing else in it but code in single backticks; none where it has."""
    paragraphs = [part for part in _FREE.split(text.strip("\n")) if part.strip()]
    if any(part.count("`") % 2 or _MARKED.search(_SPAN.sub("x", part)) or "``" in part for part in paragraphs):
        return []
    return paragraphs


def _labeled_each(label: str, lines: Sequence[Text]) -> list[Text]:
    return [Text.assemble(label if line else label.rstrip(), line) for line in lines]


def _next_to(one: SyntaxTreeNode | None, other: SyntaxTreeNode) -> bool:
    return bool(one and one.map and other.map and one.map[1] == other.map[0])
