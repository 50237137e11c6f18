"""Programs, and what is observed of a run. The worker imports this too: standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]
"""What a program may send out: plain JSON data (NaN and infinities allowed)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use; beyond it the program is stopped and its status says why.

    How busy the machine is decides nothing: a program ends by the CPU time that it used, or since it was waiting and
    went nowhere. One that got no core for most of `wall_seconds` was not run.
    """

    cpu_seconds: int = 8
    waiting_seconds: float = 6.0
    """How long it may do nothing but wait (in a sleep, at a lock)."""
    wall_seconds: float = 60.0
    """How long it may take at all: at least twice `cpu_seconds`."""
    memory_bytes: int = 1 << 30
    """Address space on top of what an idle worker has, in bytes."""
    output_bytes: int = 1 << 20
    """Standard output and standard error together, in bytes."""


@dataclass(frozen=True, slots=True)
class Program:
    """Python source to run, and expressions to evaluate in its names once it has ended."""

    source: str
    asks: tuple[str, ...] = ()
    seed: int | None = None
    """Seeds torch, numpy and random before the program; None leaves them to chance."""
    limits: Limits = Limits()
    cases: tuple[str, ...] = ()
    """Where there are any, the source is run once for each, with the case (assignments) put before it, in a fresh
    namespace of the same process; the observation has one of its own for each."""
    cells: tuple[tuple[str, bool], ...] = ()
    """Where there are any, they are run in order in one namespace, in place of the source, and the observation has one
    of its own for each; what a cell's last expression gives is printed as a notebook does. The flag says that a cell
    may raise; after one that may not and does, the rest is not run."""
    parts: tuple[Program, ...] = ()
    """Where there are any, they are run in place of the source, each as if by itself (seed, namespace, folder) but in
    one process; the observation has one of its own for each. Their limits are those of the whole."""
    modules: tuple[tuple[str, str], ...] = ()
    """Names and sources of modules that it can import, beside those that are installed; each run has its own."""
    replay: Observation | None = None
    """Where given, `run` in the expressions is this observation, made elsewhere, and no longer the program's own."""
    watch: tuple[str, ...] = ()
    """Observers that are on while it runs, by name: see `grader.runner.inside.observers`."""


class Status(StrEnum):
    """How a program ended. Only `NOT_RUN` is our doing, never the program's."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT = "output"
    KILLED = "killed"
    NOT_RUN = "not-run"


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning as Python would have shown it; `line` is the program's own, or None."""

    category: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception that left the program; `line` and `code` are the program's own."""

    type: str
    message: str
    line: int | None = None
    code: str = ""
    before_running: bool = False
    """It is no Python: nothing of the program ran."""

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


@dataclass(frozen=True, slots=True)
class Asked:
    """The value of an expression, or why it has none."""

    value: Value = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that an observer saw. Each observer derives its own; their fields are numbers, texts and tuples."""


Rates = tuple[tuple[float, ...], ...]
"""One row a step, one rate a parameter group."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of one run of a program."""

    status: Status
    lr_at_start_by_group: tuple[float, ...] = ()
    """Rates right after the last scheduler was built; empty where no scheduler was."""
    lr_used_by_group: Rates = ()
    """Rates in effect at each `optimizer.step()`."""
    lr_after_step_by_group: Rates = ()
    """Rates after each `scheduler.step()` that the program itself called."""
    losses: tuple[float, ...] = ()
    stdout: str = ""
    stderr: str = ""
    warnings: tuple[Warned, ...] = ()
    error: Raised | None = None
    asked: tuple[Asked, ...] = ()
    seconds: float = 0.0
    peak_bytes: int = 0
    """Memory above that of an idle worker, in bytes, as the kernel counts it."""
    note: str = ""
    """What we have to say of the run: why it was stopped, or that it was run twice."""
    cases: tuple[Observation, ...] = ()
    """One for each of the program's cases, cells or parts, where it came to its end."""
    watched: tuple[tuple[str, tuple[Record, ...]], ...] = ()
    """What each observer saw that the program asked for, in order."""

    @property
    def lr_used(self) -> tuple[float, ...]:
        return tuple(row[0] for row in self.lr_used_by_group if row)

    @property
    def lr_after_step(self) -> tuple[float, ...]:
        return tuple(row[0] for row in self.lr_after_step_by_group if row)

    @property
    def essence(self) -> str:
        """All that a claim can rest on, as text (so that NaN equals itself): equal for two runs that did the same."""
        rates = (self.lr_at_start_by_group, self.lr_used_by_group, self.lr_after_step_by_group, self.losses)
        cases = [case.essence for case in self.cases]
        return repr((self.status, rates, self.stdout, self.warnings, self.error, self.asked, cases, self.watched))

    @property
    def lr_at_start(self) -> float | None:
        return self.lr_at_start_by_group[0] if self.lr_at_start_by_group else None
