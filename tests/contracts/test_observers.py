"""Every observer that is installed keeps what `Observer` promises: it sees something, and nothing sees it."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import types
import typing

import pytest

from grader.model import Limits, Observation, Program, Record, Status
from grader.runner.inside import observers
from grader.runner.local import LocalRunner
from tests.support.common import ROOT
from tests.support.running import run_all

STATE = (
    "torch.get_rng_state().sum().item()",
    "torch.get_rng_state()",
    "__import__('random').getstate()[1][:5]",
    "__import__('sys').modules.get('numpy') and __import__('numpy').random.get_state()[1][:5]",
    "torch.is_grad_enabled()",
)
"""What a program leaves behind that another could notice."""


PATIENT = Limits(cpu_seconds=600, waiting_seconds=600.0, wall_seconds=2400.0)
"""Compiling takes as long as it takes."""


@pytest.mark.parametrize("name", observers.names())
def test_its_records_are_frozen_and_each_field_is_described(name: str) -> None:
    observer = observers.named(name)
    assert name.isidentifier()
    assert name.islower()
    assert issubclass(observer.record, Record)
    assert observer.record.__dataclass_params__.frozen
    assert (observer.record.__doc__ or "").strip()
    assert not (observer.record.__doc__ or "").startswith(f"{observer.record.__name__}(")
    tree = ast.parse(inspect.getsource(observer.record)).body[0]
    assert isinstance(tree, ast.ClassDef)
    for field, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign):
            described = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            assert described, ast.unparse(field)
    for hint in typing.get_type_hints(observer.record).values():
        assert all(leaf in (int, float, str, bool, type(None)) for leaf in leaves(hint)), hint


def leaves(hint: object) -> list[object]:
    if typing.get_origin(hint) in (tuple, types.UnionType):
        return [leaf for part in typing.get_args(hint) if part is not ... for leaf in leaves(part)]
    return [hint]


@pytest.mark.parametrize("name", observers.names())
def test_it_says_what_it_lists_costs_and_touches(name: str) -> None:
    observer = observers.named(name)
    assert observer.says
    assert re.search(r"\d.* ms", observer.cost)
    assert all(thing.startswith("torch.") for thing in (*observer.patches, *observer.shares))
    assert name in observers.SEAM.built_in() or name in observers.usable(), "an observer is one file"


@pytest.mark.parametrize("name", observers.names())
def test_it_sees_something_of_its_example(name: str, runner: LocalRunner) -> None:
    seen = runner.submit(Program(observers.named(name).example, (f"len(run.{name})",), 0, watch=(name,))).result()
    assert seen.status is Status.OK, (seen.error, seen.stderr)
    assert seen.watched[0][1]
    assert seen.asked[0].value == len(seen.watched[0][1])


def programs() -> dict[str, str]:
    from ruamel.yaml import YAML

    found = YAML(typ="safe").load((ROOT / "tests/data/misconceptions.yaml").read_text())
    assert len(found) == 221
    examples = {f"example of {name}": observers.named(name).example for name in observers.names()}
    return {**{str(name): str(source) for name, source in found.items()}, **examples}


def ways() -> list[tuple[str, ...]]:
    """No observer, each one, and all that can be on together."""
    together: tuple[str, ...] = ()
    for name in observers.names():
        if not observers.clash((*together, name)):
            together = (*together, name)
    assert set(observers.SEAM.built_in()) <= set(together)
    return [(), *((name,) for name in observers.names()), together]


@pytest.mark.long
def test_no_program_notices_an_observer(runner: LocalRunner) -> None:
    """Of 221 programs: the same output, warnings, errors and random state afterwards, with each and with all of them.

    Where two runs without any differ in a field (a program prints an address, or a time), that field says nothing.
    """
    sources = programs()
    every = [(), *ways()]  # twice without
    asked = [(name, watch) for name in sources for watch in every]
    runs = run_all(runner, [Program(sources[name], STATE, 3, PATIENT, watch=watch) for name, watch in asked])
    by_name: dict[str, list[Observation]] = {name: [] for name in sources}
    for (name, _), seen in zip(asked, runs, strict=True):
        by_name[name].append(seen)
    differing, chance = [], set()
    for name, (plain, again, *watched) in by_name.items():
        for watch, seen in zip(every[2:], watched, strict=True):
            for what, value in told(plain).items():
                if value != told(again)[what]:
                    chance.add((name, what))
                elif told(seen)[what] != value:
                    differing.append((name, watch, what, value, told(seen)[what]))
            assert seen.status in (Status.TIMEOUT, Status.KILLED) or tuple(on for on, _ in seen.watched) == watch
    assert not differing, "\n".join(map(str, differing))
    assert len(chance) < 8, chance


def told(seen: Observation) -> dict[str, object]:
    """What of a run must stay as it is."""
    error = None if seen.error is None else dataclasses.astuple(seen.error)
    return {
        "status": seen.status, "stdout": seen.stdout, "stderr": seen.stderr, "warnings": seen.warnings, "error": error,
        "state": repr(seen.asked), "losses": repr(seen.losses),
    }  # fmt: skip
