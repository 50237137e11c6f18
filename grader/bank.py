"""Quiz files into topics and items, or every finding at once.

`shape` checks the form of a file; what its parts mean together is checked here, while the items are built. A text
that was read and checked before is not parsed again (`Memory`): that takes longer than building all of its items.
"""

from __future__ import annotations

import hashlib
import itertools
import keyword
import math
import os
import re
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from grader import claims, kinds, shape, source, template
from grader.errors import InputError, did_you_mean
from grader.model import (
    Bank,
    Draw,
    Exercise,
    Expr,
    Finding,
    Item,
    Mistake,
    Option,
    Span,
    Step,
    Text,
    Topic,
    Value,
    Variant,
    Wrong,
)
from grader.source import Source

MOST_VARIANTS = 200
LONGEST_VARIANT = 20_000
"""Characters of the assignments that give a variant's parameters their values."""
RESERVED = ("run",)


class Memory(Protocol):
    """Remembers texts by their key: files that were found to be good, as data."""

    def get(self, key: str) -> str | None: ...

    def put(self, key: str, value: str) -> None: ...


# ---------------------------------------------------------------- files


def home(given: Path | None = None) -> Path:
    """The folder of the bank: given, else `GRADER_BANK`, else one in the current directory, else the package's own."""
    return homes(given)[0]


def homes(given: Path | None = None, here: Path = Path()) -> list[Path]:
    """The folders of banks that may be asked, the one that counts first: see `home`. `here` is the current directory.

    One that is given or in `GRADER_BANK` is the only one. Raises InputError where there is none.
    """
    if given is None and (named := os.environ.get("GRADER_BANK")):
        given = Path(named)
    if given is not None:
        if not _has_quizzes(given):
            raise InputError(f"{given}: there is no quiz here", "a bank is a folder with quizzes/*.yaml in it")
        return [given]
    beside = Path(__file__).parents[1]
    shared = Path("share", "torch-grader")
    own = next(filter(_has_quizzes, (beside, Path(sysconfig.get_path("data")) / shared, beside / shared)), None)
    found = [folder for folder in (here, own) if folder is not None and _has_quizzes(folder)]
    if not found:
        raise InputError("there is no bank here, and the package's own is missing", "give one with --bank DIR")
    return found


def _has_quizzes(folder: Path) -> bool:
    return any((folder / "quizzes").glob("*.yaml"))


def files(paths: Iterable[Path]) -> list[Path]:
    """The quiz files among files and folders. Raises InputError for a path that is not there."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = path / "quizzes" if _has_quizzes(path) else path
            found += sorted(inside.glob("*.yaml"))
        elif path.suffix not in (".yaml", ".yml") and path.exists():
            raise InputError(f"{path}: this is no quiz and no lesson", "a quiz ends in .yaml, a lesson in .md")
        elif path.exists():
            found.append(path)
        else:
            raise InputError(f"{path}: there is no such file", "give a quiz file or a folder of them")
    if not found:
        raise InputError("there is no quiz to read", "a bank is a folder with quizzes/*.yaml in it")
    return found


def read(paths: Iterable[Path], memory: Memory | None = None) -> Bank:
    """Read quiz files. Problems of a file are findings; a path that cannot be opened is one too."""
    topics, findings = [], []
    for path in paths:
        text = source.read_text(path, "bad-yaml")
        if isinstance(text, Finding):
            findings.append(text)
            continue
        topic, found = parse(text, str(path), memory)
        findings += found
        if topic:
            topics.append(topic)
    bank = Bank(tuple(topics))
    return Bank(tuple(topics), (*findings, *_across(bank)))


def _across(bank: Bank) -> list[Finding]:
    """What topics share: item ids are unique, mistakes are known and mean one thing."""
    findings: list[Finding] = []
    items: dict[str, Item] = {}
    mistakes: dict[str, Mistake] = {}
    for topic in bank.topics:
        for mistake in topic.mistakes:
            first = mistakes.setdefault(mistake.id, mistake)
            if first.says != mistake.says:
                message = f"the mistake `{mistake.id}` is described in another way at {first.at}"
                findings.append(Finding("duplicate-id", message, mistake.at, "keep one of the two"))
    for item in bank.items:
        if (first_item := items.setdefault(item.id, item)) is not item:
            message = f"the id `{item.id}` is taken: {first_item.at}"
            findings.append(Finding("duplicate-id", message, item.at, "a new meaning needs a new id"))
        wrongs: tuple[Option | Wrong, ...] = item.exercise.wrong if item.exercise else item.options
        for wrong in wrongs:
            if wrong.mistake and wrong.mistake not in mistakes:
                message = f"there is no mistake `{wrong.mistake}`"
                hint = did_you_mean(wrong.mistake, mistakes) or "describe it under `mistakes:`"
                findings.append(Finding("unknown-mistake", message, wrong.at, hint, item=item.id))
    return findings


# ---------------------------------------------------------------- one file


def parse(text: str, path: str, memory: Memory | None = None) -> tuple[Topic | None, list[Finding]]:
    """One quiz text as a topic, or what is wrong with it."""
    digest = hashlib.sha256(f"{shape.digest()}\0{text}".encode()).hexdigest()
    if memory is not None and (kept := memory.get(digest)) and (known := source.restored(kept, path)):
        return _topic(known)
    read = source.parse(text, path)
    if found := read.findings or shape.check(read):
        return None, found
    if memory is not None:
        memory.put(digest, source.kept(read))
    return _topic(read)


# ---------------------------------------------------------------- building


class _Builder:
    """Builds the parts of one item and collects what is wrong with them."""

    def __init__(self, read: Source, item: str) -> None:
        self.read, self.item = read, item
        self.findings: list[Finding] = []

    def report(self, code: str, message: str, at: Span, hint: str) -> None:
        self.findings.append(Finding(code, message, at, hint, item=self.item))

    def expression(self, data: dict[str, Any], path: source.Path) -> Expr | None:
        """The expression at the end of a path; a number, truth value or list stands for itself."""
        value = data.get(str(path[-1]))
        if value is None:
            return None
        at = self.read.at(path)
        if not isinstance(value, str):
            return Expr(repr(value), at)
        if not template.is_expression(value):
            message = f"`{template.brief(value.strip())}` is not a Python expression"
            self.report("bad-expression", message, at, "write an expression, such as `run.lr_used[0]`")
        return Expr(value.strip(), at)

    def text(self, value: str, path: source.Path) -> Text:
        place = self.read.places[path]
        try:
            return template.split(value, place.start, lambda offset: place.inside(offset, value))
        except template.BadTemplateError as error:
            self.report("bad-expression", str(error), place.inside(error.offset, value), "check the braces")
            return Text((value,), place.start)

    def verbatim(self, data: dict[str, Any], path: source.Path) -> Expr | None:
        value = data.get(str(path[-1]))
        return None if value is None else Expr(value, self.read.at(path))


def _topic(read: Source) -> tuple[Topic | None, list[Finding]]:
    data, findings, items = read.data, [], []
    for index, entry in enumerate(data["items"]):
        item, found = _item(entry, ("items", index), read)
        items.append(item)
        findings += found
    mistakes = tuple(
        Mistake(
            name,
            entry["says"].strip(),
            read.at(("mistakes", name), key=True),
            entry.get("see", ""),
            entry.get("family", ""),
        )
        for name, entry in data.get("mistakes", {}).items()
    )
    topic = Topic(data["topic"], data["title"], read.at(()), tuple(items), mistakes)
    return topic, findings


def _item(data: dict[str, Any], path: source.Path, read: Source) -> tuple[Item, list[Finding]]:
    build = _Builder(read, data["id"])
    exercise = _exercise(data, path, build)
    listed = "options" if "options" in data else "mistakes"
    hints, solution = data.get("hints", []), data["solution"]
    item = Item(
        id=data["id"],
        topic=read.data["topic"],
        kind=data["kind"],
        level=data["level"],
        skill=data["skill"],
        stem=build.text(data["stem"], (*path, "stem")),
        at=read.at((*path, "id")),
        modes=tuple(data.get("modes", ("practice", "test"))),
        variants=_variants(data, path, build),
        program=data.get("program", ""),
        program_at=read.at((*path, "program")) if "program" in data else None,
        answer=build.expression(data, (*path, "answer")),
        holds=build.expression(data, (*path, "holds")),
        options=()
        if exercise
        else tuple(_option(entry, (*path, listed, index), build) for index, entry in enumerate(data.get(listed, ()))),
        tolerance=data.get("tolerance", 1e-6),
        unit=data.get("unit", ""),
        shows=data.get("shows", "rate"),
        counts=data.get("counts", "step"),
        cells=build.expression(data, (*path, "cells")),
        exercise=exercise,
        raises=build.verbatim(data, (*path, "raises")),
        warns=build.verbatim(data, (*path, "warns")),
        hints=tuple(build.text(hint, (*path, "hints", index)) for index, hint in enumerate(hints)),
        solution=tuple(_step(step, (*path, "solution", index), build) for index, step in enumerate(solution)),
        see=data.get("see", ""),
    )
    findings = claims.Findings(item)
    if not build.findings:
        claims.check_size(item, findings)
    if not build.findings and not findings.found:
        kinds.get(item.kind).check(item, findings)
    return item, build.findings + findings.found


def _option(data: dict[str, Any], path: source.Path, build: _Builder) -> Option:
    return Option(
        at=build.read.at(path),
        key=data.get("key", False),
        text=build.text(data["text"], (*path, "text")) if "text" in data else None,
        value=build.expression(data, (*path, "value")),
        code=data.get("code"),
        holds=build.expression(data, (*path, "holds")),
        program=data.get("program"),
        mistake=data.get("mistake"),
        instead=tuple(data.get("instead", {}).items()),
        yields=build.expression(data, (*path, "yields")),
        because=build.expression(data, (*path, "because")),
    )


ANSWER_FIELDS = {"fills": "fills", "lines": "lines", "reference": "code"}
"""Where a right answer stands in each kind that is run, and what the same is called in a mistake."""


def _exercise(data: dict[str, Any], path: source.Path, build: _Builder) -> Exercise | None:
    """The answer, the mistakes and the cases of an item whose answers are run; None for all others."""
    field = next((name for name in ANSWER_FIELDS if name in data), None)
    if field is None:
        return None
    cases = data.get("cases") or {"given": [{}]}
    hidden = cases.get("hidden", {})
    wrong = [
        Wrong(entry["mistake"], _parts(entry[ANSWER_FIELDS[field]]), build.read.at((*path, "mistakes", index)))
        for index, entry in enumerate(data.get("mistakes", ()))
    ]
    return Exercise(
        reference=_parts(data[field]),
        observe=build.expression(data, (*path, "observe")) or Expr("run.lr_used", build.read.at((*path, field))),
        at=build.read.at((*path, field), key=True),
        starter=data.get("starter", ""),
        wrong=tuple(wrong),
        given=tuple(tuple(inputs.items()) for inputs in cases["given"]),
        hidden=tuple(_draw(name, entry) for name, entry in hidden.items()),
        draws=cases.get("draws", 3) if hidden else 0,
    )


def _parts(answer: str | list[str]) -> tuple[str, ...]:
    return (answer,) if isinstance(answer, str) else tuple(part.strip("\n") for part in answer)


def _draw(name: str, entry: list[Value] | dict[str, Any]) -> Draw:
    return Draw(name, tuple(entry)) if isinstance(entry, list) else Draw(name, (), entry["from"], entry["to"])


def _step(data: str | dict[str, Any], path: source.Path, build: _Builder) -> Step:
    if isinstance(data, str):
        return Step(build.text(data, path))
    return Step(build.text(data["say"], (*path, "say")), build.expression(data, (*path, "holds")))


def _variants(data: dict[str, Any], path: source.Path, build: _Builder) -> tuple[Variant, ...]:
    """All combinations of the parameters' values, or the variants as they are listed."""
    params = data.get("params") or {}
    rows: list[tuple[tuple[str, Value], ...]]
    at = build.read.at((*path, "params"), key=True)
    many = len(params) or 1 if isinstance(params, list) else math.prod(map(len, params.values()))
    if not 1 <= many <= MOST_VARIANTS:
        hint = f"every one is proven: an item may have 1 to {MOST_VARIANTS}"
        said = many if many <= 10**12 else "more than 1,000,000,000,000"
        build.report("bad-field", f"these parameters make {said} variants", at, hint)
        return (Variant(),)
    if isinstance(params, list):
        rows = [tuple(row.items()) for row in params]
        if any(set(row) != set(params[0]) for row in params):
            build.report("bad-field", "the variants have not all the same names", at, "give each one every name")
    else:
        rows = [tuple(zip(params, drawn, strict=True)) for drawn in itertools.product(*params.values())]
    if any(len(repr(row)) > LONGEST_VARIANT for row in rows):
        message = f"the parameters of a variant take more than {LONGEST_VARIANT:,} characters"
        build.report("bad-field", message, at, "compute long values in the program")
        return (Variant(),)
    for name in dict.fromkeys(name for row in rows for name, _ in row):
        if not name.isidentifier() or keyword.iskeyword(name) or name in RESERVED:
            build.report("bad-field", f"`{name}` cannot be a parameter", at, "use a plain Python name")
    if len({repr(row) for row in rows}) < len(rows):
        build.report("bad-field", "two variants have the same numbers", at, "leave one of them out")
    written = " ".join(str(value) for name, value in data.items() if name != "params")
    words = set(re.findall(r"\w+", written))
    for name in dict.fromkeys(name for row in rows for name, _ in row if not build.findings):
        if name not in words:
            build.report("bad-field", f"the parameter `{name}` is used nowhere", at, "remove it, or use it")
    return tuple(Variant(index, row) for index, row in enumerate(rows)) or (Variant(),)
