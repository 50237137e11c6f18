"""What a notebook finds around it with nbgrader and does not find in a kernel that is shut in.

Two ways to know: what an instructor's cells name before any is run, and errors of cells that were. Both are guesses
by a few patterns: they tell an instructor and leave points to a person, and never give or take any.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from traitlets.config.loader import LazyConfigValue

from grader.kernels.kernel_limits import sees

OWN = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
    "TMPDIR",
    "IPYTHONDIR",
    "GRADER_CONFINED",
)
"""Variables that a kernel that is shut in has of its own, or no use for."""

_OF_OTHERS = ("JUPYTER", "JPY_", "NBGRADER_", "GRADER_", "DASK_")
"""How variables begin that programs around us set while they run: they are not from a configuration file."""

_SECRET_NAME = re.compile(
    r"token|secret|passw|passphrase|credential|(?:^|_)(?:api)?_?key(?:$|_)|(?:^|_)pwd?(?:$|_)|private", re.IGNORECASE
)
_SECRET_VALUE = re.compile(r"://[^/@\s]*:[^/@\s]*@|-----BEGIN ")

_PATH = re.compile(r"""(?P<quote>["'])(?P<path>/[^"'\n]*|\.\.(?:/[^"'\n]*)?)(?P=quote)""")
_VARIABLE = re.compile(r"""(?:environ(?:\.get)?|getenv)\s*[\[(]\s*["'](?P<name>\w+)["']""")
_FETCHES = re.compile(
    r"""urlopen|urlretrieve|requests\.(?:get|post)|load_state_dict_from_url|torch\.hub\.(?:load|download)|download\s*=\s*True"""
    r"""|^\s*[!%]+\s*(?:wget|curl|git clone|pip3? install|conda install)|read_\w+\(\s*f?["']https?:""",
    re.MULTILINE,
)

_NO_NETWORK = re.compile(
    r"Network is unreachable|Name or service not known|failure in name resolution|\[Errno (?:-[23]|101)\]"
)
_ERRNO = re.compile(r"\[Errno (?P<number>\d+)\][^:\n]*(?:: (?P<quote>['\"])(?P<path>[^'\"\n]+)(?P=quote))?")
_NO_MODULE = re.compile(r"No module named '(?P<name>\w+)")
_MISSING, _FORBIDDEN, _UNSUPPORTED = 2, (1, 13, 30), (95, 97)
"""ENOENT; EPERM, EACCES, EROFS; EOPNOTSUPP, EAFNOSUPPORT."""


def set_since(before: Mapping[str, str]) -> dict[str, str]:
    """Variables of this process that are not as they were."""
    found = {name: value for name, value in os.environ.items() if before.get(name) != value}
    return {name: value for name, value in found.items() if name not in OWN and not name.startswith(_OF_OTHERS)}


def set_by_this_process() -> dict[str, str]:
    """Variables that were set since this program was started, as by a configuration file. Empty where nobody knows."""
    try:
        started = Path("/proc/self/environ").read_bytes()
    except OSError:
        return {}
    pairs = (entry.partition(b"=") for entry in started.split(b"\0") if entry)
    return set_since({os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs})


def given(config: Any, found: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The variables that kernels get, and the names of those that look like secrets and stay out.

    `found` are those that a configuration file has set for its own process; what it sets as `c.Manager.variables` is
    for kernels, whatever its name.
    """
    asked = config.get("Manager", {}).get("variables", {})
    asked = asked.get_value({}) if isinstance(asked, LazyConfigValue) else dict(asked)
    secret = {name for name, value in found.items() if _SECRET_NAME.search(name) or _SECRET_VALUE.search(value)}
    return {name: value for name, value in found.items() if name not in secret} | asked, sorted(secret - set(asked))


# ---------------------------------------------------------------- before anything is run


def foreseen(
    cells: Iterable[tuple[str, str]], variables: Mapping[str, str], secrets: list[str], home: Path
) -> list[str]:
    """What is to be told of cells, given by their names and sources, before they are run; a sentence each.

    `variables` and `secrets` are as `given` says, `home` is where nbgrader would run the cells.
    """
    found: dict[str, None] = {}
    if secrets:
        names = ", ".join(secrets)
        found[
            f"Kernels do not get {names} of the configuration, which may be secret; `c.Manager.variables` gives it"
        ] = None
    for name, source in cells:
        for what in _named(source, variables, home):
            found[f"In a kernel that is shut in, cell `{name}` {what}"] = None
    for name, value in variables.items():
        for path in filter(_unseen, value.split(os.pathsep)):
            found[f"In a kernel that is shut in, the variable {name} names {path}, which is not there"] = None
    return list(found)


def _named(source: str, variables: Mapping[str, str], home: Path) -> Iterator[str]:
    for match in _PATH.finditer(source):
        path = match["path"]
        if os.path.lexists(os.path.normpath(home / path)) if path.startswith("..") else _unseen(path):
            yield f"names {path}, which is not there"
    for match in _VARIABLE.finditer(source):
        if _unset(match["name"], variables):
            yield f"reads the variable {match['name']}, which is not set there"
    if fetch := _FETCHES.search(source):
        yield f"has `{fetch[0].strip()}`, and there is no network"


def _unseen(path: str) -> bool:
    """Whether an absolute path is there for us, and not for a kernel that is shut in."""
    return path.startswith("/") and len(path) > 1 and os.path.lexists(path) and not sees(Path(path))


def _unset(name: str, variables: Mapping[str, str]) -> bool:
    return name in os.environ and name not in variables and name not in OWN and not name.startswith("NBGRADER_")


# ---------------------------------------------------------------- after a cell was run


def lacking(output: Mapping[str, Any], variables: Mapping[str, str], place: Path, home: Path) -> str:
    """What an error is for want of, as half a sentence; empty where it may be anything else.

    `place` is where the cell ran, `home` where nbgrader would have run it.
    """
    name, said = str(output.get("ename")), str(output.get("evalue"))
    if _NO_NETWORK.search("\n".join([said, *map(str, output.get("traceback") or ())])):
        return "there is no network"
    if name == "KeyError" and _unset(said.strip("'"), variables):
        return f"the variable {said.strip(chr(39))} is not set"
    if (module := _NO_MODULE.match(said)) and _importable(module["name"]):
        return f"the module {module['name']} is not there"
    for error in _ERRNO.finditer(said):
        if what := _of_errno(int(error["number"]), error["path"], place, home):
            return what
    return ""


def _of_errno(number: int, path: str | None, place: Path, home: Path) -> str:
    if number in _UNSUPPORTED:
        return "such a connection is not permitted"
    if number != _MISSING and number not in _FORBIDDEN:
        return ""
    if path is None:
        return "what it does is not permitted" if number in _FORBIDDEN else ""
    inside = Path(os.path.normpath(place / path)).is_relative_to(place)
    if inside:
        return ""
    outside = Path(path) if Path(path).is_absolute() else home / path
    if number == _MISSING:
        return f"{path} is not there" if os.path.lexists(os.path.normpath(outside)) else ""
    return f"{path} is out of reach"


def _importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
