"""What there is to answer with, as fields of a form, and what was put into them as an answer: the six sorts of inputs.

An answer is one text, whatever it is typed into. It is made here as every face makes it, and read here to fill the
fields again: after an answer that could not be read, after a hint, in another tab.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, assert_never

from grader.faces.words import run_with
from grader.model import ChooseMany, ChooseOne, CodeInput, Input, NumberInput, OrderInput, Prompt, TextInput
from grader.render.html_fragments import code
from grader.render.markdown import fragment, phrase_as_html

Sent = Mapping[str, Sequence[str]]
"""The fields of a form, each with all of its values."""


def drawn(prompt: Prompt, filled: str) -> list[dict[str, Any]]:
    """The inputs in groups, as a template draws them, with what was typed before."""
    values = values_of(prompt.inputs, filled)
    groups = []
    for sort, those in groupby(enumerate(prompt.inputs), key=lambda one: _sort(one[1])):
        members = [_drawn(place, one, values[place]) for place, one in those]
        if sort in ("number", "text") and (len(members) > 1 or members[0]["label"]):
            groups.append({"sort": f"{sort}s", "members": members, "table": _table(members)})
        else:
            groups += members
    return groups


def _sort(one: Input) -> str:
    match one:
        case ChooseOne() | ChooseMany():
            return "choose"
        case NumberInput():
            return "number"
        case TextInput():
            return "text"
        case CodeInput():
            return "code"
        case OrderInput():
            return "order"
        case _:
            assert_never(one)


def _drawn(place: int, one: Input, value: str) -> dict[str, Any]:
    common = {
        "sort": _sort(one),
        "name": f"a.{place}",
        "label": one.label,
        "value": value,
        "title": phrase_as_html(one.label),
    }
    match one:
        case ChooseOne(options=options, code=is_code) | ChooseMany(options=options, code=is_code):
            picked = set(re.findall(r"[A-H]", value.upper()))
            shown = [
                {"letter": letter, "html": _in_a_label(option) if is_code else fragment(option), "text": option,
                 "picked": letter in picked}
                for letter, option in zip(one.letters, options, strict=True)
            ]  # fmt: skip
            return common | {"many": isinstance(one, ChooseMany), "options": shown}
        case NumberInput(unit=unit, cell=cell):
            return common | {"unit": unit, "cell": cell}
        case TextInput(wanted=wanted, python=python):
            return common | {"wanted": wanted, "python": python}
        case OrderInput(lines=lines):
            return common | {"lines": _ordered(lines, value), "count": len(lines)}
        case CodeInput(starter=starter, cases=cases, broken=broken, others=others):
            text = value or starter.strip("\n")
            return common | {
                "text": text, "starter": starter.strip("\n"), "broken": broken, "rows": min(24, text.count("\n") + 4),
                "cases": phrase_as_html(run_with(cases, others=others)),
            }  # fmt: skip
        case _:
            assert_never(one)


def _in_a_label(option: str) -> str:
    """Code as an option: a label holds phrases, and a `pre` is none."""
    return code(option).replace("<pre ", "<span ", 1).replace("</pre>", "</span>")


def _table(members: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Numbers of two dimensions as rows; None where they are none."""
    cells = [member.get("cell") for member in members]
    if not all(cells):
        return None
    columns = list(dict.fromkeys(cell[1] for cell in cells if cell))
    rows = [{"name": name, "members": list(group)} for name, group in groupby(members, key=lambda one: one["cell"][0])]
    return {"columns": columns, "rows": rows}


def _ordered(lines: Sequence[str], value: str) -> list[dict[str, Any]]:
    """The lines where they were put, each with its number as shown and its place."""
    places = _kept(value, "places")
    if places is not None and len(places) == len(lines):
        return [{"number": number, "text": line, "place": places[number - 1]} for number, line in enumerate(lines, 1)]
    order = [int(digit) for digit in re.findall(r"[1-9]", value)]
    if sorted(order) != list(range(1, len(lines) + 1)):
        order = list(range(1, len(lines) + 1))
    return [{"number": number, "text": lines[number - 1], "place": str(at)} for at, number in enumerate(order, 1)]


# ---------------------------------------------------------------- from a form


def answer(prompt: Prompt, sent: Sent) -> str:
    """The answer that a form holds; what is missing is left to the reader of answers to say."""
    inputs = prompt.inputs
    parts = [_part(place, one, sent, strict=True) for place, one in enumerate(inputs)]
    if len(inputs) == 1:
        return parts[0]
    if all(isinstance(one, NumberInput) for one in inputs):
        given = [part for part in parts if part]
        return json.dumps(given) if any(re.search(r"[\s,;]", part) for part in given) else " ".join(given)
    if all(isinstance(one, TextInput) for one in inputs):
        return "\n".join(parts)
    if not any(parts):
        return ""
    return json.dumps(parts) if any(not part or re.search(r"[;\n]", part) for part in parts) else "; ".join(parts)


def draft(prompt: Prompt, sent: Sent) -> str:
    """What a form holds so far, such that `values_of` finds it again; empty where nothing was typed."""
    inputs = prompt.inputs
    parts = [_part(place, one, sent, strict=False) for place, one in enumerate(inputs)]
    if not any(parts):
        return ""
    if len(inputs) == 1:
        return parts[0]
    if all(isinstance(one, NumberInput) for one in inputs):
        return json.dumps(parts)
    return json.dumps({"texts" if all(isinstance(one, TextInput) for one in inputs) else "parts": parts})


def _part(place: int, one: Input, sent: Sent, *, strict: bool) -> str:
    name = f"a.{place}"
    match one:
        case ChooseOne() | ChooseMany():
            return " ".join(value.strip() for value in sent.get(name, ()))
        case NumberInput() | TextInput():
            return _first(sent, name).strip()
        case CodeInput():
            text = _first(sent, name).replace("\r\n", "\n").replace("\r", "\n")
            return f"{text.rstrip(chr(10))}\n" if text.strip() else ""
        case OrderInput(lines=lines):
            places = [_first(sent, f"{name}.{number}").strip() for number in range(1, len(lines) + 1)]
            if not any(places):
                return ""
            if sorted(places) == [str(at) for at in range(1, len(lines) + 1)]:
                return " ".join(str(places.index(str(at)) + 1) for at in range(1, len(lines) + 1))
            return " ".join(places) if strict else json.dumps({"places": places})
        case _:
            assert_never(one)


def _first(sent: Sent, name: str) -> str:
    values = sent.get(name, ())
    return values[0] if values else ""


# ---------------------------------------------------------------- from an answer, or a draft


def values_of(inputs: Sequence[Input], filled: str) -> list[str]:
    """What was typed into each input, from an answer or a draft of any face; empty where that cannot be told."""
    if len(inputs) == 1:
        texts = _kept(filled, "texts")
        return [texts[0] if texts else filled.rstrip("\n") if isinstance(inputs[0], CodeInput) else filled]
    parts = _kept(filled, "parts") or _kept(filled, "texts") or _list(filled)
    if parts is None:
        numbers = all(isinstance(one, NumberInput) for one in inputs)
        parts = (
            re.split(r"[\s,;]+", filled.strip()) if numbers else [part.strip() for part in re.split(r"[;\n]", filled)]
        )
    return [*parts[: len(inputs)], *[""] * (len(inputs) - len(parts))]


def _kept(filled: str, name: str) -> list[str] | None:
    """The list that a draft has under a name; None where it is no such draft."""
    if not filled.startswith(f'{{"{name}":'):
        return None
    try:
        found = json.loads(filled)[name]
    except (ValueError, KeyError, RecursionError):
        return None
    return [str(entry) for entry in found] if isinstance(found, list) else None


def _list(filled: str) -> list[str] | None:
    if not filled.startswith("["):
        return None
    try:
        found = json.loads(filled)
    except (ValueError, RecursionError):
        return None
    return [str(entry) for entry in found] if isinstance(found, list) else None
