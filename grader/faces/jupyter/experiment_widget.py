"""The experiment of a topic, as a widget. Its state is settings and nothing else; the service has the bank.

The page asks (`{"ask": "hello" | "run" | "solution", "view": ..., "number": ..., "settings": ..., "kept": [...],
"width": ...}`); the answer repeats `ask`, `view` and `number`, so that the page can drop one that it no longer waits
for. anywidget brings it to JupyterLab, Notebook, VS Code and Colab. Nothing is loaded from the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import traitlets
from anywidget import AnyWidget

from grader.errors import GraderError
from grader.faces.jupyter.client import service
from grader.render import figure_svg, terminal_markdown

_WAITING = ThreadPoolExecutor(1, "grader-experiment")


class ExperimentWidget(AnyWidget):
    """Knobs of a topic's experiment, and what a run with them shows.

    `settings` says where the knobs stand, `code` is the program that does what is shown.
    """

    _esm = Path(__file__).with_name("experiment.js")
    _css = Path(__file__).with_name("experiment.css").read_text(encoding="utf-8") + figure_svg.css()

    topic = traitlets.Unicode().tag(sync=True)
    settings = traitlets.Dict().tag(sync=True)
    kept: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(self, topic: str, settings: Mapping[str, Any]) -> None:
        """Raises InputError where the topic has no experiment, or a knob no such value."""
        offered = service.ask("experiment", topic=topic)
        start = {knob["name"]: knob["values"][knob["start"]] for knob in offered["knobs"]}
        service.ask("turn_knobs", topic=topic, settings=dict(settings))
        self._title = str(offered["title"])
        self._newest: dict[str, int] = {}
        super().__init__(topic=topic, settings={**start, **settings})
        self.on_msg(self._hear)

    @property
    def code(self) -> str:
        """The program with the knobs as they stand now."""
        return str(service.ask("turn_knobs", topic=self.topic, settings=self.settings)["code"])

    def _hear(self, _: object, message: Any, __: object) -> None:
        """Answer a message of the page; a later one makes an earlier one pointless."""
        view, number = str(message.get("view")), message.get("number")
        if isinstance(number, int):
            self._newest[view] = number
            _WAITING.submit(self._answer, message, view, number).add_done_callback(Future.result)  # a fault is logged

    def _answer(self, message: Mapping[str, Any], view: str, number: int) -> None:
        if self._newest.get(view) != number:
            return
        try:
            if message.get("ask") == "run":
                asked = {name: message.get(name) for name in ("settings", "kept", "width")}
                answer = service.ask("turn_knobs", topic=self.topic, **asked)
            else:
                do = "solve" if message.get("ask") == "solution" else "experiment"
                answer = service.ask(do, topic=self.topic)
        except GraderError as error:
            answer = {"problem": error.message}
        self.send({name: message.get(name) for name in ("ask", "view", "number")} | answer)

    def __repr__(self) -> str:
        """The same as text, where nothing can be turned."""
        shown = service.ask("turn_knobs", topic=self.topic, settings=self.settings)
        stands = ", ".join(f"{name}={self.settings[name]!r}" for name in shown["there"])
        said = [shown["problem"]] if "problem" in shown else map(terminal_markdown.as_text, shown["plain"])
        how = "In Python: `.settings` says where the knobs stand, `print(....code)` shows the program."
        return "\n\n".join([f"Experiment: {self._title}", stands, *said, how])

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        shown: tuple[dict[str, Any], dict[str, Any]] | None = super()._repr_mimebundle_(**options)
        if shown:  # without what anywidget cuts off
            shown[0]["text/plain"] = repr(self)
        return shown
