"""What an assignment is made of: `torch-grader.json`, beside its notebook.

nbgrader copies it into the release, so it holds nothing that a student may not know. For grading only the one in the
course's own `source` counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from grader.errors import InputError
from grader.learning import digests, mixing
from grader.model import LETTERS, Bank, Item, by_name
from grader.nbgrader import cell_values, json_data

NAME = "torch-grader.json"
FORMAT = 2
"""Since 2 it says how options are mixed."""

READ = (1, 2)
"""Of version 1 options stand as written."""

OPTIONS = "<options>"
"""Where options go in a question that each student sees in an order of their own; it has no HTML of an author."""


@dataclass(frozen=True, slots=True)
class ManifestItem:
    """One item of an assignment. Its cells are `question-ID`, `answer-ID`, and ID itself, which has the points."""

    __pydantic_config__: ClassVar[dict[str, str]] = json_data.CLOSED

    grade_id: str
    digest: str
    """Of what is run and asked: see `digests.claims`, and `digests.same` for those without its prefix."""
    points: float
    variant: int = 0
    """The variant that all students have, where it is the same for all."""
    questions: tuple[str, ...] = ()
    """The question of each variant as Markdown, where each student has numbers of their own."""
    options: tuple[tuple[str, ...], ...] = ()
    """Of each variant its options as Markdown, in written order, where each student has an order of their own."""
    last: tuple[tuple[int, ...], ...] = ()
    """Of each variant the places of options that stay last."""
    words: str = ""
    """The digest of what is said, see `digests.words`; empty where an earlier version wrote the manifest."""
    drawn_by: str = ""
    """The name that its options are mixed by, where that is not `grade_id`; see `Item.first_id`."""

    @property
    def question(self) -> str:
        return f"question-{self.grade_id}"

    @property
    def answer(self) -> str:
        return f"answer-{self.grade_id}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """An assignment: which items, from which topic, and who has which numbers."""

    __pydantic_config__: ClassVar[dict[str, str]] = json_data.CLOSED

    assignment: str
    topic: str
    seed: int | None
    per_student: bool
    items: tuple[ManifestItem, ...]
    mix: int | None = None
    """What options are mixed by; None where they stand as written."""

    def mixed(self, student: str) -> int | None:
        """The seed that a student's options are mixed by: who has numbers of their own has an order of their own."""
        if self.mix is None or not self.per_student:
            return self.mix
        drawn = f"{self.mix}\0{self.assignment}\0{student}"
        return int.from_bytes(hashlib.sha256(drawn.encode(errors="replace")).digest()[:8])

    def question(self, entry: ManifestItem, student: str) -> str:
        """What a student is asked, as Markdown, where each has numbers of their own."""
        place = self.variant(entry, student, len(entry.questions))
        text = entry.questions[place]
        if not entry.options or not (options := entry.options[place]):
            return text
        last = entry.last[place] if entry.last else ()
        order = mixing.order(len(options), self.mixed(student), entry.drawn_by or entry.grade_id, place, last)
        before, _, after = text.rpartition(OPTIONS)
        return before + lettered([options[one] for one in order]) + after

    def variant(self, entry: ManifestItem, student: str, count: int) -> int:
        """Which of `count` variants a student has: the same for the same seed, assignment, student and item."""
        if not self.per_student:
            return entry.variant
        drawn = f"{self.seed}\0{self.assignment}\0{student}\0{entry.grade_id}"
        return int.from_bytes(hashlib.sha256(drawn.encode(errors="replace")).digest()[:8]) % count


def lettered(options: Sequence[str]) -> str:
    """Options as Markdown, each with its letter: a list, or one after another where they are blocks of code."""
    pairs = list(zip(LETTERS, options, strict=False))
    if any(option.startswith("```") and "\n" in option for option in options):
        return "\n\n".join(f"**{letter}**\n\n{option}" for letter, option in pairs)
    return "\n".join(f"- **{letter}**: {option}" for letter, option in pairs)


def by_grade_id(bank: Bank) -> dict[str, Item]:
    """The items by what nbgrader calls them, also by the ids that they had before."""
    return {cell_values.grade_id(name): item for name, item in by_name(bank.items).items()}


def changes(manifest: Manifest, bank: Bank) -> list[str]:
    """What is to be told of items that are not as they were when the assignment was made, a sentence each.

    Those that were changed in what is run and asked are not among them: they are not graded at all.
    """
    items, found = by_grade_id(bank), list[str]()
    for entry in manifest.items:
        item = items.get(entry.grade_id)
        known = item and digests.same(item, entry.digest)
        if item and known is None:
            found.append(
                f"`{entry.grade_id}`: an earlier version made this assignment, and nobody can say whether the item has "
                "changed since; it is graded as it is now"
            )
        elif item and known and digests.reworded(item, bank.mistakes, entry.digest, entry.words):
            found.append(f"`{entry.grade_id}` was reworded since the assignment was made; it is graded as before")
    return found


def dumps(manifest: Manifest) -> str:
    """A manifest as the text of its file."""
    data = asdict(manifest)
    for entry in data["items"]:
        for name in ("options", "last"):
            if not any(entry[name]):
                del entry[name]
        if not entry["drawn_by"]:
            del entry["drawn_by"]
    return json.dumps({"format": FORMAT, **data}, indent=1, ensure_ascii=False) + "\n"


def _fitting(found: Manifest) -> Manifest:
    """Raises ValueError where a manifest does not have as many options as questions."""
    for entry in found.items:
        many = len(entry.questions)
        if entry.options and (len(entry.options) != many or len(entry.last) not in (0, many)):
            raise ValueError(f"`options` of `{entry.grade_id}` are not those of its questions")
    return found


def read(folder: Path) -> Manifest | None:
    """The manifest of a folder, None where there is none. Raises InputError where it cannot be read."""
    path = folder / NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.pop("format") not in READ:
            raise InputError(f"{path}: another version of torch-grader wrote it", "make the assignment again")
        return _fitting(json_data.read(Manifest, data))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: it cannot be read: {error}", "make the assignment again") from None
