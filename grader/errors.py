"""The exceptions of torch-grader, each with a text fit for a person.

Faults of content and of learners are values (`Finding`, `Score`), not exceptions. The command catches
`GraderError`, prints its text and its hint, and exits with its code.
"""

from collections.abc import Iterable


class GraderError(Exception):
    """Something that stops a command; `exit_code` 3 says that the fault is ours."""

    exit_code = 3

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"{self.message}", *([f"  hint: {self.hint}"] if self.hint else [])]


class InputError(GraderError):
    """Wrong usage or bad input: a file that cannot be read, an item that does not exist."""

    exit_code = 2


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """`did you mean ...?` where one of the known names is close, else the empty string."""
    import difflib

    close = difflib.get_close_matches(given, list(known), n=1)
    return f"did you mean `{close[0]}`?" if close else ""
