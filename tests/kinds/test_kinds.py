"""Every kind keeps the same promises, shown on an item of each kind; `make test-long` shows it on all items."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import kinds
from grader.content.verify import Report, prove_all
from grader.errors import InputError
from grader.judging import reading_answers
from grader.judging.running_answers import Marker
from grader.model import (
    Bank,
    ChooseMany,
    ChooseOne,
    CodeInput,
    Input,
    Item,
    NumberInput,
    OrderInput,
    Outcome,
    Prompt,
    Proof,
    Response,
    TextInput,
    Unreadable,
    Variant,
)
from grader.model.values import flat
from grader.runner import Runner
from grader.runner.local import LocalRunner
from tests.contracts.kind import hold
from tests.support.items import exercise


@pytest.fixture(scope="module")
def marker(runner: LocalRunner) -> Marker:
    return Marker(lambda: runner, seed=7)


@pytest.fixture(scope="module", params=["of each kind", pytest.param("all", marks=pytest.mark.long)])
def proofs(
    request: pytest.FixtureRequest, bank: Bank, remembering: Runner, proven: Report
) -> list[tuple[Item, list[Proof]]]:
    some = {item.kind: item for item in bank.items}
    partly = next(item for item in bank.items if item.id == "changes-when-built")
    more = bank.items if request.param == "all" else ()
    return list(prove_all({item.id: item for item in (*some.values(), partly, *more)}.values(), remembering))


def test_every_kind_occurs_in_the_bank(bank: Bank) -> None:
    assert {item.kind for item in bank.items} == set(kinds.names())


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        kinds.named("chioce")
    assert "did you mean `choice`?" in caught.value.hint
    with pytest.raises(InputError) as caught:
        kinds.named("essay")
    assert "choice, code, fill, match, multi, number, order, repair, sequence, value" in caught.value.hint


def test_every_variant_keeps_the_promises_of_its_kind(proofs: list[tuple[Item, list[Proof]]], marker: Marker) -> None:
    for item, variants in proofs:
        for proof in variants:
            hold(item, proof, marker)


def test_a_hostile_answer_is_wrong_and_says_what_became_of_it(
    proofs: list[tuple[Item, list[Proof]]], marker: Marker
) -> None:
    tried = set()
    for item, variants in proofs:
        kind = kinds.of(item)
        hostile = kind.samples(item, variants[0]).get("hostile")
        if hostile is None:
            continue
        prompt = kind.prompt(item, variants[0].variant, variants[0])
        assert prompt is not None
        response = kind.read(prompt, hostile)
        assert isinstance(response, Response)
        score = kind.grade(item, variants[0], response, marker)
        assert (score.outcome, score.points) == (Outcome.INCORRECT, 0.0), (item.id, hostile, score.feedback)
        if "ended its own process" in score.feedback:  # not where the blank is inside of quotes
            tried.add(item.kind)
    assert tried == {"fill", "code", "repair"}


def test_a_prompt_holds_no_key(proofs: list[tuple[Item, list[Proof]]]) -> None:
    """The prompt is the same whichever option is the key, and has no field that tells."""
    assert set(Prompt.__slots__) == {
        "item", "kind", "level", "skill", "variant", "stem", "program", "inputs", "hints", "reveals", "figures", "given",
        "origin",
    }  # fmt: skip
    for choose in (ChooseOne, ChooseMany):
        assert {field.name for field in dataclasses.fields(choose)} == {"options", "label", "code", "last"}
    assert set(NumberInput.__slots__) == {"label", "unit", "cell"}
    assert set(TextInput.__slots__) == {"label", "python", "wanted"}
    assert set(OrderInput.__slots__) == {"lines", "label"}
    assert set(CodeInput.__slots__) == {"starter", "cases", "label", "broken", "others"}
    for item, variants in proofs:
        for proof in variants:
            prompt = kinds.of(item).prompt(item, proof.variant, proof)
            assert prompt is not None
            first = prompt.inputs[0]
            if isinstance(first, NumberInput) and not first.label:
                shown = f"{prompt.stem} {prompt.program}".split()
                assert str(proof.answer) not in shown or str(proof.answer) in str(proof.variant.values)
            if isinstance(first, OrderInput):
                assert first.lines != exercise(item).reference
            if isinstance(first, CodeInput):
                assert exercise(item).reference[0] not in f"{prompt.program}{first.starter}"


def test_many_questions_are_shown_before_they_are_proven(bank: Bank) -> None:
    early = [kinds.of(item).prompt(item, variant, None) for item in bank.items for variant in item.variants]
    assert sum(prompt is not None for prompt in early) > 50


def test_each_wrong_answer_gets_its_own_feedback(
    proofs: list[tuple[Item, list[Proof]]], bank: Bank, marker: Marker
) -> None:
    for item, variants in proofs:
        kind, proof = kinds.of(item), variants[0]
        for place, option in enumerate(proof.options):
            if option.key:
                continue
            number = float(str(option.value)) if item.kind == "number" else None
            numbers = tuple(flat(option.value)) if isinstance(option.value, list) else ()
            typed = (option.shown,) if item.kind == "value" else ()
            parts = exercise(item).wrong[place].parts if exercise(item) else typed
            score = kind.grade(item, proof, Response("", (place,), number, numbers, parts), marker)
            assert score.mistake == option.mistake, (item.id, option.shown)
            assert score.mistake in bank.mistakes


# ---------------------------------------------------------------- reading answers

OPTIONS = ("0.06", "`LambdaLR`", "It raises the rate.", "0.1")


def asking(*inputs: Input) -> Prompt:
    return Prompt("i", "k", "easy", "s", Variant(), "", "", inputs, 0)


ONE, MANY = asking(ChooseOne(OPTIONS)), asking(ChooseMany(OPTIONS))


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ("A", 0), ("a", 0), (" b ", 1), ("C)", 2), ("(d)", 3), ("d.", 3), ("0.06", 0), ("6e-2", 0), (".06", 0), ("0.1000", 3),
        ("LambdaLR", 1), ("lambdalr", 1), ("`LambdaLR`", 1), ("it raises  the rate", 2), ("It raises the rate.", 2),
    ],
)  # fmt: skip
def test_one_option_is_read(raw: str, place: int) -> None:
    assert reading_answers.read(ONE, raw) == Response(raw, (place,))


@pytest.mark.parametrize("raw", ["", " ", "E", "AB", "0.07", "nan", "A B", "1e999", "\x00", "💥", "a" * 10_000])
def test_what_is_no_option_is_unreadable(raw: str) -> None:
    assert isinstance(reading_answers.read(ONE, raw), Unreadable)


@pytest.mark.parametrize(
    ("raw", "places"),
    [
        ("A", (0,)), ("a c", (0, 2)), ("AC", (0, 2)), ("A, C", (0, 2)), ("C,A,A", (0, 2)), ("a and d", (0, 3)),
        ("0.06, 0.1", (0, 3)), ("LambdaLR; It raises the rate.", (1, 2)),
    ],
)  # fmt: skip
def test_several_options_are_read(raw: str, places: tuple[int, ...]) -> None:
    assert reading_answers.read(MANY, raw) == Response(raw, places)


@pytest.mark.parametrize("raw", ["", ",", "A, E", "A, 0.07", "none"])
def test_what_is_not_all_options_is_unreadable(raw: str) -> None:
    assert isinstance(reading_answers.read(MANY, raw), Unreadable)


@given(st.text(max_size=20))
def test_any_text_is_an_option_or_unreadable(raw: str) -> None:
    for prompt in (ONE, MANY):
        found = reading_answers.read(prompt, raw)
        assert isinstance(found, Unreadable) or set(found.picked) <= {0, 1, 2, 3}


NUMBER = kinds.named("number")
NUMBER_PROMPT = asking(NumberInput())


@pytest.mark.parametrize("raw", ["0.06", " .06 ", "6e-2", "+0.06", "-1", "3.", "1E5", "٣"])
def test_numbers_are_read(raw: str) -> None:
    assert NUMBER.read(NUMBER_PROMPT, raw) == Response(raw, number=float(raw))


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("6/100", 0.06), ("0.1*0.6", 0.06), ("6%", 0.06), ("6 %", 0.06), ("1e-3", 0.001), ("1/3", 1 / 3),
        ("0.1 + 0.2", 0.3), ("-(1 - 1/4)", -0.75), ("2/50%", 4.0), ("(1/2)%", 0.005), ("1e300*1e300/1e300", 1e300),
        ("+1e2", 100.0), ("--1", 1.0), ("1/1e-320*1e-320", 1.0), ("3*1e-400", 0.0),
    ],
)  # fmt: skip
def test_numbers_are_read_as_fractions_products_and_percent(raw: str, number: float) -> None:
    """Exactly, and rounded once: 0.1 + 0.2 is 0.3."""
    assert NUMBER.read(NUMBER_PROMPT, raw) == Response(raw, number=number)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("1/0", "it divides by zero"), ("1/(2-2)", "it divides by zero"), ("1e999", "the number is too large"),
        ("1e308*1e308", "the number is too large"), ("9e999/2", "the number is too large"),
        ("0,06", "write the decimal point as `.`"),
        ("+".join(["1"] * 60), "a number may be calculated in 80 characters at most"),
        *((raw, "answer with a number, such as 0.05 or 5e-2") for raw in (
            "", "abc", "nan", "inf", "1_000", "0x10", "True", "1 2", "2**10", "7//2", "5%3", "50%%", "%", "6%e", "1j",
            "(1", "1)", "()", "pi", "1e", "e5", "1.e", "max(1,2)", "1if 1else 2", "PERCENT", "*" * 80, "(" * 79 + "1",
        )),
    ],
)  # fmt: skip
def test_what_is_no_number_is_unreadable(raw: str, why: str) -> None:
    assert NUMBER.read(NUMBER_PROMPT, raw) == Unreadable(raw, why)


@settings(max_examples=500)
@given(st.text("0123456789.eE+-*/()% ", max_size=90))
def test_whatever_is_typed_is_a_number_or_not_and_takes_no_time(raw: str) -> None:
    started = time.process_time()
    read = NUMBER.read(NUMBER_PROMPT, raw)
    assert time.process_time() - started < 1
    assert isinstance(read, Unreadable) or (isinstance(read.number, float) and math.isfinite(read.number))


def test_the_longest_calculations_take_no_time() -> None:
    started = time.process_time()
    for raw in (
        "*".join(["9e99"] * 16),
        "/".join(["7e-99"] * 13),
        "1e308/" * 13 + "3",
        "(" * 39 + "1" + ")" * 39,
        "-" * 79 + "1",
    ):
        NUMBER.read(NUMBER_PROMPT, raw)
    for raw in (
        "(" * 100_000,
        "(" * 50_000 + ")" * 50_000,
        "[" * 100_000,
        "1/3 " * 25_000,
        "%" * 100_000,
        "1," * 50_000,
    ):
        kinds.named("sequence").read(asking(*map(NumberInput, "abc")), raw)
    assert time.process_time() - started < 5


@settings(max_examples=300)
@given(data=st.data())
def test_only_the_answer_is_right(data: st.DataObject, proofs: Any, marker: Any) -> None:
    """A typed number is right exactly when it is within the item's tolerance of what PyTorch said."""
    item, variants = data.draw(st.sampled_from([pair for pair in proofs if pair[0].kind == "number"]))
    proof = data.draw(st.sampled_from(variants))
    typed = data.draw(
        st.floats(-10, 10) | st.sampled_from([proof.answer * (1 + e) for e in (0, 1e-4, 0.004, 0.006, 0.1)])
    )
    score = NUMBER.grade(item, proof, Response(str(typed), number=typed), marker)
    close = math.isclose(typed, proof.answer, rel_tol=item.body.compare.tolerance, abs_tol=1e-12)
    assert (score.outcome is Outcome.CORRECT) == close


def test_multi_gives_partial_credit(proofs: list[tuple[Item, list[Proof]]], marker: Marker) -> None:
    item, variants = next(pair for pair in proofs if pair[0].id == "changes-when-built")
    grade = kinds.named("multi").grade
    scores = {
        picked: grade(item, variants[0], Response("", picked), marker).points
        for picked in ((0, 2, 3), (0, 2), (0,), (0, 1), (1,), (0, 1, 2, 3), tuple(range(6)))
    }
    third = 1 / 3
    assert list(scores.values()) == pytest.approx([1, 2 * third, third, 0, 0, 2 * third, 0])


# ---------------------------------------------------------------- reading tables, blanks, orders and code


@pytest.mark.parametrize(
    "raw",
    [
        "0.1 0.2 3e-1", "0.1, 0.2, 0.3", "0.1;0.2;.3", "[0.1, 0.2, 0.3]", "0.1\n0.2\n0.3\n", "(0.1, 0.2, 0.3)",
        "1/10 20% 0.1*3", "1 / 10, 20 %, 0.1 * 3", "(1/10) (2/10) (3/10)", "((1/10), 0.2, (1 + 2) / 10)", "[1/10, 20%, .3]",
        '["1/10", "20%", 0.3]', "[[0.1, 0.2], [0.3]]", "[[1/10, 20%], [.3]]", "((0.1, 0.2), (0.3,))",
        '{"c": 0.3, "a": "1/10", "b": 0.2}',
    ],
)  # fmt: skip
def test_tables_are_read(raw: str) -> None:
    found = kinds.named("sequence").read(asking(*map(NumberInput, "abc")), raw)
    assert found == Response(raw, numbers=(0.1, 0.2, 0.3))


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "0.1 0.2",
        "1 2 3 4",
        "1 2 x",
        "1 2 nan",
        "1 2 1e999",
        "1_0 2 3",
        "\x00",
        "a" * 10_000,
        "1 2 1/0",
        "1 2 2**3",
        '{"a": 1, "b": 2}',
        '["0,1", 2, 3]',
        "[true, 2, 3]",
        "[null, 2, 3]",
        '[{"a": 1}, 2, 3]',
    ],
)
def test_what_is_no_table_is_unreadable(raw: str) -> None:
    assert isinstance(kinds.named("sequence").read(asking(*map(NumberInput, "abc")), raw), Unreadable)


@pytest.mark.parametrize(
    ("blanks", "raw", "parts"),
    [(2, "1; 2", ("1", "2")), (2, "1\n2\n", ("1", "2")), (2, " a + b ;c;", ("a + b", "c")), (1, "f(1)", ("f(1)",))],
)
def test_blanks_are_read(blanks: int, raw: str, parts: tuple[str, ...]) -> None:
    assert kinds.named("fill").read(asking(*[TextInput(python=True)] * blanks), raw) == Response(raw, parts=parts)


@pytest.mark.parametrize(("blanks", "raw"), [(2, "1"), (2, "1;2;3"), (1, ""), (1, "1\n2"), (1, "x" * 301)])
def test_what_does_not_fit_the_blanks_is_unreadable(blanks: int, raw: str) -> None:
    assert isinstance(kinds.named("fill").read(asking(*[TextInput(python=True)] * blanks), raw), Unreadable)


@pytest.mark.parametrize("raw", ["3 1 2", "312", "3, 1, 2", "3>1>2", "c\na\n  b\n"])
def test_orders_are_read(raw: str) -> None:
    found = kinds.named("order").read(asking(OrderInput(("a", "b", "c"))), raw)
    assert found == Response(raw, parts=("c", "a", "b"))


@pytest.mark.parametrize("raw", ["", "1 2", "1 1 2", "0 1 2", "1 2 3 4", "a b c", "1 2 3 0", "a\nb", "11 2 3"])
def test_what_is_no_order_is_unreadable(raw: str) -> None:
    assert isinstance(kinds.named("order").read(asking(OrderInput(("a", "b", "c"))), raw), Unreadable)


@given(st.text(max_size=40))
def test_any_text_is_an_answer_or_unreadable(raw: str) -> None:
    for inputs in (
        (NumberInput("a"), NumberInput("b")), (TextInput(python=True),) * 2, (OrderInput(("a", "b", "c")),), (CodeInput(""),),
        (ChooseOne(("a", "b"), "x"), ChooseOne(("a", "b"), "y")), (ChooseOne(("a", "b")), NumberInput(), TextInput()),
    ):  # fmt: skip
        assert isinstance(reading_answers.read(asking(*inputs), raw), Response | Unreadable)
