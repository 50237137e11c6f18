"""Somebody's files as bytes and text: folders and zip archives are walked, nothing in them is run or followed."""

from __future__ import annotations

import codecs
import io
import json
import os
import stat
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from grader.errors import InputError

if TYPE_CHECKING:
    from grader.exchange.xml_elements import Parsed

LARGEST = 16 << 20
"""Bytes of a file, and of all that is in an archive together."""

MOST_FILES = 2_000
"""In a folder or an archive."""

ODD = ("__MACOSX", ".git", ".ipynb_checkpoints", "node_modules", "__pycache__")
"""Folders that hold copies or nothing of interest."""

SUFFIXES = (
    ".json", ".xml", ".qti", ".gift", ".txt", ".csv", ".tsv", ".toml", ".md", ".qmd", ".markdown", ".ipynb", ".py",
    ".yaml", ".yml", ".zip",
)  # fmt: skip
"""What is looked into in a folder or an archive; a file that is named is read whatever it is called."""


@dataclass(frozen=True)
class QuizFile:
    """One file: its name for people, its bytes."""

    name: str
    data: bytes
    asked: bool = True
    """It was named, and not found in a folder or an archive: that it is no quiz is worth telling."""
    beside: dict[str, bytes] = field(default_factory=dict, compare=False)
    """Other files of its archive, by their paths."""

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()

    @cached_property
    def text(self) -> str:
        """Its text with plain ends of lines: UTF-8, or UTF-16 with a mark. Raises InputError with the place."""
        encoding = "utf-8-sig"
        if self.data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            encoding = "utf-16"
        try:
            text = self.data.decode(encoding)
        except UnicodeDecodeError as error:
            line = self.data.count(b"\n", 0, error.start) + 1
            message = f"{self.name}:{line}: byte {error.start + 1} of the file is not {encoding[:6].upper()} text"
            raise InputError(message, "save the file as UTF-8 text") from None
        return text.replace("\r\n", "\n").replace("\r", "\n")

    @cached_property
    def json(self) -> Any:
        """Its text as JSON. Raises InputError with the place."""
        try:
            return json.loads(self.text)
        except json.JSONDecodeError as error:
            message = f"{self.name}:{error.lineno}:{error.colno}: this is not JSON: {error.msg}"
            raise InputError(message, "the file may have been cut off; export it again") from None
        except (RecursionError, ValueError):
            message = f"{self.name}:1: this JSON is nested too deeply, or has a number without end"
            raise InputError(message, "a quiz is a list of questions") from None

    @cached_property
    def xml(self) -> Parsed:
        """Its text as XML. Raises InputError with the place."""
        from grader.exchange.xml_elements import parse

        return parse(self.data, self.name)

    @cached_property
    def is_xml(self) -> bool:
        """Whether it begins as XML does."""
        start = self.data[:2000]
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "<" in start.decode("utf-16", "ignore")[:1]
        return start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")

    @cached_property
    def head(self) -> str:
        """The first characters, for a first look; what cannot be decoded is replaced."""
        utf16 = self.data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return self.data[:8000].decode("utf-16" if utf16 else "utf-8", "replace")


def read_all(paths: Iterable[Path]) -> Iterator[QuizFile]:
    """The files that are named, in folders, and in zip archives. Raises InputError."""
    for path in paths:
        if path.is_dir():
            yield from _in_folder(path)
        else:
            yield from _opened(_read(path, str(path)))


def _in_folder(folder: Path) -> Iterator[QuizFile]:
    found = 0
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in ODD)
        for name in sorted(names):
            path = Path(top, name)
            if path.suffix.lower() not in SUFFIXES or name.startswith("._") or path.is_symlink():
                continue
            found += 1
            if found > MOST_FILES:
                raise InputError(f"{folder}: there are more than {MOST_FILES:,} files in it", "give a smaller folder")
            yield from _opened(_read(path, str(path), asked=False))
    if not found:
        raise InputError(f"{folder}: there is no quiz file in this folder", "give a file, whatever it is called")


def _read(path: Path, name: str, *, asked: bool = True) -> QuizFile:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InputError(f"{name}: it is not an ordinary file", "give a quiz file, a folder or a zip archive")
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"{name}: the file cannot be read: {error.strerror}", "check its name") from None
    if len(data) > LARGEST:
        raise InputError(f"{name}: the file has more than {LARGEST:,} bytes", "export fewer questions at a time")
    return QuizFile(name, data, asked)


def _opened(file: QuizFile) -> Iterator[QuizFile]:
    """The file itself, or what is in it where it is an archive."""
    if not file.data.startswith(b"PK\x03\x04"):
        yield file
        return
    try:
        with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir() and _wanted(entry.filename)]
            if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > LARGEST:
                message = f"{file.name}: the archive has more than {LARGEST:,} bytes or {MOST_FILES:,} files in it"
                raise InputError(message, "unpack it, and give the quiz files")
            inside = {entry.filename: _extracted(archive, entry) for entry in entries}
    # By these zipfile says: no archive, encrypted, packed in an unknown way, cut, odd names or dates.
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError) as error:
        message = f"{file.name}: the archive cannot be opened: {error}"
        raise InputError(message, "unpack it, and give the quiz files") from None
    for name in sorted(inside):
        yield QuizFile(f"{file.name}/{name}", inside[name], asked=False, beside=inside)


def _extracted(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """What is in an entry, never more than it says."""
    with archive.open(entry) as opened:
        data = opened.read(entry.file_size + 1)
    if len(data) > entry.file_size:
        raise ValueError("an entry is larger than it says")
    return data


def _wanted(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in SUFFIXES and not path.name.startswith("._") and not set(path.parts) & set(ODD)
