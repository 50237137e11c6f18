"""The seams of the house: places where a member is one file in a folder of ours, or a module of another package.

A member of another package is named by an entry point, in the group that the seam is called by. Finding out which
members there are imports none of them. Standard library only: the worker's side has a seam too.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Collection, Iterable, Mapping
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from grader.errors import InputError, did_you_mean

SEAMS: list[Seam] = []
"""Those of this process."""


def whose(error: BaseException) -> str:
    """The member or package of others whose code raised it, in words ("the kind `rank`"); empty where it is ours."""
    members = {where: f"the {seam.member} `{name}`" for seam in SEAMS for name, where in seam.in_use().items()}
    packages = {name: f"the package `{name}`" for name in {where.split(".")[0] for where in members}}
    found, place = "", error.__traceback__
    while place:  # the last of theirs or ours counts, whatever that called
        module = str(place.tb_frame.f_globals.get("__name__", ""))
        package = module.split(".", maxsplit=1)[0]
        if package in packages or package == "grader":
            found = members.get(module) or packages.get(package, "")
        place = place.tb_next
    return found


def blame(error: BaseException) -> str:
    """Whose error it is, as a message begins: an internal one, where it is of no other package."""
    theirs = whose(error)
    return f"an error of {theirs}" if theirs else "an internal error"


class Seam:
    """One place where members can be added, by whoever writes a file for it."""

    def __init__(
        self, member: str, package: str, folder: Iterable[str], wants: Collection[str], *,
        besides: Collection[str] = (), folders: bool = False,
    ) -> None:  # fmt: skip
        """The seam of `member`s (a kind, a face, ...), ours being the modules in the `folder` of a package.

        `wants` are the names that a member's module must have. Modules `besides` are no members; with `folders` only
        those that are packages are.
        """
        self.member, self.group = member, f"grader.{member}s"
        self._package, self._folder, self._wants = package, folder, wants
        self._besides, self._folders = besides, folders
        self._given: dict[str, Path] | None = None
        self._ours: tuple[str, ...] | None = None
        self.forget()
        SEAMS.append(self)

    def forget(self) -> None:
        """Look again for what is installed, when it is asked for next."""
        self._points: dict[str, str] | None = None
        self._loaded: dict[str, ModuleType] = {}

    def give(self, files: Mapping[str, Path]) -> None:
        """Take these files as the members of other packages, and look for no others: where no package can be found."""
        self.forget()
        self._given = dict(files)

    # ------------------------------------------------------------ which there are

    def built_in(self) -> tuple[str, ...]:
        """The members of this package."""
        if self._ours is None:
            found = pkgutil.iter_modules(self._folder)
            ours = [one.name for one in found if one.name not in self._besides and (one.ispkg or not self._folders)]
            self._ours = tuple(sorted(name.replace("_", "-") for name in ours))
        return self._ours

    def plugins(self) -> dict[str, str]:
        """The modules of the members of other packages, by the members' names. None can take a name of ours."""
        if self._points is None:
            ours = self.built_in()
            if self._given is not None:
                found = {name: f"grader_{self.member}_{name}" for name in self._given}
            else:
                from importlib import metadata  # dear, and a worker never asks

                points = sorted(metadata.entry_points(group=self.group), key=lambda point: point.value)
                found = {point.name: point.value for point in reversed(points)}
            self._points = {name: module for name, module in found.items() if name not in ours}
        return self._points

    def in_use(self) -> dict[str, str]:
        """The modules of those members of other packages that were asked for."""
        return {name: where for name, where in (self._points or {}).items() if name in self._loaded}

    def names(self) -> tuple[str, ...]:
        """All members, those of other packages included."""
        return tuple(sorted({*self.built_in(), *self.plugins()}))

    def files(self) -> dict[str, tuple[Path, ...]]:
        """The files of the members of other packages, found without importing them: of a folder, all that is Python."""
        return {name: _files(module) for name, module in sorted(self.plugins().items())}

    def drop(self, name: str) -> None:
        """Do without a member of another package, until what is installed is looked for again."""
        self.plugins().pop(name, None)

    # ------------------------------------------------------------ one of them

    def module(self, name: str) -> ModuleType:
        """The module of the member of this name. Raises InputError where there is none, or it is no such member."""
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> ModuleType:
        if name in self.built_in():
            return importlib.import_module(f"{self._package}.{name.replace('-', '_')}")
        if name not in self.plugins():
            hint = did_you_mean(name, self.names()) or f"the {self.member}s are {', '.join(self.names())}"
            raise InputError(f"there is no {self.member} `{name}`", hint)
        where = self.plugins()[name]
        try:
            module = self._from_file(where, self._given[name]) if self._given else importlib.import_module(where)
        except Exception as error:
            message = f"the {self.member} `{name}` cannot be used: {where}: {type(error).__name__}: {error}"
            raise InputError(message, "update or remove the package that brings it") from error
        if missing := [wanted for wanted in self._wants if not hasattr(module, wanted)]:
            message = f"the {self.member} `{name}` cannot be used: {where} has no `{missing[0]}`"
            raise InputError(message, f"docs/contributor/{self.member}s.md says what a {self.member} has")
        return module

    @staticmethod
    def _from_file(name: str, path: Path) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec
        assert spec.loader
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def _files(module: str) -> tuple[Path, ...]:
    spec = _spec(module)
    if spec and spec.submodule_search_locations:
        return tuple(path for folder in spec.submodule_search_locations for path in sorted(Path(folder).rglob("*.py")))
    return (Path(spec.origin),) if spec and spec.origin else ()


def _spec(module: str) -> ModuleSpec | None:
    """Where a module is; no package above it is imported."""
    spec, above = None, None
    for depth in range(module.count(".") + 1):
        spec = PathFinder.find_spec(".".join(module.split(".")[: depth + 1]), above)
        if spec is None:
            return None
        above = spec.submodule_search_locations
    return spec
