"""The lessons as a book: `make book`. Outputs and numbers are those that `grader verify` has proven; nothing is run."""

import re

project = "torch-grader"
extensions = ["myst_nb", "grader.faces.book.sphinx_extension"]
root_doc = "index"
exclude_patterns = ["README.md", "_build"]
html_title = "torch-grader"
html_copy_source = False
html_theme_options = {"page_width": "1150px"}
pygments_style = "sphinx"
myst_enable_extensions = ["colon_fence", "dollarmath"]
nb_execution_mode = "off"


def _as_recorded(app, docname, source):
    """Numbers in prose as they were recorded: {eval}`base_lr * 3`<!-- 0.3 --> reads 0.3. Cells are Python."""
    text = re.sub(r"\{eval\}`[^`]+`<!--\s*(.*?)\s*-->", r"\1", source[0])
    source[0] = text.replace("display_name: Python 3}", "display_name: Python 3, language: python}", 1)


def setup(app):
    app.connect("source-read", _as_recorded)
