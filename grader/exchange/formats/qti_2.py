"""QTI 2.1 and its relatives: `<assessmentItem>`, an item a file; or several in one document."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from grader.errors import InputError
from grader.exchange import xml_elements
from grader.exchange.html_text import markdown
from grader.exchange.published_questions import PublishedKey, PublishedOption, PublishedQuestion, PublishedQuiz, each
from grader.exchange.quiz_files import QuizFile

TITLE = "QTI 2.1"
ITEMS = ("assessmentItem", "qti-assessment-item")


def recognize(file: QuizFile) -> int:
    """See `Reads`."""
    if not file.is_xml or not ("assessmentItem" in file.head or "assessment-item" in file.head):
        return 0
    return 3 if next(_items(file), None) is not None else 0


def read(file: QuizFile) -> PublishedQuiz:
    """See `Reads`."""
    items = list(_items(file))
    if not items:
        message = f"{file.name}:1: there is no <assessmentItem> in it"
        raise InputError(message, "give the files of the items, or the archive that they are in")
    found = each(((file.xml.line(item), item) for item in items), _question)
    title = items[0].get("title", "") if len(items) == 1 else file.xml.root.get("title", "")
    return PublishedQuiz(tuple(replace(one, raw=xml_elements.raw(one.raw)) for one in found), title=title)


def _items(file: QuizFile) -> Any:
    return (one for one in file.xml.root.iter() if one.tag in ITEMS)


def _named(element: Element, name: str) -> list[Element]:
    """Elements of a name of version 2, or as version 3 spells it."""
    spelled = "qti-" + "".join(f"-{sign.lower()}" if sign.isupper() else sign for sign in name)
    return [one for one in element.iter() if one.tag in (name, spelled)]


def _question(item: Element) -> PublishedQuestion:
    body = _named(item, "itemBody")
    if not body:
        raise ValueError("it has no <itemBody>")
    choices, typed = _named(body[0], "choiceInteraction"), _named(body[0], "textEntryInteraction")
    others = [
        one for one in body[0].iter() if one.tag.lower().endswith("interaction") and one not in (*choices, *typed)
    ]
    stem = _stem(body[0])
    if len(choices) + len(typed) != 1 or others:
        return PublishedQuestion(stem, "other")
    declared = next(iter(_named(item, "responseDeclaration")), None)
    right = _correct(declared)
    feedback = {one.get("identifier", ""): markdown(xml_elements.inner(one)) for one in _named(item, "modalFeedback")}
    if typed:
        keys = tuple(PublishedKey(value, _near(item)) for value in dict.fromkeys([*right, *_mapped(declared)]))
        return PublishedQuestion(stem, "typed", keys=keys)
    marked = right or _mapped(declared)
    options = []
    for choice in map(copy.deepcopy, _named(choices[0], "simpleChoice")):
        inline = _named(choice, "feedbackInline")
        name = choice.get("identifier", "")
        said = " ".join(markdown(xml_elements.inner(one)) for one in inline) or feedback.get(name, "")
        for one in inline:
            one.clear()
        options.append(PublishedOption(markdown(xml_elements.inner(choice)), name in marked if marked else None, said))
    cardinality = declared.get("cardinality", "single") if declared is not None else "single"
    return PublishedQuestion(stem, "many" if cardinality == "multiple" else "one", options=tuple(options))


def _stem(body: Element) -> str:
    """All that is shown but the choices; a blank where something is typed."""

    def shown(element: Element) -> str:
        import html

        parts = [html.escape(element.text or "", quote=False)]
        for child in element:
            if child.tag in ("simpleChoice", "qti-simple-choice", "rubricBlock"):
                said = ""
            elif child.tag.lower().endswith(("textentryinteraction", "text-entry-interaction")):
                said = "____"
            elif child.tag in ("prompt", "qti-prompt", "choiceInteraction", "itemBody"):
                said = f"<div>{shown(child)}</div>"
            else:
                attributes = "".join(f' {name}="{html.escape(value)}"' for name, value in child.attrib.items())
                said = f"<{child.tag}{attributes}>{shown(child)}</{child.tag}>"
            parts += [said, html.escape(child.tail or "", quote=False)]
        return "".join(parts)

    return markdown(shown(body))


def _correct(declared: Element | None) -> list[str]:
    if declared is None:
        return []
    return [(value.text or "").strip() for one in _named(declared, "correctResponse") for value in _named(one, "value")]


def _near(item: Element) -> float | None:
    """How far a number may be from the right one: where that is what it is compared with."""
    for one in _named(item, "equal"):
        said = (one.get("tolerance") or "").split()
        if said and _named(one, "correct") and "absolute" in (one.get("toleranceMode"), one.get("tolerance-mode")):
            return float(said[0])
    return None


def _mapped(declared: Element | None) -> list[str]:
    """What a mapping gives all points for."""
    if declared is None:
        return []
    entries = []
    for one in _named(declared, "mapEntry"):
        points = one.get("mappedValue") or one.get("mapped-value") or "0"
        entries.append((one.get("mapKey") or one.get("map-key") or "", float(points)))
    most = max((points for _, points in entries), default=0.0)
    return [key for key, points in entries if points > 0 and points == most]
