"""Rows as CSV for spreadsheets, in which no text is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from grader import template

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a cell begins with that a spreadsheet may take for a formula."""


def safe(entry: object) -> object:
    """Text that a spreadsheet shows and does not compute.

    >>> safe("=1+1"), safe(-1.5)
    ("'=1+1", -1.5)
    """
    if not isinstance(entry, str):
        return entry
    text = template.printable(entry)
    return f"'{text}" if text.startswith(FORMULA) else text


def of_rows(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A whole file."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([safe(entry) for entry in row] for row in rows)
    return out.getvalue()
