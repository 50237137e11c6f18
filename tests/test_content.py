"""What our own items promise beyond being true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import QUIZZES
from markdown_it import MarkdownIt

from grader import claims, lesson
from grader.model import Bank, Item, Prose

NUMERIC = (
    "third-epoch-rate",
    "steplr-third-step",
    "printed-third-line",
    "uncapped-factor",
    "first-rate-at-construction",
)


def _all(bank: Bank) -> list[Item]:
    return list(bank.items)


def test_numeric_items_have_many_variants(bank: Bank) -> None:
    variants = {item.id: len(item.variants) for item in bank.items}
    assert all(variants[name] >= 8 for name in NUMERIC)


def test_every_wrong_option_names_a_mistake_and_carries_its_evidence(bank: Bank) -> None:
    for item in bank.items:
        for option in item.options:
            if not option.key:
                assert option.mistake, item.id
                assert option.instead or option.yields or option.because, (item.id, option.mistake)


def test_every_mistake_is_used(bank: Bank) -> None:
    used = {option.mistake for item in bank.items for option in item.options}
    used |= {wrong.mistake for item in bank.items if item.exercise for wrong in item.exercise.wrong}
    assert set(bank.mistakes) <= used


@pytest.mark.parametrize("topic", ["warmup", "schedulers"])
def test_each_topic_has_exercises_of_every_kind_and_each_lists_its_mistakes(bank: Bank, topic: str) -> None:
    for kind in ("sequence", "fill", "order", "code", "repair"):
        found = [item for item in bank.items if (item.topic, item.kind) == (topic, kind)]
        assert len(found) >= 3, kind
        for item in found:
            assert len(item.exercise.wrong if item.exercise else item.options) >= 2, item.id


def test_hidden_inputs_are_drawn_wherever_there_are_inputs(bank: Bank) -> None:
    for item in bank.items:
        if item.exercise and item.exercise.given != ((),):
            assert item.exercise.hidden, item.id
            assert item.exercise.draws >= 2, item.id


def test_every_item_has_hints_and_two_steps_or_more(bank: Bank) -> None:
    for item in bank.items:
        if item.kind == "card":
            assert not item.hints, item.id
            continue
        assert item.hints, item.id
        assert len(item.solution) >= 2, item.id


def test_programs_fit_a_terminal_of_80_columns(bank: Bank) -> None:
    for item in bank.items:
        for variant in item.variants:
            for line in claims.shown_program(item, variant).splitlines():
                assert len(line) <= 76, (item.id, line)
        for option in item.options:
            for line in (option.code or "").splitlines():
                assert len(line) <= 75, (item.id, line)
        if item.exercise:
            for line in [*item.exercise.starter.splitlines(), *"\n".join(item.exercise.reference).splitlines()]:
                assert len(line) <= 76, (item.id, line)


@pytest.mark.parametrize("path", sorted(QUIZZES.glob("*.yaml")), ids=lambda path: path.stem)
def test_quizzes_are_written_in_one_english(path: object) -> None:
    text = (QUIZZES / str(path)).read_text()
    british = r"\b(optimis|normalis|behaviour|colour|initialis|centre|labell|favour)\w*"
    assert not re.findall(british, text, re.IGNORECASE)


def _lists_amid(text: str) -> list[str]:
    """Lines of a text that begin a list right below a line of a paragraph, as `1)` does where a sentence was wrapped."""
    lines = text.splitlines()
    starts = [token.map[0] for token in MarkdownIt().parse(text) if token.type.endswith("_list_open") and token.map]
    return [lines[at] for at in starts if at and re.match(r"[\w(`*].*[^:]$", lines[at - 1])]


def test_no_line_of_a_sentence_is_a_list_by_accident(bank: Bank) -> None:
    assert _lists_amid("Double until epoch `n` (counted from\n1) trains.") == ["1) trains."]
    assert _lists_amid("Two things:\n\n- one\n- two\n") == []
    texts = [text for item in bank.items for text in (item.stem, *item.hints)]
    items = ["".join(one if isinstance(one, str) else one.text for one in text.pieces) for text in texts]
    pages = [path.read_text() for path in PAGES]
    assert [line for text in [*items, *pages] for line in _lists_amid(text)] == []


PAGES = sorted((QUIZZES.parent / "lessons").glob("*/*.md"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_page_is_where_it_says_fits_its_time_and_ends_with_practice(path: Path) -> None:
    (page,), findings = lesson.read([path])
    assert not findings
    assert (page.topic, page.mode) == (path.parent.name, path.stem)
    prose = " ".join(block.text for block in page.blocks if isinstance(block, Prose))
    assert len(prose.split()) <= 200 * page.minutes
    assert "quiz" in page.cells[-1].tags
    assert "**Key result:**" in page.lines[-1] or "**Key result:**" in page.lines[-2]
    for cell in page.cells:
        for line in [*cell.source.splitlines(), *(cell.pin.text.splitlines() if cell.pin else ())]:
            assert len(line) <= 76, line


def test_the_table_of_lessons_lists_every_page() -> None:
    table = (QUIZZES.parent / "lessons/README.md").read_text()
    for path in PAGES:
        (page,), _ = lesson.read([path])
        assert f"({path.parent.name}/{path.name}) | {page.minutes} |" in table
