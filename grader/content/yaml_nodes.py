"""The nodes of a YAML 1.2 text, as ruamel.yaml composes them, into plain data with places."""

from __future__ import annotations

import contextlib
import itertools
import re
from dataclasses import replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from grader import template
from grader.content import yaml_advice
from grader.content.places import KeyPath, Place, Source, control_character, item_name
from grader.model import Finding, Span

_CORE = "tag:yaml.org,2002:"
DEEPEST = 16
MOST_NODES = 40_000
"""Keys, values, lists and mappings; reading more of them takes seconds and hundreds of megabytes."""
MOST_FINDINGS = 50
"""In one file, of what YAML may not have."""


class _Bounded(Composer):
    """Composes nodes until there are too many, or one stands too deep."""

    level = count = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.level, self.count = self.level + 1, self.count + 1
        if self.level > DEEPEST or self.count > MOST_NODES:
            many = f"more than {MOST_NODES:,} values" if self.level <= DEEPEST else f"nested more than {DEEPEST} deep"
            raise ComposerError(None, None, many, self.parser.peek_event().start_mark)
        node = super().compose_node(parent, index)
        self.level -= 1
        return node


def read(text: str, source: Source) -> None:
    """Fill a source from its text, with data or with findings."""
    path = source.path
    try:
        yaml = YAML(typ="safe", pure=True)
        yaml.Composer = _Bounded
        yaml.composer.warn_double_anchors = False  # anchors are refused anyway, as findings
        node = yaml.compose(text)
        if node is None:
            hint = "start with `format: 1`, or write one with `grader new item`"
            source.findings.append(Finding("empty-file", "there is nothing in this file", Span(path), hint))
        else:
            data = _build(node, (), source, text.splitlines(), None)
            source.data = data if all(finding.item for finding in source.findings) else None
            if (
                len(source.findings) > MOST_FINDINGS
            ):  # what the whole file is left out for is told before its items' faults
                source.findings.sort(key=lambda finding: bool(finding.item))
                del source.findings[MOST_FINDINGS:]
    except MarkedYAMLError as error:
        what = template.in_a_line(" ".join(str(part) for part in (error.context, error.problem) if part))
        mark, opened = error.problem_mark or error.context_mark, error.context_mark
        mark = opened if opened and "quoted scalar" in what else mark  # the end of the file says nothing
        at = Span(path, mark.line + 1, mark.column + 1) if mark else Span(path)
        said = yaml_advice.of(what, text.splitlines(), at.line - 1, opened.line if opened else None)
        source.findings.append(Finding("bad-yaml", said[0], at, said[1]))
    except (YAMLError, ValueError) as error:
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        what = str(error).strip().splitlines()[0]
        source.findings.append(Finding("bad-yaml", what, Span(path, line), "save the file as UTF-8 text"))
    except RecursionError:
        source.findings.append(Finding("bad-yaml", "the file is nested too deeply", Span(path), "flatten it"))


def _build(node: Node, path: KeyPath, source: Source, lines: list[str], key: Node | None) -> Any:
    start = Span(source.path, node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, ScalarNode) and _unlike(node):
        source.findings.append(_control(node, source.path))
        return None
    key_at = Span(source.path, key.start_mark.line + 1, key.start_mark.column + 1) if key else None
    place = Place(start, key_at)
    source.places[path] = place
    if node.anchor:  # an aliased node has one too: it is the same node
        _refuse(source, "unsafe-yaml", f"the anchor `&{_named(node.anchor)}`", start, "write the text out each time")
        return None
    if isinstance(node, ScalarNode):
        source.places[path] = _text_place(node, place, lines)
        return _scalar(node, source, start)
    if node.tag not in (_CORE + "map", _CORE + "seq"):
        _refuse(source, "unsafe-yaml", f"the tag `{_named(node.tag)}`", start, "remove the tag")
    if isinstance(node, SequenceNode) and path == ("items",):
        return [_build_item(entry, index, source, lines) for index, entry in enumerate(node.value)]
    if isinstance(node, SequenceNode):
        return [_build(entry, (*path, index), source, lines, None) for index, entry in enumerate(node.value)]
    assert isinstance(node, MappingNode)
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        at = Span(source.path, key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if isinstance(key_node, ScalarNode) and _unlike(key_node):
            source.findings.append(_control(key_node, source.path))
            continue
        if not isinstance(key_node, ScalarNode) or key_node.tag != _CORE + "str":
            shown = _named(key_node.value) if isinstance(key_node, ScalarNode) else "a list or mapping"
            hint = "merge keys are not used here" if shown == "<<" else "a key is text; quote it"
            _refuse(source, "bad-field", f"the key `{shown}`", at, hint)
            continue
        name = key_node.value
        if name in result:
            first = source.at((*path, name), key=True)
            hint = f"it is first on line {first.line}; keep one"
            _refuse(source, "duplicate-key", f"the key `{_named(name)}` for the second time", at, hint)
            continue
        result[name] = _build(value_node, (*path, name), source, lines, key_node)
    return result


def _build_item(node: Node, index: int, source: Source, lines: list[str]) -> Any:
    """An entry of `items`; what is found in it is told as this item's, and spoils no other."""
    before = len(source.findings)
    data = _build(node, ("items", index), source, lines, None)
    if found := source.findings[before:]:
        source.spoiled.add(index)
        source.findings[before:] = [replace(finding, item=item_name(data, index)) for finding in found]
    return data


def _named(thing: object) -> str:
    return template.in_a_line(template.brief(str(thing)))


def _refuse(source: Source, code: str, what: str, at: Span, hint: str) -> None:
    finding = Finding(code, f"found {what}", at, hint)
    if finding not in source.findings[-1:]:
        source.findings.append(finding)


_ESCAPE = re.compile(r"\\(?:x(..)|u(.{4})|U(.{8})|(.))", re.DOTALL)
_SHORT = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    "N": "\x85",
    "L": "\u2028",
    "P": "\u2029",
}


def _unlike(node: ScalarNode) -> bool:
    """Whether a text has characters that no text should have. Escapes of halves, as JSON has them, are put together."""
    if not template.CONTROL.search(node.value):
        return False
    with contextlib.suppress(UnicodeDecodeError):
        node.value = node.value.encode("utf-16", "surrogatepass").decode("utf-16")
    return template.CONTROL.search(node.value) is not None


def _control(node: ScalarNode, path: str) -> Finding:
    """The first control character of a text, which stands there as an escape."""
    line, column = node.start_mark.line, node.start_mark.column
    text = node.start_mark.buffer[node.start_mark.pointer : node.end_mark.pointer] if node.style == '"' else ""
    for escape in _ESCAPE.finditer(text):
        digits = escape[1] or escape[2] or escape[3]
        character = chr(int(digits, 16)) if digits else _SHORT.get(escape[4], " ")
        if template.CONTROL.match(character):
            before = text[: escape.start()]
            column = escape.start() - before.rfind("\n") - 1 if "\n" in before else column + escape.start()
            line += before.count("\n")
            break
    return control_character(node.value, Span(path, line + 1, column + 1))


def _text_place(node: ScalarNode, place: Place, lines: list[str]) -> Place:
    """Where the characters of a scalar really start."""
    start, line = place.start, node.start_mark.line
    if node.style == "|":
        first = next((text for text in itertools.islice(lines, line + 1, None) if text.strip()), "")
        indent = len(first) - len(first.lstrip())
        return Place(Span(start.path, line + 2, indent + 1), place.key, indent)
    single = node.end_mark.line == line
    if node.style in ("'", '"'):
        start = Span(start.path, start.line, start.column + 1)
    return Place(start, place.key, None, single and node.style != ">")


_INTEGER = re.compile(r"[-+]?\d{1,300}|0x[0-9a-fA-F]{1,200}|0o[0-7]{1,200}")


_FLOAT = re.compile(rf"{template.NUMBER}|[-+]?inf|nan")


def _scalar(node: ScalarNode, source: Source, at: Span) -> Any:
    text: str = node.value
    tag = str(node.tag)
    match tag.removeprefix(_CORE) if tag.startswith(_CORE) else None:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int" if _INTEGER.fullmatch(text):
            return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
        case "float" if (number := re.sub(r"\.(inf|nan)", r"\1", text.lower())) and _FLOAT.fullmatch(number):
            return float(number)
        case "str" | "timestamp" | "value" | "int" | "float":
            return text
    _refuse(source, "unsafe-yaml", f"the tag `{_named(node.tag)}`", at, "remove the tag; quizzes are plain YAML")
    return None
