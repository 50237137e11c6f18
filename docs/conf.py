"""These pages as one site: `make docs`. Cells are run each time; nothing is fetched from anywhere."""

import os
import re
import sys
import tempfile
from pathlib import Path

from pygments.lexers.special import TextLexer

HERE = Path(__file__).parent
ROOT = HERE.parent

OUTSIDE = {
    "ARCHITECTURE.md": "contributor/architecture",
    "CONTRIBUTING.md": "contributor/contributing",
    "SECURITY.md": "reference/security",
    "CHANGELOG.md": "reference/changes",
    "BENCHMARKS.md": "reference/costs",
}
"""Files beside this folder that are pages of the site, and what these are called."""

project = "torch-grader"
extensions = ["myst_nb", "sphinx_click", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "index"
html_title = "torch-grader"
html_copy_source = False
html_show_copyright = False
smartquotes = False
html_theme_options = {"page_width": "1400px"}
pygments_style = "sphinx"
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
default_role = "literal"  # as docstrings write names
autodoc_member_order = "bysource"
autodoc_typehints = "none"
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = -1
nb_render_markdown_format = "myst"
nb_ipywidgets_js = {}  # what it would load comes from another host; pages show the text of a widget

# What cells see: this bank, records of their own, and the commands of this environment.
os.environ |= {
    "GRADER_BANK": str(ROOT),
    "GRADER_DB": str(Path(tempfile.mkdtemp()) / "records.sqlite"),
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]),
    "NO_COLOR": "1",
    "COLUMNS": "80",
}


def _from_beside(app, docname, source):
    """Show files of `OUTSIDE` where their page is, and let links to and from them lead to pages of the site."""
    file = next((ROOT / name for name, page in OUTSIDE.items() if page == docname), None)
    if file:
        app.env.note_dependency(str(file))
        source[0] = file.read_text(encoding="utf-8")
    folder = file.parent if file else (HERE / docname).parent

    def linked(found):
        target, anchor = (folder / found[2]).resolve(), found[3] or ""
        if target.is_relative_to(HERE):
            return f"[{found[1]}](/{target.relative_to(HERE)}{anchor})"
        if target.name in OUTSIDE and target.parent == ROOT:
            return f"[{found[1]}](/{OUTSIDE[target.name]}.md{anchor})"
        return found[1] if target.exists() else found[0]

    source[0] = re.sub(r"(?<!!)\[([^\[\]]+)\]\((?![a-z]+:)([^()#\s]+)(#[^()\s]*)?\)", linked, source[0])


def setup(app):
    app.connect("source-read", _from_beside)
    app.add_lexer("csv", TextLexer)
