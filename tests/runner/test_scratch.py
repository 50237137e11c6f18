"""Emptying what a hostile program left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.runner.inside.scratch import AT_ONCE, emptied, empty


def deep(folder: Path) -> None:
    here = os.open(folder, os.O_RDONLY)
    for _ in range(2000):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def shut(folder: Path) -> None:
    (folder / "a/b/c").mkdir(parents=True)
    (folder / "a/b/c/file").write_text("x")
    (folder / "a/b/c").chmod(0)
    (folder / "a/b").chmod(0)
    (folder / "a").chmod(0)


def wide(folder: Path) -> None:
    for number in range(1000):
        (folder / f"{number}").mkdir()
        (folder / f"{number}" / ".empty-0").mkdir()
        (folder / f".empty-{number}").write_text("the name that would be taken")


def linked(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "inner/out").symlink_to(folder.parent)
    (folder / "away").symlink_to("/")
    (folder / "broken").symlink_to("nowhere")


def nothing(folder: Path) -> None: ...


@pytest.mark.parametrize("make", [deep, shut, wide, linked, nothing])
def test_nothing_stays(make: object, tmp_path: Path) -> None:
    folder = tmp_path / "scratch"
    folder.mkdir()
    (tmp_path / "beside").write_text("not to be touched")
    make(folder)  # type: ignore[operator]
    empty(str(folder))
    assert list(folder.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["beside", "scratch"]


def test_a_little_is_removed_at_once_and_more_is_left_to_others(tmp_path: Path) -> None:
    for number in range(AT_ONCE - 1):
        (tmp_path / str(number)).write_text("x")
    (tmp_path / "folder").mkdir()
    assert emptied(str(tmp_path))
    assert emptied(str(tmp_path))
    for number in range(AT_ONCE + 1):
        (tmp_path / str(number)).write_text("x")
    assert not emptied(str(tmp_path))
    empty(str(tmp_path))
    linked(tmp_path)
    assert not emptied(str(tmp_path))
    assert not emptied(str(tmp_path / "nowhere"))
