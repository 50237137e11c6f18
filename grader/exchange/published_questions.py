"""A question as it was read from somebody's file, before anything is decided of it: what every format gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Sort = Literal["one", "many", "typed", "code", "other"]
"""One option is picked, or several; a value is typed; code is written; something that we have no form for."""


@dataclass(frozen=True, slots=True)
class PublishedOption:
    """Something to pick, in Markdown. `right` is None where the file does not say."""

    text: str
    right: bool | None = None
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A typed answer that counts as right; one with a `tolerance` also what is as near as that."""

    text: str
    tolerance: float | None = None


@dataclass(frozen=True, slots=True)
class Tested:
    """A test of code that is to be written: what is run after it, and what that is to print."""

    code: str
    expected: str


@dataclass(frozen=True, slots=True)
class PublishedQuestion:
    """One question. `raw` is its record in the file as JSON data: whatever has no place of its own is kept of it."""

    stem: str
    """Markdown."""
    sort: Sort
    options: tuple[PublishedOption, ...] = ()
    """Of one that picks one, several may be marked: each of them counts by itself, and is a claim of its own."""
    keys: tuple[PublishedKey, ...] = ()
    """Any of them is right."""
    program: str = ""
    """Code in a field of its own."""
    answer: str = ""
    """Code that is a right answer."""
    tests: tuple[Tested, ...] = ()
    hints: tuple[str, ...] = ()
    explanation: str = ""
    level: str = ""
    line: int = 1
    """Where it begins in the file."""
    raw: Any = None
    trouble: str = ""
    """Why it, alone, could not be read."""


@dataclass(frozen=True, slots=True)
class PublishedQuiz:
    """A file that was read."""

    questions: tuple[PublishedQuestion, ...]
    title: str = ""
    license: str = ""
    raw: Any = field(default=None)
    """What of the file belongs to no question."""


def each(records: Iterable[tuple[int, Any]], read: Callable[[Any], PublishedQuestion]) -> list[PublishedQuestion]:
    """Questions of records with their lines. One that cannot be read is kept with what is wrong with it."""
    found = []
    for line, record in records:
        try:
            found.append(replace(read(record), line=line, raw=record))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
            said = f"the field {error} is missing" if isinstance(error, KeyError) else str(error) or "it is malformed"
            found.append(PublishedQuestion("", "other", line=line, raw=record, trouble=said))
    return found


def text_of(value: Any) -> str:
    """A field as text: what is no text as Python writes it, None as nothing."""
    if value is None:
        return ""
    return value if isinstance(value, str) else repr(value)
