"""The lessons as a book: Sphinx with myst-nb and mystmd take them as they are, and every link leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from grader.content import lesson_files
from tests.support import built_pages
from tests.support.common import ROOT
from tests.support.patience import COMMAND, seconds
from tests.support.tables_of_contents import LESSONS, tables

PAGES = lesson_files.files([ROOT])


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book, as Sphinx builds it; a warning is an error."""
    out = tmp_path_factory.mktemp("book")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", str(LESSONS), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds(COMMAND))
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.slow
def test_the_book_has_every_page_and_no_warning(book: Path) -> None:
    for page in PAGES:
        text = (book / page.relative_to(LESSONS)).with_suffix(".html").read_text()
        assert "{eval}" not in text
        assert "highlight-output" in text


@pytest.mark.slow
def test_links_and_anchors_of_the_book_resolve(book: Path) -> None:
    assert built_pages.followed(book) > 50


def test_links_of_the_files_resolve() -> None:
    """As on GitHub, where a page is read as it lies here."""
    for path in [*PAGES, LESSONS / "README.md"]:
        for token in MarkdownIt().parse(path.read_text()):
            for child in token.children or []:
                href = str(child.attrs.get("href", ""))
                if href and not re.match(r"[a-z]+:|#", href):
                    assert (path.parent / href.partition("#")[0]).exists(), f"{path}: {href}"


def test_every_page_is_in_the_tables_of_contents() -> None:
    """`python -m tests.support.tables_of_contents` writes them."""
    for name, text in tables().items():
        assert (LESSONS / name).read_text() == text, name


@pytest.mark.long
def test_mystmd_reads_and_exports_every_page_without_a_warning(node: str, tmp_path: Path) -> None:
    copy = tmp_path / "lessons"
    for path in [*PAGES, LESSONS / "README.md", LESSONS / "myst.yml"]:
        to = copy / path.relative_to(LESSONS)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(path.read_text())
    names = [str(page.relative_to(LESSONS)) for page in PAGES]
    done = subprocess.run(
        [Path(sys.executable).with_name("myst"), "build", "--md", "--strict", "--ci", "--force", *names],
        cwd=copy, env={**os.environ, "PATH": node, "HOME": str(tmp_path)}, capture_output=True, text=True, check=False, timeout=seconds(COMMAND),
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "⚠" not in said, said
    assert said.count("Exported MD") == len(PAGES)
