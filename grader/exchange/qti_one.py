"""QTI 1.2 items as Canvas, text2qti, Blackboard and others write them: stem, responses, and which of these score."""

from __future__ import annotations

import copy
import html
from collections.abc import Iterator
from dataclasses import replace
from xml.etree.ElementTree import Element

from grader.exchange import xml_elements
from grader.exchange.html_text import plain_or_html
from grader.exchange.published_questions import PublishedKey, PublishedOption, PublishedQuestion, each
from grader.exchange.quiz_files import QuizFile


def questions(file: QuizFile) -> list[PublishedQuestion]:
    """All items of a document, in order."""
    items = [(file.xml.line(item), item) for item in file.xml.root.iter("item") if not _is_text(item)]
    return [replace(one, raw=xml_elements.raw(one.raw)) for one in each(items, _question)]


def rest(root: Element) -> list[dict[str, str]]:
    """A document without its questions, as a flat list."""
    bare = copy.deepcopy(root)
    for parent in bare.iter():
        for item in [child for child in parent if child.tag == "item" and not _is_text(child)]:
            parent.remove(item)
    return xml_elements.raw(bare)


def _is_text(item: Element) -> bool:
    """Whether an item asks nothing: Canvas has texts between questions."""
    return _metadata(item).get("question_type") == "text_only_question"


def _material(element: Element | None) -> str:
    """What is shown, as Markdown: texts of a `material` in order."""
    if element is None:
        return ""
    parts = []
    for text in element.iter():
        if text.tag == "mattext":
            said = xml_elements.inner(text) if len(text) else text.text or ""
            parts.append(plain_or_html(said.strip("\n")))
        elif text.tag == "matimage":
            parts.append(f"![picture]({text.get('uri', '')[:200]})")
        elif text.tag == "matbreak":
            parts.append("\n")
    return "\n\n".join(part for part in parts if part).strip()


def _metadata(item: Element) -> dict[str, str]:
    return {
        xml_elements.text(field.find("fieldlabel")).strip(): xml_elements.text(field.find("fieldentry")).strip()
        for field in item.iter("qtimetadatafield")
    }


def _question(item: Element) -> PublishedQuestion:
    shown = item.find("presentation")
    if shown is None:
        raise ValueError("it has no <presentation>")
    materials = [child for child in shown if child.tag == "material"]
    flows = [material for flow in shown.iter("flow") for material in flow if material.tag == "material"]
    stem = "\n\n".join(filter(None, map(_material, materials or flows[:1])))
    sort = _metadata(item).get("question_type", "")
    responses = [one for one in shown.iter() if one.tag in ("response_lid", "response_str", "response_num")]
    if len(responses) != 1 or sort in ("matching_question", "essay_question", "file_upload_question"):
        return PublishedQuestion(stem, "other")
    (response,) = responses
    if _is_typed(response) and len(materials) > 1:
        stem = " ____ ".join(map(_material, materials))
    explanation = "\n".join(
        filter(None, (_material(one) for one in item.iter("itemfeedback") if one.get("ident") == "general_fb"))
    )
    right, wrong = _scored(item)
    if response.find(".//response_label") is None or (response.tag == "response_str" and _is_typed(response)):
        keys = _ranges(item) if sort == "numerical_question" else []
        keys = keys or [PublishedKey(html.unescape(value)) for value in right]
        return PublishedQuestion(stem, "typed", keys=tuple(dict.fromkeys(keys)), explanation=explanation)
    many = response.get("rcardinality", "Single").lower() == "multiple" or sort == "multiple_answers_question"
    feedback = {one.get("ident", ""): _material(one) for one in item.iter("itemfeedback")}
    options = []
    for label in response.iter("response_label"):
        name = label.get("ident", "")
        known = name in right or name in wrong or bool(right)
        options.append(
            PublishedOption(_material(label), name in right if known else None, feedback.get(f"{name}_fb", ""))
        )
    return PublishedQuestion(stem, "many" if many else "one", options=tuple(options), explanation=explanation)


def _is_typed(response: Element) -> bool:
    return response.find(".//render_fib") is not None


def _scored(item: Element) -> tuple[list[str], list[str]]:
    """The responses that a scoring condition asks for, and those that it asks not to be there."""
    right: list[str] = []
    wrong: list[str] = []
    for condition in item.iter("respcondition"):
        scores = [one for one in condition.iter("setvar") if _positive(one.text)]
        asked = condition.find("conditionvar")
        if not scores or asked is None:
            continue
        for equal, negated in _equals(asked, negated=False):
            (wrong if negated else right).append((equal.text or "").strip())
    return right, wrong


def _positive(text: str | None) -> bool:
    try:
        return float(text or 0) > 0
    except ValueError:
        return False


def _equals(element: Element, *, negated: bool) -> Iterator[tuple[Element, bool]]:
    for child in element:
        if child.tag in ("varequal", "varsubstring"):
            yield child, negated
        elif child.tag in ("and", "or", "not"):
            yield from _equals(child, negated=negated != (child.tag == "not"))


def _ranges(item: Element) -> list[PublishedKey]:
    """Numbers that score: Canvas writes each as a value and as bounds around it."""
    found = []
    for condition in item.iter("respcondition"):
        if not any(_positive(one.text) for one in condition.iter("setvar")):
            continue
        exact = [(one.text or "").strip() for one in condition.iter("varequal")]
        low = [(one.text or "").strip() for one in condition.iter() if one.tag in ("vargte", "vargt")]
        high = [(one.text or "").strip() for one in condition.iter() if one.tag in ("varlte", "varlt")]
        if exact and low and high:
            near = max(abs(float(high[0]) - float(exact[0])), abs(float(exact[0]) - float(low[0])))
            found.append(PublishedKey(exact[0], near or None))
        elif low and high:
            found.append(PublishedKey(f"{low[0]} to {high[0]}"))
        else:
            found += [PublishedKey(value) for value in exact]
    return found
