"""What other programs make of exported files: each is read by one that is not ours, and a right answer is right there."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.content import bank_files
from grader.exchange import formats
from grader.exchange.exported_questions import ExportedQuestion, ExportedQuiz
from grader.model import LETTERS
from tests.support import npm
from tests.support.browser import browser
from tests.support.exported import BANK, FILES, of_forms, quiz_of
from tests.support.html_validator import complaints

pytestmark = pytest.mark.slow
READERS = Path(npm.__file__).parent / "quiz_readers"


@pytest.fixture(scope="module")
def quiz(remembering: object) -> ExportedQuiz:
    return quiz_of(bank_files.read(bank_files.files([BANK])), remembering)


def _written(name: str, quiz: ExportedQuiz, folder: Path) -> tuple[Path, ExportedQuiz]:
    kept = of_forms(name, quiz)
    path = folder / FILES[name]
    path.write_bytes(formats.writer(name).write(kept))
    return path, kept


# ---------------------------------------------------------------- GIFT

GIFT = {"one": "MC", "many": "MC", "number": "Numerical", "text": "Short", "match": "Matching", "written": "Essay"}


def _gift(path: Path) -> list[dict[str, Any]]:
    place = npm.installed(READERS)
    done = npm.node(place / "gift.mjs", path, cwd=place)
    assert done.returncode == 0, done.stderr[-2000:]
    return [one for one in json.loads(done.stdout) if one["type"] != "Category"]


def test_gift_is_read_by_gift_pegjs(quiz: ExportedQuiz, tmp_path: Path) -> None:
    path, kept = _written("gift", quiz, tmp_path)
    found = {one["id"]: one for one in _gift(path)}
    for one in kept.questions:
        if one.form == "table":
            numbers = [found[f"{one.name}-{place}"]["choices"][0]["text"] for place in range(1, len(one.parts) + 1)]
            assert [number["number"] for number in numbers] == [float(part.key.text) for part in one.parts]
            continue
        read = found[one.name]
        assert read["type"] == GIFT[one.form]
        assert "{{" not in read["stem"]["text"]
        if one.form in ("one", "many"):
            assert len(read["choices"]) == len(one.options)
            assert [(entry["weight"] or 0) > 0 or entry["isCorrect"] for entry in read["choices"]] == [
                option.right for option in one.options
            ]
        elif one.form == "number":
            assert read["choices"][0]["text"]["number"] == float(one.keys[0].text)
            assert read["choices"][0]["text"]["range"] == (one.keys[0].tolerance or 0)
        elif one.form == "text":
            texts = [entry["text"]["text"] for entry in read["choices"] if entry["weight"] == 100]
            assert texts == [key.text for key in one.keys]
    assert found["signs"]["stem"]["text"].startswith(
        'What has `{"a": x}` & &lt;b>`x[1:]`&lt;/b> to do with it? ~Nothing~'
    )


def test_the_whole_bank_is_gift_that_gift_pegjs_reads(bank: Any, remembering: object, tmp_path: Path) -> None:
    path, kept = _written("gift", quiz_of(bank, remembering), tmp_path)
    assert len(_gift(path)) >= len(kept.questions) > 1000


# ---------------------------------------------------------------- Moodle XML


def test_moodle_xml_is_read_by_moodle_xml_parser(quiz: ExportedQuiz, tmp_path: Path) -> None:
    """It knows questions with options and those with fields in a text; the others are left to our own reader."""
    from moodle_xml_parser import parser

    path, kept = _written("moodle-xml", quiz, tmp_path)
    read = parser.parse_file(str(path))
    found = {one.name: one for those in read.values() for one in those}
    assert len(read["multichoice"]) == sum(one.form in ("one", "many") for one in kept.questions)
    assert len(read["cloze"]) == sum(one.form == "table" for one in kept.questions)
    for one in kept.questions:
        if one.form in ("one", "many"):
            asked = found[one.name]
            assert asked.single == (one.form == "one")
            assert [option.score_fraction > 0 for option in asked.options] == [option.right for option in one.options]
            assert round(sum(max(option.score_fraction, 0) for option in asked.options)) == 100
            assert [bool(option.feedback) for option in asked.options] == [
                bool(option.feedback) for option in one.options
            ]
        elif one.form == "table":
            gaps = found[one.name].gaps
            assert {gap.sub_type for gap in gaps} == {"NUMERICAL"}
            keys = [gap.options[0].answer.partition(":") for gap in gaps]
            assert [float(key) for key, _, _ in keys] == [float(part.key.text) for part in one.parts]
            assert [float(tolerance) for _, _, tolerance in keys] == [part.key.tolerance or 0 for part in one.parts]
            assert all(gap.options[0].score == 100 for gap in gaps)


# ---------------------------------------------------------------- QTI


def _right_and_wrong(one: ExportedQuestion) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Answers that earn 1, and answers that earn 0."""
    letters = [
        [LETTERS[place] for place, option in enumerate(one.options) if option.right is side] for side in (True, False)
    ]
    match one.form:
        case "one":
            return [{"RESPONSE": letters[0][0]}], [{"RESPONSE": letter} for letter in letters[1]]
        case "many":
            return [{"RESPONSE": letters[0]}], [{"RESPONSE": letters[1]}, {"RESPONSE": letters[0] + letters[1]}]
        case "number":
            wrong = [key.text for key, _ in one.wrong] + ["123456"]
            return [{"RESPONSE": key.text} for key in one.keys], [{"RESPONSE": text} for text in wrong]
        case "text":
            wrong = [key.text for key, _ in one.wrong] + ["?"]
            return [{"RESPONSE": key.text} for key in one.keys], [{"RESPONSE": text} for text in wrong]
        case "match":
            sides = [
                [f"R{place} V{(part.right + shift) % len(part.options) + 1}" for place, part in enumerate(one.parts, 1)]
                for shift in (0, 1)
            ]
            return [{"RESPONSE": sides[0]}], [{"RESPONSE": sides[1]}]
    names = ["RESPONSE", *(f"RESPONSE{place}" for place in range(2, len(one.parts) + 1))]
    right = {name: part.key.text for name, part in zip(names, one.parts, strict=True)}
    return [right], [dict.fromkeys(names, "123456")]


def test_a_player_of_qti_scores_right_answers_1_and_wrong_ones_0(quiz: ExportedQuiz, tmp_path: Path) -> None:
    path, kept = _written("qti", quiz, tmp_path)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "package")
    place = npm.installed(READERS)
    done = npm.node(place / "qti3.mjs", tmp_path / "package/items", cwd=place)
    assert done.returncode == 0, done.stderr[-2000:]
    items = json.loads(done.stdout)
    player = (place / "node_modules/@citolab/qti-components/cdn/index.global.js").read_text()
    play = (READERS / "play.js").read_text()
    asked = [one for one in kept.questions if one.form != "written"]
    assert len({one.form for one in asked}) == 6
    with browser() as window:
        page = window.new_page()
        page.set_content("<!doctype html><body></body>")
        page.add_script_tag(content=player)
        for one in asked:
            right, wrong = _right_and_wrong(one)
            scores = page.evaluate(play, [items[one.name], right + wrong])
            assert [score for score, _ in scores] == [1] * len(right) + [0] * len(wrong), one.name
            if one.form == "one":
                assert [shown for _, shown in scores] == [answer["RESPONSE"] for answer in right + wrong]


# ---------------------------------------------------------------- jupyterquiz


def _jupyterquiz(path: Path) -> str:
    """The page that jupyterquiz itself makes of a file."""
    from unittest.mock import patch

    import jupyterquiz

    shown: list[Any] = []
    with patch.multiple("jupyterquiz.dynamic.display", display=shown.append, create=True):
        jupyterquiz.display_quiz(str(path))
    markup, script = (one.data for one in shown)
    return f"{markup}<script>{script}</script>"


def _plain(page: Any, markup: str) -> str:
    """The text that HTML shows."""
    made = "html => Object.assign(document.createElement('div'), {innerHTML: html}).textContent"
    return " ".join(page.evaluate(made, markup).split())


def test_jupyterquiz_draws_the_questions_and_judges_answers(quiz: ExportedQuiz, tmp_path: Path) -> None:
    path, kept = _written("jupyterquiz", quiz, tmp_path)
    records = json.loads(path.read_text())
    errors: list[str] = []
    with browser() as window:
        page = window.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_content(f"<!doctype html><body>{_jupyterquiz(path)}</body>")
        page.wait_for_selector(".Quiz")
        assert page.locator(".Quiz").count() == len(records)
        for place, record in enumerate(records):
            shown = page.locator(".Quiz").nth(place)
            code = "\n".join(shown.locator("pre").all_inner_texts())
            assert "import torch" in code or "s = [" in code
            if record["type"] in ("numeric", "string"):
                first = record["answers"][0]
                right = str(first.get("answer", first.get("value", sum(first.get("range", [0])) / 2)))
                for text, look in ((right, "correct"), ("7654321", "incorrect")):
                    field = shown.locator("input")
                    field.fill(text)
                    field.press("Enter")
                    assert look in shown.locator(".Feedback").get_attribute("class").split(), (record["id"], text)
                continue
            said = {_plain(page, answer["answer"]): answer["correct"] for answer in record["answers"]}
            labels = shown.locator("label.MCButton")
            assert labels.count() == len(said)
            for at in range(len(said)):  # jupyterquiz mixes them
                correct = said[" ".join(labels.nth(at).inner_text().split())]
                labels.nth(at).click()
                look = "correctButton" if correct else "incorrectButton"
                assert look in labels.nth(at).get_attribute("class").split(), record["id"]
                assert "undefined" not in shown.inner_text()
    assert errors == []
    assert len(kept.questions) > 8


# ---------------------------------------------------------------- Anki


@pytest.mark.long
def test_anki_takes_a_package_and_updates_its_notes_by_a_second_one(quiz: ExportedQuiz, tmp_path: Path) -> None:
    import time

    collections = pytest.importorskip("anki.collection")
    path, kept = _written("anki", quiz, tmp_path)
    collection = collections.Collection(str(tmp_path / "collection.anki2"))
    try:
        request = collections.ImportAnkiPackageRequest(
            package_path=str(path), options=collections.ImportAnkiPackageOptions()
        )
        collection.import_anki_package(request)
        notes = sorted(collection.find_notes(""))
        assert len(notes) == len(kept.questions)
        time.sleep(1.1)  # Anki compares whole seconds
        changed = tuple(replace(one, stem=f"{one.stem}\n\nIn other words.") for one in kept.questions)
        path.write_bytes(formats.writer("anki").write(replace(kept, questions=changed)))
        collection.import_anki_package(request)
        assert sorted(collection.find_notes("")) == notes
        assert all("In other words." in collection.get_note(note).fields[0] for note in notes)
        card = collection.get_card(collection.find_cards("small*")[0])
        assert "5e-06" in card.answer()
        drawn = collection.get_card(collection.find_cards("drawn")[0]).question()
        names = [part.partition('"')[0] for part in drawn.split('src="')[1:]]
        assert len(names) == 2
        assert all(Path(collection.media.dir(), name).read_text().startswith("<svg") for name in names)
        assert collection.decks.id_for_name('Odd signs & "numbers" <1e-5>::Signs: ~ = # { } and </text> ]]>')
    finally:
        collection.close()


# ---------------------------------------------------------------- HTML


def test_a_worksheet_is_valid_html(quiz: ExportedQuiz, tmp_path: Path) -> None:
    page = formats.writer("html").write(quiz).decode()
    matters_of_style = (": void-style:", ": no-inline-style:")  # of the Markdown's pictures and aligned columns
    found = complaints([page], tmp_path)
    assert [one for one in found if not any(name in one for name in matters_of_style)] == []
