"""The experiment as a widget: the page has the knobs, this side computes. Its state is settings and nothing else.

The page asks (`{"ask": "rates" | "losses", "number": ..., "settings": ..., "kept": [...], "width": ...}`), and the
answer repeats `ask`, `number` and `view`, so that the page can drop one that it no longer waits for. Rates are computed
as they are asked for; a training runs in the sandbox, on a thread that waits for it, so that the kernel stays free.
"""

from __future__ import annotations

import atexit
import html
import textwrap
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets
from anywidget import AnyWidget

from grader import experiment as trying
from grader.errors import GraderError, InputError
from grader.experiment import SCHEDULERS, Settings
from grader.model import Chart
from grader.template import show
from grader.ui import pages

if TYPE_CHECKING:
    from grader.run import Runner

KEPT = 2
"""How many curves can be kept beside the one that is shown."""

WIDTHS = (200, 900)
"""The narrowest and the widest drawing, in pixels."""

REMEMBERED = 200
"""How many runs are remembered, so that a curve which was seen before is there at once."""


@cache
def _runner() -> Runner:
    from grader.run.local import LocalRunner

    runner = LocalRunner(preload=trying.LIBRARIES)
    atexit.register(runner.close)
    runner.start()
    return runner


class Runs:
    """Losses by settings, each trained once. Safe to use from several threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[Settings, tuple[float, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def losses(self, settings: Settings) -> tuple[float, ...]:
        """Raises GraderError where the training cannot be run."""
        with self._lock:
            found = self._known.get(settings)
        if found is None:
            found = trying.losses(settings, _runner())
            with self._lock:
                self._known[settings] = found
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return found


RUNS = Runs()
_WAITING = ThreadPoolExecutor(1, "grader-experiment")


class Experiment(AnyWidget):
    """Knobs for a learning-rate schedule, and the curves of a run with it.

    `settings` says where the knobs stand, `code` is the program that does what is shown.
    """

    _esm = Path(__file__).with_name("experiment.js")
    _css = Path(__file__).with_name("experiment.css")

    knobs = traitlets.Dict().tag(sync=True)
    kept: traitlets.List[Any] = traitlets.List().tag(sync=True)
    start = traitlets.Dict().tag(sync=True)

    def __init__(self, settings: Settings) -> None:
        self._newest: dict[str, int] = {}
        super().__init__(knobs=settings.data, start=settings.data)
        self.on_msg(self._asked)

    @traitlets.validate("knobs", "start")
    def _valid(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        return trying.read(proposal["value"]).data

    @traitlets.validate("kept")
    def _valid_kept(self, proposal: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [trying.read(entry).data for entry in proposal["value"]][:KEPT]

    @property
    def settings(self) -> Settings:
        """Where the knobs stand now."""
        return trying.read(self.knobs)

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self.knobs = settings.data

    @property
    def code(self) -> str:
        """The program that trains with the settings as they are now."""
        return trying.code(self.settings)

    def __repr__(self) -> str:
        settings = self.settings
        lines = [
            f"Experiment: {settings}",
            trying.describe(trying.rate_chart([("", trying.rates(settings))])),
        ]
        try:
            lines.append(trying.describe(trying.loss_chart([("", RUNS.losses(settings))])))
        except GraderError as error:
            lines.append(f"No loss: {error.message}.")
        lines.append("In Python: `.settings` are these settings, `print(....code)` shows the program.")
        return "\n".join(textwrap.fill(line, trying.WIDTH, subsequent_indent="  ") for line in lines)

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        shown: tuple[dict[str, Any], dict[str, Any]] | None = super()._repr_mimebundle_(**options)
        if shown:  # without what anywidget cuts off
            shown[0]["text/plain"] = repr(self)
        return shown

    # ------------------------------------------------------------ what the page asks for

    def _asked(self, _: object, message: Mapping[str, Any], __: object) -> None:
        """Answer a message of the page; a later one makes an earlier one for losses pointless."""
        ask, view, number = message.get("ask"), str(message.get("view")), message.get("number")
        answers = {"hello": self._hello, "rates": self._rates}
        if ask in answers:
            self._answer(message, answers[ask](message))
        elif ask == "losses" and isinstance(number, int):
            self._newest[view] = number
            _WAITING.submit(self._train, message, view, number).add_done_callback(Future.result)  # a fault is logged

    def _train(self, message: Mapping[str, Any], view: str, number: int) -> None:
        if self._newest.get(view) == number:
            self._answer(message, self._losses(message))

    def _answer(self, message: Mapping[str, Any], answer: dict[str, Any]) -> None:
        self.send({key: message.get(key) for key in ("ask", "view", "number")} | answer)

    def _hello(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return choices()

    def _rates(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The drawing of the rates, the program, and where the scheduler's own knob stands."""
        try:
            settings, runs = _runs(message)
            chart = trying.rate_chart([(name, trying.rates(entry)) for name, entry in runs])
        except GraderError as error:
            return {"problem": error.message}
        code = trying.code(settings)
        labels = [str(entry) for _, entry in runs[1:]]
        return _drawn(chart, message) | {
            "code": code,
            "colored": pages.code(code),
            "value": settings.value,
            "labels": labels,
        }

    def _losses(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The drawing of the losses, and all numbers as a table."""
        try:
            _, runs = _runs(message)
            losses = [(name, RUNS.losses(entry)) for name, entry in runs]
            rates = [(name, trying.rates(entry)) for name, entry in runs]
        except GraderError as error:
            return {"problem": error.message}
        chart = trying.loss_chart(losses)
        columns = [
            (title, values)
            for (name, rate), (_, loss) in zip(rates, losses, strict=True)
            for title, values in ((_title("rate", name, runs), rate), (_title("loss", name, runs), loss))
        ]
        return _drawn(chart, message) | {"table": table(columns), "last": show(losses[0][1][-1])}


def choices() -> dict[str, Any]:
    """What the knobs offer, for the page."""
    schedulers = []
    for name, scheduler in SCHEDULERS.items():
        knob = scheduler.knob
        own = (
            {"name": knob.name, "low": knob.low, "high": knob.high, "step": knob.step, "unit": knob.unit}
            if knob
            else None
        )
        schedulers.append({"name": name, "label": scheduler.label, "does": scheduler.does, "own": own})
    return {"schedulers": schedulers, "base_lr": trying.BASE_LR, "epochs": trying.EPOCHS, "kept": KEPT}


def _runs(message: Mapping[str, Any]) -> tuple[Settings, list[tuple[str, Settings]]]:
    """The settings of a message, and all that are to be drawn, each with its name. Raises InputError."""
    settings = trying.read(_mapping(message.get("settings")))
    kept = message.get("kept")
    others = [trying.read(_mapping(entry)) for entry in (kept if isinstance(kept, list) else [])[:KEPT]]
    return settings, [("now", settings), *((f"kept {place}", entry) for place, entry in enumerate(others, 1))]


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"settings have names and values, this is {value!r}")
    return value


def _drawn(chart: Chart, message: Mapping[str, Any]) -> dict[str, Any]:
    asked = message.get("width")
    width = min(max(int(asked), WIDTHS[0]), WIDTHS[1]) if isinstance(asked, int | float) else 420
    return {"svg": pages.svg(chart, width), "title": chart.title, "words": trying.describe(chart)}


def _title(what: str, name: str, runs: Sequence[object]) -> str:
    return what if len(runs) == 1 else f"{what}, {name}"


def table(columns: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Numbers as an HTML table, a row an epoch; what is shorter ends in empty cells."""
    head = "".join(f'<th scope="col">{html.escape(title)}</th>' for title, _ in columns)
    rows = []
    for place in range(max(len(values) for _, values in columns)):
        shown = [show(float(values[place])) if place < len(values) else "" for _, values in columns]
        cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in shown)
        rows.append(f'<tr><th scope="row">{place + 1}</th>{cells}</tr>')
    return (
        "<table><caption>Rate and loss of each epoch</caption>"
        f'<thead><tr><th scope="col">epoch</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )


def experiment(
    scheduler: str = "cosine", base_lr: float = 0.1, warmup: int = 5, epochs: int = 30, *, own: float | None = None
) -> Experiment:
    """Knobs for a learning-rate schedule, with the curves of a real training run; shows itself at the end of a cell.

    `own` is the value of the scheduler's own knob (`gamma`, `T_max`, ...); by default it fits the others. Raises
    InputError for what is outside the ranges.
    """
    _runner()
    return Experiment(Settings(scheduler, base_lr, warmup, epochs, own))
