"""JSON read back as frozen dataclasses, by pydantic: each field by its type, and no field that nobody knows."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Data = TypeVar("Data")

CLOSED = {"extra": "forbid"}
"""The `__pydantic_config__` of a dataclass that takes no other fields."""


def read(kind: type[Data], data: object) -> Data:
    """JSON data as a dataclass; types are not changed, but for a list that is to be a tuple and 1 that is to be 1.0.

    Raises ValueError, which names the field in a line.
    """
    from pydantic import ValidationError

    try:
        return cast("Data", _adapter(cast("Any", kind)).validate_json(json.dumps(data), strict=True))
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, problem["loc"]))
        message = f"{problem['msg'][:1].lower()}{problem['msg'][1:]}"
        raise ValueError(f"`{place}`: {message}" if place else message) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
