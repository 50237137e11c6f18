"""`batches`: the order in which a DataLoader takes its samples."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from grader.runner.inside.observers import MOST_PARTS, Kept, Observer, Record, wrapped

_WRAPPER = """
def wrapper(original, taken):
    @functools.wraps(original)
    def _next_index(self):
        index = original(self)
        taken(self, index)
        return index
    return _next_index
"""


@dataclass(frozen=True, slots=True)
class LoadedBatch(Record):
    """One batch that a loader has put together."""

    turn: int
    """Which pass over a loader it belongs to, counted from 0: a second epoch is another one."""
    indices: tuple[int, ...]
    """Which samples of the dataset, in order; none where the dataset has no indices."""


def begin(kept: Kept) -> Callable[[], None]:
    from torch.utils.data import dataloader

    passes: list[Any] = []

    def taken(iterator: Any, index: Any) -> None:
        with suppress(Exception):
            if not any(iterator is known for known in passes):
                passes.append(iterator)
            turn = next(number for number, known in enumerate(passes) if known is iterator)
            entries = index if isinstance(index, (list, tuple)) else [index]
            kept.add(LoadedBatch(turn, tuple(int(entry) for entry in entries[:MOST_PARTS] if entry is not None)))

    return wrapped(vars(dataloader)["_BaseDataLoaderIter"], "_next_index", _WRAPPER, taken)


OBSERVER = Observer(
    record=LoadedBatch,
    says="each batch of a DataLoader: which pass, which samples",
    cost="0.1 ms",
    begin=begin,
    example="""\
import torch
data = torch.utils.data.TensorDataset(torch.arange(5))
for batch in torch.utils.data.DataLoader(data, batch_size=2):
    pass
""",
    shares=("torch.utils.data.dataloader._BaseDataLoaderIter._next_index",),
)
