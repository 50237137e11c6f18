"""Questions for other programs: nothing of them is lost, and what is read again claims the same."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grader import kinds
from grader.content import bank_files
from grader.exchange import formats
from grader.exchange.exported_questions import FORMS, SAME, ExportedQuiz
from grader.exchange.formats import pdf
from tests.support import exported
from tests.support.common import ROOT, Command
from tests.support.exported import BANK, FILES, quiz_of

FORMATS = ("anki", "gift", "html", "jupyterquiz", "markdown", "moodle-xml", "pdf", "qti")
AGAIN = tuple(name for name in FORMATS if SAME in formats.writer(name).WRITES.values())
WITHOUT = {"gift": ["card"], "moodle-xml": ["card"], "qti": ["card"]} | {
    "jupyterquiz": ["card", "code", "fill", "order", "repair", "value"]
}
"""Kinds of the small bank that a format has no form for; one `value` has an answer that cannot be typed."""


@pytest.fixture(scope="module")
def quiz(remembering: object) -> ExportedQuiz:
    """The small bank with signs that mean something to some format, in all variants."""
    return quiz_of(bank_files.read(bank_files.files([BANK])), remembering)


def test_all_kinds_and_forms_are_tried(quiz: ExportedQuiz) -> None:
    assert {one.kind for one in quiz.questions} == set(kinds.built_in())
    assert {one.form for one in quiz.questions} == set(FORMS)
    assert formats.writers() == FORMATS


@pytest.mark.parametrize("name", FORMATS)
def test_the_command_writes_a_file_and_says_what_became_of_each_question(
    name: str, tmp_path: Path, grader: Command
) -> None:
    path = tmp_path / FILES[name]
    done = grader("export", "odd", "--bank", BANK, "--to", name, "-o", path, "--seed", "3")
    assert done.returncode == (1 if name in WITHOUT else 0), done.stderr
    assert done.stdout.startswith(f"{path}: ")
    assert "with their keys; license: CC-BY-4.0" in done.stdout
    left = re.findall(r"has no form for `(\w+)`", done.stderr)
    assert sorted(left) == WITHOUT.get(name, [])
    text = _text(path)
    if text is not None:
        for word in ("CC-BY-4.0", "Odd signs", "A. Teacher", "holds the keys"):
            assert word in text, word
    assert grader("export", "odd", "--bank", BANK, "--to", name, "-o", path).returncode == 2, "it is there already"


def _text(path: Path) -> str | None:
    """All text of a file; None where it is not kept as text."""
    data = path.read_bytes()
    if data.startswith(b"%PDF"):
        return None
    if not data.startswith(b"PK"):
        return data.decode()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if "collection.anki2" not in archive.namelist():
            return "".join(archive.read(name).decode() for name in archive.namelist())
        (path.parent / "notes").write_bytes(archive.read("collection.anki2"))
    with sqlite3.connect(path.parent / "notes") as notes:
        return "".join(row[0] for row in notes.execute("SELECT flds FROM notes"))


@pytest.mark.parametrize("name", AGAIN)
def test_what_is_written_as_the_same_claims_the_same_when_it_is_read(
    name: str, quiz: ExportedQuiz, tmp_path: Path
) -> None:
    assert exported.differences(name, quiz, tmp_path) == []


@pytest.mark.parametrize("name", AGAIN)
def test_an_import_takes_all_of_it_and_a_proof_contradicts_nothing(name: str, tmp_path: Path, grader: Command) -> None:
    path = tmp_path / FILES[name]
    grader("export", "odd", "--bank", BANK, "--to", name, "-o", path, "--all-variants")
    done = grader("import", path, "-o", tmp_path / "quiz.yaml")
    assert done.returncode == 0, done.stderr
    assert "could not be read" not in done.stdout
    assert grader("prove", path).returncode == 0


def test_a_seed_draws_other_numbers(tmp_path: Path, grader: Command) -> None:
    texts = set()
    for seed in ("1", "1", "2", "3", "4"):
        grader(
            "export",
            "signs",
            "small-number",
            "--bank",
            BANK,
            "--to",
            "gift",
            "-o",
            tmp_path / "a",
            "--seed",
            seed,
            "--force",
        )
        texts.add((tmp_path / "a").read_text())
    assert 1 < len(texts) < 5
    grader("export", "small-number", "--bank", BANK, "--to", "gift", "-o", tmp_path / "b", "--all-variants")
    assert "=0.000005:0.00000000000" in (tmp_path / "b").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["signs", "--to", "moodle"], "there is no format `moodle`"),
        (["sings", "--to", "gift"], "did you mean `signs`?"),
        (["a-card", "--to", "gift"], "GIFT has no form for `card`: a-card"),
        (["a-card", "--to", "quizdown"], "there is no format `quizdown`"),
    ],
)
def test_what_cannot_be_written_is_told(arguments: list[str], said: str, tmp_path: Path, grader: Command) -> None:
    done = grader("export", "--bank", BANK, "-o", tmp_path / "a", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(("name", "missing", "extra"), [("anki", "genanki", "exchange"), ("pdf", "typst", "print")])
def test_a_library_that_is_missing_is_told_with_what_to_install(
    name: str, missing: str, extra: str, tmp_path: Path, grader: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    done = grader("export", "a-count", "--bank", BANK, "--to", name, "-o", tmp_path / "a")
    assert done.returncode == 2
    assert (
        done.stderr == f'grader: {missing} is not installed here\n  hint: run `pip install "torch-grader[{extra}]"`\n'
    )
    assert f'{extra} = ["{missing}' in (ROOT / "pyproject.toml").read_text()


def test_an_item_that_is_not_proven_is_left_out(tmp_path: Path, grader: Command) -> None:
    text = (BANK / "quizzes/odd.yaml").read_text()
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/odd.yaml").write_text(text.replace("n, key: true", "n + 2, key: true"))
    done = grader("export", "odd", "--bank", tmp_path, "--to", "markdown", "-o", tmp_path / "a.md")
    assert done.returncode == 1
    assert re.search(r"left out: signs: .*no-option-holds", done.stderr)
    assert "License: not stated." in (tmp_path / "a.md").read_text()
    assert "signs" not in (tmp_path / "a.md").read_text().partition("### ")[2].partition("\n")[0]


def test_a_topic_from_elsewhere_keeps_its_license_and_source(tmp_path: Path, grader: Command) -> None:
    text = (BANK / "quizzes/odd.yaml").read_text()
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "bank.yaml").write_text((BANK / "bank.yaml").read_text())
    (tmp_path / "quizzes/odd.yaml").write_text(f"license: MIT\nsource: quiz.csv\n{text}")
    grader("export", "a-count", "--bank", tmp_path, "--to", "gift", "-o", tmp_path / "a")
    assert re.search(
        "^// License: CC-BY-4.0; MIT for Signs: .*, from quiz.csv.$", (tmp_path / "a").read_text(), re.MULTILINE
    )


def test_typed_answers_are_written_in_the_forms_that_are_judged_right(quiz: ExportedQuiz) -> None:
    keys = {one.name: [key.text for key in one.keys] for one in quiz.questions}
    assert keys["a-shape"][0] == "(2, 3)"
    assert {"2x3", "[2,3]", "torch.Size([2, 3])"} <= set(keys["a-shape"])
    assert all("\n" not in key for entries in keys.values() for key in entries)


def test_tolerances_and_feedback_are_in_the_files(quiz: ExportedQuiz) -> None:
    moodle = formats.writer("moodle-xml").write(_of(quiz, "small-number")).decode()
    assert "<text>0.000005</text><tolerance>6e-12</tolerance>" in moodle
    assert moodle.count("One is too many") == 1
    (record,) = json.loads(formats.writer("jupyterquiz").write(_of(quiz, "small-number")))
    low, high = record["answers"][0]["range"]
    assert low < 5e-6 < high < 5.1e-6


def _of(quiz: ExportedQuiz, name: str) -> ExportedQuiz:
    from dataclasses import replace

    return replace(quiz, questions=tuple(one for one in quiz.questions if one.name == name))


def test_figures_are_pictures_that_are_described(quiz: ExportedQuiz, tmp_path: Path) -> None:
    one = _of(quiz, "a-count")
    page = formats.writer("html").write(one).decode()
    assert page.count('<img src="data:image/svg+xml;base64,') == 2
    assert 'alt="The cells: &lt;x&gt; &amp; y. ' in page
    path = tmp_path / "a.zip"
    path.write_bytes(formats.writer("qti").write(one))
    with zipfile.ZipFile(path) as archive:
        assert {name for name in archive.namelist() if name.endswith(".svg")} == {
            "figures/a-count-1.svg",
            "figures/a-count-2.svg",
        }
    assert formats.writer("moodle-xml").write(one).count(b'encoding="base64"') == 2
    assert "  3  4  5" not in page
    assert " 3  4  5" in formats.writer("gift").write(one).decode()


def test_the_key_sheet_begins_a_page_of_its_own(quiz: ExportedQuiz) -> None:
    assert pdf.write(_of(quiz, "a-count")).startswith(b"%PDF")
    assert len(pdf.drawn(_of(quiz, "a-card"), "png")) == 2
    page = formats.writer("html").write(quiz).decode()
    sheet = page.index('<section class="sheet">')
    assert "break-before: page" in page
    assert page.index("One is too many") > sheet
    assert "One right answer:" not in page[:sheet]


def test_what_few_need_is_loaded_only_where_it_is_written() -> None:
    code = "import sys, grader.cli, grader.exchange.formats as f; f.writers(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"genanki", "typst", "torch"} & set(done.stdout.split())


# ---------------------------------------------------------------- the table in the documents


def test_the_table_says_what_the_formats_declare(quiz: ExportedQuiz) -> None:
    page = (ROOT / "docs/exporting.md").read_text()
    assert exported.table(quiz) in page


def test_no_format_declares_a_form_that_is_none() -> None:
    for name in FORMATS:
        assert set(formats.writer(name).WRITES) <= set(FORMS)


# ---------------------------------------------------------------- the bank that is shipped


@pytest.mark.slow
def test_every_question_of_the_bank_claims_the_same_again(bank: object, remembering: object, tmp_path: Path) -> None:
    whole = quiz_of(bank, remembering)
    assert len(whole.questions) > 1000
    for name in AGAIN:
        assert exported.differences(name, whole, tmp_path) == []
