"""A terminal that a test can look at: a command in a pseudo-terminal, and what stands on its screen."""

from __future__ import annotations

import io
import re
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import pexpect
import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

from tests.support.common import ROOT
from tests.support.patience import EVENT, until

ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78])")
COMMAND = re.compile(r"^  (grader .*?)(?: {3}|$)", re.MULTILINE)
COLORS = {"brown": "yellow", "default": None}
"""Names of pyte that rich has others for."""

A_MOMENT = 0.05
"""Between two looks at what was printed, in seconds; nothing is decided by it."""


class Screen:
    """Runs commands, one after the other, in a terminal of this size and with these variables alone."""

    def __init__(self, variables: dict[str, str], columns: int = 80, lines: int = 24, folder: Path = ROOT) -> None:
        self.columns, self.lines = columns, lines
        self._variables, self._folder = variables, folder
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.Stream(self._screen)
        self._child: Any = None
        self._since = 0
        self.line = ""
        """The command that was started last."""
        self.raw = ""
        """All that the command has printed, as it came."""

    def start(self, line: str) -> None:
        """Begin a command, as it would be typed: `grader quiz warmup`."""
        self.close()
        self.line = line
        name, *arguments = shlex.split(line)
        assert name == "grader", line
        self._screen.reset()
        self.raw, self._since = "", 0
        self._stream.feed(f"$ {line}\r\n")
        self._child = pexpect.spawn(
            sys.executable, ["-m", "grader", *arguments], env=self._variables, cwd=str(self._folder), encoding="utf-8",
            codec_errors="replace", timeout=None, dimensions=(self.lines, self.columns),
        )  # fmt: skip

    def close(self) -> None:
        """End what still runs."""
        if self._child is not None:
            self._child.close(force=True)
            self._child = None

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def printed(self) -> str:
        """All that the command has printed, without what a terminal does with it."""
        return ESCAPES.sub("", self.raw).replace("\r", "")

    @property
    def named(self) -> list[str]:
        """The commands that the screen names to go on with."""
        return COMMAND.findall(self.text.rpartition("\nNext\n")[2])

    def _read(self) -> bool:
        """Take what was printed; False where the command has ended."""
        try:
            new = self._child.read_nonblocking(65536, timeout=A_MOMENT)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += new
        self._stream.feed(new)
        return True

    def wait(self, text: str) -> None:
        """Until this was printed after what was typed last."""
        until(lambda: (self._read() and text in self._new()) or text in self._new(), self._missing(repr(text)), EVENT)

    def stop(self) -> bool:
        """Until something can be typed, or a pager waits for a key; whether it is the pager."""

        def stopped() -> bool:
            self._read()
            return self._new().endswith(("\n> ", "\n:", "(END)"))

        until(stopped, self._missing("a prompt or a pager"), EVENT)
        return not self._new().endswith("\n> ")

    def stop_or_end(self) -> None:
        """Until something can be typed, or the command has ended."""
        until(lambda: not self._read() or self._new().endswith("\n> "), self._missing("a prompt or the end"), EVENT)

    def prompt(self) -> None:
        """Until something can be typed."""
        until(lambda: self._read() and self._new().endswith("\n> "), self._missing("a prompt"), EVENT)

    def end(self) -> int:
        """Until the command has ended; its exit code."""
        until(lambda: not self._read(), self._missing("the end"), EVENT)
        self._child.close()
        return int(self._child.exitstatus or 0)

    def type(self, line: str) -> None:
        """Type a line at once."""
        self._since = len(self.raw)
        self._child.send(f"{line}\n")

    def press(self, key: str) -> None:
        """Press a key, which is no line."""
        self._since = len(self.raw)
        self._child.send(key)

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._since = len(self.raw)
        self._child.sendintr()

    def settle(self) -> None:
        """Take what is printed until nothing was for a moment: of a pager, which says nothing at its end."""
        until(lambda: not self._read() or self._new(), self._missing("anything"), EVENT)
        before = -1
        while len(self.raw) > before:
            before = len(self.raw)
            time.sleep(0.2)
            self._read()

    def _new(self) -> str:
        return ESCAPES.sub("", self.raw[self._since :]).replace("\r", "")

    def _missing(self, what: str) -> Any:
        return lambda: f"{what} did not come:\n{self.text}"

    @property
    def too_wide(self) -> list[str]:
        """Printed lines that do not fit."""
        return [line for line in self.printed.split("\n") if len(line) > self.columns]

    @property
    def colored(self) -> bool:
        """Whether anything on the screen has a color."""
        return any(cell.fg != "default" for line in self._screen.buffer.values() for cell in line.values())

    def svg(self, title: str) -> str:
        """The screen as a picture."""
        console = Console(
            width=self.columns, file=io.StringIO(), record=True, force_terminal=True, color_system="truecolor"
        )
        for row in range(self.lines):
            line, cells = Text(no_wrap=True), self._screen.buffer[row]
            for column in range(self.columns):
                cell = cells[column]
                line.append(cell.data, Style(color=_color(cell.fg), bold=cell.bold, dim=False, reverse=cell.reverse))
            console.print(line, soft_wrap=True)
        return re.sub(r"@font-face \{.*?\}", "", console.export_svg(title=title), flags=re.DOTALL)


def _color(name: str) -> str | None:
    """A color of pyte as rich calls it."""
    if name.startswith("bright"):
        return f"bright_{COLORS.get(name[6:], name[6:])}"
    return COLORS.get(name, f"#{name}" if re.fullmatch("[0-9a-f]{6}", name) else name)
