"""The widget: one ES module, and messages to the desk. What is synced, and so may be saved, is the name of a sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from grader.errors import GraderError
from grader.jupyter.client import desk

HERE = Path(__file__).parent


class QuizWidget(anywidget.AnyWidget):
    """The questions of one sheet."""

    _esm = HERE / "quiz.js"
    _css = HERE / "quiz.css"
    sheet = traitlets.Unicode().tag(sync=True)

    def __init__(self, sheet: str) -> None:
        super().__init__(sheet=sheet)
        self.on_msg(self._hear)

    def _hear(self, _: object, message: Any, buffers: object) -> None:
        """Pass a request of the page on to the desk, and its answer back."""
        if not isinstance(message, dict) or not isinstance(message.get("request"), dict):
            return
        try:
            reply = desk.reply(message["request"])
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
