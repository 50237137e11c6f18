"""XML without entities and network, with the line of each element, and as JSON data.

defusedxml does what the standard library does not: it refuses documents that define entities, which can grow without
end or name files of this machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from grader.errors import InputError

DEEPEST = 200
"""Elements in elements."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document: its outermost element, and the line on which each one begins."""

    root: Element
    lines: dict[Element, int]

    def line(self, element: Element) -> int:
        return self.lines.get(element, 1)


class _Builder(TreeBuilder):
    """Notes lines, and that elements are not nested without end."""

    def __init__(self) -> None:
        super().__init__()
        self.parser: Any = None
        self.lines: dict[Element, int] = {}
        self.depth = 0

    def start(self, tag: Any, attrs: Any, /) -> Element:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ValueError(f"elements are nested more than {DEEPEST} deep")
        element = super().start(tag.rpartition("}")[2], attrs)
        self.lines[element] = self.parser.parser.CurrentLineNumber
        return element

    def end(self, tag: Any, /) -> Element:
        self.depth -= 1
        return super().end(tag.rpartition("}")[2])


def parse(data: bytes, name: str) -> Parsed:
    """A document. Raises InputError with the place."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    builder = _Builder()
    parser = DefusedXMLParser(target=builder, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    builder.parser = parser
    try:
        parser.feed(data)
        root = parser.close()
    except DefusedXmlException:
        message = f"{name}:{parser.parser.CurrentLineNumber}: the XML defines entities, which are not read"
        raise InputError(message, "write out what they stand for") from None
    except ParseError as error:
        line, column = error.position
        message = f"{name}:{line}:{column + 1}: this is not XML: {str(error).partition(':')[0]}"
        raise InputError(message, "the file may have been cut off, or saved in another encoding") from None
    except (ValueError, LookupError, RecursionError) as error:
        raise InputError(f"{name}:{parser.parser.CurrentLineNumber}: {error}", "export the file again") from None
    return Parsed(root, builder.lines)


def raw(element: Element, above: str = "") -> list[dict[str, str]]:
    """All attributes and texts of an element as a flat list, each by the way to it: `presentation/material/mattext`."""
    path = f"{above}/{element.tag}" if above else str(element.tag)
    found = [{f"{path}@{name}": value} for name, value in element.attrib.items()]
    found += [{path: element.text}] if element.text and element.text.strip() else []
    for child in element:
        found += raw(child, path)
        found += [{path: child.tail}] if child.tail and child.tail.strip() else []
    return found


def text(element: Element | None) -> str:
    """All text in an element."""
    return "" if element is None else "".join(element.itertext())


def inner(element: Element) -> str:
    """What is in an element as markup, its own text included: XHTML in place of text."""
    import html

    parts = [html.escape(element.text or "", quote=False)]
    for child in element:
        attributes = "".join(f' {name}="{html.escape(value)}"' for name, value in child.attrib.items())
        parts.append(f"<{child.tag}{attributes}>{inner(child)}</{child.tag}>")
        parts.append(html.escape(child.tail or "", quote=False))
    return "".join(parts)
