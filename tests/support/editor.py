"""Makes the editor for code of the page, one file of what npm has: `python -m tests.support.editor`, as `make page` does."""

from __future__ import annotations

import subprocess

import pytest

from grader.faces.web import assets
from tests.support import npm

SOURCE = assets.STATIC.parent / "editor"


def make() -> None:
    """Make it, beside the other files that pages ask for. Skips, with the reason, where npm has nothing."""
    place = npm.installed(SOURCE)
    others = {
        path.read_text().strip() for path in (place / "node_modules").glob("**/LICENSE") if "esbuild" not in str(path)
    }
    terms = "\n\n".join(sorted(others)).replace("*/", "* /")
    done = npm.node(
        place / "node_modules/esbuild/bin/esbuild", "editor.js", "--bundle", "--minify", "--format=esm", "--target=es2022",
        f"--banner:js=/* CodeMirror 6 and what it is made of.\n\n{terms} */", f"--outfile={assets.STATIC / assets.EDITOR}", "--log-level=warning", cwd=place,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    try:
        make()
    except (pytest.skip.Exception, AssertionError, OSError, subprocess.SubprocessError) as why:
        print(f"The editor for code cannot be made: {why}\nThe page works without it, with a plain field.")
