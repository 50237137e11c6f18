"""Each page of the shipped lessons in a terminal, with its figures, charts and questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.common import ROOT, Command

TOPICS = sorted(path.name for path in (ROOT / "lessons").iterdir() if path.is_dir())


@pytest.mark.parametrize("topic", TOPICS)
def test_every_page_is_read_to_its_end(topic: str, grader: Command, tmp_path: Path, proven: object) -> None:
    for page in sorted((ROOT / "lessons" / topic).glob("*.md")):
        done = grader("learn", topic, "--mode", page.stem, "--db", tmp_path / "r.sqlite", stdin="s\n" * 80)
        assert done.returncode == 0, (page.name, done.stdout[-300:], done.stderr)
        assert "internal error" not in done.stderr
        assert f"grader quiz {topic}" in done.stdout
