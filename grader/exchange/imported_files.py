"""Files of others as quizzes of ours: read, drafted, written as YAML, and built in memory for `grader prove`."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from grader.content import schema, topic_builder
from grader.content.places import KeyPath, Place, Source
from grader.errors import GraderError, InputError
from grader.exchange import formats, item_drafts, own_quizzes, quiz_files
from grader.exchange.published_questions import PublishedQuestion, PublishedQuiz
from grader.model import Finding, Item, Span, Topic

MOST_ITEMS = 300
LARGEST_TEXT = 400_000
"""Characters of a quiz file of ours; what is more goes into another one."""

NO_WORD = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Imported:
    """A file that was read: its questions, and the items that were made of them, in the same order."""

    path: str
    format: str
    quiz: PublishedQuiz
    items: tuple[dict[str, Any], ...]
    own: tuple[Topic, list[Finding]] | None = None
    """What was built of it, where it is a quiz file of ours."""


def read(paths: Sequence[Path], format_name: str | None = None) -> tuple[list[Imported], list[GraderError]]:
    """The quizzes in files, folders and archives, and what could not be read. Raises InputError where all cannot.

    Twins, the same questions once more, are left out.
    """
    found: list[Imported] = []
    troubles: list[GraderError] = []
    seen: set[str] = set()
    taken: set[str] = set()
    for file in quiz_files.read_all(paths):
        try:
            if format_name is None and own_quizzes.is_one(file):
                found.append(Imported(file.name, "a quiz of ours", *own_quizzes.read(file)))
                continue
            known = formats.read(file, format_name)
        except InputError as error:
            troubles.append(error)
            continue
        if known is None:
            continue
        name, quiz = known
        digest = hashlib.sha256(
            repr([(one.stem, one.options, one.keys) for one in quiz.questions]).encode()
        ).hexdigest()
        if digest in seen:
            continue
        seen.add(digest)
        found.append(Imported(file.name, name, quiz, tuple(_drafts(quiz.questions, file.name, taken))))
    if not found:
        if troubles:
            raise troubles[0]
        listed = ", ".join(formats.readers())
        raise InputError(f"{paths[0]}: there is no quiz in it", f"the formats are {listed}; --from settles it")
    return found, troubles


def _drafts(questions: Iterable[PublishedQuestion], name: str, taken: set[str]) -> Iterator[dict[str, Any]]:
    base = slug(PurePosixPath(name).stem)
    if PurePosixPath(name).stem in ("qti", "quiz", "questions", "assessment") and "/" in name:
        base = slug(f"{PurePosixPath(name).parent.name}-{PurePosixPath(name).stem}")
    known = base
    for number in range(2, 10_000):
        if known not in taken:
            break
        known = f"{base}-{number}"
    taken.add(known)
    for number, question in enumerate(questions, 1):
        yield item_drafts.draft(question, f"{known}-{number}")


def slug(text: str) -> str:
    """A name of lower-case letters, digits and hyphens."""
    made = NO_WORD.sub("-", text.lower()).strip("-")[:60].strip("-")
    return made or "quiz"


# ---------------------------------------------------------------- as YAML


def documents(quizzes: Sequence[Imported], topic: str, license_name: str = "") -> list[str]:
    """The texts of quiz files of ours: one, or several where it would be too large."""
    items = [(quiz, item) for quiz in quizzes for item in quiz.items]
    parts: list[list[tuple[Imported, dict[str, Any], str]]] = [[]]
    size = 0
    for quiz, item in items:
        text = _dumped([item])
        if parts[-1] and (len(parts[-1]) >= MOST_ITEMS or size + len(text) > LARGEST_TEXT):
            parts.append([])
            size = 0
        parts[-1].append((quiz, item, text))
        size += len(text)
    rest = {
        quiz.path: left for quiz in quizzes if (left := item_drafts.leftover(quiz.quiz.raw, _titles(quiz))) is not None
    }
    return [_document(part, topic, number, quizzes, rest, license_name) for number, part in enumerate(parts, 1)]


def _titles(quiz: Imported) -> dict[str, Any]:
    return {"title": quiz.quiz.title} if quiz.quiz.title else {}


def _document(
    part: Sequence[tuple[Imported, dict[str, Any], str]], topic: str, number: int, quizzes: Sequence[Imported],
    rest: dict[str, Any], license_name: str,
) -> str:  # fmt: skip
    used = list(dict.fromkeys(quiz.path for quiz, _, _ in part))
    title = next((quiz.quiz.title for quiz in quizzes if quiz.quiz.title), "") or topic
    head: dict[str, Any] = {
        "format": 1,
        "topic": topic if number == 1 else f"{topic}-{number}",
        "title": item_drafts.printable(title)[:200],
        "source": item_drafts.printable(", ".join(used))[:200],
    }
    license_name = license_name or next((quiz.quiz.license for quiz in quizzes if quiz.quiz.license), "")
    if license_name:
        head["license"] = license_name[:200]
    head["imported"] = {"formats": {quiz.path: quiz.format for quiz in quizzes if quiz.path in used}}
    if number == 1:
        titles = {quiz.path: item_drafts.printable(quiz.quiz.title) for quiz in quizzes if quiz.quiz.title}
        head["imported"] |= ({"titles": titles} if titles else {}) | ({"rest": rest} if rest else {})
    return _dumped(head) + "items:\n" + "".join(text for _, _, text in part)


def _dumped(data: Any) -> str:
    """Data as YAML; texts of several lines as blocks, nothing as an alias of something else."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 1 << 20
    yaml.allow_unicode = True
    yaml.default_flow_style = False
    out = io.StringIO()
    yaml.representer.ignore_aliases = lambda _: True
    yaml.dump(_styled(data), out)
    return out.getvalue()


def _styled(data: Any) -> Any:
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

    match data:
        case dict():
            return {str(name): _styled(part) for name, part in data.items()}
        case list():
            return [_styled(part) for part in data]
        case str() if "\n" in data and _is_block(data):
            return LiteralScalarString(data)
        case str() if "\n" in data or "\t" in data or not data.strip() or data != data.strip():
            return DoubleQuotedScalarString(data)
    return data


def _is_block(text: str) -> bool:
    """Whether a text can stand as a block and be read as it is."""
    first = next(iter(text.split("\n")))
    return (
        bool(first.strip()) and first[0] not in " \t#" and not any(line != line.rstrip() for line in text.split("\n"))
    )


# ---------------------------------------------------------------- in memory


class _Places(dict[KeyPath, Place]):
    """Every part of an item stands where its question begins in the file."""

    def __init__(self, path: str, lines: Sequence[int]) -> None:
        super().__init__({("items", index): Place(Span(path, line)) for index, line in enumerate(lines)})
        self.path = path

    def __missing__(self, key: KeyPath) -> Place:
        above = super().get(key[:2])
        return Place(above.start if above else Span(self.path), single=False)


def built(quiz: Imported) -> tuple[list[Item | None], list[Finding]]:
    """The items of a file, in the order of its questions: None for one that something is wrong with."""
    made: list[Item | None] = []
    findings: list[Finding] = []
    if quiz.own:
        return [own_quizzes.item_of(quiz.own[0], item["id"]) for item in quiz.items], quiz.own[1]
    for start in range(0, len(quiz.items), MOST_ITEMS):
        part = list(quiz.items[start : start + MOST_ITEMS])
        lines = [item["imported"]["line"] for item in part]
        data = {"format": 1, "topic": "imported", "title": "Imported", "items": part}
        source = Source(quiz.path, data, _Places(quiz.path, lines))
        found = schema.check(source, "topic")
        topic, more = topic_builder.build(source, (), {quiz.path})
        by_id = {item.id: item for item in topic.items}
        made += [by_id.get(item["id"]) for item in part]
        findings += [*found, *more]
    return made, findings
