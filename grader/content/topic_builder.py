"""Sources that have the right shape into topics and items; what their parts mean together is checked here."""

from __future__ import annotations

import itertools
import keyword
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from grader import kinds, template
from grader.content.item_reader import ItemReader
from grader.content.places import KeyPath, Source, item_name
from grader.errors import did_you_mean
from grader.judging import claim_form, claims, experiments, figures
from grader.judging.given import BUILT_IN
from grader.model import Experiment, Finding, Given, Item, LeftOut, Mistake, Step, Topic, Value, Variant
from grader.runner.inside import observers

MOST_VARIANTS = 200
LONGEST_VARIANT = 20_000
"""Characters of the assignments that give a variant's parameters their values."""
RESERVED = ("run",)


HELPERS = "helpers"
"""What programs import a topic's own module by."""

_IMPORTS_HELPERS = re.compile(rf"(?:import|from)\s+{HELPERS}\b")


@dataclass(frozen=True, slots=True)
class Shared:
    """What the items of a topic share."""

    setups: dict[str, Given]
    helpers: str
    """The source of the topic's own module; empty where it has none."""
    source: str = ""
    license: str = ""


def build(
    head: Source, parts: Sequence[Source], asked: Collection[str], helpers: str = ""
) -> tuple[Topic, list[Finding]]:
    """A topic from its file, or from several, without the items that something is wrong with, and what that is.

    Of files that are not `asked` for, by their paths, only the mistakes are taken.
    """
    items: list[Item] = []
    left_out: list[LeftOut] = []
    setups, findings = _setups(head)
    shared = Shared(setups, helpers, head.data.get("source", ""), head.data.get("license", ""))
    for source in (head, *parts):
        for index, entry in enumerate(source.data.get("items", []) if source.path in asked else []):
            item, found = (None, []) if index in source.spoiled else _item(entry, ("items", index), source, shared)
            if item is None or found:
                left_out.append(LeftOut(source.path, item_name(entry, index)))
            else:
                items.append(item)
            findings += found
    about = head.data
    experiment, found = _experiment(head, shared)
    findings += found
    topic = Topic(
        name=about["topic"],
        title=about["title"],
        at=head.at(()),
        items=tuple(items),
        mistakes=tuple(mistake for source in (head, *parts) for mistake in mistakes(source)),
        left_out=tuple(left_out),
        order=math.inf if about.get("order") is None else about["order"],
        needs=tuple(about.get("needs", ())),
        objectives=tuple(about.get("objectives", ())),
        minutes=about.get("minutes"),
        skills=tuple(about.get("skills", {}).items()),
        experiment=experiment,
        license=about.get("license", ""),
        source=about.get("source", ""),
    )
    return topic, findings


def _experiment(read: Source, shared: Shared) -> tuple[Experiment | None, list[Finding]]:
    """The experiment of a topic, if it has one."""
    if not (data := read.data.get("experiment")):
        return None, []
    reader = ItemReader({**data, "id": None}, ("experiment",), read)
    given = _given(data.get("uses", []), reader, shared)
    modules = _modules(f"{_sources(given)} {_written(data)}", shared)
    made, findings = experiments.build(reader, read.data["topic"], given, modules)
    return made, reader.findings + findings


def _setups(head: Source) -> tuple[dict[str, Given], list[Finding]]:
    """The setups that a topic's items may use, by their names."""
    found: dict[str, Given] = {}
    findings = []
    for name, text in head.data.get("setup", {}).items():
        at = head.at(("setup", name))
        if name in BUILT_IN:
            message = f"the setup `{name}` is there already, in every topic"
            findings.append(Finding("bad-field", message, head.at(("setup", name), key=True), "give it another name"))
        found[name] = Given(name, text.rstrip("\n") + "\n", at)
    return found, findings


def mistakes(source: Source) -> list[Mistake]:
    """The mistakes that a file describes."""
    return [
        Mistake(
            source.bank.prefix + name,
            entry["says"].strip(),
            source.at(("mistakes", name), key=True),
            _see(entry, source),
            entry.get("family", ""),
        )
        for name, entry in source.data.get("mistakes", {}).items()
    ]


def _see(data: dict[str, Any], source: Source) -> str:
    """Where to read on; in a bank with a name of its own by the topic's full name."""
    see: str = data.get("see", "")
    return see.replace("lessons/", f"lessons/{source.bank.prefix}", 1) if see.startswith("lessons/") else see


COMMON = frozenset(
    [
        "id",
        "kind",
        "level",
        "skill",
        "stem",
        "modes",
        "params",
        "program",
        "figure",
        "watch",
        "uses",
        "limits",
        "raises",
        "warns",
        "hints",
        "solution",
        "see",
        "torch",
        "wanted",
        "imported",
        "aliases",
        "retired",
        "source",
        "license",
    ]  # what any kind has
)


def _item(data: dict[str, Any], path: KeyPath, source: Source, shared: Shared) -> tuple[Item, list[Finding]]:
    read = ItemReader(data, path, source)
    kind = kinds.named(data["kind"])
    hints, solution, limits = data.get("hints", []), data.get("solution", []), data.get("limits", {})
    given = _given(data.get("uses", []), read, shared)
    setup = _sources(given)
    item = Item(
        id=data["id"],
        topic=source.data["topic"],
        kind=data["kind"],
        level=data.get("level", "medium"),
        skill=data.get("skill", "imported"),
        stem=read.markdown("stem"),
        at=read.at("id"),
        modes=() if data.get("retired") else tuple(data.get("modes", ("practice", "test"))),
        variants=_variants(data, read, setup),
        program=setup + data.get("program", ""),
        program_at=read.at("program") if "program" in data else None,
        given=given,
        modules=_modules(f"{setup} {_written(data)}", shared),
        seconds=limits.get("seconds"),
        memory=limits.get("memory"),
        body=kind.build(read),
        raises=read.verbatim("raises"),
        warns=read.verbatim("warns"),
        watch=_watched(data.get("watch", []), read),
        hints=tuple(read.markdown("hints", index) for index in range(len(hints))),
        solution=tuple(_step(step, index, read) for index, step in enumerate(solution)),
        see=_see(data, source),
        figures=figures.build(read),
        torch=_versions(data, read),
        wanted=read.verbatim("wanted") if data.get("wanted") else None,
        imported="imported" in data,
        aliases=tuple(data.get("aliases", ())),
        retired=data.get("retired", False),
        source=data.get("source", "") or shared.source,
        license=(licensed := data.get("license", "") or shared.license),
        origin=source.bank.origin(licensed),
    )
    for name in sorted(set(data) - COMMON - read.used):
        message = f"the kind `{item.kind}` takes the field `{name}` and does not read it: nothing is proven of it"
        read.report("unproven", message, read.at(name, key=True), "remove it, or fix the kind")
    findings = claims.Findings(item)
    if not read.findings:
        claim_form.check_size(item, findings)
    if not read.findings and not findings.found:
        claim_form.check_place(item, findings)
        claim_form.check_not_typed(item, findings)
        kind.check(item, findings)
    return item, read.findings + findings.found


def _versions(data: dict[str, Any], read: ItemReader) -> str:
    """The versions of PyTorch in which an item holds."""
    said: str = data.get("torch", "")
    if said:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            SpecifierSet(said)
        except InvalidSpecifier:
            message = f"`{template.brief(said)}` says no versions of PyTorch"
            read.report("bad-field", message, read.at("torch"), "write a range, such as `>=2.9,<2.14`")
    return said


def _given(names: Sequence[str], read: ItemReader, shared: Shared) -> tuple[Given, ...]:
    """The setups that an item uses, each once."""
    found: dict[str, Given] = {}
    for index, name in enumerate(names):
        at = read.at("uses", index)
        if name in shared.setups:
            found[name] = shared.setups[name]
        elif name in BUILT_IN:
            found[name] = Given(name, BUILT_IN[name], at)
        else:
            known = [*shared.setups, *BUILT_IN]
            hint = did_you_mean(name, known) or f"the topic's `setup:` and what is built in have {', '.join(known)}"
            read.report("bad-field", f"there is no setup `{name}`", at, hint)
    return tuple(found.values())


def _sources(given: Sequence[Given]) -> str:
    return "".join(one.source for one in given)


def _modules(text: str, shared: Shared) -> tuple[tuple[str, str], ...]:
    """The topic's own module, where a text imports it."""
    return ((HELPERS, shared.helpers),) if shared.helpers and _IMPORTS_HELPERS.search(text) else ()


def _written(data: dict[str, Any]) -> str:
    """All that an item says, its parameters aside."""
    return " ".join(str(value) for name, value in data.items() if name != "params")


def _watched(wanted: list[str], read: ItemReader) -> tuple[str, ...]:
    """The observers that an item asks for, each once: their order says nothing."""
    known = observers.names()
    for place, name in enumerate(wanted):
        if name not in known:
            message = f"there is no observer `{template.brief(name)}`"
            hint = "remove it: the rates are always watched" if name == "rates" else did_you_mean(name, known)
            read.report("bad-field", message, read.at("watch", place), hint or f"the observers are {', '.join(known)}")
    found = tuple(sorted({name for name in wanted if name in known}))
    if said := observers.clash(found):
        read.report("bad-field", f"{said}: they cannot both be on", read.at("watch", key=True), "keep one of them")
    return found


def _step(data: str | dict[str, Any], index: int, read: ItemReader) -> Step:
    if isinstance(data, str):
        return Step(read.markdown("solution", index))
    return Step(read.markdown("solution", index, "say"), read.expression("solution", index, "holds"))


def _variants(data: dict[str, Any], read: ItemReader, setup: str) -> tuple[Variant, ...]:
    """All combinations of the parameters' values, or the variants as they are listed."""
    params = data.get("params") or {}
    rows: list[tuple[tuple[str, Value], ...]]
    at = read.at("params", key=True)
    many = len(params) or 1 if isinstance(params, list) else math.prod(map(len, params.values()))
    if not 1 <= many <= MOST_VARIANTS:
        hint = f"every one is proven: an item may have 1 to {MOST_VARIANTS}"
        said = many if many <= 10**12 else "more than 1,000,000,000,000"
        read.report("bad-field", f"these parameters make {said} variants", at, hint)
        return (Variant(),)
    if isinstance(params, list):
        rows = [tuple(row.items()) for row in params]
        if any(set(row) != set(params[0]) for row in params):
            read.report("bad-field", "the variants have not all the same names", at, "give each one every name")
    else:
        rows = [tuple(zip(params, drawn, strict=True)) for drawn in itertools.product(*params.values())]
    if any(len(repr(row)) > LONGEST_VARIANT for row in rows):
        message = f"the parameters of a variant take more than {LONGEST_VARIANT:,} characters"
        read.report("bad-field", message, at, "compute long values in the program")
        return (Variant(),)
    for name in dict.fromkeys(name for row in rows for name, _ in row):
        if not name.isidentifier() or keyword.iskeyword(name) or name in RESERVED:
            read.report("bad-field", f"`{name}` cannot be a parameter", at, "use a plain Python name")
    if len({repr(row) for row in rows}) < len(rows):
        read.report("bad-field", "two variants have the same numbers", at, "leave one of them out")
    words = set(re.findall(r"\w+", f"{setup} {_written(data)}"))
    for name in dict.fromkeys(name for row in rows for name, _ in row if not read.findings):
        if name not in words:
            read.report("bad-field", f"the parameter `{name}` is used nowhere", at, "remove it, or use it")
    return tuple(Variant(index, row) for index, row in enumerate(rows)) or (Variant(),)
