"""What an assignment is made of: `torch-grader.json`, beside its notebook.

nbgrader copies it into the release, so it holds nothing that a student may not know. For grading only the one in the
course's own `source` counts.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from grader import digests
from grader.errors import InputError
from grader.model import Bank

NAME = "torch-grader.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of an assignment. Its cells are `question-ID`, `answer-ID`, and ID itself, which has the points."""

    grade_id: str
    digest: str
    """Of what is run and asked: see `digests.claims`, and `digests.same` for those without its prefix."""
    points: float
    variant: int = 0
    """The variant that all students have, where it is the same for all."""
    questions: tuple[str, ...] = ()
    """The question of each variant as Markdown, where each student has numbers of their own."""
    words: str = ""
    """The digest of what is said, see `digests.words`; empty where an earlier version wrote the manifest."""

    @property
    def question(self) -> str:
        return f"question-{self.grade_id}"

    @property
    def answer(self) -> str:
        return f"answer-{self.grade_id}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """An assignment: which items, from which topic, and who has which numbers."""

    assignment: str
    topic: str
    seed: int | None
    per_student: bool
    items: tuple[Entry, ...]

    def variant(self, entry: Entry, student: str, count: int) -> int:
        """Which of `count` variants a student has: the same for the same seed, assignment, student and item."""
        if not self.per_student:
            return entry.variant
        drawn = f"{self.seed}\0{self.assignment}\0{student}\0{entry.grade_id}"
        return int.from_bytes(hashlib.sha256(drawn.encode(errors="replace")).digest()[:8]) % count


def changes(manifest: Manifest, bank: Bank) -> list[str]:
    """What is to be told of items that are not as they were when the assignment was made, a sentence each.

    Those that were changed in what is run and asked are not among them: they are not graded at all.
    """
    items, found = {item.id: item for item in bank.items}, []
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
    return json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1, ensure_ascii=False) + "\n"


def read(folder: Path) -> Manifest | None:
    """The manifest of a folder, None where there is none. Raises InputError where it cannot be read."""
    path = folder / NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.pop("format") != FORMAT:
            raise InputError(f"{path}: another version of torch-grader wrote it", "make the assignment anew")
        entries = [Entry(**{**entry, "questions": tuple(entry["questions"])}) for entry in data.pop("items")]
        return Manifest(**data, items=tuple(entries))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: it cannot be read: {error}", "make the assignment anew") from None
