"""Hidden tests in a notebook, and what shows them: the regions of sources, and any output that repeats their lines.

What is looked for are lines that say something and that a student does not see elsewhere. An output is read as a
person reads it: without colors, markup, escapes and white space. Text that a notebook has taken apart or encoded is
not found; see docs/teaching.md.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

HIDDEN = "# There are hidden tests here. They are not shown."
"""What stands where a region was."""

CUT = "[A line that repeats hidden tests is not shown.]"
CUT_ALL = "[An output that repeats hidden tests is not shown.]"

TELLING, LETTERS = 8, 3
"""Characters without white space, and letters among them, that a line needs to say anything of a test."""

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_TAG = re.compile(r"<[^<>]*>")
_ESCAPE = re.compile(r"\\(?:[nrt\\'\"/]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})")
_ESCAPED = {"n": "", "r": "", "t": ""}


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The words that begin and end a region: traits of nbgrader's ClearHiddenTests."""

    begin: str = "BEGIN HIDDEN TESTS"
    end: str = "END HIDDEN TESTS"


def delimiters(config: Any) -> Delimiters:
    """The words that nbgrader's configuration has."""
    from nbgrader.preprocessors import ClearHiddenTests
    from traitlets.config import Config

    theirs = ClearHiddenTests(config=Config(ClearHiddenTests=config.ClearHiddenTests))
    return Delimiters(theirs.begin_test_delimeter, theirs.end_test_delimeter)


def split(source: str, words: Delimiters) -> tuple[str, list[str]]:
    """A source with one line in place of each hidden region, and the lines of the regions.

    A region without an end goes on to the end of the cell; a word that ends none is an ordinary line.
    """
    shown: list[str] = []
    hidden: list[str] = []
    inside = False
    for line in source.split("\n"):
        if words.begin in line:
            if not inside:
                shown.append(f"{line[: len(line) - len(line.lstrip())]}{HIDDEN}")
            inside = True
        elif inside and words.end in line:
            inside = False
        else:
            (hidden if inside else shown).append(line)
    return "\n".join(shown), hidden


class Secret:
    """Lines that must not be shown."""

    def __init__(self, hidden: Iterable[str], seen: Iterable[str] = ()) -> None:
        """`hidden` are lines of hidden tests; those that also stand in a text of `seen` are no secret."""
        known = {_bare(line) for text in seen for line in text.split("\n")}
        self._all = {_bare(line) for line in hidden} - known - {""}
        self._lines = set(filter(_tells, self._all))

    def in_text(self, text: str) -> bool:
        """Whether a text shows one of the lines, however it is colored, marked up, escaped or wrapped."""
        if not self._lines:
            return False
        forms = {bare for form in _forms(text) if len(bare := _bare(form)) >= TELLING}
        return any(line in form for form in forms for line in self._lines)

    def cut(self, text: str) -> str:
        """A text without the lines that show one, and then without short ones too; nothing where it is in pieces."""
        if not self.in_text(text):
            return text
        lines = [CUT if _bare(line) in self._all or self.in_text(line) else line for line in text.split("\n")]
        kept = [line for line, before in zip(lines, ["", *lines], strict=False) if line != CUT or before != CUT]
        left = "\n".join(kept)
        return CUT_ALL if self.in_text(left) else left

    def in_data(self, data: Any) -> bool:
        """Whether any text within JSON data shows one of the lines."""
        return bool(self._lines) and any(map(self.in_text, _texts(data)))


def secret(nb: Any, words: Delimiters) -> Secret:
    """The hidden tests of a notebook that has them."""
    parts = [split(cell.source, words) for cell in nb.cells]
    lines = [line for _, hidden in parts for line in hidden]
    return Secret([words.begin, words.end, *lines] if lines else [], [shown for shown, _ in parts])


def _tells(bare: str) -> bool:
    return len(bare) >= TELLING and sum(map(str.isalpha, bare)) >= LETTERS


def _bare(text: str) -> str:
    return "".join(text.split())


def _forms(text: str) -> Iterable[str]:
    """A text as a person reads it, where it is plain, markup, the repr of a string, or both."""
    plain = _ANSI.sub("", text)
    steps: tuple[Callable[[str], str], ...] = (_untagged, html.unescape, _unescaped)
    forms = {plain}
    for _ in range(2):
        forms |= {step(form) for form in forms for step in steps}
    return forms


def _untagged(text: str) -> str:
    return _TAG.sub("", text)


def _unescaped(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        escape = found[0][1:]
        if escape[0] in "xu":
            return chr(int(escape[1:], 16))
        return _ESCAPED.get(escape, escape)

    return _ESCAPE.sub(plain, text)


def _texts(data: Any) -> Iterable[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for name, value in data.items():
            yield str(name)
            yield from _texts(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _texts(value)


# ---------------------------------------------------------------- outputs


def mask_outputs(outputs: list[Any], secret: Secret, *, own: bool) -> list[Any]:
    """Outputs without what shows hidden tests. `own` are those of a cell that has some: its errors lose their code."""
    masked = [_mask(output, secret, own=own) for output in outputs]
    together: dict[str, str] = {}  # what is spread over several outputs
    for output in masked:
        for name, text in [("text", output.get("text", "")), *output.get("data", {}).items()]:
            together[name] = together.get(name, "") + (_joined(text) if isinstance(text, str | list) else "")
    return [_note()] if any(map(secret.in_text, together.values())) else masked


def _mask(output: Any, secret: Secret, *, own: bool) -> Any:
    kind = output["output_type"]
    if kind == "error":
        shows_code = own or secret.in_text("\n".join(map(str, output["traceback"])))
        output["ename"], output["evalue"] = secret.cut(str(output["ename"])), secret.cut(str(output["evalue"]))
        if shows_code:
            said = f"{output['ename']}: {output['evalue']}" if output["evalue"] else output["ename"]
            output["traceback"] = [said]
    elif kind == "stream":
        output["text"] = secret.cut(_joined(output["text"]))
    else:
        for mime, shown in output["data"].items():
            if isinstance(shown, str | list) and secret.in_data(shown):
                output["data"][mime] = secret.cut(_joined(shown)) if mime == "text/plain" else CUT_ALL
    return _note() if secret.in_data(_shown(output)) else output


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)


def _shown(output: Any) -> list[Any]:
    """The parts of an output that a page may show."""
    parts = ("text", "ename", "evalue", "traceback", "data", "metadata")
    return [output[part] for part in parts if output.get(part)]


def _note() -> dict[str, Any]:
    from nbformat import v4

    note: dict[str, Any] = v4.new_output("stream", name="stdout", text=CUT_ALL)
    return note


def mask_widgets(metadata: Any, secret: Secret) -> None:
    """Take the state of widgets out of a notebook's metadata where it shows hidden tests: pages carry it along."""
    if "widgets" in metadata and secret.in_data(metadata["widgets"]):
        del metadata["widgets"]
