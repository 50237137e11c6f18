"""Takes the pictures of all faces, or of those that are named: `python -m tests.pictures terminal`."""

from __future__ import annotations

import html
import importlib
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.pictures import Picture
from tests.support.common import ROOT

FOLDER = ROOT / "build/pictures"
STYLE = "body { font-family: sans-serif; margin: 1rem } figure { display: inline-block; margin: 0.5rem; vertical-align: top }"


def index(pictures: Sequence[Picture]) -> str:
    """A page with all of them, face by face."""
    parts = [f"<!doctype html><html lang=en><meta charset=utf-8><title>Pictures</title><style>{STYLE}</style>"]
    for face, group in itertools.groupby(pictures, lambda one: one.face):
        parts.append(f"<h2>{html.escape(face)}</h2>")
        for one in group:
            title = html.escape(one.title)
            parts.append(
                f'<figure><figcaption>{title}</figcaption><img src="{html.escape(one.file)}" alt="{title}"></figure>'
            )
    return "\n".join(parts) + "\n"


def main(*names: str) -> None:
    """Take them, and write the index."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    faces = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py") if not names or path.stem in names)
    taken = [one for name in faces for one in importlib.import_module(f"tests.pictures.{name}").take(FOLDER)]
    (FOLDER / "index.html").write_text(index(taken), encoding="utf-8")
    print(f"{len(taken)} pictures: {FOLDER / 'index.html'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
