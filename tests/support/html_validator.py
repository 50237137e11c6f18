"""html-validate (npm) over pages."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tests.support import npm

HERE = Path(__file__).parent / "html_validate"


def complaints(pages: Iterable[str], folder: Path) -> list[str]:
    """What is wrong with pages, each said by its title, in one run over all of them. Skips, with the reason, where there is no html-validate."""
    place = npm.installed(HERE)
    pages = list(pages)
    for number, text in enumerate(pages):
        (folder / f"{number:05}.html").write_text(text, encoding="utf-8")
    done = npm.node(place / "node_modules/html-validate/bin/html-validate.mjs", "--config", place / ".htmlvalidate.json",
                    "--formatter", f"json={folder / 'found'}", folder, cwd=place)  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    titles = [text.partition("<title>")[2].partition("</title>")[0] for text in pages]
    return [
        f"{titles[int(Path(file['filePath']).stem)]}: {one['ruleId']}: {one['message']} ({one.get('selector')})"
        for file in json.loads((folder / "found").read_text())
        for one in file["messages"]
    ]
