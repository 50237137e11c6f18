"""What a running program is seen to do: the worker's side, standard library and torch only.

Optimizers are watched through PyTorch's own global step hook. Schedulers are watched by wrapping `step` and `__init__`
of their classes, in wrappers that are `unseen`.
"""

from __future__ import annotations

import builtins
import json
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from grader.model import Record
from grader.runner.inside import observers, unseen, values

PROGRAM = "<program>"
"""The file name that programs are compiled under."""

LONGEST_TEXT = 20_000
"""Characters of one message, expression value or exception that are kept."""

_WRAPPERS = """
def watch_step(original, watcher):
    @functools.wraps(original)
    def step(self, *args, **kwargs):
        with watcher.call("step", self, sys._getframe(1)):
            return original(self, *args, **kwargs)
    return step

def watch_init(original, watcher):
    @functools.wraps(original)
    def __init__(self, *args, **kwargs):
        with watcher.call("init", self, sys._getframe(1)):
            return original(self, *args, **kwargs)
    return __init__
"""


def message_of(thing: BaseException | str) -> str:
    """What an exception or warning says, shortened; its own code may fail, or return a text without end."""
    try:
        return str(thing)[:LONGEST_TEXT]
    except BaseException:  # noqa: BLE001  (it is the program's)
        return "(its message cannot be read)"


def rates(optimizer: Any) -> list[float]:
    """The rate of each parameter group, now."""
    return [float(group["lr"]) for group in optimizer.param_groups]


class Watcher:
    """Collects the rates of one program. One of them lives in a process; `reset` starts it afresh."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.used: list[list[float]] = []
        self.after_step: list[list[float]] = []
        self.at_start: list[float] = []
        self._depth = 0

    def before_optimizer_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        self.used.append(rates(optimizer))

    @contextmanager
    def call(self, what: str, scheduler: Any, caller: Any) -> Iterator[None]:
        """Around one call of a scheduler's method: recorded when the program itself made it and it returned."""
        own = self._depth == 0 and caller.f_code.co_filename == PROGRAM
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
        if not own:
            return
        if what == "step":
            self.after_step.append(rates(scheduler.optimizer))
        elif not self.after_step:
            self.at_start = rates(scheduler.optimizer)

    def install(self) -> None:
        """Watch torch's optimizers and schedulers, and the schedulers that programs will define."""
        from torch.optim import lr_scheduler, swa_utils  # noqa: F401  (SWALR is a scheduler too)
        from torch.optim.optimizer import register_optimizer_step_pre_hook

        register_optimizer_step_pre_hook(self.before_optimizer_step)
        names = unseen.compiled(_WRAPPERS)
        methods: dict[str, Callable[[Any, Watcher], Any]] = {
            "step": names["watch_step"],
            "__init__": names["watch_init"],
        }

        def watch(cls: type) -> None:
            for name, wrap in methods.items():
                if name in vars(cls):
                    setattr(cls, name, wrap(vars(cls)[name], self))

        inherited = lr_scheduler.LRScheduler.__init_subclass__

        def watch_subclass(cls: type, **kwargs: Any) -> None:
            inherited(**kwargs)
            watch(cls)

        known, waiting = set(), [lr_scheduler.LRScheduler]
        while waiting:
            cls = waiting.pop()
            if cls not in known:
                known.add(cls)
                waiting += cls.__subclasses__()
                watch(cls)
        lr_scheduler.LRScheduler.__init_subclass__ = classmethod(watch_subclass)  # type: ignore[assignment, arg-type]  # object has one already


class Run:
    """`run`, as the expressions of an item see it: what was observed of the finished program."""

    def __init__(self, seen: dict[str, Any], warnings: list[str], error: str | None, raised: tuple[str, ...]) -> None:
        self.lr_used_by_group: list[list[float]] = seen["lr_used_by_group"]
        self.lr_after_step_by_group: list[list[float]] = seen["lr_after_step_by_group"]
        self.lr_at_start_by_group: list[float] = seen["lr_at_start_by_group"]
        self.lr_used = [row[0] for row in self.lr_used_by_group if row]
        self.lr_after_step = [row[0] for row in self.lr_after_step_by_group if row]
        self.lr_at_start = self.lr_at_start_by_group[0] if self.lr_at_start_by_group else None
        self.stdout: str = seen["stdout"]
        self.lines = self.stdout.splitlines()
        self.losses: list[float] = seen["losses"]
        self.warnings, self.error, self._raised = warnings, error, raised
        self.error_type = raised[0] if raised else None
        """The name of the exception that the program ended with; None where it came to its end."""
        self.seen: dict[str, Any] = {}
        """What is observed by name; see `see`."""
        self._watched: dict[str, list[Record]] = {name: list(records) for name, records in seen["watched"]}

    def __getattr__(self, name: str) -> list[Record]:
        """What an observer has seen that the item asks for: `run.steps`."""
        watched: dict[str, list[Record]] = self.__dict__.get("_watched", {})
        if name in watched:
            return watched[name]
        more = f"; with `watch: [{name}]` there is one" if name in observers.names() else ""
        raise AttributeError(f"there is no `run.{name}`{more}")

    @classmethod
    def watched(
        cls,
        watcher: Watcher,
        stdout: str,
        warned: Sequence[warnings.WarningMessage],
        error: BaseException | None,
        names: dict[str, Any],
        watched: observers.Watched = (),
    ) -> Run:
        """The run that has just ended in this process."""
        seen = {
            "lr_used_by_group": [list(row) for row in watcher.used],
            "lr_after_step_by_group": [list(row) for row in watcher.after_step],
            "lr_at_start_by_group": list(watcher.at_start),
            "stdout": stdout,
            "losses": _numbers(names.get("losses")),
            "watched": watched,
        }
        said = None if error is None else f"{type(error).__name__}: {message_of(error)}"
        raised = () if error is None else tuple(kind.__name__ for kind in type(error).__mro__)
        return cls(seen, [message_of(warning.message) for warning in warned], said, raised)

    @classmethod
    def replayed(cls, seen: dict[str, Any]) -> Run:
        """A run of another process, from its observation as JSON data."""
        error = seen["error"]
        said = f"{error['type']}: {error['message']}" if error else None
        kind = getattr(builtins, error["type"], None) if error else None
        bases = kind.__mro__ if isinstance(kind, type) else (Exception, BaseException)
        known = tuple(base.__name__ for base in bases)
        raised = (error["type"], *known) if error else ()
        watched = observers.read(list(seen["watched"]))
        return cls(seen | {"watched": watched}, [warning["message"] for warning in seen["warnings"]], said, raised)

    def see(self, observed: Sequence[Any]) -> None:
        """Keep what is observed: the item's own, by its names where it has some, and that of its checks."""
        own, named = observed
        self.seen = {**(own if isinstance(own, dict) else {"observe": own}), **named}

    def see_again(self, text: str) -> None:
        """The same of another process, from JSON text."""
        self.see(values.decode(json.loads(text)))

    def warned(self, pattern: str) -> bool:
        """Whether some warning matches the regular expression."""
        return any(re.search(pattern, message) for message in self.warnings)

    def raised(self, kind: str | type = "BaseException") -> bool:
        """Whether the program ended with this exception or a child of it."""
        return (kind if isinstance(kind, str) else kind.__name__) in self._raised


def _numbers(values: Any) -> list[float]:
    """A list of numbers, or an empty one where that is not what was given."""
    try:
        return [float(value) for value in values]
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return []
