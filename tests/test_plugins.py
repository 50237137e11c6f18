"""A seam finds its members without importing them, and says what is wrong with one of another package."""

from __future__ import annotations

import importlib
import sys
from importlib import metadata
from pathlib import Path

import pytest

from grader import kinds
from grader.errors import InputError
from grader.exchange import formats
from grader.plugins import SEAMS, Seam, blame, whose


@pytest.fixture
def seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Seam:
    """Things of ours, and things of other packages, some of which are broken."""
    ours = tmp_path / "our_things"
    ours.mkdir()
    (ours / "first_one.py").write_text("NAME = 1\n")
    (ours / "shared.py").write_text("raise AssertionError('it is no thing')\n")
    theirs = tmp_path / "their_things"
    (theirs / "large").mkdir(parents=True)
    (theirs / "__init__.py").write_text("")
    (theirs / "good.py").write_text("NAME = 2\n")
    (theirs / "other.py").write_text("NAME = 3\n")
    (theirs / "bad.py").write_text("import no_such_module\n")
    (theirs / "poor.py").write_text("OTHER = 1\n")
    (theirs / "large/__init__.py").write_text("NAME = 4\n")
    (theirs / "large/part.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    named = {"good": "good", "bad": "bad", "poor": "poor", "first-one": "good", "large": "large"}
    points = [metadata.EntryPoint(name, f"their_things.{module}", "grader.things") for name, module in named.items()]
    points += [metadata.EntryPoint("good", "their_things.other", "grader.things")]
    monkeypatch.setattr(metadata, "entry_points", lambda group: points if group == "grader.things" else [])
    made = Seam("thing", "our_things", [str(ours)], ("NAME",), besides=("shared",))
    yield made
    SEAMS.remove(made)
    for name in [name for name in sys.modules if name.startswith(("our_things", "their_things"))]:
        del sys.modules[name]


def test_members_are_found_without_being_imported(seam: Seam) -> None:
    assert seam.built_in() == ("first-one",)
    assert seam.names() == ("bad", "first-one", "good", "large", "poor")
    assert [path.name for path in seam.files()["large"]] == ["__init__.py", "part.py"]
    assert not [name for name in sys.modules if name.startswith("their_things")]


def test_what_a_member_of_another_package_raises_is_told_as_its_own(seam: Seam, tmp_path: Path) -> None:
    (tmp_path / "their_things/good.py").write_text(
        "from their_things import large\nNAME = 2\nfail = lambda: 1 / len('')\n"
    )
    with pytest.raises(ZeroDivisionError) as raised:
        seam.module("good").fail()
    assert whose(raised.value) == "the thing `good`"
    assert blame(raised.value) == "an error of the thing `good`"
    (tmp_path / "their_things/large/part.py").write_text("part = lambda: {}['x']\n")
    seam.module("large")
    with pytest.raises(KeyError) as beside:
        importlib.import_module("their_things.large.part").part()
    assert whose(beside.value) == "the package `their_things`"
    with pytest.raises(InputError) as refused:
        seam.module("godo")
    assert not whose(refused.value)
    assert blame(refused.value) == "an internal error"


def test_nobody_takes_a_name_of_ours_and_of_two_the_first_counts(seam: Seam) -> None:
    assert "first-one" not in seam.plugins()
    assert seam.plugins()["good"] == "their_things.good"


@pytest.mark.parametrize(("name", "said", "hint"), [
    ("bad", "the thing `bad` cannot be used: their_things.bad: ModuleNotFoundError", "update or remove the package"),
    ("poor", "the thing `poor` cannot be used: their_things.poor has no `NAME`", "docs/contributor/things.md"),
    ("godo", "there is no thing `godo`", "did you mean `good`?"),
    ("x", "there is no thing `x`", "the things are bad, first-one, good, large, poor"),
])  # fmt: skip
def test_what_is_wrong_is_told_with_the_next_step(seam: Seam, name: str, said: str, hint: str) -> None:
    with pytest.raises(InputError) as raised:
        seam.module(name)
    assert raised.value.message.startswith(said)
    assert hint in raised.value.hint


def test_where_files_are_given_no_package_is_looked_for(seam: Seam, tmp_path: Path) -> None:
    seam.give({"good": tmp_path / "their_things/other.py"})
    assert seam.names() == ("first-one", "good")
    assert seam.module("good").NAME == 3
    seam.drop("good")
    assert seam.names() == ("first-one",)


def test_our_seams_have_the_groups_that_packages_name() -> None:
    assert (kinds.SEAM.group, formats.SEAM.group) == ("grader.kinds", "grader.formats")
