"""Words to avoid, each with a better one, looked for in all that people read: `python -m tests.support.wording`.

The list is `words_to_avoid.txt`. proselint, vale and write-good were looked at: their rules are about other habits, and
a list of one's own needs a configuration as long as this file.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.content import lesson_files, yaml_source
from grader.faces.web import assets
from grader.model import Prose

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("words_to_avoid.txt")
WORDS_OF_YAML = {"stem", "text", "says", "say", "hints", "solution", "title", "objectives", "skills"}
BESIDE = ("README", "ARCHITECTURE", "CONTRIBUTING", "SECURITY")
MADE = {assets.STATIC / assets.EDITOR}  # of what others wrote
CODE = re.compile(r"`[^`\n]*`|\{[^{}\n]*\}|<!--.*?-->")


def rules() -> list[tuple[re.Pattern[str], str]]:
    """What to look for, and what to write instead."""
    lines = [line for line in LIST.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    pairs = [line.split(" => ") for line in lines]
    return [(re.compile(rf"\b(?:{avoid})\b", re.IGNORECASE), better) for avoid, better in pairs]


RULES = rules()


def found(text: str) -> list[tuple[int, str, str]]:
    """The line (from 0), the words and the better words of whatever a text should not say."""
    plain = CODE.sub(lambda code: re.sub(r"[^\n`]", "_", code[0]), text)
    flat = plain.replace("\n", " ")
    hits = [(rule, better, hit) for rule, better in RULES for hit in rule.finditer(flat)]
    return sorted((plain[: hit.start()].count("\n"), hit[0], better) for _, better, hit in hits)


def of_yaml(path: Path) -> Iterator[tuple[int, str]]:
    """The words of a quiz file: those that learners see, not its programs."""

    def walk(data: Any, place: tuple[Any, ...], words: bool) -> Iterator[tuple[tuple[Any, ...], str]]:
        match data:
            case dict():
                for key, value in data.items():
                    yield from walk(value, (*place, key), words or key in WORDS_OF_YAML)
            case list():
                for index, value in enumerate(data):
                    yield from walk(value, (*place, index), words)
            case str() if words and (not place or place[-1] not in ("holds", "program", "code")):
                yield place, data

    read = yaml_source.parse(path.read_text(encoding="utf-8"), str(path))
    for place, text in walk(read.data, (), words=False):
        yield read.at(place).line, text


def of_page(path: Path) -> Iterator[tuple[int, str]]:
    """The prose of a lesson."""
    for lesson in lesson_files.read([path])[0]:
        yield from ((block.line, block.text) for block in lesson.blocks if isinstance(block, Prose))


def of_python(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module that are no docstrings: two words or more."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(part.value if isinstance(part, ast.Constant) else "_" for part in node.values)
        elif isinstance(node, ast.Constant) and id(node) not in silent | inside and " " in str(node.value):
            yield node.lineno, str(node.value)


def of_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a template, a script or a starter, without comments; what it puts in by an expression is read too."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.lstrip().startswith(("//", "*", "/*", "{#", "#")):
            yield number, re.sub(r"\{[{%](.*?)[%}]\}", r" \1 ", line)


def of_document(path: Path) -> Iterator[tuple[int, str]]:
    """The prose of a page of docs/, and of those beside it, line by line."""
    fence = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if mark := re.match(r" *(`{3,})", line):
            fence = "" if fence == mark[1] else fence or mark[1]
        elif not fence:
            yield number, line


def everywhere() -> Iterator[tuple[Path, int, str]]:
    """All that people read: its file, its line, its text."""
    sources = [
        (of_yaml, sorted((ROOT / "quizzes").rglob("*.yaml"))),
        (of_lines, sorted((ROOT / "grader").rglob("*.yaml"))),
        (of_page, lesson_files.files([ROOT])),
        (of_document, [*sorted((ROOT / "docs").rglob("*.md")), *(ROOT / f"{name}.md" for name in BESIDE)]),
        (of_python, sorted((ROOT / "grader").rglob("*.py"))),
        (
            of_lines,
            sorted({path for end in ("html", "js", "j2") for path in (ROOT / "grader").rglob(f"*.{end}")} - MADE),
        ),
    ]
    for read, paths in sources:
        for path in paths:
            yield from ((path, line, text) for line, text in read(path))


def main() -> int:
    hits = [
        f"{path.relative_to(ROOT)}:{line + below}: `{said}`: write {better}"
        for path, line, text in everywhere()
        for below, said, better in found(text)
    ]
    print(*hits, sep="\n", end="\n" if hits else "")
    return 1 if hits else 0


if __name__ == "__main__":
    sys.exit(main())
