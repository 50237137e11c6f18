"""The page of benchmarks is rewritten section by section. What is measured is not tested here: it takes an hour."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bench import page
from tests.bench.page import FOREIGN, HEADING, NAMES, chosen, environment, rewritten
from tests.support.common import ROOT

OLD = "By hand.\n\n<!-- section: programs -->\n## A\n\nx\n\n<!-- section: kernels -->\n## B\n\ny \r\n\n\n<!-- section: long -->\n## C\nz"


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("new", "page"),
    [
        ({}, OLD),
        ({"kernels": "## N\n"}, OLD.replace("## B\n\ny \r\n\n\n", "## N\n\n")),
        ({"long": "\n## N\n\n"}, OLD.replace("## C\nz", "## N\n")),
        ({"long": "## L", "programs": "## P"}, OLD.replace("## A\n\nx", "## P").replace("## C\nz", "## L\n")),
        # A section that is new goes to its place, or to the end.
        (
            {"tools": "## T"},
            OLD.replace("<!-- section: kernels", "<!-- section: tools -->\n## T\n\n<!-- section: kernels"),
        ),
        ({"records": "## R"}, OLD + "\n\n<!-- section: records -->\n## R\n"),
    ],
    ids=["nothing", "middle", "last", "two", "new", "new at the end"],
)
def test_only_what_is_new_changes(new: dict[str, str], page: str) -> None:
    assert rewritten(OLD, new) == page


@settings(max_examples=60, deadline=None)
@given(st.permutations(NAMES), st.sets(st.sampled_from(NAMES)))
def test_a_section_at_a_time_makes_the_page_that_all_at_once_make(order: list[str], again: set[str]) -> None:
    texts = {name: f"## {name}\n\n| {name} |\n" for name in NAMES}
    made = ""
    for name in order:
        made = rewritten(made, {name: texts[name]})
    assert made == rewritten("", texts)
    assert made.startswith(HEADING)
    assert page.MARKER.findall(made) == list(NAMES)
    assert rewritten(made, {name: texts[name] for name in again}) == made


def test_sections_that_nobody_knows_are_left_alone_and_doubled_ones_refused() -> None:
    odd = OLD.replace("kernels", "of-yesterday")
    assert rewritten(odd, {"programs": "## A\n\nx"}) == odd
    with pytest.raises(ValueError, match="more than one section kernels, long, programs"):
        rewritten(OLD + OLD, {})


def test_the_page_in_the_repository_can_be_rewritten() -> None:
    text = (ROOT / "BENCHMARKS.md").read_bytes().decode()
    assert text.startswith(HEADING)
    assert rewritten(text, {}) == text
    found = page.MARKER.findall(text)
    assert found == [name for name in NAMES if name in found]
    for section in page.MARKER.split(text)[2::2]:
        title, empty, measured = section.strip().split("\n")[:3]
        assert title.startswith("## ")
        assert not empty
        assert measured.startswith("Measured on 20"), title


def test_names_choose_sections_and_the_environment() -> None:
    assert chosen("") == list(NAMES)
    assert chosen("records, programs") == ["programs", "records"]
    assert environment(chosen("")) == ".venv-bench"
    assert {environment([name]) for name in FOREIGN} == {".venv-bench"}
    assert {environment([name]) for name in NAMES if name not in FOREIGN} == {".venv"}


@pytest.mark.parametrize("only", ["programs,nonsense", ","])
def test_a_wrong_name_is_told_with_those_that_there_are(only: str, tmp_path: Path) -> None:
    """Also by what `make bench` asks first, which runs in any Python."""
    for done in (
        python("-m", "tests.bench", "--only", only, "--page", str(tmp_path / "page")),
        python("-m", "tests.bench.page", only),
    ):
        assert done.returncode == 2
        assert f"the sections are {', '.join(NAMES)}" in done.stderr
        assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


STAND_INS = """
import sys
from tests.bench import __main__ as bench
def fails(module, *arguments):
    if module == "scale":
        {}
    return [{{"attempts": 0, "MiB": 1, "both": 1, "one": 1, "topics": 1}}]
bench.SIZES = (100,)
bench.MEASURE["long"] = lambda _: bench._long(0)
bench._measured = fails
sys.argv = ["bench", "--only", "{}", "--page", "{}"]
bench.main()
"""


@pytest.mark.parametrize(
    ("how", "code"), [("sys.exit('it failed')", 1), ("raise KeyboardInterrupt", 130)], ids=["failing", "interrupted"]
)
def test_a_run_that_does_not_come_to_its_end_leaves_the_page(how: str, code: int, tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_bytes(OLD.encode())
    done = python("-c", STAND_INS.format(how, "records,long", path))
    assert (done.returncode, path.read_bytes().decode()) == (code, OLD), done.stderr
    assert "Traceback" not in done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.md"]
    done = python("-c", STAND_INS.format(how, "records", path))
    assert done.returncode == 0, done.stderr
    assert path.read_bytes().decode().startswith(OLD + "\n\n<!-- section: records -->\n## Records")
