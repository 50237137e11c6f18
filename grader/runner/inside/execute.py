"""Running one program in this process and describing what it did: the worker's side, like the observers."""

from __future__ import annotations

import ast
import contextlib
import errno
import io
import linecache
import os
import random
import resource
import signal
import sys
import time
import traceback
import types
import warnings
from collections.abc import Collection
from typing import Any

from grader.render.figure_data import figure_of
from grader.runner.inside import observers, values
from grader.runner.inside.helpers import HELPERS
from grader.runner.inside.observers.torch_optim import LONGEST_TEXT, PROGRAM, Run, Watcher, message_of


class Tee(io.TextIOBase):
    """The program's `sys.stdout`: passes text on and keeps it for `run.stdout`."""

    def __init__(self, out: Any) -> None:
        self._out = out
        self._kept: list[str] = []

    encoding = "utf-8"
    errors = "replace"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._kept.append(text)
        self._out.write(text)
        return len(text)

    def flush(self) -> None:
        self._out.flush()

    def fileno(self) -> int:
        return 1

    def text(self) -> str:
        return "".join(self._kept)


NOTHING_SEEN: dict[str, Any] = {
    "lr_at_start_by_group": [],
    "lr_used_by_group": [],
    "lr_after_step_by_group": [],
    "losses": [],
    "warnings": [],
    "error": None,
    "asked": [],
    "seconds": 0.0,
    "peak_bytes": 0,
    "watched": [],
}

UNWATCHED = contextlib.nullcontext()
"""Around a program for which no observer was asked."""


def execute(job: dict[str, Any], watcher: Watcher, out: Any) -> dict[str, Any]:
    """Run a program, once or once for each of its cases, or each of its parts; what was seen, as JSON data."""
    if job["parts"]:
        seen = [execute_part(f"part{number}", part, watcher, out) for number, part in enumerate(job["parts"])]
    elif job["cells"]:
        seen = execute_cells(job, watcher, out)
    elif job["cases"]:
        given = [job | {"source": case + job["source"], "cases": []} for case in job["cases"]]
        seen = [execute_apart(f"case{number}", one, watcher, out) for number, one in enumerate(given)]
    else:
        return execute_once(job, watcher, out)
    return NOTHING_SEEN | {
        "status": next((one["status"] for one in seen if one["status"] not in ("ok", "timeout")), "ok"),
        "seconds": sum(one["seconds"] for one in seen),
        "peak_bytes": max(one["peak_bytes"] for one in seen),
        "cases": seen,
    }


PART_SECONDS = 2.0
"""CPU time of one of several programs in a process, after which the others have their turn."""


class TooSlowError(BaseException):
    """Raised in a part that has used its time; not an Exception, so that few programs catch it."""


def execute_part(folder: str, job: dict[str, Any], watcher: Watcher, out: Any) -> dict[str, Any]:
    """Run one of several programs, as far as it comes in `PART_SECONDS`; where that was not enough, it says so.

    Whoever asked for it must not believe what else is seen of such a part, and may run it alone.
    """
    late = False
    main_before, stdout_before = sys.modules["__main__"], sys.stdout

    def stop(*_: Any) -> None:
        nonlocal late
        late = True
        raise TooSlowError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, PART_SECONDS, 0.5)  # again and again, for programs that catch everything
    try:
        seen = execute_apart(folder, job, watcher, out)
    except TooSlowError:
        seen = NOTHING_SEEN
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        sys.modules["__main__"], sys.stdout = main_before, stdout_before
    return seen | {"status": "timeout"} if late else seen


def execute_apart(folder: str, job: dict[str, Any], watcher: Watcher, out: Any) -> dict[str, Any]:
    """Run one of several programs in a folder of its own: what another one left there is not in the way."""
    home = os.getcwd()
    try:
        os.mkdir(folder)
        os.chdir(folder)
    except OSError:  # the program before has filled the scratch space, or made it so: it then shares the folder
        os.chdir(home)
    try:
        return execute(job, watcher, out)
    finally:
        os.chdir(home)


def execute_once(job: dict[str, Any], watcher: Watcher, out: Any) -> dict[str, Any]:
    """Run a program in a `__main__` of its own, then evaluate the expressions that are asked for."""
    source: str = job["source"]
    error: BaseException | None = None
    compiled = False
    module = types.ModuleType("__main__")
    names = module.__dict__
    main_before, stdout_before = sys.modules["__main__"], sys.stdout
    tee = Tee(out)
    sys.modules["__main__"], sys.stdout = module, tee
    modules_before = {name: sys.modules.get(name) for name, _ in job["modules"]}
    linecache.cache[PROGRAM] = (len(source), None, [line + "\n" for line in source.split("\n")], PROGRAM)
    seed(job["seed"])
    watcher.reset()
    watching = observers.Watching(job["watch"]) if job["watch"] else None
    before, peak_before = time.perf_counter(), peak_bytes(resource.getrusage(resource.RUSAGE_SELF))
    with warnings.catch_warnings(record=True) as warned:
        try:
            code = compile(source, PROGRAM, "exec", dont_inherit=True)
            compiled = True
            with watching or UNWATCHED:
                for name, text in job["modules"]:
                    bring(name, text)
                exec(code, names)
        except BaseException as raised:
            if not isinstance(raised, SystemExit) or raised.code not in (None, 0):
                error = raised
        seconds = time.perf_counter() - before
        peak = max(0, peak_bytes(resource.getrusage(resource.RUSAGE_SELF)) - peak_before)
        watched = watching.watched if watching else ()
        noted = list(warned or ())  # reading the program's names may warn too
        run = Run.watched(watcher, tee.text(), noted, error, names, watched)
        seen = {
            "status": "ok" if error is None else "memory" if out_of_memory(error) else "error",
            "lr_at_start_by_group": run.lr_at_start_by_group,
            "lr_used_by_group": run.lr_used_by_group,
            "lr_after_step_by_group": run.lr_after_step_by_group,
            "losses": run.losses,
            "stdout": run.stdout[:LONGEST_TEXT],
            "warnings": [describe_warning(warning) for warning in noted],
            "error": None
            if error is None
            else describe_error(error, source, modules_before) | {"before_running": not compiled},
            "seconds": seconds,
            "peak_bytes": peak,
            "watched": observers.data(watched) if watched else [],
        }
        scope = {
            **HELPERS,
            "figure_of": figure_of,
            **names,
            "run": Run.replayed(job["replay"]) if job["replay"] else run,
        }
        seen["asked"] = [evaluate(ask, scope) for ask in job["asks"]]
    tee.flush()
    sys.modules["__main__"], sys.stdout = main_before, stdout_before
    for name, before_it in modules_before.items():
        if before_it is None:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = before_it
    return seen


def bring(name: str, source: str) -> None:
    """Make a module that came along with a program, where its imports find it."""
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, f"{name}.py", "exec", dont_inherit=True), module.__dict__)


def execute_cells(job: dict[str, Any], watcher: Watcher, out: Any) -> list[dict[str, Any]]:
    """Run the cells of a notebook in one `__main__`, as far as they go."""
    module = types.ModuleType("__main__")
    main_before, stdout_before = sys.modules["__main__"], sys.stdout
    sys.modules["__main__"] = module
    seed(job["seed"])
    watcher.reset()
    found = []
    for source, may_raise in job["cells"]:
        tee = Tee(out)
        sys.stdout = tee
        linecache.cache[PROGRAM] = (len(source), None, [line + "\n" for line in source.split("\n")], PROGRAM)
        error: BaseException | None = None
        before = time.perf_counter()
        with warnings.catch_warnings(record=True) as warned:
            try:
                run_cell(source, module.__dict__, tee)
            except BaseException as raised:
                error = raised
        found.append(
            NOTHING_SEEN
            | {
                "status": "ok" if error is None else "memory" if out_of_memory(error) else "error",
                "stdout": tee.text()[:LONGEST_TEXT],
                "warnings": [describe_warning(warning) for warning in warned or ()],
                "error": None if error is None else describe_error(error, source),
                "seconds": time.perf_counter() - before,
            }
        )
        if error is not None and not may_raise:
            break
    sys.modules["__main__"], sys.stdout = main_before, stdout_before
    return found


def run_cell(source: str, names: dict[str, Any], out: Any) -> None:
    """Run a cell, and print what its last expression gives, unless that is None or ends with a semicolon."""
    tree = ast.parse(source, PROGRAM)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, PROGRAM, "exec", dont_inherit=True), names)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), PROGRAM, "eval", dont_inherit=True), names)
        if value is not None and not source.rstrip().endswith(";"):
            out.write(f"{value!r}\n")


def seed(value: int | None) -> None:
    """Seed every generator that a program is likely to use; a forked child would else repeat its siblings.

    The CPU's generator alone: `torch.manual_seed` looks for other devices, at the price of 300 page faults.
    """
    if value is None:
        value = int.from_bytes(os.urandom(4))
    sys.modules["torch"].default_generator.manual_seed(value)
    random.seed(value)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(value)


def evaluate(expression: str, scope: dict[str, Any]) -> dict[str, Any]:
    """The plain value of an expression in the program's names, or what it raised."""
    try:
        return {"value": values.encode(eval(compile(f"({expression}\n)", "<expression>", "eval"), scope))}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {message_of(error)}"}


def out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out: Python's own, the system's, or that of torch's CPU allocator."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in message_of(error)


def describe_warning(warning: warnings.WarningMessage) -> dict[str, Any]:
    """A warning with the line of the program that it names."""
    return {
        "category": warning.category.__name__,
        "message": message_of(warning.message),
        "line": warning.lineno if warning.filename == PROGRAM else None,
    }


def describe_error(error: BaseException, source: str, modules: Collection[str] = ()) -> dict[str, Any]:
    """An exception with the last line of the program that it came through, and that of a module which came along."""
    line = None
    if isinstance(error, SyntaxError) and error.filename == PROGRAM:
        line, message = error.lineno, error.msg
    else:
        for frame, number in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename == PROGRAM:
                line = number
        message = message_of(error)
        last = [(f.f_code.co_filename, number) for f, number in traceback.walk_tb(error.__traceback__)][-1:]
        message += "".join(f" (in {file}, line {at})" for file, at in last if file.removesuffix(".py") in modules)
    lines = source.split("\n")
    return {
        "type": type(error).__name__,
        "message": str(message)[:LONGEST_TEXT],
        "line": line,
        "code": lines[line - 1].strip() if line and line <= len(lines) else "",
    }


def resident_bytes() -> int:
    """Memory of this process that is in RAM now, in bytes; 0 where the system does not say."""
    return _memory(1)


def address_space() -> int:
    """The address space of this process, in bytes; 0 where the system does not say."""
    return _memory(0)


def _memory(column: int) -> int:
    """A number of pages from Linux's `statm`, in bytes."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[column]) * resource.getpagesize()
    except OSError:
        return 0


def peak_bytes(usage: resource.struct_rusage) -> int:
    """The most memory that was in RAM, in bytes; systems count it in different units."""
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
