"""Where banks are: given by their folders or names, in the current directory, in this package, in other packages.

Another package names its bank's folder in the entry-point group `grader.banks`: a path, or a function that gives one.
"""

from __future__ import annotations

import os
import re
import sysconfig
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from grader.errors import InputError, did_you_mean
from grader.model.banks import SHIPPED
from grader.runner.inside import sandbox
from grader.template import in_a_line

HEAD = "topic.yaml"
"""What a topic's folder says of the topic."""

GROUP = "grader.banks"

Given = Path | Sequence[Path] | None
"""The banks that somebody asked for: folders, or names of installed banks; nothing is the usual ones."""


def home(given: Given = None) -> Path:
    """The folder of the first bank: given, else in `GRADER_BANK`, else in the current directory, else the package's."""
    return every(given)[0]


def every(given: Given = None) -> list[Path]:
    """The folders of all banks that are asked: those that are given, or in `GRADER_BANK`, and no others.

    Without these, the bank in the current directory, else the package's own, and those of other packages. Raises
    InputError where there is none.
    """
    wanted = _wanted(given)
    return [_folder(path) for path in wanted] if wanted else [*_usual(Path())[:1], *installed().values()]


def homes(given: Given = None, here: Path = Path()) -> list[Path]:
    """The folders of banks that an item may be from, the one that counts first. `here` is the current directory.

    Those that are given or in `GRADER_BANK` are the only ones. Raises InputError where there is none.
    """
    wanted = _wanted(given)
    return [_folder(path) for path in wanted] if wanted else [*_usual(here), *installed().values()]


def own() -> Path | None:
    """The folder of this package's bank; None where it is missing."""
    beside = Path(__file__).parents[2]
    shared = Path("share", "torch-grader")
    return next(filter(has_quizzes, (beside, Path(sysconfig.get_path("data")) / shared, beside / shared)), None)


@cache
def installed() -> dict[str, Path]:
    """The folders of other packages' banks by their names. Raises InputError for one that cannot be used."""
    from importlib.metadata import entry_points

    return {point.name: _of_package(point.name, point.load) for point in entry_points(group=GROUP)}


def has_quizzes(folder: Path) -> bool:
    """Whether a folder is a bank."""
    quizzes = folder / "quizzes"
    return any(quizzes.glob("*.yaml")) or any(quizzes.glob(f"*/{HEAD}"))


def _wanted(given: Given) -> list[Path]:
    if given is None or given == ():
        return [Path(one) for one in os.environ.get("GRADER_BANK", "").split(os.pathsep) if one]
    return [given] if isinstance(given, Path) else list(given)


def _usual(here: Path) -> list[Path]:
    """The bank in a folder, then the package's own."""
    found = [folder for folder in (here, own()) if folder is not None and has_quizzes(folder)]
    if not found:
        raise InputError("there is no bank here, and the package's own is missing", "give one with --bank DIR")
    return found


def _folder(given: Path) -> Path:
    """The folder of a bank that is given by it, or by the name of an installed one."""
    if has_quizzes(given):
        return given
    name = str(given)
    if name == SHIPPED and (shipped := own()):
        return shipped
    if name in (known := installed()):
        return known[name]
    if not given.exists() and (meant := did_you_mean(name, [SHIPPED, *known])):
        raise InputError(f"{name}: there is no quiz here, and no installed bank of this name", meant)
    raise InputError(f"{given}: there is no quiz here", "a bank is a folder with quizzes/*.yaml in it")


def _of_package(name: str, load: object) -> Path:
    """The folder that a package names. Raises InputError where it is no bank, or where programs could read it."""
    without = f"update or uninstall the package; --bank {SHIPPED} asks without it"
    try:
        assert callable(load)
        found = load()
        folder = Path(found() if callable(found) else found)
    except Exception as error:  # noqa: BLE001  (it is somebody else's code)
        said = in_a_line(f"{type(error).__name__}: {error}")
        raise InputError(f"the package with the bank `{name}` does not say where it is: {said}", without) from None
    if not has_quizzes(folder):
        raise InputError(f"the installed bank `{name}` has no quizzes in {folder}", without)
    if name == SHIPPED or not _is_called(folder, name):
        what = "is called as the shipped one" if name == SHIPPED else f"has no bank.yaml that says `name: {name}`"
        raise InputError(f"the installed bank `{name}` {what}", without)
    if readable(folder):
        message = f"{folder}: programs of learners can read this folder, and the bank `{name}` in it has the answers"
        raise InputError(message, f"its package should install it below share/torch-grader; {without}")
    return folder


def _is_called(folder: Path, name: str) -> bool:
    try:
        text = (folder / "bank.yaml").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return re.search(rf"""^name:\s*["']?{re.escape(name)}["']?\s*(#.*)?$""", text, re.MULTILINE) is not None


def readable(folder: Path) -> bool:
    """Whether a program in the sandbox could read this folder."""
    place = folder.resolve()
    seen = any(place.is_relative_to(one.resolve()) for one in sandbox.libraries(sandbox.PROGRAM_SYSTEM))
    return seen and not place.is_relative_to(sandbox.SHARED.resolve())
