"""What is wrong with a text that is not YAML, in an author's words: the parser says where it stumbled, not why."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CONTAINS = "quote the text, or put it in a block after `|`: it contains `: `"


def of(problem: str, lines: Sequence[str], line: int, opened: int | None) -> tuple[str, str]:
    """A message and the next step. `line` is where the parser stopped, `opened` where what it was reading began."""
    text = lines[line] if line < len(lines) else ""
    start = lines[opened] if opened is not None and opened < len(lines) else ""
    if "\t" in text[: len(text) - len(text.lstrip())]:
        return "this line is indented with a tab", "indent with spaces: YAML takes no tabs there"
    if found := re.search(r"found character '(.)' that cannot start", problem):
        return f"a text cannot begin with {found[1]} here", "put quotes around the text"
    if "quoted scalar" in problem and "end of stream" in problem:
        return "the quote that opens here is not closed", "close it; between single quotes, write '' for one of them"
    if "parsing a flow" in problem:
        line_number = "" if opened is None else f" of line {opened + 1}"
        hint = "close it; between brackets and braces a text with `[`, `{` or `: ` in it needs quotes, a slice too"
        return f"the bracket or brace{line_number} is not closed before this", hint
    if "could not find expected ':'" in problem:
        for one in (start, text):
            if re.match(r"\s*(- )?[\w-]+:[^\s:]", one):
                return "there is no space after the colon", f"write `{one.strip().replace(':', ': ', 1)[:60]}`"
    if _block_above(lines, opened if opened is not None else line):
        return "the text after `|` is not indented", "indent each of its lines by two more than its key"
    if said := _indentation(lines, line, problem):
        return said
    for one in (text, start):
        if re.match(r"\s*(- )?[\w-]+: +\{", one):
            return (
                "a text that begins with { needs quotes",
                "put quotes around the text, or put it in a block after `|`",
            )
        if re.match(r"""\s*(- )?[\w-]+: +(["']).*?\2\s*\S""", one):
            hint = "put all of it in quotes of the other sort, or in a block after `|`"
            return "a text that begins with a quote ends where that is closed", hint
    if "mapping values are not allowed" in problem:
        return problem, _CONTAINS
    if "single document" in problem:
        return problem, "keep one document in a file: remove the `---` line"
    if "alias" in problem:
        return problem, "put quotes around a text that begins with *; quizzes use no aliases"
    if "more than" in problem:
        return problem, "write it flatter" if "nested" in problem else "split the file into topics"
    return problem, "check the indentation and the quotes at and above this line"


def _block_above(lines: Sequence[str], line: int) -> bool:
    """Whether a line should be the first of a block text, and is not indented as one."""
    above = lines[line - 1] if 0 < line <= len(lines) else ""
    text = lines[line] if line < len(lines) else ""
    return bool(re.search(r":\s*[|>][-+]?\s*$", above)) and bool(text.strip()) and _indent(text) <= _key(above)


def _indentation(lines: Sequence[str], line: int, problem: str) -> tuple[str, str] | None:
    """Whether a line is indented otherwise than its neighbors, and by how much."""
    text = lines[line] if line < len(lines) else ""
    entry = text.lstrip().startswith("- ")
    above = [one for one in lines[:line] if one.strip() and not one.lstrip().startswith("#")]
    alike = [one for one in above if one.lstrip().startswith("- ")] if entry else above
    if not text.strip() or not alike:
        return None
    wanted = _indent(alike[-1]) if entry else _key(alike[-1])
    by = _indent(text) - wanted
    value = re.match(r"\s*(- )?[\w-]+:\s+\S", alike[-1])
    if "mapping values" in problem and not (by > 0 and value and re.match(r"\s*[\w-]+:(\s|$)", text)):
        return None
    if by == 0 or abs(by) > 3 or not ("mapping values" in problem or "expected <block end>" in problem):
        return None
    count = "one" if abs(by) == 1 else str(abs(by))
    message = f"this line is indented by {count} {'more' if by > 0 else 'less'} than its neighbors"
    return message, f"let it begin in column {wanted + 1}, as they do"


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _key(text: str) -> int:
    """The column of a line's key, which may stand after a dash."""
    return len(re.match(r"\s*(?:- +)?", text)[0])  # type: ignore[index]  # it matches any text
