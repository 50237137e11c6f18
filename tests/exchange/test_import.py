"""Quizzes of others become quizzes of ours: nothing is lost, nothing is run, and what is odd is told with its place."""

from __future__ import annotations

import json
import os
import random
import re
import zipfile
from pathlib import Path

import pytest

from grader.content import bank_files
from grader.exchange import formats, imported_files
from grader.exchange.quiz_files import QuizFile
from grader.template import CONTROL
from tests.support import mutations
from tests.support.common import Command
from tests.support.foreign import FILES, STATES, leaves, missing, name_of

PLAIN = [path for path in FILES if path.suffix != ".zip"]


def test_each_format_has_three_files() -> None:
    folders = {path.parent.name.replace("_", "-") for path in FILES}
    assert folders == set(formats.readers())
    assert all(sum(path.parent.name.replace("_", "-") == name for path in FILES) >= 3 for name in folders)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_becomes_a_quiz_and_nothing_of_it_is_lost(path: Path, tmp_path: Path, grader: Command) -> None:
    done = grader("import", path, "-o", tmp_path / "quiz.yaml", "--license", "CC-BY-4.0")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "quiz.yaml").read_text()
    assert missing(leaves(path), text) == []
    read = bank_files.read([tmp_path / "quiz.yaml"])
    assert not read.unread
    assert not [finding for finding in read.findings if finding.code != "unproven"]
    count = len(STATES[name_of(path)])
    assert len(read.items) + len({finding.item for finding in read.findings}) == count
    assert "license: CC-BY-4.0" in text


@pytest.mark.parametrize("path", PLAIN, ids=name_of)
def test_the_format_is_found_by_content_and_settled_by_from(path: Path, tmp_path: Path, grader: Command) -> None:
    other = tmp_path / "quiz.dat"
    other.write_bytes(path.read_bytes())
    name = path.parent.name.replace("_", "-")
    if name == "dictionaries" and path.suffix == ".py":
        other = other.rename(tmp_path / "quiz.txt")
    assert formats.recognized(QuizFile(str(other), other.read_bytes())) == name
    assert grader("import", other, "--from", name).returncode == 0
    wrong = "mdbook-quiz" if name != "mdbook-quiz" else "moodle-xml"
    done = grader("import", other, "--from", wrong)
    assert done.returncode == 2
    assert str(other) in done.stderr
    assert "hint: " in done.stderr


def test_an_unknown_format_is_told_with_what_there_is(grader: Command) -> None:
    done = grader("import", FILES[0], "--from", "moodl-xml")
    assert done.returncode == 2
    assert "did you mean `moodle-xml`?" in done.stderr


# ---------------------------------------------------------------- broken files


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_that_was_cut_off_is_told_or_read_as_far_as_it_goes(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    for share in (0.0, 0.1, 0.35, 0.6, 0.85, 0.97):
        part = tmp_path / f"part{path.suffix}"
        part.write_bytes(data[: int(len(data) * share)])
        _told(part)


@pytest.mark.parametrize("path", PLAIN, ids=name_of)
def test_a_file_in_another_encoding_is_read_or_told(path: Path, tmp_path: Path) -> None:
    text = path.read_text() + "\n"
    for encoding in ("utf-16", "utf-16-le", "utf-8-sig"):
        there = tmp_path / f"other{path.suffix}"
        there.write_bytes(text.encode(encoding))
        _told(there)
    there.write_bytes(text.replace("a", "\u00e9").encode("latin-1", "replace"))
    told = _told(there)
    assert "UTF-8" in told or "not XML" in told


def _told(path: Path) -> str:
    """Read a file; where that fails, the message names it and says what to do."""
    from grader.errors import InputError

    try:
        found, _ = imported_files.read([path])
        imported_files.documents(found, "t")
    except InputError as error:
        assert str(path) in error.message
        assert error.hint
        return error.message
    return ""


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("deep.json", "[" * 100_000, ":1:"),
        ("cut.json", '[{"question": "a",\n "options": [', ":2:"),
        ("cut.toml", '[[questions]]\ntype = "Short', ":2:"),
        ("cut.xml", "<?xml version='1.0'?>\n<quiz>\n<question type='essay'>", ":3:"),
        ("odd.csv", 'question,answer\n"What?,1\n', ":2:"),
        ("cut.gift", "::a:: What? {=1 ~2}\n\n::b:: What? {=1 ~2", ":3:"),
        ("wrong.py", "Q = [\n{'question': 'a', 'options': ['1', '2']\n", ":2:"),
        ("deep.xml", "<quiz>" + "<a>" * 300 + "</a>" * 300 + "</quiz>", ":1: elements are nested"),
        ("text.md", "# Nothing is asked here\n", ": this is not a quiz"),
        ("empty.txt", "", ": this is not a quiz"),
    ],
)  # fmt: skip
def test_the_place_of_what_is_broken(name: str, text: str, place: str, tmp_path: Path, grader: Command) -> None:
    path = tmp_path / name
    path.write_text(text)
    settled = ["--from", "dictionaries"] if name == "wrong.py" else ["--from", "csv-table"] if name == "odd.csv" else []
    done = grader("import", path, *settled)
    assert done.returncode == 2, done.stdout
    assert f"{path}{place}" in done.stderr
    assert "hint: " in done.stderr


def test_huge_files_are_refused_before_they_are_read(tmp_path: Path, grader: Command) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(17 << 20)
    assert "more than 16,777,216 bytes" in grader("import", path).stderr
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", b" " * (17 << 20))
    assert bomb.stat().st_size < 100_000
    done = grader("import", bomb)
    assert done.returncode == 2
    assert "the archive has more than" in done.stderr


def test_one_odd_question_does_not_stop_the_others(tmp_path: Path, grader: Command) -> None:
    path = tmp_path / "some.json"
    path.write_text(json.dumps([
        {"question": "One?", "type": "multiple_choice", "answers": [{"answer": "a", "correct": True}, {"answer": "b", "correct": False}]},
        {"question": "Two?", "type": "unheard of", "answers": []},
        {"question": "Three?", "type": "numeric", "answers": [{"type": "value", "value": 3, "correct": True}]},
    ]))  # fmt: skip
    done = grader("import", path, "-o", tmp_path / "some.yaml")
    assert done.returncode == 0
    assert "3 questions (jupyterquiz), 1 of which could not be read" in done.stdout
    text = (tmp_path / "some.yaml").read_text()
    assert "this question could not be read: `type` is 'unheard of'" in text
    assert "Two?" in text


# ---------------------------------------------------------------- what a stranger's file cannot do


def test_nothing_of_a_file_is_run(tmp_path: Path, grader: Command) -> None:
    source = next(path for path in FILES if path.name == "list.py")
    assert "should-never-be-made" in source.read_text()
    (tmp_path / "list.py").write_text(source.read_text())
    assert grader("import", "list.py", cwd=tmp_path).returncode == 0
    assert grader("prove", "list.py", cwd=tmp_path).returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["list.py"]


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE quiz [<!ENTITY a "b">]>',
        '<!DOCTYPE quiz [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE quiz [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x.dtd"> %a;]>',
    ],
)
def test_xml_has_no_entities_and_no_network(head: str, tmp_path: Path, grader: Command) -> None:
    path = tmp_path / "quiz.xml"
    path.write_text(
        f"<?xml version='1.0'?>\n{head}\n<quiz><question type='essay'><questiontext><text>&a;</text></questiontext></question></quiz>"
    )
    done = grader("import", path)
    assert done.returncode == 2
    assert f"{path}:2: the XML defines entities" in done.stderr
    assert "root:" not in done.stdout


def test_a_doctype_alone_is_read_and_not_fetched(tmp_path: Path, grader: Command) -> None:
    path = tmp_path / "quiz.xml"
    source = next(path for path in FILES if path.name == "nan.xml.qti").read_text()
    path.write_text(
        source.replace("?>", '?>\n<!DOCTYPE questestinterop SYSTEM "http://127.0.0.1:9/ims_qtiasiv1p2.dtd">', 1)
    )
    assert grader("import", path).returncode == 0


def test_escapes_are_written_out(tmp_path: Path, grader: Command) -> None:
    path = tmp_path / "quiz.json"
    path.write_text(
        json.dumps(
            [
                {
                    "question": "What \x1b[31mis\x07 \u202ered?",
                    "options": ["\x1b]0;name\x07", "b"],
                    "answer": "A",
                    "more\x1b[2J": "\x9b1m",
                }
            ]
        )
    )
    done = grader("import", path, "-o", tmp_path / "quiz.yaml")
    proved = grader("prove", path, "--html", tmp_path / "report.html")
    texts = [
        done.stdout,
        done.stderr,
        proved.stdout,
        (tmp_path / "quiz.yaml").read_text(),
        (tmp_path / "report.html").read_text(),
    ]
    assert not any(CONTROL.search(text) for text in texts)
    assert not bank_files.read([tmp_path / "quiz.yaml"]).unread


def test_mutated_files_are_read_or_told(tmp_path: Path) -> None:
    """`GRADER_MUTATIONS=3000` reads as many."""
    for seed in range(int(os.environ.get("GRADER_MUTATIONS", "0")) or 60):
        chance = random.Random(seed)
        path = chance.choice(PLAIN)
        data = path.read_bytes()
        for _ in range(chance.randint(1, 3)):
            data, _ = mutations.mutate_text(data, chance) if data else (b"", "")
        there = tmp_path / f"mutated{path.suffix}"
        there.write_bytes(data)
        try:
            found, _ = imported_files.read([there])
        except imported_files.InputError as error:
            assert str(there) in error.message, (seed, path)
            continue
        for text in imported_files.documents(found, "t"):
            assert not CONTROL.search(text), (seed, path)
        for quiz in found:
            _, findings = imported_files.built(quiz)
            assert all(finding.hint for finding in findings), (seed, path)


# ---------------------------------------------------------------- folders and archives


def test_a_folder_is_walked_and_twins_are_left_out(tmp_path: Path, grader: Command) -> None:
    (tmp_path / "a/__MACOSX").mkdir(parents=True)
    source = next(path for path in FILES if path.name == "letters.csv")
    for name in ("a/quiz.csv", "a/copy.csv", "a/__MACOSX/quiz.csv", "a/._quiz.csv"):
        (tmp_path / name).write_bytes(source.read_bytes())
    (tmp_path / "a/README.md").write_text("# Words only\n")
    done = grader("import", tmp_path / "a", "-o", tmp_path / "quiz.yaml")
    assert done.returncode == 0
    assert re.findall(r"(\S+): 2 questions", done.stdout) == [str(tmp_path / "a/copy.csv")]


def test_a_large_file_becomes_several(tmp_path: Path, grader: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imported_files, "MOST_ITEMS", 20)
    path = tmp_path / "many.json"
    path.write_text(
        json.dumps([{"question": f"Question {n}?", "options": ["a", "b"], "answer": "A"} for n in range(21)])
    )
    assert grader("import", path, "-o", tmp_path / "many.yaml").returncode == 0
    counts = [len(bank_files.read([tmp_path / name]).items) for name in ("many.yaml", "many-2.yaml")]
    assert counts == [20, 1]
    done = grader("import", path, "-o", tmp_path / "many.yaml")
    assert done.returncode == 2
    assert "--force" in done.stderr


def test_a_quiz_that_is_quoted_is_not_asked(tmp_path: Path) -> None:
    quoted = {
        "mkdocs-quiz": "<quiz>\nWhat?\n- [x] a\n- [ ] b\n</quiz>\n",
        "nbgrader-jupyterquiz": '#### Quiz\n* (SC) "What?"\n+ "a"\n- "b"\n#### End Quiz\n',
    }
    for name, text in quoted.items():
        path = tmp_path / f"{name}.md"
        path.write_text(f"{text}\n```markdown\n{text}```\n")
        (quiz,), _ = imported_files.read([path], name)
        assert len(quiz.items) == 1
