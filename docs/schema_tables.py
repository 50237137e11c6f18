"""The JSON Schema of a bank's files as tables, for author/schema.md: `display(fields_of("bank.yaml"))`."""

from __future__ import annotations

from typing import Any

from IPython.display import Markdown

from grader import kinds
from grader.content import schema

EXPRESSION = "A Python expression"
"""How the description of a field that takes an expression begins."""


def fields_of(name: schema.Shape) -> Markdown:
    """What a file may say at its top."""
    return _shown([_table(schema.schema(name))])


def fields_of_every_kind() -> Markdown:
    """The fields that items of all kinds have."""
    return _shown([_table(_kinds()["choice"], _common())])


def fields_of_each_kind() -> Markdown:
    """A table for each kind, of the fields that not all kinds have."""
    common = [*_common(), "kind"]
    own = {name: [one for one in _listed(found) if one not in common] for name, found in _kinds().items()}
    return _shown([_part(f"`{name}`", found, own[name]) for name, found in _kinds().items()])


def parts() -> Markdown:
    """What the tables name: records that stand within an item or a topic."""
    known = _definitions()
    return _shown([_part(_heading(name), known[name]) for name in sorted(known) if name not in kinds.names()])


def _definitions() -> dict[str, Any]:
    found: dict[str, Any] = schema.schema()["$defs"]
    return found


def _kinds() -> dict[str, Any]:
    return {name: _definitions()[name] for name in kinds.names()}


def _listed(found: dict[str, Any]) -> list[str]:
    return list(found.get("properties", {}))


def _common() -> list[str]:
    every = _kinds().values()
    listed = [one for one in _listed(_kinds()["choice"]) if all(one in found["properties"] for found in every)]
    return [one for one in listed if one != "kind"]


def _shown(texts: list[str]) -> Markdown:
    return Markdown("\n\n".join(texts))


def _part(name: str, found: dict[str, Any], only: list[str] | None = None) -> str:
    said = _cell(found.get("description", ""))
    if only == []:
        return f"**{name}.** {said} It has no fields of its own."
    return f"**{name}.** {said}\n\n{_table(found, only)}"


def _heading(name: str) -> str:
    return name.removesuffix("Fields")


def _table(found: dict[str, Any], only: list[str] | None = None) -> str:
    rows = ["| field | takes | |", "|---|---|---|"]
    for name in _listed(found) if only is None else only:
        field = found["properties"][name]
        must = " (required)" if name in found.get("required", ()) else ""
        default = field.get("default")
        unless = "" if default in (None, "", [], {}) else f" Unless given: `{_said(default)}`."
        rows.append(f"| `{name}`{must} | {_cell(_takes(field))} | {_cell(field.get('description', '') + unless)} |")
    return "\n".join(rows)


def _said(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _takes(field: dict[str, Any]) -> str:
    """What a field takes, in words."""
    if field.get("description", "").startswith(EXPRESSION):
        return "an expression"
    match field:
        case {"$ref": where}:
            return f"*{_heading(where.rpartition('/')[2])}*"
        case {"const": value}:
            return f"`{_said(value)}`"
        case {"enum": values}:
            return " or ".join(f"`{_said(value)}`" for value in values)
        case {"anyOf": ways} | {"oneOf": ways}:
            return _either([_takes(way) for way in ways if way not in ({"type": "null"}, {"const": ""})])
        case {"type": "array"}:
            return f"a list: {_takes(field['items'])}" if field.get("items") else "a list"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"names, each with {_takes(values)}"
        case {"type": "object", "patternProperties": dict(patterns)}:
            return f"names, each with {_takes(next(iter(patterns.values())))}"
        case {"type": "string"}:
            return "text"
        case {"type": "integer"} | {"type": "number"}:
            return ("a whole number" if field["type"] == "integer" else "a number") + _range(field)
        case {"type": "boolean"}:
            return "`true` or `false`"
    return "any value"


def _either(ways: list[str]) -> str:
    if "any value" in ways:
        return "any value"
    return " or ".join(dict.fromkeys(way for way in ways if way != "a whole number" or "a number" not in ways))


def _range(field: dict[str, Any]) -> str:
    low, high = field.get("minimum", field.get("exclusiveMinimum")), field.get("maximum")
    if low is not None and high is not None:
        return f", {low} to {high}"
    return "" if low is None else f", at least {low}" if "minimum" in field else f" above {low}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
