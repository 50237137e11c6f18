"""Every format that is installed keeps what `Format` promises, shown on sample files: ours, or those beside a plug-in."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest

from grader.errors import InputError
from grader.exchange import formats, imported_files
from grader.exchange.quiz_files import QuizFile, read_all
from tests.support.foreign import FOLDER


def samples(name: str) -> list[Path]:
    """The sample files of a format: in the folder `samples` beside the module of one of another package."""
    if name in formats.SEAM.built_in():
        return sorted((FOLDER / name.replace("-", "_")).iterdir())
    return sorted(Path(str(formats.SEAM.module(name).__file__)).with_name("samples").iterdir())


ALL = [(name, path) for name in formats.readers() for path in samples(name)]
ids = [f"{name}/{path.name}" for name, path in ALL]

STRUCTURED = (".json", ".toml", ".xml", ".qti", ".zip", ".ipynb", ".py")
"""Where words are marks of the format too: tests/exchange knows which."""

PLAIN = [(name, path) for name, path in ALL if path.suffix not in STRUCTURED]


@pytest.mark.parametrize("name", formats.readers())
def test_a_format_has_a_title_and_three_samples(name: str) -> None:
    assert formats.reader(name).TITLE
    assert len(samples(name)) >= 3


@pytest.mark.parametrize(("name", "path"), ALL, ids=ids)
def test_a_sample_is_known_by_its_content(name: str, path: Path) -> None:
    known = [formats.recognized(QuizFile("quiz.txt", file.data)) for file in read_all([path])]
    assert name in known
    assert set(known) <= {name, None}


@pytest.mark.parametrize(("name", "path"), PLAIN, ids=[f"{name}/{path.name}" for name, path in PLAIN])
def test_no_word_of_a_sample_is_lost(name: str, path: Path) -> None:
    found, troubles = imported_files.read([path], None)
    assert not troubles
    assert all(quiz.format == name for quiz in found)
    questions = [question for quiz in found for question in quiz.quiz.questions]
    assert questions
    said = " ".join(imported_files.documents(found, "topic"))
    lost = {word for word in re.findall(r"\w{4,}", path.read_text()) if word not in said}
    assert not {word for word in lost if word.lower() not in said.lower()}


@pytest.mark.parametrize(("name", "path"), ALL, ids=ids)
def test_a_broken_file_is_read_or_told(name: str, path: Path) -> None:
    """Cut off anywhere, with bytes that are no text, or empty: nothing but an InputError with a next step."""
    data = path.read_bytes()
    broken = [b"", b"\xff\xfe\x00", data + b"\xff", data.replace(b"=", b"\x00")]
    for part in [*broken, *(data[: len(data) * share // 7] for share in range(1, 7))]:
        file = QuizFile("broken.quiz", part)
        with contextlib.suppress(InputError, ValueError, KeyError, TypeError, AttributeError, IndexError):  # it is none
            assert formats.reader(name).recognize(file) in (0, 1, 2, 3)
        try:
            formats.reader(name).read(file)
        except InputError as error:
            assert "broken.quiz" in error.message
            assert error.hint
