"""The knobs of an experiment: the values that each can have, where they stand, and the points that are tried. Pure."""

from __future__ import annotations

import itertools
import keyword
import math
import random
from collections.abc import Iterator, Mapping
from typing import Any

from grader import template
from grader.errors import InputError, did_you_mean
from grader.judging.bodies import Reader
from grader.judging.parameters import NotPlainError, is_true
from grader.model import Experiment, Finding, Inputs, Knob, Value, Variant
from grader.template import show

MOST_VALUES = 200
"""Places of one knob."""

DRAWN = 12
"""So many points are drawn, beside where the knobs start and the corners, to prove an experiment."""

MOST_CORNERS = 32
A_POWER_OF_TEN = 10
"""Places of a logarithmic knob for each power of ten."""

# ---------------------------------------------------------------- from YAML


def build(reader: Reader) -> tuple[Knob, ...]:
    """The knobs of an experiment; one that is malformed may have no values, or start at none of them."""
    return tuple(_knob(reader, name) for name in reader.get("knobs"))


def check(knobs: tuple[Knob, ...]) -> Iterator[Finding]:
    """What is wrong with knobs: their names, their values, and where they are there."""
    sound = True
    for knob in knobs:
        if not knob.name.isidentifier() or keyword.iskeyword(knob.name) or knob.name == "run":
            yield Finding("bad-field", f"`{knob.name}` cannot be a knob", knob.at, "use a plain Python name")
        if not 2 <= len(knob.values) <= MOST_VALUES:
            hint = "give `choices`, or `from`, `to` and `step` such that there are 2 to 200 values"
            yield Finding("bad-field", f"the knob `{knob.name}` has {len(knob.values)} values", knob.at, hint)
            sound = False
        elif knob.start < 0:
            hint = f"such as {show(knob.values[0])} or {show(knob.values[-1])}"
            message = f"`start` of `{knob.name}` is none of the values that it can have"
            yield Finding("bad-field", message, knob.at, hint)
    start = Variant(0, tuple((knob.name, knob.values[knob.start]) for knob in knobs if knob.values))
    for knob in knobs:
        try:
            _ = not sound or knob.where is None or is_true(knob.where, start)
        except NotPlainError as error:
            assert knob.where
            message = f"`where` of `{knob.name}` cannot be decided by the knobs: {error}"
            hint = "compare other knobs with values: `scheduler == 'step'`"
            yield Finding("bad-expression", message, knob.where.at, hint)


def _knob(reader: Reader, name: str) -> Knob:
    where = ("knobs", name)
    choices = reader.get(*where, "choices")
    values = tuple(choices) if choices else _numbers(reader.get(*where))
    given = reader.get(*where, "start")
    start = 0 if given is None else next((place for place, one in enumerate(values) if _same(one, given)), -1)
    label = reader.get(*where, "label", default="") or name.replace("_", " ").capitalize()
    return Knob(
        name, label, values, start, reader.at(*where, key=True), reader.get(*where, "unit", default=""), bool(choices),
        reader.expression(*where, "where"),
    )  # fmt: skip


def _numbers(data: Mapping[str, Any]) -> tuple[Value, ...]:
    """The places of a knob: even steps, or ten for each power of ten, to two digits. Empty where that is no range."""
    low, high = data.get("from"), data.get("to")
    if low is None or high is None or not low < high:
        return ()
    if data.get("scale") == "log":
        if low <= 0:
            return ()
        first, last = (round(A_POWER_OF_TEN * math.log10(end)) for end in (low, high))
        between = [
            float(f"{10 ** (place / A_POWER_OF_TEN):.2g}") for place in range(first, min(last, first + 1000) + 1)
        ]
        return (low, *(value for value in between if low < value < high), high)
    step = data.get("step") or (1 if type(low) is int and type(high) is int else (high - low) / 20)
    if step <= 0 or (high - low) / step > MOST_VALUES:
        return ()
    many = math.floor((high - low) / step + 1e-9) + 1
    if all(type(one) is int for one in (low, high, step)):
        return tuple(low + place * step for place in range(many))
    return tuple(float(f"{low + place * step:.6g}") for place in range(many))


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, bool) or isinstance(other, bool) or isinstance(one, str) or isinstance(other, str):
        return type(one) is type(other) and one == other
    return isinstance(one, int | float) and isinstance(other, int | float) and math.isclose(one, other, rel_tol=1e-9)


# ---------------------------------------------------------------- settings


def read(experiment: Experiment, given: Mapping[str, Any]) -> Inputs:
    """Values for all knobs; one that is not given, or not there, stands where it starts.

    Raises InputError for a name or a value that no knob has.
    """
    knobs = {knob.name: knob for knob in experiment.knobs}
    for name in given:
        if name not in knobs:
            raise InputError(
                f"there is no knob `{name}`", did_you_mean(str(name), knobs) or f"it is {', '.join(knobs)}"
            )
    found = []
    for knob in experiment.knobs:
        value = given.get(knob.name, knob.values[knob.start])
        known = next((one for one in knob.values if _same(one, value)), None)
        if known is None:
            raise InputError(f"`{knob.name}` cannot be {value!r}", f"it is {_range(knob, value)}")
        found.append((knob.name, known))
    return normal(experiment, tuple(found))


def _range(knob: Knob, value: object) -> str:
    """What a knob can be; of many numbers, where they begin and end, and those beside the one that was wanted."""
    shown = [show(one) for one in knob.values]
    if len(shown) <= 8:
        return f"one of {', '.join(shown)}"
    said = f"one of {shown[0]}, {shown[1]}, ..., {shown[-1]}"
    if knob.choice or isinstance(value, bool) or not isinstance(value, int | float):
        return said
    beside = sorted(knob.values, key=lambda one: abs(float(str(one)) - value))[:2]
    return f"{said}; the nearest are {show(min(beside, key=str))} and {show(max(beside, key=str))}"


def there(experiment: Experiment, values: Inputs) -> tuple[str, ...]:
    """The names of the knobs that are there with these values."""
    variant = Variant(0, values)
    return tuple(knob.name for knob in experiment.knobs if _is_there(knob, variant))


def _is_there(knob: Knob, variant: Variant) -> bool:
    """Whether a knob is there; where that cannot be decided (a division by zero), it is."""
    try:
        return knob.where is None or is_true(knob.where, variant)
    except NotPlainError:
        return True


def normal(experiment: Experiment, values: Inputs) -> Inputs:
    """The same, with knobs that are not there where they start: what they say does nothing."""
    shown = there(experiment, values)
    starts = dict(experiment.default)
    return tuple((name, value if name in shown else starts[name]) for name, value in values)


def label(experiment: Experiment, values: Inputs) -> str:
    """Where the knobs stand, in words: `Base rate 0.1, 30 epochs`."""
    shown, given = there(experiment, values), dict(values)
    return ", ".join(_named(knob, given[knob.name]) for knob in experiment.knobs if knob.name in shown)


def _named(knob: Knob, value: Value) -> str:
    counts_itself = knob.unit and knob.label.lower() == template.plural(knob.unit)
    return text(knob, value) if counts_itself else f"{knob.label} {text(knob, value)}"


def text(knob: Knob, value: Value) -> str:
    """A value of a knob as it is shown."""
    if not knob.unit:
        return show(value)
    return f"{show(value)} {knob.unit if value == 1 else template.plural(knob.unit)}"


# ---------------------------------------------------------------- what is tried


def points(experiment: Experiment) -> list[Inputs]:
    """Where an experiment is proven: where it starts, at the corners, each choice, and points that its name draws."""
    draw = random.Random(f"experiment\0{experiment.topic}")  # noqa: S311  (reproducible, no secret)
    drawn = [tuple((knob.name, draw.choice(knob.values)) for knob in experiment.knobs) for _ in range(DRAWN)]
    tried = [experiment.default, *_corners(experiment, draw), *drawn]
    return list(dict.fromkeys(normal(experiment, one) for one in tried))


def _corners(experiment: Experiment, draw: random.Random) -> list[Inputs]:
    """Every knob at its ends, or each choice; of too many, each of these once where that knob is there, then some."""
    ends = [knob.values if knob.choice else (knob.values[0], knob.values[-1]) for knob in experiment.knobs]
    names = [knob.name for knob in experiment.knobs]
    if math.prod(map(len, ends)) <= MOST_CORNERS:
        return [tuple(zip(names, corner, strict=True)) for corner in itertools.product(*ends)]
    chosen = [those if knob.choice else (start,) for knob, those, (_, start) in
              zip(experiment.knobs, ends, experiment.default, strict=True)]  # fmt: skip
    found = [tuple(zip(names, one, strict=True)) for one in itertools.islice(itertools.product(*chosen), MOST_CORNERS)]
    for knob, those in zip(experiment.knobs, ends, strict=True):
        base = next((one for one in found if knob.name in there(experiment, one)), experiment.default)
        found += [tuple((name, end if name == knob.name else value) for name, value in base) for end in those]
    more = max(0, MOST_CORNERS - len(found))
    return found + [
        tuple((name, draw.choice(those)) for name, those in zip(names, ends, strict=True)) for _ in range(more)
    ]
