"""What a learner types at a question: a line, code of several lines, a file, or what an editor saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click
from rich.text import Text

from grader.faces.terminal import keys
from grader.faces.terminal.keys import END_OF_CODE, Keys, takes_code
from grader.faces.terminal.sitting_text import SittingText
from grader.model import CodeInput, Prompt, Result
from grader.render import terminal_text

if TYPE_CHECKING:
    from rich.console import Console


class Lines(Protocol):
    """Where answers come from; see `keyboard.Keyboard`."""

    interactive: bool

    def line(self) -> str | None: ...

    def drop_ahead(self) -> None: ...


class Typing(SittingText):
    """Reads what is typed, and shows what may be."""

    def __init__(self, console: Console, keyboard: Lines, plain: bool = False) -> None:
        super().__init__(console, plain)
        self.keyboard = keyboard
        self.interactive = keyboard.interactive

    def _typed(self, shown: Keys, whole: Callable[[str], str | None] | None = None) -> str | None:
        """Show what may be typed, and read a line, or a `whole` answer that begins with it; None to leave.

        The first Ctrl-C clears what was typed, the second leaves. What was typed before the keys appeared is dropped.
        """
        interrupted = False
        while True:
            try:
                self.keyboard.drop_ahead()
                self.console.print()
                for line in shown.lines(self.console.width, interactive=self.interactive):
                    self.console.print(line, style="dim")
                self.console.print("> ", end="")
                raw = self.keyboard.line()
                if raw is not None and self.interactive and raw.strip() == keys.HELP.name:
                    self._list(shown)
                    continue
                if raw is None or whole is None or keys.command(raw) in shown.names():
                    return raw
                if (answer := whole(raw)) is not None:
                    return answer
            except KeyboardInterrupt:
                if interrupted or not self.interactive:
                    return None
                interrupted = True
                self.console.print()
                self.console.print("Cleared. Ctrl-C once more quits.", style="dim")

    def _list(self, shown: Keys) -> None:
        """What `?` says."""
        listed = keys.listed(shown.keys)
        width = max(len(name) for name, _ in listed)
        terminal_text.heading(self.console, "Keys")
        for name, words in listed:
            terminal_text.hanging(self.console, f"  {name:{width}}  ", "bold cyan", Text(words))

    def _whole(self, prompt: Prompt, first: str) -> str | None:
        """The whole answer, of which the first line was read; None where there is none after all."""
        if not takes_code(prompt):
            return first
        if first.startswith("@") and (first.rstrip().endswith(".py") or Path(first[1:].strip()).expanduser().is_file()):
            try:
                return Path(first[1:].strip()).expanduser().read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                self._say(f"{first[1:].strip()} cannot be read: {error}")
                return None
        lines = [first]
        while lines[-1].rstrip() != END_OF_CODE and (line := self.keyboard.line()) is not None:
            lines.append(line)
        return "\n".join(line for line in lines if line.rstrip() != END_OF_CODE) + "\n"

    def _edited(self, prompt: Prompt, tried: Result | None) -> str | None:
        """What the learner saved in an editor that began with the last try, or the starter; None where nothing was."""
        starter = next(one.starter for one in prompt.inputs if isinstance(one, CodeInput))
        before = tried.response if tried and tried.response else starter
        try:
            edited = click.edit(before, extension=".py", require_save=True)
        except click.ClickException as error:
            self._say(f"{error.format_message()}; the variable EDITOR names another one, and @file.py reads a file.")
            return None
        if edited is None or not edited.strip():
            self._say("Nothing was saved, so nothing is judged.")
            return None
        return edited
