"""What a face may ask of the service, by name: methods of `Service`, and functions beside it that take one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

ACTIONS: dict[str, Callable[..., dict[str, Any]]] = {}
"""What a face may ask for. Each takes the service and what the request has, and returns a document."""

Action = TypeVar("Action", bound=Callable[..., dict[str, Any]])


def action(method: Action) -> Action:
    """Let faces ask for this."""
    ACTIONS[method.__name__] = method
    return method
