"""One request to the page, read: who asks, the fields of its form, how the page is to look; and what is answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, RedirectResponse, Response

from grader.faces.web import assets
from grader.faces.web.classroom import Classroom
from grader.faces.web.safety import Keys, Reach, RefusedError, Visitor
from grader.faces.web.site import Site
from grader.render import templates

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

TEMPLATES = str(Path(__file__).parent / "templates" / "page")
THEMES = ("system", "light", "dark")

_OURS = re.compile(r'\b(href|action|src|data-editor)="/(?!/)')
"""An address of this site, as templates write it. What somebody typed cannot look so: its quotes are escaped."""

Page = Callable[..., Response]
"""Answers a visit, and takes the parts of its path by name."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a visitor chose: a theme, and whether single keys do something."""

    theme: str = "system"
    keys: bool = True

    @classmethod
    def read(cls, cookie: str) -> Look:
        """From a cookie; what cannot be read is as at first."""
        theme, _, keys = cookie.partition(".")
        return cls(theme if theme in THEMES else "system", keys != "off")

    def __str__(self) -> str:
        return f"{self.theme}.{'on' if self.keys else 'off'}"


@dataclass(frozen=True, slots=True)
class Visit:
    """A request, and who asks."""

    site: Site
    visitor: Visitor
    path: str
    query: QueryParams
    form: Mapping[str, Sequence[str]]
    keys: Keys
    look: Look
    reach: Reach
    base: str
    """The address of the first page without its last slash, as the visitor's browser has it."""
    address: str
    """Of the visitor's machine, or of the proxy that they came through."""

    @property
    def room(self) -> Classroom:
        """The class. Raises RefusedError where none is served."""
        found = self.site.classroom
        if found is None:
            raise RefusedError(404, "There is no such page.", "`grader serve --class NAME` has it.")
        return found

    def field(self, name: str, default: str = "") -> str:
        """The first value of a field of the form."""
        values = self.form.get(name, ())
        return values[0] if values else default

    def page(self, template: str, title: str, *, status: int = 200, here: str = "topics", **values: Any) -> Response:
        """A page of its own; `here` is what of the site it belongs to."""
        common = {
            "title": title, "here": here, "owner": self.visitor.owner, "known": self.visitor.known,
            "author": self.site.author and self.visitor.owner, "class_name": self.site.class_name,
            "key": self.keys.form_key(self.visitor), "look": self.look, "path": self.path, "css": assets.CSS,
            "js": assets.JS, "editor": assets.editor(), "torch": self.site.torch,
            "overdue": self.site.due() if self.visitor.known and status < 500 else 0,
        }  # fmt: skip
        text = templates.filled(TEMPLATES, template, **common, **values).replace(' style="text-align:', ' class="')
        return HTMLResponse(_OURS.sub(rf'\1="{self.reach.root}/', text) if self.reach.root else text, status)

    def to(self, path: str, anchor: str = "", **query: str | Sequence[str]) -> Response:
        """Go on elsewhere, by GET: what was posted is not sent again by a reload."""
        asked = urlencode({name: value for name, value in query.items() if value}, doseq=True)
        where = f"{self.reach.root}{path}{'?' if asked else ''}{asked}{'#' if anchor else ''}{anchor}"
        return RedirectResponse(where, 303)

    def number(self, name: str, most: int) -> int:
        """A whole number of the query below `most`, 0 where none is given. Raises RefusedError."""
        given = self.query.get(name, "0") or "0"
        if not given.isascii() or not given.isdigit() or len(given) > 9 or int(given) >= most:
            raise RefusedError(404, "There is no such variant.", f"They are numbered from 0 to {most - 1}.")
        return int(given)


class Known(RedirectResponse):
    """Goes on to another page, as somebody who is a learner of the class from now on."""

    def __init__(self, visit: Visit, path: str, learner: str) -> None:
        super().__init__(f"{visit.reach.root}{path}", 303)
        self.learner = learner
