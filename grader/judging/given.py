"""What stands before an item's program: the shared setups that it uses, and modules that come along with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader.model import Given, Item, Labeled, Limits, Program, Variant

DIGITS = """\
import torch
from sklearn.datasets import load_digits

digits = load_digits()
images = torch.tensor(digits.images / 16, dtype=torch.float32)
labels = torch.tensor(digits.target)
"""
BUILT_IN = {"digits": DIGITS}
"""Setups that every topic has: `digits` gives `images`, (1797, 8, 8) from 0 to 1, and `labels`."""

_READER = """\
import gzip, importlib.util, pathlib, sys, types
import numpy

def load_digits():
    package = pathlib.Path(importlib.util.find_spec("sklearn").origin).parent
    text = gzip.decompress((package / "datasets/data/digits.csv.gz").read_bytes())
    signs = numpy.frombuffer(text, numpy.uint8)  # each number is one or two of them, then a comma or a new line
    ends = numpy.flatnonzero(signs < ord("0"))
    tens = signs[ends - 2].astype(int) - ord("0")
    table = (signs[ends - 1] - ord("0") + 10 * tens * (tens > 0)).reshape(-1, 65)
    data = table[:, :-1].astype(float)
    return types.SimpleNamespace(data=data, images=data.reshape(-1, 8, 8), target=table[:, -1])

def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    del sys.modules["sklearn.datasets"]
    return getattr(importlib.import_module("sklearn.datasets"), name)
"""
"""Reads the same file as scikit-learn does, whose import takes two seconds; all else of that module is its own."""


def program(
    item: Item, source: str, asks: tuple[str, ...], limits: Limits, cases: tuple[str, ...] = (), seed: int | None = 1
) -> Program:
    """A program of an item, with the modules that it imports, in the limits that the item sets."""
    come_along = modules(item.given, item.modules)
    return Program(source, asks, seed, limits_of(item, limits), cases, watch=item.watch, modules=come_along)


def modules(given: Sequence[Given], own: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The modules that come along with a program: the topic's own, and what its setups need."""
    return (*own, ("sklearn.datasets", _READER)) if any(one.name == "digits" for one in given) else own


def limits_of(item: Item, usual: Limits) -> Limits:
    """What a program of an item may use: what the item says, else as usual."""
    seconds = item.seconds or usual.cpu_seconds
    memory = item.memory << 20 if item.memory else usual.memory_bytes
    wall = max(usual.wall_seconds, 2.0 * seconds)
    return replace(usual, cpu_seconds=seconds, memory_bytes=memory, wall_seconds=wall)


def shown(item: Item, variant: Variant) -> tuple[Labeled, ...]:
    """What a learner is shown before the program: it runs when all is copied in this order."""
    modules = [Labeled(f"{name}.py", source.strip("\n"), code=True) for name, source in item.modules]
    texts = [one.source.strip("\n") for one in item.given]
    texts[:1] = [f"{variant.prelude}{text}" for text in texts[:1]]
    setups = [Labeled(one.name.replace("-", " "), text, code=True) for one, text in zip(item.given, texts, strict=True)]
    return (*modules, *setups)
