"""A folder of HTML as Sphinx builds it: whether its links lead somewhere, and what a browser would fetch for it."""

from __future__ import annotations

import re
from pathlib import Path


def followed(folder: Path) -> int:
    """How many links to pages and anchors of the folder were followed; fails at one that leads nowhere."""
    ids = {path: set(re.findall(r'id="([^"]+)"', path.read_text())) for path in folder.rglob("*.html")}
    count = 0
    for path in ids:
        for link in re.findall(r'<a [^>]*href="([^"]+)"', path.read_text()):
            if re.match(r"[a-z]+:", link):
                continue
            target, _, anchor = link.partition("#")
            found = (path.parent / target).resolve() if target else path
            assert found.exists(), f"{path}: {link}"
            assert not anchor or found.suffix != ".html" or anchor in ids[found], f"{path}: {link}"
            count += 1
    return count


def fetched_from_elsewhere(folder: Path) -> set[str]:
    """The addresses of other hosts from which a page loads a script, a style or a picture."""
    loads = r'<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)="((?:https?:)?//[^"]+)"'
    return {found for path in folder.rglob("*.html") for found in re.findall(loads, path.read_text())}
