"""The exceptions of torch-grader, each with a text fit for a person.

Faults of content and of learners are values (`Finding`, `Score`), not exceptions. The command catches
`GraderError`, prints its text and its hint, and exits with its code.
"""


class GraderError(Exception):
    """Something that stops a command; `exit_code` 3 says that the fault is ours."""

    exit_code = 3

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(GraderError):
    """Wrong usage or bad input: a file that cannot be read, an item that does not exist."""

    exit_code = 2
