"""Quiz files of ours, such as `grader import` writes and somebody has added lines to, as `grader prove` takes them."""

from __future__ import annotations

import re
from typing import Any

from grader.content import topic_builder, yaml_source
from grader.content.places import Source
from grader.content.schema import check
from grader.errors import InputError
from grader.exchange.published_questions import PublishedKey, PublishedOption, PublishedQuestion, PublishedQuiz
from grader.exchange.quiz_files import QuizFile
from grader.model import Finding, Item, Topic


def is_one(file: QuizFile) -> bool:
    """Whether a file is a quiz of ours."""
    return file.suffix in (".yaml", ".yml") and bool(re.search(r"^items:", file.text, re.MULTILINE))


def read(file: QuizFile) -> tuple[PublishedQuiz, tuple[dict[str, Any], ...], tuple[Topic, list[Finding]]]:
    """Its questions, its items as data, and what was built of them. Raises InputError where it is none as a whole."""
    source = yaml_source.parse(file.text, file.name)
    found = source.findings if source.data is None else [*source.findings, *check(source)]
    whole = next((one for one in found if not one.item), None)
    if whole or source.data is None:
        raise InputError(str(whole or f"{file.name}: there is nothing in it"), whole.hint if whole else "")
    topic, more = topic_builder.build(source, (), {file.name})
    items = tuple(
        entry for entry in source.data["items"] if isinstance(entry, dict) and isinstance(entry.get("id"), str)
    )
    questions = tuple(_question(entry, _line(source, index)) for index, entry in enumerate(items))
    return PublishedQuiz(questions, title=topic.title), items, (topic, [*found, *more])


def _line(source: Source, index: int) -> int:
    return source.at(("items", index)).line


def _question(entry: dict[str, Any], line: int) -> PublishedQuestion:
    """An item as it would have been read."""
    stem = str(entry.get("stem", "")).replace("{{", "{").replace("}}", "}")
    options = tuple(
        PublishedOption(_text(option), bool(option.get("key")))
        for option in entry.get("options", ())
        if isinstance(option, dict)
    )
    keys = tuple(PublishedKey(str(key)) for key in entry.get("keys", ()))
    return PublishedQuestion(stem, "one" if options else "typed", options=options, keys=keys, line=line)


def _text(option: dict[str, Any]) -> str:
    said = next((option[name] for name in ("text", "says", "value", "code", "holds") if name in option), "")
    return str(said).replace("{{", "{").replace("}}", "}") if "text" in option else str(said)


def item_of(topic: Topic, name: str) -> Item | None:
    """The item of this id, where nothing is wrong with it."""
    return next((item for item in topic.items if item.id == name), None)
