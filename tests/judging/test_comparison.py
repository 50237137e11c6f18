"""Which values are the same: equal algebra is, a changed entry is not; and where they part is named."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch

from grader.judging import diagnosis
from grader.judging.comparison import RTOL, Compare, difference, equal, half_unit
from grader.model import Value, values
from grader.runner.inside import codec
from grader.runner.inside.values import decode, encode

PAIRS = 500
T = torch.Tensor


def made(value: Any) -> Value:
    """A value as it comes out of a child."""
    return codec._plain(json.loads(json.dumps(encode(value))))


# ---------------------------------------------------------------- what is equal

Way = Callable[[T, T, T], list[T]]
"""A way to compute something: how large its terms and intermediate results are, and last the result."""

IDENTITIES: list[tuple[Way, Way]] = [
    (lambda x, y, z: [x + y, (x + y) + z], lambda x, y, z: [y + z, x + (y + z)]),
    (lambda x, y, z: [y + z, x * (y + z)], lambda x, y, z: [x * y, x * z, x * y + x * z]),
    (lambda x, y, z: [x - y.mean(), (x - y.mean()) / 3], lambda x, y, z: [x / 3, y.mean() / 3, x / 3 - y.mean() / 3]),
    (lambda x, y, z: [x.abs() @ y.abs().T @ z.abs(), (x @ y.T) @ z], lambda x, y, z: [y.T @ z, x @ (y.T @ z)]),
    (lambda x, y, z: [(x * y).sum(1)], lambda x, y, z: [torch.einsum("ij,ij->i", x, y)]),
    (lambda x, y, z: [x.softmax(1)], lambda x, y, z: [x.exp(), x.exp() / x.exp().sum(1, keepdim=True)]),
    (lambda x, y, z: [x.log_softmax(1)], lambda x, y, z: [x.logsumexp(1), x - x.logsumexp(1, keepdim=True)]),
    (lambda x, y, z: [(x * x).sum().sqrt()], lambda x, y, z: [x.norm()]),
    (lambda x, y, z: [x.mean(0)], lambda x, y, z: [x.sum(0), x.sum(0) / x.shape[0]]),
    (lambda x, y, z: [((x - y) ** 2).mean()], lambda x, y, z: [torch.nn.functional.mse_loss(x, y)]),
    (lambda x, y, z: [x.abs() @ y.abs().T, torch.nn.functional.linear(x, y)], lambda x, y, z: [(y @ x.T), (y @ x.T).T]),
    (lambda x, y, z: [torch.sigmoid(x)], lambda x, y, z: [1 / (1 + (-x).exp())]),
    (lambda x, y, z: [x.var(0, correction=0)], lambda x, y, z: [((x - x.mean(0)) ** 2).mean(0)]),
    (lambda x, y, z: [x.cumsum(0)], lambda x, y, z: [torch.stack([x[: k + 1].sum(0) for k in range(len(x))])]),
    (lambda x, y, z: [x / x.std() - x.mean() / x.std()], lambda x, y, z: [(x - x.mean()) / x.std()]),
]


def well_conditioned(ways: tuple[list[T], list[T]]) -> bool:
    """No intermediate is over ten times the result, and the two agree in float64."""
    results = [steps[-1] for steps in ways]
    largest = max(float(result.abs().max()) for result in results)
    fine = all(float(step.abs().max()) <= 10 * largest for steps in ways for step in steps)
    return fine and torch.allclose(results[0], results[1], rtol=1e-9, atol=1e-9 * largest)


def test_equal_algebra_is_equal() -> None:
    torch.manual_seed(0)
    tried = 0
    while tried < PAIRS:
        rows, columns = int(torch.randint(1, 7, ())), int(torch.randint(2, 7, ()))
        scale = 10.0 ** int(torch.randint(-4, 4, ()))
        given = [scale * torch.randn(rows, columns, dtype=torch.float64) for _ in range(3)]
        one, other = IDENTITIES[tried % len(IDENTITIES)]
        if (one is IDENTITIES[5][0] and scale > 10) or not well_conditioned((one(*given), other(*given))):
            tried += scale > 10  # such as softmax of numbers that are far apart
            continue
        tried += 1
        for dtype in (torch.float64, torch.float32):
            cast = [value.to(dtype) for value in given]
            mine, its = made(one(*cast)[-1]), made(other(*cast)[-1])
            assert difference(mine, its) is None, (tried, dtype, mine, its)
            assert difference(its, mine) is None, (tried, dtype)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_four_units_in_the_last_place_are_rounding_in_16_bits(dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    for _ in range(PAIRS):
        scale = 10.0 ** int(torch.randint(-4, 3, ()))
        right = (scale * (torch.rand(int(torch.randint(1, 9, ()))) + 0.1)).to(dtype)
        moved = (right.view(torch.int16) + torch.randint(-4, 5, right.shape, dtype=torch.int16)).view(dtype)
        assert difference(made(moved), made(right)) is None, (moved, right)


def test_nan_and_infinities_are_equal_at_the_same_places() -> None:
    chance = random.Random(2)
    special = [math.nan, math.inf, -math.inf, 0.0, 1.5]
    for _ in range(PAIRS // 5):
        data = [chance.choice(special) for _ in range(6)]
        assert equal(made(torch.tensor(data)), made(torch.tensor(data)))
        assert equal(made(data), made(data))
        place = chance.randrange(6)
        other = [*data]
        other[place] = next(value for value in special if not (value == data[place] or math.isnan(data[place])) or value == 1.5 != data[place])  # fmt: skip
        found = difference(made(torch.tensor(other)), made(torch.tensor(data)))
        assert found
        assert found.places == (place,)


# ---------------------------------------------------------------- what is not


def test_one_entry_one_sign_a_transposition_or_a_dtype_are_told_and_named() -> None:
    torch.manual_seed(3)
    chance = random.Random(3)
    for number in range(PAIRS):
        dtype = chance.choice([torch.float32, torch.float64, torch.int64])
        rows, columns = chance.randint(2, 6), chance.randint(2, 6)
        scale = 10.0 ** chance.randint(-6, 4) if dtype.is_floating_point else 100
        right = (scale * torch.randn(rows, columns)).to(dtype)
        place = chance.randrange(right.numel())
        wrong = right.clone()
        entry = wrong.view(-1)[place].item()
        match number % 4:
            case 0:
                least = 10 * 2 * RTOL.get(str(dtype)[6:], 0) * float(right.abs().max())
                wrong.view(-1)[place] += max(least, 0 if dtype.is_floating_point else 1)
                found = difference(made(wrong), made(right))
                assert found
                assert (found.what, found.places) == ("value", (place,)), (number, wrong, right)
                index = ", ".join(map(str, divmod(place, columns)))
                assert f"[{index}]" in diagnosis.difference(found, "entry", "entry", Compare())
            case 1 if abs(entry) > 1e-3 * scale:
                wrong.view(-1)[place] = -entry
                found = difference(made(wrong), made(right))
                assert found
                assert found.places == (place,)
            case 2:
                found = difference(made(right.T), made(right))
                assert found
                assert found.what == ("value" if rows == columns else "shape")
                said = diagnosis.difference(found, "entry", "entry", Compare())
                assert "transposed" in said or "two dimensions are swapped" in said
            case 3:
                other = torch.float64 if dtype is not torch.float64 else torch.float32
                found = difference(made(right.to(other)), made(right))
                assert found
                assert found.what == "dtype"


@pytest.mark.parametrize("kind", [list, torch.tensor, lambda data: torch.tensor(data, dtype=torch.float64)])
def test_small_values_that_differ_by_a_tenth_are_told_apart(kind: Callable[[list[float]], Any]) -> None:
    right = [1e-6, 2e-6, 3e-6]
    for place in range(3):
        wrong = [value * (1.1 if k == place else 1) for k, value in enumerate(right)]
        found = difference(made(kind(wrong)), made(kind(right)))
        assert found
        assert found.places == (place,)


def test_large_tensors_are_compared_by_digest_sample_and_sums() -> None:
    torch.manual_seed(4)
    right = torch.randn(300, 200)
    assert difference(made(right.clone()), made(right)) is None
    assert difference(made((right * 3) / 3), made(right)) is None
    for wrong in (right.flip(0), right + 1e-2, right * 1.01, right.T.reshape(300, 200)):
        assert difference(made(wrong), made(right)) is not None
    one = right.clone()
    one[123, 45] += 100
    assert difference(made(one), made(right)) is not None
    whole = torch.arange(10_000)
    changed = whole.clone()
    changed[7777] += 1
    assert difference(made(changed), made(whole)) is not None


# ---------------------------------------------------------------- sorts of values


@pytest.mark.parametrize(
    ("yours", "right", "said"),
    [
        ([1.0, 2.0], torch.tensor([1.0, 2.0]), "It is a list; a float32 tensor is needed."),
        (torch.tensor([1.0]).numpy(), torch.tensor([1.0]), "It is a numpy.ndarray (float32); a float32 tensor is needed."),
        (torch.ones(3, 1), torch.ones(3), "a `keepdim=True` or an `unsqueeze` too many?"),
        (torch.ones(3), torch.ones(3, 1), "a dimension of size 1 is missing"),
        (torch.ones(3, 3), torch.ones(3), "a column and a row were broadcast against each other"),
        (torch.ones(6), torch.ones(2, 3), "the entries are as many, in another arrangement"),
        (torch.ones(4, 3), torch.ones(4), "a dimension is left that should be reduced"),
        (torch.ones(2), torch.ones(2, dtype=torch.float64), "The dtype is `float32`; it should be `float64`."),
        (torch.tensor([1, 2, 3.5]) * 0.5, torch.tensor([1, 2, 3.5]), "Each entry is 0.5 times what it should be."),
        (torch.tensor([3.0, 1, 2]), torch.tensor([1.0, 2, 3]), "Each entry stands one place too late."),
        (torch.tensor([3.0, 2, 1]), torch.tensor([1.0, 2, 3]), "It is in the opposite order."),
        (-torch.tensor([3.0, 2, 1]), torch.tensor([3.0, 2, 1]), "Each entry has the wrong sign."),
        (torch.tensor([3.0, 4, 6]), torch.tensor([2.0, 3, 5]), "Each entry is 1 too large."),
        (torch.tensor([2.0, 7, 3, 5]), torch.tensor([7.0, 5, 2, 3]), "The entries are the right ones, in another order."),
        (torch.zeros(3), torch.tensor([1.0, 2, 4]), "All of its entries are 0."),
        (torch.tensor([1.0, 9, 4]), torch.tensor([1.0, 2, 4]), "It differs first at [1], where it is 9. and should be 2.; 1 of 3 entries differ."),
        ({"loss": 1.0}, {"loss": 2.0}, "In `['loss']`: It gives 1; it should be 2."),
        ({"a": torch.ones(2)}, {"b": torch.ones(2)}, "Of its keys `b` is missing, and `a` is too many."),
        ([torch.ones(2), [torch.zeros(2)]], [torch.ones(2), [torch.tensor([0.0, 1])]], "In `[1][0]`: All of its entries are 0."),
        (torch.tensor(True), torch.tensor(1), "The dtype is `bool`; it should be `int64`."),
        (None, torch.ones(1), "It is None; a float32 tensor is needed."),
        ((1, 2), [1, 3], "In step 2 the rate is 2; it should be 3"),
    ],
)  # fmt: skip
def test_what_differs_is_said(yours: Any, right: Any, said: str) -> None:
    found = difference(made(yours), made(right))
    assert found is not None
    assert said in diagnosis.difference(found, "rate", "step", Compare())


@pytest.mark.parametrize(
    ("yours", "right"),
    [
        (torch.tensor([1.0, 2.0]), [1.0, 2.0]),
        (torch.tensor([1.0, 2.0]).numpy(), [1, 2]),
        ((1, 2), [1, 2]),
        (torch.Size([2, 3]), (2, 3)),
        (torch.tensor(2.5), 2.5),
        (torch.tensor(True), True),
        ({"a": 1, "b": [2]}, {"b": (2,), "a": 1}),
    ],
)
def test_numbers_are_numbers_where_no_tensor_is_asked_for(yours: Any, right: Any) -> None:
    assert difference(made(yours), made(right)) is None


@pytest.mark.parametrize(
    "value",
    [
        torch.ones(2, 3), torch.tensor(1.5, requires_grad=True), torch.zeros(0, 3), torch.tensor([1 + 2j]),
        torch.tensor([1, 2], dtype=torch.int8), torch.tensor([1.5], dtype=torch.bfloat16), (1, [2, {"a": {3}}]),
        torch.float32, torch.Size([2]), {1: "a", None: (1.5,)}, 1 + 2j, True, None,
    ],
    ids=str,
)  # fmt: skip
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    again = decode(made(value))
    assert type(again) is type(value)
    if isinstance(value, torch.Tensor):
        assert (again.dtype, again.shape, again.requires_grad) == (value.dtype, value.shape, value.requires_grad)
        assert torch.equal(again, value)
    else:
        assert again == value


@pytest.mark.parametrize(
    "forged",
    [
        {"$tensor": {"shape": [2], "dtype": "float32", "data": [1.0]}},
        {"$tensor": {"shape": [-1], "dtype": "float32", "data": []}},
        {"$tensor": {"shape": [1], "dtype": "fancy", "data": [1.0]}},
        {"$tensor": {"shape": [1], "dtype": "float32", "data": ["x"]}},
        {"$tensor": {"shape": [1], "dtype": "int64", "data": [10**400]}},
        {"$tensor": {"shape": [9999], "dtype": "float32", "sample": [1.0], "digest": "x", "sums": []}},
        {"$tensor": None}, {"$dict": [[1]]}, {"$new": 1}, {"plain": 1}, {"$size": ["a"]}, {"$dtype": "os"}, {},
        {"$object": {"type": 1, "text": ""}}, {"$tensor": {}, "$dict": []},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_value_is_refused(forged: Any) -> None:
    with pytest.raises(ValueError):
        codec._plain(forged)


def test_a_dict_of_a_program_cannot_pass_for_a_tensor() -> None:
    forged = {"$tensor": {"shape": [1], "dtype": "float32", "data": [1.0]}}
    assert values.tensor(made(forged)) is None
    assert not equal(made(forged), made(torch.ones(1)))


def test_no_address_is_told() -> None:
    assert "0x..." in json.dumps(made(object()))
    assert made(lambda: 1) == made(lambda: 1)


@pytest.mark.parametrize(
    ("how", "same"),
    [({}, False), ({"dtype": False}, True), ({"dtype": False, "grad": True}, False)],
)
def test_an_item_says_what_counts(how: dict[str, Any], same: bool) -> None:
    right = torch.ones(2)
    yours = torch.ones(2, dtype=torch.float64, requires_grad=True)
    assert (difference(made(yours), made(right), Compare(**how)) is None) == same


def test_half_a_unit_of_what_is_printed() -> None:
    assert [half_unit(text) for text in ("0.4268", "-1.5e-3", "12", "1e3", "x", "1.")] == [5e-05, 5e-05, 0, 500, 0, 0.5]
