"""The folder that a notebook runs in: a copy of what nbgrader has put beside it, and what of it goes back.

Nothing in it leads to the course. The notebooks in it, the one that runs and those graded before it, are without hidden
tests, as they were released. What was made while hidden tests were in the kernel may repeat them: it is searched as the
feedback is, since nbgrader gives it to the student together with that.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from grader.kernels import cleanup
from grader.nbgrader import hidden_tests
from grader.nbgrader.hidden_tests import Delimiters, Secret

FILES, FILE_BYTES = 1000, 256 << 20
"""How many files that a notebook made are kept beside it, and how many bytes of all of them."""

SEARCHED_BYTES = 2 << 20
"""Bytes of files that are searched for hidden tests; what is beyond them does not go back."""


class RunFolder:
    """A folder with the same name as the one that it stands for, in a folder of the student's name."""

    def __init__(self, home: Path, root: Path, words: Delimiters) -> None:
        """Copy `home`, where nbgrader runs the notebook, into a new folder in `root`. Raises OSError."""
        self.home, self.folder = home, root / home.parent.name / home.name
        self.folder.mkdir(parents=True)
        for path in _files(home):
            there = self.folder / path.relative_to(home)
            there.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".ipynb":
                with contextlib.suppress(Exception):  # what is no notebook is not one that nbgrader has put there
                    nbformat.write(_released(nbformat.read(path, as_version=4), words), there)
            else:
                shutil.copyfile(path, there)
                there.chmod(0o700 if path.stat().st_mode & stat.S_IXUSR else 0o600)
        self._before = {path.relative_to(self.folder): _stand(path) for path in _files(self.folder)}
        self._innocent: dict[Path, str] | None = None

    def note_innocent(self) -> None:
        """Take down what is there now, before the first hidden test is in the kernel."""
        if self._innocent is None:
            self._innocent = {path.relative_to(self.folder): _digest(path) for path, _ in self._made()}

    def take_back(self, secret: Secret) -> list[str]:
        """Keep what the notebook wrote beside it, as nbgrader does; what was not kept, as half sentences.

        No notebook goes back, no link, nothing that repeats hidden tests, and not too much.
        """
        made = list(self._made())
        known = self._innocent
        later = [name for path, name in made if known is not None and known.get(name) != _digest(path)]
        held = _held_back(self.folder, later, secret)
        for _, name in made:
            if name not in held:
                with contextlib.suppress(OSError):
                    (self.home / name).parent.mkdir(parents=True, exist_ok=True)
                    (self.home / name).unlink(missing_ok=True)
                    shutil.copyfile(self.folder / name, self.home / name)
        more = [f"more than {FILES} files or {FILE_BYTES >> 20} MiB"] if self._too_much else []
        return [*(f"{name}, which {why}" for name, why in held.items()), *more]

    def _made(self) -> Iterator[tuple[Path, Path]]:
        """What was made or changed here, up to the bounds: paths, and names in the folder."""
        left, count, self._too_much = FILE_BYTES, 0, False
        for path in cleanup.files(self.folder):
            name = path.relative_to(self.folder)
            if path.suffix == ".ipynb" or self._before.get(name) == _stand(path):
                continue
            left, count = left - path.stat().st_size, count + 1
            if left < 0 or count > FILES:
                self._too_much = True
                return
            yield path, name


def _held_back(folder: Path, names: list[Path], secret: Secret) -> dict[Path, str]:
    """Which of these files must not be given to the student, each with the reason."""
    held: dict[Path, str] = {}
    together, left = "", SEARCHED_BYTES
    for name in names:
        left -= (folder / name).stat().st_size
        text = _text(folder / name) if left >= 0 else None
        if text is None:
            held[name] = "was made beside hidden tests and cannot be searched for them"
        elif secret.in_text(text) or secret.in_text(str(name)):
            held[name] = "repeats hidden tests"
        else:
            together += f"{name}\n{text}\n"
    if secret.in_text(together) or secret.in_text("\n".join(map(str, names))):
        held |= dict.fromkeys(names, "repeats hidden tests, together with others")
    return held


def _text(path: Path) -> str | None:
    """The text of a file; None where it is none."""
    try:
        text = path.read_bytes().decode()
    except (UnicodeDecodeError, OSError):
        return None
    return None if "\0" in text else text


def _released(nb: Any, words: Delimiters) -> Any:
    """A notebook without hidden tests, outputs, and what we have noted of its cells."""
    for cell in nb.cells:
        cell.source = hidden_tests.split(cell.source, words)[0]
        cell.metadata.pop("torch_grader", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nb


def _files(folder: Path) -> Iterator[Path]:
    """The files of a folder and of those in it; links are passed over, and not followed."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _stand(path: Path) -> tuple[int, int]:
    return path.stat().st_mtime_ns, path.stat().st_size


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
