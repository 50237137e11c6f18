"""The lessons' tables of contents, made from the bank's order and the pages: `python -m tests.support.tables_of_contents` writes them.

README.md has a row for each page, index.md a table for Sphinx, myst.yml one for mystmd.
"""

from __future__ import annotations

import re
from itertools import groupby

from grader.content import bank_files, lesson_files
from grader.model import Lesson
from tests.support.common import ROOT

LESSONS = ROOT / "lessons"


def _chapters() -> list[tuple[str, list[Lesson]]]:
    """Each topic's title, and its pages in the order in which they are read."""
    titles = {topic.name: topic.title for topic in bank_files.recall(bank_files.files([ROOT])).topics}
    pages, _ = lesson_files.read(lesson_files.files([ROOT]))
    pages.sort(key=lambda page: (page.topic, lesson_files.MODES.index(page.mode)))
    by_topic = {name: list(found) for name, found in groupby(pages, key=lambda page: page.topic)}
    return [(titles[name], by_topic[name]) for name in titles if name in by_topic]


def _of(page: Lesson) -> str:
    return f"{page.topic}/{page.mode}"


def tables() -> dict[str, str]:
    """What each of the three files should say, by its name."""
    chapters = _chapters()
    rows = [
        f"| [{page.topic} / {page.mode}]({_of(page)}.md) | {page.minutes} | {page.title} |"
        for _, pages in chapters
        for page in pages
    ]
    trees = [
        "\n".join(["```{toctree}", f":caption: {title}", ":maxdepth: 1", *map(_of, pages), "```"])
        for title, pages in chapters
    ]
    parts = [
        "\n".join([f"  - title: {title}", "    children:", *(f"    - file: {_of(page)}.md" for page in pages)])
        for title, pages in chapters
    ]
    made = {
        "README.md": (r"(?<=\|---\|---\|---\|\n)(\|.*\n)*", "\n".join(rows) + "\n"),
        "index.md": (r"(?<=`\.\n\n)(.|\n)*", "\n\n".join(trees) + "\n"),
        "myst.yml": (r"(?<=  - file: README.md\n)(  - title: .*\n    children:\n(    - file: .*\n)*)*", "\n".join(parts) + "\n"),
    }  # fmt: skip
    return {
        name: re.sub(pattern, text.replace("\\", r"\\"), (LESSONS / name).read_text(), count=1)
        for name, (pattern, text) in made.items()
    }


if __name__ == "__main__":
    for name, text in tables().items():
        (LESSONS / name).write_text(text)
