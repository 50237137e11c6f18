"""The files of a bank into topics and items, or every finding at once.

`schema` checks the form of a file; what its parts mean together is checked in `topic_builder`, and what topics share
here. A text that was read and checked before is not parsed again (`Memory`): that takes longer than building all items.

A topic is one file, `quizzes/TOPIC.yaml`, or a folder with a `topic.yaml` and any number of files beside it.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import re
from collections.abc import Container, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from grader.content import remembered_topics, schema, yaml_source
from grader.content.across_topics import across
from grader.content.bank_homes import HEAD, Given, every, has_quizzes, own
from grader.content.places import Source, from_json, named, to_json
from grader.content.schema import Shape
from grader.content.topic_builder import build, mistakes
from grader.errors import InputError
from grader.model import SHIPPED, About, Bank, Block, Finding, LeftOut, Span, Topic

ABOUT, MISTAKES = "bank.yaml", "mistakes.yaml"
"""What a bank says of itself; the mistakes that its topics share."""

LARGEST_REMEMBERED = 4 << 20
"""Bytes of a file; larger ones are refused anyway."""

LONGEST_HELPERS = 50_000
"""Characters of a topic's module."""

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""An id or a name; of what has none, findings say which entry it is."""


class Memory(Protocol):
    """Remembers texts by their key: files that were found to be good, as data."""

    def get(self, key: str) -> str | None: ...

    def put(self, key: str, value: str) -> None: ...


# ---------------------------------------------------------------- files


def files(paths: Iterable[Path]) -> list[Path]:
    """The files of banks among files and folders. Raises InputError for a path that is not there."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += inside(path)
        elif path.suffix not in (".yaml", ".yml") and path.exists():
            raise InputError(f"{path}: this is neither a quiz nor a lesson", "a quiz ends in .yaml, a lesson in .md")
        elif path.exists():
            found.append(path)
        else:
            raise InputError(f"{path}: there is no such file", "give a quiz file or a folder of them")
    if not found:
        raise InputError("there is no quiz to read", "a bank is a folder with quizzes/*.yaml in it")
    return found


def inside(folder: Path) -> list[Path]:
    """The files of a bank, of its folder of quizzes, of a topic's folder, or of any other that has quizzes in it."""
    if has_quizzes(folder):
        about = folder / ABOUT
        return [*([about] if about.is_file() else []), *inside(folder / "quizzes")]
    deeper = folder.glob("*/*.yaml")
    return sorted(folder.glob("*.yaml")) + sorted(
        path for path in deeper if folder.name == "quizzes" or (path.parent / HEAD).is_file()
    )


def of_topic(home: Path, topic: str) -> list[Path]:
    """The files that are called as a topic is, or lie in a folder that is; none where there are no such files."""
    one, folder = home / "quizzes" / f"{topic}.yaml", home / "quizzes" / topic
    parts = sorted(folder.glob("*.yaml")) if (folder / HEAD).is_file() else []
    return [*([one] if one.is_file() else []), *parts]


def helpers_of(path: Path) -> tuple[Path, Path]:
    """Where the module of a topic may lie, whose file or `topic.yaml` this is."""
    folder = path.parent if path.name == HEAD else path.with_suffix("")
    return folder / "helpers.py", folder.with_name(f"{folder.name}_helpers.py")


def shape_of(path: Path) -> Shape:
    """What a file of a bank holds, by its name and by what lies beside it."""
    if path.name == ABOUT:
        return "bank"
    if (path.parent / HEAD).is_file():
        return "head" if path.name == HEAD else "part"
    return "mistakes" if path.name == MISTAKES else "topic"


def root_of(path: Path) -> Path:
    """The folder of the bank that a file of a bank is of."""
    if path.name == ABOUT:
        return path.parent
    folder = path.parent
    if folder.name != "quizzes" and (folder.parent.name == "quizzes" or (folder / HEAD).is_file()):
        folder = folder.parent
    return folder.parent if folder.name == "quizzes" else folder


def prefix_of(home: Path, memory: Memory | None = None) -> str:
    """The prefix of a bank's ids; nothing for one without a name, or where its `bank.yaml` cannot be read."""
    return about_of(home, memory).prefix


def about_of(home: Path, memory: Memory | None = None) -> About:
    """What the `bank.yaml` of a folder says of a bank, but for its blocks; its name alone where something is wrong."""
    path = home / ABOUT
    if (shipped := own()) and home.resolve() == shipped.resolve():
        return About(SHIPPED)  # it need not be read
    if not path.is_file() or isinstance(text := yaml_source.read_text(path, "bad-yaml"), Finding):
        return About()
    source, _ = _source(text, str(path), "bank", memory)
    if source:
        return _said(source)
    data = yaml_source.parse(text, str(path)).data
    name = data.get("name") if isinstance(data, dict) else None
    return About(name if isinstance(name, str) and SLUG.fullmatch(name) else "")


def _said(source: Source) -> About:
    data = source.data
    said = {name: data.get(name, "") for name in ("name", "title", "license", "torch")}
    return About(**said, authors=tuple(data.get("authors", ())), lang=data.get("lang", "en"))


def find_topic(given: Given, name: str, memory: Memory | None = None) -> tuple[Path, str]:
    """The folder of the bank that a topic or a block is of, and the prefix of that bank.

    The name of a topic comes with its bank's prefix; without it too, where only one bank is asked. Of banks without a
    name the first counts that has the topic, else the first of all.
    """
    there = every(given)
    prefixes = [prefix_of(home, memory) for home in there]
    for home, prefix in zip(there, prefixes, strict=True):
        if prefix and name.startswith(prefix):
            return home, prefix
    bare = [home for home, prefix in zip(there, prefixes, strict=True) if not prefix] or there[:1]
    found = next((home for home in bare if of_topic(home, name) or (home / "lessons" / name).is_dir()), bare[0])
    return found, prefixes[there.index(found)]


def lessons_of(home: Path, prefix: str, topic: str) -> list[Path]:
    """The lessons of a topic of a bank, by its name with or without the bank's prefix."""
    return sorted((home / "lessons" / topic.removeprefix(prefix)).glob("*.md"))


def topics_with_lessons(given: Given, memory: Memory | None = None) -> frozenset[str]:
    """The topics that have a first lesson, by their full names."""
    return frozenset(
        prefix_of(home, memory) + path.parent.name
        for home in every(given)
        for path in (home / "lessons").glob("*/learn.md")
    )


# ---------------------------------------------------------------- reading


def read(paths: Iterable[Path], memory: Memory | None = None) -> Bank:
    """Read files of banks. What is wrong is a finding, and an item or a whole file with one is left out.

    What a file needs is read with it: its topic's other files, for what they say of the topic and of mistakes, the
    mistakes that topics share, and the name of its bank.
    """
    abouts: dict[Path, About] = {}
    readings: dict[str, _Reading] = {}
    for path in paths:
        home = root_of(path)
        about = abouts[home] = abouts.get(home) or about_of(home, memory)
        readings.setdefault(about.prefix, _Reading(about, home, memory)).ask(path, home)
    banks = [reading.bank() for reading in readings.values()]
    first = banks[0] if banks else Bank(())
    whole = Bank(
        tuple(topic for bank in banks for topic in bank.topics),
        tuple(finding for bank in banks for finding in bank.findings),
        tuple(one for bank in banks for one in bank.unread),
        tuple(mistake for bank in banks for mistake in bank.shared),
        replace(first.about, blocks=tuple(block for bank in banks for block in bank.about.blocks)),
        tuple(bank.about for bank in banks[1:]),
    )
    return across(whole)


def recall(paths: Iterable[Path]) -> Bank:
    """Read files of banks with this user's cache: what has not changed since it was read last is not parsed again."""
    from grader.runner.cached import Store

    with contextlib.closing(Store()) as memory:
        return read(paths, memory)


def _above(head: Path) -> Path:
    return head.parent.parent if head.name == HEAD else head.parent


class _Reading:
    """The files of one bank that are read together."""

    def __init__(self, about: About, home: Path, memory: Memory | None) -> None:
        self.asked: list[Path] = []
        self.findings: list[Finding] = []
        self.unread: list[LeftOut] = []
        self._about, self._home, self._memory = about, home, memory

    def ask(self, path: Path, home: Path) -> None:
        """Read this file too, of the bank in a folder: with a name there is only one."""
        if home != self._home and self._about.prefix:
            message = f"the banks in {self._home} and {home} are both called `{self._about.name}`"
            finding = Finding("duplicate-id", message, Span(str(home / ABOUT)), "give one of them another name")
            self.findings += [finding] if finding not in self.findings else []
            self.unread.append(LeftOut(str(path)))
        else:
            self.asked.append(path)

    def bank(self) -> Bank:
        """The bank, as far as its files are asked for."""
        shapes = {path: shape_of(path) for path in self.asked}
        heads = {path.parent / HEAD if shape in ("head", "part") else path: None for path, shape in shapes.items()
                 if shape in ("head", "part", "topic")}  # fmt: skip
        shared = {path: None for path, shape in shapes.items() if shape == "mistakes"} | {
            beside: None
            for head in heads
            if (beside := _above(head) / MISTAKES).is_file() and shape_of(beside) == "mistakes"
        }
        abouts = [self.source(path) for path, shape in shapes.items() if shape == "bank"]
        described = [mistake for path in shared if (source := self.source(path)) for mistake in mistakes(source)]
        read = [topic for head in heads if (topic := self.topic(head))]
        own = {topic.name for topic in read}
        topics = tuple(replace(topic, needs=tuple(self._full(one, own) for one in topic.needs)) for topic in read)
        about = next((self.about(source, topics) for source in abouts if source), self._about)
        return Bank(_in_order(topics, about), tuple(self.findings), tuple(self.unread), tuple(described), about)

    def _full(self, topic: str, own: Container[str]) -> str:
        """A topic that another one needs, by its full name where it is of the same bank."""
        full = self._about.prefix + topic
        return full if full in own else topic

    def source(self, path: Path, *, told: bool = True) -> Source | None:
        """A file's data; None where it is left out as a whole. What is wrong is a finding, if it is told."""
        text = yaml_source.read_text(path, "bad-yaml")
        shape = shape_of(path)
        found: list[Finding]
        if isinstance(text, Finding):
            source, found = None, [text]
        elif shape == "topic" and path.parent.parent.name == "quizzes":
            hint = f"a topic in a folder has a {HEAD} with `format: 1`, `topic:` and `title:`"
            source, found = None, [Finding("bad-field", f"there is no {HEAD} beside this file", Span(str(path)), hint)]
        else:
            source, found = _source(text, str(path), shape, self._memory)
        prefix = self._about.prefix
        self.findings += [
            replace(one, item=prefix + one.item) if one.item and SLUG.fullmatch(one.item) else one
            for one in (found if told else ())
        ]
        if source is None and told:
            self.unread.append(LeftOut(str(path)))
        return named(source, self._about) if source else None

    def topic(self, path: Path) -> Topic | None:
        """The topic of a file, or of a folder whose `topic.yaml` it is; None where that is left out."""
        key = self._key(path)
        if self._memory and key and (kept := self._memory.get(key)) and (known := remembered_topics.load(kept, Topic)):
            return known
        start = len(self.findings)
        head = self.source(path)
        if head is None:
            return None
        parts = []
        for beside in sorted(path.parent.glob("*.yaml")) if path.name == HEAD and shape_of(path) == "head" else []:
            part = self.source(beside, told=beside in self.asked) if beside != path else None
            if part and part.data["topic"] == head.data["topic"]:
                parts.append(part)
            elif part and beside in self.asked:
                message = f"this file is of the topic `{part.data['topic']}`, {path} of `{head.data['topic']}`"
                self.findings.append(Finding("bad-field", message, part.at(("topic",)), "let both say the same"))
                self.unread.append(LeftOut(str(beside)))
        topic, found = build(head, parts, {str(one) for one in self.asked}, self._helpers(path))
        self.findings[start:] = _sorted(self.findings[start:], found)
        if self._memory and key and not self.findings[start:] and not topic.left_out:
            topic = replace(topic, text=key)
            self._memory.put(key, remembered_topics.dump(topic))
        return topic

    def _key(self, path: Path) -> str:
        """A digest of all that a topic is made of; empty where that is not remembered."""
        if self._memory is None:
            return ""
        beside = sorted(path.parent.glob("*.yaml")) if path.name == HEAD else [path]
        bank = self._about
        found = hashlib.sha256(f"{schema.digest()}\0{bank.prefix}\0{bank.origin()}".encode())
        for one in (*beside, *helpers_of(path)):
            try:
                if not one.is_file() or one.stat().st_size > LARGEST_REMEMBERED:
                    continue
                found.update(f"\0{one}\0{one in self.asked}\0".encode(errors="surrogateescape"))
                found.update(one.read_bytes())
            except OSError:
                return ""
        return found.hexdigest()

    def _helpers(self, path: Path) -> str:
        """The module beside a topic; the empty string where there is none."""
        beside = next((one for one in helpers_of(path) if one.is_file()), None)
        if beside is None:
            return ""
        text = yaml_source.read_text(beside, "bad-field")
        if isinstance(text, Finding):
            self.findings.append(text)
            return ""
        if len(text) > LONGEST_HELPERS:
            message = f"the module has {len(text):,} characters; it goes along with each program that imports it"
            self.findings.append(Finding("too-long", message, Span(str(beside)), f"keep it under {LONGEST_HELPERS:,}"))
        try:
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            at = Span(str(beside), getattr(error, "lineno", None) or 1)
            self.findings.append(Finding("bad-field", f"this module is not Python: {error}", at, "fix it"))
        return text

    def about(self, source: Source, topics: Iterable[Topic]) -> About:
        """What `bank.yaml` says; a block that is called as a topic is left out."""
        prefix = self._about.prefix
        said = source.data.get("blocks", ())
        taken = {topic.name.removeprefix(prefix) for topic in topics} | {name for one in said for name in one["topics"]}
        blocks = []
        for index, block in enumerate(said):
            if block["name"] in taken:
                message = f"the block `{block['name']}` is called as a topic is"
                at = source.at(("blocks", index, "name"))
                self.findings.append(Finding("duplicate-id", message, at, "give it a name that is no topic's"))
            else:
                topics_in = tuple(prefix + topic for topic in block["topics"])
                blocks.append(Block(prefix + block["name"], block["title"], topics_in))
        return replace(_said(source), blocks=tuple(blocks))


def _in_order(topics: tuple[Topic, ...], about: About) -> tuple[Topic, ...]:
    """Topics by their block, in a block by their own order, else as the block lists them; then by their files."""
    places = {
        name: (number, place) for number, block in enumerate(about.blocks) for place, name in enumerate(block.topics)
    }
    last = len(about.blocks), 0

    def key(topic: Topic) -> tuple[int, float, int]:
        number, place = places.get(topic.name, last)
        return number, topic.order, place

    return tuple(sorted(topics, key=key))


# ---------------------------------------------------------------- one file


def parse(text: str, path: str, memory: Memory | None = None) -> tuple[Topic | None, list[Finding]]:
    """The text of a topic in one file as a topic, or what is wrong with it."""
    source, found = _source(text, path, "topic", memory)
    if source is None:
        return None, found
    topic, more = build(source, (), {path})
    return topic, _sorted(found, more)


def _source(text: str, path: str, shape: Shape, memory: Memory | None) -> tuple[Source | None, list[Finding]]:
    """A file's data, and what is wrong with it; None where that is wrong as a whole."""
    digest = hashlib.sha256(f"{schema.digest()}\0{shape}\0{text}".encode()).hexdigest()
    if memory is not None and (kept := memory.get(digest)) and (known := from_json(kept, path)):
        return known, []
    read = yaml_source.parse(text, path)
    found = read.findings if read.data is None and read.findings else [*read.findings, *schema.check(read, shape)]
    if not all(finding.item for finding in found):
        return None, found
    if memory is not None and not found:
        memory.put(digest, to_json(read))
    return read, found


def _sorted(of_shapes: list[Finding], of_items: list[Finding]) -> list[Finding]:
    """Findings of files and those of what was built of them, as they stand there."""
    both = [*of_shapes, *of_items]
    return sorted(both, key=lambda finding: (finding.at.path, finding.at.line)) if of_shapes else both
