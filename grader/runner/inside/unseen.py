"""Watching without being noticed: wrappers whose frames no warning counts, and arithmetic that no mode of torch sees.

A wrapper adds a frame to the stack, and PyTorch's warnings name the caller by counting frames; so wrappers are compiled
under a file name that `warnings` skips when it counts (CPython skips import-system frames, by `importlib` and
`_bootstrap` in the name). PyTorch's warnings therefore keep their text, number, file and line.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

UNSEEN = "<grader importlib._bootstrap>"
"""The file name of our wrappers."""


def compiled(source: str) -> dict[str, Any]:
    """The functions that a source defines, under that file name; it may use `functools` and `sys`."""
    names: dict[str, Any] = {"functools": functools, "sys": sys}
    exec(compile(source, UNSEEN, "exec"), names)
    return names


def wrapped(owner: Any, name: str, source: str, *arguments: Any) -> Callable[[], None]:
    """Put a wrapper in place of a function; what is returned puts it back.

    The source defines `wrapper`, which is given the function and these arguments and returns what takes its place.
    """
    original = getattr(owner, name)
    setattr(owner, name, compiled(source)["wrapper"](original, *arguments))
    return functools.partial(setattr, owner, name, original)


@contextmanager
def quiet() -> Iterator[None]:
    """Around arithmetic of our own: it leaves no graph, and no mode that the program has set up sees it."""
    import torch

    with torch._C.DisableTorchFunction(), torch.no_grad():
        if torch._C._len_torch_dispatch_stack():
            from torch.utils._python_dispatch import _disable_current_modes

            with _disable_current_modes():
                yield
        else:
            yield
