"""Markdown: questions with their answers, to be read as they are. Options are in the form of mkdocs-quiz."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from grader.exchange.exported_questions import FORMS, SAME, ExportedQuestion, ExportedQuiz, Form
from grader.render.markdown import without_html

TITLE = "Markdown"
WRITES: dict[Form, str] = dict.fromkeys(FORMS, "a question with its answer") | {
    "one": SAME,
    "many": "a question with check boxes",
}
QUIZ = ("<quiz>", "</quiz>")
"""What stands around a question with options."""


def write(quiz: ExportedQuiz) -> bytes:
    """See `Writes`. `mkdocs-quiz` reads what has options."""
    parts = [f"# {_line(quiz.title)}", *quiz.origin.lines]
    number = 0
    for topic, questions in quiz.by_topic().items():
        if _line(topic) != _line(quiz.title):
            parts.append(f"## {_line(topic)}")
        for one in questions:
            number += 1
            parts.append(f"### Question {number}: {one.name}")
            parts += _quiz(one) if one.options else _plain(one)
    spelled = (part if part in QUIZ else without_html(part) for part in parts)
    return ("\n\n".join(spelled) + "\n").encode()


def _line(text: str) -> str:
    return " ".join(text.split())


def _quiz(one: ExportedQuestion) -> Iterator[str]:
    boxes = "\n".join(
        _item(f"[{'x' if option.right else ' '}] {_on_its_line(option.text)}", option.feedback)
        for option in one.options
    )
    yield QUIZ[0]
    yield one.markdown()
    yield boxes
    if one.explanation:
        yield one.explanation
    yield QUIZ[1]


def _on_its_line(text: str) -> str:
    """A block of code begins on a line of its own, or it would be none."""
    return f"\n{text}" if text.startswith("```") else text


def _item(text: str, quoted: str) -> str:
    """An entry of a list; what belongs to it is indented."""
    said = textwrap.indent(quoted.strip("\n"), "> ", lambda _: True) if quoted else ""
    body = f"{text}\n{said}".rstrip("\n")
    return "- " + textwrap.indent(body, "  ", lambda line: bool(line.strip())).removeprefix("  ")


def _plain(one: ExportedQuestion) -> Iterator[str]:
    yield one.markdown()
    if one.form == "match":
        yield "\n".join(f"- {one_of}" for one_of in one.parts[0].options)
        yield "\n".join(f"{place}. {part.label}" for place, part in enumerate(one.parts, 1))
    elif one.parts:
        yield "\n".join(f"{place}. {part.label}" for place, part in enumerate(one.parts, 1))
    if one.starter:
        yield f"```python\n{one.starter}\n```"
    yield "**Answer**"
    yield (
        "\n".join(f"{place}. {part.label}: {part.shown}" for place, part in enumerate(one.parts, 1))
        or one.model()
        or one.explanation
    )
    wrong = "\n".join(f"- Not {key.text}: {_line(said)}" for key, said in one.wrong if said)
    if wrong:
        yield wrong
    if one.explanation and one.form != "card":
        yield one.explanation
