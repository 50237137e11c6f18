"""What is used of nbgrader without a promise: all of it is there, and stands in one file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from grader.nbgrader import private_names
from tests.support.common import ROOT

if TYPE_CHECKING:
    import pytest

HERE = ROOT / "grader/nbgrader/private_names.py"


def test_every_private_name_is_there() -> None:
    assert private_names.gone() == []


def test_a_name_that_is_gone_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    used = (("nbgrader.preprocessors", "ClearHiddenTests", "_no_longer"), ("nbgrader.api", "NoClass", "x"))
    monkeypatch.setattr(private_names, "USED", used)
    assert private_names.gone() == ["nbgrader.preprocessors.ClearHiddenTests._no_longer", "nbgrader.api.NoClass.x"]


def test_no_other_file_names_one() -> None:
    private = {name for _, _, name in private_names.USED if name.startswith("_") and not name.startswith("__")}
    words = re.compile("|".join(rf"\b{name}\b" for name in sorted(private | {"_preprocessors"})))
    found = [
        path.name for path in (ROOT / "grader").rglob("*.py") if path != HERE and words.search(path.read_text("utf-8"))
    ]
    assert found == []
