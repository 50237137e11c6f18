"""The keys of a prompt: what may be typed, as one line below a question and, after `?`, in full."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grader.model import (
    ChooseMany,
    ChooseOne,
    CodeInput,
    NumberInput,
    OrderInput,
    Prompt,
    TextInput,
)

END_OF_CODE = "."


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that may be typed."""

    name: str
    short: str
    """In the line below a question; empty where it stands only in the full list."""
    long: str


@dataclass(frozen=True, slots=True)
class Keys:
    """What may be typed at one prompt. `lead` is what is asked for."""

    lead: str
    keys: tuple[Key, ...]

    def lines(self, width: int, *, interactive: bool) -> list[str]:
        """As they stand below a question, each key whole in its line; from a pipe nobody asks for help."""
        shown = [f"{key.name} {key.short}" for key in self.keys if key.short and (interactive or key is not HELP)]
        found = [self.lead]
        for part in shown:
            longer = f"{found[-1]}   {part}"
            found[-1:] = [longer] if len(longer) <= width else [found[-1], part]
        return found

    def names(self) -> set[str]:
        """All that is a command here."""
        return {key.name for key in self.keys} | {LONG[key.name] for key in self.keys if key.name in LONG}


HELP = Key("?", "keys", "these keys")
CLEAR = Key("Ctrl-C", "", "clears what is typed; a second time it quits")
QUIT = Key("q", "quit", "quit; what you have answered is kept")
SKIP = Key("s", "skip", "skip the question and see its answer")
LATER = Key("s", "skip for now", "leave it open; you can go back before the end")
SOLUTION = Key("s", "solution", "give it up and see the solution")
EDITOR = Key("e", "editor", "write the code in your editor ($EDITOR), which has your last try in it")
FILE = Key("@FILE", "", "judge the code in a file, such as @answer.py")
WHY = Key("w", "why", "why: what PyTorch did, the solution, other mistakes")
FINISH = Key("f", "finish", "finish the test; what is open counts as not answered")
LONG = {"q": "quit", "s": "skip", "h": "hint", "e": "edit", "w": "why", "f": "finish"}
"""The words that do the same as a key."""


def command(typed: str | None) -> str:
    """The key that a line names, whether by its letter or by its word; the line itself where it names none."""
    if typed is None:
        return "q"
    word = typed.strip().casefold()
    return next((key for key, long in LONG.items() if word == long), word)


def hint(left: int) -> Key:
    """The key for the next hint."""
    return Key("h", f"hint ({left} left)", "the next hint")


def wanted(prompt: Prompt) -> str:
    """What is to be typed, in a few words."""
    count = len(prompt.inputs)
    match prompt.inputs:
        case (ChooseOne(options=options),) if prompt.reveals:
            return "   ".join(f"{number} {option}" for number, option in enumerate(options, 1))
        case (ChooseMany() as pick,):
            return f"letters of all that hold ({pick.letters[0]}-{pick.letters[-1]})"
        case (ChooseOne() as pick,):
            return f"{pick.letters[0]}-{pick.letters[-1]}"
        case (NumberInput(label="", unit=unit),):
            return f"a number ({unit})" if unit else "a number"
        case (TextInput(label="", wanted=text),):
            return text.partition(",")[0]
        case (TextInput(label=label),):
            return f"the text for {label}"
        case (OrderInput(lines=lines),):
            return f"the numbers 1-{len(lines)} in order"
        case (CodeInput(),):
            return f"code, end with `{END_OF_CODE}`; or @file.py"
        case (NumberInput(), *_):
            return f"{count} numbers with spaces between"
        case (ChooseOne(), *_):
            return f"{count} letters with `;` between"
        case _:
            return f"{count} texts with `;` between"


def how(prompt: Prompt) -> str:
    """The same for whoever asks what may be typed."""
    match prompt.inputs:
        case (ChooseOne() | ChooseMany(),) if not prompt.reveals:
            return "your answer: a letter, the text of an option, or its value"
        case (NumberInput(), *_):
            return "your answer; numbers may be typed as 0.06, 6e-2, 6/100 or 6%"
        case (CodeInput(),):
            return f"your answer: lines of code, then a line with only `{END_OF_CODE}`"
        case _:
            return "your answer"


def takes_code(prompt: Prompt) -> bool:
    """Whether code is to be written."""
    return any(isinstance(one, CodeInput) for one in prompt.inputs)


def listed(keys: Iterable[Key]) -> list[tuple[str, str]]:
    """What `?` shows: each key with what it does."""
    return [(key.name, key.long) for key in keys]
