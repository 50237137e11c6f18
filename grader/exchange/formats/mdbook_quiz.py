"""mdbook-quiz: TOML with `[[questions]]` of the types MultipleChoice, ShortAnswer and Tracing."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from grader.errors import InputError
from grader.exchange.published_questions import (
    PublishedKey,
    PublishedOption,
    PublishedQuestion,
    PublishedQuiz,
    Sort,
    each,
    text_of,
)
from grader.exchange.quiz_files import QuizFile

TITLE = "mdbook-quiz TOML"
LONGEST = 500_000
"""Characters: the time that TOML takes to read grows faster than its length."""


def recognize(file: QuizFile) -> int:
    """See `Reads`."""
    return 3 if re.search(r"^[ \t]*\[\[\s*questions\s*\]\]", file.text, re.MULTILINE) else 0


def read(file: QuizFile) -> PublishedQuiz:
    """See `Reads`."""
    if len(file.text) > LONGEST:
        message = f"{file.name}: the file has more than {LONGEST:,} characters"
        raise InputError(message, "give the quiz of one page at a time")
    try:
        data = tomllib.loads(file.text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+), column (\d+)", str(error))
        where = f":{place[1]}:{place[2]}" if place else f":{file.text.count(chr(10)) + 1}"
        said = str(error).partition(" (at")[0]
        raise InputError(f"{file.name}{where}: this is not TOML: {said}", "the file may have been cut off") from None
    listed = data.get("questions")
    if not isinstance(listed, list):
        raise InputError(f"{file.name}: there are no `[[questions]]` in it", "give a quiz of mdbook-quiz")
    starts = [
        file.text.count("\n", 0, found.start()) + 1
        for found in re.finditer(r"^[ \t]*\[\[\s*questions\s*\]\]", file.text, re.MULTILINE)
    ]
    lines = starts if len(starts) == len(listed) else [1] * len(listed)
    rest = {name: value for name, value in data.items() if name != "questions"}
    return PublishedQuiz(tuple(each(zip(lines, listed, strict=True), _question)), raw=_plain(rest))


def _question(record: Any) -> PublishedQuestion:
    prompt, answer = record.get("prompt", {}), record.get("answer", {})
    common: dict[str, Any] = {"explanation": text_of(record.get("context"))}
    match record.get("type"):
        case "MultipleChoice":
            right = answer["answer"] if isinstance(answer["answer"], list) else [answer["answer"]]
            choices = [PublishedOption(text_of(text), right=True) for text in right]
            choices += [PublishedOption(text_of(text), right=False) for text in prompt.get("distractors", ())]
            sort: Sort = "many" if isinstance(answer["answer"], list) else "one"
            return PublishedQuestion(prompt["prompt"], sort, options=tuple(choices), **common)
        case "ShortAnswer":
            keys = [answer["answer"], *answer.get("alternatives", ())]
            return PublishedQuestion(
                prompt["prompt"], "typed", keys=tuple(PublishedKey(text_of(key)) for key in keys), **common
            )
        case "Tracing":
            stem = prompt.get("prompt") or "What does this program print?"
            keys = [answer["stdout"]] if "stdout" in answer else [] if answer.get("doesCompile", True) else ["Error"]
            return PublishedQuestion(
                stem, "typed", keys=tuple(PublishedKey(text_of(key).strip("\n")) for key in keys),
                program=prompt["program"], **common,
            )  # fmt: skip
    raise ValueError(f"`type` is {record.get('type')!r}, which is not one that is known")


def _plain(value: Any) -> Any:
    """TOML data as JSON data: dates as text."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value if isinstance(value, str | int | float | bool) else str(value)
