"""The widget: one ES module, and messages to the service. All that is synced, and may be saved, is a sheet's name."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from grader.errors import GraderError
from grader.faces.jupyter import page
from grader.faces.jupyter.client import service


class QuizWidget(anywidget.AnyWidget):
    """The questions of one sheet. `beside` is the id of the element with the same as text, which it hides."""

    _esm = page.bundle()
    _css = page.style()
    sheet = traitlets.Unicode().tag(sync=True)
    shows = traitlets.Unicode().tag(sync=True)
    """`predict` where they are about what the next cell will print."""
    beside = traitlets.Unicode().tag(sync=True)

    def __init__(self, sheet: str, shows: str = "", beside: str = "") -> None:
        super().__init__(sheet=sheet, shows=shows, beside=beside)
        self.on_msg(self._hear)

    def _hear(self, _: object, message: Any, _buffers: object) -> None:
        """Pass a request of the page on to the service, and its answer back."""
        if not isinstance(message, dict) or not isinstance(message.get("request"), dict):
            return
        try:
            reply = service.reply(message["request"])
        except GraderError as error:
            reply = {"error": {"message": error.message, "hint": error.hint}}
        self.send({**reply, "to": message.get("to")})

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The view; where no widgets are drawn there is nothing to say, for the questions stand above as text."""
        bundle = super()._repr_mimebundle_(**options)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data:
            data["text/plain"] = ""
        return bundle
