"""HTML from Jinja2 templates, files beside the code that fills them: what a value holds is text, never markup.

A value that is HTML already, made by `render.markdown` or by another template, is marked `| safe` in the template,
where whoever reads it sees it.
"""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment, Template


def filled(code: str, name: str, /, **values: Any) -> str:
    """The template `name`, beside the file `code` (its `__file__`), with values. One that is missing is an error."""
    return str(_template(Path(code).parent, name).render(**values))


@cache
def _template(folder: Path, name: str) -> Template:
    return _environment(folder).get_template(name)


@cache
def _environment(folder: Path) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from jinja2.ext import Extension
    from markupsafe import Markup

    class OneLine(Extension):
        """Line ends and indentation of a template are for its readers: on a page, white space has a meaning."""

        def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
            return re.sub(r"\s*\n\s*", "", source)

    def escaped(value: Any) -> Markup:
        """As `html.escape` has it, as everywhere in the house."""
        return value if isinstance(value, Markup) else Markup(html.escape(str(value)))  # noqa: S704  (escaped just here)

    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=escaped,
        extensions=[OneLine],
        auto_reload=False,
    )
