"""QTI 2.1, written: a package with an item a question, its figures beside them, and a manifest. `qti-2` reads it."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from grader.exchange import pictures
from grader.exchange.exported_questions import SAME, ExportedQuestion, ExportedQuiz, Form, decimal
from grader.model import LETTERS
from grader.render import templates
from grader.render.markdown import as_plain_html

TITLE = "QTI 2.1"
WRITES: dict[Form, str] = {
    "one": SAME,
    "many": SAME,
    "number": SAME,
    "text": SAME,
    "match": "a match interaction",
    "table": "several text entries",
    "written": "an extended text",
}
WHEN = (2026, 1, 1, 0, 0, 0)
"""The date of all entries, so that the same questions make the same file."""


def write(quiz: ExportedQuiz) -> bytes:
    """See `Writes`."""
    entries, items = {}, []
    for one in quiz.questions:
        drawn = pictures.files(one)
        entries[f"items/{one.name}.xml"] = _item(one, [name for name, _ in drawn])
        entries |= {f"figures/{name}": svg for name, svg in drawn}
        items.append({"name": one.name, "kind": one.form, "files": [f"figures/{name}" for name, _ in drawn]})
    manifest = templates.filled(
        __file__,
        "qti_manifest.xml",
        title=quiz.title,
        origin=quiz.origin.lines,
        license=quiz.origin.license,
        items=items,
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {"imsmanifest.xml": _document(manifest), **entries}.items():
            archive.writestr(zipfile.ZipInfo(name, WHEN), text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _document(text: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _item(one: ExportedQuestion, figures: list[str]) -> str:
    right = [LETTERS[place] for place, option in enumerate(one.options) if option.right]
    options = [
        {
            "letter": letter,
            "text": as_plain_html(option.text, within=True),
            "feedback": as_plain_html(option.feedback) if option.feedback else "",
        }
        for letter, option in zip(LETTERS, one.options, strict=False)
    ]
    wrong = [
        {"name": f"WRONG{place}", "text": key.text, "near": _near(key.tolerance), "feedback": as_plain_html(said)}
        for place, (key, said) in enumerate(one.wrong, 1)
        if said
    ]
    return _document(
        templates.filled(
            __file__,
            "qti_item.xml",
            one=one,
            options=options,
            right=right,
            wrong=wrong,
            shown=pictures.as_html(one, {name: f"../figures/{name}" for name in figures}),
            near=_near(one.keys[0].tolerance) if one.keys else "",
            fields=[_field(place, part) for place, part in enumerate(one.parts)] if one.form == "table" else [],
            rows=_rows(one),
            values=_values(one),
            explanation=as_plain_html(one.explanation) if one.explanation else "",
            model=as_plain_html(one.model()) if one.form == "written" else "",
        )
    )


def _near(tolerance: float | None) -> str:
    return decimal(tolerance) if tolerance else ""


def _field(place: int, part: Any) -> dict[str, str]:
    name = f"RESPONSE{place + 1}" if place else "RESPONSE"
    return {"name": name, "label": part.label, "key": part.key.text, "near": _near(part.key.tolerance)}


def _rows(one: ExportedQuestion) -> list[dict[str, str]]:
    if one.form != "match":
        return []
    return [
        {"name": f"R{place}", "text": as_plain_html(part.label, within=True), "value": f"V{part.right + 1}"}
        for place, part in enumerate(one.parts, 1)
    ]


def _values(one: ExportedQuestion) -> list[dict[str, str]]:
    if one.form != "match":
        return []
    return [
        {"name": f"V{place}", "text": as_plain_html(text, within=True)}
        for place, text in enumerate(one.parts[0].options, 1)
    ]
