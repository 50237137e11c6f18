"""Pictures of what learners see, to be looked at: `make pictures` writes build/pictures and its index.html.

A face is a file of this folder with `take(folder)`, which writes its pictures there (SVG or PNG) and returns them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: which face and setting it is of, what it shows, and its file in the folder."""

    face: str
    title: str
    file: str
