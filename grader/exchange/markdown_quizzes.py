"""What quizzes in Markdown share: fences, options with check boxes, quotations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

CHECKBOX = re.compile(r"^\s{0,3}[-*+]\s*\[([xX ]?)\]\s+(.*)$")
FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
QUOTED = re.compile(r"^\s*>\s?(.*)$")


def fenced(lines: Sequence[str]) -> list[bool]:
    """For each line whether it stands in a fenced block, its fences included."""
    found, opened = [], ""
    for line in lines:
        mark = FENCE.match(line)
        if opened:
            found.append(True)
            if mark and mark[1].startswith(opened) and not line.strip().strip("`~"):
                opened = ""
        else:
            opened = mark[1] if mark else ""
            found.append(bool(mark))
    return found


def checkboxes(lines: Sequence[str]) -> Iterator[tuple[bool | None, str, int, int]]:
    """Options with a check box: whether it is ticked, the text with what is indented below, first and last place."""
    inside = fenced(lines)
    places = [place for place, line in enumerate(lines) if not inside[place] and CHECKBOX.match(line)]
    for number, place in enumerate(places):
        box = CHECKBOX.match(lines[place])
        assert box
        end = places[number + 1] if number + 1 < len(places) else len(lines)
        last = place + 1
        while last < end and (lines[last].startswith((" ", "\t")) or QUOTED.match(lines[last]) or inside[last]):
            last += 1
        if last < end and not lines[last].strip():  # a block after an empty line still belongs to it
            after = last
            while after < end and (not lines[after].strip() or lines[after].startswith(("  ", "\t"))):
                after += 1
            last = after if any(line.strip() for line in lines[last:after]) else last
        text = "\n".join([box[2], *_dedented(lines[place + 1 : last])])
        yield box[1].lower() == "x", text.strip("\n"), place, last


def _dedented(lines: Sequence[str]) -> list[str]:
    import textwrap

    return textwrap.dedent("\n".join(lines)).split("\n") if lines else []


def without_quotes(text: str) -> tuple[str, str]:
    """A text and what is quoted in it with `>`, apart."""
    lines = text.split("\n")
    inside = fenced(lines)
    quoted = [bool(QUOTED.match(line)) and not inside[place] for place, line in enumerate(lines)]
    said = [found[1] for place, line in enumerate(lines) if quoted[place] and (found := QUOTED.match(line))]
    kept = [line for place, line in enumerate(lines) if not quoted[place]]
    return "\n".join(kept).strip("\n"), "\n".join(said).strip()
