"""What `grader new` writes: an item, a lesson or a bank that is proven as it stands, for its author to change.

A starter of each kind lies beside the kind; those about another subject than a learning rate are quizzes in
`grader/content/starters`, with an item of each kind. They are put into a file as text, so that everything else in it,
comments too, stays as it was.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from grader import kinds
from grader.content import bank_files, lesson_files, yaml_source
from grader.errors import InputError, did_you_mean
from grader.model import Finding, by_name

STARTERS = Path(__file__).with_name("starters")
LESSON = Path(__file__).with_name("lesson_starter.md")
FIRST = (("first-question", "choice"), ("first-program", "code"))
"""The items that a new bank starts with, and their kinds: one to read, and one that is run on hidden inputs."""

ABOUT = """\
# Questions of your own. Everybody who has torch-grader has these two, with their answers: they are here for you to
# change. Keep this folder away from your students; it has the answers to what you write.
"""
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def subjects() -> tuple[str, ...]:
    """What starters may be about beside a learning rate."""
    return tuple(path.stem for path in sorted(STARTERS.glob("*.yaml")))


def item(home: Path, topic: str, name: str, kind: str, about: str | None = None) -> tuple[Path, str]:
    """The quiz file that a new item goes into, and what is to be in it. Raises InputError where that cannot be.

    `about` is one of `subjects()`; without it, the item is about a learning rate.
    """
    _must_be_a_name(name, "an id", "third-epoch-rate")
    _must_be_a_name(topic, "a topic", "warmup")
    items, mistakes = _starter_about(about, name, kind) if about else _starter(name, kind)
    there, whole = bank_files.of_topic(home, topic), home / "quizzes" / f"{topic}.yaml"
    path = whole if there in ([], [whole]) else whole.with_suffix("") / f"{name}.yaml"
    if path != whole and path.exists():
        raise InputError(f"{path}: this file is there already", "take another id; nothing was written")
    known = bank_files.recall(bank_files.inside(home / "quizzes"))
    if known.findings:
        raise InputError(str(known.findings[0]), "fix the bank first; nothing was written")
    if name in {one.rpartition(":")[2] for one in by_name(known.items)}:
        raise InputError(f"there is an item `{name}` already", "a new meaning needs a new id")
    if not path.exists():
        return path, _file(topic, items, mistakes, titled=path == whole)
    text = yaml_source.read_text(path, "bad-yaml")
    if isinstance(text, Finding):
        raise InputError(str(text), text.hint)
    lines = text.rstrip("\n").split("\n")
    for key, block in (("mistakes", mistakes), ("items", items)):  # the later one first, so that places hold
        if block:
            _put_in(lines, key, block)
    written = "\n".join(lines) + "\n"
    _, findings = bank_files.parse(written, str(path))
    if findings:
        hint = "put `items:` and `mistakes:` on lines of their own, with their entries below"
        raise InputError(f"{path}: the item does not fit into this file: {findings[0].message}", hint)
    return path, written


def bank(home: Path, topic: str) -> tuple[Path, str]:
    """The first quiz file of a new bank, and what is to be in it. Raises InputError where something is there."""
    _must_be_a_name(topic, "a topic", "week-1")
    folder = home / "quizzes"
    if os.path.lexists(folder):
        there = _visible(folder)
        if any(name.endswith(".yaml") for name in there or ()):
            hint = "nothing was written; `grader new item TOPIC ID` adds a question to it"
            raise InputError(f"{folder}: there is a bank here already", hint)
        if there != []:
            hint = "nothing was written; start the bank in another folder with --bank DIR"
            raise InputError(f"{folder}: there is something here already", hint)
    items, mistakes = zip(*(_starter(name, kind) for name, kind in FIRST), strict=True)
    return folder / f"{topic}.yaml", ABOUT + _file(topic, "\n".join(items), "".join(mistakes))


def _visible(folder: Path) -> list[str] | None:
    """The names in a folder but for hidden ones; None where it is no folder, or one that cannot be read."""
    try:
        return [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:
        return None


def _starter(name: str, kind: str) -> tuple[str, str]:
    """The starter of a kind under this id: the item, and its mistakes."""
    text = kinds.starter(kind).replace("ITEM", name)
    item, _, mistakes = text.partition("MISTAKES\n")
    return item, mistakes


def _starter_about(about: str, name: str, kind: str) -> tuple[str, str]:
    """The starter of a kind about a subject, and the mistakes that it names."""
    text = (STARTERS / f"{about}.yaml").read_text(encoding="utf-8")
    _, _, rest = text.partition("\nitems:\n")
    items, _, mistakes = rest.partition("\nmistakes:\n")
    found = re.search(rf"^- id: {about}-{re.escape(kind)}\n.*?(?=^- id:|\Z)", items, re.MULTILINE | re.DOTALL)
    if found is None:
        raise InputError(f"there is no starter of the kind `{kind}` about a {about}", "leave out --about")
    own = found[0].rstrip("\n") + "\n"
    named = "".join(
        entry
        for entry in re.split(r"^(?=  \S)", mistakes, flags=re.MULTILINE)
        if entry and re.search(rf"\b{re.escape(entry.strip().partition(':')[0])}\b", own)
    )
    own = own.replace(f"- id: {about}-{kind}\n", f"- id: {name}\n", 1)
    return re.sub(rf"(?<![\w-]){about}-", f"{name}-", own), re.sub(rf"(?<![\w-]){about}-", f"{name}-", named)


def _file(topic: str, items: str, mistakes: str, *, titled: bool = True) -> str:
    about = f"\nmistakes:\n{mistakes}" if mistakes else ""
    title = f"title: {_title(topic)}\n" if titled else ""
    return f"format: 1\ntopic: {topic}\n{title}items:\n\n{items}{about}"


def _put_in(lines: list[str], key: str, block: str) -> None:
    """Put a block at the end of what stands below a top-level key, in front of the comments of the next one."""
    start = next((number for number, line in enumerate(lines) if re.match(rf"{key}:\s*(#.*)?$", line)), None)
    if start is None:
        lines += ["", f"{key}:", *block.rstrip("\n").split("\n")]
        return
    after = (number for number in range(start + 1, len(lines)) if re.match(r"[^\s#-]", lines[number]))
    end = next(after, len(lines))
    while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    lines[end:end] = [*([""] if key == "items" else []), *block.rstrip("\n").split("\n")]


def lesson(home: Path, topic: str, mode: str, title: str | None) -> tuple[Path, str]:
    """The file of a new lesson, and what is to be in it. Raises InputError where that cannot be."""
    _must_be_a_name(topic, "a topic", "warmup")
    if mode not in lesson_files.MODES:
        raise InputError(
            f"there is no mode `{mode}`", did_you_mean(mode, lesson_files.MODES) or ", ".join(lesson_files.MODES)
        )
    path = home / "lessons" / topic / f"{mode}.md"
    if path.exists():
        raise InputError(f"{path}: this lesson is there already", "nothing was written")
    if title is not None and (not title.strip() or re.search(r"[\n:#\"'{}\[\]]", title)):
        raise InputError("a title is one line without colons, quotes and brackets", 'such as --title "Why warmup"')
    text = LESSON.read_text(encoding="utf-8")
    text = text.replace("TITLE", title or f"{_title(topic)}, {mode}").replace("TOPIC", topic).replace("MODE", mode)
    return path, text


def _must_be_a_name(text: str, what: str, example: str) -> None:
    if not _NAME.fullmatch(text):
        raise InputError(f"{text!r} is not {what}", f"small letters, digits and hyphens, such as `{example}`")


def _title(topic: str) -> str:
    return topic.replace("-", " ").capitalize()
