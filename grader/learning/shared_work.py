"""What all sittings of a process share: one runner, proofs that are under way or done, answers that were judged.

All of it may be forgotten at any time; what counts is on record.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from grader.learning.question import AwaitedProof, FollowUp, Question
from grader.model import Item, Proof, Result, Variant
from grader.runner import Runner

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Backend:
    """What runs behind the sittings of a process."""

    begin: Callable[[Item, Variant], AwaitedProof]
    """Starts the runs that prove a variant."""
    runner: Callable[[], Runner]
    """Where answers are run."""
    recall: Callable[[], Runner] | None = None
    """Where references are run: one that remembers what they did with the same inputs."""


class Recent(Generic[Value]):
    """The values that were asked for last, by their keys."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, key: Hashable) -> Value | None:
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def put(self, key: Hashable, value: Value) -> Value:
        """Keep a value, unless there is one by now; the one that is kept."""
        with self._lock:
            kept = self._values.setdefault(key, value)
            while len(self._values) > self._most:
                self._values.popitem(last=False)
            return kept

    def drop(self, key: Hashable) -> None:
        with self._lock:
            self._values.pop(key, None)


class SharedProof:
    """A proof that several questions wait for, in any thread."""

    def __init__(self, pending: AwaitedProof) -> None:
        self._pending: AwaitedProof | None = pending
        self._proof: Proof | None = None
        self._lock = threading.Lock()

    def done(self) -> bool:
        """See `AwaitedProof`."""
        pending = self._pending
        return pending is None or pending.done()

    def proof(self) -> Proof:
        """See `AwaitedProof`."""
        with self._lock:
            if self._pending is not None:
                self._proof, self._pending = self._pending.proof(), None
            assert self._proof is not None
            return self._proof

    @property
    def failed(self) -> bool:
        """It has ended, and something does not hold, or could not be run."""
        return self._proof is not None and bool(self._proof.errors)


class Proofs:
    """The proofs of variants, each begun once; one that failed is begun again for the next who asks."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._kept: Recent[SharedProof] = Recent(512)

    def of(self, item: Item, variant: Variant) -> SharedProof:
        """The proof of a variant, begun now if it is not yet."""
        key = item.id, variant.index
        known = self._kept.get(key)
        if known is not None and not known.failed:
            return known
        self._kept.drop(key)
        return self._kept.put(key, SharedProof(self._backend.begin(item, variant)))


@dataclass(slots=True)
class Judged:
    """An answer that was judged here, by the question that can ask about it."""

    question: Question
    result: Result
    _about: FollowUp | None = field(default=None)
    _asked: bool = field(default=False)

    def follow_up(self) -> FollowUp | None:
        """The question about the learner's own code, made once; None where there is none."""
        if not self._asked:
            self._about, self._asked = self.question.follow_up(), True
        return self._about
