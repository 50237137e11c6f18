"""What the engine's bank showed to be judged wrongly, each with the smallest input that shows it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from grader.content import bank_files
from grader.content.verify import PendingProof
from grader.judging import diagnosis, running_answers
from grader.judging.comparison import USUAL_COMPARE, Compare, Difference, difference
from grader.judging.reading_answers import is_closed, read
from grader.kinds import code, value
from grader.model import (
    ChooseOne,
    Item,
    NumberInput,
    Prompt,
    Response,
    TextInput,
    Unreadable,
    Variant,
)
from grader.runner.local import LocalRunner


def tensor(data: list[Any], shape: tuple[int, ...], dtype: str = "float32") -> Any:
    about = {"shape": list(shape), "dtype": dtype, "device": "cpu", "grad": False}
    return {"$tensor": about | {"data": data}}


def said(yours: Any, right: Any, how: Compare = USUAL_COMPARE) -> str:
    found = difference(yours, right, how)
    assert isinstance(found, Difference)
    return diagnosis.difference(found, "value", "place", how)


# ---------------------------------------------------------------- comparing


def test_a_count_is_right_or_wrong() -> None:
    assert difference(1_049_865, 1_049_866)
    assert difference(1_049_865.0, 1_049_866)
    assert difference([1_049_866], [1_049_866.0]) is None
    assert difference(3.9999999, 4) is None  # what was calculated may be rounded
    assert difference(float(2**53), 2**53 + 1) is None  # no float is nearer
    assert difference(1001, 1000, Compare(0.01)) is None


def test_a_large_count_does_not_blur_what_stands_beside_it() -> None:
    right: Any = {"$dict": [["samples", 60_000], ["loss", tensor([0.01], (1,))]]}
    wrong: Any = {"$dict": [["samples", 60_000], ["loss", tensor([0.02], (1,))]]}
    assert difference(wrong, right)
    assert difference(right, right) is None


# ---------------------------------------------------------------- saying


@pytest.mark.parametrize(
    ("mine", "its", "why"),
    [
        ((2, 3, 1), (2, 1, 3), ": two dimensions are swapped."),
        ((3, 1), (1, 3), ": two dimensions are swapped."),
        ((3, 2, 1), (2, 1, 3), ": the dimensions are in another order."),
        ((2, 1), (2,), ": a `keepdim=True` or an `unsqueeze` too many?"),
        ((2,), (2, 1), ": a dimension of size 1 is missing (`keepdim=True`, `unsqueeze`)."),
    ],
)
def test_a_shape_is_explained(mine: tuple[int, ...], its: tuple[int, ...], why: str) -> None:
    count = [float(number) for number in range(6)]
    told = said(tensor(count[: _many(mine)], mine), tensor(count[: _many(its)], its))
    assert told.endswith(why)


def _many(shape: tuple[int, ...]) -> int:
    product = 1
    for size in shape:
        product *= size
    return product


def test_values_of_two_kinds_are_told_apart() -> None:
    assert said("18", 18) == "It gives a text, 18; it should be an int, 18."
    assert said(True, 1) == "It gives a truth value, True; it should be an int, 1."
    assert said(False, True) == "It gives False; it should be True."
    assert said({"$tuple": [2, 1]}, 2) == "It gives (2, 1); it should be 2."
    assert said([1.0], tensor([1.0], (1,), "int64")) == "It is a list; an int64 tensor is needed."
    assert said(tensor([1.0], ()), tensor([250.0], ())) == "It is 1; it should be 250."


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize("part", ["1) * (2", "2)(3", "1), f(2", "f(1))((", "0] + f[1", "0][1", ":]; g[0"])
def test_a_blank_is_closed_only_by_what_it_opens(part: str) -> None:
    assert not is_closed(part)
    assert is_closed("(1) * (2)")


@pytest.mark.parametrize("part", [":, None", ":", "1:, ::2", "..., None"])
def test_a_blank_takes_indices(part: str) -> None:
    assert is_closed(part)


def test_a_comment_in_a_blank_does_not_take_the_line_with_it() -> None:
    asked = Prompt("i", "fill", "easy", "s", Variant(0, ()), "", "", (TextInput("__1__", python=True),), 0)
    for raw, part in (("2  # two", "2"), ("'#'", "'#'"), ("'#'  # a # b", "'#'"), (":, None  # a column", ":, None")):
        response = read(asked, raw)
        assert isinstance(response, Response)
        assert response.parts == (part,)


def _asked(*inputs: Any) -> Prompt:
    return Prompt("i", "match", "easy", "s", Variant(0, ()), "", "", inputs, 0)


def test_values_are_chosen_with_spaces_between_them() -> None:
    options = ("`bool`", "`float32`")
    asked = _asked(ChooseOne(options, "a"), ChooseOne(options, "b"))
    for raw in ("B A", "ba", "float32 bool", "float32, bool", "torch.float32; torch.bool"):
        response = read(asked, raw)
        assert isinstance(response, Response), raw
        assert response.picked == (1, 0)
    few = read(asked, "float32")
    assert isinstance(few, Unreadable)
    assert "there are 1" in few.why


def test_a_tensor_is_read_as_its_numbers() -> None:
    response = read(_asked(NumberInput("1"), NumberInput("2")), "torch.tensor([0., 3.])")
    assert isinstance(response, Response)
    assert response.numbers == (0.0, 3.0)


@pytest.mark.parametrize(
    ("accepts", "raw", "same"),
    [
        ("shape", "torch.size([2, 3])", "(2, 3)"),
        ("shape", "2\u00d73", "(2, 3)"),
        ("shape", "torch.Size([])", "()"),
        ("dtype", "dtype=torch.float32", "float32"),
        ("dtype", "'float32'", "float32"),
        ("exception", "ValueError()", "ValueError"),
        ("literal", "[true, none]", "[True, None]"),
        ("literal", "['true']", "['true']"),
    ],
)
def test_writings_of_one_value(accepts: str, raw: str, same: str) -> None:
    asked = _asked(TextInput(wanted=value.WANTED[accepts]))
    response = value.read(asked, raw)
    assert isinstance(response, Response)
    assert value._read(accepts, response.parts[0]) == value._read(accepts, same)


@pytest.mark.parametrize("raw", [",", "Size", "torch.", "(", "]["])
def test_a_shape_without_sizes_has_brackets(raw: str) -> None:
    assert isinstance(value.read(_asked(TextInput(wanted=value.WANTED["shape"])), raw), Unreadable)


# ---------------------------------------------------------------- proving and marking

TEXT = """\
format: 1
topic: t
title: T
items:
- id: keys
  kind: choice
  level: easy
  skill: s
  params: {p: [1, 2]}
  stem: Is it one?
  program: x = p
  options:
  - {text: "Yes.", holds: x == 1, key: true, where: p == 1}
  - {text: "No.", holds: x != 1, key: true, where: p == 2}
  - {text: It is text., holds: "isinstance(x, str)"}
  solution: ["{x}"]
- id: fixed
  kind: repair
  level: easy
  skill: s
  stem: Fix it.
  program: |
    import torch

    ...answer...

    result = f(x)
  starter: |
    def f(x):
        x.double()
        return x
  reference: |
    def f(x):
        return x.double()
  cases: {given: [{x: {tensor: [1.5, 2.5]}}]}
  checks:
  - {name: dtype, observe: result.dtype, says: It is not double.}
  - {name: no loop, forbid: "for $X in $Y: $$$", says: It has a loop.}
  mistakes:
  - {mistake: loops, code: "def f(x):\\n    for one in x:\\n        pass\\n    return x.double()\\n"}
  solution: ["{result}"]
mistakes:
  loops: {says: There is a loop.}
"""


def items(text: str) -> dict[str, Item]:
    topic, findings = bank_files.parse(text, "t.yaml")
    assert not findings
    assert topic
    return {item.id: item for item in topic.items}


def test_keys_are_counted_in_each_variant() -> None:
    items(TEXT)
    _, findings = bank_files.parse(TEXT.replace("where: p == 2", "where: p > 0"), "t.yaml")
    assert [finding.message for finding in findings] == ["a choice has one key, this one has 2"]


def test_a_value_that_a_comma_cuts_is_told_so() -> None:
    cut = TEXT.replace("says: There is a loop.}", "says: Loops (of all,)}")
    _, findings = bank_files.parse(cut, "t.yaml")
    assert "quote the value" in findings[0].hint


def test_a_starter_to_be_fixed_fails_a_check_as_a_mistake_does(runner: LocalRunner) -> None:
    item = items(TEXT)["fixed"]
    assert not PendingProof.begin(item, item.variants[0], runner).proof().findings


def test_a_given_tensor_is_shown_as_python() -> None:
    item = items(TEXT)["fixed"]
    prompt = code.prompt(item, item.variants[0], None)
    assert prompt is not None
    assert prompt.inputs[0].cases == ("x = torch.tensor([1.5, 2.5])",)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("answer", "outcome", "mistake", "says", "never"),
    [
        ("def f(x):\n    return 1 / 0\n", "incorrect", None, "ZeroDivisionError", "It is not double."),
        ("def f(x):\n    return x.numpy().astype('float64')\n", "incorrect", None, "It is not double.", "There is a loop."),
        ("def f(x):\n    for _ in x:\n        x = x.double()\n    return x\n", "partly", "loops", "It has a loop.", "?"),
        ("def f(x):\n    return x.double()\n\nx = [1.5]\n", "incorrect", None, "gives `x` another value", "?"),
    ],
)  # fmt: skip
def test_what_is_said_of_an_answer_is_true_of_it(
    answer: str, outcome: str, mistake: str | None, says: str, never: str, runner: LocalRunner
) -> None:
    item = items(TEXT)["fixed"]
    proof = PendingProof.begin(item, item.variants[0], runner).proof()
    score = running_answers.grade(item, proof, Response("", parts=(answer,)), running_answers.Marker(lambda: runner, 1))
    told = " ".join([*score.details, *(one.says for one in score.table if not one.passed)])
    assert (score.outcome.value, score.mistake) == (outcome, mistake), told
    assert says in told
    assert never not in told


@pytest.mark.parametrize("accepts", value.WANTED)
def test_what_is_wanted_is_said_without_an_answer(accepts: str) -> None:
    """No example in it can be copied and be right, but the truth values and None, which are all named."""
    words = value.WANTED[accepts]
    assert not re.search(r"such as (?!a )", words)  # sorts of values are no examples of one
