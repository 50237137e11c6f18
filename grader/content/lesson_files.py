"""Lesson files into plain data, or every finding at once.

A lesson is a MyST text notebook (see docs/author/lessons.md): Markdown that jupytext opens as a notebook.
`render.markdown` parses it, once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.content import asking_cells, yaml_source
from grader.content.places import Source
from grader.errors import InputError, did_you_mean
from grader.model import Cell, Finding, Inline, Lesson, Pin, Prose, Span
from grader.render import markdown

if TYPE_CHECKING:
    from markdown_it.token import Token

MODES = ("learn", "why", "deep", "trace", "metrics", "experiment")
INLINE = re.compile(r"\{eval\}`([^`]+)`(<!--(.*?)-->)?")
"""A number in prose and its pin: {eval}`base_lr * 3 / 5`<!-- 0.06 -->."""

_OPTION = re.compile(r":([\w-]+):\s*(.*)")


def files(paths: Iterable[Path]) -> list[Path]:
    """The lessons among files and folders, that of one topic too: `lessons/<topic>/<mode>.md`."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = path / "lessons" if (path / "lessons").is_dir() else path
            own = inside.resolve().parent.name == "lessons"  # the lessons of one topic
            found += sorted(inside.glob("*.md" if own else "*/*.md"))
        elif path.suffix == ".md":
            found.append(path)
    return found


def only_lessons(path: Path) -> bool:
    """Whether a folder holds lessons and no quizzes."""
    return path.is_dir() and not any(path.glob("*.yaml")) and not (path / "quizzes").is_dir()


def read(paths: Iterable[Path]) -> tuple[list[Lesson], list[Finding]]:
    """Read lessons; problems of a file are findings."""
    lessons, findings = [], []
    for path in paths:
        text = yaml_source.read_text(path, "bad-lesson")
        if isinstance(text, Finding):
            findings.append(text)
            continue
        lesson, found = parse(text, str(path))
        findings += found
        if lesson:
            lessons.append(lesson)
    return lessons, findings


def find(home: Path, topic: str, mode: str) -> Path:
    """The file of a lesson. Raises InputError, which names the lessons that there are."""
    path = home / "lessons" / topic / f"{mode}.md"
    if path.is_file():
        return path
    known = [found.stem for found in of_topic(home, topic)]
    raise InputError(f"{topic} has no lesson `{mode}`", did_you_mean(mode, known) or f"it has {', '.join(known)}")


def of_topic(home: Path, topic: str) -> list[Path]:
    """The files of a topic's lessons. Raises InputError, which names the topics that there are."""
    if found := sorted((home / "lessons" / topic).glob("*.md")):
        return found
    topics = sorted({found.parent.name for found in (home / "lessons").glob("*/*.md")})
    hint = did_you_mean(topic, topics) or f"there are lessons on {', '.join(topics) or 'nothing yet'}"
    raise InputError(f"there are no lessons on `{topic}`", hint)


class _Reader:
    """Collects the blocks of one text, and what is wrong with it."""

    def __init__(self, text: str, path: str) -> None:
        self.path, self.lines = path, text.splitlines()
        self.tokens = [token for token in markdown.lesson_tokens(text, front=True) if token.map]
        self.findings: list[Finding] = []

    def report(self, code: str, message: str, line: int, hint: str) -> None:
        self.findings.append(Finding(code, message, Span(self.path, line), hint))

    def blocks(self, after: int) -> list[Prose | Cell]:
        """Everything after the front matter, which ends with line `after`."""
        found: list[Prose | Cell] = []
        fences = [token for token in self.tokens if token.type == "fence" and token.level == 0]
        cells = [(fence, _after(fences, fence)) for fence in fences if fence.info.startswith("{code-cell}")]
        start = after + 1
        for fence, following in cells:
            cell = self.cell(fence, following)
            self.prose(found, start, cell.line_of_fence - 1)
            found.append(cell.cell)
            start = cell.last + 1
        self.prose(found, start, len(self.lines))
        self.stray(cells)
        return found

    def prose(self, found: list[Prose | Cell], first: int, last: int) -> None:
        lines = self.lines[first - 1 : last]
        if not "".join(lines).strip():
            return
        code = {
            number
            for token in self.tokens
            if token.type in ("fence", "code_block") and token.map
            for number in range(token.map[0] + 1, token.map[1] + 1)
        }
        inlines = [
            Inline(match[1], number, match.end(1) + 1, match.end(), match[3].strip() if match[2] else None)
            for number, line in enumerate(lines, first)
            if number not in code
            for match in INLINE.finditer(line)
        ]
        found.append(Prose("\n".join(lines), first, tuple(inlines)))

    def cell(self, fence: Token, following: Token | None) -> _Placed:
        assert fence.map
        first, end = fence.map[0] + 2, fence.map[1]
        body, tags = fence.content.splitlines(), ()
        while body and (option := _OPTION.fullmatch(body[0])):
            tags = tuple(re.findall(r"[\w-]+", option[2])) if option[1] == "tags" else tags
            body, first = body[1:], first + 1
        while body and not body[0].strip():  # jupytext leaves a line free after the options
            body, first = body[1:], first + 1
        if fence.info.split()[1:] not in (["python"], ["ipython3"]):
            message = f"a cell in `{fence.info.removeprefix('{code-cell}').strip() or 'no language'}`"
            self.report("bad-lesson", message, fence.map[0] + 1, "write ```{code-cell} python")
        pin = None
        if following is not None and following.map and following.info == "output":
            between = [line for line in self.lines[end : following.map[0]] if not line.startswith("+++")]
            if not "".join(between).strip():  # an editor may mark where a cell begins
                text = following.content
                pin = Pin(text.rstrip("\n"), following.map[0] + 2, following.map[1] - 1)
        last = pin.last + 1 if pin else end
        asks, problem = asking_cells.read("\n".join(body), tags)
        if problem:
            self.report("bad-lesson", problem.message, first, problem.hint)
        cell = Cell("\n".join(body), first, end, tags, pin, asks)
        return _Placed(cell, fence.map[0] + 1, last)

    def stray(self, cells: list[tuple[Token, Token | None]]) -> None:
        """Pins that belong to no cell, and cells inside of something else."""
        pinned = {id(following) for _, following in cells if following is not None}
        for token in self.tokens:
            assert token.map
            if token.type == "fence" and token.info == "output" and id(token) not in pinned:
                message = "this output belongs to no cell"
                self.report("bad-lesson", message, token.map[0] + 1, "put it right after its cell, or remove it")
            inside = token.type == "fence" and token.level and token.info.startswith("{code-cell}")
            if inside or (token.type == "colon_fence" and "{code-cell}" in token.content):
                message = "a cell inside of a block is lost when the page is opened as a notebook"
                self.report("bad-lesson", message, token.map[0] + 1, "close the block before the cell")


class _Placed:
    def __init__(self, cell: Cell, line_of_fence: int, last: int) -> None:
        self.cell, self.line_of_fence, self.last = cell, line_of_fence, last


def _after(fences: list[Token], fence: Token) -> Token | None:
    place = fences.index(fence) + 1
    return fences[place] if place < len(fences) else None


def parse(text: str, path: str) -> tuple[Lesson | None, list[Finding]]:
    """One lesson, or what is wrong with it."""
    reader = _Reader(text, path)
    front = next((token for token in reader.tokens if token.type == "front_matter"), None)
    if front is None or not front.map:
        message = "a lesson starts with front matter"
        return None, [Finding("bad-lesson", message, Span(path), "start the file with `---`, `title: ...`, `---`")]
    read = yaml_source.parse("\n" + front.content, path)
    findings = [*read.findings]
    data: dict[str, Any] = read.data if isinstance(read.data, dict) else {}
    if not findings:
        findings += _front(data, read, path)
    blocks = reader.blocks(front.map[1])
    reader.findings += asking_cells.nothing_held(blocks, path)
    findings += reader.findings
    if findings:
        return None, sorted(findings, key=lambda finding: finding.at.line)
    lesson = Lesson(
        path, data["topic"], data["mode"], data["title"], data["minutes"], tuple(blocks), tuple(reader.lines)
    )
    return lesson, []


def _front(data: dict[str, Any], read: Source, path: str) -> list[Finding]:
    """What the front matter needs, for us and for jupytext."""
    findings = []

    def report(message: str, hint: str, *place: str) -> None:
        at = read.at(place) if place and place in read.places else Span(path, 1)
        findings.append(Finding("bad-lesson", message, at, hint))

    for name, kind in (("title", str), ("topic", str), ("mode", str), ("minutes", int)):
        if name not in data:
            report(f"the front matter has no `{name}`", f"add `{name}:`")
        elif type(data[name]) is not kind:
            report(f"`{name}` is not a {'number' if kind is int else 'text'}", "write it plainly", name)
    if data.get("mode") not in (None, *MODES):
        report(f"there is no mode `{data['mode']}`", did_you_mean(str(data["mode"]), MODES) or ", ".join(MODES), "mode")
    jupytext = data.get("jupytext")
    representation = jupytext.get("text_representation") if isinstance(jupytext, dict) else None
    if not isinstance(representation, dict) or representation.get("format_name") != "myst":
        hint = "add `jupytext: {text_representation: {extension: .md, format_name: myst}}`"
        report("jupytext cannot tell that this is a MyST notebook", hint, "jupytext")
    kernel = data.get("kernelspec")
    if not isinstance(kernel, dict) or not {"name", "display_name"} <= set(kernel):
        report(
            "the front matter names no kernel",
            "add `kernelspec: {name: python3, display_name: Python 3}`",
            "kernelspec",
        )
    return findings
