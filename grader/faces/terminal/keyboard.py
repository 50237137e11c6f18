"""What is typed at a terminal or comes from a pipe, a line at a time."""

from __future__ import annotations

import contextlib
import sys

LONGEST = 100_000
"""Characters of a line."""


class Keyboard:
    """Standard input. At a terminal a prompt is answered by what is typed after it appeared."""

    def __init__(self, *, echo: bool) -> None:
        """`echo` prints the lines of a pipe, so that what is printed reads as a sitting at a terminal does."""
        self.interactive = sys.stdin.isatty()
        self._echo = echo and not self.interactive
        if sys.stdin.errors != "replace":  # once it was read from, that cannot be said any more
            sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]  # it is a TextIOWrapper

    def line(self) -> str | None:
        """The next line; None at the end of the input. Raises KeyboardInterrupt for Ctrl-C."""
        line = sys.stdin.readline(LONGEST)
        if self._echo:
            print(line.rstrip("\n"))
        return line.rstrip("\r\n") if line else None

    def drop_ahead(self) -> None:
        """Forget what was typed before a prompt is shown: nobody meant it as an answer to that."""
        if self.interactive:
            import termios

            with contextlib.suppress(termios.error, OSError):
                termios.tcflush(sys.stdin, termios.TCIFLUSH)
