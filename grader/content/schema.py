"""The shape of a bank's files: the models of `fields`, their problems in our words and with places, the JSON Schema."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

from grader import __version__, kinds
from grader.content.places import KeyPath, Source, item_name
from grader.errors import did_you_mean
from grader.model import Finding
from grader.runner.inside import observers

ROOMS = ("model", "judging", "kinds", "content")
"""Whose code says what a file may hold, and what is made of it."""

DRAFT = "https://json-schema.org/draft/2020-12/schema"

MOST_FINDINGS = 50
"""Of one item, and of what is around the items; more do not help."""


@cache
def digest() -> str:
    """A digest of the code that checks a file's shape: of ours, and of kinds and observers of other packages."""
    package = Path(__file__).parents[1]
    ours = [package / "template.py", *(path for room in ROOMS for path in sorted((package / room).rglob("*.py")))]
    found = hashlib.sha256(__version__.encode())
    for path in [*ours, *kinds.plugin_files(), *observers.plugin_files()]:
        found.update(f"\0{path.name}\0".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


Shape = Literal["topic", "head", "part", "mistakes", "bank"]
"""What a file holds: a topic, what is said of one, some of its items, shared mistakes, what is said of the bank."""

TAKEN = ("all", "bank", "block", "blocks", "mistakes", "topic", "topics")
"""Words that no topic and no block may be called by: commands and files are."""


def check(read: Source, shape: Shape = "topic") -> list[Finding]:
    """What is wrong with a file's shape; of items that are wrong, `spoiled` says which. Findings of an item name it."""
    from grader.judging.fields import MOST_ITEMS

    model = _model(shape)
    if not isinstance(read.data, dict):
        needed = [f"`{name}:`" for name, field in model.model_fields.items() if field.is_required()]
        hint = f"start the file with {', '.join(needed)}".replace("`format:`", "`format: 1`")
        what = "a quiz" if shape in ("topic", "part") else f"{Path(read.path).name}"
        return [Finding("bad-field", f"{what} is a mapping", read.at(()), hint)]
    findings = _validate(model, read.data, (), read) or _taken(read)
    items = read.data.get("items")
    told = len(read.findings) + len(findings)
    for index, data in enumerate(items[:MOST_ITEMS] if isinstance(items, list) else []):
        if index in read.spoiled or not isinstance(data, dict):
            continue
        if found := _check_item(data, ("items", index), read):
            read.spoiled.add(index)
            findings += found if told < MOST_FINDINGS else []
            told += len(found)
    return sorted(findings, key=lambda finding: (finding.at.line, finding.at.column))


def _model(shape: Shape) -> Any:
    from grader.judging import file_fields

    models = {
        "topic": file_fields.TopicFields, "head": file_fields.HeadFields, "part": file_fields.PartFields,
        "mistakes": file_fields.SharedFields, "bank": file_fields.BankFields,
    }  # fmt: skip
    return models[shape]


def _taken(read: Source) -> list[Finding]:
    """Names of topics and blocks that mean something else, or that are there twice."""
    blocks = [(("blocks", index, "name"), block["name"]) for index, block in enumerate(read.data.get("blocks", ()))]
    named: list[tuple[KeyPath, str]] = [*blocks, *([(("topic",), read.data["topic"])] if "topic" in read.data else [])]
    found, seen = [], set()
    for path, name in named:
        if name in TAKEN:
            message = f"nothing can be called `{name}`: it means something else"
            found.append(Finding("bad-field", message, read.at(path), "take another name"))
        elif name in seen:
            found.append(Finding("duplicate-id", f"there are two blocks `{name}`", read.at(path), "rename one of them"))
        seen.add(name)
    return found


def _check_item(data: dict[str, Any], where: KeyPath, read: Source) -> list[Finding]:
    """What is wrong with the shape of one item."""
    kind, name = data.get("kind"), item_name(data, int(where[-1]))
    if kind is None:
        hint = f"add one of {', '.join(kinds.names())}"
        return [Finding("bad-field", "the field `kind` is missing", read.at(where), hint, item=name)]
    if kind not in kinds.names():
        message = f"there is no kind `{_brief(kind)}`"
        hint = did_you_mean(str(kind), kinds.names()) or f"the kinds are {', '.join(kinds.names())}"
        return [Finding("unknown-kind", message, read.at((*where, "kind")), hint, item=name)]
    model = _model_of(kinds.named(kind).fields)
    return _validate(_relaxed(model) if "imported" in data else model, data, where, read, name)


@cache
def _model_of(fields: Callable[[], Any]) -> Any:
    """The model of a kind's fields, made once: pydantic takes longer for that than to check an item with it."""
    return fields()


@cache
def _relaxed(model: Any) -> Any:
    """The fields of an item that was imported: nobody has said yet what it practices and how it is solved."""
    from pydantic import Field, create_model

    from grader.judging.fields import Slug, StepFields, Template
    from grader.model import Level

    return create_model(
        model.__name__,
        __base__=model,
        level=(Level, "medium"),
        skill=(Slug, "imported"),
        solution=(list[Template | StepFields], Field(default_factory=list, max_length=30)),
    )


def _validate(model: Any, data: dict[str, Any], where: KeyPath, read: Source, item: str | None = None) -> list[Finding]:
    """The findings of a pydantic model, in our words and with their places. Without `item`, `data` is a whole file."""
    from pydantic import ValidationError

    try:
        model.model_validate(data)
    except ValidationError as error:
        found: dict[KeyPath, Finding] = {}
        for problem in error.errors(include_url=False, include_context=True)[:MOST_FINDINGS]:
            path = _existing((*where, *problem["loc"]), data, where)
            missing = problem["type"] == "missing"
            unknown = problem["type"] == "extra_forbidden"
            message, hint = _explain(problem, model, path)
            at = read.at(path[:-1] if missing else path, key=unknown)
            name = item
            if item is None and path[0] == "items" and len(path) > 1:  # an entry that is no mapping
                index = int(path[1])
                read.spoiled.add(index)
                name = item_name(data["items"][index], index)
            found.setdefault(path, Finding("bad-field", message, at, hint, item=name))
        return list(found.values())
    return []


def _existing(loc: KeyPath, data: Any, where: KeyPath) -> KeyPath:
    """A pydantic location without the names of union members: only what leads through the data (and one more)."""
    path, value = where, data
    for part in loc[len(where) :]:
        if isinstance(value, dict) and isinstance(part, str):
            if part not in value:
                if part[:1].islower() and not part.startswith(("function-", "list[", "dict[", "constrained-")):
                    return (*path, part) if part not in ("str", "int", "float", "bool") else path
                continue
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            continue
        path = (*path, part)
    return path


def _explain(problem: Any, model: Any, path: KeyPath) -> tuple[str, str]:
    """A pydantic problem as a message and a next step."""
    field = next((part for part in reversed(path) if isinstance(part, str)), "")
    allowed = sorted({name for shape in _shapes(model) for name in shape.model_fields})
    match problem["type"]:
        case "extra_forbidden":
            cut = not re.match(r"\w", str(path[-1])) and "quote the value before it: in braces a comma ends one"
            elsewhere = str(path[-1]) in allowed  # and not here
            hint = (not elsewhere and did_you_mean(str(path[-1]), allowed)) or cut or "remove it"
            return f"there is no field `{_brief(path[-1])}` here", hint
        case "missing":
            return f"the field `{path[-1]}` is missing", f"add `{path[-1]}:`"
        case "literal_error":
            expected = problem["ctx"]["expected"].replace("'", "`")
            given = str(problem["input"])
            options = [option.strip("` ") for option in expected.replace(" or ", ", ").split(",")]
            return f"`{field}` is `{_brief(given)}`", did_you_mean(given, options) or f"it may be {expected}"
        case "string_pattern_mismatch":
            return f"`{field}` is `{_brief(problem['input'])}`", "use lower-case letters, digits and single hyphens"
        case "string_too_long" | "too_long":
            what = "characters" if problem["type"] == "string_too_long" else "entries"
            return f"`{field}` is too long", f"it may have {problem['ctx']['max_length']:,} {what}"
        case "string_type" if isinstance(problem["input"], dict):
            return (
                f"`{field}` is a mapping here ({_brief(repr(problem['input']))})",
                "put quotes around a text with a colon",
            )
        case _:
            what = problem["msg"].replace("Input should be", "it should be").replace("valid ", "")
            given = _brief(repr(problem["input"]))
            return f"`{field}` is not what it should be ({given})", what[:1].lower() + what[1:]


@cache
def _shapes(model: Any) -> list[Any]:
    """A model and the models of its parts."""
    from pydantic import BaseModel

    found, waiting = [], [model]
    while waiting:
        shape = waiting.pop()
        if isinstance(shape, type) and issubclass(shape, BaseModel):
            if shape not in found:
                found.append(shape)
                waiting += [field.annotation for field in shape.model_fields.values()]
        else:
            waiting += getattr(shape, "__args__", ())
    return found


def _brief(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def schema(shape: Shape = "topic") -> dict[str, Any]:
    """The JSON Schema of a file of this shape, for editors."""
    from pydantic import TypeAdapter

    result = dict(_model(shape).model_json_schema())
    if "items" not in result["properties"]:
        return {"$schema": DRAFT, **result}
    definitions = result.setdefault("$defs", {})
    variants = []
    for name in kinds.names():
        of_kind = TypeAdapter(_model_of(kinds.named(name).fields)).json_schema()
        definitions |= of_kind.pop("$defs", {})
        definitions[name] = of_kind
        variants.append({"$ref": f"#/$defs/{name}"})
    mapping = {name: f"#/$defs/{name}" for name in kinds.names()}
    result["properties"]["items"]["items"] = {
        "oneOf": variants,
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    return {"$schema": DRAFT, **result}
