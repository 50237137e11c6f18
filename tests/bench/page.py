"""The page of benchmarks as text: its sections by name, and how single ones are rewritten.

A section begins at a line `<!-- section: NAME -->` and goes as far as the next one. What stands before the first is written by
hand. Only the standard library is needed here, since this also says which environment a run needs, before there is one:

    python -m tests.bench.page [NAME,NAME...]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping

NAMES = (
    "programs",
    "tools",
    "class",
    "kernels",
    "throughput",
    "fairness",
    "long",
    "records",
    "recording",
    "bank",
    "web",
    "load",
)
"""The sections, in the order of the page."""

FOREIGN = frozenset({"tools"})
"""Sections that compare with otter-grader, which nothing else of ours needs. nbgrader and nbclient are there anyway."""

HEADING = """\
# Benchmarks

Made by `make bench`, or section by section by `make bench ONLY=programs,kernels`; `tests/bench` says what is measured and how.
Each section says when and on what it was measured. Figures are medians.

"""
"""The beginning of a page that is not there yet."""

MARKER = re.compile(r"^<!-- section: (\S+) -->$", re.MULTILINE)


def chosen(only: str) -> list[str]:
    """The sections that `only` names, separated by commas, in the order of the page; all where it is empty.

    Raises ValueError, with a text for people, where a name is none of a section.
    """
    names = only.replace(",", " ").split()
    unknown = [name for name in names if name not in NAMES]
    if unknown or (only and not names):
        raise ValueError(f"no such section: {', '.join(unknown) or only}; the sections are {', '.join(NAMES)}")
    return [name for name in NAMES if name in names or not names]


def environment(names: Iterable[str]) -> str:
    """The folder of the virtual environment in which these sections can be measured."""
    return ".venv-bench" if FOREIGN.intersection(names) else ".venv"


def rewritten(page: str, new: Mapping[str, str]) -> str:
    """The page with the new sections; all else stays as it is, byte for byte.

    A section that is not on the page yet goes before the first that comes after it in `NAMES`, or to the end. Raises ValueError
    where the page has a section twice.
    """
    parts = _parts(page or HEADING)
    for name, text in new.items():
        body = f"<!-- section: {name} -->\n{text.strip()}\n\n"
        places = [place for place, (known, _) in enumerate(parts) if known == name]
        if places:
            parts[places[0]] = name, body
            continue
        later = NAMES[NAMES.index(name) + 1 :]
        place = next((place for place, (known, _) in enumerate(parts) if known in later), len(parts))
        parts[place - 1] = parts[place - 1][0], _closed(parts[place - 1][1])
        parts.insert(place, (name, body))
    last, text = parts[-1]
    if last in new:
        parts[-1] = last, text.rstrip("\n") + "\n"
    return "".join(text for _, text in parts)


def _parts(page: str) -> list[tuple[str, str]]:
    """The beginning, which has no name, and the sections, each with its marker."""
    found = list(MARKER.finditer(page))
    names = [match[1] for match in found]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"the page has more than one section {', '.join(doubled)}; remove all but one by hand")
    starts = [0, *(match.start() for match in found)]
    ends = [*starts[1:], len(page)]
    return [(name, page[start:end]) for name, start, end in zip(["", *names], starts, ends, strict=True)]


def _closed(text: str) -> str:
    """The text with an empty line at its end, so that a section can follow."""
    return text if text.endswith("\n\n") else text + ("\n" if text.endswith("\n") else "\n\n")


if __name__ == "__main__":
    try:
        print(environment(chosen(",".join(sys.argv[1:]))))
    except ValueError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
