"""Short programs of one author, several to a process, and yet each as if it had run alone.

A fork costs several times what most programs do. So they are run one after another in one child, twice: in their order,
and in the opposite order in a second child. What a program leaves behind in the process meets different programs in the
two, and these come out different; and the settings and functions of torch that a program is most likely to change are
compared before and after. Where anything differs, or a batch does not come to a clean end, all of its programs are run
again, each in a process of its own. One that is too slow for a batch is run again alone, and the others are not.

Programs that are the same but for their seed are one pair: one is run in each child.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from threading import Lock

from grader.model import Limits, Observation, Program, Status
from grader.runner.inside.execute import PART_SECONDS

MOST = 24
"""Programs in one batch."""

MOST_SLOW = 10
"""So many of them may each use all the time that a part has."""

SETTINGS = """(lambda torch, now: [
    str(torch.get_default_dtype()), str(torch.get_default_device()), torch.is_grad_enabled(), torch.get_num_threads(),
    torch.are_deterministic_algorithms_enabled(), torch.is_anomaly_enabled(), str(torch._tensor_str.PRINT_OPTS),
    [k for k, (one, other) in enumerate(zip(torch.__dict__.setdefault("_at_first", now), now)) if one is not other],
    len(torch._at_first) == len(now),
])(__import__("torch"), [
    value
    for space in (__builtins__, *(vars(__import__(name, fromlist="x")) for name in (
        "torch.optim", "torch.optim.lr_scheduler", "torch.nn", "torch.nn.functional"
    )))
    for name, thing in list(space.items())
    for value in (thing, *(vars(thing).values() if isinstance(thing, type) else ()))
    if not name.startswith("_")
])"""
"""An expression whose value changes with what programs share in a process.

It keeps what it saw first, and compares by identity: an address alone may be given to another function later.
"""

Submit = Callable[[Program], Future[Observation]]


def submit_all(submit: Submit, programs: Sequence[Program]) -> list[Future[Observation]]:
    """Have programs run in batches. The futures are in their order, each with what the program alone would do."""
    futures: list[Future[Observation]] = [Future() for _ in programs]
    pairs: dict[Program, list[int]] = {}
    for place, program in enumerate(programs):
        pairs.setdefault(dataclasses.replace(program, seed=0), []).append(place)
    by_limits: dict[Limits, list[list[int]]] = {}
    for program, places in pairs.items():
        by_limits.setdefault(program.limits, []).append(places)
    for limits, groups in by_limits.items():
        for start in range(0, len(groups), MOST):
            batch = groups[start : start + MOST]
            _Batch(submit, [[(programs[place], futures[place]) for place in places] for places in batch], limits)
    return futures


Pair = list[tuple[Program, Future[Observation]]]
"""Programs that differ in nothing but their seed, mostly two, and who waits for them."""


class _Batch:
    """Two runs of the same programs in opposite orders, under way."""

    def __init__(self, submit: Submit, pairs: list[Pair], limits: Limits) -> None:
        self._submit, self._pairs, self._lock = submit, pairs, Lock()
        probe = Program("", (SETTINGS,), 0)
        forward = [pair[0][0] for pair in pairs]
        backward = [pair[-1][0] for pair in reversed(pairs)]
        whole = _for_all(limits, len(pairs))
        self._runs = [submit(Program("", (), 0, whole, parts=(probe, *order, probe))) for order in (forward, backward)]
        self._missing = len(self._runs)
        for run in self._runs:
            run.add_done_callback(self._ended)

    def _ended(self, _run: Future[Observation]) -> None:
        with self._lock:
            self._missing -= 1
            if self._missing:
                return
        first, last = (run.result() for run in self._runs)
        both = list(zip(first.cases, reversed(last.cases), strict=False))
        slow = {place for place, pair in enumerate(both[1:-1]) if any(run.status is Status.TIMEOUT for run in pair)}
        alike = all(one.essence == other.essence for k, (one, other) in enumerate(both) if k - 1 not in slow)
        if not (alike and all(len(pair) <= 2 for pair in self._pairs) and _clean(first) and _clean(last)):
            slow = set(range(len(self._pairs)))
        for place, pair in enumerate(self._pairs):
            if place in slow:
                for program, future in pair:
                    self._submit(program).add_done_callback(functools.partial(_pass_on, future))
            else:
                for (_, future), run in zip(pair, both[place + 1], strict=False):
                    future.set_result(run)


def _for_all(limits: Limits, count: int) -> Limits:
    """What a process may use that runs so many programs: `execute_part` bounds what each of them takes."""
    cpu = limits.cpu_seconds + min(count, MOST_SLOW) * math.ceil(PART_SECONDS)
    return dataclasses.replace(limits, cpu_seconds=cpu, wall_seconds=max(limits.wall_seconds, 2.0 * cpu))


def _pass_on(future: Future[Observation], done: Future[Observation]) -> None:
    future.set_result(done.result())


def _clean(run: Observation) -> bool:
    """Whether a batch came to its end, left the settings as they were, and printed just what its programs printed."""
    if run.status not in (Status.OK, Status.ERROR) or not run.cases or run.stderr or run.note:
        return False
    before, after = run.cases[0], run.cases[-1]
    return before.asked == after.asked and not before.asked[0].error and "".join(_printed(run)) == run.stdout


def _printed(run: Observation) -> Iterator[str]:
    for case in run.cases:
        yield from _printed(case) if case.cases else (case.stdout,)
