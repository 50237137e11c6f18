"""The shape of a quiz file: the models of `fields`, their problems in our words and with places, the JSON Schema."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from grader import __version__, kinds, source
from grader.errors import did_you_mean
from grader.model import Finding
from grader.source import Source

MOST_FINDINGS = 50
"""Of one item, and of what is around the items; more do not help."""


@cache
def digest() -> str:
    """A digest of the code that checks a file's shape."""
    here = Path(__file__).parent
    parts = [here / "fields.py", here / "source.py", *sorted((here / "kinds").glob("*.py"))]
    return hashlib.sha256(b"\0".join([__version__.encode(), *(part.read_bytes() for part in parts)])).hexdigest()


def check(read: Source) -> list[Finding]:
    from grader.fields import MOST_ITEMS, TopicFields

    if not isinstance(read.data, dict):
        hint = "start the file with `format: 1`, `topic:`, `title:`, `items:`"
        return [Finding("bad-field", "a quiz is a mapping", read.at(()), hint)]
    findings = _validate(TopicFields, read.data, (), read)
    items = read.data.get("items")
    for index, data in enumerate(items[:MOST_ITEMS] if isinstance(items, list) else []):
        if len(findings) >= MOST_FINDINGS:
            break
        where: source.Path = ("items", index)
        if not isinstance(data, dict):
            continue
        kind = data.get("kind")
        name = data.get("id") if isinstance(data.get("id"), str) else None
        if kind is None:
            message = "the field `kind` is missing"
            hint = f"add one of {', '.join(kinds.names())}"
            findings.append(Finding("bad-field", message, read.at(where), hint, item=name))
        elif kind not in kinds.names():
            message = f"there is no kind `{_brief(kind)}`"
            hint = did_you_mean(str(kind), kinds.names()) or f"the kinds are {', '.join(kinds.names())}"
            findings.append(Finding("unknown-kind", message, read.at((*where, "kind")), hint, item=name))
        else:
            findings += _validate(kinds.get(kind).fields(), data, where, read, name)
    return sorted(findings, key=lambda finding: (finding.at.line, finding.at.column))


def _validate(
    model: Any, data: dict[str, Any], where: source.Path, read: Source, item: str | None = None
) -> list[Finding]:
    """The findings of a pydantic model, in our words and with their places."""
    from pydantic import ValidationError

    try:
        model.model_validate(data)
    except ValidationError as error:
        found: dict[source.Path, Finding] = {}
        for problem in error.errors(include_url=False, include_context=True)[:MOST_FINDINGS]:
            path = _existing((*where, *problem["loc"]), data, where)
            missing = problem["type"] == "missing"
            unknown = problem["type"] == "extra_forbidden"
            message, hint = _explain(problem, model, path)
            at = read.at(path[:-1] if missing else path, key=unknown)
            found.setdefault(path, Finding("bad-field", message, at, hint, item=item))
        return list(found.values())
    return []


def _existing(loc: source.Path, data: Any, where: source.Path) -> source.Path:
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


def _explain(problem: Any, model: Any, path: source.Path) -> tuple[str, str]:
    """A pydantic problem as a message and a next step."""
    field = next((part for part in reversed(path) if isinstance(part, str)), "")
    allowed = sorted({name for shape in _shapes(model) for name in shape.model_fields})
    match problem["type"]:
        case "extra_forbidden":
            return f"there is no field `{_brief(path[-1])}` here", did_you_mean(str(path[-1]), allowed) or "remove it"
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


def schema() -> dict[str, Any]:
    """The JSON Schema of a quiz file, for editors."""
    from pydantic import TypeAdapter

    from grader.fields import TopicFields

    result = TopicFields.model_json_schema()
    definitions = result.setdefault("$defs", {})
    variants = []
    for name in kinds.names():
        shape = TypeAdapter(kinds.get(name).fields()).json_schema()
        definitions |= shape.pop("$defs", {})
        definitions[name] = shape
        variants.append({"$ref": f"#/$defs/{name}"})
    mapping = {name: f"#/$defs/{name}" for name in kinds.names()}
    result["properties"]["items"]["items"] = {
        "oneOf": variants,
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **result}
