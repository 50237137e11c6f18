"""Every kind keeps the same promises, shown on every item of the bank and on every variant of it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import kinds, picking
from grader.errors import InputError
from grader.marking import Marker
from grader.model import (
    Arrange,
    Bank,
    Fill,
    Item,
    Outcome,
    Pick,
    Prompt,
    Proof,
    Response,
    Table,
    Type,
    Unreadable,
    Variant,
    Write,
)
from grader.run import Runner
from grader.run.local import LocalRunner
from grader.verify import Report, prove_all


@pytest.fixture(scope="module")
def marker(runner: LocalRunner) -> Marker:
    return Marker(lambda: runner, seed=7)


@pytest.fixture(scope="module")
def proofs(bank: Bank, remembering: Runner, proven: Report) -> list[tuple[Item, list[Proof]]]:
    return list(prove_all(bank.items, remembering))


def test_every_kind_occurs_in_the_bank(bank: Bank) -> None:
    assert {item.kind for item in bank.items} == set(kinds.names())


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        kinds.get("chioce")
    assert "choice, code, fill, multi, number, order, repair, sequence" in caught.value.hint


def test_right_wrong_and_unreadable_answers_of_every_variant(
    proofs: list[tuple[Item, list[Proof]]], marker: Marker
) -> None:
    for item, variants in proofs:
        kind = kinds.get(item.kind)
        for proof in variants:
            prompt = kind.prompt(item, proof.variant, proof)
            assert prompt is not None
            samples = kind.samples(item, proof)
            assert set(samples) - {"hostile"} == {"right", "wrong", "unreadable"}
            assert isinstance(kind.read(prompt, samples["unreadable"]), Unreadable)
            for sample, outcomes in (("right", {Outcome.CORRECT}), ("wrong", {Outcome.INCORRECT, Outcome.PARTLY})):
                response = kind.read(prompt, samples[sample])
                assert isinstance(response, Response), (item.id, sample)
                score = kind.grade(item, proof, response, marker)
                assert score.outcome in outcomes, (item.id, proof.variant, sample)
                assert (score.points == 1.0) == (sample == "right")


def test_a_hostile_answer_is_wrong_and_says_what_became_of_it(
    proofs: list[tuple[Item, list[Proof]]], marker: Marker
) -> None:
    tried = set()
    for item, variants in proofs:
        kind = kinds.get(item.kind)
        hostile = kind.samples(item, variants[0]).get("hostile")
        if hostile is None:
            continue
        prompt = kind.prompt(item, variants[0].variant, variants[0])
        assert prompt is not None
        response = kind.read(prompt, hostile)
        assert isinstance(response, Response)
        score = kind.grade(item, variants[0], response, marker)
        assert (score.outcome, score.points) == (Outcome.INCORRECT, 0.0)
        if "ended its own process" in score.feedback:  # not where the blank is inside of quotes
            tried.add(item.kind)
    assert tried == {"fill", "code", "repair"}


def test_a_prompt_holds_no_key(proofs: list[tuple[Item, list[Proof]]]) -> None:
    """The prompt is the same whichever option is the key, and has no field that tells."""
    assert set(Prompt.__slots__) == {
        "item", "kind", "level", "skill", "variant", "stem", "program", "interaction", "hints",
    }  # fmt: skip
    assert set(Pick.__slots__) == {"options", "many", "code"}
    assert set(Type.__slots__) == {"unit"}
    assert set(Table.__slots__) == {"labels"}
    assert set(Fill.__slots__) == {"blanks"}
    assert set(Arrange.__slots__) == {"lines"}
    assert set(Write.__slots__) == {"starter", "cases"}
    for item, variants in proofs:
        for proof in variants:
            prompt = kinds.get(item.kind).prompt(item, proof.variant, proof)
            assert prompt is not None
            if isinstance(prompt.interaction, Type):
                shown = f"{prompt.stem} {prompt.program}".split()
                assert str(proof.answer) not in shown or str(proof.answer) in str(proof.variant.values)
            if isinstance(prompt.interaction, Arrange):
                assert item.exercise is not None
                assert prompt.interaction.lines != item.exercise.reference
            if isinstance(prompt.interaction, Write):
                assert item.exercise is not None
                assert item.exercise.reference[0] not in f"{prompt.program}{prompt.interaction.starter}"


def test_what_is_shown_before_a_proof_is_what_is_shown_after(proofs: list[tuple[Item, list[Proof]]]) -> None:
    early = 0
    for item, variants in proofs:
        kind = kinds.get(item.kind)
        for proof in variants:
            before = kind.prompt(item, proof.variant, None)
            early += before is not None
            assert before in (None, kind.prompt(item, proof.variant, proof))
    assert early > 50


def test_each_wrong_answer_gets_its_own_feedback(
    proofs: list[tuple[Item, list[Proof]]], bank: Bank, marker: Marker
) -> None:
    for item, variants in proofs:
        kind, proof = kinds.get(item.kind), variants[0]
        for place, option in enumerate(proof.options):
            if option.key:
                continue
            number = float(str(option.value)) if item.kind == "number" else None
            numbers = tuple(option.value) if isinstance(option.value, list) else ()
            parts = item.exercise.wrong[place].parts if item.exercise else ()
            score = kind.grade(item, proof, Response("", (place,), number, numbers, parts), marker)
            assert score.mistake == option.mistake, (item.id, option.shown)
            assert score.mistake in bank.mistakes


# ---------------------------------------------------------------- reading answers

PICK = Pick(("0.06", "`LambdaLR`", "It raises the rate.", "0.1"))


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ("A", 0), ("a", 0), (" b ", 1), ("C)", 2), ("(d)", 3), ("d.", 3), ("0.06", 0), ("6e-2", 0), (".06", 0), ("0.1000", 3),
        ("LambdaLR", 1), ("lambdalr", 1), ("`LambdaLR`", 1), ("it raises  the rate", 2), ("It raises the rate.", 2),
    ],
)  # fmt: skip
def test_one_option_is_read(raw: str, place: int) -> None:
    assert picking.read_one(PICK, raw) == Response(raw, (place,))


@pytest.mark.parametrize("raw", ["", " ", "E", "AB", "0.07", "nan", "A B", "1e999", "\x00", "💥", "a" * 10_000])
def test_what_is_no_option_is_unreadable(raw: str) -> None:
    assert isinstance(picking.read_one(PICK, raw), Unreadable)


@pytest.mark.parametrize(
    ("raw", "places"),
    [
        ("A", (0,)), ("a c", (0, 2)), ("AC", (0, 2)), ("A, C", (0, 2)), ("C,A,A", (0, 2)), ("a and d", (0, 3)),
        ("0.06, 0.1", (0, 3)), ("LambdaLR; It raises the rate.", (1, 2)),
    ],
)  # fmt: skip
def test_several_options_are_read(raw: str, places: tuple[int, ...]) -> None:
    assert picking.read_many(PICK, raw) == Response(raw, places)


@pytest.mark.parametrize("raw", ["", ",", "A, E", "A, 0.07", "none"])
def test_what_is_not_all_options_is_unreadable(raw: str) -> None:
    assert isinstance(picking.read_many(PICK, raw), Unreadable)


@given(st.text(max_size=20))
def test_any_text_is_an_option_or_unreadable(raw: str) -> None:
    for read in (picking.read_one, picking.read_many):
        found = read(PICK, raw)
        assert isinstance(found, Unreadable) or set(found.picked) <= {0, 1, 2, 3}


NUMBER = kinds.get("number")
NUMBER_PROMPT = Prompt("i", "number", "easy", "s", Variant(), "", "", Type(), 0)


@pytest.mark.parametrize("raw", ["0.06", " .06 ", "6e-2", "+0.06", "-1", "3.", "1E5", "٣"])
def test_numbers_are_read(raw: str) -> None:
    assert NUMBER.read(NUMBER_PROMPT, raw) == Response(raw, number=float(raw))


@pytest.mark.parametrize("raw", ["", "abc", "0,06", "nan", "inf", "1e999", "1_000", "0x10", "6%", "1/3", "True", "1 2"])
def test_what_is_no_number_is_unreadable(raw: str) -> None:
    assert isinstance(NUMBER.read(NUMBER_PROMPT, raw), Unreadable)


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
    close = math.isclose(typed, proof.answer, rel_tol=item.tolerance, abs_tol=1e-12)
    assert (score.outcome is Outcome.CORRECT) == close


def test_multi_gives_partial_credit(proofs: list[tuple[Item, list[Proof]]], marker: Marker) -> None:
    item, variants = next(pair for pair in proofs if pair[0].id == "changes-when-built")
    grade = kinds.get("multi").grade
    scores = {
        picked: grade(item, variants[0], Response("", picked), marker).points
        for picked in ((0, 2, 3), (0, 2), (0,), (0, 1), (1,), (0, 1, 2, 3), tuple(range(6)))
    }
    third = 1 / 3
    assert list(scores.values()) == pytest.approx([1, 2 * third, third, 0, 0, 2 * third, 0])


# ---------------------------------------------------------------- reading tables, blanks, orders and code


def _prompt(kind: str, interaction: Any) -> Prompt:
    return Prompt("i", kind, "easy", "s", Variant(), "", "", interaction, 0)


@pytest.mark.parametrize("raw", ["0.1 0.2 3e-1", "0.1, 0.2, 0.3", "0.1;0.2;.3", "[0.1, 0.2, 0.3]", "0.1\n0.2\n0.3\n"])
def test_tables_are_read(raw: str) -> None:
    found = kinds.get("sequence").read(_prompt("sequence", Table(("a", "b", "c"))), raw)
    assert found == Response(raw, numbers=(0.1, 0.2, 0.3))


@pytest.mark.parametrize(
    "raw", ["", "0.1 0.2", "1 2 3 4", "1 2 x", "1 2 nan", "1 2 1e999", "1_0 2 3", "\x00", "a" * 10_000]
)
def test_what_is_no_table_is_unreadable(raw: str) -> None:
    assert isinstance(kinds.get("sequence").read(_prompt("sequence", Table(("a", "b", "c"))), raw), Unreadable)


@pytest.mark.parametrize(
    ("blanks", "raw", "parts"),
    [(2, "1; 2", ("1", "2")), (2, "1\n2\n", ("1", "2")), (2, " a + b ;c;", ("a + b", "c")), (1, "f(1)", ("f(1)",))],
)
def test_blanks_are_read(blanks: int, raw: str, parts: tuple[str, ...]) -> None:
    assert kinds.get("fill").read(_prompt("fill", Fill(blanks)), raw) == Response(raw, parts=parts)


@pytest.mark.parametrize(("blanks", "raw"), [(2, "1"), (2, "1;2;3"), (1, ""), (1, "1\n2"), (1, "x" * 301)])
def test_what_does_not_fit_the_blanks_is_unreadable(blanks: int, raw: str) -> None:
    assert isinstance(kinds.get("fill").read(_prompt("fill", Fill(blanks)), raw), Unreadable)


@pytest.mark.parametrize("raw", ["3 1 2", "312", "3, 1, 2", "3>1>2", "c\na\n  b\n"])
def test_orders_are_read(raw: str) -> None:
    found = kinds.get("order").read(_prompt("order", Arrange(("a", "b", "c"))), raw)
    assert found == Response(raw, parts=("c", "a", "b"))


@pytest.mark.parametrize("raw", ["", "1 2", "1 1 2", "0 1 2", "1 2 3 4", "a b c", "1 2 3 0", "a\nb", "11 2 3"])
def test_what_is_no_order_is_unreadable(raw: str) -> None:
    assert isinstance(kinds.get("order").read(_prompt("order", Arrange(("a", "b", "c"))), raw), Unreadable)


@given(st.text(max_size=40))
def test_any_text_is_an_answer_or_unreadable(raw: str) -> None:
    for kind, interaction in (
        ("sequence", Table(("a", "b"))), ("fill", Fill(2)), ("order", Arrange(("a", "b", "c"))), ("code", Write("")),
    ):  # fmt: skip
        assert isinstance(kinds.get(kind).read(_prompt(kind, interaction), raw), Response | Unreadable)
