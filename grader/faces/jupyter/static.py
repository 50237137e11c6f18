"""Questions as a page without JavaScript: for an export, nbviewer, and wherever a widget cannot be drawn."""

from __future__ import annotations

from typing import Any

from grader.faces.jupyter import page as pages
from grader.faces.words import blank_table, one_for_each, row_by_row
from grader.model import NumberInput
from grader.render import templates
from grader.render.markdown import as_html, phrase_as_html

MARKS = {"correct": "✓", "partly": "◐", "incorrect": "✗", "skipped": "\N{EN DASH}", "unreadable": "?", "not-run": "!"}
"""What stands before the word for an outcome."""


def page(name: str, questions: list[dict[str, Any]], text: str) -> str:
    """Questions as HTML, each with how it is answered in a cell; `text` where there are none to show.

    It is one element with this `name` as its id, by which a widget that is drawn hides it.
    """
    shown = [_question(question) for question in questions if "inputs" in question]
    return templates.filled(__file__, "static.html", name=name, questions=shown, text=text)


def told(question: dict[str, Any]) -> str:
    """What is said of an answer that was given by a call: the card that a widget would draw, to be looked at."""
    said = question.get("told")
    more = {
        "level": "",
        "skill": "",
        "hints": [],
        "remark": "",
        **question,
        "mark": MARKS.get(said["outcome"], "") if said else "",
    }
    return templates.filled(__file__, "told.html", css=pages.style(), **more)


def welcome(begun: dict[str, Any]) -> str:
    """How far a learner is, and why what follows is asked."""
    topics = [one for one in begun["topics"] if one["answered"]]
    return templates.filled(
        __file__, "welcome.html", css=pages.style(), why=phrase_as_html(begun["why"]), topics=topics
    )


def asked(question: dict[str, Any]) -> str:
    """A question that is only to be looked at, without a heading."""
    shown = _question(question | {"place": 0, "of": 1, "item": ""}) | {"call": "", "about": ""}
    return templates.filled(__file__, "static.html", name="", questions=[shown], text="")


def alone(name: str, question: dict[str, Any]) -> str:
    """A page of its own with a question that is only to be looked at."""
    shown = _question(question | {"place": 0, "of": 1, "item": name}) | {"call": ""}
    body = templates.filled(__file__, "static.html", name=f"item-{name}", questions=[shown], text="")
    return templates.filled(__file__, "alone.html", title=name, css=pages.style(), text=body)


def _question(question: dict[str, Any]) -> dict[str, Any]:
    """A question with what is said around it."""
    place = f"Question {question['place'] + 1} of {question['of']}" if question["of"] > 1 else "Question"
    about = f"{place} ({question['level']}, {question['skill']})"
    numbers = [one for one in question["inputs"] if one["type"] == "number" and one["label"]]
    inputs = [NumberInput(one["label"], cell=tuple(one["cell"]) if one.get("cell") else None) for one in numbers]
    table = blank_table(inputs)
    labels = (row_by_row(inputs) if table else one_for_each([one.label for one in inputs])) if inputs else ""
    call = f'answer("{question["item"]}", {_example(question)})'
    drawn = as_html(table) if table else ""
    return {
        "figures": [],
        "before": [],
        "origin": "",
        **question,
        "labels": labels,
        "table": drawn,
        "about": about,
        "call": call,
    }


def _example(question: dict[str, Any]) -> str:
    """What the second argument of `answer` looks like."""
    if question["reveals"]:
        return '"good"'
    first = question["inputs"][0]
    if len(question["inputs"]) > 1 or first["label"]:
        return {"number": "[...]", "choose": '["A", ...]'}.get(first["type"], '"..."')
    return {"choose": '"A"', "number": "0.5", "order": "[2, 1, ...]"}.get(first["type"], '"..."')
