"""What our own items promise beyond being true."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from grader.content import lesson_files
from grader.content.lesson_files import INLINE
from grader.judging import claims
from grader.judging.bodies import claimed
from grader.model import Bank, Cell, Item, Lesson, Prose
from grader.render import figures
from tests.support.common import QUIZZES
from tests.support.items import exercise

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
        for option in claimed(item).options:
            if not option.key:
                assert option.mistake, item.id
                assert option.instead or option.yields or option.because, (item.id, option.mistake)


def test_every_mistake_is_used(bank: Bank) -> None:
    used = {mistake for item in bank.items for mistake, _ in item.body.recognized()}
    assert set(bank.mistakes) <= used


@pytest.mark.parametrize("topic", ["warmup", "schedulers"])
def test_each_topic_has_exercises_of_every_kind_and_each_lists_its_mistakes(bank: Bank, topic: str) -> None:
    for kind in ("sequence", "fill", "order", "code", "repair"):
        found = [item for item in bank.items if (item.topic, item.kind) == (topic, kind)]
        assert len(found) >= 3, kind
        for item in found:
            assert len(exercise(item).wrong if exercise(item) else claimed(item).options) >= 2, item.id


def test_hidden_inputs_are_drawn_wherever_there_are_inputs(bank: Bank) -> None:
    for item in bank.items:
        if exercise(item) and exercise(item).given != ((),):
            assert exercise(item).hidden, item.id
            assert exercise(item).draws >= 2, item.id


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
        for option in claimed(item).options:
            for line in (option.code or "").splitlines():
                assert len(line) <= 75, (item.id, line)
        if exercise(item):
            for line in [*exercise(item).starter.splitlines(), *"\n".join(exercise(item).reference).splitlines()]:
                assert len(line) <= 76, (item.id, line)


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


def _asked(cell: Cell) -> list[str]:
    """The items that a cell asks by name, in the one form that there is."""
    named = re.search(r'^(?:quiz|predict)\(items=\["([\w-]+)"\], variant=0\)$', cell.source, re.MULTILINE)
    return [named[1]] if named else []


def _minutes(page: Lesson) -> float:
    """How long a page takes: 180 words of prose a minute, 20 seconds for a cell, 40 for a question."""
    prose = INLINE.sub(lambda number: number[3] or "", " ".join(b.text for b in page.blocks if isinstance(b, Prose)))
    code = [cell for cell in page.cells if not cell.is_asking]
    questions = sum(len(_asked(cell)) for cell in page.cells)
    return len(prose.split()) / 180 + len(code) / 3 + questions * 2 / 3


def test_pages_ask_items_of_their_own_before_the_output_that_they_are_about(bank: Bank) -> None:
    known = {item.id: item for item in bank.items}
    asked: list[str] = []
    for path in PAGES:
        (page,), _ = lesson_files.read([path])
        here = [name for cell in page.cells for name in _asked(cell)]
        assert len(here) >= 2, path
        assert {known[name].topic for name in here} == {page.topic}, path
        asked += here
        for cell, following in itertools.pairwise(page.cells):
            if "predict" in cell.tags:
                assert _asked(cell), (path, cell.source)
                assert following.pin, (path, cell.source)
    assert len(asked) == len(set(asked))


def test_a_page_shows_a_drawing_before_its_first_heading() -> None:
    """Or right after it, where the first section draws."""
    for path in PAGES:
        (page,), _ = lesson_files.read([path])
        first = next(cell for cell in page.cells if not cell.is_asking)
        assert first.pin, path
        assert any(drawn for _, drawn in figures.parts(first.pin.text)), path


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_page_is_where_it_says_fits_its_time_and_ends_with_practice(path: Path) -> None:
    (page,), findings = lesson_files.read([path])
    assert not findings
    assert (page.topic, page.mode) == (path.parent.name, path.stem)
    assert page.minutes == round(_minutes(page))
    assert 5 <= page.minutes <= 9
    assert "quiz" in page.cells[-1].tags
    assert "**Key result:**" in page.lines[-1] or "**Key result:**" in page.lines[-2]
    for cell in page.cells:
        for line in [*cell.source.splitlines(), *(cell.pin.text.splitlines() if cell.pin else ())]:
            assert len(line) <= 76, line


def test_the_table_of_lessons_lists_every_page() -> None:
    table = (QUIZZES.parent / "lessons/README.md").read_text()
    for path in PAGES:
        (page,), _ = lesson_files.read([path])
        assert f"({path.parent.name}/{path.name}) | {page.minutes} |" in table
