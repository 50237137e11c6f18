"""What is typed at a terminal or comes from a pipe, a line at a time."""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import sys

LONGEST = 100_000
"""Characters of a line."""


class Keyboard:
    """Standard input. At a terminal a prompt is answered by what is typed after it appeared."""

    def __init__(self, *, echo: bool) -> None:
        """`echo` prints the lines of a pipe, so that what is printed reads as a sitting at a terminal does."""
        self.interactive = sys.stdin.isatty()
        self._echo = echo and not self.interactive
        self._rest = False  # of a line that was too long, there without anybody typing it
        if sys.stdin.errors != "replace":  # once it was read from, that cannot be said any more
            sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]  # it is a TextIOWrapper

    def line(self) -> str | None:
        """The next line; None at the end of the input. Raises KeyboardInterrupt for Ctrl-C."""
        if self.interactive and not self._rest:
            _wait()
        line = sys.stdin.readline(LONGEST)
        self._rest = not line.endswith("\n")
        if self._echo:
            print(line.rstrip("\n"))
        return line.rstrip("\r\n") if line else None

    def drop_ahead(self) -> None:
        """Forget what was typed before a prompt is shown: nobody meant it as an answer to that."""
        if self.interactive:
            import termios

            with contextlib.suppress(termios.error, OSError):
                termios.tcflush(sys.stdin, termios.TCIFLUSH)


def _wait() -> None:
    """Wait until a line was typed. Raises KeyboardInterrupt for Ctrl-C.

    A read alone would miss a Ctrl-C that comes right before it: the interpreter has noted it, and waits for a line
    first. The socket is readable as soon as a signal has come.
    """
    woken, waker = socket.socketpair()
    with woken, waker:
        waker.setblocking(False)
        try:
            before = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        except ValueError:
            return  # not the main thread: signals are not its own
        try:
            while True:
                ready, _, _ = select.select([sys.stdin, woken], [], [])
                if sys.stdin in ready:
                    return
                woken.recv(4096)
        finally:
            signal.set_wakeup_fd(before)
