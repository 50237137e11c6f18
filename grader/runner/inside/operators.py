"""Each operator that torch runs, seen where all of them pass: in a dispatch mode that programs do not notice.

An operator is called again from inside the mode. A warning or an exception of it names the file and the line of the
frame that called it, and a frame of ours would stand between; so the call is made in a frame that has the file, the
line and the globals of the program's own. A profiler would count each operator twice, and `torch.jit.trace` would
record the call: meanwhile the mode is off. The compiler is kept from looking at what is done here.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from grader.runner.inside.unseen import UNSEEN, wrapped

_LISTENERS: list[Callable[[OperatorCall], None]] = []
"""Who is told of each operator, in this process."""

_MODES: list[Any] = []
"""The mode that tells them, while there are any."""

_ENDS: list[Callable[[], None]] = []
"""Take away what notices that a profiler or a trace begins and ends."""

_AROUND = """
def wrapper(original, before, after):
    @functools.wraps(original)
    def around(*args, **kwargs):
        before()
        try:
            return original(*args, **kwargs)
        finally:
            after()
    return around
"""

_FRAMES: dict[tuple[str, int], types.CodeType] = {}
MOST_FRAMES = 10_000


@dataclass(frozen=True, slots=True)
class OperatorCall:
    """One operator that has run, forward or backward."""

    name: str
    """Its name in torch, without the namespace and the overload: `mm`, `add_`, `native_dropout`."""
    operator: Any
    """The `torch._ops.OpOverload` itself: it has `tags` and a `_schema`."""
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    result: Any
    draws: bool
    """It has taken random numbers from a generator of torch."""


def operators(called: Callable[[OperatorCall], None]) -> Callable[[], None]:
    """Have a function told of each operator that the program's own thread runs; what is returned ends that.

    It is called outside of the mode: operators of its own are seen by nobody. What it raises is dropped. Nothing is
    told while a profiler of the program is on, or `torch.jit.trace` traces.
    """
    if not _LISTENERS:
        _begin()
    _LISTENERS.append(called)

    def end() -> None:
        _LISTENERS.remove(called)
        if not _LISTENERS:
            while _ENDS:
                _ENDS.pop()()
            _leave(_MODES.pop())

    return end


def _begin() -> None:
    import torch
    from torch.autograd import profiler

    mode = _mode()
    _MODES.append(mode)
    mode.__enter__()
    away = 0

    def off() -> None:
        nonlocal away
        away += 1
        _leave(mode)

    def on() -> None:  # a trace traces again, to check itself
        nonlocal away
        away = max(0, away - 1)
        if not away:
            _join(mode)

    def nothing() -> None:
        """A profiler is on until it is switched off."""

    _ENDS.append(wrapped(profiler, "_enable_profiler", _AROUND, off, nothing))
    _ENDS.append(wrapped(profiler, "_disable_profiler", _AROUND, nothing, on))
    _ENDS.extend(wrapped(torch.jit, name, _AROUND, off, on) for name in ("trace", "trace_module"))


def _leave(mode: Any) -> None:
    """Take the mode away, from below those of the program."""
    from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

    stack = _get_current_dispatch_mode_stack()
    if mode in stack:
        _below(len(stack) - stack.index(mode) - 1, lambda: mode.__exit__(None, None, None))


def _join(mode: Any) -> None:
    """Put the mode below those of the program."""
    from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

    stack = _get_current_dispatch_mode_stack()
    if mode not in stack:
        _below(len(stack), mode.__enter__)


def _below(count: int, do: Callable[[], object]) -> None:
    """Do something below so many modes of the program."""
    from torch.utils._python_dispatch import _pop_mode, _push_mode

    above = [_pop_mode() for _ in range(count)]
    do()
    for one in reversed(above):
        _push_mode(one)


def _mode() -> Any:
    """A mode that tells all listeners. Its class can be made only where torch has been imported."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    seeded = torch.Tag.nondeterministic_seeded
    compiler: Any = torch._C._dynamo.eval_frame

    def dispatch(self: Any, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = compiler.set_eval_frame(None)
        try:
            return told(operator, args, kwargs or {})
        finally:
            compiler.set_eval_frame(before)

    def told(operator: Any, args: Any, kwargs: Any) -> Any:
        result = _called_from(_caller(), operator, args, kwargs)
        name = operator._schema.name if hasattr(operator, "_schema") else operator.name()
        draws = seeded in getattr(operator, "tags", ())
        call = OperatorCall(name.rpartition("::")[2], operator, args, kwargs, result, draws)
        for listener in _LISTENERS:
            with suppress(Exception):
                listener(call)
        return result

    if hasattr(compiler, "skip_code"):  # as it was called in older versions
        compiler.skip_code(dispatch.__code__)
    else:
        action = compiler._FrameAction
        skipped = compiler._FrameExecStrategy(action.SKIP, action.DEFAULT)
        compiler.set_code_exec_strategy(dispatch.__code__, skipped)
    names = {
        "__torch_dispatch__": dispatch,
        "supports_higher_order_operators": True,
        # torch would else import its compiler when the first operator runs, which takes a second.
        "_should_skip_dynamo": classmethod(lambda _: False),
        # Of no interest to those who ask whether a program has set up a mode.
        "is_infra_mode": classmethod(lambda _: True),
        "ignore_compile_internals": classmethod(lambda _: True),
    }
    return type("_Operators", (TorchDispatchMode,), names)()


def _caller() -> Any:
    """The frame that called the operator."""
    frame: Any = sys._getframe(3)
    while frame.f_back and frame.f_code.co_filename in (UNSEEN, __file__):
        frame = frame.f_back
    return frame


def _call(operator: Any, args: Any, kwargs: Any) -> Any:
    return operator(*args, **kwargs)


def _called_from(frame: Any, operator: Any, args: Any, kwargs: Any) -> Any:
    """Call an operator as if by the line of code that a frame is at."""
    place = frame.f_code.co_filename, frame.f_lineno
    code = _FRAMES.get(place)
    if code is None:
        made = _call.__code__.replace(co_filename=place[0], co_firstlineno=place[1] - 1, co_name=frame.f_code.co_name)
        code = made
        if len(_FRAMES) < MOST_FRAMES:
            _FRAMES[place] = made
    run = getattr(operator, "_op", operator)  # its `__call__` would be another frame
    return types.FunctionType(code, frame.f_globals)(run, args, kwargs)
