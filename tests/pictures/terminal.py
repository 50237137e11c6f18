"""A newcomer's walk in two terminals: 80 by 24 with colors, and 60 columns without."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.pictures import Picture
from tests.support.newcomer import walk
from tests.support.screens import Screen

SIZES = {"80x24": (80, 24, {}), "60x24, NO_COLOR": (60, 24, {"NO_COLOR": "1"})}


def take(folder: Path) -> list[Picture]:
    """See `tests.pictures`."""
    taken = []
    for face, (columns, lines, more) in SIZES.items():
        with tempfile.TemporaryDirectory() as home:
            db = Path(home, "records.sqlite")
            proven = os.environ.get("GRADER_PROVEN") or os.environ.get("GRADER_CACHE")
            variables = {"HOME": home, "TERM": "xterm-256color", "LANG": "C.UTF-8", "GRADER_DB": str(db), **more}
            screen = Screen(variables | ({"GRADER_CACHE": proven} if proven else {}), columns, lines)
            for number, title in enumerate(walk(screen, db), 1):
                file = f"terminal-{columns}-{number:02}.svg"
                Path(folder, file).write_text(screen.svg(f"{columns} columns: {title}"), encoding="utf-8")
                taken.append(Picture(f"Terminal, {face}", title, file))
            screen.close()
    return taken
