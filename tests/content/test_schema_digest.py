"""The digest under which a file's shape is remembered changes with each file of code that says what the shape is."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from grader import kinds
from grader.content import schema


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with a kind in it, which must not be imported to be found."""
    package = tmp_path / "more_kinds"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('it was imported')\n")
    (package / "guess.py").write_text("def fields(): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    points = [metadata.EntryPoint("guess", "more_kinds.guess", "grader.kinds")]
    monkeypatch.setattr(metadata, "entry_points", lambda group: points)
    kinds.SEAM.forget()
    schema.digest.cache_clear()
    yield package
    monkeypatch.undo()
    kinds.SEAM.forget()
    schema.digest.cache_clear()


def test_a_change_of_another_package_s_kind_is_seen(plugin: Path) -> None:
    assert kinds.plugin_files() == (plugin / "guess.py",)
    before = schema.digest()
    (plugin / "guess.py").write_text("def fields(): return None\n")
    schema.digest.cache_clear()
    assert schema.digest() != before


@pytest.mark.parametrize(
    "part", ["judging/fields.py", "content/yaml_nodes.py", "content/bank_files.py", "kinds/number.py"]
)
def test_each_of_our_files_that_says_what_a_file_may_hold_counts(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_bytes
    schema.digest.cache_clear()
    before = schema.digest()
    schema.digest.cache_clear()
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"#" if str(path).endswith(part) else b""))
    assert schema.digest() != before
    schema.digest.cache_clear()
